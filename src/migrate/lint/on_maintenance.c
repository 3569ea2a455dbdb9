/*
 * LOCK, VACUUM, CLUSTER, REFRESH, SET, BEGIN, DO: statements that make nothing and still do harm.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

static void lock_table(struct lint *l, const PgQuery__LockStmt *s)
{
    if (s->mode <= SQL_SHARE_UPDATE_EXCLUSIVE)
        return;
    for (size_t i = 0; i < s->n_relations; i++) {
        if (s->relations[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        struct sql_name name = tree_range(s->relations[i]->range_var);
        (void)lint_found_on(l, LINT_L18, 0, lint_schema_table(&l->schema, name), "%s in %s mode",
                            lint_text(l, name), sql_lock_name((enum sql_lock_level)s->mode));
    }
}

static void vacuum(struct lint *l, const PgQuery__VacuumStmt *v)
{
    if (!lint_has_option(v->options, v->n_options, "full"))
        return;
    const struct lint_table *t = NULL;
    const char *name = "every table";
    if (v->n_rels > 0 && v->rels[0]->node_case == PG_QUERY__NODE__NODE_VACUUM_RELATION) {
        struct sql_name relation = tree_range(v->rels[0]->vacuum_relation->relation);
        t = lint_schema_table(&l->schema, relation);
        name = lint_text(l, relation);
    }
    (void)lint_found_on(l, LINT_L16, 0, t, "VACUUM FULL writes %s anew", name);
}

static void cluster(struct lint *l, const PgQuery__ClusterStmt *c)
{
    struct sql_name name = c->relation ? tree_range(c->relation) : (struct sql_name){ 0 };
    (void)lint_found_on(l, LINT_L16, 0, name.name ? lint_schema_table(&l->schema, name) : NULL,
                        "CLUSTER writes %s anew", name.name ? lint_text(l, name) : "tables");
}

static void refresh(struct lint *l, const PgQuery__RefreshMatViewStmt *r)
{
    struct sql_name name = tree_range(r->relation);
    if (!r->concurrent)
        (void)lint_found_on(l, LINT_L17, 0, lint_schema_table(&l->schema, name),
                            "readers of %s wait", lint_text(l, name));
}

static bool sets_utc(const PgQuery__VariableSetStmt *s)
{
    return s->n_args == 1 && s->args[0]->node_case == PG_QUERY__NODE__NODE_A_CONST &&
           s->args[0]->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL &&
           strcasecmp(s->args[0]->a_const->sval->sval, "utc") == 0;
}

static void set(struct lint *l, const PgQuery__VariableSetStmt *s)
{
    if (strcasecmp(s->name, "timezone") == 0)
        l->in_utc = sets_utc(s);
    if (strcasecmp(s->name, "session_replication_role") == 0)
        (void)lint_found(l, LINT_C26, 0, "no foreign key is checked, no trigger runs");
    bool leaks = s->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE && !s->is_local;
    if (leaks && !l->in->is_by_hand)
        (void)lint_found(l, LINT_T05, 0, "%s", s->name);
}

/* select set_config('search_path', '', false), as pg_dump writes it. */
static void select_setting(struct lint *l, const PgQuery__SelectStmt *s)
{
    for (size_t i = 0; i < s->n_target_list; i++) {
        const PgQuery__Node *v = s->target_list[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET
                                     ? s->target_list[i]->res_target->val
                                     : NULL;
        if (!v || v->node_case != PG_QUERY__NODE__NODE_FUNC_CALL || v->func_call->n_args != 3)
            continue;
        struct sql_name f = tree_name(v->func_call->funcname, v->func_call->n_funcname);
        const PgQuery__Node *local = v->func_call->args[2];
        bool is_local = local->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                        local->a_const->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL &&
                        local->a_const->boolval->boolval;
        if (streq(f.name, "set_config") && !is_local && !l->in->is_by_hand)
            (void)lint_found(l, LINT_T05, 0, "set_config(…, false)");
    }
}

static void transaction(struct lint *l, const PgQuery__TransactionStmt *t)
{
    bool begins = t->kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN ||
                  t->kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START;
    bool ends = t->kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT ||
                t->kind == PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK;
    if (begins)
        l->in_block = true;
    if (ends)
        l->in_block = false;
    if ((begins || ends) && !l->in->is_by_hand)
        (void)lint_found(l, LINT_T01, 0, "%s", l->statement->what);
}

/* The body of DO is a text. Words in it that change something: nobody can tell what. */
static void anonymous_block(struct lint *l, const PgQuery__DoStmt *d)
{
    static const char *const changing[] = { "execute", "create", "alter",  "drop",  "truncate",
                                            "delete",  "update", "insert", "grant", "revoke",
                                            "perform", "call",   NULL };
    const char *body = NULL;
    for (size_t i = 0; i < d->n_args; i++)
        if (d->args[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            streq(d->args[i]->def_elem->defname, "as"))
            body = tree_string(d->args[i]->def_elem->arg);
    for (size_t i = 0; changing[i]; i++) {
        if (!lint_has_word(body, changing[i]))
            continue;
        (void)lint_found(l, LINT_T06, 0, "the block says %s", changing[i]);
        return;
    }
}

void lint_on_maintenance(struct lint *l, const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_LOCK_STMT:
        lock_table(l, n->lock_stmt);
        break;
    case PG_QUERY__NODE__NODE_VACUUM_STMT:
        vacuum(l, n->vacuum_stmt);
        break;
    case PG_QUERY__NODE__NODE_CLUSTER_STMT:
        cluster(l, n->cluster_stmt);
        break;
    case PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT:
        refresh(l, n->refresh_mat_view_stmt);
        break;
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
        set(l, n->variable_set_stmt);
        break;
    case PG_QUERY__NODE__NODE_SELECT_STMT:
        select_setting(l, n->select_stmt);
        break;
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
        transaction(l, n->transaction_stmt);
        break;
    case PG_QUERY__NODE__NODE_DO_STMT:
        anonymous_block(l, n->do_stmt);
        break;
    default:
        break;
    }
}
