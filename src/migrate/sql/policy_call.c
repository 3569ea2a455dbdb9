#include "migrate/sql/policy_call.h"

#include "base/vec.h"
#include "migrate/sql/tree.h"

struct search {
    struct arena *a;
    struct policy_calls *to;
    const char *table, *policy, *where;
    VEC(const ProtobufCMessage *) once; /* calls in subselects */
};

/* ---- one call ---- */

static const char *literal(const PgQuery__Node *n)
{
    while (n && n->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        n = n->type_cast->arg;
    bool is_text = n && n->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                   n->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
    return is_text ? n->a_const->sval->sval : NULL;
}

static const PgQuery__FuncCall *asks(const ProtobufCMessage *m)
{
    if (!TREE_IS(m, func_call))
        return NULL;
    const PgQuery__FuncCall *call = (const PgQuery__FuncCall *)m;
    struct sql_name name = tree_name(call->funcname, call->n_funcname);
    bool is_ours = streq(name.name, "is_on") && (!name.schema || streq(name.schema, "lockflight"));
    bool is_app =
        streq(name.name, "module_enabled") && (!name.schema || streq(name.schema, "public"));
    return is_ours || is_app ? call : NULL;
}

/* ---- all of an expression ---- */

static bool note_once(void *context, const ProtobufCMessage *m)
{
    struct search *s = context;
    if (asks(m)) // NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers
        *vec_add(&s->once, s->a) = m;
    return true;
}

static bool find_subselects(void *context, const ProtobufCMessage *m)
{
    if (TREE_IS(m, sub_link))
        (void)tree_walk(((const PgQuery__SubLink *)m)->subselect, note_once, context);
    return true;
}

static bool add_call(void *context, const ProtobufCMessage *m)
{
    struct search *s = context;
    const PgQuery__FuncCall *call = asks(m);
    if (!call)
        return true;
    bool is_once = false;
    for (size_t i = 0; i < s->once.n; i++)
        is_once |= s->once.v[i] == m;
    const char *key = call->n_args > 0 ? literal(call->args[0]) : NULL;
    *vec_add(s->to, s->a) = (struct policy_call){
        .table = s->table,
        .policy = s->policy,
        .function = arena_strdup(s->a, tree_name(call->funcname, call->n_funcname).name),
        .key = key ? arena_strdup(s->a, key) : NULL,
        .is_bare = s->policy && !is_once,
        .where = s->where,
    };
    return true;
}

static void search(struct search *s, const PgQuery__Node *n)
{
    s->once.n = 0;
    (void)tree_walk(n, find_subselects, s);
    (void)tree_walk(n, add_call, s);
}

/* ---- statements ---- */

static void forget(struct policy_calls *list, const char *table, const char *policy)
{
    for (size_t i = 0; i < list->n; i++)
        if (streq(list->v[i].policy, policy) && streq(list->v[i].table, table))
            list->v[i].is_gone = true;
}

static const char *full_name(struct arena *a, struct sql_name n)
{
    return arena_printf(a, "%s.%s", n.schema ? n.schema : "public", n.name ? n.name : "?");
}

static void search_policy(struct search *s, struct sql_name table, const char *name,
                          const PgQuery__Node *qual, const PgQuery__Node *check)
{
    s->table = full_name(s->a, table);
    s->policy = arena_strdup(s->a, name);
    forget(s->to, s->table, s->policy);
    search(s, qual);
    search(s, check);
    s->table = s->policy = NULL;
}

/* DROP POLICY name ON table: {schema?, table, name} */
static void drop_policies(struct search *s, const PgQuery__DropStmt *drop)
{
    if (drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_POLICY)
        return;
    for (size_t i = 0; i < drop->n_objects; i++) {
        const PgQuery__Node *o = drop->objects[i];
        if (o->node_case != PG_QUERY__NODE__NODE_LIST || o->list->n_items < 2)
            continue;
        struct sql_name table = tree_name(o->list->items, o->list->n_items - 1);
        forget(s->to, full_name(s->a, table), tree_string(o->list->items[o->list->n_items - 1]));
    }
}

static void search_statement(struct search *s, const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
        search_policy(s, tree_range(n->create_policy_stmt->table),
                      n->create_policy_stmt->policy_name, n->create_policy_stmt->qual,
                      n->create_policy_stmt->with_check);
        break;
    case PG_QUERY__NODE__NODE_ALTER_POLICY_STMT:
        search_policy(s, tree_range(n->alter_policy_stmt->table), n->alter_policy_stmt->policy_name,
                      n->alter_policy_stmt->qual, n->alter_policy_stmt->with_check);
        break;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        drop_policies(s, n->drop_stmt);
        break;
    default:
        search(s, n);
    }
}

static bool mentions(struct str text, const char *word)
{
    return memmem(text.p, text.n, word, strlen(word)) != NULL;
}

bool policy_calls_read(struct arena *a, const char *file, struct str text, struct policy_calls *to,
                       struct err *e)
{
    struct sql_script script;
    if (!mentions(text, "is_on") && !mentions(text, "module_enabled") && !mentions(text, "olicy") &&
        !mentions(text, "OLICY"))
        return true;
    if (!sql_script_read(a, file, text, &script, e))
        return false;
    for (size_t i = 0; i < script.n; i++) {
        struct search s = { .a = a,
                            .to = to,
                            .where = arena_printf(a, "%s:%u", file, script.statements[i].line) };
        if (script.statements[i].tree)
            search_statement(&s, script.statements[i].tree);
    }
    return true;
}

bool policy_calls_of_expression(struct arena *a, const struct policy_place *place,
                                const char *expression, struct policy_calls *to, struct err *e)
{
    struct sql_script script;
    const char *text = arena_printf(a, "SELECT (%s)", expression);
    if (!sql_script_read(a, place->where, str_of(text), &script, e))
        return false;
    struct search s = {
        .a = a, .to = to, .table = place->table, .policy = place->policy, .where = place->where
    };
    for (size_t i = 0; i < script.n; i++)
        if (script.statements[i].tree)
            search(&s, script.statements[i].tree);
    return true;
}
