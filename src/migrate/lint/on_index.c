/*
 * Indexes: built, dropped, rebuilt, and which of them help nobody.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

static void redundant(struct lint *l, const PgQuery__IndexStmt *x, const struct lint_table *t)
{
    if (!t || x->unique || x->where_clause || x->n_index_including_params > 0)
        return;
    const char *columns[8];
    size_t n = 0;
    for (; n < x->n_index_params && n < 8; n++) {
        const PgQuery__IndexElem *e = x->index_params[n]->index_elem;
        columns[n] = e->name;
        if (!tree_text(e->name) || e->n_opclass > 0)
            return;
    }
    for (size_t i = 0; i < t->indexes.n; i++) {
        const struct lint_index *other = &t->indexes.v[i];
        size_t same = 0;
        while (same < n && same < other->column_count && streq(columns[same], other->columns[same]))
            same++;
        if (same == n && !other->is_partial && streq(other->method, x->access_method) &&
            !streq(other->name, x->idxname))
            (void)lint_found(l, LINT_Q12, 0, "%s begins with the same columns",
                             other->name ? other->name : "another index");
    }
}

static void create(struct lint *l, const PgQuery__IndexStmt *x)
{
    struct sql_name name = tree_range(x->relation);
    const struct lint_table *t = lint_schema_table(&l->schema, name);
    if (!x->concurrent)
        (void)lint_found_on(l, LINT_L01, 0, t, "writes to %s wait while %s is built",
                            lint_text(l, name), tree_text(x->idxname) ? x->idxname : "the index");
    if (x->concurrent && !tree_text(x->idxname))
        (void)lint_found(l, LINT_T08, 0, "without a name, a second try builds a second index");
    if (x->unique && !lint_is_new(t))
        (void)lint_found(l, LINT_C06, 0, "writes to %s must be unique from now on",
                         lint_text(l, name));
    if (x->if_not_exists)
        (void)lint_found(l, LINT_T07, 0,
                         x->concurrent ? "an index that an interrupted build left invalid is kept"
                                       : "succeeds over an index of another shape");
    if (streq(x->access_method, "hash"))
        (void)lint_found(l, LINT_Q12, 0, "a hash index serves nothing but =");
    redundant(l, x, t);
}

static void reindex(struct lint *l, const PgQuery__ReindexStmt *r)
{
    if (lint_has_option(r->params, r->n_params, "concurrently"))
        return;
    struct sql_name name = r->relation ? tree_range(r->relation) : (struct sql_name){ 0 };
    const struct lint_table *t = name.name ? lint_schema_table(&l->schema, name) : NULL;
    if (!t && name.name)
        t = lint_schema_index(&l->schema, name.name, NULL);
    if (lint_is_new(t))
        return;
    (void)lint_found(l, LINT_L03, 0, "%s", name.name ? lint_text(l, name) : r->name);
}

void lint_on_index(struct lint *l, const PgQuery__Node *n)
{
    if (n->node_case == PG_QUERY__NODE__NODE_INDEX_STMT)
        create(l, n->index_stmt);
    else if (n->node_case == PG_QUERY__NODE__NODE_REINDEX_STMT)
        reindex(l, n->reindex_stmt);
}
