/*
 * Schema "lockflight" in the environment's own database: everything Lockflight remembers.
 *
 * The program carries numbered SQL scripts (engine/schema/NNN_name.sql) and applies those that are
 * missing, each in one transaction with its row in lockflight.schema_scripts. A script that has
 * shipped never changes.
 */
#ifndef LOCKFLIGHT_ENGINE_SCHEMA_H
#define LOCKFLIGHT_ENGINE_SCHEMA_H

#include "provider/pg.h"

/* How much of it a command needs. Made in order, so a part is the number of its last script. */
enum schema_part {
    SCHEMA_WHOLE = 0,
    SCHEMA_FOR_MIGRATIONS = 2, /* lease, journal, migrations: nothing of variables and flags */
};

/* What is there. Reading commands (plan, status, log) use this and create nothing. */
enum schema_presence {
    SCHEMA_PRESENT, /* at our version */
    SCHEMA_ABSENT,  /* a database that Lockflight has never seen, without migration history */
    SCHEMA_ABSENT_BESIDE_HISTORY, /* no journal, yet applied migrations: never adopted, or lost */
    SCHEMA_OLDER,                 /* schema_ensure will upgrade it */
};

/* ERR_CONFIG with a hint to upgrade this program if the schema is newer than it. */
bool schema_look(struct pg *db, enum schema_presence *ret, struct err *e) MUST_USE;

/* Creates or upgrades. Safe to call by many at once; a no-op when current. */
bool schema_ensure(struct pg *db, struct err *e) MUST_USE;
bool schema_ensure_part(struct pg *db, enum schema_part part, struct err *e) MUST_USE;

/* The two halves of schema_ensure, for exchanges that do other things as well (pg_queue_part): which
 * script was the last, 0 if none; and the rest of them. */
struct schema_number {
    struct pg_rows rows;
    struct err absent;
    int64_t number;
};
bool schema_number_later(struct pg *db, struct arena *a, struct schema_number *ret,
                         struct err *e) MUST_USE;
bool schema_number_read(struct pg *db, struct schema_number *n, struct err *e) MUST_USE;

/* Queues a part if there is something to do. *own becomes its error: another runner was faster. */
bool schema_upgrade_later(struct pg *db, const struct schema_number *n, enum schema_part part,
                          struct err *own, struct err *e) MUST_USE;

#endif
