/*
 * What an environment is running, read from the environment itself, beside what the journal says it
 * should be.
 *
 * MANIFEST   A committed release (or rollback) keeps what it made live, as JSON:
 *
 *     { "release": name, "source": digest, "artefact": digest,
 *       "deploy": id, "permalink": url, "locked": bool,
 *       "commit"?: the git commit, when the tree was clean,
 *       "functions": { slug: { "source": digest, "hash": bundle sha256, "version": n } },
 *       "variables": { NAME: { mark of variable_mark.h, "value"?: only if it is not secret } },
 *       "migrations": [ version … ],
 *       "checks": { "backend": [ packed … ], "site": [ packed … ] } }
 */
#ifndef LOCKFLIGHT_ENGINE_LIVE_H
#define LOCKFLIGHT_ENGINE_LIVE_H

#include "base/json.h"
#include "engine/journal.h"
#include "engine/schema.h"
#include "engine/target.h"
#include "migrate/history.h"

struct live {
    struct netlify_site site;
    struct supabase_function *functions;
    size_t functions_n;
    struct supabase_secret *secrets;
    size_t secrets_n;
    struct history history;

    enum schema_presence schema;
    bool has_release;              /* Lockflight made something live here before */
    struct release_record release; /* the newest committed one */
    json_t *manifest;              /* its manifest; NULL without one. Owned: live_done */
    bool has_open;                 /* an interrupted or running release */
    struct release_record open;
    struct lease_info lease;
};

/* Reads everything. Zeroes `ret` first; live_done may always follow. */
bool live_read(struct target *t, struct live *ret, struct err *e) MUST_USE;

/* Only what the database knows: release, manifest, open release, lease, history. */
bool live_read_database(struct target *t, struct live *ret, struct err *e) MUST_USE;

/* ERR_INTERRUPTED if a release of the environment is not finished: says which, and what to type. */
bool live_is_settled(const struct live *live, const char *environment, struct err *e) MUST_USE;

void live_done(struct live *live);

static inline void live_cleanup(struct live *live)
{
    live_done(live);
}

/* NULL if there is none. */
const struct supabase_function *live_function(const struct live *live, const char *slug);
const char *live_secret_digest(const struct live *live, const char *name);

/* Members of the manifest; NULL if absent. */
const char *live_function_source(const struct live *live, const char *slug);
const char *live_function_hash(const struct live *live, const char *slug);

/* The name of the release that the environment is on, "" if Lockflight made none live. */
const char *live_release_name(const struct live *live);

/* The release named by a deploy's title ("lockflight <release> <artefact>"); "" if the title is not
 * ours. */
const char *live_title_release(struct arena *a, const char *title);

/* The release whose name the running functions were told, "" if none: after an unwinding that
 * stopped early, or a rollback of the site alone, it is not the one the site is on. */
const char *live_functions_release(struct target *t, const struct live *live);

/* The Supabase secret by which functions know the release they belong to.
 * Not a declared variable. */
#define LIVE_RELEASE_SECRET "LOCKFLIGHT_RELEASE"

#endif
