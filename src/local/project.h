/*
 * What a project remembers of its Edge Functions and secrets: two small JSON files under
 * <state>/projects/<ref>, each replaced whole, so that kill -9 leaves the old or the new one.
 * Sources are beside them, in folders named by their digest (bundle.h).
 *
 * Thread-safe. Objects returned are copies; the caller owns them.
 */
#ifndef LOCKFLIGHT_LOCAL_PROJECT_H
#define LOCKFLIGHT_LOCAL_PROJECT_H

#include "base/arena.h"

#include <jansson.h>

struct project;

bool project_open(const char *dir, struct project **ret, struct err *e) MUST_USE;
void project_close(struct project *p); /* accepts NULL */
const char *project_dir(const struct project *p);

/* Forgets all functions and secrets. */
bool project_clear(struct project *p, struct err *e) MUST_USE;

/* ---- Functions: objects as the management API shows them ------------------------------------- */

json_t *project_functions(struct project *p);                  /* array, by slug */
json_t *project_function(struct project *p, const char *slug); /* NULL if there is none */

/* What a deploy would become: the existing function, or a fresh one, with the new members laid over
 * and the next version. Not stored. */
json_t *project_next_function(struct project *p, const char *slug, const json_t *members);

/* Stores these functions, all or none; each needs slug, id, version and ezbr_sha256. *ret is the
 * array as stored, with updated_at. */
bool project_put_functions(struct project *p, const json_t *functions, json_t **ret,
                           struct err *e) MUST_USE;

/* False in *ret_found if there was none. */
bool project_delete_function(struct project *p, const char *slug, bool *ret_found,
                             struct err *e) MUST_USE;

/* ---- Secrets --------------------------------------------------------------------------------- */

json_t *project_secret_digests(struct project *p); /* [{name, value: sha256 hex, updated_at}] */
json_t *project_secret_values(
    struct project *p); /* {"NAME":"value"}: for the functions' environment */

/* Upsert of [{"name","value"}]. ERR_DATA if a name or value is not
 * allowed; then nothing changes. */
bool project_set_secrets(struct project *p, const json_t *secrets, struct err *e) MUST_USE;

/* Removes ["NAME"]; unknown names are no error. */
bool project_unset_secrets(struct project *p, const json_t *names, struct err *e) MUST_USE;

#endif
