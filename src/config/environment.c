/*
 * An environment in full: what lockflight.toml declares, completed by environment variables, by the
 * local platform's file, or by the vendors' own addresses. Precedence in that order, but for
 * credentials: LOCKFLIGHT_<ENV>_… first, then the local platform's or else the vendor's own
 * variable, so that a token of the hosted account is never sent to the local platform, nor the
 * other way round.
 */
#include "base/env.h"
#include "base/log.h"
#include "base/nearest.h"
#include "base/strbuf.h"
#include "config/config.h"
#include "config/local_state.h"
#include "config/origin.h"
#include "config/vendor.h"

#include <stdlib.h>

#define NETLIFY_API  "https://api.netlify.com/api/v1"
#define SUPABASE_API "https://api.supabase.com"

struct resolver {
    const struct config *c;
    struct origins *origins;
    struct environment *to;
    const struct config_env *declared;
    const struct local_platform *platform; /* NULL: hosted */
    const struct local_environment *local; /* NULL: hosted */
    const char *missing;                   /* credentials, for one error that names them all */
};

/* LOCKFLIGHT_<ENV>_<suffix> */
static char *variable_name(struct arena *a, const char *env, const char *suffix)
{
    char *name = arena_printf(a, "LOCKFLIGHT_%s_%s", env, suffix);
    for (char *p = name; *p; p++) {
        if (*p == '-')
            *p = '_';
        else if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    }
    return name;
}

static void take(struct resolver *r, const char **field, const char *value, enum origin_kind kind,
                 const char *name)
{
    *field = arena_strdup(r->c->arena, value);
    origin_set(r->origins, field, (struct origin){ .kind = kind, .file = name });
}

/* The field's value is `declared`, or the platform's, or the fixed default; NULL stays unset. */
static void take_address(struct resolver *r, const char **field, const char *const *declared,
                         const char *local, const char *otherwise)
{
    if (*declared) {
        *field = *declared;
        origin_set(r->origins, field, origin_get(r->origins, declared));
    } else if (local) {
        take(r, field, local, ORIGIN_PLATFORM, NULL);
    } else if (otherwise) {
        take(r, field, otherwise, ORIGIN_DEFAULT, NULL);
    }
    if (*field && ends_with(*field, "/")) /* paths are appended */
        *field = arena_strndup(r->c->arena, *field, strlen(*field) - 1);
}

static void add_missing(struct resolver *r, const char *text)
{
    r->missing = r->missing ? arena_printf(r->c->arena, "%s, %s", r->missing, text) : text;
}

static void take_token(struct resolver *r, const char **field, const char *suffix,
                       const char *vendor_variable, const char *local)
{
    struct arena *a = r->c->arena;
    const char *own = variable_name(a, r->declared->name, suffix);
    if (env_value(own))
        take(r, field, env_value(own), ORIGIN_VARIABLE, own);
    else if (local)
        take(r, field, local, ORIGIN_PLATFORM, NULL);
    else if (env_value(vendor_variable))
        take(r, field, env_value(vendor_variable), ORIGIN_VARIABLE, vendor_variable);
    else
        add_missing(r, arena_printf(a, "%s (or %s)", own, vendor_variable));
    if (*field)
        log_redact(str_of(*field));
}

/* %XX decoded, so that the password is known in both spellings. */
static struct str decoded(struct arena *a, struct str text)
{
    char *to = arena_alloc(a, text.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char hex[3] = { 0 };
        if (text.p[i] == '%' && i + 2 < text.n) {
            memcpy(hex, text.p + i + 1, 2);
            to[n++] = (char)strtol(hex, NULL, 16);
            i += 2;
        } else {
            to[n++] = text.p[i];
        }
    }
    return (struct str){ to, n };
}

static void redact_password(struct arena *a, const char *url)
{
    const char *user = strstr(url, "://");
    if (!user)
        return;
    user += 3;
    size_t authority = strcspn(user, "/?");
    const char *host = memrchr(user, '@', authority);
    const char *colon = host ? memchr(user, ':', (size_t)(host - user)) : NULL;
    if (!colon)
        return;
    struct str password = { colon + 1, (size_t)(host - colon - 1) };
    log_redact(password);
    log_redact(decoded(a, password));
}

static void take_database(struct resolver *r)
{
    struct arena *a = r->c->arena;
    const char **field = &r->to->database_url;
    const char *own = variable_name(a, r->declared->name, "DATABASE_URL");
    const char *declared = r->declared->database;
    if (env_value(own)) {
        take(r, field, env_value(own), ORIGIN_VARIABLE, own);
    } else if (declared && starts_with(declared, "env:")) {
        const char *name = declared + strlen("env:");
        if (env_value(name))
            take(r, field, env_value(name), ORIGIN_VARIABLE, name);
        else
            add_missing(r, name);
    } else if (declared) {
        *field = declared;
        origin_set(r->origins, field, origin_get(r->origins, &r->declared->database));
    } else if (r->local) {
        take(r, field, r->local->database, ORIGIN_PLATFORM, NULL);
    } else {
        add_missing(r, own);
    }
    if (*field)
        redact_password(a, *field);
}

static void take_addresses(struct resolver *r)
{
    const struct config_env *d = r->declared;
    const struct local_platform *p = r->platform;
    const struct local_environment *l = r->local;
    struct environment *to = r->to;
    struct arena *a = r->c->arena;
    take_address(r, &to->netlify.api, &d->netlify.api, p ? p->netlify_api : NULL, NETLIFY_API);
    bool has_site = l && !l->is_created; /* else it is a site of its own, which is asked */
    take_address(r, &to->netlify.site, &d->netlify.site, has_site ? l->site_id : NULL, NULL);
    take_address(r, &to->supabase.api, &d->supabase.api, p ? p->supabase_api : NULL, SUPABASE_API);
    /* a local project has a ref of its own, whatever remote it stands for */
    static const char *const nothing = NULL;
    take_address(r, &to->supabase.ref, l ? &nothing : &d->supabase.ref, l ? l->project_ref : NULL,
                 NULL);
    const char *ref = to->supabase.ref ? to->supabase.ref : "";
    take_address(r, &to->supabase.url, &d->supabase.url, l ? l->url : NULL,
                 arena_printf(a, "https://%s.supabase.co", ref));
    take_address(r, &to->site_url, &d->netlify.url, has_site ? l->url : NULL, NULL);
    to->functions_url = arena_printf(a, "%s/functions/v1", to->supabase.url);
    to->supabase.anon_key = l ? arena_strdup(a, l->anon_key) : NULL;
}

static bool has_site(const struct resolver *r, struct err *e)
{
    if (r->to->netlify.site)
        return true;
    err_set(e, ERR_CONFIG, "[env.%s] does not name its Netlify site", r->declared->name);
    err_hint(e, "add a line: netlify = { site = \"name\" }");
    return err_where_origin(e, config_origin(r->c, &r->declared->name));
}

static bool has_addresses(const struct resolver *r, struct err *e)
{
    if (!has_site(r, e))
        return false;
    if (r->to->supabase.ref)
        return true;
    err_set(e, ERR_CONFIG, "[env.%s] does not name its Supabase project", r->declared->name);
    err_hint(e, "add a line: supabase = { ref = \"project ref\" }");
    return err_where_origin(e, config_origin(r->c, &r->declared->name));
}

static bool read_platform(struct resolver *r, struct err *e)
{
    const struct config *c = r->c;
    struct local_platform *platform = ARENA_NEW(c->arena, struct local_platform);
    char *dir = local_state_dir(c->arena, c->project, c->dir);
    if (!local_platform_read(c->arena, dir, platform, e))
        return err_wrap(e, "find %s", r->declared->name);
    r->platform = platform;
    r->local = local_environment_of(platform, r->declared->name, r->declared->supabase.ref);
    if (!r->local) {
        err_set(e, ERR_BLOCKED, "the local platform was started before %s was declared",
                r->declared->name);
        return err_hint(e, "lockflight local up");
    }
    log_redact(str_of(r->local->jwt_secret));
    log_redact(str_of(r->local->service_role_key));
    return true;
}

static bool unknown_environment(const struct config *c, const char *name, struct err *e)
{
    struct nearest n = nearest_to(name);
    const char *all = "";
    for (size_t i = 0; i < c->envs_n; i++) {
        nearest_offer(&n, c->envs[i].name);
        all = arena_printf(c->arena, "%s%s%s", all, i ? ", " : "", c->envs[i].name);
    }
    if (n.best)
        return err_set(e, ERR_USAGE, "there is no environment \"%s\"; did you mean %s?", name,
                       n.best);
    err_set(e, ERR_USAGE, "there is no environment \"%s\"; lockflight.toml has: %s", name,
            all[0] ? all : "none");
    return err_hint(e, "add [env.%s] to lockflight.toml", name);
}

bool config_env_need(const struct config *c, const char *name, const struct config_env **ret,
                     struct err *e)
{
    *ret = config_env_find(c, name);
    return *ret || unknown_environment(c, name, e);
}

/* Declared, and where its database is. */
static bool begin(struct resolver *r, const char *name, struct err *e)
{
    struct environment *to = r->to;
    r->declared = config_env_find(r->c, name);
    if (!r->declared)
        return unknown_environment(r->c, name, e);
    to->declared = r->declared;
    to->name = r->declared->name;
    to->platform = r->declared->platform;
    to->requires = r->declared->requires;
    if (to->platform == PLATFORM_LOCAL && !read_platform(r, e))
        return false;
    take_database(r);
    return true;
}

static bool nothing_missing(const struct resolver *r, struct err *e)
{
    if (!r->missing)
        return true;
    err_set(e, ERR_AUTH, "%s needs credentials in the environment: %s", r->declared->name,
            r->missing);
    return err_hint(e, "export %.*s=…", (int)strcspn(r->missing, " ,"), r->missing);
}

bool config_environment(const struct config *c, const char *name, struct environment *ret,
                        struct err *e)
{
    struct environment *to = ARENA_NEW(c->arena, struct environment);
    struct resolver r = { .c = c, .origins = c->origins, .to = to };
    if (!begin(&r, name, e))
        return false;
    take_addresses(&r);
    take_token(&r, &to->netlify.token, "NETLIFY_TOKEN", "NETLIFY_AUTH_TOKEN",
               r.platform ? r.platform->netlify_token : NULL);
    take_token(&r, &to->supabase.token, "SUPABASE_TOKEN", "SUPABASE_ACCESS_TOKEN",
               r.platform ? r.platform->supabase_token : NULL);
    if (!has_addresses(&r, e) || !nothing_missing(&r, e))
        return false;
    if (!supabase_config_load(c, c->origins, r.declared->supabase.remote, &to->supabase_config, e))
        return false;
    origins_copied(c->origins, to, ret, sizeof *ret);
    *ret = *to;
    return true;
}

bool config_environment_site(const struct config *c, const char *name, struct environment *ret,
                             struct err *e)
{
    struct environment *to = ARENA_NEW(c->arena, struct environment);
    struct resolver r = { .c = c, .origins = c->origins, .to = to };
    if (!begin(&r, name, e))
        return false;
    r.missing = NULL; /* the database is not asked */
    take_addresses(&r);
    take_token(&r, &to->netlify.token, "NETLIFY_TOKEN", "NETLIFY_AUTH_TOKEN",
               r.platform ? r.platform->netlify_token : NULL);
    if (!has_site(&r, e) || !nothing_missing(&r, e))
        return false;
    origins_copied(c->origins, to, ret, sizeof *ret);
    *ret = *to;
    return true;
}

bool config_environment_database(const struct config *c, const char *name, struct environment *ret,
                                 struct err *e)
{
    struct environment *to = ARENA_NEW(c->arena, struct environment);
    struct resolver r = { .c = c, .origins = c->origins, .to = to };
    if (!begin(&r, name, e) || !nothing_missing(&r, e) ||
        (!c->has_environments_only &&
         !supabase_config_load(c, c->origins, r.declared->supabase.remote, &to->supabase_config,
                               e)))
        return false;
    origins_copied(c->origins, to, ret, sizeof *ret);
    *ret = *to;
    return true;
}

void environment_hide(const struct config *c)
{
    static const char *const own[] = { "DATABASE_URL", "NETLIFY_TOKEN", "SUPABASE_TOKEN" };
    static const char *const vendors[] = { "NETLIFY_AUTH_TOKEN", "SUPABASE_ACCESS_TOKEN",
                                           "SUPABASE_DB_PASSWORD" };
    for (size_t k = 0; k < sizeof vendors / sizeof vendors[0]; k++)
        env_hide(vendors[k]);
    for (size_t i = 0; i < c->envs_n; i++) {
        const char *database = c->envs[i].database;
        for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
            env_hide(variable_name(c->arena, c->envs[i].name, own[k]));
        if (database && starts_with(database, "env:"))
            env_hide(database + strlen("env:"));
    }
    for (size_t i = 0; i < c->vars_n; i++) {
        const struct config_var *var = &c->vars[i];
        for (size_t k = 0; var->is_secret && k < var->from.n; k++)
            if (starts_with(var->from.v[k].value, "env:"))
                env_hide(var->from.v[k].value + strlen("env:"));
    }
}
