/*
 * `lockflight vars`: the values of declared variables, encrypted in the repository, and on the
 * hosts. Each verb is a file beside this one.
 */
#include "command/vars/vars.h"

#include "command/commands.h"

// clang-format off
static const struct command *const vars_commands[] = {
    &cmd_vars_key,
    &cmd_vars_set,
    &cmd_vars_unset,
    &cmd_vars_get,
    &cmd_vars_check,
    &cmd_vars_list,
    &cmd_vars_diff,
    &cmd_vars_push,
    &cmd_vars_import,
    &cmd_vars_who,
    &cmd_vars_grant,
    &cmd_vars_revoke,
    &cmd_vars_rotate,
    &cmd_vars_prune,
    &cmd_vars_trust,
    &cmd_vars_accept,
    &cmd_vars_textconv,
    &cmd_vars_merge,
    NULL,
};
// clang-format on

const struct command cmd_vars = {
    .name = "vars",
    .synopsis = "vars <command>",
    .summary = "Set, share, compare and send the values of declared variables",
    .examples = "lockflight vars key\nlockflight vars set WHATSAPP_TOKEN --env staging\n"
                "lockflight vars list staging",
    .group = GROUP_PREPARE,
    .commands = vars_commands,
};
