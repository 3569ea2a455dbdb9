/*
 * `lockflight vars accept`: what was added by somebody who cannot read becomes the value in force.
 */
#include "cli/output.h"
#include "command/vars/vars.h"
#include "command/vars/vars_file.h"

struct accept_args {
    const char *name;
    const char *environment;
    bool reject;
};

static void answer(const struct vars_file *f, const struct accept_args *args, bool changed)
{
    struct command_context *c = f->c;
    uint64_t revision = vault_revision(&f->vault, args->name, 0);
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s, s:b, s:I}", "environment", f->env->name, "name",
                                args->name, "accepted", (int)!args->reject, "revision",
                                (json_int_t)revision));
    else if (args->reject)
        print(&c->out, "The addition to %s is dropped.\n", args->name);
    else if (changed)
        print(&c->out, "%s is set in %s, revision %llu.\n", args->name, f->vault.place.name,
              (unsigned long long)revision);
    else
        print(&c->out, "%s had that value already.\n", args->name);
}

static bool accept_one(struct command_context *c, void *args_, struct err *e)
{
    const struct accept_args *args = args_;
    CLEANUP(vars_file) struct vars_file f;
    bool changed = false;
    if (!vars_file_open(c, args->environment, args->reject ? VARS_ADD : VARS_CHANGE, &f, e))
        return false;
    if (!(args->reject ? vault_reject(&f.vault, args->name, e)
                       : vault_accept(&f.vault, args->name, &changed, e)) ||
        !vars_file_save(&f, e))
        return false;
    answer(&f, args, changed);
    return true;
}

// clang-format off
static const struct option accept_options[] = {
    { "env",    'e', OPT_TEXT, AT(accept_args, environment), "<environment>", "Whose value" },
    { "reject", 0,   OPT_FLAG, AT(accept_args, reject),      NULL,            "Drop the addition instead" },
    { 0 },
};
static const struct argument accept_arguments[] = {
    { "name", ARG_ONE, COMPLETE_NOTHING, AT(accept_args, name), "The variable" },
    { 0 },
};
// clang-format on

const struct command cmd_vars_accept = {
    .name = "accept",
    .synopsis = "vars accept <name>",
    .summary = "Take a value that was added with `vars set --sealed`",
    .description = "Whoever can write to the repository can add a value, and cannot read any. It "
                   "counts once somebody who reads the file accepts it: ask who added it.",
    .examples = "lockflight vars accept STRIPE_KEY --env production",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = accept_options,
    .arguments = accept_arguments,
    .args_size = sizeof(struct accept_args),
    .run = accept_one,
};
