/*
 * ALTER TABLE, command by command, and CREATE TABLE.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

#define AT(name) PG_QUERY__ALTER_TABLE_TYPE__AT_##name

static bool is_policy_of(void *context, const PgQuery__Node *n)
{
    const struct sql_name *table = context;
    return n->create_policy_stmt->table &&
           sql_name_eq(tree_range(n->create_policy_stmt->table), *table);
}

static void row_security(struct lint *l, struct sql_name name, const struct lint_table *t)
{
    bool has_policies = (t && t->has_policies) ||
                        lint_later(l, PG_QUERY__NODE__NODE_CREATE_POLICY_STMT, is_policy_of, &name);
    if (has_policies || lint_is_new(t) || (t && t->has_row_security))
        return;
    struct lint_finding *f =
        lint_found(l, LINT_C17, 0,
                   "row security without a policy hides all rows of %s from everybody "
                   "but its owner",
                   lint_text(l, name));
    if (lint_is_unknown(l, t))
        lint_assume(l, f, false);
}

static void rewrite_command(struct lint *l, const PgQuery__AlterTableStmt *s,
                            const struct lint_table *t, const char *what)
{
    (void)lint_found_on(l, LINT_L16, 0, t, "%s writes %s anew", what,
                        lint_text(l, tree_range(s->relation)));
}

/* VALIDATE in the file that added the constraint, unless each statement is a transaction. */
static void validate(struct lint *l, const PgQuery__AlterTableStmt *s, const struct lint_table *t,
                     const PgQuery__AlterTableCmd *c)
{
    const struct lint_constraint *k = lint_table_constraint(t, c->name);
    bool same_file = k && k->added_in == l->migration;
    for (size_t i = 0; !k && i < l->index; i++) { /* a table that is not known */
        const PgQuery__Node *n = l->script->statements[i].tree;
        if (!n || n->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT ||
            !sql_name_eq(tree_range(n->alter_table_stmt->relation), tree_range(s->relation)))
            continue;
        for (size_t j = 0; j < tree_command_count(n); j++) {
            const PgQuery__AlterTableCmd *other = tree_command(n, j);
            const PgQuery__Constraint *added = other->def ? tree_constraint(other->def) : NULL;
            same_file |= added && streq(added->conname, c->name);
        }
    }
    const struct directive *d = directive_find(&l->script->head, DIRECTIVE_TRANSACTION);
    if (same_file && !(d && streq(d->first, "none")) && !lint_is_new(t))
        (void)lint_found(l, LINT_L07, 0, "%s was added by the same transaction", c->name);
}

static void attach(struct lint *l, const PgQuery__AlterTableStmt *s,
                   const PgQuery__AlterTableCmd *c)
{
    if (!c->def || c->def->node_case != PG_QUERY__NODE__NODE_PARTITION_CMD)
        return;
    struct sql_name child = tree_range(c->def->partition_cmd->name);
    const struct lint_table *t = lint_schema_table(&l->schema, child);
    for (size_t i = 0; t && i < t->constraints.n; i++)
        if (t->constraints.v[i].kind == LINT_CHECK && t->constraints.v[i].is_valid)
            return;
    (void)lint_found_on(l, LINT_L13, 0, t,
                        "%s has no validated CHECK, so it is read to be attached "
                        "to %s",
                        lint_text(l, child), lint_text(l, tree_range(s->relation)));
}

static void drop_constraint(struct lint *l, const PgQuery__AlterTableStmt *s,
                            const struct lint_table *t, const PgQuery__AlterTableCmd *c)
{
    static const char *const key_ends[] = { "_pkey", "_pk", "_key", "_unique", "_uniq", NULL };
    static const char *const other_ends[] = { "_check", "_fkey", "_fk", "_excl", "_chk", NULL };
    const struct lint_constraint *k = lint_table_constraint(t, c->name);
    if (lint_is_new(t) || (k && k->added_in))
        return;
    const char *table = lint_text(l, tree_range(s->relation));
    if (k && k->kind == LINT_FOREIGN)
        (void)lint_found(l, LINT_L22, 0, "takes ACCESS EXCLUSIVE on %s too",
                         lint_text(l, k->target));
    bool is_key = k && (k->kind == LINT_PRIMARY || k->kind == LINT_UNIQUE);
    bool is_other = k && !is_key;
    for (size_t i = 0; !k && key_ends[i]; i++)
        is_key |= ends_with(c->name, key_ends[i]);
    for (size_t i = 0; !k && other_ends[i]; i++)
        is_other |= ends_with(c->name, other_ends[i]);
    if (is_other || (!is_key && l->schema.is_complete))
        return;
    struct lint_finding *f = lint_found(l, LINT_C16, 0,
                                        is_key ? "%s keeps %s free of duplicates"
                                               : "%s may be what keeps %s free of "
                                                 "duplicates",
                                        c->name, table);
    if (!k)
        lint_assume(l, f, !is_key);
}

static void command(struct lint *l, const PgQuery__AlterTableStmt *s, struct lint_table *t,
                    const PgQuery__AlterTableCmd *c)
{
    struct sql_name name = tree_range(s->relation);
    switch ((int)c->subtype) {
    case AT(AddColumn):
        if (c->def && tree_column(c->def))
            lint_on_new_column(l, s, t, tree_column(c->def));
        break;
    case AT(AddConstraint):
        if (c->def && tree_constraint(c->def))
            lint_on_constraint(l, s, t, tree_constraint(c->def));
        break;
    case AT(DropConstraint):
        drop_constraint(l, s, t, c);
        break;
    case AT(ValidateConstraint):
        validate(l, s, t, c);
        break;
    case AT(AttachPartition):
        attach(l, s, c);
        break;
    case AT(DetachPartition):
        if (c->def && c->def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD &&
            !c->def->partition_cmd->concurrent)
            (void)lint_found_on(l, LINT_L12, 0, t, "locks %s with all its partitions",
                                lint_text(l, name));
        break;
    case AT(SetLogged):
    case AT(SetUnLogged):
        rewrite_command(l, s, t, c->subtype == AT(SetLogged) ? "SET LOGGED" : "SET UNLOGGED");
        break;
    case AT(SetTableSpace):
        rewrite_command(l, s, t, "SET TABLESPACE");
        break;
    case AT(SetAccessMethod):
        rewrite_command(l, s, t, "SET ACCESS METHOD");
        break;
    case AT(EnableRowSecurity):
        row_security(l, name, t);
        break;
    case AT(DisableRowSecurity):
        if (lint_is_exposed(l, name))
            (void)lint_found(l, LINT_S01, 0, "row security of %s is switched off",
                             lint_text(l, name));
        break;
    case AT(DisableTrigAll):
        (void)lint_found(l, LINT_C26, 0, "foreign keys of %s are not checked any more",
                         lint_text(l, name));
        break;
    case AT(DisableTrig):
    case AT(EnableTrig):
    case AT(DisableTrigUser):
    case AT(EnableTrigUser):
        (void)lint_found_on(l, LINT_L22, 0, t, "writes to %s wait", lint_text(l, name));
        break;
    default:
        lint_on_column(l, s, t, c);
        break;
    }
    if (c->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE)
        (void)lint_found(l, LINT_C13, 0, "CASCADE takes along whatever depends on %s", c->name);
    if (c->missing_ok)
        (void)lint_found(l, LINT_T07, 0, "succeeds whatever %s looks like", lint_text(l, name));
}

/* ALTER TYPE … ADD ATTRIBUTE and its kin are ALTER TABLE to the grammar. */
static void attribute(struct lint *l, const PgQuery__AlterTableStmt *s, const struct lint_table *t,
                      const PgQuery__AlterTableCmd *c)
{
    bool changes = c->subtype == AT(AddColumn) || c->subtype == AT(DropColumn) ||
                   c->subtype == AT(AlterColumnType);
    if (changes && !lint_is_new(t))
        (void)lint_found(l, LINT_C25, 0, "values of %s get another shape",
                         lint_text(l, tree_range(s->relation)));
}

/* Several statements on one table, next to each other: the later ones could join the first. */
static void several(struct lint *l, const PgQuery__AlterTableStmt *s, const struct lint_table *t)
{
    if (l->index == 0 || lint_is_new(t) || s->n_cmds == 0)
        return;
    const PgQuery__Node *before = l->script->statements[l->index - 1].tree;
    if (!before || before->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT ||
        before->alter_table_stmt->objtype != s->objtype ||
        !sql_name_eq(tree_range(before->alter_table_stmt->relation), tree_range(s->relation)))
        return;
    (void)lint_found(l, LINT_Q10, 0, "the statement before it alters %s too",
                     lint_text(l, tree_range(s->relation)));
}

void lint_on_alter_table(struct lint *l, const PgQuery__Node *n)
{
    const PgQuery__AlterTableStmt *s = n->alter_table_stmt;
    if (!s->relation)
        return;
    struct lint_table *t = lint_schema_table(&l->schema, tree_range(s->relation));
    if (s->missing_ok)
        (void)lint_found(l, LINT_T07, 0, "does nothing if %s is not there",
                         lint_text(l, tree_range(s->relation)));
    for (size_t i = 0; i < tree_command_count(n); i++) {
        const PgQuery__AlterTableCmd *c = tree_command(n, i);
        if (s->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE)
            attribute(l, s, t, c);
        else if (s->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX &&
                 c->subtype == AT(SetTableSpace))
            (void)lint_found(l, LINT_L16, 0, "the index is written anew");
        else
            command(l, s, t, c);
    }
    if (s->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE)
        several(l, s, t);
}

/* ---- CREATE TABLE ---- */

static void references(struct lint *l, const PgQuery__Constraint *c)
{
    if (c->contype != PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN || !c->pktable)
        return;
    struct sql_name target = tree_range(c->pktable);
    const struct lint_table *t = lint_schema_table(&l->schema, target);
    struct lint_finding *f =
        lint_found_on(l, LINT_L06, c->location, t, "writes to %s wait while it is referenced",
                      lint_text(l, target));
    if (f && t && t->is_sized)
        f->severity = LINT_NOTE; /* a new table is empty: the lock is short */
}

static void element(struct lint *l, const PgQuery__CreateStmt *c, const PgQuery__Node *n)
{
    const PgQuery__ColumnDef *d = tree_column(n);
    const PgQuery__Constraint *k = tree_constraint(n);
    if (k)
        references(l, k);
    for (size_t i = 0; d && i < d->n_constraints; i++)
        if (tree_constraint(d->constraints[i]))
            references(l, tree_constraint(d->constraints[i]));
    if (!d)
        return;
    bool is_key = false;
    for (size_t i = 0; i < c->n_table_elts; i++) { /* PRIMARY KEY (c) below the columns */
        const PgQuery__Constraint *other = tree_constraint(c->table_elts[i]);
        bool is_primary = other && other->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
        is_key |=
            is_primary && other->n_keys == 1 && streq(tree_string(other->keys[0]), d->colname);
    }
    lint_column_quality(l, d, is_key);
}

static void duplicate_columns(struct lint *l, const PgQuery__CreateStmt *c)
{
    for (size_t i = 0; i < c->n_table_elts; i++) {
        const PgQuery__ColumnDef *one = tree_column(c->table_elts[i]);
        for (size_t k = 0; one && k < i; k++) {
            const PgQuery__ColumnDef *other = tree_column(c->table_elts[k]);
            if (other && streq(one->colname, other->colname))
                (void)lint_found(l, LINT_Q08, one->location, "%s is declared twice", one->colname);
        }
    }
}

void lint_on_create_table(struct lint *l, const PgQuery__Node *n)
{
    const PgQuery__CreateStmt *c = n->create_stmt;
    for (size_t i = 0; i < c->n_table_elts; i++)
        element(l, c, c->table_elts[i]);
    duplicate_columns(l, c);
    if (c->partbound && c->n_inh_relations > 0 &&
        c->inh_relations[0]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
        struct sql_name parent = tree_range(c->inh_relations[0]->range_var);
        (void)lint_found_on(l, LINT_L14, 0, lint_schema_table(&l->schema, parent),
                            "locks %s with all its partitions", lint_text(l, parent));
    }
    if (c->if_not_exists)
        (void)lint_found(l, LINT_T07, 0, "succeeds over a table %s of another shape",
                         lint_text(l, tree_range(c->relation)));
}
