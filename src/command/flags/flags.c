/*
 * `lockflight flags`: what is on for whom, now, in a live environment. Each verb is a file beside
 * this one.
 */
#include "command/flags/flags.h"

#include "command/commands.h"

// clang-format off
static const struct command *const flags_commands[] = {
    &cmd_flags_eval,
    &cmd_flags_list,
    &cmd_flags_show,
    &cmd_flags_on,
    &cmd_flags_off,
    &cmd_flags_ramp,
    &cmd_flags_set,
    &cmd_flags_segment,
    &cmd_flags_schedule,
    &cmd_flags_history,
    &cmd_flags_revert,
    &cmd_flags_diff,
    &cmd_flags_promote,
    &cmd_flags_check,
    &cmd_flags_export,
    &cmd_flags_import,
    &cmd_flags_stale,
    &cmd_flags_archive,
    NULL,
};
// clang-format on

const struct command cmd_flags = {
    .name = "flags",
    .synopsis = "flags <command>",
    .summary = "Switch parts of a live environment on and off, without a release",
    .examples = "lockflight flags list --env production\n"
                "lockflight flags off financial --env production --reason 'invoices go out twice'\n"
                "lockflight flags ramp financial 25 --env production --reason 'week one'",
    .group = GROUP_CONTROL,
    .commands = flags_commands,
};
