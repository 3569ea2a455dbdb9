/*
 * What a change of a column's type does to the table, measured on PostgreSQL 15, 17 and 18: most
 * pairs rewrite it; the exceptions are in the table below.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "migrate/lint/schema.h"
#include "migrate/sql/tree.h"

/* Names that the grammar turns into a column of another type. */
static const char *stored_name(const char *name)
{
    static const struct {
        const char *written, *stored;
    } names[] = {
        { "serial", "int4" },      { "serial4", "int4" },     { "bigserial", "int8" },
        { "serial8", "int8" },     { "smallserial", "int2" }, { "serial2", "int2" },
        { "integer", "int4" },     { "int", "int4" },         { "bigint", "int8" },
        { "smallint", "int2" },    { "boolean", "bool" },     { "decimal", "numeric" },
        { "character", "bpchar" },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (streq(names[i].written, name))
            return names[i].stored;
    return name;
}

struct lint_type lint_type_of(const PgQuery__TypeName *t)
{
    struct lint_type type = { 0 };
    if (!t || t->pct_type || t->n_names == 0)
        return type;
    const char *name = tree_string(t->names[t->n_names - 1]);
    type.name = name ? stored_name(name) : NULL;
    type.is_array = t->n_array_bounds > 0;
    for (size_t i = 0; i < t->n_typmods && type.mods < 2; i++) {
        const PgQuery__Node *n = t->typmods[i];
        if (n->node_case == PG_QUERY__NODE__NODE_A_CONST &&
            n->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL)
            type.mod[type.mods++] = n->a_const->ival->ival;
    }
    if (streq(type.name, "numeric") && type.mods == 1)
        type.mod[type.mods++] = 0;
    return type;
}

const char *lint_type_text(struct arena *a, struct lint_type t)
{
    const char *array = t.is_array ? "[]" : "";
    if (!t.name)
        return "an unknown type";
    if (t.mods == 2)
        return arena_printf(a, "%s(%d,%d)%s", t.name, t.mod[0], t.mod[1], array);
    if (t.mods == 1)
        return arena_printf(a, "%s(%d)%s", t.name, t.mod[0], array);
    return arena_printf(a, "%s%s", t.name, array);
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (streq(name, *names))
            return true;
    return false;
}

/* The limit goes up, or away. */
static bool limit_widens(struct lint_type from, struct lint_type to)
{
    return to.mods == 0 || (from.mods > 0 && to.mod[0] >= from.mod[0]);
}

static bool same_name_is_free(struct lint_type from, struct lint_type to)
{
    static const char *const limited[] = { "varchar", "varbit", "timestamp", "timestamptz",
                                           "time",    "timetz", NULL };
    bool equal = from.mods == to.mods && from.mod[0] == to.mod[0] && from.mod[1] == to.mod[1];
    if (equal)
        return true;
    if (is_one_of(from.name, limited))
        return limit_widens(from, to);
    if (streq(from.name, "numeric"))
        return to.mods == 0 ||
               (from.mods > 0 && to.mod[0] >= from.mod[0] && to.mod[1] == from.mod[1]);
    return false; /* char(n): always rewritten */
}

enum lint_change lint_type_change(struct lint_type from, struct lint_type to)
{
    if (!from.name || !to.name)
        return LINT_UNKNOWN;
    if (from.is_array || to.is_array) {
        bool equal = from.is_array == to.is_array && streq(from.name, to.name) &&
                     from.mods == to.mods && from.mod[0] == to.mod[0] && from.mod[1] == to.mod[1];
        return equal ? LINT_SAME : LINT_REWRITES;
    }
    if (streq(from.name, to.name))
        return same_name_is_free(from, to) ? LINT_SAME : LINT_REWRITES;
    if (streq(from.name, "varchar") && streq(to.name, "text"))
        return LINT_SAME;
    if (streq(from.name, "text") && streq(to.name, "varchar") && to.mods == 0)
        return LINT_SAME;
    if (streq(from.name, "bit") && streq(to.name, "varbit") && limit_widens(from, to))
        return LINT_SAME;
    if ((streq(from.name, "int4") && streq(to.name, "oid")) ||
        (streq(from.name, "cidr") && streq(to.name, "inet")))
        return LINT_SAME;
    if ((streq(from.name, "timestamp") && streq(to.name, "timestamptz")) ||
        (streq(from.name, "timestamptz") && streq(to.name, "timestamp")))
        return LINT_ZONE;
    return LINT_REWRITES;
}

bool lint_type_is_other_on_the_wire(struct lint_type from, struct lint_type to)
{
    /* Within one row a client sees the same kind of value. */
    static const char *const families[][7] = {
        { "text", "varchar", "bpchar", "citext", "name", NULL },
        { "int2", "int4", "oid", NULL },
        { "float4", "float8", NULL },
        { "json", "jsonb", NULL },
        { "bit", "varbit", NULL },
        { "cidr", "inet", NULL },
        { "timestamp", "timestamptz", NULL },
        { "time", "timetz", NULL },
    };
    if (!from.name || !to.name)
        return true;
    if (from.is_array != to.is_array)
        return true;
    if (streq(from.name, to.name))
        return false;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (is_one_of(from.name, families[i]) && is_one_of(to.name, families[i]))
            return false;
    return true;
}
