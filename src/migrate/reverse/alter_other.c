/*
 * Changing back what is not part of a table: types, sequences, functions, statistics, publications,
 * extensions, default privileges, and the rest, which is defined by one statement.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "migrate/reverse/inside.h"

static bool changed(struct run *r, const struct object *was, const struct object *now,
                    const char *field)
{
    return !field_same(r, was, now, field);
}

/* ---- types ---- */

static size_t find_label(const json_t *labels, const json_t *label)
{
    size_t i = 0;
    while (i < json_array_size(labels) && !json_equal(json_array_get(labels, i), label))
        i++;
    return i;
}

/* As many labels as before: those that differ were renamed. Fewer: what is missing comes back, in its
 * place. */
static void restore_labels(struct run *r, const struct object *was, const struct object *now)
{
    const json_t *x = json_object_get(object_json(r, was), "labels");
    const json_t *y = json_object_get(object_json(r, now), "labels");
    size_t n = json_array_size(x), m = json_array_size(y);
    for (size_t i = 0; i < n; i++) {
        const json_t *label = json_array_get(x, i);
        if (find_label(y, label) < m)
            continue;
        const char *text = quoted_text(r->a, json_string_value(label));
        if (n <= m && i < m && find_label(x, json_array_get(y, i)) == n &&
            attempt(r, was, "ALTER TYPE %s RENAME VALUE %s TO %s", was->identity,
                    quoted_text(r->a, json_string_value(json_array_get(y, i))), text))
            continue;
        if (i == 0)
            (void)attempt(r, was, "ALTER TYPE %s ADD VALUE %s%s%s", was->identity, text,
                          m ? " BEFORE " : "",
                          m ? quoted_text(r->a, json_string_value(json_array_get(y, 0))) : "");
        else
            (void)attempt(r, was, "ALTER TYPE %s ADD VALUE %s AFTER %s", was->identity, text,
                          quoted_text(r->a, json_string_value(json_array_get(x, i - 1))));
    }
}

static const json_t *find_attribute(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (streq(json_text_or(json_array_get(list, i), "name", NULL), name))
            return json_array_get(list, i);
    return NULL;
}

static void restore_attribute(struct run *r, const struct object *was, const json_t *x,
                              const json_t *y)
{
    const char *name = json_text_or(x, "name", ""), *type = json_text_or(x, "type", "");
    const char *collation = json_text_or(x, "collation", NULL);
    const char *words = arena_printf(r->a, "ALTER TYPE %s", was->identity);
    const char *form = arena_printf(r->a, "%s%s%s", type, collation ? " COLLATE " : "",
                                    collation ? collation : "");
    if (!y)
        (void)attempt(r, was, "%s ADD ATTRIBUTE %s %s", words, name, form);
    else if (!streq(type, json_text_or(y, "type", "")) ||
             !streq(collation, json_text_or(y, "collation", NULL)))
        (void)attempt(r, was, "%s ALTER ATTRIBUTE %s TYPE %s", words, name, form);
    const char *comment = json_text_or(x, "comment", NULL);
    if (!streq(comment, y ? json_text_or(y, "comment", NULL) : NULL))
        (void)attempt(r, was, "COMMENT ON COLUMN %s.%s IS %s", was->identity, name,
                      comment ? quoted_text(r->a, comment) : "NULL");
}

/* The one attribute that has another name at the same place was renamed. */
static bool restore_attribute_name(struct run *r, const struct object *was, const json_t *x,
                                   const json_t *y)
{
    if (json_array_size(x) != json_array_size(y))
        return false;
    for (size_t i = 0; i < json_array_size(x); i++) {
        const char *old = json_text_or(json_array_get(x, i), "name", "");
        const char *name = json_text_or(json_array_get(y, i), "name", "");
        if (!streq(old, name) && !find_attribute(y, old) && !find_attribute(x, name) &&
            attempt(r, was, "ALTER TYPE %s RENAME ATTRIBUTE %s TO %s", was->identity, name, old))
            return true;
    }
    return false;
}

static void restore_attributes(struct run *r, const struct object *was, const struct object *now)
{
    const json_t *x = json_object_get(object_json(r, was), "attributes");
    const json_t *y = json_object_get(object_json(r, now), "attributes");
    if (restore_attribute_name(r, was, x, y))
        return;
    size_t before = r->actions.n;
    for (size_t i = 0; i < json_array_size(y); i++) {
        const char *name = json_text_or(json_array_get(y, i), "name", "");
        if (!find_attribute(x, name))
            (void)attempt(r, was, "ALTER TYPE %s DROP ATTRIBUTE %s", was->identity, name);
    }
    for (size_t i = 0; i < json_array_size(x); i++) {
        const json_t *one = json_array_get(x, i);
        restore_attribute(r, was, one, find_attribute(y, json_text_or(one, "name", "")));
    }
    if (r->actions.n == before) /* only their order differs */
        (void)rebuild(r, now);
}

static void alter_type(struct run *r, const struct object *was, const struct object *now)
{
    if (changed(r, was, now, "labels"))
        restore_labels(r, was, now);
    if (changed(r, was, now, "attributes"))
        restore_attributes(r, was, now);
    if (streq(object_text(r, was, "kind"), "d")) {
        const char *value = object_text(r, was, "default");
        if (changed(r, was, now, "default"))
            (void)(value ? attempt(r, was, "ALTER DOMAIN %s SET DEFAULT %s", was->identity, value)
                         : attempt(r, was, "ALTER DOMAIN %s DROP DEFAULT", was->identity));
        if (changed(r, was, now, "not null"))
            (void)attempt(r, was, "ALTER DOMAIN %s %s NOT NULL", was->identity,
                          object_bool(r, was, "not null") ? "SET" : "DROP");
    }
    if (changed(r, was, now, "range") || changed(r, was, now, "base") ||
        changed(r, was, now, "kind"))
        (void)rebuild(r, now);
}

/* ---- sequences and functions ---- */

/* A sequence that was made again would count from the start, over numbers that are taken. */
static void restore_position(struct run *r, const struct object *was, const struct object *now)
{
    const char *owner = object_text(r, was, "owned by");
    const struct object *c = owner ? world_find(r->was, "column", owner) : NULL;
    if (!c || was_made(r, c->parent) || was->key.oid == now->key.oid)
        return;
    (void)attempt_with(
        r, was, "The next number follows the largest there is.",
        arena_printf(r->a,
                     "SELECT setval(%s, coalesce(max(%s), %lld), max(%s) IS NOT NULL)"
                     " FROM %s",
                     quoted_text(r->a, was->identity), c->name,
                     (long long)object_int(r, was, "start"), c->name, c->parent));
}

static void alter_sequence(struct run *r, const struct object *was, const struct object *now)
{
    static const char *const parameters[] = { "type", "start", "increment", "min",
                                              "max",  "cache", "cycle",     NULL };
    bool is_other = false;
    for (size_t i = 0; parameters[i]; i++)
        is_other |= changed(r, was, now, parameters[i]);
    if (is_other)
        (void)attempt(r, was, "ALTER SEQUENCE %s%s", was->identity, sequence_options(r, was, true));
    if (changed(r, was, now, "owned by") && !object_bool(r, was, "identity") &&
        attempt(r, was, "ALTER SEQUENCE %s OWNED BY %s", was->identity,
                object_text_or(r, was, "owned by", "NONE")))
        restore_position(r, was, now);
    if (changed(r, was, now, "persistence"))
        (void)attempt(r, was, "ALTER SEQUENCE %s SET %s", was->identity,
                      streq(object_text(r, was, "persistence"), "u") ? "UNLOGGED" : "LOGGED");
    if (changed(r, was, now, "owner") && object_text(r, was, "owned by"))
        (void)attempt(r, was, "ALTER SEQUENCE %s OWNER TO %s", was->identity,
                      object_text(r, was, "owner"));
}

static void alter_function(struct run *r, const struct object *was, const struct object *now)
{
    if (!changed(r, was, now, "definition") && !changed(r, was, now, "kind"))
        return;
    if (!changed(r, was, now, "kind") && !streq(object_text(r, was, "kind"), "a") &&
        attempt(r, was, "%s", object_text_or(r, was, "definition", "")))
        return;
    if (r->level >= 1)
        (void)rebuild(r, now);
}

/* ---- publications ---- */

static const char *published(struct run *r, const json_t *x)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(64 * KIB);
    const json_t *columns = json_object_get(x, "columns");
    (void)strbuf_adds(&b, json_text_or(x, "table", ""));
    for (size_t i = 0; i < json_array_size(columns); i++)
        (void)strbuf_printf(&b, "%s%s", i ? ", " : " (",
                            json_string_value(json_array_get(columns, i)));
    if (json_array_size(columns) > 0)
        (void)strbuf_addc(&b, ')');
    if (json_text_or(x, "where", NULL))
        (void)strbuf_printf(&b, " WHERE (%s)", json_text_or(x, "where", ""));
    return arena_strdup(r->a, strbuf_text(&b));
}

static bool list_has(const json_t *list, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), value))
            return true;
    return false;
}

static void restore_members(struct run *r, const struct object *was, const struct object *now,
                            const char *field)
{
    const json_t *x = json_object_get(object_json(r, was), field);
    const json_t *y = json_object_get(object_json(r, now), field);
    bool is_table = streq(field, "tables");
    const char *word = is_table ? "TABLE" : "TABLES IN SCHEMA";
    for (size_t i = 0; i < json_array_size(y); i++) {
        const json_t *one = json_array_get(y, i);
        if (!list_has(x, one))
            (void)attempt(r, was, "ALTER PUBLICATION %s DROP %s %s", was->identity, word,
                          is_table ? json_text_or(one, "table", "") : json_string_value(one));
    }
    for (size_t i = 0; i < json_array_size(x); i++) {
        const json_t *one = json_array_get(x, i);
        if (!list_has(y, one))
            (void)attempt(r, was, "ALTER PUBLICATION %s ADD %s %s", was->identity, word,
                          is_table ? published(r, one) : json_string_value(one));
    }
}

static void alter_publication(struct run *r, const struct object *was, const struct object *now)
{
    static const char *const events[] = { "insert", "update", "delete", "truncate", NULL };
    bool is_other = changed(r, was, now, "root");
    CLEANUP(strbuf) struct strbuf b = strbuf_init(KIB);
    for (size_t i = 0; events[i]; i++) {
        is_other |= changed(r, was, now, events[i]);
        if (object_bool(r, was, events[i]))
            (void)strbuf_printf(&b, "%s%s", b.n ? ", " : "", events[i]);
    }
    if (changed(r, was, now, "all")) {
        (void)rebuild(r, now);
        return;
    }
    if (is_other)
        (void)attempt(
            r, was, "ALTER PUBLICATION %s SET (publish = '%s', publish_via_partition_root = %s)",
            was->identity, strbuf_text(&b), object_bool(r, was, "root") ? "true" : "false");
    if (changed(r, was, now, "tables"))
        restore_members(r, was, now, "tables");
    if (changed(r, was, now, "schemas"))
        restore_members(r, was, now, "schemas");
}

/* ---- the rest ---- */

void alter_other(struct run *r, const struct object *was, const struct object *now)
{
    if (object_is(was, "type")) {
        alter_type(r, was, now);
    } else if (object_is(was, "sequence")) {
        alter_sequence(r, was, now);
    } else if (object_is(was, "function")) {
        alter_function(r, was, now);
    } else if (object_is(was, "publication")) {
        alter_publication(r, was, now);
    } else if (object_is(was, "default privileges")) {
        default_privileges_restore(r, was, now);
    } else if (object_is(was, "extension")) {
        if (changed(r, was, now, "schema"))
            (void)attempt(r, was, "ALTER EXTENSION %s SET SCHEMA %s", was->identity,
                          object_text(r, was, "schema"));
        if (changed(r, was, now, "version"))
            (void)attempt(r, was, "ALTER EXTENSION %s UPDATE TO %s", was->identity,
                          quoted_text(r->a, object_text_or(r, was, "version", "")));
    } else if (changed(r, was, now, "definition")) {
        (void)rebuild(r, now);
    } else if (object_is(was, "statistics") && changed(r, was, now, "target")) {
        json_t *target = json_object_get(object_json(r, was), "target");
        (void)attempt(r, was, "ALTER STATISTICS %s SET STATISTICS %lld", was->identity,
                      target ? (long long)json_integer_value(target) : -1LL);
    }
}
