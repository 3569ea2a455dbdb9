/*
 * The proof: see proof.h. One transaction is tried first; what that cannot hold runs on a clone; rows
 * that stand in the migration's way are left out and that is told.
 */
#include "migrate/prove/proof.h"

#include "base/clock.h"
#include "base/json.h"
#include "migrate/prove/inside.h"

#include <assert.h>

/* What one transaction cannot do although every statement alone could: pending trigger events, an enum
 * value used too early, a COMMIT inside a procedure. */
static bool needs_clone(const struct err *why)
{
    static const char *const states[] = { "25001", "55006", "55P04", "2D000", "0B000", NULL };
    for (const char *const *s = states; *s; s++)
        if (streq(why->sqlstate, *s))
            return true;
    return false;
}

/* A value or a constraint: real rows may well fit where ours do not. */
static bool rows_are_in_the_way(const struct err *why)
{
    return starts_with(why->sqlstate, "22") || starts_with(why->sqlstate, "23");
}

static bool run_once(struct run *r, struct proof *p, struct err *e)
{
    struct shadow *on = r->s, *fork = NULL;
    if (!r->inside) {
        if (!shadow_fork(on, &fork, e))
            return false;
        r->s = fork;
    }
    r->db = shadow_db(r->s);
    bool ok = (!r->inside || pg_begin(r->db, e)) && run_pair(r, e) && verdict(r, p, e);
    if (r->inside) {
        pg_rollback(r->db);
        ok = ok && pg_session_reset(r->db, e);
    }
    shadow_close(fork);
    r->s = on;
    return ok;
}

static struct run fresh(const struct run *base, bool inside, bool with_rows, enum seed_texts texts)
{
    return (struct run){ .s = base->s,
                         .a = base->a,
                         .m = base->m,
                         .up = base->up,
                         .down = base->down,
                         .inside = inside,
                         .with_rows = with_rows,
                         .texts = texts };
}

static bool run_until_it_fits(const struct run *base, struct proof *p, struct err *e)
{
    bool inside = base->up.is_transactional && base->down.is_transactional, with_rows = true;
    enum seed_texts texts = SEED_NUMBERS;
    for (;;) {
        struct run r = fresh(base, inside, with_rows, texts);
        residue_read(r.a, &r.down, &r.residue);
        *p = (struct proof){ .migration = base->m, .is_on_clone = !inside };
        if (!run_once(&r, p, e))
            return false;
        if (r.failed && inside && needs_clone(&r.why)) {
            inside = false;
        } else if (with_rows && r.seeded.rows > 0 && rows_are_in_the_way(&r.why)) {
            with_rows = ++texts < SEED_TEXTS_END && starts_with(r.why.sqlstate, "22");
        } else {
            if (!with_rows && !r.failed)
                *vec_add(&p->notes, r.a) = "no rows were there: made ones stood in its way";
            return true;
        }
    }
}

bool proof_run(struct shadow *s, struct arena *a, const struct migration *m, struct proof *ret,
               struct err *e)
{
    assert(m->has_reverse);
    int64_t began = clock_boot_ms();
    struct run base = { .s = s, .a = a, .m = m };
    if (!sql_script_read(a, m->file, m->sql, &base.up, e) ||
        !sql_script_read(a, m->reverse_file, m->reverse_sql, &base.down, e) ||
        !run_until_it_fits(&base, ret, e))
        return err_wrap(e, "prove %s", m->file);
    size_t n = 0;
    const char *const *notes = shadow_notes(s, &n);
    for (size_t i = 0; i < n; i++)
        *vec_add(&ret->notes, a) = notes[i];
    ret->server_major = pg_server_version(shadow_db(s)) / 10000;
    ret->duration_ms = clock_boot_ms() - began;
    return true;
}

/* ---- JSON ---- */

static json_t *texts(const char *const *v, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_string(v[i]));
    return list;
}

json_t *proof_json(struct arena *a, const struct proof *p)
{
    json_t *changes = json_array();
    for (size_t i = 0; i < p->change_count; i++) {
        json_t *one = catalogue_change_json(&p->changes[i]);
        (void)json_object_set_new(one, "text", json_string(proof_change_text(a, &p->changes[i])));
        (void)json_array_append_new(changes, one);
    }
    return json_pack(
        "{s:s, s:s, s:b, s:s?, s:s?, s:s?, s:o, s:s#, s:s, s:b, s:o, s:o, s:s, s:I, s:I,"
        " s:s, s:s, s:o*}",
        "version", p->migration->version, "file", p->migration->file, "proven", (int)p->is_proven,
        "reason", p->reason, "where", p->where, "compared", p->compared, "differences", changes,
        "loss", &p->loss, (size_t)1, "loss_text", p->loss_text ? p->loss_text : "", "declared",
        (int)p->is_declared, "leaves", texts(p->leaves.v, p->leaves.n), "notes",
        texts(p->notes.v, p->notes.n), "on", p->is_on_clone ? "clone" : "transaction", "rows",
        (json_int_t)p->rows, "duration_ms", (json_int_t)p->duration_ms, "digest_before",
        p->digest_before, "digest_after", p->digest_after, "locks",
        p->has_locks ? trace_json(&p->locks) : NULL);
}
