/*
 * `lockflight migration keep`: rewrites a migration that destroys something so that it only puts it
 * out of sight, and can be taken back. Shows the change; writes it when asked.
 */
#include "migrate/reverse/keep.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/output.h"
#include "command/migration/migration.h"
#include "command/migration/session.h"
#include "migrate/shadow/shadow.h"

struct keep_args {
    struct session_args session;
    struct text_list versions;
    bool write;
};

/* A file that was applied stays as it was applied. */
static bool is_not_applied(struct session *s, const struct migration *m, struct err *e)
{
    CLEANUP(pg) struct pg *db = NULL;
    if (!s->environment.database_url)
        return true;
    if (!session_connect(s, "keep", &db, e) || !session_compare(s, db, e))
        return false;
    for (size_t i = 0; i < s->plan.n; i++)
        if (s->plan.v[i].row && streq(s->plan.v[i].row->version, m->version)) {
            err_set(e, ERR_BLOCKED, "%s is applied on %s: what it destroyed is gone", m->file,
                    s->where);
            return err_hint(e, "keep looks at migrations before they are applied");
        }
    return true;
}

static json_t *document(const struct migration *m, const struct keep *k, bool written)
{
    json_t *changes = json_array(), *refusals = json_array();
    for (size_t i = 0; i < k->n; i++)
        (void)json_array_append_new(
            changes,
            json_pack("{s:i, s:s, s:s, s:s?}", "line", (int)k->changes[i].line, "what",
                      k->changes[i].what, "sql", k->changes[i].text, "note", k->changes[i].note));
    for (size_t i = 0; i < k->refusal_count; i++)
        (void)json_array_append_new(
            refusals, json_pack("{s:i, s:s, s:s}", "line", (int)k->refusals[i].line, "what",
                                k->refusals[i].what, "why", k->refusals[i].why));
    return json_pack("{s:s, s:s, s:b, s:o, s:o}", "version", m->version, "file", m->file, "written",
                     written, "changes", changes, "refusals", refusals);
}

static void tell(struct command_context *c, const struct migration *m, const struct keep *k,
                 bool written)
{
    print(&c->out, "%s", keep_diff(c->arena, m, k));
    for (size_t i = 0; i < k->n; i++)
        if (k->changes[i].note)
            print(&c->err, "note: line %u, %s: %s\n", k->changes[i].line, k->changes[i].what,
                  k->changes[i].note);
    if (k->n == 0 && k->refusal_count == 0)
        print(&c->out, "%s destroys nothing that was there before.\n", m->file);
    else if (written)
        print(&c->out, "Written to %s. Next: lockflight migration reverse %s\n", m->file,
              m->version);
    else if (k->refusal_count == 0)
        print(&c->out, "Nothing is written yet; --write does it.\n");
}

static bool refused(const struct migration *m, const struct keep *k, struct err *e)
{
    const struct keep_refusal *r = &k->refusals[0];
    err_set(e, ERR_BLOCKED, "%s cannot be kept: %s", r->what, r->why);
    if (k->refusal_count > 1)
        err_state(e, "%zu more statements of the file cannot be kept either; --json lists them",
                  k->refusal_count - 1);
    return err_where(e, "%s:%u", m->file, r->line);
}

static bool keep(struct command_context *c, void *args, struct err *e)
{
    struct keep_args *a = args;
    struct session s;
    const char *server = NULL;
    CLEANUP(shadow) struct shadow *before = NULL;
    struct keep k = { 0 };
    session_shift_version(c->arena, &a->session, &a->versions);
    if (a->versions.n != 1)
        return err_set(e, ERR_USAGE, "which migration? Name one version");
    if (!session_open(c, &a->session, &s, e))
        return false;
    const struct migration *m = migration_find(&s.set, a->versions.v[0]);
    if (!m)
        return err_set(e, ERR_USAGE, "there is no migration %s in %s", a->versions.v[0],
                       s.config.paths.migrations);
    if (!is_not_applied(&s, m, e) || !session_server(&s, &server, e) ||
        !shadow_open(&(struct shadow_spec){ server, &s.set, m->version }, c->arena, &before, e) ||
        !keep_plan(shadow_db(before), c->arena, m, &k, e))
        return false;
    bool written = a->write && k.n > 0 && k.refusal_count == 0;
    if (written && !fs_replace(m->file, k.text, 0644, e))
        return false;
    if (c->wants_json)
        print_json(c, document(m, &k, written));
    else
        tell(c, m, &k, written);
    return k.refusal_count == 0 || refused(m, &k, e);
}

static const struct option keep_options[] = {
    { "write", 0, OPT_FLAG, AT(keep_args, write), NULL,
      "Write the file; otherwise it is only shown" },
    SESSION_OPTIONS(keep_args, session),
    { 0 },
};

static const struct argument keep_arguments[] = {
    SESSION_ARGUMENT(keep_args, session),
    { "version", ARG_MANY, COMPLETE_NOTHING, AT(keep_args, versions), "The migration" },
    { 0 },
};

const struct command cmd_migration_keep = {
    .name = "keep",
    .synopsis = "migration keep [environment] <version>",
    .summary = "Rewrite a migration so that what it would destroy can be brought back",
    .description =
        "DROP COLUMN becomes a rename, DROP TABLE a move to schema lockflight_gone, and rows that "
        "UPDATE, DELETE, TRUNCATE, MERGE or an upsert write over are copied to lockflight_undo "
        "first: "
        "plain SQL in the file, shown here and written with --write. `migration purge` makes the "
        "later migration that really drops it all. Ends with 5 if something cannot be kept.",
    .examples = "lockflight migration keep 20260314100500\n"
                "lockflight migration keep 20260314100500 --write",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = keep_options,
    .arguments = keep_arguments,
    .args_size = sizeof(struct keep_args),
    .run = keep,
};
