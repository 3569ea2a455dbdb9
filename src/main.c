/*
 * Lockflight: find the command, run it, print its error, choose the exit status.
 */
#include "base/arena.h"
#include "base/cleanup.h"
#include "base/guard.h"
#include "base/signals.h"
#include "cli/run.h"
#include "command/commands.h"
#include "command/vars/vars_file.h"

int main(int argc, char **argv)
{
    guard_install();
    signals_install();
    keyring_take_environment();
    CLEANUP(arena) struct arena *arena = arena_new(0);
    struct command_context c;
    command_context_init(&c, arena, commands);

    struct err e = { 0 };
    keyring_ask_with(vars_passphrase, &c);
    bool ok = command_main(&c, argc, argv, &e);
    if (!ok)
        command_error(&c, &e);

    struct err write_error = { 0 };
    if (!command_finish(&c, &write_error)) {
        if (ok)
            command_error(&c, &write_error);
        return ok ? err_exit_status(&write_error) : err_exit_status(&e);
    }
    return ok ? c.exit_status : err_exit_status(&e);
}
