/*
 * `lockflight flags`: what is on for whom, now, in a live environment. Each verb is a file beside
 * this one.
 */
#include "command/flags/flags.h"

#include "command/commands.h"

// clang-format off
static const struct command *const flags_commands[] = {
    &cmd_flags_eval,
    NULL,
};
// clang-format on

const struct command cmd_flags = {
    .name = "flags",
    .synopsis = "flags <command>",
    .summary = "Switch parts of a live environment on and off, without a release",
    .group = GROUP_CONTROL,
    .offers = COMMAND_HIDDEN,
    .commands = flags_commands,
};
