/*
 * `lockflight migration reverse`: generates reverse scripts, proves each, and shows or writes them.
 * A script that somebody wrote is never touched without --force.
 */
#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/output.h"
#include "command/migration/migration.h"
#include "command/migration/session.h"
#include "migrate/prove/generated.h"
#include "migrate/sql/script.h"

struct reverse_args {
    struct session_args session;
    struct text_list versions;
    const char *server_url;
    bool write;
    bool force;
    bool check;
};

/* What became of one migration. */
struct outcome {
    const struct migration *m;
    struct reverse_script script;
    struct proof proof; /* if there is a script */
    bool is_stub;       /* the file is missing, or has comments only */
    bool is_same;       /* the file has these bytes */
    bool is_written;
};

struct reversing {
    struct command_context *c;
    const struct reverse_args *args;
    json_t *list;
    size_t chosen, bad, written;
};

/* ---- which ---- */

static bool is_stub(struct arena *a, const struct migration *m, struct err *e, bool *ret)
{
    struct sql_script script;
    *ret = true;
    if (!m->has_reverse)
        return true;
    if (!sql_script_read(a, m->reverse_file, m->reverse_sql, &script, e))
        return false;
    *ret = script.n == 0;
    return true;
}

/* Named versions; else those whose script is missing or empty, or for --check all. */
static bool choose(struct session *s, const struct reverse_args *a, bool *wanted, struct err *e)
{
    for (size_t i = 0; i < a->versions.n; i++) {
        const struct migration *m = migration_find(&s->set, a->versions.v[i]);
        if (!m)
            return err_set(e, ERR_USAGE, "there is no migration %s in %s", a->versions.v[i],
                           s->config.paths.migrations);
        wanted[m - s->set.v] = true;
    }
    for (size_t i = 0; a->versions.n == 0 && i < s->set.n; i++) {
        if (!is_stub(s->c->arena, &s->set.v[i], e, &wanted[i]))
            return false;
        wanted[i] |= a->check;
    }
    return true;
}

/* ---- telling ---- */

static const char *state_of(const struct outcome *o)
{
    return o->script.refusal ? "refused"
           : o->is_written   ? "written"
           : o->is_stub      ? "proven"
           : o->is_same      ? "up to date"
                             : "another";
}

/* What there is to read: the script, or what is left of a refused one. */
static const char *text_of(const struct outcome *o)
{
    return o->script.sql ? o->script.sql : o->script.draft;
}

static json_t *document(struct arena *a, const struct outcome *o)
{
    json_t *notes = json_array();
    for (size_t i = 0; i < o->script.note_count; i++)
        (void)json_array_append_new(notes, json_string(o->script.notes[i]));
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s#, s:s?, s:s?, s:b, s:b, s:o, s:o}", "version",
                     o->m->version, "file", o->m->file, "reverse", o->m->reverse_file, "state",
                     state_of(o), "refusal", o->script.refusal, "loss", &o->script.loss, 1,
                     "loss_text", o->script.loss_text, "sql", text_of(o), "proven",
                     o->script.sql != NULL, "written", o->is_written, "notes", notes, "proof",
                     text_of(o) ? proof_json(a, &o->proof) : json_null());
}

static void tell(struct reversing *x, const struct outcome *o)
{
    struct command_context *c = x->c;
    if (text_of(o) && !x->args->write && !x->args->check)
        print(&c->out, "%s%s", x->chosen > 1 ? "\n" : "", text_of(o));
    bool is_good = !o->script.refusal;
    print_styled(&c->err, is_good ? STYLE_GOOD : STYLE_BAD, "%-10s", state_of(o));
    print(&c->err, " %s  ", o->m->reverse_file);
    if (o->script.refusal)
        print(&c->err, "%s", o->script.refusal);
    else
        print(&c->err, "%c: %s", o->script.loss, o->script.loss_text);
    print(&c->err, "\n");
    for (size_t i = 0; o->script.draft && i < o->proof.change_count; i++)
        print(&c->err, "           %s\n", proof_change_text(c->arena, &o->proof.changes[i]));
    if (x->args->write && !o->is_written && is_good && !o->is_same)
        print(&c->err, "           somebody wrote that file; --force replaces it\n");
}

/* ---- one ---- */

static bool write_script(struct reversing *x, struct outcome *o, struct err *e)
{
    bool may = (o->is_stub && o->script.sql) || x->args->force;
    if (!x->args->write || !may || o->is_same)
        return true;
    const char *slash = strrchr(o->m->reverse_file, '/');
    const char *dir =
        slash ? arena_strndup(x->c->arena, o->m->reverse_file, (size_t)(slash - o->m->reverse_file))
              : ".";
    if (!fs_mkdirs(dir, 0755, e) || !fs_replace(o->m->reverse_file, str_of(text_of(o)), 0644, e))
        return false;
    o->is_written = true;
    x->written++;
    return true;
}

static bool reverse_one(struct reversing *x, struct shadow *before, const struct migration *m,
                        struct err *e)
{
    struct arena *a = x->c->arena;
    struct outcome o = { .m = m };
    if (!is_stub(a, m, e, &o.is_stub) || !generated_prove(before, a, m, &o.script, &o.proof, e))
        return false;
    if (text_of(&o)) {
        o.is_same = m->has_reverse && str_is(m->reverse_sql, text_of(&o));
        if (!write_script(x, &o, e))
            return false;
    }
    x->bad += !o.script.sql || (x->args->check && (o.is_stub || !o.is_same));
    if (x->c->wants_json)
        (void)json_array_append_new(x->list, document(a, &o));
    else
        tell(x, &o);
    return true;
}

/* ---- all ---- */

/* One scratch database walks through the set as far as it must. */
static bool walk(struct reversing *x, const struct session *s, const char *server,
                 const bool *wanted, struct err *e)
{
    size_t first = 0, last = 0;
    for (size_t i = 0; i < s->set.n; i++) {
        if (!wanted[i])
            continue;
        first = x->chosen++ ? first : i;
        last = i;
    }
    if (x->chosen == 0)
        return true;
    CLEANUP(shadow) struct shadow *shadow = NULL;
    struct shadow_spec spec = { server, &s->set, s->set.v[first].version };
    if (!shadow_open(&spec, x->c->arena, &shadow, e))
        return false;
    for (size_t i = first; i <= last; i++)
        if ((wanted[i] && !reverse_one(x, shadow, &s->set.v[i], e)) ||
            (i < last && !shadow_advance(shadow, &s->set.v[i], e)))
            return err_wrap(e, "reverse %s", s->set.v[i].file);
    return true;
}

static bool reverse(struct command_context *c, void *args, struct err *e)
{
    struct reverse_args *a = args;
    struct session s;
    const char *server = a->server_url;
    struct reversing x = { .c = c, .args = a };
    session_shift_version(c->arena, &a->session, &a->versions);
    if (!session_open(c, &a->session, &s, e) || (!server && !session_server(&s, &server, e)))
        return false;
    bool *wanted = ARENA_ARRAY(c->arena, bool, s.set.n + 1);
    if (!choose(&s, a, wanted, e))
        return false;
    x.list = c->wants_json ? json_array() : NULL;
    if (!walk(&x, &s, server, wanted, e)) {
        json_decref(x.list);
        return false;
    }
    if (c->wants_json)
        print_json(c, json_pack("{s:I, s:I, s:o}", "chosen", (json_int_t)x.chosen, "written",
                                (json_int_t)x.written, "scripts", x.list));
    else if (x.chosen == 0)
        print(&c->err, "Every migration has a reverse script.\n");
    if (x.bad == 0)
        return true;
    if (c->wants_json) { /* the document has said it */
        answer_refuses(c);
        return true;
    }
    return a->check ? err_set(e, ERR_BLOCKED,
                              "%zu of %zu reverse scripts are not what would be "
                              "generated now",
                              x.bad, x.chosen)
                    : err_set(e, ERR_BLOCKED, "%zu of %zu have no proven reverse script", x.bad,
                              x.chosen);
}

static const struct option reverse_options[] = {
    { "write", 'w', OPT_FLAG, AT(reverse_args, write), NULL,
      "Write them; otherwise they are only shown" },
    { "force", 0, OPT_FLAG, AT(reverse_args, force), NULL,
      "Replace what somebody wrote, and write what is not proven" },
    { "check", 0, OPT_FLAG, AT(reverse_args, check), NULL,
      "Compare with the files and show what differs" },
    { "server", 0, OPT_TEXT, AT(reverse_args, server_url), "<url>",
      "Make the scratch databases on this server" },
    SESSION_OPTIONS(reverse_args, session),
    { 0 },
};

static const struct argument reverse_arguments[] = {
    SESSION_ARGUMENT(reverse_args, session),
    { "version", ARG_MANY, COMPLETE_NOTHING, AT(reverse_args, versions),
      "Migrations (default: those whose reverse script is missing or empty)" },
    { 0 },
};

const struct command cmd_migration_reverse = {
    .name = "reverse",
    .synopsis = "migration reverse [environment] [version…]",
    .summary = "Generate the scripts that take migrations back, and prove them",
    .description =
        "The migration runs on a scratch database, and the way back is found there, step by step. "
        "Each script says what it cannot restore (-- loss: A, B, C or D), and is proved before it "
        "is shown. Ends with 5 if one of them was refused.",
    .examples = "lockflight migration reverse 20260314100500\n"
                "lockflight migration reverse --write\n"
                "lockflight migration reverse --migrations db/migrations --database-url "
                "env:DATABASE_URL",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = reverse_options,
    .arguments = reverse_arguments,
    .args_size = sizeof(struct reverse_args),
    .run = reverse,
};
