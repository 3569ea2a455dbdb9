/*
 * `lockflight migration`: the database by itself, without a release. Each verb is a file beside
 * this one.
 */
#include "command/migration/migration.h"

#include "command/commands.h"

/* In the order in which a migration meets them. */
// clang-format off
static const struct command *const migration_commands[] = {
    &cmd_migration_new,
    &cmd_migration_keep,
    &cmd_migration_reverse,
    &cmd_migration_prove,
    &cmd_migration_status,
    &cmd_migration_lint,
    &cmd_migration_up,
    &cmd_migration_down,
    &cmd_migration_purge,
    &cmd_migration_repair,
    &cmd_migration_baseline,
    &cmd_migration_import,
    NULL,
};
// clang-format on

const struct command cmd_migration = {
    .name = "migration",
    .synopsis = "migration <command>",
    .summary = "Judge, prove, apply and reverse migrations without a release",
    .examples = "lockflight migration status staging\nlockflight migration up staging\n"
                "lockflight migration lint --migrations db/migrations",
    .group = GROUP_PREPARE,
    .commands = migration_commands,
};
