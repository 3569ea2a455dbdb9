/*
 * The parts of keep.c: one statement each.
 */
#ifndef LOCKFLIGHT_MIGRATE_KEEP_INSIDE_H
#define LOCKFLIGHT_MIGRATE_KEEP_INSIDE_H

#include "base/strbuf.h"
#include "base/vec.h"
#include "migrate/reverse/keep.h"
#include "migrate/sql/tree.h"

#define KEEP_TEXT_MAX (4 << 20)

struct keep_work {
    struct pg *db;
    struct arena *a;
    const struct migration *m;
    const struct sql_statement *statement; /* the one in question */

    struct strbuf text;  /* what stands instead of it; empty: it stays */
    const char *what;    /* "DROP TABLE app.t" */
    const char *note;    /* for people */
    const char *refusal; /* why it cannot be kept */

    size_t copies; /* of rows, so far */
    bool has_gone, has_undo;
    VEC(const char *) copied; /* tables whose rows the next writing statement has copied already */
};

/* Adds a line of SQL to what stands instead. */
void keep_add(struct keep_work *w, const char *fmt, ...) PRINTF(2, 3);

/* Sets the refusal; returns true, because being refused is an answer. */
bool keep_refuse(struct keep_work *w, const char *fmt, ...) PRINTF(2, 3);

/* A query about the catalogue, by the names of pg_catalog. */
bool keep_ask(struct keep_work *w, const char *sql, struct pg_params params, struct pg_rows *ret,
              struct err *e) MUST_USE;

/* One text, or NULL. */
bool keep_ask_text(struct keep_work *w, const char *sql, struct pg_params params, const char **ret,
                   struct err *e) MUST_USE;

/* The OID of a relation named in the file, as text; NULL if there is none. */
bool keep_resolve(struct keep_work *w, struct sql_name name, const char **ret_oid,
                  struct err *e) MUST_USE;

/* Whether the relation (column: may be NULL) was there before this migration. */
bool keep_is_old(struct keep_work *w, const char *oid, const char *column, bool *ret,
                 struct err *e) MUST_USE;

/* A tree as SQL. NULL if libpg_query cannot say it. */
const char *keep_deparse(struct arena *a, PgQuery__Node *n);

/* Which rows: as they follow "FROM", with what they are called there. */
struct keep_selection {
    const char *from; /* "app.orders AS o WHERE o.total IS NULL" */
    const char *as;   /* o */
};

/* What UPDATE and DELETE have in common. */
struct keep_writing {
    const PgQuery__RangeVar *relation;
    PgQuery__Node *const *others; /* FROM or USING */
    size_t other_count;
    PgQuery__Node *where;
    PgQuery__WithClause *with;
};

/* The rows of an UPDATE or DELETE of `table`; or w->refusal. */
bool keep_select_rows(struct keep_work *w, const struct keep_writing *x, const char *table,
                      struct keep_selection *ret, struct err *e) MUST_USE;

/* Each fills w->text, or w->refusal, or neither. */
bool keep_columns(struct keep_work *w, struct err *e) MUST_USE; /* ALTER TABLE */
bool keep_tables(struct keep_work *w, struct err *e) MUST_USE;  /* DROP TABLE */
bool keep_update(struct keep_work *w, struct err *e) MUST_USE;
bool keep_delete(struct keep_work *w, struct err *e) MUST_USE;
bool keep_truncate(struct keep_work *w, struct err *e) MUST_USE;
bool keep_merge(struct keep_work *w, struct err *e) MUST_USE; /* and INSERT … DO UPDATE */

#endif
