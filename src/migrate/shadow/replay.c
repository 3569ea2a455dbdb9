/*
 * Running a file on a scratch database: in one transaction where every statement allows it, else one
 * by one. No locks to wait for, no history, nobody to tell.
 *
 * An extension that this server does not have is left out and noted: what depends on it fails by
 * itself, what does not is looked at as usual.
 */
#include "migrate/shadow/inside.h"
#include "migrate/sql/script.h"

#include <ctype.h>
#include <stdio.h>

/* ---- errors with a place ---- */

/* The server counts characters from the start of the statement; people want a place in the file. */
static size_t offset_of(const struct sql_statement *s, int position)
{
    size_t i = 0;
    if (position <= 0)
        return s->offset;
    for (int characters = 0; i < s->text.n; i++)
        if (((unsigned char)s->text.p[i] & 0xc0) != 0x80 && ++characters == position)
            break;
    return s->offset + i;
}

static bool failed(const char *file, struct str sql, const struct sql_statement *s, int position,
                   struct err *e)
{
    if (e->code != ERR_DB)
        return err_wrap(e, "run %s", file);
    struct err cause = *e;
    sql_error_at(e, ERR_DB, file, sql, offset_of(s, position), "%s", cause.why);
    (void)snprintf(e->sqlstate, sizeof e->sqlstate, "%s", cause.sqlstate);
    return false;
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

static void leave_out(struct arena *a, struct shadow_notes *notes, const char *extension,
                      const struct err *why)
{
    *vec_add(&notes->extensions, a) = extension;
    *vec_add(&notes->list, a) =
        arena_printf(a, "extension %s was left out: %s", extension, why->why);
}

/* A statement about an extension: tried under a savepoint, forgiven where it can only be the
 * server's fault. */
static bool run_extension(struct pg *db, struct arena *a, const struct sql_statement *s,
                          const char *extension, bool creates, struct shadow_notes *notes,
                          int *position, struct err *e)
{
    bool inside = pg_in_transaction(db);
    if (inside && !pg_exec(db, "SAVEPOINT lockflight_extension", PG_NONE, NULL, e))
        return false;
    if (pg_run(db, str_dup(a, s->text), position, e))
        return !inside || pg_exec(db, "RELEASE lockflight_extension", PG_NONE, NULL, e);
    bool is_forgiven = e->code == ERR_DB && !streq(e->sqlstate, "42601") &&
                       (creates ? !streq(e->sqlstate, "42710") : is_left_out(notes, extension));
    if (!is_forgiven)
        return false;
    if (creates && !is_left_out(notes, extension))
        leave_out(a, notes, extension, e);
    err_clear(e);
    return !inside || pg_exec(db, "ROLLBACK TO lockflight_extension", PG_NONE, NULL, e);
}

/* ---- files ---- */

static bool run_all(struct pg *db, struct arena *a, const char *file, struct str sql,
                    const struct sql_statement *v, size_t n, struct shadow_notes *notes,
                    struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        int position = 0;
        bool creates = false;
        const char *extension = extension_of(a, &v[i], &creates);
        bool ok = extension ? run_extension(db, a, &v[i], extension, creates, notes, &position, e)
                            : pg_run(db, str_dup(a, v[i].text), &position, e);
        if (!ok)
            return failed(file, sql, &v[i], position, e);
    }
    return true;
}

bool replay_inside(struct pg *db, struct arena *a, const char *file, struct str sql,
                   struct shadow_notes *notes, struct err *e)
{
    struct sql_script s;
    return sql_script_read(a, file, sql, &s, e) &&
           run_all(db, a, file, sql, s.statements, s.n, notes, e);
}

bool replay_script(struct pg *db, struct arena *a, const char *file, struct str sql,
                   struct shadow_notes *notes, struct err *e)
{
    struct sql_script s;
    if (!sql_script_read(a, file, sql, &s, e) || !pg_exec(db, "RESET ALL", PG_NONE, NULL, e) ||
        (s.is_transactional && !pg_begin(db, e)))
        return false;
    if (!run_all(db, a, file, sql, s.statements, s.n, notes, e) ||
        (s.is_transactional && !pg_commit(db, e))) {
        pg_rollback(db);
        return false;
    }
    pg_rollback(db); /* a file with a BEGIN of its own may have left one open */
    return pg_session_reset(db, e);
}
