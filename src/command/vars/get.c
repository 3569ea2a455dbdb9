/*
 * `lockflight vars get`: one value, for a pipe. On a terminal it asks to be told twice.
 */
#include "cli/output.h"
#include "command/vars/vars.h"
#include "command/vars/vars_file.h"

struct get_args {
    const char *name;
    const char *environment;
    bool show;
};

static bool get(struct command_context *c, void *args_, struct err *e)
{
    const struct get_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    if (c->out.is_tty && !args->show) {
        err_set(e, ERR_USAGE, "the value would stand on the screen");
        return err_hint(e, "lockflight vars get %s --show    (or into a pipe)", args->name);
    }
    if (!vars_file_open(c, args->environment, VARS_READ, &f, e))
        return false;
    CLEANUP(secret) struct secret *value = vault_value(&f.vault, args->name, 0, true);
    if (!value) {
        err_set(e, ERR_NOT_FOUND, "%s has no value of %s", f.vault.place.name, args->name);
        return err_hint(e, "lockflight vars list %s", f.env->name);
    }
    struct str text = secret_reveal(value);
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:I, s:s%}", "environment", f.env->name, "name",
                                args->name, "revision",
                                (json_int_t)vault_revision(&f.vault, args->name, 0), "value",
                                text.p, text.n));
    else
        print(&c->out, "%s\n", text.p);
    return true;
}

// clang-format off
static const struct option get_options[] = {
    { "env",  'e', OPT_TEXT, AT(get_args, environment), "<environment>", "Whose value" },
    { "show", 0,   OPT_FLAG, AT(get_args, show),        NULL,            "Show it on a terminal, too" },
    { 0 },
};
static const struct argument get_arguments[] = {
    { "name", ARG_ONE, COMPLETE_NOTHING, AT(get_args, name), "The variable" },
    { 0 },
};
// clang-format on

const struct command cmd_vars_get = {
    .name = "get",
    .synopsis = "vars get <name>",
    .summary = "Print one value, decrypted",
    .examples = "lockflight vars get WEBHOOK_SECRET --env staging | pbcopy",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = get_options,
    .arguments = get_arguments,
    .args_size = sizeof(struct get_args),
    .run = get,
};
