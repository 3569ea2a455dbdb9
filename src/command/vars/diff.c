/*
 * `lockflight vars diff`: declared values against what the hosts have, and against other
 * environments. By digests: no value is read from anywhere but our own sources, none is shown.
 */
#include "cli/output.h"
#include "command/flight.h"
#include "command/vars/vars.h"
#include "engine/live.h"
#include "engine/site_variables.h"

struct diff_args {
    const char *environment;
};

struct diff {
    struct command_context *c;
    struct flight f;
    struct table *table;
    json_t *list;
    size_t differences;
};

static void diff_cleanup(struct diff *d)
{
    json_decref(d->list);
    flight_close(&d->f);
}

static void add(struct diff *d, const char *name, const char *host, const char *state, bool is_odd)
{
    d->differences += is_odd;
    (void)json_array_append_new(d->list, json_pack("{s:s, s:s, s:s, s:b}", "name", name, "host",
                                                   host, "state", state, "differs", (int)is_odd));
    table_cell(d->table, STYLE_STRONG, "%s", name);
    table_cell(d->table, STYLE_PLAIN, "%s", host);
    table_cell(d->table, is_odd ? STYLE_WARN : STYLE_GOOD, "%s", state);
}

/* ---- Supabase ---- */

static bool is_declared(const struct config *c, const char *name)
{
    const struct config_var *var = config_var_find(c, name);
    return (var && (var->to & VAR_TO_SUPABASE)) || starts_with(name, "SUPABASE_") ||
           streq(name, LIVE_RELEASE_SECRET);
}

static bool diff_supabase(struct diff *d, struct err *e)
{
    struct target *t = &d->f.target;
    CLEANUP(variable_set) struct variable_set values = { 0 };
    struct supabase_secret *secrets;
    size_t n;
    if (!target_variables(t, VAR_TO_SUPABASE, &values, e) ||
        !supabase_secrets(t->supabase, t->arena, &secrets, &n, e))
        return false;
    struct live live = { .secrets = secrets, .secrets_n = n };
    for (size_t i = 0; i < values.n; i++) {
        const char *name = values.v[i].spec->name, *digest = live_secret_digest(&live, name);
        if (!digest)
            add(d, name, "supabase", "not set there", true);
        else if (variable_has_digest(&values.v[i], digest))
            add(d, name, "supabase", "same", false);
        else
            add(d, name, "supabase", "another value there", true);
    }
    for (size_t i = 0; i < n; i++)
        if (!is_declared(t->config, secrets[i].name))
            add(d, secrets[i].name, "supabase", "set there, not declared", true);
    return true;
}

/* ---- Netlify ---- */

static bool diff_site(struct diff *d, struct err *e)
{
    struct target *t = &d->f.target;
    CLEANUP(variable_set) struct variable_set values = { 0 };
    struct site_variable *v;
    if (!site_variables_read(t, &values, &v, e))
        return false;
    for (size_t i = 0; i < values.n; i++) {
        const char *name = values.v[i].spec->name;
        switch (v[i].state) {
        case SITE_SAME:
            add(d, name, "netlify", "same", false);
            break;
        case SITE_ABSENT:
            add(d, name, "netlify", "not set there", true);
            break;
        case SITE_OTHER:
            add(d, name, "netlify", "another value there", true);
            break;
        case SITE_UNREADABLE:
            add(d, name, "netlify",
                arena_printf(d->c->arena, "write-only there, set %s", v[i].updated_at), false);
            break;
        }
    }
    return true;
}

/* ---- other environments ---- */

/* Values that must be distinct, by what another environment's host lists. */
static bool diff_reuse(struct diff *d, const struct config_env *other, struct err *e)
{
    struct target *t = &d->f.target;
    CLEANUP(variable_set) struct variable_set values = { 0 };
    CLEANUP(target) struct target there = { 0 };
    struct supabase_secret *secrets;
    size_t n;
    if (!target_open(t->arena, t->config, other->name, &there, e) ||
        !supabase_secrets(there.supabase, t->arena, &secrets, &n, e) ||
        !target_variables(t, VAR_TO_SUPABASE, &values, e))
        return false;
    struct live live = { .secrets = secrets, .secrets_n = n };
    for (size_t i = 0; i < values.n; i++) {
        const struct variable_spec *spec = values.v[i].spec;
        const char *digest = live_secret_digest(&live, spec->name);
        if (spec->is_secret && digest && variable_has_digest(&values.v[i], digest))
            add(d, spec->name, other->name,
                spec->is_distinct ? "the same value there, and declared distinct"
                                  : "the same value there",
                spec->is_distinct);
    }
    return true;
}

static bool diff_environments(struct diff *d, struct err *e)
{
    const struct config *config = &d->f.config;
    (void)e;
    for (size_t i = 0; i < config->envs_n; i++) {
        struct err unreachable = { 0 };
        if (streq(config->envs[i].name, d->f.target.name))
            continue;
        if (!diff_reuse(d, &config->envs[i], &unreachable))
            print_styled(&d->c->err, STYLE_WARN, "%s was not compared: %s\n", config->envs[i].name,
                         unreachable.why);
    }
    return true;
}

static bool diff(struct command_context *c, void *args_, struct err *e)
{
    const struct diff_args *args = args_;
    CLEANUP(diff) struct diff d = { .c = c, .list = json_array() };
    d.table = table_new(c->arena, 3);
    table_head(d.table, "name", "host", "state", NULL);
    if (!flight_open(c, args->environment, false, &d.f, e) || !diff_supabase(&d, e) ||
        !diff_site(&d, e) || !diff_environments(&d, e))
        return err_wrap(e, "compare the variables of %s", args->environment);
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:I, s:O}", "environment", d.f.target.name, "differences",
                                (json_int_t)d.differences, "variables", d.list));
    else
        table_print(d.table, &c->out);
    return true;
}

static const struct argument diff_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(diff_args, environment), "Which" },
    { 0 },
};

const struct command cmd_vars_diff = {
    .name = "diff",
    .synopsis = "vars diff <environment>",
    .summary = "Compare declared values with the hosts and with other environments",
    .description =
        "Supabase lists digests, which tell whether a value is the same. Secrets of Netlify are "
        "write-only: that they are there, and since when, is all that can be seen. Values that are "
        "used in two environments are listed. No value is shown.",
    .examples = "lockflight vars diff staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = diff_arguments,
    .args_size = sizeof(struct diff_args),
    .run = diff,
};
