/*
 * Projects made and removed over the API. Requests run on the pool; environments belong to the
 * daemon's main thread, so a request leaves an order and waits until it is carried out.
 *
 * A made project is on disk (platform.json) before the call is acknowledged, and comes up after
 * that: database, data API, functions (environments_raise). kill -9 between the two leaves a
 * project that the next `local up` brings up.
 *
 * LIFE     projects_open → orders → projects_close (waiting orders are refused) → server drained
 *          → projects_free.
 */
#ifndef LOCKFLIGHT_LOCAL_PROJECTS_H
#define LOCKFLIGHT_LOCAL_PROJECTS_H

#include "local/platform.h"

struct project_wish {
    const char *title;
    const char *region;
    const char *password; /* of its role postgres.<ref> */
};

bool projects_open(struct platform *p, struct err *e) MUST_USE;
void projects_close(struct platform *p); /* accepts a platform without */
void projects_free(struct platform *p);

/* Any thread but the main one. */
bool projects_make(struct platform *p, const struct project_wish *wish,
                   struct platform_environment **ret, struct err *e) MUST_USE;
bool projects_remove(struct platform *p, struct platform_environment *env, struct err *e) MUST_USE;

/* Main thread: readable when there is something to do, and doing it. */
int projects_fd(const struct platform *p);
void projects_obey(struct platform *p);

#endif
