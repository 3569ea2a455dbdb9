/*
 * Making again what is gone, oldest first: one step per object. Owners, grants, comments and what
 * else hangs on an object come in the next round, when it can be compared with what it was.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "migrate/reverse/inside.h"

#define TEXT_BYTES (4 * MIB)

static void add_texts(struct strbuf *b, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        (void)strbuf_printf(b, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
}

/* Without the semicolon that the server ends views with. */
static const char *definition(struct run *r, const struct object *o)
{
    const char *text = object_text_or(r, o, "definition", "");
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == ';' || text[n - 1] == '\n'))
        n--;
    return arena_strndup(r->a, text, n);
}

/* ---- types ---- */

static bool create_enum(struct run *r, const struct object *o)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_BYTES);
    const json_t *labels = json_object_get(object_json(r, o), "labels");
    (void)strbuf_printf(&b, "CREATE TYPE %s AS ENUM (", o->identity);
    for (size_t i = 0; i < json_array_size(labels); i++)
        (void)strbuf_printf(&b, "%s%s", i ? ", " : "",
                            quoted_text(r->a, json_string_value(json_array_get(labels, i))));
    return attempt(r, o, "%s)", strbuf_text(&b));
}

static bool create_domain(struct run *r, const struct object *o)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_BYTES);
    (void)strbuf_printf(&b, "CREATE DOMAIN %s AS %s", o->identity, object_text(r, o, "base"));
    if (object_text(r, o, "collation"))
        (void)strbuf_printf(&b, " COLLATE %s", object_text(r, o, "collation"));
    if (object_text(r, o, "default"))
        (void)strbuf_printf(&b, " DEFAULT %s", object_text(r, o, "default"));
    if (object_bool(r, o, "not null"))
        (void)strbuf_adds(&b, " NOT NULL");
    if (!attempt(r, o, "%s", strbuf_text(&b)))
        return false;
    *vec_add(&r->made, r->a) = arena_strdup(r->a, o->identity);
    return true;
}

static bool create_composite(struct run *r, const struct object *o)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_BYTES);
    const json_t *list = json_object_get(object_json(r, o), "attributes");
    (void)strbuf_printf(&b, "CREATE TYPE %s AS (", o->identity);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *x = json_array_get(list, i);
        (void)strbuf_printf(&b, "%s%s %s", i ? ", " : "", json_text_or(x, "name", ""),
                            json_text_or(x, "type", ""));
        if (json_text_or(x, "collation", NULL))
            (void)strbuf_printf(&b, " COLLATE %s", json_text_or(x, "collation", ""));
    }
    return attempt(r, o, "%s)", strbuf_text(&b));
}

static void add_part(struct strbuf *b, const char *word, const char *value)
{
    if (value)
        (void)strbuf_printf(b, ", %s = %s", word, value);
}

static bool create_range(struct run *r, const struct object *o)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_BYTES);
    const json_t *range = json_object_get(object_json(r, o), "range");
    (void)strbuf_printf(&b, "CREATE TYPE %s AS RANGE (SUBTYPE = %s", o->identity,
                        json_text_or(range, "subtype", ""));
    add_part(&b, "SUBTYPE_OPCLASS", json_text_or(range, "opclass", NULL));
    add_part(&b, "COLLATION", json_text_or(range, "collation", NULL));
    add_part(&b, "CANONICAL", json_text_or(range, "canonical", NULL));
    add_part(&b, "SUBTYPE_DIFF", json_text_or(range, "diff", NULL));
    const char *multirange = json_text_or(range, "multirange", NULL);
    if (multirange)
        add_part(&b, "MULTIRANGE_TYPE_NAME",
                 o->schema ? arena_printf(r->a, "%s.%s", o->schema, multirange) : multirange);
    return attempt(r, o, "%s)", strbuf_text(&b));
}

static bool create_type(struct run *r, const struct object *o)
{
    switch (object_text_or(r, o, "kind", "?")[0]) {
    case 'e':
        return create_enum(r, o);
    case 'd':
        return create_domain(r, o);
    case 'c':
        return create_composite(r, o);
    case 'r':
        return create_range(r, o);
    default:
        return false;
    }
}

/* ---- relations and what belongs to them ---- */

static bool create_view(struct run *r, const struct object *o)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_BYTES);
    const json_t *options = json_object_get(object_json(r, o), "options");
    (void)strbuf_printf(&b, "CREATE %s %s", relation_word(r, o), o->identity);
    if (json_array_size(options) > 0) {
        (void)strbuf_adds(&b, " WITH (");
        add_texts(&b, options);
        (void)strbuf_adds(&b, ")");
    }
    (void)strbuf_printf(&b, " AS\n%s", definition(r, o));
    if (object_bool(r, o, "unpopulated"))
        (void)strbuf_adds(&b, "\nWITH NO DATA");
    return attempt(r, o, "%s", strbuf_text(&b));
}

static bool create_relation(struct run *r, const struct object *o)
{
    char kind = object_relkind(r, o);
    return kind == 'v' || kind == 'm' ? create_view(r, o) : create_table(r, o);
}

/* On a table with rows, the long part does not hold the lock of the short one. */
static bool create_constraint(struct run *r, const struct object *o)
{
    const char *text = object_text_or(r, o, "definition", "");
    const char *type = object_text_or(r, o, "type", "");
    const char *words = arena_printf(r->a, "ALTER %s %s",
                                     object_bool(r, o, "domain") ? "DOMAIN" : "TABLE", o->parent);
    const char *add = arena_printf(r->a, "%s ADD CONSTRAINT %s %s", words, o->name, text);
    const struct object *t = world_find(r->was, "relation", o->parent);
    bool is_gentle = (streq(type, "f") || streq(type, "c")) && object_bool(r, o, "valid") &&
                     !was_made(r, o->parent) && (!t || object_relkind(r, t) == 'r');
    if (is_gentle && !strstr(text, "NO INHERIT") &&
        attempt(r, o, "%s NOT VALID;\n%s VALIDATE CONSTRAINT %s", add, words, o->name))
        return true;
    return attempt(r, o, "%s", add);
}

static bool create_policy(struct run *r, const struct object *o)
{
    static const struct {
        const char *letter, *word;
    } commands[] = { { "r", "SELECT" }, { "a", "INSERT" }, { "w", "UPDATE" }, { "d", "DELETE" } };
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_BYTES);
    (void)strbuf_printf(&b, "CREATE POLICY %s ON %s", o->name, o->parent);
    if (!object_bool(r, o, "permissive"))
        (void)strbuf_adds(&b, " AS RESTRICTIVE");
    for (size_t i = 0; i < 4; i++)
        if (streq(object_text(r, o, "command"), commands[i].letter))
            (void)strbuf_printf(&b, " FOR %s", commands[i].word);
    (void)strbuf_adds(&b, " TO ");
    add_texts(&b, json_object_get(object_json(r, o), "roles"));
    if (object_text(r, o, "using"))
        (void)strbuf_printf(&b, "\n  USING (%s)", object_text(r, o, "using"));
    if (object_text(r, o, "check"))
        (void)strbuf_printf(&b, "\n  WITH CHECK (%s)", object_text(r, o, "check"));
    return attempt(r, o, "%s", strbuf_text(&b));
}

static bool create_index(struct run *r, const struct object *o)
{
    const char *text = definition(r, o);
    const char *at = strstr(text, "INDEX ");
    if (!at || !index_was_concurrent(r, o, "DROP"))
        return attempt(r, o, "%s", text);
    const char *gentle = arena_printf(r->a, "%.*sINDEX CONCURRENTLY %s", (int)(at - text), text,
                                      at + strlen("INDEX "));
    return attempt_as(r, o, text, gentle);
}

/* ---- the rest ---- */

static const char *publication_options(struct run *r, const struct object *o)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(KIB);
    static const char *const events[] = { "insert", "update", "delete", "truncate" };
    (void)strbuf_adds(&b, "publish = '");
    for (size_t i = 0, n = 0; i < 4; i++)
        if (object_bool(r, o, events[i]))
            (void)strbuf_printf(&b, "%s%s", n++ ? ", " : "", events[i]);
    (void)strbuf_printf(&b, "', publish_via_partition_root = %s",
                        object_bool(r, o, "root") ? "true" : "false");
    return arena_strdup(r->a, strbuf_text(&b));
}

static bool create_publication(struct run *r, const struct object *o)
{
    return attempt(r, o, "CREATE PUBLICATION %s%s WITH (%s)", o->identity,
                   object_bool(r, o, "all") ? " FOR ALL TABLES" : "", publication_options(r, o));
}

static bool create_event_trigger(struct run *r, const struct object *o)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(TEXT_BYTES);
    const json_t *tags = json_object_get(object_json(r, o), "tags");
    (void)strbuf_printf(&b, "CREATE EVENT TRIGGER %s ON %s", o->identity,
                        object_text_or(r, o, "event", ""));
    for (size_t i = 0; i < json_array_size(tags); i++)
        (void)strbuf_printf(&b, "%s%s", i ? ", " : " WHEN TAG IN (",
                            quoted_text(r->a, json_string_value(json_array_get(tags, i))));
    if (json_array_size(tags) > 0)
        (void)strbuf_addc(&b, ')');
    return attempt(r, o, "%s EXECUTE FUNCTION %s()", strbuf_text(&b),
                   object_text_or(r, o, "function", ""));
}

static bool create_sequence(struct run *r, const struct object *o)
{
    bool is_unlogged = streq(object_text(r, o, "persistence"), "u");
    return attempt(r, o, "CREATE %sSEQUENCE %s%s", is_unlogged ? "UNLOGGED " : "", o->identity,
                   sequence_options(r, o, false));
}

static bool create_schema(struct run *r, const struct object *o)
{
    return attempt(r, o, "CREATE SCHEMA %s", o->identity);
}

static bool create_extension(struct run *r, const struct object *o)
{
    return attempt(r, o, "CREATE EXTENSION %s WITH SCHEMA %s VERSION %s", o->identity,
                   object_text(r, o, "schema"), quoted_text(r->a, object_text(r, o, "version")));
}

static bool create_need(struct run *r, const struct object *o)
{
    return attempt(r, o, "ALTER %s DEPENDS ON EXTENSION %s", object_text(r, o, "object"),
                   object_text(r, o, "extension"));
}

static bool create_as_defined(struct run *r, const struct object *o)
{
    const char *text = definition(r, o);
    return *text && attempt(r, o, "%s", text);
}

static bool create_defaults(struct run *r, const struct object *o)
{
    size_t before = r->actions.n;
    default_privileges_restore(r, o, NULL);
    return r->actions.n > before;
}

// clang-format off
static const struct {
    const char *kind;
    bool (*create)(struct run *r, const struct object *o);
} creators[] = {
    { "schema",             create_schema        }, { "extension",      create_extension     },
    { "type",               create_type          }, { "relation",       create_relation      },
    { "column",             create_column        }, { "constraint",     create_constraint    },
    { "index",              create_index         }, { "sequence",       create_sequence      },
    { "policy",             create_policy        }, { "publication",    create_publication   },
    { "event trigger",      create_event_trigger }, { "extension need", create_need          },
    { "default privileges", create_defaults      },
};
// clang-format on

bool create_object(struct run *r, const struct object *o)
{
    for (size_t i = 0; i < sizeof creators / sizeof creators[0]; i++)
        if (object_is(o, creators[i].kind))
            return creators[i].create(r, o);
    return create_as_defined(r, o);
}

/* ---- all of them ---- */

/* It comes when something else comes. */
static bool comes_along(struct run *r, const struct object *o)
{
    const struct object *parent = world_parent(r->was, o);
    if (object_is(o, "column") && parent) {
        char kind = object_relkind(r, parent);
        if (kind == 'v' || kind == 'm' || !parent->twin)
            return true;
    }
    if (object_is(o, "index") && object_text(r, o, "constraint"))
        return true;
    if (object_is(o, "sequence") && object_bool(r, o, "identity"))
        return true;
    if (object_is(o, "trigger") && object_bool(r, o, "of parent"))
        return true;
    return r->level == 0 && object_int(r, o, "inherited") > 0 && !object_bool(r, o, "local") &&
           parent && parent->twin;
}

static bool is_made_inside(struct run *r, const struct object *o)
{
    return object_is(o, "constraint") && was_made(r, o->parent) &&
           !streq(object_text(r, o, "type"), "f") && object_bool(r, o, "valid") && r->level == 0;
}

bool creates_all(struct run *r)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    const struct object **list = ARENA_ARRAY(scratch, const struct object *, r->was->n + 1);
    size_t n = 0;
    bool is_done = false;
    for (size_t i = 0; i < r->was->n; i++)
        if (!r->was->v[i].twin && !comes_along(r, &r->was->v[i]))
            list[n++] = &r->was->v[i];
    objects_sort(list, n, false);
    if (r->level >= 3 && n > 0 && !r->is_unchecked)
        r->is_unchecked = attempt(r, list[0], "SET check_function_bodies = off");
    for (bool is_moving = true; is_moving;) {
        is_moving = false;
        for (size_t i = 0; i < n; i++) {
            if (!list[i] || is_made_inside(r, list[i]) || !create_object(r, list[i]))
                continue;
            list[i] = NULL;
            is_moving = is_done = true;
        }
    }
    return is_done;
}
