/*
 * One Deno process that serves one version of one Edge Function on a unix socket of its own.
 *
 * ISOLATION   A clean environment; no permission to start programs, load libraries or read anything
 *             but its own files; a heap limit of V8. Deno's permissions are not a wall against
 *             hostile code: what runs here is the project's own.
 *
 * A worker belongs to the keeper's thread (functions.c).
 */
#ifndef LOCKFLIGHT_LOCAL_WORKER_H
#define LOCKFLIGHT_LOCAL_WORKER_H

#include "local/bundle.h"
#include "local/platform.h"
#include "net/server/upstream.h"

#define WORKER_HEAP_MIB 256 /* the hosted limit */

struct worker {
    struct worker *next; /* in a list of draining ones */
    struct arena *arena;
    struct child *child;
    struct upstream *upstream; /* one reference while booting; then the slot's */
    const char *socket_path;
    int64_t version;
    unsigned generation; /* of the secrets it was started with */
    int64_t started_boot_ms;
    int64_t stop_boot_ms; /* draining: when patience ends; after SIGTERM: when it is killed */
    bool was_told;        /* SIGTERM was sent */
};

struct worker_spec {
    struct platform_environment *env;
    const struct bundle_tools *tools;
    const char *project_dir;
    const json_t *function; /* as project_function returns it */
    json_t *secrets;        /* {"NAME":"value"} */
    unsigned generation;
    void (*on_exit)(void *context);
    void *context;
};

bool worker_start(const struct worker_spec *spec, struct worker **ret, struct err *e) MUST_USE;

/* Does its socket accept connections? */
bool worker_accepts(const struct worker *w);

/* It must have ended. Removes its socket. Accepts NULL. */
void worker_free(struct worker *w);

#endif
