/*
 * Which rows an UPDATE or DELETE is about, as a query of its own: its tree becomes that of a SELECT. A
 * statement whose rows cannot be found twice is refused.
 */
#include "migrate/reverse/keep_inside.h"

static bool note_function(void *context, const ProtobufCMessage *m)
{
    struct keep_work *w = context;
    if (TREE_IS(m, func_call)) {
        const PgQuery__FuncCall *f = (const PgQuery__FuncCall *)m;
        const char *name = tree_name(f->funcname, f->n_funcname).name;
        w->note = arena_printf(w->a, "%s%s\"%s\"", w->note ? w->note : "", w->note ? "," : "",
                               name ? name : "");
    }
    if (TREE_IS(m, insert_stmt) || TREE_IS(m, update_stmt) || TREE_IS(m, delete_stmt))
        keep_refuse(w, "one of its WITH queries writes too; give that a statement of its own");
    if (TREE_IS(m, current_of_expr))
        keep_refuse(w, "it uses a cursor");
    return true;
}

/* The same rows must be found twice. */
static bool is_stable(struct keep_work *w, PgQuery__Node *select, struct err *e)
{
    const char *found = NULL;
    w->note = NULL;
    (void)tree_walk(select, note_function, w);
    const char *names = w->note;
    w->note = NULL;
    if (w->refusal || !names)
        return true;
    if (!keep_ask_text(w,
                       "SELECT min(proname) FROM pg_catalog.pg_proc WHERE provolatile = 'v' AND"
                       " proname = ANY ($1::name[]) AND prokind = 'f'",
                       PG_PARAMS(arena_printf(w->a, "{%s}", names)), &found, e))
        return false;
    return !found ||
           keep_refuse(w, "%s() in its conditions may choose other rows each time", found);
}

static PgQuery__Node *node(struct keep_work *w, PgQuery__Node__NodeCase what)
{
    PgQuery__Node *n = ARENA_NEW(w->a, PgQuery__Node);
    pg_query__node__init(n);
    n->node_case = what;
    return n;
}

/* ref.name, or * */
static PgQuery__Node *target(struct keep_work *w, const char *ref, const char *name)
{
    PgQuery__ColumnRef *c = ARENA_NEW(w->a, PgQuery__ColumnRef);
    pg_query__column_ref__init(c);
    c->fields = ARENA_ARRAY(w->a, PgQuery__Node *, 2);
    const char *parts[] = { ref, name };
    for (size_t i = 0; i < 2 && name; i++) {
        PgQuery__Node *n = node(w, PG_QUERY__NODE__NODE_STRING);
        n->string = ARENA_NEW(w->a, PgQuery__String);
        pg_query__string__init(n->string);
        n->string->sval = arena_strdup(w->a, parts[i]);
        c->fields[c->n_fields++] = n;
    }
    if (!name) {
        PgQuery__Node *n = node(w, PG_QUERY__NODE__NODE_A_STAR);
        n->a_star = ARENA_NEW(w->a, PgQuery__AStar);
        pg_query__a__star__init(n->a_star);
        c->fields[c->n_fields++] = n;
    }
    PgQuery__ResTarget *r = ARENA_NEW(w->a, PgQuery__ResTarget);
    pg_query__res_target__init(r);
    r->val = node(w, PG_QUERY__NODE__NODE_COLUMN_REF);
    r->val->column_ref = c;
    PgQuery__Node *n = node(w, PG_QUERY__NODE__NODE_RES_TARGET);
    n->res_target = r;
    return n;
}

bool keep_select_rows(struct keep_work *w, const struct keep_writing *x, const char *table,
                      struct keep_selection *ret, struct err *e)
{
    PgQuery__SelectStmt *s = ARENA_NEW(w->a, PgQuery__SelectStmt);
    pg_query__select_stmt__init(s);
    bool joins = x->other_count > 0 || x->with;
    const char *ref = x->relation->alias ? x->relation->alias->aliasname : x->relation->relname;
    s->from_clause = ARENA_ARRAY(w->a, PgQuery__Node *, x->other_count + 1);
    s->from_clause[0] = node(w, PG_QUERY__NODE__NODE_RANGE_VAR);
    s->from_clause[0]->range_var = ARENA_NEW(w->a, PgQuery__RangeVar);
    *s->from_clause[0]->range_var = *x->relation;
    for (size_t i = 0; i < x->other_count; i++)
        s->from_clause[i + 1] = x->others[i];
    s->n_from_clause = x->other_count + 1;
    s->where_clause = x->where;
    s->with_clause = x->with;
    s->limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT;
    s->op = PG_QUERY__SET_OPERATION__SETOP_NONE;
    s->target_list = ARENA_ARRAY(w->a, PgQuery__Node *, 2);
    s->target_list[0] = target(w, ref, joins ? "tableoid" : NULL);
    if (joins)
        s->target_list[1] = target(w, ref, "ctid");
    s->n_target_list = joins ? 2 : 1;
    PgQuery__Node *n = node(w, PG_QUERY__NODE__NODE_SELECT_STMT);
    n->select_stmt = s;
    if (!is_stable(w, n, e))
        return false;
    if (w->refusal)
        return true;
    const char *text = keep_deparse(w->a, n);
    if (!text)
        return keep_refuse(w, "its conditions cannot be said as a query of their own");
    if (joins)
        *ret = (struct keep_selection){
            arena_printf(w->a, "%s AS t WHERE (t.tableoid, t.ctid) IN (%s)", table, text), "t"
        };
    else
        *ret = (struct keep_selection){ text + strlen("SELECT * FROM "), sql_quote(w->a, ref) };
    return true;
}
