/*
 * What the files of the proof share. Nobody outside includes it.
 *
 *   proof.c      the order of things: which way it is run, and again where that did not do
 *   proof_run.c  one run: up, down, up, rows, down
 *   touched.c    which tables it is about
 *   verdict.c    what was seen, as a result
 *   unseen.c     what synthetic rows may not have shown
 */
#ifndef LOCKFLIGHT_MIGRATE_PROVE_INSIDE_H
#define LOCKFLIGHT_MIGRATE_PROVE_INSIDE_H

#include "migrate/prove/content.h"
#include "migrate/prove/proof.h"
#include "migrate/prove/residue.h"
#include "migrate/prove/seed.h"

/* Columns of ordinary tables, by what stays when they are renamed. */
struct columns {
    struct pg_rows rows; /* key "oid.number", "column public.t.c", table, sorted by key */
};

/* One run, and what was seen in it. */
struct run {
    struct shadow *s;
    struct pg *db;
    struct arena *a;
    const struct migration *m;
    struct sql_script up, down;
    struct residue residue;
    bool inside;    /* one transaction */
    bool with_rows; /* synthetic rows before the first up */
    enum seed_texts texts;

    const char *wanted;     /* conditions of up's own statements about rows */
    VEC(const char *) oids; /* of the tables it is about */
    struct content_tables tables;
    struct seed_report seeded;
    struct catalogue before, after, back, again; /* S0 to S3 */
    struct pg_rows blind; /* columns in which the rows before have no value */
    struct columns columns_before, columns_after, columns_back;
    struct content rows_before, rows_after, rows_back, rows_written, rows_end;
    struct content places_written, places_end; /* the same, but for the names of labels */
    bool is_back;     /* S2 is S0, but for what is left: there is more to see */
    bool was_written; /* rows_written and rows_end are there */

    struct trace trace; /* of up; inside a transaction only */
    bool is_traced;
    bool migration_ran;
    const char *failed; /* what did not run: a sentence to put before the error; NULL */
    struct err why;     /* of that */
    VEC(const char *) notes;
};

/* Does everything; r->failed where a script does not run. */
bool run_pair(struct run *r, struct err *e) MUST_USE;

/* Finds the tables both scripts are about, in the database as it stands. Inside a transaction by
 * running both and looking at the locks, else by their names in the text. */
bool touched_find(struct run *r, struct err *e) MUST_USE;
/* After a script ran: tables that came with it are among them too. Inside a transaction only. */
bool touched_add(struct run *r, struct err *e) MUST_USE;

bool columns_read(struct pg *db, struct arena *a, struct columns *ret, struct err *e) MUST_USE;

/* Runs a script; *ret_ran is false and *why says it if the server refuses. After it the session is
 * fresh and, inside a transaction, nothing of a refused script is left. */
bool run_script(struct run *r, const char *file, struct str sql, bool *ret_ran, struct err *why,
                struct err *e) MUST_USE;

/* A statement of up that changes or removes rows which were there before, of a kind that synthetic ones
 * may not have been; NULL if there is none. */
const char *unseen_write(const struct run *r);

/* From what was seen to the result. */
bool verdict(struct run *r, struct proof *p, struct err *e) MUST_USE;

#endif
