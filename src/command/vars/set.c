/*
 * `lockflight vars set` and `unset`: one line of an environment's secrets file.
 */
#include "cli/output.h"
#include "command/vars/vars.h"
#include "command/vars/vars_file.h"

struct set_args {
    const char *name;
    const char *environment;
    bool plain;
    bool sealed;
};

static bool check_declared(struct vars_file *f, const struct set_args *args, struct err *e)
{
    const struct config_var *var = config_var_find(&f->config, args->name);
    if (!var)
        print_styled(&f->c->err, STYLE_WARN,
                     "%s is not declared in lockflight.toml: nothing uses it until there is a "
                     "[var.%s]\n",
                     args->name, args->name);
    if (var && var->is_secret && args->plain)
        return err_set(e, ERR_USAGE, "%s is declared a secret; it can not be plain", args->name);
    const char *other = var && var->value ? "value" : NULL;
    for (size_t i = 0; var && i < var->from.n; i++)
        other = streq(var->from.v[i].name, f->env->name) ? "from" : other;
    if (!other)
        return true;
    err_set(e, ERR_CONFIG, "[var.%s] has a source for %s already: %s", args->name, f->env->name,
            other);
    err_where(e, "%s", config_where(&f->config, &var->name));
    return err_hint(e, "take it out of lockflight.toml first; a variable has one source");
}

static void answer(struct vars_file *f, const char *name, const char *what, bool changed)
{
    struct command_context *c = f->c;
    uint64_t revision = vault_revision(&f->vault, name, 0);
    if (c->wants_json) {
        print_json(c, json_pack("{s:s, s:s, s:s, s:I, s:b}", "environment", f->env->name, "name",
                                name, "file", f->vault.place.name, "revision", (json_int_t)revision,
                                "changed", (int)changed));
        return;
    }
    if (!changed)
        print(&c->out, "%s is %s already in %s.\n", name, what, f->vault.place.name);
    else if (revision > 0)
        print(&c->out, "%s is %s in %s, revision %llu.\n", name, what, f->vault.place.name,
              (unsigned long long)revision);
    else
        print(&c->out, "%s is %s in %s.\n", name, what, f->vault.place.name);
    if (f->is_new)
        print(
            &c->err,
            "%s is new: commit it. It opens with the key of %s; others come with `lockflight vars "
            "grant`.\n",
            f->vault.place.name, f->vault.file.to.v[0].name);
}

static bool set(struct command_context *c, void *args_, struct err *e)
{
    const struct set_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    CLEANUP(secret) struct secret *value = NULL;
    bool changed = true;
    if (args->plain && args->sealed)
        return err_set(e, ERR_USAGE, "either --plain or --sealed");
    if (!vars_file_open(c, args->environment, args->sealed ? VARS_ADD : VARS_MAKE, &f, e) ||
        !check_declared(&f, args, e) || !vars_value(c, args->name, &value, e))
        return false;
    bool ok = args->sealed  ? vault_add(&f.vault, args->name, value, e)
              : args->plain ? vault_set_plain(&f.vault, args->name, value, &changed, e)
                            : vault_set(&f.vault, args->name, value, &changed, e);
    if (!ok || !vars_file_save(&f, e))
        return false;
    answer(&f, args->name, args->sealed ? "waiting to be accepted" : "set", changed);
    return true;
}

static bool unset(struct command_context *c, void *args_, struct err *e)
{
    const struct set_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    bool changed;
    if (!vars_file_open(c, args->environment, VARS_CHANGE, &f, e) ||
        !vault_unset(&f.vault, args->name, &changed, e) || !vars_file_save(&f, e))
        return false;
    answer(&f, args->name, "removed", changed);
    return true;
}

// clang-format off
static const struct option set_options[] = {
    { "env",    'e', OPT_TEXT, AT(set_args, environment), "<environment>", "Whose value" },
    { "plain",  0,   OPT_FLAG, AT(set_args, plain),       NULL,            "Not encrypted: for what is no secret" },
    { "sealed", 0,   OPT_FLAG, AT(set_args, sealed),      NULL,            "Add it without being able to read; somebody accepts it" },
    { 0 },
};
static const struct option unset_options[] = {
    { "env", 'e', OPT_TEXT, AT(set_args, environment), "<environment>", "Whose value" },
    { 0 },
};
static const struct argument set_arguments[] = {
    { "name", ARG_ONE, COMPLETE_NOTHING, AT(set_args, name), "The variable" },
    { 0 },
};
// clang-format on

const struct command cmd_vars_set = {
    .name = "set",
    .synopsis = "vars set <name>",
    .summary = "Set a value in an environment's secrets file",
    .description =
        "The value is typed without being shown, or comes on standard input, where one line end at "
        "its end is left out. It is never an argument, which all the machine could read. The value "
        "before stays on the line, encrypted, so that a release can take back to it.",
    .examples = "lockflight vars set WHATSAPP_TOKEN --env staging\n"
                "openssl rand -hex 32 | lockflight vars set WEBHOOK_SECRET --env production",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = set_options,
    .arguments = set_arguments,
    .args_size = sizeof(struct set_args),
    .run = set,
};

const struct command cmd_vars_unset = {
    .name = "unset",
    .synopsis = "vars unset <name>",
    .summary = "Remove a value from an environment's secrets file",
    .description = "The line stays, as the record that it was removed: a line that merely vanishes "
                   "is refused by the next release. Hosts keep what they have.",
    .examples = "lockflight vars unset OLD_TOKEN --env staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = unset_options,
    .arguments = set_arguments,
    .args_size = sizeof(struct set_args),
    .run = unset,
};
