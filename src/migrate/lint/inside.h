/*
 * What the files of migrate/lint share: the state of one run, finding something, and a few questions
 * about parse trees. Nobody outside includes it.
 *
 * Each on_… file judges one family of statements: a function gets the statement before the schema
 * model has followed it.
 */
#ifndef LOCKFLIGHT_MIGRATE_LINT_INSIDE_H
#define LOCKFLIGHT_MIGRATE_LINT_INSIDE_H

#include "base/cleanup.h"
#include "base/limits.h"
#include "migrate/lint/lint.h"
#include "migrate/lint/schema.h"
#include "migrate/sql/tree.h"

#define LINT_TINY_ROWS  10000 /* a scan of so little takes milliseconds */
#define LINT_TINY_BYTES (1 << 20)
#define LINT_MANY_ROWS  10000 /* L24: more than one batch's worth */

struct lint {
    struct arena *arena;   /* for what the report keeps */
    struct arena *scratch; /* for the parse trees of one file */
    const struct lint_input *in;
    struct lint_schema schema;

    /* the file */
    const struct migration *migration;
    const struct sql_script *script;
    enum phase phase;
    bool in_block;        /* between BEGIN and COMMIT */
    bool in_utc;          /* SET TimeZone 'UTC' was seen */
    bool is_reported_q05; /* once per file */
    size_t file_findings; /* where those of this file begin in findings */

    /* the statement */
    size_t index;
    const struct sql_statement *statement;

    VEC(struct lint_finding) findings;
    bool *allow_used; /* one per directive of the file */
};

/* ---- finding ---- */

/* At a place of the statement: `location` as the parse tree counts it, 0 or less for its start. */
struct lint_finding *lint_found(struct lint *l, enum lint_id id, int location, const char *fmt, ...)
    PRINTF(4, 5);

/* Of the file as a whole, or of another statement. */
struct lint_finding *lint_found_at(struct lint *l, enum lint_id id, size_t offset, const char *fmt,
                                   ...) PRINTF(4, 5);

/* About a lock, scan or rewrite of a table: nothing if it is new, a note if it is known to be tiny,
 * and assumed if nothing is known about it. `t` may be NULL. */
struct lint_finding *lint_found_on(struct lint *l, enum lint_id id, int location,
                                   const struct lint_table *t, const char *fmt, ...) PRINTF(5, 6);

/* Says that the catalogue could not decide, and lowers an error to a warning where `soft`. */
void lint_assume(struct lint *l, struct lint_finding *f, bool soft);

/* ---- asking ---- */

/* No table of this name is known, and one may exist all the same. */
bool lint_is_unknown(const struct lint *l, const struct lint_table *t);
bool lint_is_new(const struct lint_table *t);

/* "public.orders" for messages. */
const char *lint_text(const struct lint *l, struct sql_name n);

bool lint_is_true(const PgQuery__Node *n); /* an option's value: true, on, 1, or none at all */
const PgQuery__Node *lint_option(PgQuery__Node *const *options, size_t n, const char *name);
bool lint_has_option(PgQuery__Node *const *options, size_t n, const char *name);

/* Does the text contain the word, as SQL separates words, in any case? */
bool lint_has_word(const char *text, const char *word);

/* Column names of a view, in order; 0 if they cannot be told from the text (SELECT *). `ret` may be
 * NULL: only the count. */
size_t lint_view_columns(const PgQuery__ViewStmt *v, const char **ret, size_t max);
bool lint_domain_is_constrained(const PgQuery__CreateDomainStmt *d);

/* The function that an entry of DROP FUNCTION means; NULL if it is not known. */
struct lint_function *lint_dropped_function(const struct lint_schema *s,
                                            const PgQuery__Node *object);

/* Parts of lint_schema_follow. */
void lint_schema_create_table(struct lint_schema *s, const PgQuery__CreateStmt *c,
                              const void *file);
void lint_schema_alter_table(struct lint_schema *s, const PgQuery__Node *n, const void *file);
void lint_schema_create_index(struct lint_schema *s, const PgQuery__IndexStmt *x);

const char *lint_arguments(struct arena *a, PgQuery__Node *const *types, size_t n);
struct lint_function lint_function_of(struct arena *a, const PgQuery__CreateFunctionStmt *c);

/* An expression that a column's default may be: is it evaluated once per row? */
enum sql_answer lint_is_volatile(const struct lint *l, const PgQuery__Node *expression);

/* Columns that an expression names, at most `max`. */
size_t lint_columns_of(const PgQuery__Node *expression, const char **ret, size_t max);

/* CHECK (c IS NOT NULL): c, else NULL. */
const char *lint_not_null_check(const PgQuery__Node *expression);

bool lint_is_soft_drop_name(const char *column);
bool lint_is_kept_schema(const char *schema);
bool lint_is_exposed(const struct lint *l, struct sql_name n);

/* A before-image of the table stands earlier in the file. */
bool lint_has_image(const struct lint *l, struct sql_name table);

/* A statement of the file, later than the current one, for which `is` holds; NULL if none. */
const struct sql_statement *lint_later(const struct lint *l, PgQuery__Node__NodeCase node,
                                       bool (*is)(void *context, const PgQuery__Node *n),
                                       void *context);

/* ---- judging ---- */

void lint_on_index(struct lint *l, const PgQuery__Node *n);
void lint_on_alter_table(struct lint *l, const PgQuery__Node *n);
void lint_on_constraint(struct lint *l, const PgQuery__AlterTableStmt *s, struct lint_table *t,
                        const PgQuery__Constraint *c);
void lint_on_new_column(struct lint *l, const PgQuery__AlterTableStmt *s, struct lint_table *t,
                        const PgQuery__ColumnDef *d);
void lint_on_column(struct lint *l, const PgQuery__AlterTableStmt *s, struct lint_table *t,
                    const PgQuery__AlterTableCmd *c);
void lint_on_create_table(struct lint *l, const PgQuery__Node *n);
void lint_on_drop(struct lint *l, const PgQuery__Node *n);
void lint_on_rename(struct lint *l, const PgQuery__Node *n);
void lint_on_function(struct lint *l, const PgQuery__Node *n);
void lint_on_view(struct lint *l, const PgQuery__Node *n);
void lint_on_security(struct lint *l, const PgQuery__Node *n);
void lint_on_rows(struct lint *l, const PgQuery__Node *n);
void lint_on_type(struct lint *l, const PgQuery__Node *n);
void lint_on_maintenance(struct lint *l, const PgQuery__Node *n);
void lint_on_words(struct lint *l);     /* a statement that the grammar does not know */
void lint_on_statement(struct lint *l); /* what holds for every kind */
void lint_reserved(struct lint *l);     /* S06 */
void lint_on_names(struct lint *l);
void lint_on_file_begin(struct lint *l);
void lint_on_file_end(struct lint *l);

/* Functions that go on naming a column which is dropped or renamed (C23). */
void lint_column_leaves(struct lint *l, struct sql_name table, const char *column);

/* Foreign keys of the file: without an index on their side, or of another type (Q06, Q12). */
void lint_keys(struct lint *l);

/* Where the file first names the table: of the statement. */
size_t lint_offset_of_table(const struct lint *l, struct sql_name table);

/* Types of columns, wherever they are declared. */
void lint_column_quality(struct lint *l, const PgQuery__ColumnDef *d, bool is_key);

/* Marks what `allow:` and `phase:` except, and reports what they do not (Q11). */
void lint_except(struct lint *l, const struct directives *all);
void lint_verdict_of(struct lint *l, struct lint_verdict *ret);

#endif
