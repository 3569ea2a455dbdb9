/*
 * The rows that say "applied": one in the Supabase CLI's history, exactly as `supabase db push`
 * would write it, and one of ours beside it with what theirs has no room for. All of it inside the
 * caller's transaction, as the role that connected.
 *
 * On hosted projects the common table has a column `rollback text[]` that only the platform fills:
 * the reverse script is put there too, cut as the CLI cuts, so that it can be read without us.
 */
#ifndef LOCKFLIGHT_MIGRATE_RECORD_H
#define LOCKFLIGHT_MIGRATE_RECORD_H

#include "migrate/migration.h"
#include "provider/pg.h"

/* The common history as it was found: asked once, so that many rows can be written without an
 * answer between them. */
struct record_history {
    bool is_there; /* with all the columns we write */
    bool has_rollback;
};
bool record_look(struct pg *db, struct arena *a, struct record_history *ret,
                 struct err *e) MUST_USE;

/* The same in two halves, for a queue. */
bool record_look_later(struct pg *db, struct arena *a, struct pg_rows *ret, struct err *e) MUST_USE;
void record_look_read(const struct pg_rows *r, struct record_history *ret);

/* How it came to be applied. Zero values are stored as such. */
struct record_how {
    const char *state; /* of ours: "applied", "baseline" */
    const char *release_id, *applied_by;
    const char *loss_class; /* of the reverse script; NULL: not known */
    int attempts, steps;    /* steps 0: one */
    int64_t blocked_ms, epoch, started_unix_ms;
    struct record_history *history; /* NULL: it is looked at now; in a queue it must be given */
    bool replaces; /* a row of this version that is there already is written over */
};

/* Both rows. Schema, table and columns of the common history are made if they are missing: the
 * catalogue is asked first, because ALTER TABLE would queue for a lock that nobody needs. */
bool record_applied(struct pg *db, struct arena *a, const struct migration *m,
                    const struct record_how *how, struct err *e) MUST_USE;

/* A migration of several steps begins: ours alone, as "applying". */
bool record_begun(struct pg *db, struct arena *a, const struct migration *m,
                  const struct record_how *how, struct err *e) MUST_USE;

/* A reverse script of several steps begins: ours, if there is one, as "reversing". */
bool record_reversing(struct pg *db, struct arena *a, const char *version, int steps,
                      struct err *e) MUST_USE;

/* Takes the version out of the common history; ours stays, as "reversed". ERR_CONFLICT if it is not
 * in the history any more. */
bool record_reversed(struct pg *db, const char *version, const char *by, struct err *e) MUST_USE;

#endif
