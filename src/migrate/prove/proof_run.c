/*
 * One run of the proof: see proof.h for the order. Every script is run as in a session of its own.
 */
#include "migrate/prove/inside.h"

#define ROWS_AFTER 40 /* numbers of the rows written through the new shape begin here */

/* ---- scripts ---- */

static bool fresh_session(struct run *r, struct err *e)
{
    return pg_exec(r->db, "RESET SESSION AUTHORIZATION", PG_NONE, NULL, e) &&
           pg_exec(r->db, "RESET ALL", PG_NONE, NULL, e);
}

static bool run_inside(struct run *r, const char *file, struct str sql, bool *ret_ran,
                       struct err *why, struct err *e)
{
    *why = (struct err){ 0 };
    if (!pg_exec(r->db, "SAVEPOINT lockflight_script", PG_NONE, NULL, e) || !fresh_session(r, e))
        return false;
    *ret_ran = shadow_run_inside(r->s, file, sql, why) &&
               pg_exec(r->db, "SET CONSTRAINTS ALL IMMEDIATE", PG_NONE, NULL, why);
    if (!*ret_ran) {
        if (!pg_is_alive(r->db) || !pg_in_transaction(r->db)) {
            *e = *why;
            return false;
        }
        return pg_exec(r->db, "ROLLBACK TO lockflight_script", PG_NONE, NULL, e);
    }
    return fresh_session(r, e) && pg_exec(r->db, "DISCARD TEMP", PG_NONE, NULL, e) &&
           pg_exec(r->db, "RELEASE lockflight_script", PG_NONE, NULL, e);
}

bool run_script(struct run *r, const char *file, struct str sql, bool *ret_ran, struct err *why,
                struct err *e)
{
    if (r->inside)
        return run_inside(r, file, sql, ret_ran, why, e);
    *why = (struct err){ 0 };
    *ret_ran = shadow_run(r->s, file, sql, why);
    if (*ret_ran || pg_is_alive(r->db))
        return *ret_ran || pg_session_reset(r->db, e);
    *e = *why;
    return false;
}

/* Runs what the proof depends on. Refused: r->failed, and nothing more is to be done. */
static bool must_run(struct run *r, const char *file, struct str sql, const char *failed,
                     struct err *e)
{
    bool ran = false;
    if (!run_script(r, file, sql, &ran, &r->why, e))
        return false;
    if (!ran)
        r->failed = failed;
    return true;
}

/* Runs it a second time, to tell what that would do, and takes it back. */
static bool try_twice(struct run *r, const char *file, struct str sql,
                      const struct catalogue *expected, const char *what, struct err *e)
{
    bool ran = false;
    struct err refusal;
    char digest[SHA256_HEX_BYTES];
    if (!r->inside) /* a refused script would leave half of itself */
        return true;
    if (!pg_exec(r->db, "SAVEPOINT lockflight_twice", PG_NONE, NULL, e) ||
        !run_script(r, file, sql, &ran, &refusal, e) ||
        (ran && !catalogue_digest(r->db, digest, e)))
        return false;
    if (ran && !streq(digest, expected->digest))
        *vec_add(&r->notes, r->a) =
            arena_printf(r->a, "run twice, %s would change the schema again", what);
    return pg_exec(r->db, "ROLLBACK TO lockflight_twice", PG_NONE, NULL, e);
}

/* ---- rows ---- */

/* In a transaction, ours or one of its own. */
static bool seed(struct run *r, unsigned from, struct seed_report *ret, struct err *e)
{
    if (!r->inside && !pg_begin(r->db, e))
        return false;
    struct seed_spec spec = {
        .oids = r->oids.v,
        .n = r->oids.n,
        .from = from,
        .wanted = r->wanted,
        .texts = r->texts,
    };
    bool ok = seed_tables(r->db, r->a, &spec, ret, e) && (r->inside || pg_commit(r->db, e));
    if (!ok)
        pg_rollback(r->db);
    return ok;
}

static bool rows(struct run *r, struct content *ret, struct err *e)
{
    return content_read(r->db, r->a, &r->tables, false, ret, e);
}

static bool places(struct run *r, struct content *ret, struct err *e)
{
    return content_read(r->db, r->a, &r->tables, true, ret, e);
}

static bool begin_rows(struct run *r, struct err *e)
{
    if (r->with_rows && !seed(r, 0, &r->seeded, e))
        return false;
    for (size_t i = 0; i < r->seeded.untouched.n; i++)
        *vec_add(&r->notes, r->a) =
            arena_printf(r->a, "no rows could be made for %s", r->seeded.untouched.v[i]);
    return content_tables(r->db, r->a, r->oids.v, r->oids.n, &r->tables, e) &&
           rows(r, &r->rows_before, e) && content_blind(r->db, r->a, &r->tables, &r->blind, e);
}

/* Rows written while the migration was in, then the way back. */
static bool write_and_return(struct run *r, struct err *e)
{
    struct seed_report written;
    struct err refusal;
    struct content there, places_there; /* what the way back does to these has been seen */
    bool ran = false;
    if (!touched_add(r, e) || !rows(r, &there, e) || !places(r, &places_there, e) ||
        !seed(r, ROWS_AFTER, &written, e) || !rows(r, &r->rows_written, e) ||
        !places(r, &r->places_written, e))
        return false;
    content_without(r->a, &r->tables, &r->rows_written, &there);
    content_without(r->a, &r->tables, &r->places_written, &places_there);
    if (!run_script(r, r->m->reverse_file, r->m->reverse_sql, &ran, &refusal, e))
        return false;
    if (!ran) {
        *vec_add(&r->notes, r->a) =
            arena_printf(r->a, "with rows written after the migration the reverse script stops: %s",
                         refusal.why);
        return true;
    }
    r->was_written = true;
    return rows(r, &r->rows_end, e) && places(r, &r->places_end, e);
}

/* ---- the whole ---- */

/* "where state = 'old' …" of every statement that changes or removes rows. */
static const char *conditions(const struct run *r)
{
    const char *all = "";
    for (size_t i = 0; i < r->up.n; i++) {
        const struct sql_statement *s = &r->up.statements[i];
        const char *text = str_dup(r->a, s->text);
        const char *where = strcasestr(text, "where");
        if (where && (starts_with(s->what, "UPDATE") || starts_with(s->what, "DELETE") ||
                      starts_with(s->what, "MERGE")))
            all = arena_printf(r->a, "%s %s", all, where);
    }
    return all;
}

bool run_pair(struct run *r, struct err *e)
{
    const struct migration *m = r->m;
    r->wanted = conditions(r);
    if (!touched_find(r, e) || !begin_rows(r, e) || !catalogue_read(r->db, r->a, &r->before, e) ||
        !columns_read(r->db, r->a, &r->columns_before, e) ||
        !must_run(r, m->file, m->sql, "the migration does not run", e))
        return false;
    if (r->failed)
        return true;
    r->migration_ran = true;
    if (!catalogue_read(r->db, r->a, &r->after, e) ||
        !columns_read(r->db, r->a, &r->columns_after, e) || !rows(r, &r->rows_after, e) ||
        !must_run(r, m->reverse_file, m->reverse_sql, "the reverse script does not run", e))
        return false;
    if (r->failed)
        return true;
    if (!catalogue_read(r->db, r->a, &r->back, e) ||
        !columns_read(r->db, r->a, &r->columns_back, e) || !rows(r, &r->rows_back, e))
        return false;

    struct catalogue_change *changes;
    size_t n;
    if (!catalogue_changes(r->a, &r->before, &r->back, &changes, &n, e))
        return false;
    residue_take(r->a, &r->residue, changes, &n); /* marks the labels that are still there */
    r->is_back = n == 0;
    if (!r->is_back)
        return true;
    if (!try_twice(r, m->reverse_file, m->reverse_sql, &r->back, "the reverse script", e))
        return false;
    if (!must_run(r, m->file, residue_without_labels(r->a, &r->up, &r->residue),
                  "after its reverse script the migration does not run again", e))
        return false;
    if (r->failed)
        return true;
    return catalogue_read(r->db, r->a, &r->again, e) &&
           try_twice(r, m->file, m->sql, &r->again, "the migration", e) && write_and_return(r, e);
}
