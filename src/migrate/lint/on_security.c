/*
 * Grants, policies and schemas that belong to the platform.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

/* ---- grants ---- */

static const char *everybody(const PgQuery__GrantStmt *g)
{
    for (size_t i = 0; i < g->n_grantees; i++) {
        if (g->grantees[i]->node_case != PG_QUERY__NODE__NODE_ROLE_SPEC)
            continue;
        const PgQuery__RoleSpec *r = g->grantees[i]->role_spec;
        if (r->roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC)
            return "public";
        if (streq(r->rolename, "anon"))
            return "anon";
    }
    return NULL;
}

/* The object was made by the files that are being judged. */
static bool object_is_new(const struct lint *l, const PgQuery__GrantStmt *g, const PgQuery__Node *o)
{
    struct sql_name name = o->node_case == PG_QUERY__NODE__NODE_RANGE_VAR ? tree_range(o->range_var)
                                                                          : tree_node_name(o);
    if (!name.name)
        return false;
    if (g->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION ||
        g->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE ||
        g->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE) {
        const struct lint_function *f = lint_dropped_function(&l->schema, o);
        return f && f->is_new;
    }
    return lint_is_new(lint_schema_table(&l->schema, name));
}

/* What is kept instead of dropped loses its grants first: that it goes is said at the next statement. */
static bool moves_away(void *context, const PgQuery__Node *n)
{
    const struct sql_name *table = context;
    const PgQuery__AlterObjectSchemaStmt *m = n->alter_object_schema_stmt;
    return m->relation && lint_is_kept_schema(m->newschema) &&
           sql_name_eq(tree_range(m->relation), *table);
}

static bool renames_away(void *context, const PgQuery__Node *n)
{
    const struct sql_name *table = context;
    const PgQuery__RenameStmt *r = n->rename_stmt;
    return r->relation && lint_is_soft_drop_name(r->newname) &&
           sql_name_eq(tree_range(r->relation), *table);
}

static bool is_of_columns(const PgQuery__GrantStmt *g)
{
    for (size_t i = 0; i < g->n_privileges; i++)
        if (g->privileges[i]->node_case != PG_QUERY__NODE__NODE_ACCESS_PRIV ||
            g->privileges[i]->access_priv->n_cols == 0)
            return false;
    return g->n_privileges > 0;
}

static bool is_kept(const struct lint *l, const PgQuery__GrantStmt *g)
{
    if (g->n_objects != 1 || g->objects[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
        return false;
    struct sql_name table = tree_range(g->objects[0]->range_var);
    return lint_is_kept_schema(table.schema) ||
           lint_later(l, PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT, moves_away, &table) ||
           (is_of_columns(g) &&
            lint_later(l, PG_QUERY__NODE__NODE_RENAME_STMT, renames_away, &table));
}

static void take_rights(struct lint *l, const PgQuery__GrantStmt *g)
{
    bool all_new = g->targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_OBJECT;
    for (size_t i = 0; i < g->n_objects; i++)
        all_new = all_new && object_is_new(l, g, g->objects[i]);
    if (all_new || is_kept(l, g) || g->targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_DEFAULTS)
        return;
    (void)lint_found(l, LINT_C17, 0, "REVOKE takes rights that the running release may use");
}

static void give_rights(struct lint *l, const PgQuery__GrantStmt *g)
{
    const char *who = everybody(g);
    bool matters = g->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE ||
                   g->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION ||
                   g->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE ||
                   g->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE;
    if (who && matters)
        (void)lint_found(l, LINT_S05, 0, "granted to %s", who);
}

/* ---- policies ---- */

static bool is_constant_true(const PgQuery__Node *n)
{
    return n && n->node_case == PG_QUERY__NODE__NODE_A_CONST &&
           n->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL && n->a_const->boolval->boolval;
}

/* Calls of auth.uid() and its kin, and how many of them stand in a (select …) of their own. */
struct wraps {
    int calls, wrapped;
};

static bool visit_calls(void *context, const ProtobufCMessage *m)
{
    struct wraps *w = context;
    if (TREE_IS(m, func_call)) {
        const PgQuery__FuncCall *f = (const PgQuery__FuncCall *)m;
        struct sql_name name = tree_name(f->funcname, f->n_funcname);
        w->calls += streq(name.schema, "auth") || streq(name.name, "current_setting");
    }
    const PgQuery__SubLink *s = (const PgQuery__SubLink *)m;
    bool is_scalar = TREE_IS(m, sub_link) &&
                     s->sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK && s->subselect &&
                     s->subselect->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
                     s->subselect->select_stmt->n_from_clause == 0;
    if (is_scalar) {
        struct wraps below = { 0 };
        (void)tree_walk(s->subselect, visit_calls, &below);
        w->wrapped += below.calls - below.wrapped;
    }
    return true;
}

static bool has_unwrapped(const PgQuery__Node *expression)
{
    struct wraps w = { 0 };
    if (expression)
        (void)tree_walk(expression, visit_calls, &w);
    return w.calls > w.wrapped;
}

static void policy(struct lint *l, struct sql_name table, const char *name, const char *command,
                   const PgQuery__Node *qual, const PgQuery__Node *check)
{
    if (has_unwrapped(qual) || has_unwrapped(check))
        (void)lint_found(l, LINT_S04, 0, "policy %s of %s", name, lint_text(l, table));
    bool writes = command && !streq(command, "select");
    if (writes && (is_constant_true(qual) || is_constant_true(check)))
        (void)lint_found(l, LINT_S05, 0, "policy %s lets %s be written without a condition", name,
                         lint_text(l, table));
}

static void create_policy(struct lint *l, const PgQuery__CreatePolicyStmt *p)
{
    struct sql_name table = tree_range(p->table);
    const struct lint_table *t = lint_schema_table(&l->schema, table);
    policy(l, table, p->policy_name, p->cmd_name, p->qual, p->with_check);
    if (lint_is_new(t))
        return;
    if (!p->permissive) {
        struct lint_finding *f = lint_found(
            l, LINT_C17, 0, "a restrictive policy takes rows of %s away", lint_text(l, table));
        f->severity = LINT_WARN;
    }
    (void)lint_found_on(l, LINT_L22, 0, t, "reads and writes of %s wait", lint_text(l, table));
}

static void alter_policy(struct lint *l, const PgQuery__AlterPolicyStmt *p)
{
    struct sql_name table = tree_range(p->table);
    const struct lint_table *t = lint_schema_table(&l->schema, table);
    policy(l, table, p->policy_name, NULL, p->qual, p->with_check);
    (void)lint_found_on(l, LINT_L22, 0, t, "reads and writes of %s wait", lint_text(l, table));
    if (lint_is_new(t))
        return;
    struct lint_finding *f =
        lint_found(l, LINT_C17, 0, "policy %s of %s may allow less than it did", p->policy_name,
                   lint_text(l, table));
    f->severity = LINT_WARN;
}

void lint_on_security(struct lint *l, const PgQuery__Node *n)
{
    if (n->node_case == PG_QUERY__NODE__NODE_CREATE_POLICY_STMT)
        create_policy(l, n->create_policy_stmt);
    else if (n->node_case == PG_QUERY__NODE__NODE_ALTER_POLICY_STMT)
        alter_policy(l, n->alter_policy_stmt);
    else if (n->node_case == PG_QUERY__NODE__NODE_GRANT_STMT && n->grant_stmt->is_grant)
        give_rights(l, n->grant_stmt);
    else if (n->node_case == PG_QUERY__NODE__NODE_GRANT_STMT)
        take_rights(l, n->grant_stmt);
}

/* ---- the platform's schemas ---- */

static bool is_reserved(const char *schema)
{
    static const char *const reserved[] = { "auth",
                                            "storage",
                                            "realtime",
                                            "vault",
                                            "supabase_migrations",
                                            "supabase_functions",
                                            "graphql",
                                            "graphql_public",
                                            "pgsodium",
                                            "_realtime",
                                            "pgbouncer",
                                            "lockflight",
                                            NULL };
    for (size_t i = 0; reserved[i]; i++)
        if (streq(reserved[i], schema))
            return true;
    return false;
}

/* What Supabase's own guides tell people to do there: policies on stored objects and channels, a
 * trigger on new users, a bucket. */
static bool is_documented(const PgQuery__Node *n, const struct sql_object *o)
{
    bool is_policy = n->node_case == PG_QUERY__NODE__NODE_CREATE_POLICY_STMT ||
                     n->node_case == PG_QUERY__NODE__NODE_ALTER_POLICY_STMT ||
                     n->node_case == PG_QUERY__NODE__NODE_DROP_STMT;
    if (is_policy && o->part && (streq(o->name.name, "objects") || streq(o->name.name, "messages")))
        return true;
    bool is_trigger = n->node_case == PG_QUERY__NODE__NODE_CREATE_TRIG_STMT ||
                      n->node_case == PG_QUERY__NODE__NODE_DROP_STMT;
    if (is_trigger && o->part && streq(o->name.schema, "auth"))
        return true;
    return o->effect == SQL_WRITES && streq(o->name.schema, "storage") &&
           streq(o->name.name, "buckets");
}

void lint_reserved(struct lint *l)
{
    const struct sql_statement *s = l->statement;
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *o = &s->objects[i];
        const char *schema = o->kind == SQL_SCHEMA ? o->name.name : o->name.schema;
        if (o->effect == SQL_READS || !is_reserved(schema) ||
            (s->tree && is_documented(s->tree, o)))
            continue;
        if (o->kind == SQL_SCHEMA && o->effect == SQL_CREATES)
            continue; /* create schema if not exists … : harmless */
        (void)lint_found(l, LINT_S06, 0, "%s", lint_text(l, o->name));
        return;
    }
}
