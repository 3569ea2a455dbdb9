/*
 * Conditions on clauses: see clause.h.
 */
#include "migrate/sql/clause.h"

/* ---- what the rows compare with ---- */

/* The object type, or what stands for it, of statements that serve several kinds of things. */
static int kind_of(const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_DROP_STMT:
        return (int)n->drop_stmt->remove_type;
    case PG_QUERY__NODE__NODE_RENAME_STMT:
        return (int)n->rename_stmt->rename_type;
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
        return (int)n->alter_object_schema_stmt->object_type;
    case PG_QUERY__NODE__NODE_ALTER_OWNER_STMT:
        return (int)n->alter_owner_stmt->object_type;
    case PG_QUERY__NODE__NODE_COMMENT_STMT:
        return (int)n->comment_stmt->objtype;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        return (int)n->create_table_as_stmt->objtype;
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
        return (int)n->reindex_stmt->kind;
    default:
        return 0;
    }
}

struct clause clause_of(const PgQuery__Node *statement, size_t i)
{
    struct clause c = { .statement = statement, .kind = kind_of(statement) };
    if (i < tree_command_count(statement)) {
        c.command = tree_command(statement, i);
        c.kind = (int)c.command->subtype;
        c.column = tree_column(c.command->def);
        c.constraint = tree_constraint(c.command->def);
    }
    return c;
}

/* ---- types and functions that come with Postgres ---- */

static bool is_one_of(const char *s, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (streq(s, list[i]))
            return true;
    return false;
}

#define IS_ONE_OF(s, list) is_one_of((s), (list), sizeof(list) / sizeof *(list))

bool clause_type_is_builtin(const PgQuery__TypeName *t)
{
    static const char *const types[] = {
        "text",      "uuid",        "json",      "jsonb",       "date",      "bytea",
        "inet",      "cidr",        "macaddr",   "macaddr8",    "money",     "xml",
        "point",     "line",        "lseg",      "box",         "path",      "polygon",
        "circle",    "tsvector",    "tsquery",   "int2",        "int4",      "int8",
        "float4",    "float8",      "bool",      "name",        "oid",       "regclass",
        "regproc",   "regtype",     "regrole",   "int4range",   "int8range", "numrange",
        "tsrange",   "tstzrange",   "daterange", "timestamptz", "timetz",    "serial",
        "bigserial", "smallserial", "serial4",   "serial8",     "serial2",   "timestamp",
        "time",      "varchar",     "numeric",   "bpchar",      "interval",  "bit",
        "varbit",
    };
    struct sql_name n = tree_type_name(t);
    if (!n.name)
        return false;
    return n.schema ? streq(n.schema, "pg_catalog") : IS_ONE_OF(n.name, types);
}

/* What a default usually calls. A function that is not here may be anything. */
static enum sql_answer is_volatile(struct sql_name f)
{
    static const char *const volatiles[] = {
        "random",  "gen_random_uuid", "clock_timestamp",  "timeofday",        "nextval",
        "setval",  "currval",         "uuid_generate_v4", "uuid_generate_v1", "gen_random_bytes",
        "lastval", "uuidv7",          "uuidv4",           "gen_salt",         "set_config",
    };
    static const char *const steady[] = {
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "lower",
        "upper",
        "btrim",
        "ltrim",
        "rtrim",
        "timezone",
        "date_trunc",
        "date_part",
        "extract",
        "to_char",
        "to_date",
        "to_timestamp",
        "make_date",
        "make_interval",
        "jsonb_build_object",
        "to_jsonb",
        "to_json",
        "jsonb_build_array",
        "json_build_object",
        "json_build_array",
        "md5",
        "left",
        "right",
        "substring",
        "replace",
        "concat",
        "format",
        "length",
        "round",
        "floor",
        "ceil",
        "abs",
        "encode",
        "decode",
        "sha256",
        "coalesce",
        "array_fill",
        "current_setting",
        "current_database",
        "current_schema",
        "int4range",
        "tstzrange",
    };
    if (IS_ONE_OF(f.name, volatiles))
        return SQL_YES;
    bool is_ours = !f.schema || streq(f.schema, "pg_catalog");
    if (is_ours && IS_ONE_OF(f.name, steady))
        return SQL_NO;
    bool is_known = (f.schema && is_ours) || starts_with(f.name, "pg_");
    return is_known ? SQL_YES : SQL_DEPENDS;
}

enum sql_answer clause_call_is_volatile(const PgQuery__FuncCall *f)
{
    struct sql_name name = tree_name(f->funcname, f->n_funcname);
    return name.name ? is_volatile(name) : SQL_DEPENDS;
}

static bool visit_default(void *context, const ProtobufCMessage *m)
{
    enum sql_answer *answer = context;
    if (TREE_IS(m, func_call)) {
        enum sql_answer one = clause_call_is_volatile((const PgQuery__FuncCall *)m);
        if (*answer != SQL_YES && one != SQL_NO)
            *answer = one;
    }
    return *answer != SQL_YES;
}

static const PgQuery__Constraint *column_constraint(const PgQuery__ColumnDef *c, int type)
{
    for (size_t i = 0; c && i < c->n_constraints; i++) {
        const PgQuery__Constraint *k = tree_constraint(c->constraints[i]);
        if (k && (int)k->contype == type)
            return k;
    }
    return NULL;
}

#define CONSTR(name) PG_QUERY__CONSTR_TYPE__CONSTR_##name

enum sql_answer clause_default_is_volatile(const PgQuery__ColumnDef *c)
{
    const PgQuery__Constraint *k = column_constraint(c, CONSTR(DEFAULT));
    enum sql_answer answer = SQL_NO;
    if (k)
        (void)tree_walk(k->raw_expr, visit_default, &answer);
    return answer;
}

/* ---- on what ---- */

static bool is_alter_of(const struct clause *c, int type)
{
    return c->command && (int)c->statement->alter_table_stmt->objtype == type;
}

bool on_table(const struct clause *c)
{
    return is_alter_of(c, PG_QUERY__OBJECT_TYPE__OBJECT_TABLE) ||
           is_alter_of(c, PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE);
}

bool on_index(const struct clause *c)
{
    return is_alter_of(c, PG_QUERY__OBJECT_TYPE__OBJECT_INDEX);
}

bool on_view(const struct clause *c)
{
    return is_alter_of(c, PG_QUERY__OBJECT_TYPE__OBJECT_VIEW);
}

bool on_type(const struct clause *c)
{
    return is_alter_of(c, PG_QUERY__OBJECT_TYPE__OBJECT_TYPE);
}

/* ---- columns ---- */

bool column_has_volatile_default(const struct clause *c)
{
    return clause_default_is_volatile(c->column) == SQL_YES;
}

bool column_may_have_volatile_default(const struct clause *c)
{
    return clause_default_is_volatile(c->column) == SQL_DEPENDS;
}

bool column_is_computed(const struct clause *c)
{
    static const char *const serials[] = { "serial",  "bigserial", "smallserial",
                                           "serial4", "serial8",   "serial2" };
    struct sql_name type = tree_type_name(c->column ? c->column->type_name : NULL);
    return column_constraint(c->column, CONSTR(IDENTITY)) ||
           column_constraint(c->column, CONSTR(GENERATED)) ||
           (type.name && !type.schema && IS_ONE_OF(type.name, serials));
}

bool column_has_own_type(const struct clause *c)
{
    return c->column && !clause_type_is_builtin(c->column->type_name) &&
           c->column->type_name->n_array_bounds == 0;
}

bool column_has_references(const struct clause *c)
{
    return column_constraint(c->column, CONSTR(FOREIGN)) != NULL;
}

bool column_has_check(const struct clause *c)
{
    return column_constraint(c->column, CONSTR(CHECK)) != NULL;
}

bool column_has_index(const struct clause *c)
{
    return column_constraint(c->column, CONSTR(UNIQUE)) ||
           column_constraint(c->column, CONSTR(PRIMARY));
}

/* ---- constraints ---- */

static bool constraint_is(const struct clause *c, int type)
{
    return c->constraint && (int)c->constraint->contype == type;
}

bool constraint_is_check(const struct clause *c)
{
    return constraint_is(c, CONSTR(CHECK)) && !c->constraint->skip_validation;
}

bool constraint_is_check_not_valid(const struct clause *c)
{
    return constraint_is(c, CONSTR(CHECK)) && c->constraint->skip_validation;
}

bool constraint_is_foreign(const struct clause *c)
{
    return constraint_is(c, CONSTR(FOREIGN)) && !c->constraint->skip_validation;
}

bool constraint_is_foreign_not_valid(const struct clause *c)
{
    return constraint_is(c, CONSTR(FOREIGN)) && c->constraint->skip_validation;
}

bool constraint_uses_index(const struct clause *c)
{
    return c->constraint && tree_text(c->constraint->indexname);
}

bool constraint_is_unique(const struct clause *c)
{
    return constraint_is(c, CONSTR(UNIQUE)) && !constraint_uses_index(c);
}

bool constraint_is_primary(const struct clause *c)
{
    return constraint_is(c, CONSTR(PRIMARY)) && !constraint_uses_index(c);
}

bool constraint_is_exclusion(const struct clause *c)
{
    return constraint_is(c, CONSTR(EXCLUSION));
}

/* ---- options ---- */

bool cascades(const struct clause *c)
{
    int behavior = PG_QUERY__DROP_BEHAVIOR__DROP_RESTRICT;
    if (c->command)
        behavior = (int)c->command->behavior;
    else if (c->statement->node_case == PG_QUERY__NODE__NODE_DROP_STMT)
        behavior = (int)c->statement->drop_stmt->behavior;
    else if (c->statement->node_case == PG_QUERY__NODE__NODE_TRUNCATE_STMT)
        behavior = (int)c->statement->truncate_stmt->behavior;
    else if (c->statement->node_case == PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT)
        behavior = (int)c->statement->alter_domain_stmt->behavior;
    return behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
}

/* An option in parentheses that is on: REINDEX (CONCURRENTLY), VACUUM (FULL, ANALYZE false). */
static bool has_option(PgQuery__Node *const *v, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM ||
            !streq(v[i]->def_elem->defname, name))
            continue;
        const char *value = tree_string(v[i]->def_elem->arg);
        return !value || !(streq(value, "false") || streq(value, "off"));
    }
    return false;
}

bool is_concurrent(const struct clause *c)
{
    const PgQuery__Node *n = c->statement;
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        return n->index_stmt->concurrent;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        return n->drop_stmt->concurrent;
    case PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT:
        return n->refresh_mat_view_stmt->concurrent;
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
        return has_option(n->reindex_stmt->params, n->reindex_stmt->n_params, "concurrently");
    default:
        return detaches_concurrently(c);
    }
}

bool is_not_concurrent(const struct clause *c)
{
    return !is_concurrent(c);
}

bool detaches_concurrently(const struct clause *c)
{
    const PgQuery__Node *def = c->command ? c->command->def : NULL;
    return def && def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD &&
           def->partition_cmd->concurrent;
}

/* ---- CREATE TABLE, VIEW, SELECT ---- */

static const PgQuery__CreateStmt *create(const struct clause *c)
{
    const PgQuery__Node *n = c->statement;
    if (n->node_case == PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT)
        return n->create_foreign_table_stmt->base_stmt;
    return n->node_case == PG_QUERY__NODE__NODE_CREATE_STMT ? n->create_stmt : NULL;
}

bool table_is_partition(const struct clause *c)
{
    return create(c) && create(c)->partbound;
}

bool table_inherits(const struct clause *c)
{
    return create(c) && !create(c)->partbound && create(c)->n_inh_relations > 0;
}

bool table_is_like(const struct clause *c)
{
    for (size_t i = 0; create(c) && i < create(c)->n_table_elts; i++)
        if (create(c)->table_elts[i]->node_case == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE)
            return true;
    return false;
}

bool table_has_references(const struct clause *c)
{
    for (size_t i = 0; create(c) && i < create(c)->n_table_elts; i++) {
        const PgQuery__Node *element = create(c)->table_elts[i];
        const PgQuery__Constraint *k = tree_constraint(element);
        if ((k && k->contype == CONSTR(FOREIGN)) ||
            column_constraint(tree_column(element), CONSTR(FOREIGN)))
            return true;
    }
    return false;
}

bool view_is_replaced(const struct clause *c)
{
    return c->statement->node_case == PG_QUERY__NODE__NODE_VIEW_STMT &&
           c->statement->view_stmt->replace;
}

bool is_filled(const struct clause *c)
{
    const PgQuery__Node *n = c->statement;
    return n->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT &&
           n->create_table_as_stmt->into && !n->create_table_as_stmt->into->skip_data;
}

static const PgQuery__SelectStmt *selected(const struct clause *c)
{
    return c->statement->node_case == PG_QUERY__NODE__NODE_SELECT_STMT ? c->statement->select_stmt
                                                                       : NULL;
}

bool select_locks_rows(const struct clause *c)
{
    return selected(c) && selected(c)->n_locking_clause > 0;
}

bool is_select_into(const struct clause *c)
{
    return selected(c) && selected(c)->into_clause;
}

bool is_plain_select(const struct clause *c)
{
    return selected(c) && !selected(c)->into_clause;
}

/* ---- types ---- */

static const PgQuery__AlterEnumStmt *alter_enum(const struct clause *c)
{
    return c->statement->node_case == PG_QUERY__NODE__NODE_ALTER_ENUM_STMT
               ? c->statement->alter_enum_stmt
               : NULL;
}

bool adds_label(const struct clause *c)
{
    return alter_enum(c) && !tree_text(alter_enum(c)->old_val);
}

bool renames_label(const struct clause *c)
{
    return alter_enum(c) && tree_text(alter_enum(c)->old_val);
}

/* ALTER DOMAIN keeps what it does as a letter: T default, N drop and O set not null, C add and X
 * drop and V validate a constraint. */
static bool domain_does(const struct clause *c, char letter)
{
    return c->statement->node_case == PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT &&
           c->statement->alter_domain_stmt->subtype[0] == letter;
}

static bool domain_constraint_is_not_valid(const struct clause *c)
{
    const PgQuery__Constraint *k = tree_constraint(c->statement->alter_domain_stmt->def);
    return k && k->skip_validation;
}

bool domain_adds_check(const struct clause *c)
{
    return domain_does(c, 'C') && !domain_constraint_is_not_valid(c);
}

bool domain_adds_check_not_valid(const struct clause *c)
{
    return domain_does(c, 'C') && domain_constraint_is_not_valid(c);
}

bool domain_sets_not_null(const struct clause *c)
{
    return domain_does(c, 'O');
}

bool domain_validates(const struct clause *c)
{
    return domain_does(c, 'V');
}

bool domain_changes_otherwise(const struct clause *c)
{
    return domain_does(c, 'T') || domain_does(c, 'N') || domain_does(c, 'X');
}

/* ---- maintenance and data ---- */

static bool vacuum_has(const struct clause *c, const char *option)
{
    const PgQuery__Node *n = c->statement;
    return n->node_case == PG_QUERY__NODE__NODE_VACUUM_STMT &&
           has_option(n->vacuum_stmt->options, n->vacuum_stmt->n_options, option);
}

bool is_vacuum(const struct clause *c)
{
    return c->statement->vacuum_stmt->is_vacuumcmd && !vacuum_has(c, "full");
}

bool is_vacuum_full(const struct clause *c)
{
    return c->statement->vacuum_stmt->is_vacuumcmd && vacuum_has(c, "full");
}

bool is_analyze(const struct clause *c)
{
    return !c->statement->vacuum_stmt->is_vacuumcmd;
}

bool sequence_is_owned(const struct clause *c)
{
    const PgQuery__Node *n = c->statement;
    if (n->node_case == PG_QUERY__NODE__NODE_CREATE_SEQ_STMT)
        return has_option(n->create_seq_stmt->options, n->create_seq_stmt->n_options, "owned_by");
    return n->node_case == PG_QUERY__NODE__NODE_ALTER_SEQ_STMT &&
           has_option(n->alter_seq_stmt->options, n->alter_seq_stmt->n_options, "owned_by");
}

static const PgQuery__WithClause *with_clause(const PgQuery__Node *n)
{
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
        return n->select_stmt->with_clause;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
        return n->insert_stmt->with_clause;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return n->update_stmt->with_clause;
    default:
        return NULL;
    }
}

/* DML in WITH stands at its top: Postgres allows it nowhere deeper. */
static bool has_in_with(const struct clause *c, int node)
{
    const PgQuery__WithClause *w = with_clause(c->statement);
    for (size_t i = 0; w && i < w->n_ctes; i++)
        if ((int)w->ctes[i]->common_table_expr->ctequery->node_case == node)
            return true;
    return false;
}

bool writes_in_with(const struct clause *c)
{
    return has_in_with(c, PG_QUERY__NODE__NODE_INSERT_STMT) ||
           has_in_with(c, PG_QUERY__NODE__NODE_UPDATE_STMT);
}

bool deletes_in_with(const struct clause *c)
{
    return has_in_with(c, PG_QUERY__NODE__NODE_DELETE_STMT);
}

bool copies_from(const struct clause *c)
{
    return c->statement->copy_stmt->is_from;
}

bool comments_on_relation(const struct clause *c)
{
    switch (c->kind) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
        return true;
    default:
        return false;
    }
}

bool comments_on_part(const struct clause *c)
{
    return c->kind == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT ||
           c->kind == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER ||
           c->kind == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY ||
           c->kind == PG_QUERY__OBJECT_TYPE__OBJECT_RULE;
}
