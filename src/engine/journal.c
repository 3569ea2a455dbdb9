/*
 * Writing the journal: see journal.h. Each function here is one statement and one event, handed to
 * journal_write.
 *
 * Statements may be sent twice (journal_write.h), so each says what shall be, not what to add: a
 * step's number is chosen here, and inserting it again changes it into itself.
 */
#include "engine/journal.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "engine/journal_write.h"

#define OPEN_STATES "('forward', 'reversing', 'stuck')"

struct journal {
    struct lease *lease;
    struct arena *arena;
    const char *release_id;
    int last_seq;
};

static const char *const release_state_names[] = {
    [RELEASE_FORWARD] = "forward",
    [RELEASE_REVERSING] = "reversing",
    [RELEASE_STUCK] = "stuck",
    [RELEASE_COMMITTED] = "committed",
    [RELEASE_ROLLED_BACK] = "rolled_back",
    [RELEASE_REFUSED] = "refused",
};

static const char *const step_state_names[] = {
    [STEP_INTENT] = "intent",
    [STEP_DONE] = "done",
    [STEP_UNDO_INTENT] = "undo_intent",
    [STEP_UNDONE] = "undone",
};

const char *release_state_name(enum release_state s)
{
    return release_state_names[s];
}

bool release_state_is_final(enum release_state s)
{
    return s == RELEASE_COMMITTED || s == RELEASE_ROLLED_BACK || s == RELEASE_REFUSED;
}

const char *step_state_name(enum step_state s)
{
    return step_state_names[s];
}

static char *number(struct arena *a, int64_t n)
{
    return arena_printf(a, "%lld", (long long)n);
}

static const char *text_or_null(struct arena *a, const json_t *value)
{
    return value ? journal_text(a, json_text(a, value)) : NULL;
}

/* ---- beginning ---- */

bool journal_begin(struct lease *l, struct arena *a, const struct release_record *r,
                   struct journal **ret, struct err *e)
{
    const char *id = r->id ? arena_strdup(a, r->id) : random_uuid(a);
    json_auto_t *body = json_pack("{s:s, s:s, s:s*, s:s*}", "name", r->name, "kind", r->kind,
                                  "source", r->source_digest, "commit", r->git_commit);
    const char *const params[] = {
        id,
        lease_target(l),
        r->name,
        r->kind,
        r->restores,
        r->previous,
        r->source_digest,
        r->artefact_digest,
        r->plan_sha256,
        r->git_commit,
        journal_text(a, r->git_subject),
        r->actor,
        journal_text(a, r->manifest),
        journal_text(a, r->plan),
        number(a, lease_epoch(l)),
    };
    struct journal_write w = {
        .name = "begin",
        /* the second conflict is the open release that we did not see: its index has the say */
        .sql = "INSERT INTO lockflight.releases (id, target, name, kind, restores, previous, "
               "source_digest,"
               " artefact_digest, plan_sha256, git_commit, git_subject, actor, manifest, plan, "
               "epoch, state)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce($13::jsonb, "
               "'{}'), $14,"
               " $15, 'forward') ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch",
        .params = { params, sizeof params / sizeof *params },
        .event = "release.begun",
        .release_id = id,
        .body = json_text(a, body),
    };
    if (!journal_write(l, &w, e)) {
        if (streq(e->sqlstate, "23505"))
            err_set(e, ERR_CONFLICT, "another release of %s is open", lease_target(l));
        return false;
    }
    struct journal *j = ARENA_NEW(a, struct journal);
    *j = (struct journal){ .lease = l, .arena = a, .release_id = id };
    *ret = j;
    return true;
}

bool journal_reopen(struct lease *l, struct arena *a, const char *release_id, struct journal **ret,
                    struct err *e)
{
    struct journal_write w = {
        .name = "reopen",
        .sql = "UPDATE lockflight.releases SET epoch = $3"
               " WHERE id = $1 AND target = $2 AND state IN " OPEN_STATES,
        .params = PG_PARAMS(release_id, lease_target(l), number(a, lease_epoch(l))),
        .nothing = "the release is not open",
        .event = "release.reopened",
        .release_id = release_id,
    };
    struct pg_rows rows;
    if (!journal_write(l, &w, e) ||
        !pg_query(lease_db(l), a,
                  "SELECT coalesce(max(seq), 0) FROM lockflight.steps WHERE release = $1",
                  PG_PARAMS(release_id), &rows, e))
        return err_wrap(e, "reopen release %s", release_id);
    struct journal *j = ARENA_NEW(a, struct journal);
    *j = (struct journal){ .lease = l,
                           .arena = a,
                           .release_id = arena_strdup(a, release_id),
                           .last_seq = (int)pg_int(&rows, 0, 0) };
    *ret = j;
    return true;
}

const char *journal_release_id(const struct journal *j)
{
    return j->release_id;
}

/* ---- steps ---- */

/* The event of a step says which one by number and key; details are in its row. */
static char *step_body(struct arena *a, int seq, const char *phase, const char *kind,
                       const char *key)
{
    json_auto_t *body =
        json_pack("{s:i, s:s*, s:s*, s:s*}", "seq", seq, "phase", phase, "kind", kind, "key", key);
    return json_text(a, body);
}

bool journal_intent(struct journal *j, const struct step_spec *s, int *ret_seq, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    int seq = j->last_seq + 1;
    const char *const params[] = {
        j->release_id,
        number(a, seq),
        s->phase,
        s->kind,
        s->key,
        journal_text(a, s->title),
        s->idempotency_key,
        text_or_null(a, s->before),
        number(a, lease_epoch(j->lease)),
    };
    struct journal_write w = {
        .name = "intent",
        .sql = "INSERT INTO lockflight.steps (release, seq, direction, phase, kind, key, title,"
               " idempotency_key, state, before, epoch)"
               " VALUES ($1, $2, 'forward', $3, $4, $5, $6, $7, 'intent', $8, $9)"
               " ON CONFLICT (release, seq, direction) DO UPDATE SET epoch = excluded.epoch"
               " WHERE steps.phase = excluded.phase AND steps.key = excluded.key AND steps.state = "
               "'intent'",
        .params = { params, sizeof params / sizeof *params },
        .nothing = "the step's number is taken",
        .event = "step.intent",
        .release_id = j->release_id,
        .body = step_body(a, seq, s->phase, s->kind, s->key),
    };
    if (!journal_write(j->lease, &w, e))
        return err_wrap(e, "%s %s", s->phase, s->key);
    *ret_seq = j->last_seq = seq;
    return true;
}

/* How one row of steps may change: $1 release, $2 seq, $3 epoch, $4 JSON. */
struct step_change {
    const char *name; /* of the fault points */
    const char *event;
    const char *nothing;
    const char *sql;
};

static bool change_step(struct journal *j, const struct step_change *change, int seq,
                        const json_t *json, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct journal_write w = {
        .name = change->name,
        .sql = change->sql,
        .params = PG_PARAMS(j->release_id, number(a, seq), number(a, lease_epoch(j->lease)),
                            text_or_null(a, json)),
        .nothing = change->nothing,
        .event = change->event,
        .release_id = j->release_id,
        .body = step_body(a, seq, NULL, NULL, NULL),
    };
    return journal_write(j->lease, &w, e) || err_wrap(e, "step %d", seq);
}

bool journal_again(struct journal *j, int seq, const json_t *before, struct err *e)
{
    static const struct step_change again = {
        "intent",
        "step.again",
        "the step is not there to be done again",
        "UPDATE lockflight.steps SET state = 'intent', attempt = attempt + 1, epoch = $3,"
        " before = coalesce($4::jsonb, before), started_at = clock_timestamp()"
        " WHERE release = $1 AND seq = $2 AND direction = 'forward' AND state IN ('intent', "
        "'done')",
    };
    return change_step(j, &again, seq, before, e);
}

bool journal_progress(struct journal *j, int seq, const json_t *after, struct err *e)
{
    static const struct step_change progress = {
        "progress",
        "step.progress",
        "the step is not in doubt",
        "UPDATE lockflight.steps SET after = coalesce(after, '{}') || $4::jsonb, epoch = $3"
        " WHERE release = $1 AND seq = $2 AND direction = 'forward' AND state = 'intent'",
    };
    return change_step(j, &progress, seq, after, e);
}

bool journal_done(struct journal *j, int seq, const json_t *after, struct err *e)
{
    static const struct step_change done = {
        "done",
        "step.done",
        "there is no such step",
        "UPDATE lockflight.steps SET state = 'done', epoch = $3, finished_at = clock_timestamp(),"
        " after = CASE WHEN $4::jsonb IS NULL THEN after ELSE coalesce(after, '{}') || $4::jsonb "
        "END"
        " WHERE release = $1 AND seq = $2 AND direction = 'forward'",
    };
    return change_step(j, &done, seq, after, e);
}

bool journal_undo_intent(struct journal *j, int seq, struct err *e)
{
    static const struct step_change undo_intent = {
        "undo_intent",
        "step.undo_intent",
        "the step is undone already, or there is none",
        "INSERT INTO lockflight.steps (release, seq, direction, phase, kind, key, title, state, "
        "epoch)"
        " SELECT release, seq, 'reverse', phase, kind, key, title, 'undo_intent', $3"
        " FROM lockflight.steps WHERE release = $1 AND seq = $2 AND direction = 'forward'"
        " AND $4::jsonb IS NULL"
        " ON CONFLICT (release, seq, direction) DO UPDATE SET epoch = excluded.epoch,"
        " attempt = steps.attempt + 1 WHERE steps.state = 'undo_intent'",
    };
    return change_step(j, &undo_intent, seq, NULL, e);
}

bool journal_undone(struct journal *j, int seq, const json_t *after, struct err *e)
{
    static const struct step_change undone = {
        "undone",
        "step.undone",
        "its undo was not begun",
        "UPDATE lockflight.steps SET state = 'undone', epoch = $3, after = $4, finished_at = "
        "clock_timestamp()"
        " WHERE release = $1 AND seq = $2 AND direction = 'reverse'",
    };
    return change_step(j, &undone, seq, after, e);
}

/* ---- the release itself ---- */

bool journal_facts(struct journal *j, const struct release_facts *f, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *const params[] = {
        j->release_id,
        f->source_digest,
        f->artefact_digest,
        f->plan_sha256,
        text_or_null(a, f->manifest_patch),
        text_or_null(a, f->plan),
        number(a, lease_epoch(j->lease)),
    };
    struct journal_write w = {
        .name = "facts",
        .sql = "UPDATE lockflight.releases SET source_digest = coalesce($2, source_digest),"
               " artefact_digest = coalesce($3, artefact_digest), plan_sha256 = coalesce($4, "
               "plan_sha256),"
               " manifest = manifest || coalesce($5::jsonb, '{}'), plan = coalesce($6::jsonb, "
               "plan), epoch = $7"
               " WHERE id = $1",
        .params = { params, sizeof params / sizeof *params },
        .nothing = "there is no such release",
    };
    return journal_write(j->lease, &w, e);
}

bool journal_state(struct journal *j, enum release_state to, const char *note, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    json_auto_t *body = json_pack("{s:s, s:s*}", "state", release_state_name(to), "note", note);
    const char *const params[] = {
        j->release_id,
        release_state_name(to),
        journal_text(a, note),
        number(a, lease_epoch(j->lease)),
        release_state_is_final(to) ? "true" : "false",
    };
    struct journal_write w = {
        .name = "state",
        /* a final state is written once; the same again, by us, is a repeated request */
        .sql = "UPDATE lockflight.releases SET state = $2, note = coalesce($3, note), epoch = $4,"
               " finished_at = CASE WHEN $5::boolean THEN clock_timestamp() END"
               " WHERE id = $1 AND (state IN " OPEN_STATES " OR state = $2 AND epoch = $4)",
        .params = { params, sizeof params / sizeof *params },
        .nothing = "the release has ended already",
        .event = "release.state",
        .release_id = j->release_id,
        .body = json_text(a, body),
    };
    return journal_write(j->lease, &w, e) || err_wrap(e, "release %s", release_state_name(to));
}

bool journal_event(struct journal *j, const char *type, const json_t *body, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct journal_write w = {
        .name = "event", .event = type, .release_id = j->release_id, .body = text_or_null(a, body)
    };
    return journal_write(j->lease, &w, e);
}

bool journal_note(struct lease *l, const char *type, const json_t *body, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct journal_write w = { .name = "event", .event = type, .body = text_or_null(a, body) };
    return journal_write(l, &w, e);
}

/* ---- quarantine ---- */

bool journal_quarantine(struct lease *l, const char *release_id, const char *by, const char *reason,
                        struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    json_auto_t *body = json_pack("{s:s*, s:s*}", "by", by, "reason", reason);
    struct journal_write w = {
        .name = "quarantine",
        .sql = "UPDATE lockflight.releases SET quarantined_at = clock_timestamp(), quarantined_by "
               "= $3,"
               " quarantine_reason = $4 WHERE id = $1 AND target = $2",
        .params = PG_PARAMS(release_id, lease_target(l), by, journal_text(a, reason)),
        .nothing = "there is no such release",
        .event = "release.quarantined",
        .release_id = release_id,
        .body = json_text(a, body),
    };
    return journal_write(l, &w, e) || err_wrap(e, "quarantine release %s", release_id);
}

bool journal_clear_quarantine(struct lease *l, const char *source_digest, const char *by,
                              const char *reason, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    json_auto_t *body =
        json_pack("{s:s, s:s*, s:s*}", "source", source_digest, "by", by, "reason", reason);
    struct journal_write w = {
        .name = "quarantine",
        .sql = "UPDATE lockflight.releases SET quarantined_at = NULL, quarantined_by = NULL,"
               " quarantine_reason = NULL WHERE target = $1 AND source_digest = $2",
        .params = PG_PARAMS(lease_target(l), source_digest),
        .nothing = "nothing of this content was ever released here",
        .event = "quarantine.cleared",
        .body = json_text(a, body),
    };
    return journal_write(l, &w, e) || err_wrap(e, "clear the quarantine");
}
