/*
 * Functions, views and triggers: what callers and readers notice when they are replaced, and with
 * whose rights they run.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

/* ---- functions ---- */

static void compare(struct lint *l, const struct lint_function *old,
                    const struct lint_function *new)
{
    const char *name = lint_text(l, new->name);
    bool is_other_result =
        !streq(old->returns, new->returns) || (old->results && !streq(old->results, new->results));
    if (is_other_result)
        (void)lint_found(l, LINT_C10, 0, "%s(%s) returned %s and returns %s from now on", name,
                         new->arguments, old->returns, new->returns);
    const char *what = NULL;
    if (!streq(old->names, new->names))
        what = "the names of its parameters";
    else if (new->defaults < old->defaults)
        what = "defaults, fewer than before";
    else if (!streq(old->volatility, new->volatility))
        what = arena_printf(l->arena, "its volatility: %s, it was %s", new->volatility,
                            old->volatility);
    else if (old->is_definer != new->is_definer)
        what = "whose rights it has";
    if (what && !old->is_trigger)
        (void)lint_found(l, LINT_C11, 0, "%s changes %s", name, what);
}

/* REVOKE EXECUTE ON FUNCTION … FROM public (or ALL), anywhere later in the file. */
static bool revokes_execute(void *context, const PgQuery__Node *n)
{
    const struct sql_name *name = context;
    const PgQuery__GrantStmt *g = n->grant_stmt;
    bool takes = !g->is_grant && (g->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION ||
                                  g->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE);
    if (!takes)
        return false;
    if (g->targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_ALL_IN_SCHEMA)
        return true;
    for (size_t i = 0; i < g->n_objects; i++)
        if (sql_name_eq(tree_node_name(g->objects[i]), *name))
            return true;
    return false;
}

static void definer(struct lint *l, const struct lint_function *f, bool is_old)
{
    const char *name = lint_text(l, f->name);
    if (!f->has_setting) {
        (void)lint_found(l, LINT_S03, 0, "%s has no SET search_path", name);
        return;
    }
    struct sql_name wanted = f->name;
    if (!f->is_trigger && !is_old && lint_is_exposed(l, f->name) &&
        !lint_later(l, PG_QUERY__NODE__NODE_GRANT_STMT, revokes_execute, &wanted))
        (void)lint_found(l, LINT_S03, 0, "everybody may call %s", name);
}

void lint_on_function(struct lint *l, const PgQuery__Node *n)
{
    if (n->node_case == PG_QUERY__NODE__NODE_ALTER_FUNCTION_STMT) {
        const PgQuery__AlterFunctionStmt *a = n->alter_function_stmt;
        for (size_t i = 0; i < a->n_actions; i++)
            if (!streq(a->actions[i]->def_elem->defname, "set"))
                (void)lint_found(l, LINT_C11, 0, "%s changes its %s",
                                 lint_text(l, tree_name(a->func->objname, a->func->n_objname)),
                                 a->actions[i]->def_elem->defname);
        return;
    }
    struct lint_function f = lint_function_of(l->arena, n->create_function_stmt);
    const struct lint_function *old = lint_schema_function(&l->schema, f.name, NULL);
    while (old && !streq(old->arguments, f.arguments))
        old = lint_schema_function(&l->schema, f.name, old);
    if (old && !old->is_new)
        compare(l, old, &f);
    if (f.is_definer)
        definer(l, &f, old && !old->is_new);
}

/* ---- views ---- */

struct base_tables {
    struct lint *l;
    struct sql_name view;
    const char *unknown, *secured;
};

static bool visit_base(void *context, const ProtobufCMessage *m)
{
    struct base_tables *b = context;
    if (!TREE_IS(m, range_var))
        return true;
    struct sql_name name = tree_range((const PgQuery__RangeVar *)m);
    const struct lint_table *t = lint_schema_table(&b->l->schema, name);
    if (t && t->has_row_security)
        b->secured = lint_text(b->l, name);
    else if (lint_is_unknown(b->l, t))
        b->unknown = lint_text(b->l, name);
    return true;
}

static void view_rights(struct lint *l, const PgQuery__ViewStmt *v)
{
    struct sql_name name = tree_range(v->view);
    if (!lint_is_exposed(l, name) || lint_has_option(v->options, v->n_options, "security_invoker"))
        return;
    struct base_tables b = { .l = l, .view = name };
    (void)tree_walk(v->query, visit_base, &b);
    if (b.secured) {
        (void)lint_found(l, LINT_S02, 0, "readers of %s pass by the policies of %s",
                         lint_text(l, name), b.secured);
    } else if (b.unknown) {
        struct lint_finding *f =
            lint_found(l, LINT_S02, 0, "%s may have policies that readers of %s pass by", b.unknown,
                       lint_text(l, name));
        lint_assume(l, f, false);
    }
}

static void view_columns(struct lint *l, const PgQuery__ViewStmt *v)
{
    const struct lint_table *old = lint_schema_table(&l->schema, tree_range(v->view));
    const char *columns[64];
    size_t n = lint_view_columns(v, columns, 64);
    if (!v->replace || !old || old->columns.n == 0 || n == 0)
        return;
    for (size_t i = 0; i < old->columns.n; i++) {
        if (i < n && streq(columns[i], old->columns.v[i].name))
            continue;
        (void)lint_found(l, LINT_C21, 0, "%s had %s as column %zu", lint_text(l, old->name),
                         old->columns.v[i].name, i + 1);
        return;
    }
}

void lint_on_view(struct lint *l, const PgQuery__Node *n)
{
    if (n->node_case == PG_QUERY__NODE__NODE_VIEW_STMT) {
        view_rights(l, n->view_stmt);
        view_columns(l, n->view_stmt);
        return;
    }
    bool is_rule = n->node_case == PG_QUERY__NODE__NODE_RULE_STMT;
    struct sql_name table =
        tree_range(is_rule ? n->rule_stmt->relation : n->create_trig_stmt->relation);
    const char *name = is_rule ? n->rule_stmt->rulename : n->create_trig_stmt->trigname;
    const struct lint_table *t = lint_schema_table(&l->schema, table);
    if (lint_is_new(t))
        return;
    bool is_replaced = !is_rule && n->create_trig_stmt->replace;
    if (!is_replaced)
        (void)lint_found(l, LINT_C20, 0, "%s on %s", name, lint_text(l, table));
    (void)lint_found_on(l, LINT_L22, 0, t,
                        is_rule ? "reads and writes of %s wait" : "writes to %s wait",
                        lint_text(l, table));
    if (!is_rule && n->create_trig_stmt->constrrel)
        (void)lint_found(l, LINT_L22, 0, "writes to %s wait too",
                         lint_text(l, tree_range(n->create_trig_stmt->constrrel)));
}
