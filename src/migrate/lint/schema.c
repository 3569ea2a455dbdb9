#include "migrate/lint/schema.h"

#include "base/str.h"

#include <assert.h>

#define HASH_START 64 /* a power of two */

static const char *schema_or_public(struct sql_name n)
{
    return n.schema ? n.schema : "public";
}

static size_t hash_of(struct sql_name n)
{
    size_t h = 1469598103934665603u;
    for (const char *p = schema_or_public(n); *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    for (const char *p = n.name; p && *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    return h ^ (h >> 29);
}

void lint_schema_init(struct lint_schema *s, struct arena *a)
{
    *s = (struct lint_schema){ .arena = a };
    s->hash_size = HASH_START;
    s->hash = ARENA_ARRAY(a, struct lint_table *, HASH_START);
}

static void insert(struct lint_schema *s, struct lint_table *t)
{
    size_t i = hash_of(t->name) & (s->hash_size - 1);
    while (s->hash[i])
        i = (i + 1) & (s->hash_size - 1);
    s->hash[i] = t;
}

static void grow(struct lint_schema *s)
{
    s->hash_size *= 2;
    s->hash = ARENA_ARRAY(s->arena, struct lint_table *, s->hash_size);
    for (size_t i = 0; i < s->tables.n; i++)
        insert(s, s->tables.v[i]);
}

struct lint_table *lint_schema_table(const struct lint_schema *s, struct sql_name name)
{
    if (!name.name)
        return NULL;
    size_t i = hash_of(name) & (s->hash_size - 1);
    for (; s->hash[i]; i = (i + 1) & (s->hash_size - 1)) {
        struct lint_table *t = s->hash[i];
        if (!t->is_gone && streq(t->name.name, name.name) &&
            streq(t->name.schema, schema_or_public(name)))
            return t;
    }
    return NULL;
}

struct lint_table *lint_schema_add_table(struct lint_schema *s, struct sql_name name,
                                         enum lint_table_kind kind)
{
    if ((s->tables.n + 1) * 2 > s->hash_size)
        grow(s);
    struct lint_table *t = ARENA_NEW(s->arena, struct lint_table);
    t->name = (struct sql_name){ lint_schema_keep(s, schema_or_public(name)),
                                 lint_schema_keep(s, name.name) };
    t->kind = kind;
    t->is_new = s->is_judging;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers
    *vec_add(&s->tables, s->arena) = t;
    insert(s, t);
    lint_schema_touch(s, t);
    return t;
}

const char *lint_schema_keep(struct lint_schema *s, const char *text)
{
    return text ? arena_strdup(s->arena, text) : NULL;
}

void lint_schema_touch(struct lint_schema *s, struct lint_table *t)
{
    if (!s->is_judging || t->is_touched)
        return;
    t->is_touched = true;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers
    *vec_add(&s->touched, s->arena) = t;
}

void lint_schema_settle(struct lint_schema *s)
{
    for (size_t i = 0; i < s->touched.n; i++) {
        struct lint_table *t = s->touched.v[i];
        t->is_touched = t->is_new = false;
        for (size_t k = 0; k < t->columns.n; k++)
            t->columns.v[k].is_new = false;
    }
    s->touched.n = 0;
    for (; s->settled_functions < s->functions.n; s->settled_functions++)
        s->functions.v[s->settled_functions].is_new = false;
    for (; s->settled_types < s->types.n; s->settled_types++)
        s->types.v[s->settled_types].is_new = false;
}

struct lint_column *lint_table_column(const struct lint_table *t, const char *name)
{
    for (size_t i = 0; t && i < t->columns.n; i++)
        if (streq(t->columns.v[i].name, name))
            return &t->columns.v[i];
    return NULL;
}

struct lint_constraint *lint_table_constraint(const struct lint_table *t, const char *name)
{
    for (size_t i = 0; t && i < t->constraints.n; i++)
        if (streq(t->constraints.v[i].name, name))
            return &t->constraints.v[i];
    return NULL;
}

struct lint_table *lint_schema_index(const struct lint_schema *s, const char *name,
                                     struct lint_index **ret_index)
{
    for (size_t i = 0; i < s->tables.n; i++) {
        struct lint_table *t = s->tables.v[i];
        for (size_t k = 0; !t->is_gone && k < t->indexes.n; k++) {
            if (!streq(t->indexes.v[k].name, name))
                continue;
            if (ret_index)
                *ret_index = &t->indexes.v[k];
            return t;
        }
    }
    return NULL;
}

struct lint_function *lint_schema_function(const struct lint_schema *s, struct sql_name name,
                                           const struct lint_function *after)
{
    size_t from = after ? (size_t)(after - s->functions.v) + 1 : 0;
    for (size_t i = from; i < s->functions.n; i++)
        if (!s->functions.v[i].is_gone && sql_name_eq(s->functions.v[i].name, name))
            return &s->functions.v[i];
    return NULL;
}

struct lint_user_type *lint_schema_type(const struct lint_schema *s, struct sql_name name)
{
    for (size_t i = 0; i < s->types.n; i++)
        if (sql_name_eq(s->types.v[i].name, name))
            return &s->types.v[i];
    return NULL;
}

bool lint_table_leads(const struct lint_table *t, const char *column)
{
    for (size_t i = 0; i < t->indexes.n; i++)
        if (t->indexes.v[i].column_count > 0 && streq(t->indexes.v[i].columns[0], column))
            return true;
    for (size_t i = 0; i < t->constraints.n; i++) {
        const struct lint_constraint *c = &t->constraints.v[i];
        bool has_index =
            c->kind == LINT_PRIMARY || c->kind == LINT_UNIQUE || c->kind == LINT_EXCLUDE;
        if (has_index && c->column_count > 0 && streq(c->columns[0], column))
            return true;
    }
    return false;
}
