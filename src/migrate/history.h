/*
 * Which migrations a database has, by the Supabase CLI's own table
 * (supabase_migrations.schema_migrations) and by ours (lockflight.migrations: digests, reverse
 * script as it was at apply time), and what follows for a set of files.
 */
#ifndef LOCKFLIGHT_MIGRATE_HISTORY_H
#define LOCKFLIGHT_MIGRATE_HISTORY_H

#include "migrate/migration.h"
#include "provider/pg.h"

enum history_state {
    HISTORY_FOREIGN,   /* applied by another tool: only its own columns are known */
    HISTORY_APPLIED,   /* by Lockflight, or repaired so */
    HISTORY_BASELINE,  /* was there before Lockflight, and never run by it */
    HISTORY_APPLYING,  /* begun, some of its steps are done; not in the history of other tools */
    HISTORY_REVERSING, /* some steps of its reverse script are done; still in their history */
};

struct history_row {
    const char *version;
    const char *name; /* may be NULL */
    enum history_state state;
    bool is_ours;            /* not HISTORY_FOREIGN: the rest is known */
    const char *text_sha256; /* FOREIGN: statement_text_digest of what was kept; NULL: nothing */
    const char *sha256, *reverse_sha256, *reverse_sql, *release_id, *applied_by;
    const char *loss_class; /* "A" … "D"; NULL: not known */
    int64_t applied_unix_ms;
    int64_t steps, steps_done; /* of HISTORY_APPLYING and HISTORY_REVERSING */
};

struct history {
    struct history_row *v; /* what is applied, ordered by version */
    size_t n;
    struct history_row *begun; /* HISTORY_APPLYING, ordered by version */
    size_t begun_count;
};

/* A missing table is an empty history. */
bool history_read(struct pg *db, struct arena *a, struct history *ret, struct err *e) MUST_USE;

/* The same in two halves, for an exchange that does other things as well: it queues parts
 * (pg_queue_part). An old or foreign history takes one more question. */
struct history_answers {
    struct pg_rows tables, all, begun;
    struct err not_all, not_begun;
};
bool history_ask(struct pg *db, struct arena *a, struct history_answers *ret,
                 struct err *e) MUST_USE;
bool history_answer(struct pg *db, struct arena *a, const struct history_answers *x,
                    struct history *ret, struct err *e) MUST_USE;

enum migration_status {
    MIGRATION_APPLIED,
    MIGRATION_PENDING,
    MIGRATION_OUT_OF_ORDER, /* pending, but older than the newest applied one */
    MIGRATION_CHANGED,      /* applied, and the file is not what was applied */
    MIGRATION_MISSING,      /* applied, and there is no file */
    MIGRATION_INTERRUPTED,  /* stopped between two steps, up or down: row->state says which */
};
const char *migration_status_name(enum migration_status s);

struct migration_state {
    enum migration_status status;
    const struct migration *file;  /* NULL when missing */
    const struct history_row *row; /* NULL when not applied and not begun */
};

struct migration_plan {
    struct migration_state *v; /* files and rows, merged by version */
    size_t n;
    const struct migration **pending; /* in the order they will run; those begun are among them */
    size_t pending_count;
};

/* Compares. Never fails: what is wrong is a status. */
void migration_plan(struct arena *a, const struct migration_set *set, const struct history *h,
                    struct migration_plan *ret);

/* The first thing that forbids applying (changed, missing, out of order, not transactional), as an
 * error with the remedy: ERR_BLOCKED or ERR_CONFIG. */
bool migration_plan_check(struct arena *a, const struct migration_plan *p, struct err *e) MUST_USE;

/* Same, but what is out of order is let through: it runs first, in its order. */
bool migration_plan_check_any_order(struct arena *a, const struct migration_plan *p,
                                    struct err *e) MUST_USE;

#endif
