/*
 * `lockflight migration`: the database by itself, without a release. status looks; up and down
 * change, under the same lease as a release, and refuse to while one is open; new makes a file and
 * its reverse script.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/commands.h"
#include "command/flight.h"
#include "config/config.h"
#include "engine/journal.h"
#include "migrate/apply/apply.h"

struct migration_args {
    const char *environment;
    const char *name;
    int64_t last;
};

/* What all verbs but `new` need. */
struct session {
    struct command_context *c;
    struct config config;
    struct environment environment;
    struct migration_set set;
    struct history history;
    struct migration_plan plan;
};

static bool open_session(struct command_context *c, const char *environment, struct session *s,
                         struct err *e)
{
    s->c = c;
    if (!config_load(c->arena, c->config_path, &s->config, e) ||
        !config_environment(&s->config, environment, &s->environment, e) ||
        !migration_read(c->arena, s->config.paths.migrations, s->config.paths.reverse, &s->set, e))
        return false;
    for (size_t i = 0; i < s->set.skipped_count; i++)
        print_styled(&c->err, STYLE_WARN, "%s\n", s->set.skipped[i]);
    return true;
}

static bool compare(struct session *s, struct pg *db, struct err *e)
{
    if (!history_read(db, s->c->arena, &s->history, e))
        return false;
    migration_plan(s->c->arena, &s->set, &s->history, &s->plan);
    return true;
}

/* ---- status ---- */

static json_t *state_document(const struct migration_state *m)
{
    const char *version = m->file ? m->file->version : m->row->version;
    const char *name = m->file ? m->file->name : m->row->name;
    bool has_reverse = (m->file && m->file->has_reverse) || (m->row && m->row->reverse_sql);
    return json_pack("{s:s, s:s?, s:s, s:b, s:s*}", "version", version, "name", name, "state",
                     migration_status_name(m->status), "reversible", has_reverse, "applied_by",
                     m->row ? m->row->applied_by : NULL);
}

static enum style status_style(enum migration_status s)
{
    switch (s) {
    case MIGRATION_APPLIED:
        return STYLE_GOOD;
    case MIGRATION_PENDING:
        return STYLE_WARN;
    case MIGRATION_OUT_OF_ORDER:
    case MIGRATION_CHANGED:
    case MIGRATION_MISSING:
        break;
    }
    return STYLE_BAD;
}

static void print_states(const struct session *s)
{
    struct command_context *c = s->c;
    struct table *t = table_new(c->arena, 4);
    table_head(t, "version", "name", "state", "reverse", NULL);
    for (size_t i = 0; i < s->plan.n; i++) {
        const struct migration_state *m = &s->plan.v[i];
        const char *name = m->file ? m->file->name : m->row->name;
        bool has_reverse = (m->file && m->file->has_reverse) || (m->row && m->row->reverse_sql);
        table_cell(t, STYLE_STRONG, "%s", m->file ? m->file->version : m->row->version);
        table_cell(t, STYLE_PLAIN, "%s", name ? name : "");
        table_cell(t, status_style(m->status), "%s", migration_status_name(m->status));
        table_cell(t, has_reverse ? STYLE_PLAIN : STYLE_WARN, "%s", has_reverse ? "yes" : "none");
    }
    table_print(t, &c->out);
    print(&c->out, "%s, %zu pending on %s.\n",
          text_count(c->arena, (int64_t)s->plan.n, "migration", "migrations"),
          s->plan.pending_count, s->environment.name);
}

static bool status(struct command_context *c, void *args, struct err *e)
{
    const struct migration_args *a = args;
    struct session s;
    CLEANUP(pg) struct pg *db = NULL;
    if (!open_session(c, a->environment, &s, e) ||
        !pg_open(&(struct pg_spec){ .url = s.environment.database_url, .purpose = "status" }, &db,
                 e) ||
        !compare(&s, db, e))
        return false;
    if (!c->wants_json) {
        print_states(&s);
        return true;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < s.plan.n; i++)
        (void)json_array_append_new(list, state_document(&s.plan.v[i]));
    print_json(c, json_pack("{s:s, s:I, s:o}", "environment", s.environment.name, "pending",
                            (json_int_t)s.plan.pending_count, "migrations", list));
    return true;
}

/* ---- up and down: under the lease ---- */

static bool lease_of_command(struct session *s, const char *purpose, struct lease **ret,
                             struct err *e)
{
    struct lease_taken taken;
    struct release_record open;
    bool is_open = false;
    struct lease_spec spec = {
        .url = s->environment.database_url,
        .target = s->environment.name,
        .holder = flight_actor(s->c),
        .purpose = purpose,
    };
    if (!lease_take(&spec, ret, &taken, e) ||
        !journal_find_open(lease_db(*ret), s->c->arena, s->environment.name, &open, &is_open, e))
        return false;
    if (!is_open)
        return true;
    err_set(e, ERR_BLOCKED, "release %s of %s was interrupted and is open", open.name,
            s->environment.name);
    return err_hint(e, "lockflight resume %s, or lockflight rollback %s", s->environment.name,
                    s->environment.name);
}

/* What the callbacks of migrate/apply/apply.h need. */
struct change {
    struct session *s;
    struct lease *lease;
};

static bool change_fence(void *context, struct pg *db, struct err *e)
{
    const struct change *x = context;
    return lease_fence(x->lease, db, e);
}

static void change_waits(void *context, const char *sentence)
{
    const struct change *x = context;
    print_styled(&x->s->c->err, STYLE_WARN, "%s\n", sentence);
}

/* Inside the migration's transaction: the event stands or falls with it. */
static bool change_record(struct change *x, const char *type, const char *version, struct err *e)
{
    json_auto_t *body = json_pack("{s:s}", "version", version);
    return journal_note(x->lease, type, body, e);
}

static bool record_applied(void *context, struct pg *db, const char *version, struct err *e)
{
    (void)db;
    return change_record(context, "migration.applied", version, e);
}

static bool record_reversed(void *context, struct pg *db, const char *version, struct err *e)
{
    (void)db;
    return change_record(context, "migration.reversed", version, e);
}

static struct migrate_options options_of(struct change *x)
{
    const struct config *config = &x->s->config;
    return (struct migrate_options){
        .lock_timeout_ms = (int)config->schema.lock_timeout_ms,
        .statement_timeout_ms = (int)config->schema.statement_timeout_ms,
        .applied_by = lease_holder(x->lease),
        .epoch = lease_epoch(x->lease),
        .fence = change_fence,
        .on_wait = change_waits,
        .context = x,
    };
}

static void done(struct command_context *c, const char *what, const char *file,
                 int64_t started_boot_ms)
{
    print_styled(&c->err, STYLE_GOOD, "ok");
    print(&c->err, "  %s %s  %s\n", what, file,
          clock_duration(c->arena, clock_boot_ms() - started_boot_ms));
}

static void answer(struct session *s, const char *what, size_t n)
{
    struct command_context *c = s->c;
    if (c->wants_json)
        print_json(
            c, json_pack("{s:s, s:I}", "environment", s->environment.name, what, (json_int_t)n));
    else
        print(&c->out, "%s %s on %s.\n",
              text_count(c->arena, (int64_t)n, "migration", "migrations"), what,
              s->environment.name);
}

static bool up(struct command_context *c, void *args, struct err *e)
{
    const struct migration_args *a = args;
    struct session s;
    CLEANUP(lease) struct lease *l = NULL;
    if (!open_session(c, a->environment, &s, e) || !lease_of_command(&s, "migration up", &l, e) ||
        !compare(&s, lease_db(l), e) || !migration_plan_check(c->arena, &s.plan, e))
        return false;

    struct change x = { &s, l };
    struct migrate_options o = options_of(&x);
    o.record = record_applied;
    for (size_t i = 0; i < s.plan.pending_count; i++) {
        int64_t started = clock_boot_ms();
        if (!lease_check(l, e) || !migration_apply(lease_db(l), c->arena, s.plan.pending[i], &o, e))
            return i > 0 ? err_state(e, "%zu of %zu pending migrations were applied and stay", i,
                                     s.plan.pending_count)
                         : false;
        done(c, "apply", s.plan.pending[i]->file, started);
    }
    answer(&s, "applied", s.plan.pending_count);
    return true;
}

/* The last n applied ones, newest first. */
static size_t choose_last(const struct session *s, size_t n, const struct migration_state **ret)
{
    size_t chosen = 0;
    for (size_t i = s->plan.n; i-- > 0 && chosen < n;)
        if (s->plan.v[i].row)
            ret[chosen++] = &s->plan.v[i];
    return chosen;
}

static bool confirm_down(struct session *s, const struct migration_state **chosen, size_t n,
                         struct err *e)
{
    struct command_context *c = s->c;
    for (size_t i = 0; i < n; i++)
        print(&c->err, "  undo  %s %s\n", chosen[i]->row->version,
              chosen[i]->row->name ? chosen[i]->row->name : "");
    return prompt_destructive(c, s->environment.name,
                              "Their reverse scripts run, and what was written since may be lost.",
                              e);
}

static bool down(struct command_context *c, void *args, struct err *e)
{
    const struct migration_args *a = args;
    struct session s;
    CLEANUP(lease) struct lease *l = NULL;
    if (!open_session(c, a->environment, &s, e) || !lease_of_command(&s, "migration down", &l, e) ||
        !compare(&s, lease_db(l), e))
        return false;
    const struct migration_state **chosen =
        ARENA_ARRAY(c->arena, const struct migration_state *, s.plan.n + 1);
    size_t n = choose_last(&s, a->last > 0 ? (size_t)a->last : 1, chosen);
    if (n > 0 && !confirm_down(&s, chosen, n, e))
        return false;

    struct change x = { &s, l };
    struct migrate_options o = options_of(&x);
    o.record = record_reversed;
    for (size_t i = 0; i < n; i++) {
        int64_t started = clock_boot_ms();
        if (!lease_check(l, e) || !migration_reverse(lease_db(l), c->arena, chosen[i], &o, e))
            return i > 0 ? err_state(e, "%zu of %zu migrations were reversed and stay so", i, n)
                         : false;
        done(c, "reverse", chosen[i]->row->version, started);
    }
    answer(&s, "reversed", n);
    return true;
}

/* ---- new ---- */

static bool new_migration(struct command_context *c, void *args, struct err *e)
{
    const struct migration_args *a = args;
    struct config config;
    struct migration m;
    if (!config_load(c->arena, c->config_path, &config, e) ||
        !migration_create(c->arena, config.paths.migrations, config.paths.reverse, a->name, &m, e))
        return false;
    if (c->wants_json)
        print_json(c, json_pack("{s:s, s:s}", "migration", m.file, "reverse", m.reverse_file));
    else
        print(&c->out, "%s\n%s\n", m.file, m.reverse_file);
    return true;
}

/* ---- the commands ---- */

static const struct argument environment_argument[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(migration_args, environment),
      "Environment of lockflight.toml" },
    { 0 },
};

static const struct command cmd_migration_status = {
    .name = "status",
    .synopsis = "migration status <environment>",
    .summary = "Compare the files with what the database has",
    .examples =
        "lockflight migration status staging\nlockflight migration status production --json",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = environment_argument,
    .args_size = sizeof(struct migration_args),
    .run = status,
};

static const struct command cmd_migration_up = {
    .name = "up",
    .synopsis = "migration up <environment>",
    .summary = "Apply pending migrations without a release",
    .description =
        "Each file is one transaction, with its row in the history that the Supabase CLI reads. "
        "Nothing runs if a file was changed after it was applied, is missing, or is older than "
        "the newest applied one.",
    .examples = "lockflight migration up staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = environment_argument,
    .args_size = sizeof(struct migration_args),
    .run = up,
};

static const struct option down_options[] = {
    { "last", 'n', OPT_INT, AT(migration_args, last), "<count>",
      "How many, newest first (default: 1)" },
    { 0 },
};

static const struct command cmd_migration_down = {
    .name = "down",
    .synopsis = "migration down <environment>",
    .summary = "Reverse the newest migrations with their reverse scripts",
    .description = "Runs the reverse script that was kept when the migration was applied, newest "
                   "first, each in "
                   "one transaction. Asks for the environment's name, because rows may be lost.",
    .examples = "lockflight migration down staging\nlockflight migration down staging --last 2 "
                "--confirm staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON | COMMAND_CONFIRM,
    .options = down_options,
    .arguments = environment_argument,
    .args_size = sizeof(struct migration_args),
    .run = down,
};

static const struct argument new_arguments[] = {
    { "name", ARG_ONE, COMPLETE_NOTHING, AT(migration_args, name), "What it does: add_invoices" },
    { 0 },
};

static const struct command cmd_migration_new = {
    .name = "new",
    .synopsis = "migration new <name>",
    .summary = "Create a migration and its reverse script",
    .examples = "lockflight migration new add_invoices",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = new_arguments,
    .args_size = sizeof(struct migration_args),
    .run = new_migration,
};

static const struct command *const migration_commands[] = {
    &cmd_migration_status, &cmd_migration_up, &cmd_migration_down, &cmd_migration_new, NULL,
};

const struct command cmd_migration = {
    .name = "migration",
    .synopsis = "migration <command>",
    .summary = "Look at, apply or reverse migrations without a release",
    .examples = "lockflight migration status staging",
    .group = GROUP_PREPARE,
    .commands = migration_commands,
};
