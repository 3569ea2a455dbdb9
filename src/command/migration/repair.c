/*
 * `lockflight migration repair`: says what is true where the history does not. Nothing but the
 * history changes, in one transaction with an event in the journal.
 */
#include "migrate/repair.h"

#include "cli/output.h"
#include "command/migration/change.h"
#include "command/migration/migration.h"

struct repair_args {
    struct session_args session;
    const char *status;
    struct text_list accept;
    struct text_list versions;
};

static bool usage(const struct repair_args *a, struct err *e)
{
    if ((a->status != NULL) == (a->accept.n > 0)) {
        err_set(e, ERR_USAGE,
                "say what is true: --status applied, --status reverted, or "
                "--accept-changed <version>");
        return err_hint(e, "lockflight migration status shows what does not agree");
    }
    if (a->status && a->versions.n == 0)
        return err_set(e, ERR_USAGE, "which version is %s?", a->status);
    if (a->accept.n > 0 && a->versions.n > 0)
        return err_set(e, ERR_USAGE, "%s: --accept-changed takes its version itself",
                       a->versions.v[0]);
    return true;
}

static const struct migration_state *find_state(const struct session *s, const char *version)
{
    for (size_t i = 0; i < s->plan.n; i++) {
        const struct migration_state *m = &s->plan.v[i];
        if (streq(m->file ? m->file->version : m->row->version, version))
            return m;
    }
    return NULL;
}

static bool no_file(const char *version, struct err *e)
{
    err_set(e, ERR_NOT_FOUND, "no migration file has version %s", version);
    return err_hint(e, "the history keeps name and statements: they are read from the file");
}

static bool repair_one(struct change *x, const struct repair_args *a, const char *version,
                       struct err *e)
{
    struct record_how how = {
        .state = "applied",
        .applied_by = lease_holder(x->lease),
        .epoch = lease_epoch(x->lease),
        .started_unix_ms = change_began_unix_ms(x),
        .replaces = true,
    };
    struct pg *db = change_db(x);
    struct arena *arena = x->s->c->arena;
    const struct migration_state *s = find_state(x->s, version);
    if (a->status && streq(a->status, "reverted"))
        return repair_reverted(db, version, how.applied_by, e);
    if (!s || !s->file)
        return no_file(version, e);
    if (a->accept.n > 0)
        return repair_accept(db, arena, s, &how, e);
    if (s->status == MIGRATION_APPLIED)
        return err_set(e, ERR_CONFLICT, "version %s is applied already", version);
    return record_applied(db, arena, s->file, &how, e);
}

static bool repair_all(struct change *x, const struct repair_args *a, struct err *e)
{
    const struct text_list *versions = a->accept.n > 0 ? &a->accept : &a->versions;
    const char *as = a->status ? a->status : "accepted";
    if (!change_begin(x, e))
        return false;
    for (size_t i = 0; i < versions->n; i++) {
        json_auto_t *body = json_pack("{s:s, s:s}", "version", versions->v[i], "as", as);
        if (!repair_one(x, a, versions->v[i], e) ||
            !journal_note(x->lease, "migration.repaired", body, e))
            return false;
    }
    return change_commit(x, e);
}

static bool repair(struct command_context *c, void *args, struct err *e)
{
    struct repair_args *a = args;
    struct session s;
    CLEANUP(change) struct change x = { 0 };
    session_shift_version(c->arena, &a->session, &a->versions);
    if (!usage(a, e) || !session_open(c, &a->session, &s, e) ||
        !change_open(&s, "migration repair", &x, e) || !change_compare(&x, e) ||
        !repair_all(&x, a, e))
        return false;
    const struct text_list *versions = a->accept.n > 0 ? &a->accept : &a->versions;
    change_answer(&s, a->status ? a->status : "accepted", versions->v, versions->n);
    return true;
}

static const struct option repair_options[] = {
    // clang-format off
    { "status", 's', OPT_TEXT, AT(repair_args, status), "applied|reverted",
      "What the versions named are" },
    { "accept-changed", 0, OPT_LIST, AT(repair_args, accept), "<version>",
      "Take the file as it is now for what was applied; may be repeated" },
    SESSION_OPTIONS(repair_args, session),
    { 0 },
    // clang-format on
};

static const struct argument repair_arguments[] = {
    SESSION_ARGUMENT(repair_args, session),
    { "version", ARG_MANY, COMPLETE_NOTHING, AT(repair_args, versions),
      "Which migrations, by version" },
    { 0 },
};

const struct command cmd_migration_repair = {
    .name = "repair",
    .synopsis = "migration repair [environment] [version…]",
    .summary = "Correct the history; the schema is not touched",
    .description = "--status applied says that what the file does is in the database already; "
                   "--status reverted says that it is not there any more. --accept-changed says "
                   "that a file was changed after it was applied, and that the change means "
                   "nothing (a comment, for example). Nothing is run: if what you say is not true, "
                   "the next migration will find out.",
    .examples = "lockflight migration repair staging --status applied 20260314101500\n"
                "lockflight migration repair staging --accept-changed 20260314101500",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = repair_options,
    .arguments = repair_arguments,
    .args_size = sizeof(struct repair_args),
    .run = repair,
};
