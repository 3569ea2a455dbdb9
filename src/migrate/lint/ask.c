/*
 * Questions about parse trees and names that several rules ask.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

#include <ctype.h>

bool lint_is_new(const struct lint_table *t)
{
    return t && t->is_new;
}

bool lint_is_unknown(const struct lint *l, const struct lint_table *t)
{
    return !t && !l->schema.is_complete;
}

const char *lint_text(const struct lint *l, struct sql_name n)
{
    return sql_name_text(l->arena, n);
}

/* ---- options ---- */

const PgQuery__Node *lint_option(PgQuery__Node *const *options, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            streq(options[i]->def_elem->defname, name))
            return options[i];
    return NULL;
}

bool lint_is_true(const PgQuery__Node *n)
{
    if (!n)
        return true;
    if (n->node_case == PG_QUERY__NODE__NODE_BOOLEAN)
        return n->boolean->boolval;
    if (n->node_case == PG_QUERY__NODE__NODE_INTEGER)
        return n->integer->ival != 0;
    struct sql_name name =
        n->node_case == PG_QUERY__NODE__NODE_TYPE_NAME ? tree_node_name(n) : (struct sql_name){ 0 };
    const char *text = name.name ? name.name : tree_string(n);
    return streq(text, "true") || streq(text, "on") || streq(text, "1");
}

bool lint_has_option(PgQuery__Node *const *options, size_t n, const char *name)
{
    const PgQuery__Node *o = lint_option(options, n, name);
    return o && lint_is_true(o->def_elem->arg);
}

/* ---- words ---- */

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (c & 0x80);
}

bool lint_has_word(const char *text, const char *word)
{
    size_t n = word ? strlen(word) : 0;
    if (!text || n == 0)
        return false;
    for (const char *p = text; (p = strcasestr(p, word)); p++) {
        bool begins = p == text || !is_word_byte(p[-1]);
        if (begins && !is_word_byte(p[n]))
            return true;
    }
    return false;
}

/* ---- expressions ---- */

struct volatility {
    const struct lint *l;
    enum sql_answer answer;
};

static enum sql_answer function_is_volatile(const struct lint *l, struct sql_name name)
{
    static const char *const yes[] = {
        "clock_timestamp",  "random",
        "gen_random_uuid",  "gen_random_bytes",
        "uuid_generate_v1", "uuid_generate_v1mc",
        "uuid_generate_v4", "uuidv4",
        "uuidv7",           "nextval",
        "timeofday",        "gen_salt",
        "random_normal",    NULL,
    };
    static const char *const no[] = {
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "current_setting",
        "timezone",
        "lower",
        "upper",
        "btrim",
        "length",
        "md5",
        "concat",
        "to_char",
        "to_jsonb",
        "date_trunc",
        "date_part",
        "extract",
        "make_interval",
        "make_date",
        "jsonb_build_object",
        "json_build_object",
        "jsonb_build_array",
        "encode",
        "decode",
        "digest",
        "date",
        "uid",
        "jwt",
        "role",
        "array_fill",
        "int4range",
        "int8range",
        "numrange",
        "tsrange",
        "tstzrange",
        "daterange",
        "point",
        "txid_current",
        NULL,
    };
    for (size_t i = 0; yes[i]; i++)
        if (streq(yes[i], name.name))
            return SQL_YES;
    for (size_t i = 0; no[i]; i++)
        if (streq(no[i], name.name))
            return SQL_NO;
    const struct lint_function *f = lint_schema_function(&l->schema, name, NULL);
    if (f)
        return streq(f->volatility, "volatile") ? SQL_YES : SQL_NO;
    return l->schema.is_complete || streq(name.schema, "pg_catalog") ? SQL_NO : SQL_DEPENDS;
}

static bool visit_volatility(void *context, const ProtobufCMessage *m)
{
    struct volatility *v = context;
    if (!TREE_IS(m, func_call))
        return true;
    const PgQuery__FuncCall *f = (const PgQuery__FuncCall *)m;
    enum sql_answer one = function_is_volatile(v->l, tree_name(f->funcname, f->n_funcname));
    if (one == SQL_YES || (one == SQL_DEPENDS && v->answer == SQL_NO))
        v->answer = one;
    return v->answer != SQL_YES;
}

enum sql_answer lint_is_volatile(const struct lint *l, const PgQuery__Node *expression)
{
    struct volatility v = { l, SQL_NO };
    if (expression)
        (void)tree_walk(expression, visit_volatility, &v);
    return v.answer;
}

struct columns {
    const char **v;
    size_t n, max;
};

static bool visit_columns(void *context, const ProtobufCMessage *m)
{
    struct columns *c = context;
    const PgQuery__ColumnRef *r = (const PgQuery__ColumnRef *)m;
    if (!TREE_IS(m, column_ref) || r->n_fields == 0)
        return true;
    const char *name = tree_string(r->fields[r->n_fields - 1]);
    for (size_t i = 0; i < c->n; i++)
        if (streq(c->v[i], name))
            return true;
    if (name && c->n < c->max)
        c->v[c->n++] = name;
    return true;
}

size_t lint_columns_of(const PgQuery__Node *expression, const char **ret, size_t max)
{
    struct columns c = { ret, 0, max };
    if (expression)
        (void)tree_walk(expression, visit_columns, &c);
    return c.n;
}

const char *lint_not_null_check(const PgQuery__Node *expression)
{
    if (!expression || expression->node_case != PG_QUERY__NODE__NODE_NULL_TEST ||
        expression->null_test->nulltesttype != PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL)
        return NULL;
    const PgQuery__Node *arg = expression->null_test->arg;
    if (arg->node_case != PG_QUERY__NODE__NODE_COLUMN_REF || arg->column_ref->n_fields == 0)
        return NULL;
    return tree_string(arg->column_ref->fields[arg->column_ref->n_fields - 1]);
}

size_t lint_view_columns(const PgQuery__ViewStmt *v, const char **ret, size_t max)
{
    size_t n = 0;
    if (v->n_aliases > 0) {
        for (; n < v->n_aliases && (!ret || n < max); n++)
            if (ret)
                ret[n] = tree_string(v->aliases[n]);
        return n;
    }
    const PgQuery__Node *query = v->query;
    while (query && query->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
           query->select_stmt->n_target_list == 0 && query->select_stmt->larg)
        return 0; /* UNION: not worth following */
    if (!query || query->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return 0;
    const PgQuery__SelectStmt *s = query->select_stmt;
    for (size_t i = 0; i < s->n_target_list; i++) {
        const PgQuery__ResTarget *t = s->target_list[i]->res_target;
        const char *name = tree_text(t->name);
        if (!name && t->val && t->val->node_case == PG_QUERY__NODE__NODE_COLUMN_REF)
            name = tree_string(t->val->column_ref->fields[t->val->column_ref->n_fields - 1]);
        if (!name)
            return 0; /* a star, or a name that the server chooses */
        if (ret && n >= max)
            return n;
        if (ret)
            ret[n] = name;
        n++;
    }
    return n;
}

bool lint_domain_is_constrained(const PgQuery__CreateDomainStmt *d)
{
    for (size_t i = 0; i < d->n_constraints; i++) {
        const PgQuery__Constraint *c = tree_constraint(d->constraints[i]);
        if (c && (c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK ||
                  c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL))
            return true;
    }
    return false;
}

struct lint_function *lint_dropped_function(const struct lint_schema *s,
                                            const PgQuery__Node *object)
{
    struct sql_name name = tree_node_name(object);
    if (!name.name)
        return NULL;
    if (object->node_case != PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS ||
        object->object_with_args->args_unspecified)
        return lint_schema_function(s, name, NULL);
    const PgQuery__ObjectWithArgs *o = object->object_with_args;
    const char *arguments = lint_arguments(s->arena, o->objargs, o->n_objargs);
    for (struct lint_function *f = lint_schema_function(s, name, NULL); f;
         f = lint_schema_function(s, name, f))
        if (streq(f->arguments, arguments))
            return f;
    return NULL;
}

/* ---- names with a meaning ---- */

bool lint_is_soft_drop_name(const char *column)
{
    return column && starts_with(column, "_gone_");
}

bool lint_is_kept_schema(const char *schema)
{
    return streq(schema, "lockflight_gone") || streq(schema, "lockflight_undo");
}

bool lint_is_exposed(const struct lint *l, struct sql_name n)
{
    static const char *const otherwise[] = { "public", NULL };
    const char *const *exposed = l->in->exposed ? l->in->exposed : otherwise;
    for (; *exposed; exposed++)
        if (streq(*exposed, n.schema ? n.schema : "public"))
            return true;
    return false;
}

const struct sql_statement *lint_later(const struct lint *l, PgQuery__Node__NodeCase node,
                                       bool (*is)(void *context, const PgQuery__Node *n),
                                       void *context)
{
    for (size_t i = l->index + 1; i < l->script->n; i++) {
        const struct sql_statement *s = &l->script->statements[i];
        if (s->tree && s->tree->node_case == node && (!is || is(context, s->tree)))
            return s;
    }
    return NULL;
}

/* A before-image in the same file: CREATE TABLE lockflight_undo.v… AS SELECT … FROM the table. */
struct image {
    struct sql_name table;
    bool is_found;
};

static bool visit_image(void *context, const ProtobufCMessage *m)
{
    struct image *i = context;
    if (TREE_IS(m, range_var) && sql_name_eq(tree_range((const PgQuery__RangeVar *)m), i->table))
        i->is_found = true;
    return !i->is_found;
}

bool lint_has_image(const struct lint *l, struct sql_name table)
{
    struct image image = { .table = table };
    for (size_t i = 0; i < l->index && !image.is_found; i++) {
        const PgQuery__Node *n = l->script->statements[i].tree;
        if (n && n->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT &&
            n->create_table_as_stmt->into &&
            streq(n->create_table_as_stmt->into->rel->schemaname, "lockflight_undo"))
            (void)tree_walk(n->create_table_as_stmt->query, visit_image, &image);
    }
    return image.is_found;
}
