/*
 * Names and types that one comes to regret.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"
#include "migrate/sql/token.h"

static bool is_narrow(const char *written)
{
    static const char *const narrow[] = { "int4",    "int2",        "serial",
                                          "serial4", "smallserial", "serial2",
                                          "integer", "smallint",    NULL };
    for (size_t i = 0; narrow[i]; i++)
        if (streq(narrow[i], written))
            return true;
    return false;
}

static void surprising(struct lint *l, const PgQuery__ColumnDef *d)
{
    struct lint_type t = lint_type_of(d->type_name);
    bool surprises = streq(t.name, "bpchar") || streq(t.name, "timestamp") ||
                     streq(t.name, "json") || (streq(t.name, "varchar") && t.mods > 0);
    if (surprises)
        (void)lint_found(l, LINT_Q02, d->location, "%s is %s", d->colname,
                         streq(t.name, "bpchar") ? "char(n)" : lint_type_text(l->arena, t));
}

void lint_column_quality(struct lint *l, const PgQuery__ColumnDef *d, bool is_key)
{
    if (!d->type_name || d->type_name->n_names == 0)
        return;
    const char *written = tree_string(d->type_name->names[d->type_name->n_names - 1]);
    for (size_t i = 0; i < d->n_constraints; i++) {
        const PgQuery__Constraint *c = tree_constraint(d->constraints[i]);
        is_key |= c && (c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ||
                        c->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN);
    }
    bool is_serial = written && (starts_with(written, "serial") || streq(written, "smallserial"));
    if (is_narrow(written) && (is_key || is_serial))
        (void)lint_found(l, LINT_Q01, d->location, "%s is %s", d->colname, written);
    surprising(l, d);
}

/* More than 63 bytes without a blank: seldom, so that most statements need no second look. */
static bool has_long_run(struct str text)
{
    size_t run = 0;
    for (size_t i = 0; i < text.n; i++) {
        run = (unsigned char)text.p[i] > ' ' ? run + 1 : 0;
        if (run > 63)
            return true;
    }
    return false;
}

/* The grammar cuts long names silently, as the server does, so the text is read again. */
void lint_on_names(struct lint *l)
{
    const struct sql_statement *s = l->statement;
    struct token t;
    if (!has_long_run(s->text))
        return;
    for (size_t at = 0; token_next_code(s->text, &at, &t);) {
        bool is_name = t.kind == TOKEN_WORD || t.kind == TOKEN_NAME;
        size_t n = t.kind == TOKEN_NAME && t.n >= 2 ? t.n - 2 : t.n;
        if (is_name && n > 63)
            (void)lint_found(l, LINT_Q04, (int)t.at, "%zu bytes: the server keeps \"%.63s\"", n,
                             s->text.p + t.at + (t.kind == TOKEN_NAME));
    }
}

/* ---- what can be told only when all of the file is known ---- */

static void unindexed(struct lint *l, const struct lint_table *t, const struct lint_constraint *k)
{
    if (k->kind != LINT_FOREIGN || k->added_in != l->migration || k->column_count == 0)
        return;
    if (!lint_table_leads(t, k->columns[0])) {
        struct lint_finding *f = lint_found_at(l, LINT_Q06, lint_offset_of_table(l, t->name),
                                               "%s.%s", lint_text(l, t->name), k->columns[0]);
        if (!t->has_columns)
            lint_assume(l, f, false);
    }
    const struct lint_table *target = lint_schema_table(&l->schema, k->target);
    const struct lint_column *from = lint_table_column(t, k->columns[0]);
    const char *key = k->target_column;
    for (size_t i = 0; target && !key && i < target->constraints.n; i++)
        if (target->constraints.v[i].kind == LINT_PRIMARY &&
            target->constraints.v[i].column_count == 1)
            key = target->constraints.v[i].columns[0];
    const struct lint_column *to = lint_table_column(target, key);
    if (from && to && from->type.name && to->type.name && !streq(from->type.name, to->type.name))
        (void)lint_found_at(l, LINT_Q12, lint_offset_of_table(l, t->name),
                            "%s.%s is %s and refers to a column of type %s", lint_text(l, t->name),
                            from->name, from->type.name, to->type.name);
}

void lint_keys(struct lint *l)
{
    for (size_t i = 0; i < l->schema.touched.n; i++) {
        const struct lint_table *t = l->schema.touched.v[i];
        for (size_t k = 0; !t->is_gone && k < t->constraints.n; k++)
            unindexed(l, t, &t->constraints.v[k]);
    }
}
