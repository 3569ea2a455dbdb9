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

bool proof_find(struct pg *db, struct arena *a, const struct migration *m, int server_major,
                struct proof_row *ret, struct err *e)
{
    struct pg_rows r;
    *ret = (struct proof_row){ 0 };
    if (!m->has_reverse)
        return true;
    if (!pg_query(db, a, "SELECT to_regclass('lockflight.proofs') IS NOT NULL", PG_NONE, &r, e))
        return false;
    if (!pg_bool(&r, 0, 0))
        return true;
    if (!pg_query(db, a,
                  "SELECT loss_class, proved_by, (extract(epoch FROM proved_at) * 1000)::bigint"
                  " FROM lockflight.proofs WHERE up_sha256 = $1 AND down_sha256 = $2"
                  " AND server_major = $3 AND digest_algorithm = $4",
                  PG_PARAMS(m->sha256, m->reverse_sha256, arena_printf(a, "%d", server_major),
                            arena_printf(a, "%d", DIGEST_ALGORITHM)),
                  &r, e))
        return err_wrap(e, "look for the proof of %s", m->version);
    if (r.n > 0)
        *ret = (struct proof_row){ .is_found = true,
                                   .loss = pg_value(&r, 0, 0)[0],
                                   .proved_by = pg_value(&r, 0, 1),
                                   .proved_unix_ms = pg_int(&r, 0, 2) };
    return true;
}
