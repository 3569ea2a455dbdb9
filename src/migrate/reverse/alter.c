/*
 * Changing back what is there in another form: owner, comment, grants, which every object may have,
 * and the fields of relations and of what belongs to them. Whatever no ALTER can say is taken away
 * here and made again in the next round.
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

/* ---- what every object may have ---- */

static void restore_owner(struct run *r, const struct object *was)
{
    (void)attempt(r, was, "ALTER %s OWNER TO %s", phrase(r, was), object_text(r, was, "owner"));
}

static void restore_comment(struct run *r, const struct object *was)
{
    const char *text = object_text(r, was, "comment");
    (void)attempt(r, was, "COMMENT ON %s IS %s", phrase(r, was),
                  text ? quoted_text(r->a, text) : "NULL");
}

/* ---- options: SET (a = b), RESET (c) ---- */

static const char *option_key(struct arena *a, const char *option)
{
    const char *equals = strchr(option, '=');
    return equals ? arena_strndup(a, option, (size_t)(equals - option)) : option;
}

static bool has_option(const json_t *list, const char *key, const char *but_value)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *x = json_string_value(json_array_get(list, i));
        if (x && strncmp(x, key, n) == 0 && (x[n] == '=' || !x[n]))
            return !but_value || streq(x, but_value);
    }
    return false;
}

static const char *option_text(struct arena *a, const char *option)
{
    const char *equals = strchr(option, '=');
    return equals ? arena_printf(a, "%.*s = %s", (int)(equals - option), option,
                                 quoted_text(a, equals + 1))
                  : option;
}

static void restore_options(struct run *r, const struct object *was, const struct object *now,
                            const char *field, const char *words)
{
    CLEANUP(strbuf) struct strbuf set = strbuf_init(64 * KIB);
    CLEANUP(strbuf) struct strbuf reset = strbuf_init(64 * KIB);
    const json_t *x = json_object_get(object_json(r, was), field);
    const json_t *y = json_object_get(object_json(r, now), field);
    for (size_t i = 0; i < json_array_size(x); i++) {
        const char *option = json_string_value(json_array_get(x, i));
        if (!has_option(y, option_key(r->a, option), option))
            (void)strbuf_printf(&set, "%s%s", set.n ? ", " : "", option_text(r->a, option));
    }
    for (size_t i = 0; i < json_array_size(y); i++) {
        const char *key = option_key(r->a, json_string_value(json_array_get(y, i)));
        if (!has_option(x, key, NULL))
            (void)strbuf_printf(&reset, "%s%s", reset.n ? ", " : "", key);
    }
    if (reset.n)
        (void)attempt(r, was, "%s RESET (%s)", words, strbuf_text(&reset));
    if (set.n)
        (void)attempt(r, was, "%s SET (%s)", words, strbuf_text(&set));
}

/* ---- relations ---- */

static void restore_replica_identity(struct run *r, const struct object *was, const char *words)
{
    const char *kind = object_text_or(r, was, "replica identity", "d");
    if (!streq(kind, "i")) {
        (void)attempt(r, was, "%s REPLICA IDENTITY %s", words,
                      streq(kind, "f")   ? "FULL"
                      : streq(kind, "n") ? "NOTHING"
                                         : "DEFAULT");
        return;
    }
    for (size_t i = 0; i < r->was->n; i++) {
        const struct object *x = &r->was->v[i];
        if (object_is(x, "index") && object_bool(r, x, "replica identity") &&
            streq(object_text(r, x, "table"), was->identity))
            (void)attempt(r, was, "%s REPLICA IDENTITY USING INDEX %s", words, x->name);
    }
}

static bool lists(const json_t *list, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), value))
            return true;
    return false;
}

static void restore_parents(struct run *r, const struct object *was, const struct object *now,
                            const char *words)
{
    const json_t *x = json_object_get(object_json(r, was), "parents");
    const json_t *y = json_object_get(object_json(r, now), "parents");
    const char *old_bound = object_text(r, was, "bound"), *bound = object_text(r, now, "bound");
    if (bound && (!streq(bound, old_bound) || !json_equal(x, y))) {
        if (!attempt(r, was, "ALTER TABLE %s DETACH PARTITION %s",
                     json_string_value(json_array_get(y, 0)), was->identity))
            return;
        bound = NULL;
        y = NULL;
    }
    if (old_bound && !bound) {
        (void)attempt(r, was, "ALTER TABLE %s ATTACH PARTITION %s %s",
                      json_string_value(json_array_get(x, 0)), was->identity, old_bound);
        return;
    }
    if (old_bound)
        return;
    for (size_t i = 0; i < json_array_size(y); i++)
        if (!lists(x, json_array_get(y, i)))
            (void)attempt(r, was, "%s NO INHERIT %s", words,
                          json_string_value(json_array_get(y, i)));
    for (size_t i = 0; i < json_array_size(x); i++)
        if (!lists(y, json_array_get(x, i)))
            (void)attempt(r, was, "%s INHERIT %s", words, json_string_value(json_array_get(x, i)));
}

static void restore_view(struct run *r, const struct object *was, const struct object *now)
{
    const char *text = object_text_or(r, was, "definition", "");
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == ';' || text[n - 1] == '\n'))
        n--;
    const json_t *options = json_object_get(object_json(r, was), "options");
    CLEANUP(strbuf) struct strbuf with = strbuf_init(4 * KIB);
    for (size_t i = 0; i < json_array_size(options); i++)
        (void)strbuf_printf(&with, "%s%s", i ? ", " : " WITH (",
                            json_string_value(json_array_get(options, i)));
    if (with.n)
        (void)strbuf_addc(&with, ')');
    if (object_relkind(r, was) == 'v' && attempt(r, was, "CREATE OR REPLACE VIEW %s%s AS\n%.*s",
                                                 was->identity, strbuf_text(&with), (int)n, text))
        return;
    if (r->level >= 1)
        (void)rebuild(r, now);
}

static void alter_relation(struct run *r, const struct object *was, const struct object *now)
{
    const char *words = arena_printf(r->a, "ALTER %s", phrase(r, was));
    if (changed(r, was, now, "kind"))
        return;
    if (changed(r, was, now, "definition")) {
        restore_view(r, was, now);
        return;
    }
    if (changed(r, was, now, "parents") || changed(r, was, now, "bound"))
        restore_parents(r, was, now, words);
    if (changed(r, was, now, "options"))
        restore_options(r, was, now, "options", words);
    if (changed(r, was, now, "toast options"))
        restore_options(r, was, now, "toast options", words);
    if (changed(r, was, now, "rls"))
        (void)attempt(r, was, "%s %s ROW LEVEL SECURITY", words,
                      object_bool(r, was, "rls") ? "ENABLE" : "DISABLE");
    if (changed(r, was, now, "force rls"))
        (void)attempt(r, was, "%s %sFORCE ROW LEVEL SECURITY", words,
                      object_bool(r, was, "force rls") ? "" : "NO ");
    if (changed(r, was, now, "replica identity"))
        restore_replica_identity(r, was, words);
    if (changed(r, was, now, "persistence"))
        (void)attempt(r, was, "%s SET %s", words,
                      streq(object_text(r, was, "persistence"), "u") ? "UNLOGGED" : "LOGGED");
    if (changed(r, was, now, "method"))
        (void)attempt(r, was, "%s SET ACCESS METHOD %s", words,
                      object_text_or(r, was, "method", "heap"));
    if (changed(r, was, now, "tablespace"))
        (void)attempt(r, was, "%s SET TABLESPACE %s", words,
                      object_text_or(r, was, "tablespace", "pg_default"));
    if (changed(r, was, now, "of type")) {
        const char *type = object_text(r, was, "of type");
        (void)(type ? attempt(r, was, "%s OF %s", words, type)
                    : attempt(r, was, "%s NOT OF", words));
    }
    if (changed(r, was, now, "unpopulated"))
        (void)attempt(r, was, "REFRESH %s%s", phrase(r, was),
                      object_bool(r, was, "unpopulated") ? " WITH NO DATA" : "");
    if (changed(r, was, now, "server") || changed(r, was, now, "foreign options"))
        (void)rebuild(r, now);
}

/* ---- constraints, indexes, triggers, rules, policies ---- */

/* The definition without what ALTER CONSTRAINT can change. */
static const char *without_timing(struct arena *a, const char *definition)
{
    const char *at = strstr(definition, " DEFERRABLE");
    return at ? arena_strndup(a, definition, (size_t)(at - definition)) : definition;
}

static void alter_constraint(struct run *r, const struct object *was, const struct object *now)
{
    const char *x = object_text_or(r, was, "definition", ""),
               *y = object_text_or(r, now, "definition", "");
    if (!changed(r, was, now, "definition") && !changed(r, was, now, "valid"))
        return;
    if (object_bool(r, was, "valid") && !object_bool(r, now, "valid")) {
        (void)attempt(r, was, "ALTER %s %s VALIDATE CONSTRAINT %s",
                      object_bool(r, was, "domain") ? "DOMAIN" : "TABLE", was->parent, was->name);
        return;
    }
    if (streq(object_text(r, was, "type"), "f") &&
        streq(without_timing(r->a, x), without_timing(r->a, y))) {
        const char *timing = strstr(x, " DEFERRABLE");
        if (attempt(r, was, "ALTER TABLE %s ALTER CONSTRAINT %s%s", was->parent, was->name,
                    timing ? timing : " NOT DEFERRABLE"))
            return;
    }
    if (!object_bool(r, now, "of parent"))
        (void)rebuild(r, now);
}

static void restore_index_statistics(struct run *r, const struct object *was,
                                     const struct object *now)
{
    json_t *x = json_object_get(object_json(r, was), "statistics");
    json_t *y = json_object_get(object_json(r, now), "statistics");
    const char *column;
    json_t *value;
    json_object_foreach (x, column, value)
        if (!json_equal(value, json_object_get(y, column)))
            (void)attempt(r, was, "ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %lld",
                          was->identity, column, (long long)json_integer_value(value));
    json_object_foreach (y, column, value)
        if (!json_object_get(x, column))
            (void)attempt(r, was, "ALTER INDEX %s ALTER COLUMN %s SET STATISTICS -1", was->identity,
                          column);
}

static void alter_index(struct run *r, const struct object *was, const struct object *now)
{
    const char *words = arena_printf(r->a, "ALTER INDEX %s", was->identity);
    const char *table = object_text_or(r, was, "table", "");
    if (changed(r, was, now, "options")) {
        restore_options(r, was, now, "options", words);
        return; /* the definition is looked at again without them */
    }
    if (changed(r, was, now, "definition")) {
        (void)rebuild(r, now);
        return;
    }
    if (changed(r, was, now, "statistics"))
        restore_index_statistics(r, was, now);
    if (changed(r, was, now, "tablespace"))
        (void)attempt(r, was, "%s SET TABLESPACE %s", words,
                      object_text_or(r, was, "tablespace", "pg_default"));
    if (changed(r, was, now, "clustered"))
        (void)(object_bool(r, was, "clustered")
                   ? attempt(r, was, "ALTER TABLE %s CLUSTER ON %s", table, was->name)
                   : attempt(r, was, "ALTER TABLE %s SET WITHOUT CLUSTER", table));
    if (changed(r, was, now, "replica identity") && object_bool(r, was, "replica identity"))
        (void)attempt(r, was, "ALTER TABLE %s REPLICA IDENTITY USING INDEX %s", table, was->name);
    if (changed(r, was, now, "parent") && object_text(r, was, "parent"))
        (void)attempt(r, was, "ALTER INDEX %s ATTACH PARTITION %s", object_text(r, was, "parent"),
                      was->identity);
    if (changed(r, was, now, "valid") && object_bool(r, was, "valid"))
        (void)attempt(r, was, "REINDEX INDEX %s", was->identity);
}

static void restore_enabled(struct run *r, const struct object *was)
{
    const char *how = object_text_or(r, was, "enabled", "O");
    const char *word = streq(how, "D")   ? "DISABLE"
                       : streq(how, "R") ? "ENABLE REPLICA"
                       : streq(how, "A") ? "ENABLE ALWAYS"
                                         : "ENABLE";
    if (object_is(was, "event trigger")) {
        const char *behind = streq(how, "R") ? " REPLICA" : streq(how, "A") ? " ALWAYS" : "";
        (void)attempt(r, was, "ALTER EVENT TRIGGER %s %s%s", was->identity,
                      streq(how, "D") ? "DISABLE" : "ENABLE", behind);
        return;
    }
    (void)attempt(r, was, "ALTER TABLE %s %s %s %s", was->parent, word,
                  object_is(was, "rule") ? "RULE" : "TRIGGER", was->name);
}

static void alter_trigger(struct run *r, const struct object *was, const struct object *now)
{
    if (changed(r, was, now, "definition") || changed(r, was, now, "event") ||
        changed(r, was, now, "function") || changed(r, was, now, "tags")) {
        if (!object_bool(r, now, "of parent"))
            (void)rebuild(r, now);
        return;
    }
    if (changed(r, was, now, "enabled"))
        restore_enabled(r, was);
}

static void alter_policy(struct run *r, const struct object *was, const struct object *now)
{
    bool loses = (object_text(r, now, "using") && !object_text(r, was, "using")) ||
                 (object_text(r, now, "check") && !object_text(r, was, "check"));
    if (changed(r, was, now, "command") || changed(r, was, now, "permissive") || loses) {
        (void)rebuild(r, now);
        return;
    }
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4 * MIB);
    if (changed(r, was, now, "roles")) {
        const json_t *roles = json_object_get(object_json(r, was), "roles");
        for (size_t i = 0; i < json_array_size(roles); i++)
            (void)strbuf_printf(&b, "%s%s", i ? ", " : " TO ",
                                json_string_value(json_array_get(roles, i)));
    }
    if (changed(r, was, now, "using"))
        (void)strbuf_printf(&b, " USING (%s)", object_text(r, was, "using"));
    if (changed(r, was, now, "check"))
        (void)strbuf_printf(&b, " WITH CHECK (%s)", object_text(r, was, "check"));
    if (b.n)
        (void)attempt(r, was, "ALTER POLICY %s ON %s%s", was->name, was->parent, strbuf_text(&b));
}

// clang-format off
static const struct {
    const char *kind;
    void (*alter)(struct run *r, const struct object *was, const struct object *now);
} alterers[] = {
    { "relation", alter_relation }, { "column",  alter_column  }, { "constraint",    alter_constraint },
    { "index",    alter_index    }, { "trigger", alter_trigger }, { "rule",          alter_trigger    },
    { "policy",   alter_policy   }, { "event trigger", alter_trigger },
};
// clang-format on

void alter_object(struct run *r, const struct object *was, const struct object *now)
{
    if (changed(r, was, now, "owner") &&
        !(object_is(was, "sequence") && object_text(r, was, "owned by"))) {
        restore_owner(r, was);
        return; /* the grantors change with it */
    }
    bool is_known = false;
    for (size_t i = 0; i < sizeof alterers / sizeof alterers[0]; i++)
        if (object_is(was, alterers[i].kind)) {
            is_known = true;
            alterers[i].alter(r, was, now);
        }
    if (!is_known)
        alter_other(r, was, now);
    if (changed(r, was, now, "acl") && !object_is(was, "default privileges") &&
        !changed(r, was, now, "owner"))
        grants_restore(r, was, now);
    if (changed(r, was, now, "comment"))
        restore_comment(r, was);
}

bool alters_all(struct run *r)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    const struct object **list = ARENA_ARRAY(scratch, const struct object *, r->was->n + 1);
    size_t n = 0, before = r->actions.n;
    for (size_t i = 0; i < r->was->n; i++) {
        const struct object *was = &r->was->v[i], *now = was->twin;
        if (now && streq(was->identity, now->identity) && !object_same(r, was, now))
            list[n++] = was;
    }
    objects_sort(list, n, false);
    for (size_t i = 0; i < n; i++)
        alter_object(r, list[i], list[i]->twin);
    return r->actions.n > before;
}
