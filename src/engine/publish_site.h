/*
 * Making a deploy live and seeing that it is: what the publish phase, its undo and a rollback
 * share.
 */
#ifndef LOCKFLIGHT_ENGINE_PUBLISH_SITE_H
#define LOCKFLIGHT_ENGINE_PUBLISH_SITE_H

#include "provider/netlify.h"

/* Restores `deploy_id`, waits until the host says it is live, and locks or unlocks it, reading the
 * lock back. All absolute: calling it again changes nothing. An unanswered restore is read back and
 * asked once more. */
bool publish_site(struct netlify *n, struct arena *a, const char *deploy_id, bool locked,
                  struct err *e) MUST_USE;

#endif
