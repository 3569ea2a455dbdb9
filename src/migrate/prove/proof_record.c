#include "migrate/prove/proof_record.h"

#include "base/cleanup.h"
#include "base/json.h"

#include <assert.h>

bool proof_record(struct pg *db, struct arena *a, const struct proof *p, const char *by,
                  struct err *e)
{
    assert(p->is_proven);
    const struct migration *m = p->migration;
    json_auto_t *report = proof_json(a, p);
    const char loss[2] = { p->loss, '\0' };
    return pg_exec(
               db,
               "INSERT INTO lockflight.proofs (up_sha256, down_sha256, server_major,"
               " digest_algorithm, version, loss_class, digest_before, digest_after, report,"
               " duration_ms, proved_by, tool_version)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
               " ON CONFLICT (up_sha256, down_sha256, server_major, digest_algorithm) DO UPDATE SET"
               " version = excluded.version, loss_class = excluded.loss_class,"
               " digest_before = excluded.digest_before, digest_after = excluded.digest_after,"
               " report = excluded.report, duration_ms = excluded.duration_ms,"
               " proved_by = excluded.proved_by, proved_at = clock_timestamp(),"
               " tool_version = excluded.tool_version",
               PG_PARAMS(m->sha256, m->reverse_sha256, arena_printf(a, "%d", p->server_major),
                         arena_printf(a, "%d", DIGEST_ALGORITHM), m->version, arena_strdup(a, loss),
                         p->digest_before, p->digest_after, json_text(a, report),
                         arena_printf(a, "%lld", (long long)p->duration_ms), by,
                         LOCKFLIGHT_VERSION),
               NULL, e) ||
           err_wrap(e, "record the proof of %s", m->version);
}

/* A proof of an older version has none. */
static void read_locks(struct arena *a, const char *text, struct proof_row *row)
{
    struct err unreadable;
    json_auto_t *list = text ? json_parse(str_of(text), "the locks of a proof", &unreadable) : NULL;
    row->has_locks = list != NULL;
    if (list)
        trace_from_json(a, list, &row->locks);
}

/* NOLINTNEXTLINE(readability-function-size): every one of them is a question of its own */
bool proof_find(struct pg *db, struct arena *a, const struct migration *const *v, size_t n,
                int server_major, struct proof_row *ret, struct err *e)
{
    struct pg_rows r;
    const char **up = ARENA_ARRAY(a, const char *, n + 1),
               **down = ARENA_ARRAY(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        up[i] = v[i]->sha256;
        down[i] = v[i]->has_reverse ? v[i]->reverse_sha256 : "";
        ret[i] = (struct proof_row){ 0 };
    }
    if (!pg_query(db, a, "SELECT to_regclass('lockflight.proofs') IS NOT NULL", PG_NONE, &r, e))
        return err_wrap(e, "look for proofs");
    if (n == 0 || !pg_bool(&r, 0, 0))
        return true;
    if (!pg_query(db, a,
                  "SELECT t.i - 1, p.loss_class, p.proved_by,"
                  " (extract(epoch FROM p.proved_at) * 1000)::bigint, p.report ->> 'locks'"
                  " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t(up, down, i)"
                  " JOIN lockflight.proofs p ON p.up_sha256 = t.up AND p.down_sha256 = t.down"
                  " WHERE p.server_major = $3 AND p.digest_algorithm = $4",
                  PG_PARAMS(pg_text_array(a, up, n), pg_text_array(a, down, n),
                            arena_printf(a, "%d", server_major),
                            arena_printf(a, "%d", DIGEST_ALGORITHM)),
                  &r, e))
        return err_wrap(e, "look for proofs");
    for (size_t i = 0; i < r.n; i++)
        ret[pg_int(&r, i, 0)] = (struct proof_row){ .is_found = true,
                                                    .loss = pg_value(&r, i, 1)[0],
                                                    .proved_by = pg_value(&r, i, 2),
                                                    .proved_unix_ms = pg_int(&r, i, 3) };
    for (size_t i = 0; i < r.n; i++)
        read_locks(a, pg_value(&r, i, 4), &ret[pg_int(&r, i, 0)]);
    return true;
}

bool proof_mark_applied(struct pg *db, struct err *e)
{
    return pg_exec(db,
                   "UPDATE lockflight.migrations m SET loss_class = p.loss_class"
                   " FROM lockflight.proofs p WHERE m.loss_class IS NULL AND m.state = 'applied'"
                   " AND p.up_sha256 = m.up_sha256 AND p.down_sha256 = m.down_sha256",
                   PG_NONE, NULL, e) ||
           err_wrap(e, "note what is proven of the applied migrations");
}
