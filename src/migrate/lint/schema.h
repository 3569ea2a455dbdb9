/*
 * What is known about a schema while migrations are read: tables with columns, constraints, indexes
 * and policies; functions, types and sequences. Read from a database (lint_schema_read) or from
 * earlier files, and kept up to date by each statement (lint_schema_follow).
 *
 * It knows as much as the rules ask, no more. What is not in it may exist all the same unless
 * `is_complete`.
 */
#ifndef LOCKFLIGHT_MIGRATE_LINT_SCHEMA_H
#define LOCKFLIGHT_MIGRATE_LINT_SCHEMA_H

#include "base/vec.h"
#include "migrate/sql/tree.h"
#include "provider/pg.h"

/* A type as far as rewriting goes: "varchar" with its limits. */
struct lint_type {
    const char *name; /* as in pg_type: int4, varchar, timestamptz; NULL: not known */
    int mod[2];       /* varchar(40): { 40 }, numeric(12,2): { 12, 2 } */
    int mods;
    bool is_array;
};

struct lint_column {
    const char *name;
    struct lint_type type;
    bool is_not_null;
    bool has_default;
    bool is_identity;
    bool is_new; /* added by a file that is being judged */
};

enum lint_constraint_kind {
    LINT_CHECK,
    LINT_FOREIGN,
    LINT_PRIMARY,
    LINT_UNIQUE,
    LINT_EXCLUDE,
};

struct lint_constraint {
    const char *name; /* NULL: the server chose it */
    enum lint_constraint_kind kind;
    const char *columns[8]; /* of this table; of a CHECK: all columns it names */
    size_t column_count;
    struct sql_name target;      /* FOREIGN: the referenced table */
    const char *target_column;   /* its first column, or NULL: the primary key */
    const char *not_null_column; /* CHECK (c IS NOT NULL): c */
    bool is_valid;
    const void *added_in; /* the script that added it, if it is being judged */
};

struct lint_index {
    const char *name;
    const char *columns[8]; /* an expression is "" */
    size_t column_count;
    const char *method; /* btree */
    bool is_unique;
    bool is_partial; /* WHERE, INCLUDE or an expression: not comparable */
};

enum lint_table_kind {
    LINT_TABLE,
    LINT_PARTITIONED,
    LINT_VIEW,
    LINT_MATVIEW,
    LINT_SEQUENCE,
    LINT_FOREIGN_TABLE,
    LINT_COMPOSITE,
};

struct lint_table {
    struct sql_name name; /* schema is set */
    enum lint_table_kind kind;
    bool is_new;   /* made by a file of the set that is being judged: no traffic */
    bool is_gone;  /* dropped or renamed by one */
    bool is_sized; /* the next two are known */
    int64_t rows, bytes;
    bool has_row_security;
    bool has_policies;
    bool is_invoker; /* a view with security_invoker */
    bool is_published;
    bool has_identity; /* REPLICA IDENTITY full or by an index */
    bool has_columns;  /* all of them are known */
    bool is_touched;   /* in lint_schema.touched */
    VEC(struct lint_column) columns;
    VEC(struct lint_constraint) constraints;
    VEC(struct lint_index) indexes;
};

struct lint_function {
    struct sql_name name;
    const char *arguments;  /* types only: "int4, text" */
    const char *names;      /* of the parameters: "a, b" */
    const char *returns;    /* "setof orders", "int4", "void" */
    const char *results;    /* OUT parameters and columns of TABLE: "id int8, name text" */
    const char *volatility; /* immutable, stable, volatile */
    bool is_definer;
    bool has_setting; /* SET search_path, or another */
    int defaults;
    const char *body; /* prosrc */
    const char *language;
    bool is_new, is_gone;
    bool is_trigger;
};

enum lint_type_kind {
    LINT_ENUM,
    LINT_DOMAIN,
};

struct lint_user_type {
    struct sql_name name;
    enum lint_type_kind kind;
    bool is_constrained; /* a domain with CHECK or NOT NULL */
    bool is_new;
};

struct lint_schema {
    struct arena *arena;
    bool is_complete; /* from a database: what is not here does not exist */
    bool has_history; /* all earlier files were read, so an unknown table is a rare thing */
    bool is_judging;  /* what comes now is new */
    VEC(struct lint_table *) tables;
    VEC(struct lint_table *) touched; /* what the files since lint_schema_settle changed */
    size_t settled_functions, settled_types;
    VEC(struct lint_function) functions;
    VEC(struct lint_user_type) types;
    struct lint_table **hash; /* of tables, open addressing */
    size_t hash_size;
    bool publishes_all; /* FOR ALL TABLES */
};

void lint_schema_init(struct lint_schema *s, struct arena *a);

/* Fills it from a database: everything outside system schemas. Reads only. */
bool lint_schema_read(struct pg *db, struct lint_schema *s, struct err *e) MUST_USE;

/* What a statement does to it. `file` is who says so, for `added_in`. Nothing of the statement is kept:
 * texts are copied. */
void lint_schema_follow(struct lint_schema *s, const void *file,
                        const struct sql_statement *statement);

/* From here on nothing is new any more: what the files so far made is in use. */
void lint_schema_settle(struct lint_schema *s);

/* Notes that a table, or something of it, is being changed. */
void lint_schema_touch(struct lint_schema *s, struct lint_table *t);

/* A copy that lives as long as the schema; NULL stays NULL. */
const char *lint_schema_keep(struct lint_schema *s, const char *text);

/* NULL if it is not known, or gone. No schema means public. */
struct lint_table *lint_schema_table(const struct lint_schema *s, struct sql_name name);
struct lint_table *lint_schema_add_table(struct lint_schema *s, struct sql_name name,
                                         enum lint_table_kind kind);
struct lint_column *lint_table_column(const struct lint_table *t, const char *name);
struct lint_constraint *lint_table_constraint(const struct lint_table *t, const char *name);

/* The table that has an index of this name; *ret_index may be NULL. */
struct lint_table *lint_schema_index(const struct lint_schema *s, const char *name,
                                     struct lint_index **ret_index);

/* The next function of this name after `after` (NULL: the first). */
struct lint_function *lint_schema_function(const struct lint_schema *s, struct sql_name name,
                                           const struct lint_function *after);
struct lint_user_type *lint_schema_type(const struct lint_schema *s, struct sql_name name);

/* Is there an index or key that begins with this column? */
bool lint_table_leads(const struct lint_table *t, const char *column);

/* Types. */
struct lint_type lint_type_of(const PgQuery__TypeName *t);
const char *lint_type_text(struct arena *a, struct lint_type t);

enum lint_change {
    LINT_SAME,     /* nothing happens to the table's file */
    LINT_REWRITES, /* written anew */
    LINT_ZONE,     /* timestamp and timestamptz: rewritten unless the session is in UTC */
    LINT_UNKNOWN,  /* the old type, or one of the two, is not known */
};
enum lint_change lint_type_change(struct lint_type from, struct lint_type to);

/* Do clients get another kind of value? */
bool lint_type_is_other_on_the_wire(struct lint_type from, struct lint_type to);

#endif
