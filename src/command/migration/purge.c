/*
 * `lockflight migration purge`: writes the later migration that really drops what `migration keep`
 * put aside. Shows it; writes it when asked. It runs like any other migration, in a release.
 */
#include "migrate/reverse/purge.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/output.h"
#include "command/migration/migration.h"
#include "command/migration/session.h"

struct purge_args {
    struct session_args session;
    bool write;
};

static bool write_pair(struct session *s, const struct purge *p, struct migration *ret,
                       struct err *e)
{
    return migration_create(s->c->arena, s->config.paths.migrations, s->config.paths.reverse,
                            "purge", ret, e) &&
           fs_replace(ret->file, str_of(p->up), 0644, e) &&
           fs_replace(ret->reverse_file, str_of(p->down), 0644, e);
}

static json_t *document(const struct purge *p, const struct migration *written)
{
    json_t *items = json_array();
    for (size_t i = 0; i < p->n; i++) {
        json_t *item = json_pack("{s:s}", "what", p->items[i].what);
        if (p->items[i].rows >= 0)
            (void)json_object_set_new(item, "rows", json_integer((json_int_t)p->items[i].rows));
        (void)json_array_append_new(items, item);
    }
    return json_pack("{s:o, s:s, s:s?, s:s?, s:s?, s:s?}", "items", items, "loss", "C", "sql",
                     p->up, "reverse_sql", p->down, "migration", written ? written->file : NULL,
                     "reverse", written ? written->reverse_file : NULL);
}

static void tell(struct command_context *c, const struct purge *p, const struct migration *written)
{
    if (p->n == 0) {
        print(&c->out, "There is nothing that was put aside.\n");
        return;
    }
    for (size_t i = 0; i < p->n; i++)
        if (p->items[i].rows >= 0)
            print(&c->err, "  drop  %s, %s\n", p->items[i].what,
                  text_count(c->arena, p->items[i].rows,
                             starts_with(p->items[i].what, "column") ? "value" : "row",
                             starts_with(p->items[i].what, "column") ? "values" : "rows"));
        else
            print(&c->err, "  drop  %s\n", p->items[i].what);
    print(&c->err,
          "Loss class C: the way back makes the structures again, not what was in them.\n");
    if (written)
        print(&c->out, "%s\n%s\n", written->file, written->reverse_file);
    else
        print(&c->out, "%s\nNothing is written yet; --write does it.\n", p->up);
}

static bool purge(struct command_context *c, void *args, struct err *e)
{
    struct purge_args *a = args;
    struct session s;
    const char *server = NULL;
    struct purge p = { 0 };
    struct migration m = { 0 };
    CLEANUP(pg) struct pg *db = NULL;
    CLEANUP(shadow) struct shadow *all = NULL;
    if (!session_open(c, &a->session, &s, e) || !session_server(&s, &server, e) ||
        (s.environment.database_url && !session_connect(&s, "purge", &db, e)) ||
        !shadow_open(&(struct shadow_spec){ .server_url = server, .set = &s.set }, c->arena, &all,
                     e) ||
        !purge_plan(all, db, c->arena, &p, e))
        return false;
    bool written = a->write && p.n > 0;
    if (written && !write_pair(&s, &p, &m, e))
        return false;
    if (c->wants_json)
        print_json(c, document(&p, written ? &m : NULL));
    else
        tell(c, &p, written ? &m : NULL);
    return true;
}

static const struct option purge_options[] = {
    { "write", 0, OPT_FLAG, AT(purge_args, write), NULL,
      "Write the migration and its reverse script; otherwise they are only shown" },
    SESSION_OPTIONS(purge_args, session),
    { 0 },
};

static const struct argument purge_arguments[] = {
    SESSION_ARGUMENT(purge_args, session),
    { 0 },
};

const struct command cmd_migration_purge = {
    .name = "purge",
    .synopsis = "migration purge [environment]",
    .summary = "Write the migration that drops for good what keep put aside",
    .description =
        "Tables in lockflight_gone, columns named _gone_…, and the copies of rows in "
        "lockflight_undo. Do it one or more releases after the migration that put them aside, when "
        "nobody will take that one back any more. With an environment only what is put aside there "
        "is taken, and counted.",
    .examples = "lockflight migration purge production\n"
                "lockflight migration purge production --write",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = purge_options,
    .arguments = purge_arguments,
    .args_size = sizeof(struct purge_args),
    .run = purge,
};
