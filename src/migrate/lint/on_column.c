/*
 * Columns: added, dropped, retyped, made NOT NULL, given another default.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

#define AT(name) PG_QUERY__ALTER_TABLE_TYPE__AT_##name

/* ---- ADD COLUMN ---- */

struct added {
    const PgQuery__Node *default_value;
    const PgQuery__Constraint *check, *unique, *foreign, *identity, *stored;
    bool is_not_null;
    const char *written; /* the type's name as the file has it */
};

static struct added read_column(const PgQuery__ColumnDef *d)
{
    struct added a = { .is_not_null = d->is_not_null };
    if (d->type_name && d->type_name->n_names > 0)
        a.written = tree_string(d->type_name->names[d->type_name->n_names - 1]);
    for (size_t i = 0; i < d->n_constraints; i++) {
        const PgQuery__Constraint *c = tree_constraint(d->constraints[i]);
        if (!c)
            continue;
        switch ((int)c->contype) {
        case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
            a.is_not_null = true;
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT:
            a.default_value = c->raw_expr;
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
            a.check = c;
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
        case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
            a.unique = c;
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
            a.foreign = c;
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY:
            a.identity = c;
            break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
            a.stored = c;
            break;
        default:
            break;
        }
    }
    return a;
}

static bool is_serial(const char *written)
{
    return written && (starts_with(written, "serial") || ends_with(written, "serial"));
}

static void new_rewrites(struct lint *l, const struct lint_table *t, const PgQuery__ColumnDef *d,
                         const struct added *a)
{
    if (is_serial(a->written) || a->identity || a->stored) {
        const char *what = a->stored     ? "a stored generated column"
                           : a->identity ? "an identity column"
                                         : "a serial column";
        (void)lint_found_on(l, LINT_R02, d->location, t, "%s is %s", d->colname, what);
    }
    enum sql_answer is_volatile = lint_is_volatile(l, a->default_value);
    if (is_volatile != SQL_NO) {
        struct lint_finding *f = lint_found_on(
            l, LINT_R01, d->location, t,
            is_volatile == SQL_YES ? "the default of %s is another one for each row"
                                   : "the default of %s may be another one for each row",
            d->colname);
        if (f && is_volatile == SQL_DEPENDS)
            lint_assume(l, f, true);
    }
    const struct lint_user_type *type =
        d->type_name ? lint_schema_type(&l->schema, tree_type_name(d->type_name)) : NULL;
    if (type && type->kind == LINT_DOMAIN && type->is_constrained)
        (void)lint_found_on(l, LINT_R04, d->location, t, "%s is of domain %s", d->colname,
                            lint_text(l, type->name));
}

/* A user's type that nobody knows may be a domain. */
static void new_unknown_type(struct lint *l, const struct lint_table *t,
                             const PgQuery__ColumnDef *d)
{
    struct sql_name name = d->type_name ? tree_type_name(d->type_name) : (struct sql_name){ 0 };
    bool may_be_a_domain = name.name && name.schema && !streq(name.schema, "pg_catalog") &&
                           !l->schema.is_complete && !lint_schema_type(&l->schema, name) &&
                           !lint_schema_table(&l->schema, name);
    struct lint_finding *f =
        may_be_a_domain ? lint_found_on(l, LINT_R04, d->location, t,
                                        "%s may be a domain with a constraint", lint_text(l, name))
                        : NULL;
    if (f)
        lint_assume(l, f, true);
}

/* Functions that return rows of the table, and list its columns as they were. */
struct wanted_function {
    struct sql_name name;
};

static bool makes_function(void *context, const PgQuery__Node *n)
{
    const struct wanted_function *w = context;
    return sql_name_eq(
        tree_name(n->create_function_stmt->funcname, n->create_function_stmt->n_funcname), w->name);
}

static bool is_replaced_later(struct lint *l, struct sql_name function)
{
    struct wanted_function w = { function };
    return lint_later(l, PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT, makes_function, &w);
}

static void row_type_users(struct lint *l, struct sql_name table, const struct lint_table *t,
                           const PgQuery__ColumnDef *d)
{
    const char *returns = arena_printf(l->arena, "setof %s", table.name);
    for (size_t i = 0; i < l->schema.functions.n; i++) {
        const struct lint_function *f = &l->schema.functions.v[i];
        if (f->is_gone || f->is_new || lint_is_new(t))
            continue;
        bool lists = streq(f->returns, returns) && !strchr(f->body, '*') &&
                     (streq(f->language, "sql") || streq(f->language, "plpgsql"));
        if (lists && !is_replaced_later(l, f->name))
            (void)lint_found(l, LINT_C19, d->location,
                             "%s returns rows of %s and lists its columns", lint_text(l, f->name),
                             lint_text(l, table));
    }
}

/* ---- names that become ambiguous ---- */

struct join {
    const struct lint *l;
    struct sql_name table;
    const char *column;
    bool names_table, names_column_alone, has_another, is_natural;
};

static bool visit_join(void *context, const ProtobufCMessage *m)
{
    struct join *j = context;
    if (TREE_IS(m, column_ref)) {
        const PgQuery__ColumnRef *r = (const PgQuery__ColumnRef *)m;
        j->names_column_alone |= r->n_fields == 1 && streq(tree_string(r->fields[0]), j->column);
    } else if (TREE_IS(m, join_expr)) {
        j->is_natural |= ((const PgQuery__JoinExpr *)m)->is_natural;
    } else if (TREE_IS(m, range_var)) {
        struct sql_name name = tree_range((const PgQuery__RangeVar *)m);
        bool is_it = sql_name_eq(name, j->table);
        j->names_table |= is_it;
        j->has_another |=
            !is_it && lint_table_column(lint_schema_table(&j->l->schema, name), j->column);
    }
    return true;
}

/* A text of SQL that the running release executes joins the table with another one that has a column
 * of this name, and names the column alone, or joins by equal names. */
static bool becomes_ambiguous(struct lint *l, struct sql_name table, const char *column,
                              const char *sql)
{
    struct sql_script script;
    struct err ignored = { 0 };
    if (!lint_has_word(sql, table.name) ||
        (!lint_has_word(sql, column) && !lint_has_word(sql, "natural")) ||
        !sql_script_read(l->arena, "query", str_of(sql), &script, &ignored))
        return false;
    for (size_t i = 0; i < script.n; i++) {
        struct join j = { .l = l, .table = table, .column = column };
        if (script.statements[i].tree)
            (void)tree_walk(script.statements[i].tree, visit_join, &j);
        if (j.names_table && j.has_another && (j.names_column_alone || j.is_natural))
            return true;
    }
    return false;
}

static void ambiguous(struct lint *l, struct sql_name table, const struct lint_table *t,
                      const PgQuery__ColumnDef *d)
{
    for (size_t i = 0; !lint_is_new(t) && i < l->schema.functions.n; i++) {
        const struct lint_function *f = &l->schema.functions.v[i];
        if (!f->is_gone && streq(f->language, "sql") && !is_replaced_later(l, f->name) &&
            becomes_ambiguous(l, table, d->colname, f->body))
            (void)lint_found(l, LINT_C18, d->location,
                             "%s names %s without its table, or joins by equal names",
                             lint_text(l, f->name), d->colname);
    }
    for (size_t i = 0; !lint_is_new(t) && i < l->in->query_count; i++)
        if (becomes_ambiguous(l, table, d->colname, l->in->queries[i]))
            (void)lint_found(l, LINT_C18, d->location,
                             "a query names %s without its table, or joins by equal names: %.60s",
                             d->colname, l->in->queries[i]);
}

void lint_on_new_column(struct lint *l, const PgQuery__AlterTableStmt *s, struct lint_table *t,
                        const PgQuery__ColumnDef *d)
{
    struct sql_name name = tree_range(s->relation);
    struct added a = read_column(d);
    bool fills_itself = a.default_value || a.identity || a.stored || is_serial(a.written);
    new_rewrites(l, t, d, &a);
    new_unknown_type(l, t, d);
    if (a.check)
        (void)lint_found_on(l, LINT_L15, a.check->location, t,
                            "%s is read to check a column that it does not have yet",
                            lint_text(l, name));
    if (a.unique)
        (void)lint_found_on(
            l, a.unique->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ? LINT_L09 : LINT_L08,
            a.unique->location, t, "builds an index on %s", lint_text(l, name));
    if (a.foreign && a.foreign->pktable)
        (void)lint_found_on(l, LINT_L06, a.foreign->location, t, "writes to %s and %s wait",
                            lint_text(l, name), lint_text(l, tree_range(a.foreign->pktable)));
    if (a.is_not_null && !fills_itself && !lint_is_new(t))
        (void)lint_found(l, LINT_C05, d->location,
                         "%s has no value for old rows nor for INSERTs "
                         "that do not name it",
                         d->colname);
    row_type_users(l, name, t, d);
    ambiguous(l, name, t, d);
    lint_column_quality(l, d, a.unique != NULL);
}

/* ---- DROP COLUMN ---- */

void lint_column_leaves(struct lint *l, struct sql_name table, const char *column)
{
    for (size_t i = 0; i < l->schema.functions.n; i++) {
        const struct lint_function *f = &l->schema.functions.v[i];
        bool names =
            !f->is_gone && lint_has_word(f->body, table.name) && lint_has_word(f->body, column);
        if (names && !is_replaced_later(l, f->name))
            (void)lint_found(l, LINT_C23, 0, "%s names %s and %s", lint_text(l, f->name),
                             table.name, column);
    }
}

static void drop_column(struct lint *l, struct sql_name name, const struct lint_table *t,
                        const PgQuery__AlterTableCmd *c)
{
    const struct lint_column *column = lint_table_column(t, c->name);
    if (lint_is_new(t) || (column && column->is_new) || lint_is_soft_drop_name(c->name))
        return;
    (void)lint_found(l, LINT_C01, 0, "%s.%s", lint_text(l, name), c->name);
    (void)lint_found(l, LINT_D01, 0, "the values of %s.%s", lint_text(l, name), c->name);
    lint_column_leaves(l, name, c->name);
}

/* ---- the rest ---- */

static void set_not_null(struct lint *l, struct sql_name name, const struct lint_table *t,
                         const PgQuery__AlterTableCmd *c)
{
    const struct lint_column *column = lint_table_column(t, c->name);
    if (lint_is_new(t) || (column && column->is_not_null))
        return;
    bool is_checked = false;
    for (size_t i = 0; t && i < t->constraints.n; i++)
        is_checked |=
            streq(t->constraints.v[i].not_null_column, c->name) && t->constraints.v[i].is_valid;
    if (!is_checked)
        (void)lint_found_on(l, LINT_L11, 0, t, "%s has no validated CHECK (%s IS NOT NULL)",
                            lint_text(l, name), c->name);
    if (!(column && column->is_new))
        (void)lint_found(l, LINT_C06, 0, "writes of %s without %s fail", lint_text(l, name),
                         c->name);
}

static void change_default(struct lint *l, struct sql_name name, const struct lint_table *t,
                           const PgQuery__AlterTableCmd *c)
{
    const struct lint_column *column = lint_table_column(t, c->name);
    if (lint_is_new(t) || (column && column->is_new))
        return;
    if (c->subtype == AT(ColumnDefault) && c->def) {
        (void)lint_found(l, LINT_C22, 0, "%s.%s", lint_text(l, name), c->name);
        return;
    }
    if (column && !column->is_not_null) {
        (void)lint_found(l, LINT_C22, 0, "%s.%s becomes NULL where an INSERT leaves it out",
                         lint_text(l, name), c->name);
        return;
    }
    struct lint_finding *f = lint_found(l, LINT_C07, 0, "%s.%s", lint_text(l, name), c->name);
    if (!column)
        lint_assume(l, f, true);
}

static void retype(struct lint *l, const struct lint_table *t, const PgQuery__AlterTableCmd *c)
{
    const PgQuery__ColumnDef *d = c->def ? tree_column(c->def) : NULL;
    const struct lint_column *column = lint_table_column(t, c->name);
    if (!d || lint_is_new(t) || (column && column->is_new))
        return;
    struct lint_type from = column ? column->type : (struct lint_type){ 0 };
    struct lint_type to = lint_type_of(d->type_name);
    const char *pair = arena_printf(l->arena, "%s from %s to %s", c->name,
                                    lint_type_text(l->arena, from), lint_type_text(l->arena, to));
    enum lint_change change = lint_type_change(from, to);
    if (d->raw_default && change == LINT_SAME)
        change = LINT_REWRITES; /* USING: evaluated for every row */
    if (change == LINT_ZONE && !l->in_utc)
        (void)lint_found_on(l, LINT_R05, 0, t, "%s", pair);
    if (change == LINT_REWRITES || change == LINT_UNKNOWN) {
        struct lint_finding *f = lint_found_on(l, LINT_R03, 0, t, "%s", pair);
        if (f && change == LINT_UNKNOWN)
            lint_assume(l, f, false);
    }
    if (d->coll_clause && change == LINT_SAME)
        (void)lint_found_on(l, LINT_R06, 0, t, "indexes on %s are built anew", c->name);
    if (lint_type_is_other_on_the_wire(from, to)) {
        struct lint_finding *f = lint_found(l, LINT_C08, 0, "%s", pair);
        if (!from.name)
            lint_assume(l, f, true);
    }
}

void lint_on_column(struct lint *l, const PgQuery__AlterTableStmt *s, struct lint_table *t,
                    const PgQuery__AlterTableCmd *c)
{
    struct sql_name name = tree_range(s->relation);
    switch ((int)c->subtype) {
    case AT(DropColumn):
        drop_column(l, name, t, c);
        break;
    case AT(SetNotNull):
        set_not_null(l, name, t, c);
        break;
    case AT(DropNotNull): {
        const struct lint_column *column = lint_table_column(t, c->name);
        if (!lint_is_new(t) && !(column && column->is_new))
            (void)lint_found(l, LINT_C09, 0, "%s.%s", lint_text(l, name), c->name);
        break;
    }
    case AT(ColumnDefault):
    case AT(DropIdentity):
        change_default(l, name, t, c);
        break;
    case AT(AlterColumnType):
        retype(l, t, c);
        break;
    case AT(SetIdentity):
        if (c->def && c->def->node_case == PG_QUERY__NODE__NODE_LIST &&
            lint_option(c->def->list->items, c->def->list->n_items, "restart"))
            (void)lint_found(l, LINT_C24, 0, "the numbers of %s.%s", lint_text(l, name), c->name);
        break;
    default:
        break;
    }
}
