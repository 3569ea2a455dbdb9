/*
 * The project: lockflight.toml, lockflight.flags.toml, netlify.toml and supabase/config.toml, read
 * once into plain structs.
 *
 * ORIGINS    Every field that was set remembers its file, line and column, environment variable or
 *            default: config_origin(config, &field) tells, by the address of the field. Errors
 *            about a value use config_where(), so the user reads "lockflight.toml:12:9".
 *
 * DISCOVERY  --config, then LOCKFLIGHT_CONFIG, then lockflight.toml in the current folder and
 *            upwards to the root of the git repository.
 *
 * CALLS      config_load → config_environment → use
 *
 * Paths are absolute unless the field says otherwise. Everything lives in the arena. Texts that
 * were not given are NULL, numbers and times have their defaults.
 */
#ifndef LOCKFLIGHT_CONFIG_CONFIG_H
#define LOCKFLIGHT_CONFIG_CONFIG_H

#include "base/arena.h"
#include "base/str.h"

struct text_array {
    const char **v;
    size_t n;
};

struct text_pair {
    const char *name;
    const char *value;
};

struct pair_array {
    struct text_pair *v;
    size_t n;
};

enum platform {
    PLATFORM_HOSTED,
    PLATFORM_LOCAL,
};

/* What production needs of the files staging proved (design: two digests). */
enum artefact_policy {
    ARTEFACT_SAME,    /* the same bytes */
    ARTEFACT_REBUILD, /* the same source, built again with this environment's values */
};

enum on_red {
    ON_RED_UNWIND,
    ON_RED_KEEP,
    ON_RED_ASK,
};

/* Whether a red check that names a module switches its flag off before anything is rolled back. */
enum flag_off {
    FLAG_OFF_OFFER, /* a person at the terminal is asked */
    FLAG_OFF_DO,
    FLAG_OFF_NEVER,
};

/* [env.<name>].watch: how long, and what is too much. */
struct watch_settings {
    int64_t backend_ms; /* after the backend checks; 0: no watch */
    int64_t site_ms;    /* after publishing */
    double max_error;   /* share of failed probes, 0..1; default 0 */
    int64_t min_requests;
};

/* A variable with a line in the environment's secrets file. Its value is not read here. */
struct config_secret {
    const char *name;
    const char *where; /* "secrets/staging.lf:12" */
};

/* [env.<name>] as written. What it means in full is struct environment. */
struct config_env {
    const char *name;
    enum platform platform;
    const char *database; /* URL or "env:NAME"; NULL: LOCKFLIGHT_<ENV>_DATABASE_URL */
    struct {
        const char *site; /* id, name or domain */
        const char *api;  /* base URL of the Netlify API */
        const char *url;  /* address visitors use, where the API's answer is not the one to check */
    } netlify;
    struct {
        const char *ref;    /* project ref */
        const char *remote; /* "remote:staging" → [remotes.staging] of supabase/config.toml */
        const char *api;    /* base URL of the management API */
        const char *url;    /* base URL of the project; default https://<ref>.supabase.co */
    } supabase;
    const char *requires; /* environment whose proof is needed; NULL: none */
    bool requires_none;   /* said so: requires = "none" */
    int64_t soak_ms;      /* how long the content must have rested there; 0: not at all */
    struct {
        struct text_array backend; /* names of [check.…] */
        struct text_array site;
    } checks;
    struct watch_settings watch;
    enum flag_off flag_off;
    const char *secrets_file;      /* secrets/<name>.lf, whether or not it exists */
    struct config_secret *secrets; /* the variables that have a value there */
    size_t secrets_n;
};

/* [check.<name>]: either url or run. */
struct config_check {
    const char *name;
    const char *url; /* template: {site} {functions} {supabase} {release} {permalink} */
    const char *run; /* shell line */
    struct {
        int64_t status;       /* default 200 */
        const char *contains; /* text in the body */
        const char
            *json; /* JSON text that the body must contain, member by member; templates inside */
        struct pair_array headers; /* header name and the text its value must contain */
    } expect;
    int64_t repeat;     /* times in a row it must be green; default 1 */
    int64_t within_ms;  /* one answer must come within; default 10 s */
    int64_t timeout_ms; /* of a `run`; default 60 s */
    const char *module; /* the flag a failure points at */
};

enum var_target {
    VAR_TO_SUPABASE = 1 << 0,
    VAR_TO_NETLIFY_BUILD = 1 << 1,
    VAR_TO_NETLIFY_FUNCTIONS = 1 << 2,
    VAR_TO_RUNTIME = 1 << 3, /* the per-environment file /_lockflight/env.js */
};

/* [var.<NAME>] */
struct config_var {
    const char *name;
    unsigned to; /* VAR_TO_… */
    bool is_secret;
    bool is_distinct;   /* must differ between environments */
    int64_t min_length; /* bytes; 0: any */
    int64_t rotate_ms;  /* status warns when it is older; 0: never */
    const char *value;  /* for every environment; templates {supabase_url} {supabase_anon_key}
                          {site_url} {flags_url} */
    struct pair_array
        from; /* environment → "env:NAME" | "cmd:shell line" | literal (not for secrets) */
};

/* [allow.<name>]: what looks like a secret and may be published all the same. The name is that of a
 * variable or of a pattern of the leak gate. */
struct config_allow {
    const char *name;
    const char *reason;
    struct text_array files; /* patterns of published paths; empty: all */
};

/* `requires` of a flag: it is what it is only while that flag serves this variant. */
struct config_flag_requires {
    const char *flag;
    const char *variant; /* default "on" */
};

/* [flag.<key>] of lockflight.flags.toml: what the code owns. What is switched where is state of the
 * environment, in its database. */
struct config_flag {
    const char *name; /* the key */
    const char *description;
    const char *owner;
    const char *kind;           /* "release" "ops" "experiment" "permission" */
    const char *exposure;       /* "server" "client" "db": who may see it */
    const char *type;           /* of its values: "boolean" "string" "number" "object" */
    struct pair_array variants; /* name → JSON text, at least one; default on = true, off = false */
    const char *off;            /* the variant that is served when it is switched off */
    const char *on;             /* the only variant but off; NULL: there are several, or none */
    const char *expires;        /* "2027-06-01"; NULL: not said */
    struct {
        struct config_flag_requires *v;
        size_t n;
    } requires;
    struct {
        struct text_array migrations; /* versions */
        struct text_array functions;  /* slugs */
    } needs;                          /* what must be live before it can be switched on */
    struct pair_array initial;        /* environment → variant, used once, when it is created */
};

/* [attributes]: what an evaluation's context may hold. */
struct config_attribute {
    const char *name;
    const char *type; /* "string" "number" "boolean" "list" "version" */
    bool is_trusted;  /* only from the token of a signed-in user or of a server */
};

/* [segment.<name>]: its rule when it is created; afterwards the environment's own. */
struct config_segment {
    const char *name;
    const char *rule; /* JSON text */
};

/* lockflight.flags.toml. Without the file everything is empty. */
struct config_flags {
    const char *file;      /* absolute; NULL: there is none */
    struct config_flag *v; /* in the order of the file */
    size_t n;
    struct config_attribute *attributes;
    size_t attributes_n;
    struct config_segment *segments;
    size_t segments_n;
};

/* One Edge Function: declared in supabase/config.toml, or a folder
 * supabase/functions/<slug>/index.ts. */
struct config_function {
    const char *slug;
    const char *dir;                /* supabase/functions/<slug> */
    const char *entrypoint;         /* absolute */
    const char *import_map;         /* absolute; NULL: none */
    struct text_array static_files; /* globs relative to supabase/ */
    bool is_enabled;                /* false: not deployed */
    bool verify_jwt;                /* default true */
    bool verify_jwt_given; /* false: nothing was said, a deployed function keeps its value */
};

/* supabase/config.toml, with [remotes.…] laid over for one environment. */
struct supabase_config {
    const char *file; /* NULL: there is none */
    const char *dir;  /* supabase/ */
    const char *project_id;
    struct config_function *functions; /* sorted by slug */
    size_t functions_n;
    struct {
        bool is_enabled;
        struct text_array sql_paths; /* relative to supabase/; default ./seed.sql */
    } seed;
    bool migrations_enabled;
    struct text_array api_schemas; /* [api] schemas; default public, graphql_public */
    struct text_array api_extra_search_path;
    int64_t api_max_rows;
    struct pair_array secrets; /* [edge_runtime.secrets], resolved ones only */
};

struct config_remote {
    const char *name;
    const char *project_id;
};

/* netlify.toml with [context.production] laid over [build]. */
struct netlify_config {
    const char *file; /* NULL: there is none */
    const char *base; /* absolute: where the build command runs */
    const char *command;
    const char *publish;   /* absolute */
    const char *functions; /* absolute; NULL: none */
    struct pair_array environment;
    bool pretty_urls;       /* [build.processing.html] pretty_urls, default true */
    const char *rules_toml; /* [[redirects]] and [[headers]] again, and nothing else: the
                             * netlify.toml that goes along with the deploy; NULL: no rules */
};

struct config {
    const char *file;       /* lockflight.toml */
    const char *dir;        /* its folder: the project */
    const char *repository; /* root of the git repository; the project itself if there is none */
    const char *project;
    enum artefact_policy artefact;
    int64_t version;
    struct {
        const char *supabase;   /* supabase/ */
        const char *netlify;    /* netlify.toml, whether or not it exists */
        const char *migrations; /* supabase/migrations */
        const char *reverse;    /* supabase/rollbacks */
        const char *functions;  /* supabase/functions */
        const char *secrets;    /* secrets/ */
        const char *flags;      /* lockflight.flags.toml, whether or not it exists */
    } paths;
    int64_t local_port; /* [local] port, default 4600 */
    struct {
        const char *run; /* NULL: no test stage */
        int64_t timeout_ms;
    } test;
    struct {
        int64_t lock_timeout_ms; /* the most anybody may wait behind a migration */
        int64_t lock_wait_ms;
        int64_t statement_timeout_ms;
        int64_t transaction_timeout_ms;
        int64_t replica_lag_ms;
        enum on_red on_red;
    } schema;
    struct config_env *envs; /* in the order of the file */
    size_t envs_n;
    struct config_check *checks;
    size_t checks_n;
    struct config_var *vars;
    size_t vars_n;
    struct config_allow *allows;
    size_t allows_n;
    struct {
        struct text_array frontend; /* folders, relative to the project; empty: [build] base */
        struct text_array ignore;   /* patterns, relative to the project */
        struct text_array optional; /* names that the code asks for and that may be missing */
    } inventory;
    struct config_flags flags;
    struct config_remote *remotes;
    size_t remotes_n;
    struct netlify_config netlify;
    struct supabase_config
        supabase; /* without any remote; an environment's own is in struct environment */
    bool has_environments_only; /* config_load_environments */
    struct origins *origins;    /* grows while environments are resolved */
    struct arena *arena;
};

/* An environment, ready to be used: addresses and credentials found, secrets registered with
 * log_redact. Hosted and local differ in these values only. */
struct environment {
    const struct config_env *declared;
    const char *name;
    enum platform platform;
    const char *database_url;
    struct {
        const char *api; /* "https://api.netlify.com/api/v1", no slash at the end */
        const char *site;
        const char *token;
    } netlify;
    struct {
        const char *api; /* "https://api.supabase.com"; paths begin with /v1 */
        const char *ref;
        const char *token;
        const char *url;      /* "https://<ref>.supabase.co" */
        const char *anon_key; /* local only; NULL: ask the management API */
    } supabase;
    const char *site_url;                   /* local, or netlify.url; NULL: ask Netlify */
    const char *functions_url;              /* <supabase.url>/functions/v1 */
    const char *requires;                   /* NULL: none */
    struct supabase_config supabase_config; /* with the environment's remote laid over */
};

/* Reads and checks all files. `path` is --config or NULL to discover. ERR_CONFIG names file, line,
 * column and remedy, or says that there is no lockflight.toml. */
bool config_load(struct arena *a, const char *path, struct config *ret, struct err *e) MUST_USE;

/* Only the environments of lockflight.toml, for what must work whatever state the project's other
 * files are in; nothing else is read, checked or set. Of it, config_environment_database alone may be
 * asked. */
bool config_load_environments(struct arena *a, const char *path, struct config *ret,
                              struct err *e) MUST_USE;

/* The path that config_load would read; NULL if there is none. Reads nothing. */
char *config_find(struct arena *a, const char *path);

/* An environment with everything it needs. ERR_USAGE if it is not declared (with the nearest name),
 * ERR_AUTH naming every missing credential, ERR_BLOCKED if the local platform is not up (hint: the
 * command to type). */
bool config_environment(const struct config *c, const char *name, struct environment *ret,
                        struct err *e) MUST_USE;

/* Only its name, what it requires, its database and supabase_config: for what speaks to nothing
 * else, and needs no token. */
bool config_environment_database(const struct config *c, const char *name, struct environment *ret,
                                 struct err *e) MUST_USE;

/* Only its name and its Netlify site, with the token for asking about it. */
bool config_environment_site(const struct config *c, const char *name, struct environment *ret,
                             struct err *e) MUST_USE;

/* As declared; NULL if there is none. */
const struct config_env *config_env_find(const struct config *c, const char *name);

/* Same; without one ERR_USAGE with the nearest name. */
bool config_env_need(const struct config *c, const char *name, const struct config_env **ret,
                     struct err *e) MUST_USE;
const struct config_check *config_check_find(const struct config *c, const char *name);
const struct config_var *config_var_find(const struct config *c, const char *name);
const struct config_flag *config_flag_find(const struct config *c, const char *key);

/* The JSON text of a variant's value; NULL if the flag has no such variant. */
const char *config_flag_value(const struct config_flag *f, const char *variant);

/* What it is switched to when it is created there: `initial.<env>`, otherwise its off variant. */
const char *config_flag_initial(const struct config_flag *f, const char *environment);

/* The line of a variable in the environment's secrets file; NULL if it has none. */
const struct config_secret *config_secret_find(const struct config_env *env, const char *name);

enum origin_kind {
    ORIGIN_DEFAULT,
    ORIGIN_FILE,
    ORIGIN_VARIABLE, /* an environment variable; `file` is its name */
    ORIGIN_PLATFORM, /* the local platform's platform.json */
};

struct origin {
    enum origin_kind kind;
    const char *file; /* relative to the project where it is inside it */
    int line;
    int column;
};

/* Where a value came from; `field` is its address inside the config or the environment. */
struct origin config_origin(const struct config *c, const void *field);

/* "lockflight.toml:12:9", "NETLIFY_AUTH_TOKEN (environment)", "default", "local platform". */
const char *config_where(const struct config *c, const void *field);

#endif
