/*
 * The corpus: schema changes by the hundred, each small enough to read.
 *
 * FORMAT   The files of cases/. A line "--# word rest" begins something; every other line is SQL of what was
 *          begun last.
 *            --# define NAME   a starting schema, with rows
 *            --# case KIND     a change, which has
 *            --# base NAME       the schema it starts from
 *            --# loss A|B|C|D    how lossless its way back can be at best
 *            --# alone           a statement of it cannot run inside a transaction
 *            --# refuse          no reverse script may be generated: nothing in this database shows it
 *            --# right           (mutants) this reverse script is right although it looks odd
 *            --# also            SQL run after the base
 *            --# up              the migration
 *            --# down            a reverse script written by a person; none where there cannot be one
 *          "@" stands for the schema of the case, so that many cases live in one database without
 *          meeting, and one look at that database judges them all.
 */
#ifndef LOCKFLIGHT_TESTS_CORPUS_CASE_H
#define LOCKFLIGHT_TESTS_CORPUS_CASE_H

#include "base/arena.h"
#include "base/vec.h"
#include "provider/pg.h"

struct corpus_case {
    const char *kind;
    const char *family; /* the file it is from: "column" */
    const char *base;   /* SQL: base and also */
    const char *up;
    const char *down; /* NULL without one */
    char loss;        /* 'A'..'D' */
    bool is_alone;
    bool must_refuse;
    bool is_right;
};

struct corpus_define {
    const char *name;
    const char *sql;
};

struct corpus {
    VEC(struct corpus_case) cases;
    VEC(struct corpus_define) defines;
};

/* Adds the cases of a file. A mistake in the file ends the program. */
void corpus_load(struct arena *a, const char *path, struct corpus *c);

/* All files of tests/corpus/cases. */
void corpus_load_all(struct arena *a, struct corpus *c);

/* SQL with every "@" replaced by the schema of case number `n`. NULL stays NULL. */
#define CORPUS_SCHEMA "c%04zu"
char *corpus_sql(struct arena *a, const char *sql, size_t n);

/* Runs a script: in one transaction, or one statement at a time. */
bool corpus_run(struct pg *db, const char *sql, bool alone, struct err *e) MUST_USE;

/* A new database on the private server, with the roles the cases name. */
char *corpus_database(struct arena *a, struct pg **ret);

#endif
