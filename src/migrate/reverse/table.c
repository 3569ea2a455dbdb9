/*
 * A table that is gone, made again: columns with their defaults, and the constraints that stand in
 * it. Indexes, foreign keys, triggers, policies, grants and comments are steps of their own.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "migrate/reverse/inside.h"

#define TABLE_BYTES (4 * MIB)

const char *quoted_text(struct arena *a, const char *text)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TABLE_BYTES);
    bool has_backslash = strchr(text, '\\') != NULL;
    (void)strbuf_adds(&b, has_backslash ? "E'" : "'");
    for (const char *p = text; *p; p++) {
        if (*p == '\'' || *p == '\\')
            (void)strbuf_addc(&b, *p);
        (void)strbuf_addc(&b, *p);
    }
    (void)strbuf_addc(&b, '\'');
    return arena_strdup(a, strbuf_text(&b));
}

/* What is not what CREATE SEQUENCE takes for itself; all of it where a changed one is set back. */
const char *sequence_options(struct run *r, const struct object *s, bool all)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4 * KIB);
    const char *type = object_text_or(r, s, "type", "bigint");
    int64_t step = object_int(r, s, "increment"), min = object_int(r, s, "min"),
            max = object_int(r, s, "max"), start = object_int(r, s, "start"),
            cache = object_int(r, s, "cache");
    int64_t top = streq(type, "smallint")  ? INT16_MAX
                  : streq(type, "integer") ? INT32_MAX
                                           : INT64_MAX;
    bool up = step > 0;
    if (all || !streq(type, "bigint"))
        (void)strbuf_printf(&b, " AS %s", type);
    if (all || step != 1)
        (void)strbuf_printf(&b, " INCREMENT BY %lld", (long long)step);
    if (all || min != (up ? 1 : -top - 1))
        (void)strbuf_printf(&b, " MINVALUE %lld", (long long)min);
    if (all || max != (up ? top : -1))
        (void)strbuf_printf(&b, " MAXVALUE %lld", (long long)max);
    if (all || start != (up ? min : max))
        (void)strbuf_printf(&b, " START WITH %lld", (long long)start);
    if (all || cache != 1)
        (void)strbuf_printf(&b, " CACHE %lld", (long long)cache);
    if (all || object_bool(r, s, "cycle"))
        (void)strbuf_adds(&b, object_bool(r, s, "cycle") ? " CYCLE" : " NO CYCLE");
    return arena_strdup(r->a, strbuf_text(&b));
}

static const struct object *identity_sequence(struct run *r, const struct object *column)
{
    for (size_t i = 0; i < r->was->n; i++) {
        const struct object *o = &r->was->v[i];
        if (object_is(o, "sequence") && object_bool(r, o, "identity") &&
            streq(object_text(r, o, "owned by"), column->identity))
            return o;
    }
    return NULL;
}

static void add_identity(struct run *r, struct strbuf *b, const struct object *column)
{
    const struct object *s = identity_sequence(r, column);
    (void)strbuf_printf(b, " GENERATED %s AS IDENTITY",
                        streq(object_text(r, column, "identity"), "a") ? "ALWAYS" : "BY DEFAULT");
    if (!s)
        return;
    const char *options = sequence_options(r, s, false);
    if (starts_with(options, " AS ")) /* the column's type */
        options = strchr(options + 4, ' ') ? strchr(options + 4, ' ') : "";
    (void)strbuf_printf(b, " (SEQUENCE NAME %s%s)", s->identity, options);
}

const char *column_definition(struct run *r, const struct object *c, bool with_not_null)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TABLE_BYTES);
    const char *value = object_text(r, c, "default");
    const char *generated = object_text(r, c, "generated");
    (void)strbuf_printf(&b, "%s %s", c->name, object_text_or(r, c, "type", "text"));
    if (object_text(r, c, "foreign options"))
        (void)strbuf_printf(&b, " OPTIONS (%s)", object_text(r, c, "foreign options"));
    if (object_text(r, c, "collation"))
        (void)strbuf_printf(&b, " COLLATE %s", object_text(r, c, "collation"));
    if (with_not_null && object_bool(r, c, "not null"))
        (void)strbuf_adds(&b, " NOT NULL");
    if (generated && value)
        (void)strbuf_printf(&b, " GENERATED ALWAYS AS (%s)%s", value,
                            streq(generated, "s") ? " STORED" : " VIRTUAL");
    else if (value)
        (void)strbuf_printf(&b, " DEFAULT %s", value);
    if (object_text(r, c, "identity"))
        add_identity(r, &b, c);
    return arena_strdup(r->a, strbuf_text(&b));
}

/* ---- the table ---- */

static size_t columns_of(struct run *r, const struct object *t, const struct object ***ret)
{
    const struct object **list = ARENA_ARRAY(r->a, const struct object *, r->was->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < r->was->n; i++)
        if (object_is(&r->was->v[i], "column") && streq(r->was->v[i].parent, t->identity))
            list[n++] = &r->was->v[i];
    objects_sort(list, n, false);
    *ret = list;
    return n;
}

/* Inherited ones come with the parent; of a partition all are written, because it is attached. */
static bool comes_from_parent(struct run *r, const struct object *t, const struct object *o)
{
    return !object_text(r, t, "bound") && object_int(r, o, "inherited") > 0 &&
           !object_bool(r, o, "local");
}

static bool stands_inside(struct run *r, const struct object *t, const struct object *c)
{
    const char *type = object_text_or(r, c, "type", "");
    return object_is(c, "constraint") && streq(c->parent, t->identity) && !streq(type, "f") &&
           !streq(type, "n") && object_bool(r, c, "valid") && !comes_from_parent(r, t, c);
}

static void add_item(struct strbuf *b, size_t *n, const char *text)
{
    (void)strbuf_printf(b, "%s\n    %s", (*n)++ ? "," : "", text);
}

static void add_items(struct run *r, struct strbuf *b, const struct object *t, bool with_checks)
{
    const struct object **columns = NULL;
    size_t n = columns_of(r, t, &columns), items = 0;
    (void)strbuf_adds(b, " (");
    for (size_t i = 0; i < n; i++)
        if (!comes_from_parent(r, t, columns[i]))
            add_item(b, &items, column_definition(r, columns[i], true));
    for (size_t i = 0; i < r->was->n; i++) {
        const struct object *c = &r->was->v[i];
        if (stands_inside(r, t, c) && (with_checks || !streq(object_text(r, c, "type"), "c")))
            add_item(b, &items,
                     arena_printf(r->a, "CONSTRAINT %s %s", c->name,
                                  object_text_or(r, c, "definition", "")));
    }
    (void)strbuf_adds(b, items ? "\n)" : ")");
}

static void add_list(struct strbuf *b, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        (void)strbuf_printf(b, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
}

static void add_tail(struct run *r, struct strbuf *b, const struct object *t)
{
    const json_t *parents = json_object_get(object_json(r, t), "parents");
    const json_t *options = json_object_get(object_json(r, t), "options");
    const char *method = object_text(r, t, "method");
    if (json_array_size(parents) > 0 && !object_text(r, t, "bound")) {
        (void)strbuf_adds(b, " INHERITS (");
        add_list(b, parents);
        (void)strbuf_adds(b, ")");
    }
    if (object_text(r, t, "partition by"))
        (void)strbuf_printf(b, " PARTITION BY %s", object_text(r, t, "partition by"));
    if (method && !streq(method, "heap"))
        (void)strbuf_printf(b, " USING %s", method);
    if (json_array_size(options) > 0) {
        (void)strbuf_adds(b, " WITH (");
        add_list(b, options);
        (void)strbuf_adds(b, ")");
    }
    if (object_text(r, t, "server"))
        (void)strbuf_printf(b, " SERVER %s", object_text(r, t, "server"));
    if (object_text(r, t, "foreign options"))
        (void)strbuf_printf(b, " OPTIONS (%s)", object_text(r, t, "foreign options"));
}

static bool try_table(struct run *r, const struct object *t, bool with_checks)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TABLE_BYTES);
    bool is_unlogged = streq(object_text(r, t, "persistence"), "u");
    (void)strbuf_printf(&b, "CREATE %s%s %s", is_unlogged ? "UNLOGGED " : "", relation_word(r, t),
                        t->identity);
    add_items(r, &b, t, with_checks);
    add_tail(r, &b, t);
    return !b.overflowed && attempt_with(r, t, "It comes back without its rows.", strbuf_text(&b));
}

bool create_table(struct run *r, const struct object *t)
{
    /* a check may call a function that needs the table */
    if (!try_table(r, t, true) && !(r->level >= 1 && try_table(r, t, false)))
        return false;
    *vec_add(&r->made, r->a) = arena_strdup(r->a, t->identity);
    return true;
}
