/*
 * The part of Supabase's management API that a release needs, for one project. The local platform
 * speaks it too.
 *
 * Errors are those of net/http.h. Every field that is read is checked (provider/fields.h); a
 * surprise is ERR_DATA (ERR_UNKNOWN_OUTCOME after a mutating call) that names the field, the
 * address, and what the answer looked like. Results live in the given arena, texts are never NULL
 * unless said.
 *
 * BUDGET   60 calls a minute are allowed to a user and going beyond costs a full minute of refusal,
 *          so we keep to 50, 20 of them reserved for taking back (http_use_reserve); on loopback
 *          there is no budget.
 */
#ifndef LOCKFLIGHT_PROVIDER_SUPABASE_H
#define LOCKFLIGHT_PROVIDER_SUPABASE_H

#include "base/arena.h"
#include "net/http.h"
#include "provider/function_source.h"

struct supabase;

struct supabase_spec {
    const char *api; /* "https://api.supabase.com" or the local platform; no /v1 */
    const char *token;
    const char *ref; /* 20 lower-case letters; NULL: the account's calls only, until
                        supabase_use_project */
};

/* ERR_CONFIG if the address or the ref is malformed. Nothing is sent. */
bool supabase_open(const struct supabase_spec *spec, struct supabase **ret, struct err *e) MUST_USE;
void supabase_close(struct supabase *s);        /* accepts NULL */
struct http *supabase_http(struct supabase *s); /* for http_set_guard */

static inline void supabase_cleanup(struct supabase **s)
{
    supabase_close(*s);
}

/* From now on the project's calls mean this one. ERR_CONFIG if the ref is malformed. */
bool supabase_use_project(struct supabase *s, const char *ref, struct err *e) MUST_USE;

/* ---- the account (supabase_account.c) ---- */

struct supabase_organization {
    const char *slug;
    const char *name;
};

bool supabase_organizations(struct supabase *s, struct arena *a, struct supabase_organization **ret,
                            size_t *ret_count, struct err *e) MUST_USE;

struct supabase_project {
    const char *ref;
    const char *name;
    const char *status; /* "ACTIVE_HEALTHY" */
    const char *region;
    const char *organization; /* slug */
    const char *created_at;   /* "" when not said */
};

/* All projects of the token, of every organization. */
bool supabase_projects(struct supabase *s, struct arena *a, struct supabase_project **ret,
                       size_t *ret_count, struct err *e) MUST_USE;

struct supabase_project_spec {
    const char *organization; /* slug */
    const char *name;
    const char *region;   /* "eu-central-1" */
    const char *password; /* of the database; registered for redaction, in no error */
};

/* Asks for a new project, which then comes up by itself (supabase_project_wait). Mutating; names
 * are not unique over there, so after ERR_UNKNOWN_OUTCOME look for the name in supabase_projects
 * before asking again. ERR_CONFLICT if there is another project of that name in the organization: then
 * none has been added. ERR_LIMIT if the plan allows no more projects. */
bool supabase_project_create(struct supabase *s, struct arena *a,
                             const struct supabase_project_spec *spec, struct supabase_project *ret,
                             struct err *e) MUST_USE;

/* Removes a project for good. Mutating. One that is gone is success. */
bool supabase_project_delete(struct supabase *s, struct arena *a, const char *ref,
                             struct err *e) MUST_USE;

/* ---- the project (supabase_project.c) ---- */

/* ERR_NOT_FOUND if it does not exist, or has been removed. */
bool supabase_project(struct supabase *s, struct arena *a, struct supabase_project *ret,
                      struct err *e) MUST_USE;

/* Polls until the project is ACTIVE_HEALTHY and its database and data API answer. ERR_REMOTE if it
 * failed to come up, ERR_TIMEOUT after timeout_ms (0: 10 minutes). Lost polls are tolerated. */
bool supabase_project_wait(struct supabase *s, struct arena *a, int timeout_ms,
                           struct supabase_project *ret, struct err *e) MUST_USE;

/* How its database is reached from an IPv4 network. */
struct supabase_pooler {
    const char *user; /* "postgres.<ref>" */
    const char *host;
    int port;
    const char *database;
};

/* The primary's pooler, for sessions: a pool of transactions is given port 5432 in place of 6543,
 * where the same host keeps sessions. ERR_NOT_FOUND if the project has none. */
bool supabase_pooler(struct supabase *s, struct arena *a, struct supabase_pooler *ret,
                     struct err *e) MUST_USE;

/* "postgresql://user:password@host:port/database", everything encoded. */
char *supabase_pooler_url(struct arena *a, const struct supabase_pooler *p, const char *password);

/* A branch of the project. With Branching on, the default one stands for the project itself; a git
 * branch at it means that Supabase's own integration deploys what is merged there. */
struct supabase_branch {
    const char *name;
    const char *git_branch; /* "" if none */
    bool is_default;
};

/* All branches; none where Branching is off. */
bool supabase_branches(struct supabase *s, struct arena *a, struct supabase_branch **ret,
                       size_t *ret_count, struct err *e) MUST_USE;

/* ERR_CHECK that names the first service that is not healthy. `services`:
 * "db,rest,…", NULL: "db". */
bool supabase_health(struct supabase *s, struct arena *a, const char *services,
                     struct err *e) MUST_USE;

struct supabase_api_keys {
    const char *anon;         /* NULL if the project has none */
    const char *service_role; /* NULL if hidden; registered for redaction */
    const char *publishable;  /* NULL if none */
    const char *secret;       /* NULL if none or hidden; registered for redaction */
};

bool supabase_api_keys(struct supabase *s, struct arena *a, struct supabase_api_keys *ret,
                       struct err *e) MUST_USE;

/* ---- functions ---- */

struct supabase_function {
    const char *id;
    const char *slug;
    const char *name;
    const char *status; /* "ACTIVE", "REMOVED", "THROTTLED" */
    int64_t version;
    bool verify_jwt; /* true when the answer does not say */
    bool import_map;
    const char *entrypoint_path; /* "" when not said, likewise below */
    const char *import_map_path;
    const char *ezbr_sha256; /* of the bundle: what equality is decided by */
    int64_t created_at_ms;
    int64_t updated_at_ms;
};

bool supabase_functions(struct supabase *s, struct arena *a, struct supabase_function **ret,
                        size_t *ret_count, struct err *e) MUST_USE;

/* ERR_NOT_FOUND if there is none of this slug. */
bool supabase_function_get(struct supabase *s, struct arena *a, const char *slug,
                           struct supabase_function *ret, struct err *e) MUST_USE;

/* Uploads and bundles. With bundle_only nothing that runs changes, so it is repeated freely: the
 * answer shows the next version and its bundle hash, for supabase_functions_activate. Without, it
 * is a mutating call. */
bool supabase_function_deploy(struct supabase *s, struct arena *a,
                              const struct function_source *source, bool bundle_only,
                              struct supabase_function *ret, struct err *e) MUST_USE;

/* Makes these bundles the running ones, all in one call. Mutating; absolute, so that it may be
 * repeated after a probe. An answer that does not show each of them at its version and hash is
 * ERR_UNKNOWN_OUTCOME. */
bool supabase_functions_activate(struct supabase *s, struct arena *a,
                                 const struct supabase_function *functions, size_t n,
                                 struct err *e) MUST_USE;

/* Mutating. A function that is not there is success. */
bool supabase_function_delete(struct supabase *s, struct arena *a, const char *slug,
                              struct err *e) MUST_USE;

/* The live source, for the before-image: files, entrypoint, import map, verify_jwt, digest. */
bool supabase_function_source(struct supabase *s, struct arena *a, const char *slug,
                              struct function_source *ret, struct err *e) MUST_USE;

/* A listed function as JSON and back, for the journal. The caller owns the JSON value. */
json_t *supabase_function_to_json(const struct supabase_function *f);
bool supabase_function_from_json(struct arena *a, const json_t *value,
                                 struct supabase_function *ret, struct err *e) MUST_USE;

/* ---- secrets ---- */

struct supabase_secret {
    const char *name;
    const char *digest; /* lower-case hex SHA-256 of the value: the value itself cannot be read */
    const char *updated_at; /* "" when not said */
};

struct supabase_secret_value {
    const char *name;
    struct str value;
};

bool supabase_secrets(struct supabase *s, struct arena *a, struct supabase_secret **ret,
                      size_t *ret_count, struct err *e) MUST_USE;

/* Adds or replaces, in one mutating call. Values over the vendor's limits and names that begin with
 * SUPABASE_ are ERR_LIMIT and ERR_CONFIG, without a request. n == 0 does nothing. The caller
 * registers secret values for redaction; errors of this call echo none of the values. */
bool supabase_secrets_set(struct supabase *s, struct arena *a,
                          const struct supabase_secret_value *values, size_t n,
                          struct err *e) MUST_USE;

/* Removes, in one mutating call; names that do not exist are no error. */
bool supabase_secrets_unset(struct supabase *s, struct arena *a, const char *const *names, size_t n,
                            struct err *e) MUST_USE;

#endif
