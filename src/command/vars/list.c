/*
 * `lockflight vars list`: every variable of an environment, where its value comes from and where it
 * goes; no value. Needs no key.
 */
#include "base/fs.h"
#include "cli/output.h"
#include "command/vars/vars.h"
#include "command/vars/vars_file.h"
#include "engine/target.h"

struct list_args {
    const char *environment;
};

struct row {
    const char *name;
    const char *source; /* "secrets/staging.lf", "env:NAME", "cmd:…", "value", "none" */
    const char *state;  /* "revision 3", "removed", "not encrypted", "" */
    const char *to;
    bool is_declared, is_secret, waits;
    uint64_t revision;
};

static const char *targets(struct arena *a, unsigned to)
{
    static const char *const words[] = { "supabase", "netlify:build", "netlify:functions",
                                         "runtime" };
    const char *text = "";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (to & (1U << i))
            text = arena_printf(a, "%s%s%s", text, *text ? " " : "", words[i]);
    return text;
}

static const char *source_in_toml(const struct config_var *var, const char *environment)
{
    for (size_t i = 0; i < var->from.n; i++)
        if (streq(var->from.v[i].name, environment)) {
            const char *source = var->from.v[i].value;
            return starts_with(source, "env:")   ? source
                   : starts_with(source, "cmd:") ? "cmd:…"
                                                 : "lockflight.toml";
        }
    return var->value ? "lockflight.toml" : "none";
}

static struct row describe(struct vars_file *f, const struct config_var *var,
                           const struct secrets_line *line)
{
    struct arena *a = f->c->arena;
    struct row r = { .name = var ? var->name : line->name, .is_declared = var != NULL };
    r.to = var ? targets(a, var->to) : "";
    r.is_secret = var ? var->is_secret : line->kind == SECRETS_SEALED;
    r.source = line ? f->vault.place.name : source_in_toml(var, f->env->name);
    r.state = "";
    r.waits = secrets_file_find_addition(&f->vault.file, r.name) != NULL;
    if (line && line->kind == SECRETS_PLAIN)
        r.state = "not encrypted";
    if (line && line->kind == SECRETS_SEALED) {
        r.revision = line->values[0].revision;
        r.state = line->values[0].is_deleted
                      ? "removed"
                      : arena_printf(a, "revision %llu", (unsigned long long)r.revision);
    }
    if (r.waits)
        r.state = arena_printf(a, "%s%sone waits to be accepted", r.state, *r.state ? ", " : "");
    return r;
}

static json_t *as_json(const struct row *r)
{
    json_t *one = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b}", "name", r->name, "source", r->source,
                            "to", r->to, "declared", (int)r->is_declared, "secret",
                            (int)r->is_secret, "waits", (int)r->waits);
    if (r->revision > 0)
        json_object_set_new(one, "revision", json_integer((json_int_t)r->revision));
    if (streq(r->state, "removed"))
        json_object_set_new(one, "removed", json_true());
    return one;
}

static void show(struct vars_file *f, const struct row *rows, size_t n)
{
    struct command_context *c = f->c;
    json_t *list = json_array();
    struct table *t = table_new(c->arena, 4);
    table_head(t, "name", "source", "state", "to", NULL);
    for (size_t i = 0; i < n; i++) {
        const struct row *r = &rows[i];
        bool is_odd = !r->is_declared || streq(r->source, "none");
        json_array_append_new(list, as_json(r));
        table_cell(t, STYLE_STRONG, "%s", r->name);
        table_cell(t, is_odd ? STYLE_WARN : STYLE_PLAIN, "%s", r->source);
        table_cell(t, STYLE_PLAIN, "%s", r->state);
        table_cell(t, STYLE_FAINT, "%s", r->is_declared ? r->to : "not declared");
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:o}", "environment", f->env->name, "variables", list));
    else
        table_print(t, &c->out);
    if (!c->wants_json)
        json_decref(list);
}

/* A project without the file has variables all the same. */
static bool open_or_empty(struct command_context *c, const char *environment, struct vars_file *f,
                          struct err *e)
{
    if (vars_file_open(c, environment, VARS_LOOK, f, e))
        return true;
    if (e->code != ERR_NOT_FOUND || !f->env)
        return false;
    err_clear(e);
    f->vault.place = target_vault_place(&f->config, f->env);
    return true;
}

static bool list(struct command_context *c, void *args_, struct err *e)
{
    const struct list_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    VEC(struct row) rows = { 0 };
    if (!open_or_empty(c, args->environment, &f, e))
        return false;
    for (size_t i = 0; i < f.config.vars_n; i++) {
        const struct config_var *var = &f.config.vars[i];
        *vec_add(&rows, c->arena) = describe(&f, var, secrets_file_find(&f.vault.file, var->name));
    }
    for (size_t i = 0; i < f.vault.file.lines.n; i++) {
        const struct secrets_line *line = &f.vault.file.lines.v[i];
        if (!config_var_find(&f.config, line->name) &&
            (line->kind != SECRETS_ADDITION || !secrets_file_find(&f.vault.file, line->name)))
            *vec_add(&rows, c->arena) = describe(&f, NULL, line);
    }
    show(&f, rows.v, rows.n);
    return true;
}

static const struct argument list_arguments[] = {
    { "environment", ARG_OPTIONAL, COMPLETE_ENVIRONMENT, AT(list_args, environment),
      "Environment (default: the only one)" },
    { 0 },
};

const struct command cmd_vars_list = {
    .name = "list",
    .synopsis = "vars list [environment]",
    .summary = "Show every variable, where its value comes from and where it goes",
    .description = "Names, sources and revisions; no value, and no key is needed.",
    .examples = "lockflight vars list staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = list_arguments,
    .args_size = sizeof(struct list_args),
    .run = list,
};
