/*
 * Guessing a value: see seed_value.h.
 *
 * Texts are digits at first, because a migration that changes a type casts them: '3' is a text, a
 * number, and a document of JSON.
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
    { "numeric", "%u.25" },
    { "float4", "%u.25" },
    { "float8", "%u.25" },
    { "oid", "%u" },
    { "money", "'%u'" },
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

static const char *const text_types[] = { "text",   "varchar", "bpchar", "name",
                                          "citext", "char",    NULL };

static const char *text(struct arena *a, enum seed_texts texts, unsigned number)
{
    switch (texts) {
    case SEED_NUMBERS:
        if (number % 3 == 2) /* a narrower type would cut it */
            return arena_printf(a, "'1%09u'", number);
        break;
    case SEED_UUIDS:
        return arena_printf(a, "'00000000-0000-4000-8000-%012u'", number);
    case SEED_TIMES:
        return arena_printf(a, "'2026-01-01 10:%02u:00'", number % 60);
    case SEED_BOOLEANS:
        return number % 2 ? "'true'" : "'false'";
    case SEED_SHORT_NUMBERS:
    case SEED_TEXTS_END:
        break;
    }
    return arena_printf(a, "'%u'", number);
}

static const char *plain(struct arena *a, const char *type, enum seed_texts texts, unsigned number)
{
    if (streq(type, "bool"))
        return number % 2 ? "true" : "false";
    for (const char *const *t = text_types; *t; t++)
        if (streq(type, *t))
            return text(a, texts, number);
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

static const char *of_type(struct arena *a, const struct seed_column *c, enum seed_texts texts,
                           unsigned number)
{
    if (c->element_name && c->labels)
        return arena_printf(a, "ARRAY[%s]::%s", label(a, c->labels, number), c->base_type);
    if (c->element_name) {
        const char *item = plain(a, c->element_name, texts, number);
        return item ? arena_printf(a, "ARRAY[(%s)::%s]::%s", item, c->element_type, c->base_type)
                    : arena_printf(a, "'{}'::%s", c->base_type);
    }
    if (c->labels)
        return arena_printf(a, "%s::%s", label(a, c->labels, number), c->base_type);
    if (c->range_of)
        return arena_printf(a, "'empty'::%s", c->base_type);
    const char *value = plain(a, c->base_name, texts, number);
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

/* ---- what the migration looks for ---- */

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '"';
}

/* A constant at p: 'text', 12.5, true. */
static const char *literal(struct arena *a, const char *p)
{
    size_t n = 0;
    if (*p == '\'') {
        for (n = 1; p[n] && (p[n] != '\'' || p[n + 1] == '\''); n++)
            n += p[n] == '\'';
        return p[n] ? arena_strndup(a, p, n + 1) : NULL;
    }
    if (*p == '-' || isdigit((unsigned char)*p)) {
        n = 1 + strspn(p + 1, "0123456789.");
        return arena_strndup(a, p, n);
    }
    if (strncasecmp(p, "true", 4) == 0)
        return "true";
    return strncasecmp(p, "false", 5) == 0 ? "false" : NULL;
}

/* What stands behind a column's name in a condition, as a value that meets it; NULL if that is not
 * simple. */
static const char *meeting(struct arena *a, const char *p)
{
    static const struct {
        const char *operator, * form;
    } forms[] = {
        { "<>", NULL },      { "!=", NULL },      { "<=", "(%s)" },     { ">=", "(%s)" },
        { "<", "(%s - 1)" }, { ">", "(%s + 1)" }, { "=", "(%s)" },      { "in (", "(%s)" },
        { "in(", "(%s)" },   { "like ", "(%s)" }, { "ilike ", "(%s)" }, { "is null", "NULL" },
    };
    p += strspn(p, " \t\n");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t n = strlen(forms[i].operator);
        if (strncasecmp(p, forms[i].operator, n) != 0)
            continue;
        if (!forms[i].form || !strstr(forms[i].form, "%s"))
            return forms[i].form;
        p += n;
        const char *value = literal(a, p + strspn(p, " \t\n"));
        const char *mark = strstr(forms[i].form, "%s");
        return value ? arena_printf(a, "%.*s%s%s", (int)(mark - forms[i].form), forms[i].form,
                                    value, mark + 2)
                     : NULL;
    }
    return NULL;
}

static const char *wanted_value(struct arena *a, const struct seed_column *c, const char *wanted)
{
    size_t n = strlen(c->name);
    for (const char *p = strcasestr(wanted, c->name); p; p = strcasestr(p + 1, c->name)) {
        if ((p > wanted && is_name(p[-1])) || is_name(p[n]))
            continue;
        const char *value = meeting(a, p + n);
        if (value && !(c->is_required && streq(value, "NULL")))
            return streq(value, "NULL") ? value : arena_printf(a, "%s::%s", value, c->base_type);
    }
    return NULL;
}

const char *seed_value(struct arena *a, const struct seed_column *c, const struct seed_spec *spec,
                       unsigned row, unsigned variant)
{
    unsigned number = row + 1 + variant * 10;
    bool is_text = c->category == 'S' || c->category == 'E';
    if (c->category == 'D' && !c->is_unique)
        number += c->position; /* what ends stands behind what begins */
    if (row % SEED_ROWS == SEED_ROWS - 1 && variant < 2) {
        const char *value = wanted_value(a, c, spec->wanted);
        if (value)
            return value;
    }
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
    return named ? named : of_type(a, c, spec->texts, number);
}
