/*
 * `lockflight migration new`: a file and its reverse script.
 */
#include "cli/output.h"
#include "command/migration/migration.h"
#include "command/migration/session.h"

struct new_args {
    struct session_args session;
    const char *name;
};

static bool new_migration(struct command_context *c, void *args, struct err *e)
{
    struct new_args *a = args;
    struct session s;
    struct migration m;
    a->session.makes_folders = true;
    if (!session_paths(c, &a->session, &s, e) ||
        !migration_create(c->arena, s.config.paths.migrations, s.config.paths.reverse, a->name, &m,
                          e))
        return false;
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s}", "migration", m.file, "reverse", m.reverse_file));
    else
        print(&c->out, "%s\n%s\n", m.file, m.reverse_file);
    return true;
}

static const struct option new_options[] = {
    SESSION_FILE_OPTIONS(new_args, session),
    { 0 },
};

static const struct argument new_arguments[] = {
    { "name", ARG_ONE, COMPLETE_NOTHING, AT(new_args, name), "What it does: add_invoices" },
    { 0 },
};

const struct command cmd_migration_new = {
    .name = "new",
    .synopsis = "migration new <name>",
    .summary = "Create a migration and its reverse script",
    .examples = "lockflight migration new add_invoices",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = new_options,
    .arguments = new_arguments,
    .args_size = sizeof(struct new_args),
    .run = new_migration,
};
