/*
 * Keeping what a migration would destroy, so that it can be taken back: plain SQL written into the
 * migration file, for a person to read before it is applied. Nothing is rewritten behind anyone's
 * back later.
 *
 *   DROP COLUMN c     c becomes "_gone_<version>_c"; constraints and unique indexes on it go, NOT NULL
 *                     goes where nothing would fill it
 *   DROP TABLE t      t moves to schema lockflight_gone, with its rows, indexes, sequences and
 *                     partitions; grants go, and foreign keys that would hold up deletes elsewhere
 *   UPDATE, DELETE,   the rows are copied to lockflight_undo.v<version>_<n> first, and compared
 *   TRUNCATE, MERGE,  afterwards; more than KEEP_ROWS_MAX rows or KEEP_BYTES_MAX stop the migration
 *   upsert            (constraints of the copy say so) before anything is changed
 *
 * WAY BACK   Of the first two it is a rename and a move. Of rows it is keep_restore: a row goes back
 *            only where it still is as the migration left it; the others are put on record in
 *            lockflight_undo.left_behind and stay as they are.
 *
 * REFUSED    What cannot be kept faithfully is said, with the reason and the remedy, and then nothing
 *            is written at all: views that CASCADE would take along, tables without a key …
 */
#ifndef LOCKFLIGHT_MIGRATE_KEEP_H
#define LOCKFLIGHT_MIGRATE_KEEP_H

#include "migrate/migration.h"
#include "migrate/sql/script.h"
#include "provider/pg.h"

#define KEEP_ROWS_MAX  1000000
#define KEEP_BYTES_MAX (1 << 30)

#define KEEP_GONE "lockflight_gone"
#define KEEP_UNDO "lockflight_undo"

struct keep_change {
    unsigned line;    /* in the file, of the statement */
    size_t offset;    /* of the statement in the file */
    size_t bytes;     /* of it, with its semicolon */
    const char *what; /* "DROP COLUMN app.customers.note" */
    const char *text; /* what stands there instead */
    const char *note; /* what a person should know; NULL: nothing */
};

struct keep_refusal {
    unsigned line;
    const char *what;
    const char *why;
};

struct keep {
    struct keep_change *changes;
    size_t n;
    struct keep_refusal *refusals;
    size_t refusal_count;
    struct str text; /* the file as it would be; the file itself if there is nothing to keep */
};

/* Looks at every statement of the migration. `db` is a database as it is before the migration, with
 * no transaction open; it is left as it was found. */
bool keep_plan(struct pg *db, struct arena *a, const struct migration *m, struct keep *ret,
               struct err *e) MUST_USE;

/* The change as a diff for people: "@@ line 12", "-…", "+…". */
const char *keep_diff(struct arena *a, const struct migration *m, const struct keep *k);

/* True for the statement that makes a copy of rows (CREATE TABLE lockflight_undo.… AS). Then
 * ret_copy is the copy's name, and ret_table the table whose rows it has. */
bool keep_is_copy(const struct sql_statement *s, const char **ret_copy, struct sql_name *ret_table);

/* SQL that puts the rows of a copy back. `db` is a database in which the copy exists, as it is after
 * the statements that made and compared it. */
bool keep_restore(struct pg *db, struct arena *a, const char *version, const char *copy,
                  struct sql_name table, const char **ret, struct err *e) MUST_USE;

/* True for a statement that only handles copies, or puts rows back from one: what keep_restore
 * writes. It loses nothing. */
bool keep_is_restoring(const struct sql_statement *s);

/* What the way back of this version left as it was, for people: "app.t: 3 rows were written since
 * and stay as they are". NULL: nothing. `since` (NULL: ever) is a time of that database. */
bool keep_left_behind(struct pg *db, struct arena *a, const char *version, const char *since,
                      const char **ret, struct err *e) MUST_USE;

#endif
