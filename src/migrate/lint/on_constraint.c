/*
 * ALTER TABLE … ADD CONSTRAINT: what it reads and builds under a lock, and what it forbids to the
 * running release.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

/* All columns are added by the files that are being judged: nobody writes them yet. */
static bool is_about_new_columns(const struct lint_table *t, PgQuery__Node *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct lint_column *c = lint_table_column(t, tree_string(keys[i]));
        if (!c || !c->is_new)
            return false;
    }
    return n > 0;
}

static void narrows(struct lint *l, struct sql_name name, const struct lint_table *t,
                    const PgQuery__Constraint *c, const char *what)
{
    if (lint_is_new(t) || is_about_new_columns(t, c->keys, c->n_keys) ||
        is_about_new_columns(t, c->fk_attrs, c->n_fk_attrs))
        return;
    (void)lint_found(l, LINT_C06, c->location, "writes to %s must fit %s from now on",
                     lint_text(l, name), what);
}

static void check(struct lint *l, struct sql_name name, const struct lint_table *t,
                  const PgQuery__Constraint *c)
{
    if (!c->skip_validation)
        (void)lint_found_on(l, LINT_L05, c->location, t, "reads all of %s under ACCESS EXCLUSIVE",
                            lint_text(l, name));
    narrows(l, name, t, c, "a new CHECK");
}

static void foreign(struct lint *l, struct sql_name name, const struct lint_table *t,
                    const PgQuery__Constraint *c)
{
    struct sql_name target = c->pktable ? tree_range(c->pktable) : (struct sql_name){ 0 };
    if (!c->skip_validation)
        (void)lint_found_on(l, LINT_L05, c->location, t,
                            "reads all of %s while its writes and those of %s wait",
                            lint_text(l, name), lint_text(l, target));
    if (!lint_is_new(t) || !lint_is_new(lint_schema_table(&l->schema, target))) {
        const struct lint_table *busy = lint_is_new(t) ? lint_schema_table(&l->schema, target) : t;
        (void)lint_found_on(l, LINT_L06, c->location, busy, "writes to %s and %s wait",
                            lint_text(l, name), lint_text(l, target));
    }
    narrows(l, name, t, c, "a new foreign key");
}

static void primary(struct lint *l, struct sql_name name, const struct lint_table *t,
                    const PgQuery__Constraint *c)
{
    if (!tree_text(c->indexname)) {
        (void)lint_found_on(l, LINT_L09, c->location, t, "builds an index on %s",
                            lint_text(l, name));
        return;
    }
    struct lint_index *index = NULL;
    (void)lint_schema_index(&l->schema, c->indexname, &index);
    bool is_known = index && t;
    for (size_t i = 0; is_known && i < index->column_count; i++) {
        const struct lint_column *column = lint_table_column(t, index->columns[i]);
        if (column && column->is_not_null)
            continue;
        (void)lint_found_on(l, LINT_L09, c->location, t, "%s may be NULL, so %s is read whole",
                            index->columns[i], lint_text(l, name));
        return;
    }
}

void lint_on_constraint(struct lint *l, const PgQuery__AlterTableStmt *s, struct lint_table *t,
                        const PgQuery__Constraint *c)
{
    struct sql_name name = tree_range(s->relation);
    switch ((int)c->contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
        check(l, name, t, c);
        break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
        foreign(l, name, t, c);
        break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
        if (!tree_text(c->indexname))
            (void)lint_found_on(l, LINT_L08, c->location, t, "builds an index on %s",
                                lint_text(l, name));
        narrows(l, name, t, c, "a new UNIQUE");
        break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
        primary(l, name, t, c);
        break;
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
        (void)lint_found_on(l, LINT_L10, c->location, t, "builds an index on %s",
                            lint_text(l, name));
        narrows(l, name, t, c, "a new exclusion");
        break;
    default:
        break;
    }
}
