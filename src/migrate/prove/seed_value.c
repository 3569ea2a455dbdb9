/*
 * Guessing a value: see seed_value.h.
 *
 * Texts are digits, because a migration that changes a type casts them: '3' is a text, a number, and
 * a document of JSON.
 */
#include "migrate/prove/seed_value.h"

#include "base/vec.h"

#include <ctype.h>

struct guess {
    const char *type; /* pg_type.typname */
    const char *form; /* %u: the row's number, from 1 */
};

static const struct guess guesses[] = {
    { "int2", "%u" },
    { "int4", "%u" },
    { "int8", "%u" },
    { "numeric", "%u" },
    { "float4", "%u" },
    { "float8", "%u" },
    { "oid", "%u" },
    { "money", "'%u'" },
    { "text", "'%u'" },
    { "varchar", "'%u'" },
    { "bpchar", "'%u'" },
    { "name", "'%u'" },
    { "citext", "'%u'" },
    { "char", "'%u'" },
    { "date", "date '2026-01-01' + %u" },
    { "timestamp", "timestamp '2026-01-01 10:00' + interval '%u hour'" },
    { "timestamptz", "timestamptz '2026-01-01 10:00Z' + interval '%u hour'" },
    { "time", "time '10:00' + interval '%u minute'" },
    { "timetz", "timetz '10:00Z' + interval '%u minute'" },
    { "interval", "interval '%u hour'" },
    { "json", "'{\"row\": %u}'" },
    { "jsonb", "'{\"row\": %u}'" },
    { "bytea", "convert_to('%u', 'UTF8')" },
    { "inet", "inet '192.0.2.0' + %u" },
    { "cidr", "set_masklen((inet '192.0.2.0' + %u)::cidr, 32)" },
    { "macaddr", "('08:00:2b:01:02:' || lpad(to_hex(%u % 256), 2, '0'))" },
    { "xml", "'<row>%u</row>'" },
    { "tsvector", "to_tsvector('simple', '%u')" },
    { "tsquery", "to_tsquery('simple', '%u')" },
    { "bit", "%u::bit(8)" },
    { "varbit", "%u::bit(8)" },
    { "point", "point(%u, 1)" },
    { "box", "box(point(0, 0), point(%u, 1))" },
    { "circle", "circle(point(0, 0), %u)" },
    { "lseg", "lseg(point(0, 0), point(%u, 1))" },
    { "path", "'[(0,0),(%u,1)]'" },
    { "polygon", "'((0,0),(%u,1),(1,0))'" },
    { "line", "'{1,%u,0}'" },
    { "hstore", "'row=>%u'" },
    { "ltree", "'row.%u'" },
    { "pg_lsn", "'0/%u'" },
    { 0 },
};

static const char *plain(struct arena *a, const char *type, unsigned number)
{
    if (streq(type, "bool"))
        return number % 2 ? "true" : "false";
    if (streq(type, "uuid"))
        return arena_printf(a, "'00000000-0000-4000-8000-%012u'", number);
    for (const struct guess *g = guesses; g->type; g++) {
        if (!streq(g->type, type))
            continue;
        const char *mark = strstr(g->form, "%u"); /* the only place of it */
        return arena_printf(a, "%.*s%u%s", (int)(mark - g->form), g->form, number, mark + 2);
    }
    return NULL;
}

static const char *label(struct arena *a, const char *labels, unsigned index)
{
    struct str rest = str_of(labels), one = { 0 };
    unsigned count = 1;
    for (const char *p = labels; *p; p++)
        count += *p == '\x01';
    for (unsigned i = 0; i <= index % count; i++)
        one = str_cut(&rest, '\x01');
    return str_dup(a, one);
}

/* The constants of CHECK constraints: 'draft', 100. Texts or numbers, as the column is. */
static const char *constant(struct arena *a, const char *checks, bool is_text, unsigned index)
{
    VEC(const char *) found = { 0 };
    for (const char *p = checks; *p; p++) {
        if (*p == '\'') {
            const char *start = p++;
            while (*p && (*p != '\'' || p[1] == '\''))
                p += *p == '\'' ? 2 : 1;
            if (!*p)
                break;
            if (is_text)
                *vec_add(&found, a) = arena_strndup(a, start, (size_t)(p - start) + 1);
        } else if (isdigit((unsigned char)*p) && p > checks && !isalnum((unsigned char)p[-1]) &&
                   p[-1] != '_' && p[-1] != '.') {
            size_t n = strspn(p, "0123456789.");
            if (!is_text) {
                *vec_add(&found, a) = arena_strndup(a, p, n);
                *vec_add(&found, a) = arena_printf(a, "%.*s + 1", (int)n, p);
                *vec_add(&found, a) = arena_printf(a, "%.*s - 1", (int)n, p);
            }
            p += n - 1;
        }
    }
    return found.n ? found.v[index % found.n] : NULL;
}

static const char *reference(struct arena *a, const struct seed_column *c, unsigned row)
{
    if (c->is_self)
        return c->is_required ? NULL : "NULL";
    return arena_printf(a,
                        "(SELECT %s FROM %s ORDER BY ctid OFFSET %u %% greatest(1, (SELECT count(*)"
                        " FROM %s)) LIMIT 1)",
                        c->target_column, c->target, row, c->target);
}

static const char *of_type(struct arena *a, const struct seed_column *c, unsigned number)
{
    if (c->element_name && c->labels)
        return arena_printf(a, "ARRAY[%s]::%s", label(a, c->labels, number), c->base_type);
    if (c->element_name) {
        const char *item = plain(a, c->element_name, number);
        return item ? arena_printf(a, "ARRAY[(%s)::%s]::%s", item, c->element_type, c->base_type)
                    : arena_printf(a, "'{}'::%s", c->base_type);
    }
    if (c->labels)
        return arena_printf(a, "%s::%s", label(a, c->labels, number), c->base_type);
    if (c->range_of)
        return arena_printf(a, "'empty'::%s", c->base_type);
    const char *value = plain(a, c->base_name, number);
    if (!value)
        return c->is_required ? arena_printf(a, "'%u'::%s", number, c->base_type) : NULL;
    return arena_printf(a, "(%s)::%s", value, c->base_type);
}

/* A column whose name says what its text looks like; a check or a trigger often does too. */
static const char *by_name(struct arena *a, const struct seed_column *c, unsigned number)
{
    if (c->category != 'S' || c->labels)
        return NULL;
    if (strstr(c->name, "mail"))
        return arena_printf(a, "('row%u@example.org')::%s", number, c->base_type);
    if (strstr(c->name, "url"))
        return arena_printf(a, "('https://example.org/%u')::%s", number, c->base_type);
    return NULL;
}

const char *seed_value(struct arena *a, const struct seed_column *c, unsigned row, unsigned variant)
{
    unsigned number = row + 1 + variant * 10;
    bool is_text = c->category == 'S' || c->category == 'E';
    if (c->target)
        return reference(a, c, row);
    if (c->checks && variant + is_text > 0 && !c->labels) {
        /* A list of allowed texts is the first guess; numbers begin with the small ones. */
        unsigned index = is_text ? row + variant : (variant - 1) + (c->is_unique ? row : 0);
        const char *found = constant(a, c->checks, is_text, index);
        if (found && variant < 5)
            return arena_printf(a, "(%s)::%s", found, c->base_type);
        if (variant >= 5 && !c->is_required)
            return NULL;
    }
    const char *named = by_name(a, c, number);
    return named ? named : of_type(a, c, number);
}
