/*
 * A verb that changes the database: under the same lease as a release, and not while one is open.
 *
 * CALLS    session_open → change_open → change_compare → migration_apply or
 *          migration_reverse with change_options → change_done for each → change_answer.
 *          CLEANUP(change) gives the lease back.
 */
#ifndef LOCKFLIGHT_COMMAND_MIGRATION_CHANGE_H
#define LOCKFLIGHT_COMMAND_MIGRATION_CHANGE_H

#include "base/cleanup.h"
#include "command/migration/session.h"
#include "engine/journal.h"
#include "migrate/apply/apply.h"
#include "migrate/prove/drift.h"

struct change {
    struct session *s;
    struct history_answers history; /* asked as the lease was taken */
    struct pipeline_look *look;
    struct lease *lease;
    struct drift_question kept;
    bool wants_drift; /* set by the verb: from now on the schema is kept */
    int64_t began_unix_ms;
    int64_t began_boot_ms; /* of the migration that runs */
    int64_t said_boot_ms;  /* when progress was last shown */
};

/* Takes the lease; ERR_BLOCKED while another runner has it or a release is open. With wait_ms it
 * waits that long for the other one, and says so. */
bool change_open(struct session *s, const char *purpose, struct change *ret,
                 struct err *e) MUST_USE;
bool change_open_waiting(struct session *s, const char *purpose, int64_t wait_ms,
                         struct change *ret, struct err *e) MUST_USE;
void change_close(struct change *x);

/* session_compare, with what was asked as the lease was taken. */
bool change_compare(struct change *x, struct err *e) MUST_USE;

static inline struct pg *change_db(const struct change *x)
{
    return lease_db(x->lease);
}

/* A transaction of the verb's own, for changes of the history: BEGIN and the fence, and COMMIT. Left
 * early, change_close rolls it back. */
bool change_begin(struct change *x, struct err *e) MUST_USE;
bool change_commit(struct change *x, struct err *e) MUST_USE;
int64_t change_began_unix_ms(const struct change *x);

/* The callbacks and times for migrate/apply/apply.h; the event ("migration.applied") stands or
 * falls with the migration's transaction. Valid as long as `x`. */
/* Its row of a verb's option table; the verb hands it on as options.end_older_ms. */
#define CHANGE_CANCEL_OPTION(type, field)                                                          \
    {                                                                                              \
        "cancel-blockers-older-than", 0, OPT_MS, AT(type, field), "<time>",                        \
            "End sessions of applications that are in the way with a transaction this old"         \
    }

enum change_direction {
    CHANGE_APPLY,
    CHANGE_REVERSE
};
struct migrate_options change_options(struct change *x, enum change_direction direction);

/* Before the first one: what somebody else changed in the schema since it was kept is said and put on
 * record, because afterwards it counts as ours. */
bool change_tell_drift(struct change *x, struct err *e) MUST_USE;

/* After the last one: keeps the schema as it is now, so that what others change is seen later. In a
 * project's environment, and in a database named by its URL once it was kept there (--drift). */
bool change_keep_catalogue(struct change *x, struct err *e) MUST_USE;

/* One line on stderr: "ok  apply supabase/migrations/…  31 ms". */
void change_done(struct command_context *c, const char *what, const char *file,
                 int64_t started_boot_ms);

/* The answer: "3 migrations applied on staging.", or which ones they were. */
void change_answer(struct session *s, const char *what, const char *const *versions, size_t n);

static inline void change_cleanup(struct change *x)
{
    change_close(x);
}

#endif
