/*
 * Where the local platform of a project keeps its state, and what it tells others in platform.json.
 * `local up` writes that file; whoever resolves an environment with platform = "local" reads it.
 */
#ifndef LOCKFLIGHT_CONFIG_LOCAL_STATE_H
#define LOCKFLIGHT_CONFIG_LOCAL_STATE_H

#include "base/arena.h"
#include "base/str.h"

#include <jansson.h>

/* The state folder of a project; it need not exist. $LOCKFLIGHT_STATE_DIR, else for root
 * /var/lib/lockflight/<project>-<8 hex of the real path's SHA-256>, else the same below
 * ${XDG_STATE_HOME:-~/.local/state}/lockflight. `project_dir` must exist. */
char *local_state_dir(struct arena *a, const char *project, const char *project_dir);

/* Where unix sockets go: <state>/run if that is short enough for a socket address (under 60 bytes),
 * else /tmp/lockflight-<uid>/<8 hex>. */
char *local_run_dir(struct arena *a, const char *state_dir);

/* Where programs are that Debian lacks: $LOCKFLIGHT_RUNTIME_DIR, else for root
 * /var/lib/lockflight/runtime, else ${XDG_DATA_HOME:-~/.local/share}/lockflight/runtime. */
char *local_runtime_dir(struct arena *a);

/* Deno and PostgREST: $LOCKFLIGHT_DENO / $LOCKFLIGHT_POSTGREST, else in the runtime folder, else in
 * PATH. ERR_NOT_FOUND with the command that installs them. */
bool local_deno(struct arena *a, char **ret, struct err *e) MUST_USE;
bool local_postgrest(struct arena *a, char **ret, struct err *e) MUST_USE;

struct local_environment {
    const char *name; /* as declared; of a project made over the API, its ref */
    int port;
    const char *url;
    const char *site_id;
    const char *site_name;
    const char *project_ref;
    const char *database; /* postgresql://… */
    const char *jwt_secret;
    const char *anon_key;
    const char *service_role_key;

    /* Made by POST /v1/projects. It has no site, and no environment unless one names its ref. */
    bool is_created;
    const char *title; /* the project's name, as asked for; "" for a declared one, likewise below */
    const char *region;
    const char *created_at;
    const char *password; /* of role postgres.<ref> */
};

struct local_platform {
    const char *project;
    const char *api; /* http://127.0.0.1:4600 */
    const char *netlify_api;
    const char *supabase_api;
    const char *netlify_token;
    const char *supabase_token;
    const char *pg_socket_dir;
    int pg_port;
    int pid;
    struct local_environment *environments;
    size_t environments_n;
};

char *local_platform_file(struct arena *a, const char *state_dir);

/* Reads <state>/platform.json. ERR_BLOCKED (hint: lockflight local up) if there is none. Does not
 * ask whether the process is alive. */
bool local_platform_read(struct arena *a, const char *state_dir, struct local_platform *ret,
                         struct err *e) MUST_USE;

/* Writes it, 0600, atomically. */
bool local_platform_write(struct arena *a, const char *state_dir, const struct local_platform *p,
                          struct err *e) MUST_USE;

const struct local_environment *local_environment_find(const struct local_platform *p,
                                                       const char *name);

/* What an environment of lockflight.toml stands for: the project made over the API whose ref it
 * names, else its own. `ref` may be NULL. */
const struct local_environment *local_environment_of(const struct local_platform *p,
                                                     const char *name, const char *ref);

#endif
