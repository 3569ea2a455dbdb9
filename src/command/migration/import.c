/*
 * `lockflight migration import`: takes over what another tool kept. Each file becomes a migration
 * and its reverse script; nothing is run, and the source is not touched.
 */
#include "base/fs.h"
#include "cli/output.h"
#include "command/migration/migration.h"
#include "command/migration/session.h"
#include "migrate/foreign.h"

struct import_args {
    struct session_args session;
    const char *dir;
    bool write;
};

struct target {
    const char *up, *down;
    bool is_there; /* with the same bytes */
};

static bool has_bytes(struct arena *a, const char *file, struct str wanted, bool *ret,
                      struct err *e)
{
    struct str now;
    *ret = fs_exists(file);
    if (!*ret)
        return true;
    if (!fs_read(a, file, wanted.n + 1, &now, e) || !str_eq(now, wanted)) {
        err_set(e, ERR_CONFLICT, "%s is there already, and says something else", file);
        return err_hint(e, "import into an empty folder: --migrations <dir>");
    }
    return true;
}

/* Where everything goes; refused before anything is written. */
static bool aim(const struct session *s, const struct foreign_set *set, struct target *to,
                struct err *e)
{
    struct arena *a = s->c->arena;
    for (size_t i = 0; i < set->n; i++) {
        const struct foreign_migration *m = &set->v[i];
        const char *name = arena_printf(a, "%s_%s.sql", m->version, m->name);
        bool has_down = true;
        to[i].up = fs_join(a, s->config.paths.migrations, name);
        to[i].down = fs_join(a, s->config.paths.reverse, name);
        if (!has_bytes(a, to[i].up, m->up, &to[i].is_there, e) ||
            (m->has_down && !has_bytes(a, to[i].down, m->down, &has_down, e)))
            return false;
        to[i].is_there = to[i].is_there && has_down;
    }
    return true;
}

static bool write_all(const struct session *s, const struct foreign_set *set,
                      const struct target *to, struct err *e)
{
    if (!fs_mkdirs(s->config.paths.migrations, 0755, e) ||
        !fs_mkdirs(s->config.paths.reverse, 0755, e))
        return false;
    for (size_t i = 0; i < set->n; i++)
        if (!fs_replace(to[i].up, set->v[i].up, 0644, e) ||
            (set->v[i].has_down && !fs_replace(to[i].down, set->v[i].down, 0644, e)))
            return false;
    return true;
}

static void tell(const struct session *s, const struct foreign_set *set, const struct target *to,
                 bool is_written)
{
    struct command_context *c = s->c;
    size_t new_ones = 0;
    struct table *t = table_new(c->arena, 3);
    table_head(t, "from", "to", "reverse", NULL);
    for (size_t i = 0; i < set->n; i++) {
        new_ones += !to[i].is_there;
        table_cell(t, STYLE_FAINT, "%s", set->v[i].file);
        table_cell(t, STYLE_STRONG, "%s%s", to[i].up, to[i].is_there ? " (is there)" : "");
        table_cell(t, set->v[i].has_down ? STYLE_PLAIN : STYLE_WARN, "%s",
                   set->v[i].has_down ? "yes" : "none");
    }
    table_print(t, &c->out);
    print(&c->out, "%s %s.\n", text_count(c->arena, (int64_t)new_ones, "migration", "migrations"),
          is_written ? "written" : "to write: add --write");
}

static json_t *document(const struct foreign_set *set, const struct target *to, bool is_written)
{
    json_t *list = json_array();
    for (size_t i = 0; i < set->n; i++)
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s*, s:b}", "version",
                                                    set->v[i].version, "from", set->v[i].file,
                                                    "migration", to[i].up, "reverse",
                                                    set->v[i].has_down ? to[i].down : NULL,
                                                    "is_there", (int)to[i].is_there));
    return json_pack("{s:b, s:o}", "written", (int)is_written, "migrations", list);
}

static bool import(struct command_context *c, void *args, struct err *e)
{
    struct import_args *a = args;
    struct session s;
    struct foreign_set set;
    a->session.makes_folders = true;
    if (!session_paths(c, &a->session, &s, e) || !foreign_read(c->arena, a->dir, &set, e))
        return false;
    for (size_t i = 0; i < set.skipped_count; i++)
        print_styled(&c->err, STYLE_WARN, "%s\n", set.skipped[i]);
    struct target *to = ARENA_ARRAY(c->arena, struct target, set.n + 1);
    if (!aim(&s, &set, to, e) || (a->write && !write_all(&s, &set, to, e)))
        return false;
    if (c->wants_json)
        print_json(c, document(&set, to, a->write));
    else
        tell(&s, &set, to, a->write);
    return true;
}

static const struct option import_options[] = {
    { "write", 'w', OPT_FLAG, AT(import_args, write), NULL, "Write them; otherwise only shown" },
    SESSION_FILE_OPTIONS(import_args, session),
    { 0 },
};

static const struct argument import_arguments[] = {
    { "dir", ARG_ONE, COMPLETE_FILE, AT(import_args, dir), "Where the other tool keeps its files" },
    { 0 },
};

const struct command cmd_migration_import = {
    .name = "import",
    .synopsis = "migration import <dir>",
    .summary = "Take over the migrations of another tool",
    .description = "Reads dbmate, golang-migrate, goose, sql-migrate and plain files, and makes a "
                   "migration and a reverse script of each. Versions and bytes stay. Nothing is "
                   "run; where they are applied already, `migration baseline` says so.",
    .examples = "lockflight migration import db/migrations\n"
                "lockflight migration import db/migrations --write",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = import_options,
    .arguments = import_arguments,
    .args_size = sizeof(struct import_args),
    .run = import,
};
