/*
 * Every verb of the program. Reading this table is reading the manual's table of contents.
 *
 * To add one: write src/command/<verb>.c with `const struct command cmd_<verb>`, add the file to
 * src/command/meson.build, declare it in commands.h and put a row here. Help, completion and the
 * manual page follow by themselves; tests/cli checks that each row has what they need.
 */
#include "command/commands.h"

const struct command *const commands[] = {
    /* Fly */
    &cmd_plan,
    &cmd_deploy,
    &cmd_ci,
    &cmd_rollback,
    &cmd_resume,
    &cmd_status,
    /* Prepare */
    &cmd_init,
    &cmd_doctor,
    &cmd_local,
    &cmd_test,
    &cmd_verify,
    &cmd_migration,
    &cmd_rehearse,
    &cmd_vars,
    /* Control */
    &cmd_lock,
    &cmd_unlock,
    &cmd_flags,
    &cmd_serve,
    /* Look */
    &cmd_log,
    &cmd_site,
    /* Also */
    &cmd_completion,
    &cmd_man,
    &cmd_version,
    &cmd_help,
    &cmd_complete,
    NULL,
};
