/*
 * Reading the journal: releases, steps, events and the proof of the chain. Needs no lease; a
 * database without schema lockflight has simply nothing to tell.
 */
#include "base/cleanup.h"
#include "base/hash.h"
#include "engine/journal.h"

#include <assert.h>
#include <stdio.h>

#define UNIX_MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"
#define CHAIN_PAGE      "1000"

/* As pg_query, but a missing table is no rows. */
static bool query(struct pg *db, struct arena *a, const char *sql, struct pg_params params,
                  struct pg_rows *ret, struct err *e)
{
    if (pg_query(db, a, sql, params, ret, e))
        return true;
    bool is_missing = streq(e->sqlstate, "42P01") || streq(e->sqlstate, "3F000");
    if (!is_missing || pg_in_transaction(db))
        return err_wrap(e, "read the journal");
    err_clear(e);
    *ret = (struct pg_rows){ 0 };
    return true;
}

static char *number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

/* ---- releases ---- */

#define RELEASE_COLUMNS                                                                            \
    "SELECT id, name, target, kind, restores, previous, source_digest, artefact_digest, "          \
    "plan_sha256,"                                                                                 \
    " git_commit, git_subject, actor, state, note, manifest, plan, epoch, " UNIX_MS(               \
        "created_at") ", " UNIX_MS("finished_at") ", quarantined_at IS NOT NULL, "                 \
                                                  "quarantine_reason, quarantined_by"              \
                                                  " FROM lockflight.releases "

static enum release_state release_state_of(const char *name)
{
    for (int s = RELEASE_FORWARD; s <= RELEASE_REFUSED; s++)
        if (streq(name, release_state_name((enum release_state)s)))
            return (enum release_state)s;
    return RELEASE_STUCK; /* the table's CHECK leaves no other case */
}

static struct release_record release_of(const struct pg_rows *r, size_t i)
{
    return (struct release_record){
        .id = pg_value(r, i, 0),
        .name = pg_value(r, i, 1),
        .target = pg_value(r, i, 2),
        .kind = pg_value(r, i, 3),
        .restores = pg_value(r, i, 4),
        .previous = pg_value(r, i, 5),
        .source_digest = pg_value(r, i, 6),
        .artefact_digest = pg_value(r, i, 7),
        .plan_sha256 = pg_value(r, i, 8),
        .git_commit = pg_value(r, i, 9),
        .git_subject = pg_value(r, i, 10),
        .actor = pg_value(r, i, 11),
        .state = release_state_of(pg_value(r, i, 12)),
        .note = pg_value(r, i, 13),
        .manifest = pg_value(r, i, 14),
        .plan = pg_value(r, i, 15),
        .epoch = pg_int(r, i, 16),
        .created_unix_ms = pg_int(r, i, 17),
        .finished_unix_ms = pg_int(r, i, 18),
        .is_quarantined = pg_bool(r, i, 19),
        .quarantine_reason = pg_value(r, i, 20),
        .quarantined_by = pg_value(r, i, 21),
    };
}

/* NOLINTNEXTLINE(readability-function-size): where, into what, about whom and which */
static bool find(struct pg *db, struct arena *a, const char *sql, struct pg_params params,
                 struct release_record *ret, bool *ret_found, struct err *e)
{
    struct pg_rows rows;
    if (!query(db, a, sql, params, &rows, e))
        return false;
    *ret_found = rows.n > 0;
    if (rows.n > 0)
        *ret = release_of(&rows, 0);
    return true;
}

bool journal_find_open(struct pg *db, struct arena *a, const char *target,
                       struct release_record *ret, bool *ret_found, struct err *e)
{
    return find(db, a,
                RELEASE_COLUMNS "WHERE target = $1 AND state IN ('forward', 'reversing', 'stuck')",
                PG_PARAMS(target), ret, ret_found, e);
}

bool journal_find_live(struct pg *db, struct arena *a, const char *target,
                       struct release_record *ret, bool *ret_found, struct err *e)
{
    return find(db, a,
                RELEASE_COLUMNS
                "WHERE target = $1 AND state = 'committed' AND kind IN ('deploy', 'rollback')"
                " ORDER BY finished_at DESC LIMIT 1",
                PG_PARAMS(target), ret, ret_found, e);
}

/* NOLINTNEXTLINE(readability-function-size): where, into what, about whom and which */
bool journal_find(struct pg *db, struct arena *a, const char *target, const char *id_or_name,
                  struct release_record *ret, bool *ret_found, struct err *e)
{
    return find(db, a,
                RELEASE_COLUMNS "WHERE target = $1 AND (id::text = $2 OR name = $2)"
                                " ORDER BY created_at DESC LIMIT 1",
                PG_PARAMS(target, id_or_name), ret, ret_found, e);
}

/* NOLINTNEXTLINE(readability-function-size): where, into what, about whom and which */
bool journal_find_quarantine(struct pg *db, struct arena *a, const char *target,
                             const char *source_digest, struct release_record *ret, bool *ret_found,
                             struct err *e)
{
    return find(db, a,
                RELEASE_COLUMNS
                "WHERE target = $1 AND source_digest = $2 AND quarantined_at IS NOT NULL"
                " ORDER BY created_at DESC LIMIT 1",
                PG_PARAMS(target, source_digest), ret, ret_found, e);
}

/* NOLINTNEXTLINE(readability-function-size): where, into what, about whom and which */
bool journal_list(struct pg *db, struct arena *a, const char *target, int limit,
                  struct release_record **ret, size_t *ret_count, struct err *e)
{
    struct pg_rows rows;
    if (!query(db, a, RELEASE_COLUMNS "WHERE target = $1 ORDER BY created_at DESC LIMIT $2",
               PG_PARAMS(target, number(a, limit)), &rows, e))
        return false;
    struct release_record *v = ARENA_ARRAY(a, struct release_record, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++)
        v[i] = release_of(&rows, i);
    *ret = v;
    *ret_count = rows.n;
    return true;
}

/* ---- steps ---- */

static const char steps_sql[] =
    "SELECT f.seq, f.phase, f.kind, f.key, f.title, f.idempotency_key, f.state, u.state, f.before, "
    "f.after,"
    " u.after, f.attempt, greatest(f.epoch, u.epoch), " UNIX_MS("f.started_at") ", " UNIX_MS(
        "f.finished_at") ", " UNIX_MS("u.started_at") ", " UNIX_MS("u.finished_at") " FROM "
                                                                                    "lockflight."
                                                                                    "steps f LEFT "
                                                                                    "JOIN "
                                                                                    "lockflight."
                                                                                    "steps u"
                                                                                    " ON u.release "
                                                                                    "= f.release "
                                                                                    "AND u.seq = "
                                                                                    "f.seq AND "
                                                                                    "u.direction = "
                                                                                    "'reverse'"
                                                                                    " WHERE "
                                                                                    "f.release = "
                                                                                    "$1 AND "
                                                                                    "f.direction = "
                                                                                    "'forward' "
                                                                                    "ORDER BY "
                                                                                    "f.seq";

static enum step_state step_state_of(const char *forward, const char *reverse)
{
    if (reverse)
        return streq(reverse, "undone") ? STEP_UNDONE : STEP_UNDO_INTENT;
    return streq(forward, "done") ? STEP_DONE : STEP_INTENT;
}

static struct step_record step_of(const struct pg_rows *r, size_t i)
{
    return (struct step_record){
        .seq = (int)pg_int(r, i, 0),
        .phase = pg_value(r, i, 1),
        .kind = pg_value(r, i, 2),
        .key = pg_value(r, i, 3),
        .title = pg_value(r, i, 4),
        .idempotency_key = pg_value(r, i, 5),
        .state = step_state_of(pg_value(r, i, 6), pg_value(r, i, 7)),
        .before = pg_value(r, i, 8),
        .after = pg_value(r, i, 9),
        .undo_after = pg_value(r, i, 10),
        .attempt = (int)pg_int(r, i, 11),
        .epoch = pg_int(r, i, 12),
        .started_unix_ms = pg_int(r, i, 13),
        .finished_unix_ms = pg_int(r, i, 14),
        .undo_started_unix_ms = pg_int(r, i, 15),
        .undone_unix_ms = pg_int(r, i, 16),
    };
}

bool journal_steps(struct pg *db, struct arena *a, const char *release_id, struct step_record **ret,
                   size_t *ret_count, struct err *e)
{
    struct pg_rows rows;
    if (!query(db, a, steps_sql, PG_PARAMS(release_id), &rows, e))
        return false;
    struct step_record *v = ARENA_ARRAY(a, struct step_record, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++)
        v[i] = step_of(&rows, i);
    *ret = v;
    *ret_count = rows.n;
    return true;
}

/* ---- events ---- */

/* NOLINTNEXTLINE(readability-function-size): where, into what, about whom and which */
bool journal_events(struct pg *db, struct arena *a, const char *target, const char *release_id,
                    int64_t after_seq, int limit, struct event_record **ret, size_t *ret_count,
                    struct err *e)
{
    struct pg_rows r;
    if (!query(db, a,
               "SELECT v.seq, v.release, r.name, v.epoch, " UNIX_MS(
                   "v.at") ", v.type, v.body"
                           " FROM lockflight.events v LEFT JOIN lockflight.releases r ON r.id = "
                           "v.release"
                           " WHERE v.target = $1 AND ($2::uuid IS NULL OR v.release = $2) AND "
                           "v.seq > $3"
                           " ORDER BY v.seq LIMIT $4",
               PG_PARAMS(target, release_id, number(a, after_seq), number(a, limit)), &r, e))
        return false;
    struct event_record *v = ARENA_ARRAY(a, struct event_record, r.n + 1);
    for (size_t i = 0; i < r.n; i++)
        v[i] = (struct event_record){
            .seq = pg_int(&r, i, 0),
            .release_id = pg_value(&r, i, 1),
            .release_name = pg_value(&r, i, 2),
            .epoch = pg_int(&r, i, 3),
            .at_unix_ms = pg_int(&r, i, 4),
            .type = pg_value(&r, i, 5),
            .body = pg_value(&r, i, 6),
        };
    *ret = v;
    *ret_count = r.n;
    return true;
}

/* ---- the chain ---- */

struct chain_walk {
    int64_t seq;
    char hash[SHA256_HEX_BYTES];
};

/* One event must follow from the one before: its number, its prev_hash, and its hash over all it
 * says. */
static bool follows(struct arena *a, const struct pg_rows *r, size_t i, struct chain_walk *walk,
                    struct err *e)
{
    char hash[SHA256_HEX_BYTES];
    const char *text = arena_printf(a, "%s\n%s\n%s\n%s\n%s\n%s\n%s", pg_value(r, i, 1),
                                    pg_value(r, i, 0), pg_value(r, i, 3), pg_value(r, i, 4),
                                    pg_value(r, i, 5), pg_value(r, i, 6), pg_value(r, i, 7));
    hash_hex(HASH_SHA256, str_of(text), hash);
    if (pg_int(r, i, 0) != walk->seq + 1)
        return err_set(e, ERR_DATA, "event %lld of the journal is missing",
                       (long long)walk->seq + 1);
    if (!streq(pg_value(r, i, 1), walk->hash) || !streq(pg_value(r, i, 2), hash))
        return err_set(e, ERR_DATA, "event %s of the journal is not what was written",
                       pg_value(r, i, 0));
    walk->seq++;
    (void)snprintf(walk->hash, sizeof walk->hash, "%s", hash);
    return true;
}

static bool walk_chain(struct pg *db, const char *target, struct chain_walk *walk, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows rows = { 0 };
    do {
        arena_reset(a);
        if (!query(db, a,
                   "SELECT seq, prev_hash, hash, coalesce(release::text, '-'), epoch,"
                   " (extract(epoch FROM at) * 1000000)::bigint, type, body::text FROM "
                   "lockflight.events"
                   " WHERE target = $1 AND seq > $2 ORDER BY seq LIMIT " CHAIN_PAGE,
                   PG_PARAMS(target, number(a, walk->seq)), &rows, e))
            return false;
        for (size_t i = 0; i < rows.n; i++)
            if (!follows(a, &rows, i, walk, e))
                return false;
    } while (rows.n > 0);
    return true;
}

bool journal_verify(struct pg *db, const char *target, int64_t *ret_events, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct pg_rows head;
    struct chain_walk walk = { 0 };
    memset(walk.hash, '0', sizeof walk.hash - 1);
    if (!query(db, a, "SELECT seq, hash FROM lockflight.chain WHERE target = $1", PG_PARAMS(target),
               &head, e) ||
        !walk_chain(db, target, &walk, e))
        return false;
    /* the head was read first: events that came meanwhile may lie behind it, but none before it may
     * lack */
    if (head.n == 1 && walk.seq < pg_int(&head, 0, 0))
        return err_set(e, ERR_DATA, "the journal ends with event %lld, but %s were written",
                       (long long)walk.seq, pg_value(&head, 0, 0));
    if (head.n == 0 && walk.seq > 0)
        return err_set(e, ERR_DATA, "the head of the journal's chain is missing");
    *ret_events = walk.seq;
    return true;
}
