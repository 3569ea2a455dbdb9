/*
 * Cross-checks of a loaded project: one function per rule, each naming the place and the remedy.
 */
#include "config/validate.h"

#include "base/limits.h"
#include "base/nearest.h"
#include "config/origin.h"

#define PROJECT_NAME_MAX 40
#define LOCAL_PORT_MIN   1024
#define LOCAL_PORT_MAX   65000

#define LOCK_TIMEOUT_MIN_MS 50    /* shorter ones never get a lock on a table that is used */
#define LOCK_TIMEOUT_MAX_MS 10000 /* longer ones are an outage */
#define LOCK_WAIT_MAX_MS    (24 * 60 * 60 * 1000)

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";

/* ERR_CONFIG at the place of `field`; the caller has set the text. */
static bool at(const struct config *c, const void *field, struct err *e)
{
    struct origin origin = config_origin(c, field);
    if (origin.kind == ORIGIN_DEFAULT)
        return err_where(e, "%s", "lockflight.toml");
    return err_where_origin(e, origin);
}

static bool consists_of(const char *text, const char *first, const char *rest)
{
    return text[0] && strchr(first, text[0]) && text[strspn(text, rest)] == '\0';
}

static bool check_schema(const struct config *c, struct err *e)
{
    if (c->schema.on_red != ON_RED_UNWIND) {
        err_set(e, ERR_CONFIG, "schema.on_red is not supported yet but for \"unwind\"");
        return at(c, &c->schema.on_red, e);
    }
    if (c->schema.lock_timeout_ms < LOCK_TIMEOUT_MIN_MS ||
        c->schema.lock_timeout_ms > LOCK_TIMEOUT_MAX_MS) {
        err_set(e, ERR_CONFIG,
                "schema.lock_timeout must be 50ms to 10s: it is how long a visitor "
                "may wait behind a migration");
        err_hint(e, "schema.lock_wait is how long the migration itself waits");
        return at(c, &c->schema.lock_timeout_ms, e);
    }
    if (c->schema.lock_wait_ms > LOCK_WAIT_MAX_MS) {
        err_set(e, ERR_CONFIG, "schema.lock_wait must be 24h at most");
        return at(c, &c->schema.lock_wait_ms, e);
    }
    return true;
}

static bool check_head(const struct config *c, struct err *e)
{
    if (c->version != 1) {
        if (c->version == 0)
            err_set(e, ERR_CONFIG, "the file does not begin with version = 1");
        else
            err_set(e, ERR_CONFIG, "version %lld is not known to this program, only 1",
                    (long long)c->version);
        return at(c, &c->version, e);
    }
    if (!c->project) {
        err_set(e, ERR_CONFIG, "the file does not name its project");
        err_hint(e, "add a line: project = \"name\"");
        return at(c, &c->project, e);
    }
    if (!consists_of(c->project, lower, "abcdefghijklmnopqrstuvwxyz0123456789-") ||
        strlen(c->project) > PROJECT_NAME_MAX) {
        err_set(e, ERR_CONFIG, "project \"%s\" must be up to %d of a-z, 0-9 and -, a letter first",
                c->project, PROJECT_NAME_MAX);
        return at(c, &c->project, e);
    }
    if (c->local_port < LOCAL_PORT_MIN || c->local_port > LOCAL_PORT_MAX) {
        err_set(e, ERR_CONFIG, "local.port must be %d to %d", LOCAL_PORT_MIN, LOCAL_PORT_MAX);
        return at(c, &c->local_port, e);
    }
    return true;
}

/* Names of checks must exist. */
static bool check_names(const struct config *c, const struct text_array *names, struct err *e)
{
    for (size_t i = 0; i < names->n; i++) {
        if (config_check_find(c, names->v[i]))
            continue;
        struct nearest n = nearest_to(names->v[i]);
        for (size_t k = 0; k < c->checks_n; k++)
            nearest_offer(&n, c->checks[k].name);
        err_set(e, ERR_CONFIG, "check \"%s\" is used but there is no [check.%s]", names->v[i],
                names->v[i]);
        if (n.best)
            err_hint(e, "did you mean \"%s\"?", n.best);
        return at(c, &names->v[i], e);
    }
    return true;
}

static bool check_requires(const struct config *c, const struct config_env *env, struct err *e)
{
    if (streq(env->name, "production") && !env->requires && !env->requires_none) {
        err_set(e, ERR_CONFIG,
                "[env.production] does not say which environment must prove a release first");
        err_hint(
            e, "add a line: requires = \"staging\"    (or \"none\", which every release records)");
        return at(c, &env->name, e);
    }
    if (env->soak_ms > 0 && !env->requires) {
        err_set(e, ERR_CONFIG, "[env.%s] has `soak`, and requires no environment to rest in",
                env->name);
        err_hint(e, "name it: requires = \"staging\"");
        return at(c, &env->soak_ms, e);
    }
    if (env->requires && !config_env_find(c, env->requires)) {
        err_set(e, ERR_CONFIG, "[env.%s] requires \"%s\", which is not declared", env->name,
                env->requires);
        return at(c, &env->requires, e);
    }
    const struct config_env *next = env;
    for (size_t steps = 0; next && next->requires; steps++) {
        if (steps > c->envs_n || streq(next->requires, env->name)) {
            err_set(e, ERR_CONFIG, "[env.%s] requires itself, by way of \"%s\"", env->name,
                    next->name);
            return at(c, &env->requires, e);
        }
        next = config_env_find(c, next->requires);
    }
    return true;
}

/* A password in a committed file is a leak, whatever the file is for. */
static bool check_database(const struct config *c, const struct config_env *env, struct err *e)
{
    const char *url = env->database;
    if (!url || starts_with(url, "env:"))
        return true;
    if (!starts_with(url, "postgres://") && !starts_with(url, "postgresql://")) {
        err_set(e, ERR_CONFIG, "env.%s.database must be a postgresql:// URL or \"env:NAME\"",
                env->name);
        return at(c, &env->database, e);
    }
    const char *user = strstr(url, "://") + 3;
    const char *host = strchr(user, '@');
    const char *colon = strchr(user, ':');
    if (host && colon && colon < host) {
        err_set(e, ERR_CONFIG, "env.%s.database holds a password", env->name);
        err_hint(e, "write database = \"env:NAME\" and keep the URL in that variable");
        return at(c, &env->database, e);
    }
    return true;
}

/* Two environments that share a remote would overwrite each other. */
static bool check_apart(const struct config *c, const struct config_env *env, struct err *e)
{
    for (const struct config_env *other = c->envs; other < env; other++) {
        if (env->supabase.ref && streq(env->supabase.ref, other->supabase.ref)) {
            err_set(e, ERR_CONFIG, "%s and %s have the same Supabase project %s", other->name,
                    env->name, env->supabase.ref);
            return at(c, &env->supabase.ref, e);
        }
        if (env->netlify.site && streq(env->netlify.site, other->netlify.site)) {
            err_set(e, ERR_CONFIG, "%s and %s have the same Netlify site %s", other->name,
                    env->name, env->netlify.site);
            return at(c, &env->netlify.site, e);
        }
        if (env->database && streq(env->database, other->database)) {
            err_set(e, ERR_CONFIG, "%s and %s have the same database", other->name, env->name);
            return at(c, &env->database, e);
        }
    }
    return true;
}

static bool check_env(const struct config *c, const struct config_env *env, struct err *e)
{
    if (!consists_of(env->name, lower, "abcdefghijklmnopqrstuvwxyz0123456789_-")) {
        err_set(e, ERR_CONFIG, "environment \"%s\" must be of a-z, 0-9, _ and -, a letter first",
                env->name);
        return at(c, &env->name, e);
    }
    if (env->supabase.remote && !env->supabase.ref) {
        err_set(e, ERR_CONFIG, "supabase/config.toml has no [remotes.%s] with a project_id",
                env->supabase.remote);
        return at(c, &env->supabase.ref, e);
    }
    return check_requires(c, env, e) && check_database(c, env, e) && check_apart(c, env, e) &&
           check_names(c, &env->checks.backend, e) && check_names(c, &env->checks.site, e);
}

/* Every {word} of a template must be one of `words`, which is "|a|b|". */
static bool check_template(const struct config *c, const char *text, const char *words,
                           const void *field, struct err *e)
{
    for (const char *open = strchr(text, '{'); open; open = strchr(open + 1, '{')) {
        size_t n = strcspn(open + 1, "}");
        const char *word = arena_printf(c->arena, "|%.*s|", (int)n, open + 1);
        if (open[1 + n] == '}' && strstr(words, word))
            continue;
        err_set(e, ERR_CONFIG, "\"%s\": {%.*s} is not known here", text, (int)n, open + 1);
        return at(c, field, e);
    }
    return true;
}

static bool check_check(const struct config *c, const struct config_check *check, struct err *e)
{
    if (!check->url == !check->run) {
        err_set(e, ERR_CONFIG, "[check.%s] needs either url or run", check->name);
        return at(c, &check->name, e);
    }
    if (check->repeat < 1 || check->repeat > 1000) {
        err_set(e, ERR_CONFIG, "check.%s.repeat must be 1 to 1000", check->name);
        return at(c, &check->repeat, e);
    }
    if (!check->url)
        return true;
    if (check->url[0] != '{' && !starts_with(check->url, "http://") &&
        !starts_with(check->url, "https://")) {
        err_set(e, ERR_CONFIG,
                "check.%s.url must begin with {site}, {functions}, {supabase}, "
                "{permalink} or https://",
                check->name);
        return at(c, &check->url, e);
    }
    return check_template(c, check->url, "|site|functions|supabase|release|permalink|", &check->url,
                          e);
}

static bool check_sources(const struct config *c, const struct config_var *var, struct err *e)
{
    for (size_t i = 0; i < var->from.n; i++) {
        const struct text_pair *source = &var->from.v[i];
        bool is_indirect = starts_with(source->value, "env:") || starts_with(source->value, "cmd:");
        if (!config_env_find(c, source->name)) {
            err_set(e, ERR_CONFIG, "var.%s.from names environment \"%s\", which is not declared",
                    var->name, source->name);
            return at(c, &source->name, e);
        }
        if (var->is_secret && !is_indirect) {
            err_set(e, ERR_CONFIG, "the value of secret %s stands in the file", var->name);
            err_hint(e, "use \"env:NAME\" or \"cmd:shell line\", and change the secret if the file "
                        "was committed");
            return at(c, &source->value, e);
        }
    }
    return true;
}

static bool is_public(const char *name)
{
    static const char *const prefixes[] = { "VITE_",        "PUBLIC_", "NEXT_PUBLIC_", "REACT_APP_",
                                            "NUXT_PUBLIC_", "GATSBY_", "EXPO_PUBLIC_", "VUE_APP_" };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (starts_with(name, prefixes[i]))
            return true;
    }
    return false;
}

static bool differs_by_environment(const struct config_var *var)
{
    for (size_t i = 1; i < var->from.n; i++) {
        if (!streq(var->from.v[i].value, var->from.v[0].value))
            return true;
    }
    return var->is_distinct || (var->value && strchr(var->value, '{'));
}

/* What a bundler bakes into the site would make staging's bytes wrong for production. */
static bool check_public(const struct config *c, const struct config_var *var, struct err *e)
{
    bool is_visible =
        (var->to & VAR_TO_RUNTIME) || (is_public(var->name) && (var->to & VAR_TO_NETLIFY_BUILD));
    if (var->is_secret && is_visible) {
        err_set(e, ERR_CONFIG, "secret %s would be published with the site", var->name);
        return at(c, &var->name, e);
    }
    if (is_public(var->name) && (var->to & VAR_TO_NETLIFY_BUILD) && c->artefact == ARTEFACT_SAME &&
        differs_by_environment(var)) {
        err_set(e, ERR_CONFIG,
                "%s is baked into the site and differs between environments, so production "
                "could not get the bytes that staging proved",
                var->name);
        err_hint(e, "to = [\"runtime\"]    (or artefact = \"rebuild\" at the top of the file)");
        return at(c, &var->name, e);
    }
    return true;
}

/* A variable has one source in each environment: two would sooner or later say two things. */
static bool check_stored(const struct config *c, const struct config_var *var, struct err *e)
{
    for (size_t i = 0; i < c->envs_n; i++) {
        const struct config_env *env = &c->envs[i];
        const struct config_secret *line = config_secret_find(env, var->name);
        const char *other = line && var->value ? "value" : NULL;
        for (size_t k = 0; line && k < var->from.n; k++)
            other = streq(var->from.v[k].name, env->name) ? "from" : other;
        if (!other)
            continue;
        err_set(e, ERR_CONFIG,
                "[var.%s] has two sources for %s: %s, and a line in its secrets file", var->name,
                env->name, other);
        err_where(e, "%s", line->where);
        return err_hint(e, "take one away; the line goes with: lockflight vars unset %s --env %s",
                        var->name, env->name);
    }
    return true;
}

static bool check_var(const struct config *c, const struct config_var *var, struct err *e)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    if (!consists_of(var->name, first, rest) || strlen(var->name) > LIMIT_SECRET_NAME_BYTES)
        err_set(e, ERR_CONFIG, "\"%s\" is no name for a variable", var->name);
    else if ((var->to & VAR_TO_SUPABASE) && starts_with(var->name, "SUPABASE_"))
        err_set(e, ERR_CONFIG, "%s: Supabase keeps names that begin with SUPABASE_ for itself",
                var->name);
    else if (streq(var->name, "LOCKFLIGHT_RELEASE"))
        err_set(e, ERR_CONFIG, "LOCKFLIGHT_RELEASE is set by every release itself");
    else if (var->to == 0)
        err_set(e, ERR_CONFIG, "[var.%s] does not say where it goes: to = [\"supabase\"]",
                var->name);
    else if (var->value && var->from.n > 0)
        err_set(e, ERR_CONFIG, "[var.%s] has two sources, value and from", var->name);
    else if (var->is_secret && var->value)
        err_set(e, ERR_CONFIG, "the value of secret %s stands in the file; use from", var->name);
    else
        return (!var->value ||
                check_template(c, var->value, "|supabase_url|supabase_anon_key|site_url|flags_url|",
                               &var->value, e)) &&
               check_sources(c, var, e) && check_stored(c, var, e) && check_public(c, var, e);
    return at(c, var->value && (var->from.n > 0 || var->is_secret) ? &var->value : &var->name, e);
}

/* What is allowed without a reason is not understood a year later. */
static bool check_allow(const struct config *c, const struct config_allow *allow, struct err *e)
{
    if (allow->reason && allow->reason[0])
        return true;
    err_set(e, ERR_CONFIG, "[allow.%s] does not say why it may be published", allow->name);
    err_hint(e, "add a line: reason = \"…\"");
    return at(c, &allow->name, e);
}

bool config_validate(const struct config *c, struct err *e)
{
    if (!check_head(c, e) || !check_schema(c, e))
        return false;
    if (c->vars_n > LIMIT_VARIABLES)
        return err_set(e, ERR_LIMIT, "more than %d variables", LIMIT_VARIABLES);
    for (size_t i = 0; i < c->checks_n; i++) {
        if (!check_check(c, &c->checks[i], e))
            return false;
    }
    for (size_t i = 0; i < c->envs_n; i++) {
        if (!check_env(c, &c->envs[i], e))
            return false;
    }
    for (size_t i = 0; i < c->vars_n; i++) {
        if (!check_var(c, &c->vars[i], e))
            return false;
    }
    for (size_t i = 0; i < c->allows_n; i++) {
        if (!check_allow(c, &c->allows[i], e))
            return false;
    }
    return true;
}
