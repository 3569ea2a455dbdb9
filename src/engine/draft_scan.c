/*
 * Searching the built site: see draft_scan.h.
 *
 * Production gets the very bytes that staging proved, and they are not searched again. So what would
 * be wrong there is looked for here, too: the secrets of the other environments, and, where the bytes
 * go on, this environment's own address.
 */
#include "engine/draft_scan.h"

#include "base/vec.h"
#include "site/site_scan.h"

/* The list, and the values that it points into. */
struct forbidden {
    struct release *r;
    VEC(struct site_forbidden) list;
    VEC(struct variable_set) values;
};

static void forbidden_cleanup(struct forbidden *f)
{
    for (size_t i = 0; i < f->values.n; i++)
        variables_free(&f->values.v[i]);
}

static void forbid(struct forbidden *f, const char *what, const char *environment, const char *text,
                   bool is_secret, const char *hint)
{
    if (text && text[0])
        *vec_add(&f->list, f->r->arena) =
            (struct site_forbidden){ arena_printf(f->r->arena, "%s of %s", what, environment),
                                     str_of(text), is_secret, hint };
}

/* ---- secrets ---- */

static void forbid_values(struct forbidden *f, const struct variable_set *set, const char *of)
{
    struct arena *a = f->r->arena;
    for (size_t i = 0; i < set->n; i++) {
        const struct variable *v = &set->v[i];
        if (!v->spec->is_secret)
            continue;
        const char *name = of ? arena_printf(a, "%s of %s", v->spec->name, of) : v->spec->name;
        *vec_add(&f->list, a) =
            (struct site_forbidden){ name, secret_reveal(v->value), true, NULL };
    }
}

static bool forbid_own_secrets(struct forbidden *f, struct err *e)
{
    struct release *r = f->r;
    if (!target_variables(r->target, ~0U, vec_add(&f->values, r->arena), e))
        return err_wrap(e, "look for secrets in the built site");
    forbid_values(f, &f->values.v[f->values.n - 1], NULL);
    return true;
}

static bool asks_a_command(const struct config_var *var, const char *environment)
{
    for (size_t i = 0; i < var->from.n; i++)
        if (streq(var->from.v[i].name, environment))
            return starts_with(var->from.v[i].value, "cmd:");
    return false;
}

/* Those that this machine has. No command is run for an environment that nobody asked about. */
static void forbid_secrets_of(struct forbidden *f, const char *environment)
{
    struct release *r = f->r;
    const struct config *config = r->target->config;
    CLEANUP(target) struct target other = { 0 };
    struct err unknown = { 0 };
    if (!target_declared(r->arena, config, environment, &other, &unknown))
        return;
    for (size_t i = 0; i < config->vars_n; i++) {
        const struct config_var *var = &config->vars[i];
        struct variable_set one = { 0 };
        struct err none = { 0 };
        if (!var->is_secret || asks_a_command(var, environment) ||
            !target_variable(&other, var, &one, &none))
            continue;
        *vec_add(&f->values, r->arena) = one;
        forbid_values(f, &one, environment);
    }
}

static void forbid_credentials(struct forbidden *f, const struct environment *env)
{
    static const char hint[] = "it lets everybody release; make a new one, and find out how the "
                               "build came by it";
    forbid(f, "Netlify token", env->name, env->netlify.token, true, hint);
    forbid(f, "Supabase token", env->name, env->supabase.token, true, hint);
    forbid(f, "database address", env->name, env->database_url, true, hint);
}

/* ---- addresses ---- */

/* Must `earlier` have proved what goes to `later`? */
static bool comes_before(const struct config *config, const char *earlier, const char *later)
{
    const struct config_env *env = config_env_find(config, later);
    for (size_t steps = 0; env && env->requires && steps <= config->envs_n; steps++) {
        if (streq(env->requires, earlier))
            return true;
        env = config_env_find(config, env->requires);
    }
    return false;
}

static void forbid_other(struct forbidden *f, const struct config_env *declared)
{
    struct release *r = f->r;
    const char *name = declared->name;
    struct environment other = { 0 };
    struct err unknown = { 0 };
    forbid_secrets_of(f, name);
    if (!config_environment(r->target->config, name, &other, &unknown)) {
        forbid(f, "project ref", name, declared->supabase.ref, false, NULL);
        return;
    }
    if (!streq(other.supabase.ref, r->target->environment.supabase.ref))
        forbid(f, "project ref", name, other.supabase.ref, false, NULL);
    forbid(f, "public key", name, other.supabase.anon_key, false, NULL);
    forbid_credentials(f, &other);
    /* the address of a later one may be in the site: as its canonical address, for instance */
    if (comes_before(r->target->config, name, r->target->name))
        forbid(f, "address", name, other.site_url, false, NULL);
}

/* Where these bytes go on, what is right here is wrong there. */
static void forbid_own_address(struct forbidden *f)
{
    const struct target *t = f->r->target;
    const struct config *config = t->config;
    const char *next = NULL;
    for (size_t i = 0; i < config->envs_n; i++)
        if (comes_before(config, t->name, config->envs[i].name))
            next = config->envs[i].name;
    if (!next || config->artefact == ARTEFACT_REBUILD)
        return;
    const char *hint =
        arena_printf(f->r->arena,
                     "%s gets these very bytes: read it from /_lockflight/env.js at run time, or "
                     "say artefact = \"rebuild\"",
                     next);
    forbid(f, "project ref", t->name, t->environment.supabase.ref, false, hint);
    forbid(f, "public key", t->name, t->anon_key, false, hint);
    forbid(f, "address", t->name, t->site_url, false, hint);
}

bool draft_scan(struct release *r, const struct artefact *artefact, struct err *e)
{
    const struct config *config = r->target->config;
    CLEANUP(forbidden) struct forbidden f = { .r = r };
    if (!forbid_own_secrets(&f, e))
        return false;
    forbid_credentials(&f, &r->target->environment);
    forbid_own_address(&f);
    for (size_t i = 0; i < config->envs_n; i++)
        if (!streq(config->envs[i].name, r->target->name))
            forbid_other(&f, &config->envs[i]);
    struct site_allow *allow = ARENA_ARRAY(r->arena, struct site_allow, config->allows_n + 1);
    for (size_t i = 0; i < config->allows_n; i++)
        allow[i] = (struct site_allow){ config->allows[i].name, config->allows[i].files.v,
                                        config->allows[i].files.n };
    const struct site_scan_spec spec = { f.list.v, f.list.n, allow, config->allows_n };
    return site_scan(artefact, &spec, e);
}
