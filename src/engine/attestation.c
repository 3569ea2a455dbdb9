#include "engine/attestation.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "engine/journal_write.h"

#include <stdio.h>

bool attestation_write(struct lease *l, const struct attestation *x, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    char epoch[24];
    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)lease_epoch(l));
    json_auto_t *body =
        json_pack("{s:s, s:s*}", "source", x->source_digest, "artefact", x->artefact_digest);
    const char *const params[] = { x->environment,     x->release_id,
                                   x->release_name,    x->source_digest,
                                   x->artefact_digest, journal_text(a, x->claims),
                                   x->created_by,      epoch };
    struct journal_write w = {
        .name = "attestation",
        .sql = "INSERT INTO lockflight.attestations (environment, release, release_name, "
               "source_digest,"
               " artefact_digest, claims, created_by, epoch)"
               " SELECT $1, $2, $3, $4, $5, coalesce($6::jsonb, '{}'), $7, $8",
        .params = { params, sizeof params / sizeof *params },
        .event = "attestation.written",
        .release_id = x->release_id,
        .body = json_text(a, body),
    };
    return journal_write(l, &w, e) || err_wrap(e, "write the attestation");
}

/* NOLINTNEXTLINE(readability-function-size): where, into what, about whom and which */
static bool find(struct pg *db, struct arena *a, const char *sql, struct pg_params params,
                 struct attestation *ret, bool *ret_found, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(db, a, sql, params, &r, e)) {
        if (!streq(e->sqlstate, "42P01") && !streq(e->sqlstate, "3F000"))
            return err_wrap(e, "read the attestation");
        err_clear(e);
        r = (struct pg_rows){ 0 };
    }
    *ret_found = r.n > 0;
    if (r.n > 0)
        *ret = (struct attestation){
            .environment = pg_value(&r, 0, 0),
            .release_id = pg_value(&r, 0, 1),
            .release_name = pg_value(&r, 0, 2),
            .source_digest = pg_value(&r, 0, 3),
            .artefact_digest = pg_value(&r, 0, 4),
            .claims = pg_value(&r, 0, 5),
            .created_by = pg_value(&r, 0, 6),
            .created_unix_ms = pg_int(&r, 0, 7),
        };
    return true;
}

#define COLUMNS                                                                                    \
    "SELECT environment, release, release_name, source_digest, artefact_digest, claims, "          \
    "created_by,"                                                                                  \
    " (extract(epoch FROM created_at) * 1000)::bigint FROM lockflight.attestations "

/* NOLINTNEXTLINE(readability-function-size): where, into what, about whom and which */
bool attestation_find(struct pg *db, struct arena *a, const char *environment,
                      const char *source_digest, struct attestation *ret, bool *ret_found,
                      struct err *e)
{
    return find(db, a,
                COLUMNS "WHERE environment = $1 AND source_digest = $2 ORDER BY id DESC LIMIT 1",
                PG_PARAMS(environment, source_digest), ret, ret_found, e);
}

bool attestation_newest(struct pg *db, struct arena *a, const char *environment,
                        struct attestation *ret, bool *ret_found, struct err *e)
{
    return find(db, a, COLUMNS "WHERE environment = $1 ORDER BY id DESC LIMIT 1",
                PG_PARAMS(environment), ret, ret_found, e);
}

/* What lay there and when: what was proved, and what was released, a rollback among it. The content's
 * last stay begins with the first line after the last one of something else, and ends with the next. */
bool attestation_stay(struct pg *db, struct arena *a, const struct attestation *x,
                      struct attestation_stay *ret, struct err *e)
{
    static const char sql[] =
        "WITH line AS (SELECT created_at AS at, source_digest AS content, release_name AS name"
        "  FROM lockflight.attestations WHERE environment = $1"
        " UNION ALL SELECT finished_at, source_digest, name FROM lockflight.releases"
        "  WHERE target = $1 AND state = 'committed' AND finished_at IS NOT NULL"
        "  AND source_digest IS NOT NULL),"
        " last AS (SELECT max(at) AS at FROM line WHERE content = $2),"
        " other AS (SELECT max(line.at) AS at FROM line, last"
        "  WHERE content <> $2 AND line.at < last.at),"
        " next AS (SELECT line.at, name FROM line, last WHERE line.at > last.at ORDER BY 1 LIMIT 1)"
        " SELECT (extract(epoch FROM coalesce((SELECT at FROM next), clock_timestamp())"
        "  - (SELECT min(line.at) FROM line, other WHERE content = $2"
        "  AND (other.at IS NULL OR line.at > other.at))) * 1000)::bigint, (SELECT name FROM next)";
    struct pg_rows r;
    if (!pg_query(db, a, sql, PG_PARAMS(x->environment, x->source_digest), &r, e))
        return err_wrap(e, "find how long the content lay in %s", x->environment);
    ret->for_ms = pg_int(&r, 0, 0);
    ret->followed_by = pg_value(&r, 0, 1);
    return true;
}
