/*
 * The journal: what a release intended, did and undid, in an order that survives a crash.
 *
 * FORMAT   One row per release in lockflight.releases; one row per step and direction in
 *          lockflight.steps; one row per event, hash-chained and append-only, in lockflight.events.
 *          Every write carries the epoch; a write that matches no row means another runner has
 *          taken over (ERR_FENCED), and this one stops.
 *
 * RULE     Intent before effect. "intent" is committed before the step touches the world; "done" is
 *          committed before the next one starts. So after a crash at most one step is in doubt; its
 *          probe is asked, or it is run again. Undo mirrors it: "undo_intent", "undone". Undo
 *          covers every step with an intent.
 *
 * CALLS    journal_begin (or journal_reopen after a crash) → journal_intent → journal_done … →
 *          journal_finish. When a write fails the caller must stop, because going on would be going
 *          on unrecorded. A write joins the transaction that is open on lease_db(), so a migration
 *          and its "done" commit together; otherwise it is a transaction of its own, and a lost
 *          connection is settled inside (lease_reconnect, then look whether the row is there).
 *
 * SECRETS  before, after, bodies and notes must hold no secret value: digests only. Texts
 *          registered with log_redact are replaced on the way in all the same.
 *
 * FAULTS   journal.<write>.before and .after around each durable write, where <write> is begin,
 *          intent, done, undo_intent, undone, state, facts, event, quarantine, attestation,
 *          artifact. One place, journal_write in journal.c.
 */
#ifndef LOCKFLIGHT_ENGINE_JOURNAL_H
#define LOCKFLIGHT_ENGINE_JOURNAL_H

#include "base/json.h"
#include "engine/lease.h"

enum release_state {
    RELEASE_FORWARD,     /* walking down */
    RELEASE_REVERSING,   /* walking back up */
    RELEASE_STUCK,       /* open, and a person is needed */
    RELEASE_COMMITTED,   /* final: the new release is live and proved */
    RELEASE_ROLLED_BACK, /* final: the environment is as before (note says what stayed ahead) */
    RELEASE_REFUSED,     /* final: a gate was closed, nothing was touched */
};
const char *release_state_name(enum release_state s); /* "forward", "rolled_back", … */
bool release_state_is_final(enum release_state s);

/* A row of lockflight.releases. Texts live in the arena of the call that read it. */
struct release_record {
    const char *id;            /* uuid; NULL for journal_begin to choose one */
    const char *name;          /* 2026-03-14.1a2b3c4d */
    const char *target;        /* environment */
    const char *kind;          /* "deploy", "rollback", "migration" */
    const char *restores;      /* for a rollback: id of the release it goes back to; else NULL */
    const char *previous;      /* id of the release that was live before; NULL for the first */
    const char *source_digest; /* may be NULL until known: journal_facts */
    const char *artefact_digest;
    const char *plan_sha256;
    const char *git_commit, *git_subject;
    const char *actor;
    enum release_state state;
    const char *note;     /* one sentence about how it ended, for status and log */
    const char *manifest; /* JSON object: facts for later releases (deploy id, functions, …) */
    const char *plan;     /* JSON: the plan as it was shown */
    int64_t epoch;
    int64_t created_unix_ms, finished_unix_ms; /* 0: not finished */
    bool is_quarantined;
    const char *quarantine_reason, *quarantined_by;
};

enum step_state {
    STEP_INTENT,
    STEP_DONE,
    STEP_UNDO_INTENT,
    STEP_UNDONE
};
const char *step_state_name(enum step_state s);

/* A step as the caller knows it. (phase, kind, key) names the thing:
 * ("publish", "deploy", "65f…"). */
struct step_spec {
    const char *phase; /* row of the phase table */
    const char
        *kind;       /* what sort of effect inside the phase: "migration", "function", "variable" */
    const char *key; /* which one */
    const char *title;           /* what the user read */
    const char *idempotency_key; /* may be NULL */
    const json_t *before;        /* the before-image needed to undo; NULL: none. Borrowed */
};

/* A step as it stands. One per seq; state tells the furthest it got. */
struct step_record {
    int seq;
    const char *phase, *kind, *key, *title, *idempotency_key;
    enum step_state state;
    const char *before, *after, *undo_after; /* JSON text or NULL */
    int attempt;
    int64_t epoch;
    int64_t started_unix_ms, finished_unix_ms, undo_started_unix_ms,
        undone_unix_ms; /* 0: not yet */
};

struct journal;

/* Starts a release: its row and the event "release.begun". ERR_CONFLICT if another release is open
 * on the target. The journal lives in `a` and must not outlive the lease. */
bool journal_begin(struct lease *l, struct arena *a, const struct release_record *r,
                   struct journal **ret, struct err *e) MUST_USE;

/* Takes an open release over under our epoch: every later write is ours, every late one of the old
 * runner fails. */
bool journal_reopen(struct lease *l, struct arena *a, const char *release_id, struct journal **ret,
                    struct err *e) MUST_USE;

const char *journal_release_id(const struct journal *j);

/* The step is about to touch the world. *ret_seq numbers it (1, 2, …) within the release. */
bool journal_intent(struct journal *j, const struct step_spec *s, int *ret_seq,
                    struct err *e) MUST_USE;

/* The step's attempt counter + 1, its state intent again, and a new before-image if not NULL: for
 * running a step again that is in doubt, or whose effect is not there any more. */
bool journal_again(struct journal *j, int seq, const json_t *before, struct err *e) MUST_USE;

/* Adds to what is known about a step in state intent (ids a remote call returned) without finishing
 * it. */
bool journal_progress(struct journal *j, int seq, const json_t *after, struct err *e) MUST_USE;

bool journal_done(struct journal *j, int seq, const json_t *after, struct err *e) MUST_USE;
bool journal_undo_intent(struct journal *j, int seq, struct err *e) MUST_USE;
bool journal_undone(struct journal *j, int seq, const json_t *after, struct err *e) MUST_USE;

/* Sets what becomes known on the way; members that are NULL stay. manifest_patch is merged into the
 * manifest. */
struct release_facts {
    const char *source_digest, *artefact_digest, *plan_sha256;
    const json_t *manifest_patch;
    const json_t *plan;
};
bool journal_facts(struct journal *j, const struct release_facts *f, struct err *e) MUST_USE;

/* Moves the release to another state, with a sentence that says why. A final state is written once
 * (ERR_CONFLICT otherwise). journal_state to RELEASE_REVERSING is how a rollback of an open release
 * begins. */
bool journal_state(struct journal *j, enum release_state to, const char *note,
                   struct err *e) MUST_USE;

/* An event for people and for the chain: "phase.started", "check.failed", … `body` is borrowed, may
 * be NULL. */
bool journal_event(struct journal *j, const char *type, const json_t *body, struct err *e) MUST_USE;

/* Same without a release: "migration.applied" by `migration up` (where many are sent at once, one for
 * all of them, with a "migration.applying" before), "lock.set" … */
bool journal_note(struct lease *l, const char *type, const json_t *body, struct err *e) MUST_USE;

/* ---- reading: any connection, no lease; without the schema there is simply nothing ---- */

/* The release that is neither final nor given up, if any. */
bool journal_find_open(struct pg *db, struct arena *a, const char *target,
                       struct release_record *ret, bool *ret_found, struct err *e) MUST_USE;

/* The newest committed deploy or rollback: what is live by our own account. For a rollback,
 * `restores` is it. */
bool journal_find_live(struct pg *db, struct arena *a, const char *target,
                       struct release_record *ret, bool *ret_found, struct err *e) MUST_USE;

/* By uuid or by name (the newest of that name). */
bool journal_find(struct pg *db, struct arena *a, const char *target, const char *id_or_name,
                  struct release_record *ret, bool *ret_found, struct err *e) MUST_USE;

/* Newest first. */
bool journal_list(struct pg *db, struct arena *a, const char *target, int limit,
                  struct release_record **ret, size_t *ret_count, struct err *e) MUST_USE;

/* Steps of a release by seq. */
bool journal_steps(struct pg *db, struct arena *a, const char *release_id, struct step_record **ret,
                   size_t *ret_count, struct err *e) MUST_USE;

struct event_record {
    int64_t seq;
    const char *release_id; /* NULL: about the environment */
    const char *release_name;
    int64_t epoch;
    int64_t at_unix_ms;
    const char *type;
    const char *body; /* JSON text */
};

/* Events after `after_seq`, oldest first; release_id NULL: of the whole environment. */
bool journal_events(struct pg *db, struct arena *a, const char *target, const char *release_id,
                    int64_t after_seq, int limit, struct event_record **ret, size_t *ret_count,
                    struct err *e) MUST_USE;

/* Walks the hash chain. ERR_DATA names the first event that does not follow from the one before, or
 * a tail that is missing. */
bool journal_verify(struct pg *db, const char *target, int64_t *ret_events, struct err *e) MUST_USE;

/* ---- quarantine: content that was rolled back is not deployed again by itself ---- */

bool journal_quarantine(struct lease *l, const char *release_id, const char *by, const char *reason,
                        struct err *e) MUST_USE;
bool journal_clear_quarantine(struct lease *l, const char *source_digest, const char *by,
                              const char *reason, struct err *e) MUST_USE;

/* The quarantined release of this content on this target, if any. */
bool journal_find_quarantine(struct pg *db, struct arena *a, const char *target,
                             const char *source_digest, struct release_record *ret, bool *ret_found,
                             struct err *e) MUST_USE;

#endif
