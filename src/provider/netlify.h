/*
 * The part of Netlify's API that a release needs, for one site. The local platform speaks it too.
 *
 * A DEPLOY IN CALLS  netlify_deploy_create (hidden) → netlify_deploy_sync (one digest of all files,
 *                    answered by what the host lacks) → netlify_deploy_upload (only that) →
 *                    netlify_deploy_wait → checks of the permalink → netlify_restore (publishes) →
 *                    netlify_lock.
 *
 * AFTER A CRASH      create: netlify_deploy_find by title. sync, upload: do them again. restore,
 *                    lock: read netlify_site_get, which says what is live and whether it is locked.
 *
 * Errors are those of net/http.h. Every field that is read is checked (provider/fields.h); a
 * surprise is ERR_DATA (ERR_UNKNOWN_OUTCOME after a mutating call) that names the field, the
 * address, and what the answer looked like. Results live in the given arena; texts are "" when the
 * answer does not have them.
 *
 * BUDGET   500 calls a minute, 20 of them reserved for taking back (http_use_reserve), and 3 new
 *          deploys a minute for each site; on loopback there is none.
 */
#ifndef LOCKFLIGHT_PROVIDER_NETLIFY_H
#define LOCKFLIGHT_PROVIDER_NETLIFY_H

#include "base/arena.h"
#include "base/str.h"
#include "net/http.h"

struct netlify;

struct netlify_spec {
    const char *api; /* "https://api.netlify.com/api/v1" or the local platform's */
    const char *token;
    const char *site; /* id, or name */
};

/* ERR_CONFIG if the address is malformed. Nothing is sent. */
bool netlify_open(const struct netlify_spec *spec, struct netlify **ret, struct err *e) MUST_USE;
void netlify_close(struct netlify *n);        /* accepts NULL */
struct http *netlify_http(struct netlify *n); /* for http_set_guard */

static inline void netlify_cleanup(struct netlify **n)
{
    netlify_close(*n);
}

/* ---- the account (netlify_account.c): needs no site ---- */

struct netlify_account {
    const char *slug; /* what netlify_site_create takes; the id where there is no slug */
    const char *name;
};

bool netlify_accounts(struct netlify *n, struct arena *a, struct netlify_account **ret,
                      size_t *ret_count, struct err *e) MUST_USE;

/* ---- site ---- */

struct netlify_site {
    const char *id;
    const char *name;
    const char *url;          /* what visitors type: ssl_url, else url */
    const char *account;      /* for the variables: slug, else id */
    const char *published_id; /* "" if nothing is live */
    const char *published_title;
    const char *published_at;
    bool is_locked; /* the published deploy is pinned */

    /* What may publish besides us. */
    const char *repository; /* connected to Netlify's own builds: "https://…"; "" if it is not */
    const char *repository_branch;
    bool is_build_stopped; /* its own builds are switched off */
    bool is_git_only;      /* deploys by way of the API cannot be published here */
};

/* What is live now: the probe of publish and lock. */
bool netlify_site_get(struct netlify *n, struct arena *a, struct netlify_site *ret,
                      struct err *e) MUST_USE;

/* The site's id; asks the host once if the spec has a name. */
bool netlify_site_id(struct netlify *n, const char **ret, struct err *e) MUST_USE;

/* Sites visible to the token, all pages; `name` filters (NULL: all; the host matches parts of
 * names). */
bool netlify_sites(struct netlify *n, struct arena *a, const char *name, struct netlify_site **ret,
                   size_t *ret_count, struct err *e) MUST_USE;

/* The visible site of exactly this name; ret->id is "" if there is none. */
bool netlify_site_find(struct netlify *n, struct arena *a, const char *name,
                       struct netlify_site *ret, struct err *e) MUST_USE;

/* A new, empty site; `account` NULL: the token's default team. Mutating; names are unique, so it
 * makes one at most: ERR_CONFLICT if the name is taken, and after ERR_UNKNOWN_OUTCOME
 * netlify_site_find tells. */
bool netlify_site_create(struct netlify *n, struct arena *a, const char *account, const char *name,
                         struct netlify_site *ret, struct err *e) MUST_USE;

/* Removes a site with all its deploys. Mutating. One that is gone is success. */
bool netlify_site_delete(struct netlify *n, struct arena *a, const char *site_id,
                         struct err *e) MUST_USE;

/* Switches the host's own builds off or on, and reads back. ERR_REMOTE if the host accepts it and
 * then shows the opposite. Mutating and absolute. */
bool netlify_site_stop_builds(struct netlify *n, struct arena *a, bool stop,
                              struct err *e) MUST_USE;

struct netlify_site_file {
    const char *path; /* "/index.html" */
    const char *sha1;
    int64_t bytes;
};

/* The files of the published deploy. */
bool netlify_site_files(struct netlify *n, struct arena *a, struct netlify_site_file **ret,
                        size_t *ret_count, struct err *e) MUST_USE;

/* ---- deploys ---- */

enum netlify_state {
    NETLIFY_PENDING, /* any state that is not one of the others */
    NETLIFY_READY,   /* can be published: "ready", or "old" (was live before) */
    NETLIFY_FAILED,  /* "error", "rejected" */
};

struct netlify_deploy {
    const char *id;
    enum netlify_state state;
    const char *state_text; /* as answered */
    const char *title;
    const char *branch;
    const char *context;
    const char *permalink; /* this deploy's own address, without trailing slash */
    const char *error_message;
    const char *created_at;
    const char *published_at; /* "" if never live */
    bool is_draft;
    bool is_locked;
    const char **required; /* SHA-1 of contents that the host lacks */
    size_t n_required;
};

/* A variable that travels with a deploy, or a site-wide one. */
struct netlify_variable {
    const char *name;
    const char *value; /* "" when the host will not show it */
    bool is_secret;
    const char *updated_at;
    unsigned scopes; /* NETLIFY_…, when set for the site; 0: builds, functions, runtime */
};

struct netlify_deploy_spec {
    const char *title;  /* what netlify_deploy_find looks for */
    const char *branch; /* NULL: none; an alias makes a branch deploy */
    const struct netlify_variable
        *variables; /* fixed for this deploy, published and rolled back with it */
    size_t n_variables;
};

/* A hidden deploy that never publishes itself, the only one of its title. Mutating: after ERR_UNKNOWN_OUTCOME look for the
 * title. */
bool netlify_deploy_create(struct netlify *n, struct arena *a,
                           const struct netlify_deploy_spec *spec, struct netlify_deploy *ret,
                           struct err *e) MUST_USE;

/* One file of a deploy. */
struct netlify_file {
    const char *path; /* "/assets/app.js" */
    const char *sha1;
    uint64_t bytes;
    const char *source; /* file to read; NULL: `content` */
    struct str content;
};

/* Tells the host every file and returns what it lacks (ret->required). Large deploys are compared
 * by the host in the background; this waits for the end of that. One sync per deploy; repeating it
 * is harmless. */
bool netlify_deploy_sync(struct netlify *n, struct arena *a, const char *deploy_id,
                         const struct netlify_file *files, size_t n_files,
                         struct netlify_deploy *ret, struct err *e) MUST_USE;

struct netlify_upload_spec {
    const char *deploy_id;
    const struct netlify_file *files; /* all of the deploy; each needed content is sent once */
    size_t n_files;
    const char *const *required;
    size_t n_required;
    http_progress progress; /* may be NULL */
    void *context;
};

/* Sends the required contents in parallel. A required digest that no file has is ERR_DATA. */
bool netlify_deploy_upload(struct netlify *n, const struct netlify_upload_spec *spec,
                           struct err *e) MUST_USE;

/* Polls until the deploy can be published. ERR_REMOTE with the host's message if it
 * failed, ERR_TIMEOUT after timeout_ms (0: 20 minutes); refusals and lost polls on
 * the way are tolerated. */
bool netlify_deploy_wait(struct netlify *n, struct arena *a, const char *deploy_id, int timeout_ms,
                         struct netlify_deploy *ret, struct err *e) MUST_USE;

bool netlify_deploy_get(struct netlify *n, struct arena *a, const char *deploy_id,
                        struct netlify_deploy *ret, struct err *e) MUST_USE;

/* Deploys of the site, newest first, following pages until `max` (0: 1000) are there. */
bool netlify_deploys(struct netlify *n, struct arena *a, size_t max, struct netlify_deploy **ret,
                     size_t *ret_count, struct err *e) MUST_USE;

/* The newest deploy with exactly this title that has not failed. ret->id is "" if there is none. */
bool netlify_deploy_find(struct netlify *n, struct arena *a, const char *title,
                         struct netlify_deploy *ret, struct err *e) MUST_USE;

/* Ends an unfinished deploy. A ready or published deploy is not harmed. Mutating. */
bool netlify_deploy_cancel(struct netlify *n, struct arena *a, const char *deploy_id,
                           struct err *e) MUST_USE;

/* Removes a deploy. One that is gone is success; the host refuses the published one. Mutating. */
bool netlify_deploy_delete(struct netlify *n, struct arena *a, const char *deploy_id,
                           struct err *e) MUST_USE;

/* Makes this deploy what visitors get, atomically; publishing the published deploy changes nothing.
 * Mutating and absolute. The host may drop the site's lock: read back, and lock again. */
bool netlify_restore(struct netlify *n, struct arena *a, const char *deploy_id,
                     struct err *e) MUST_USE;

/* Pins and unpins the published deploy. Mutating and absolute. */
bool netlify_lock(struct netlify *n, struct arena *a, const char *deploy_id,
                  struct err *e) MUST_USE;
bool netlify_unlock(struct netlify *n, struct arena *a, const char *deploy_id,
                    struct err *e) MUST_USE;

/* ---- site-wide variables (netlify_env.c): read by the host when a deploy is made ---- */

enum netlify_scope {
    NETLIFY_BUILDS = 1 << 0,
    NETLIFY_FUNCTIONS = 1 << 1,
    NETLIFY_RUNTIME = 1 << 2,
    NETLIFY_POST_PROCESSING = 1 << 3,
};

struct netlify_env_value {
    const char *id; /* "" for a new one */
    const char
        *context; /* "all", "production", "deploy-preview", "branch-deploy", "dev", "branch" */
    const char *branch; /* of context "branch", else "" */
    const char *value;  /* "" of a secret, which is only given back for "dev" */
};

struct netlify_env {
    const char *name;
    unsigned scopes; /* NETLIFY_…; 0 when set: builds, functions, runtime */
    bool is_secret;
    const char *updated_at;
    const struct netlify_env_value *values;
    size_t n_values;
};

bool netlify_envs(struct netlify *n, struct arena *a, struct netlify_env **ret, size_t *ret_count,
                  struct err *e) MUST_USE;

/* ERR_NOT_FOUND if there is none of that name. */
bool netlify_env_get(struct netlify *n, struct arena *a, const char *name, struct netlify_env *ret,
                     struct err *e) MUST_USE;

/* Makes the variable exactly this: every value it has is replaced. Mutating and absolute. What the
 * host would refuse is ERR_CONFIG before anything is sent: a name it keeps for itself, a secret in
 * context "all" or with scope post-processing. Values of secrets are registered for redaction;
 * errors echo no value. ERR_UNKNOWN_OUTCOME if the answer does not show name, secrecy and contexts
 * as asked. */
bool netlify_env_put(struct netlify *n, struct arena *a, const struct netlify_env *v,
                     struct err *e) MUST_USE;

/* Sets the value of one context of a variable that exists; the others stay. Mutating, absolute. */
bool netlify_env_value_set(struct netlify *n, struct arena *a, const char *name,
                           const struct netlify_env_value *value, struct err *e) MUST_USE;

/* Removes one value, by id. One that is not there is success. Mutating. */
bool netlify_env_value_delete(struct netlify *n, struct arena *a, const char *name, const char *id,
                              struct err *e) MUST_USE;

/* The same as one value for everything that builds or serves (netlify_variable.c). */
bool netlify_variables(struct netlify *n, struct arena *a, struct netlify_variable **ret,
                       size_t *ret_count, struct err *e) MUST_USE;

/* Adds or replaces, for every context. Mutating. The value is registered for redaction if it is a
 * secret. */
bool netlify_variable_set(struct netlify *n, struct arena *a, const struct netlify_variable *v,
                          struct err *e) MUST_USE;

/* Removes; one that is not there is success. Mutating. */
bool netlify_variable_delete(struct netlify *n, struct arena *a, const char *name,
                             struct err *e) MUST_USE;

#endif
