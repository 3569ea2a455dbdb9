/*
 * Running a file on a scratch database: in one transaction where every statement allows it, else one
 * by one. No locks to wait for, no history, nobody to tell.
 *
 * An extension that this server does not have is left out and noted: what depends on it fails by
 * itself, what does not is looked at as usual.
 */
#include "base/cleanup.h"
#include "migrate/shadow/inside.h"
#include "migrate/sql/script.h"

#include <ctype.h>
#include <stdio.h>

/* ---- errors with a place ---- */

static bool failed(const char *file, struct str sql, const struct sql_statement *s, int position,
                   struct err *e)
{
    if (e->code != ERR_DB)
        return err_wrap(e, "run %s", file);
    return sql_refused_at(e, file, sql, s, position);
}

/* ---- extensions ---- */

/* The n-th word of a statement, lower case; quotes are dropped. */
static struct str word(struct arena *a, struct str *rest)
{
    struct str text = str_trim(*rest);
    size_t n = 0;
    while (n < text.n && !isspace((unsigned char)text.p[n]) && text.p[n] != ';')
        n++;
    *rest = (struct str){ text.p + n, text.n - n };
    if (n >= 2 && text.p[0] == '"' && text.p[n - 1] == '"')
        return (struct str){ text.p + 1, n - 2 };
    char *lower = arena_strndup(a, text.p, n);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return str_of(lower);
}

/* The name in CREATE, ALTER, DROP or COMMENT ON EXTENSION; NULL for everything else. */
static const char *extension_of(struct arena *a, const struct sql_statement *s, bool *ret_creates)
{
    struct str rest = s->text;
    struct str verb = word(a, &rest);
    *ret_creates = str_is(verb, "create");
    bool is_comment = str_is(verb, "comment");
    if (!*ret_creates && !is_comment && !str_is(verb, "alter") && !str_is(verb, "drop"))
        return NULL;
    struct str next = word(a, &rest);
    if (is_comment)
        next = word(a, &rest);
    if (!str_is(next, "extension"))
        return NULL;
    next = word(a, &rest);
    while (str_is(next, "if") || str_is(next, "not") || str_is(next, "exists"))
        next = word(a, &rest);
    return str_dup(a, next);
}

static bool is_left_out(const struct shadow_notes *notes, const char *extension)
{
    for (size_t i = 0; i < notes->extensions.n; i++)
        if (streq(notes->extensions.v[i], extension))
            return true;
    return false;
}

static void leave_out(struct shadow_notes *notes, const char *extension, const struct err *why)
{
    struct arena *a = notes->a;
    *vec_add(&notes->extensions, a) = arena_strdup(a, extension);
    *vec_add(&notes->list, a) =
        arena_printf(a, "extension %s was left out: %s", extension, why->why);
}

/* One file being run. */
struct replaying {
    struct pg *db;
    struct arena *a;
    const struct sql_script *script;
    struct shadow_notes *notes;
    int position; /* in the statement that failed, as the server says it */
};

/* A statement about an extension: tried under a savepoint, forgiven where it can only be the
 * server's fault. */
static bool run_extension(struct replaying *r, const struct sql_statement *s, const char *extension,
                          bool creates, struct err *e)
{
    bool inside = pg_in_transaction(r->db);
    if (inside && !pg_exec(r->db, "SAVEPOINT lockflight_extension", PG_NONE, NULL, e))
        return false;
    if (pg_run(r->db, str_dup(r->a, s->text), &r->position, e))
        return !inside || pg_exec(r->db, "RELEASE lockflight_extension", PG_NONE, NULL, e);
    bool is_known = is_left_out(r->notes, extension);
    bool is_forgiven = e->code == ERR_DB && !streq(e->sqlstate, "42601") &&
                       (creates ? !streq(e->sqlstate, "42710") : is_known);
    if (!is_forgiven)
        return false;
    if (creates && !is_known)
        leave_out(r->notes, extension, e);
    err_clear(e);
    return !inside || pg_exec(r->db, "ROLLBACK TO lockflight_extension", PG_NONE, NULL, e);
}

/* ---- files ---- */

static bool run_all(struct replaying *r, struct err *e)
{
    for (size_t i = 0; i < r->script->n; i++) {
        const struct sql_statement *s = &r->script->statements[i];
        bool creates = false;
        const char *extension = extension_of(r->a, s, &creates);
        r->position = 0;
        bool ok = extension ? run_extension(r, s, extension, creates, e)
                            : pg_run(r->db, str_dup(r->a, s->text), &r->position, e);
        if (!ok)
            return failed(r->script->file, r->script->text, s, r->position, e);
    }
    return true;
}

bool replay_inside(struct pg *db, const char *file, struct str sql, struct shadow_notes *notes,
                   struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0); /* trees are large, and there may be hundreds */
    struct sql_script s;
    struct replaying r = { .db = db, .a = a, .script = &s, .notes = notes };
    return sql_script_read(a, file, sql, &s, e) && run_all(&r, e);
}

bool replay_script(struct pg *db, const char *file, struct str sql, struct shadow_notes *notes,
                   struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0); /* trees are large, and there may be hundreds */
    struct sql_script s;
    struct replaying r = { .db = db, .a = a, .script = &s, .notes = notes };
    if (!sql_script_read(a, file, sql, &s, e) || !pg_exec(db, "RESET ALL", PG_NONE, NULL, e) ||
        (s.is_transactional && !pg_begin(db, e)))
        return false;
    if (!run_all(&r, e) || (s.is_transactional && !pg_commit(db, e))) {
        pg_rollback(db);
        return false;
    }
    pg_rollback(db); /* a file with a BEGIN of its own may have left one open */
    return pg_session_reset(db, e);
}
