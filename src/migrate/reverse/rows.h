/*
 * What the two files about rows share with the course of generating: rows.c reads statements,
 * rows_insert.c knows again what INSERT put there.
 */
#ifndef LOCKFLIGHT_MIGRATE_REVERSE_ROWS_H
#define LOCKFLIGHT_MIGRATE_REVERSE_ROWS_H

#include "migrate/reverse/inside.h"
#include "migrate/sql/tree.h"

/* A copy of rows that the migration made before it changed them (keep.h). */
struct rows_copy {
    const char *name;
    struct sql_name table;
    uint32_t oid; /* of the table */
};

/* An INSERT: before it ran, which rows there were; afterwards, what it put there. */
struct rows_insert {
    const struct object *table; /* as it was before the migration */
    int *columns; /* attnum of what the statement wrote, and what is always the same */
    size_t column_count;
    bool *is_key;           /* for each of them */
    const char *known;      /* numbers of the transactions whose rows were there: text[] */
    bool may_have_been;     /* ON CONFLICT DO NOTHING: equal rows may have been there */
    struct pg_rows written; /* their values, as SQL */
};

struct rows_seen {
    struct loss *l;
    const struct world *before;
    struct rows_insert *insert; /* the statement that is running */
    VEC(struct rows_insert) inserts;
    VEC(struct rows_copy) copies;
    bool is_counting;        /* the statement may write rows */
    struct pg_rows counts;   /* what was written to which table before it */
    VEC(uint32_t) explained; /* tables of which it has been said what happens to their rows */
};

/* Does a program text write rows, by its words? (rows_words.c) */
bool rows_text_writes(const char *text);

/* A sentence for class D. */
void rows_stay(struct run *r, struct rows_seen *s, const char *sentence);
const struct object *rows_table(struct run *r, struct rows_seen *s, struct sql_name name,
                                struct err *e);

bool rows_before(struct run *r, struct rows_seen *s, size_t statement, struct err *e) MUST_USE;
bool rows_after(struct run *r, struct rows_seen *s, size_t statement, struct err *e) MUST_USE;
void rows_restore(struct run *r, struct rows_seen *s, const char *version);

bool rows_insert_before(struct run *r, struct rows_seen *s, const PgQuery__InsertStmt *x,
                        struct err *e) MUST_USE;
bool rows_bulk_before(struct run *r, struct rows_seen *s, const struct sql_statement *x,
                      struct err *e) MUST_USE;
bool rows_insert_after(struct run *r, struct rows_seen *s, struct err *e) MUST_USE;
void rows_insert_restore(struct run *r, struct rows_seen *s);

#endif
