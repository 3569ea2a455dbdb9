/*
 * Taking away: what the migration made, and for a while what stands in the way of a change.
 *
 * RULE     Never CASCADE. What depends on something is looked up by trying a CASCADE under a
 *          savepoint that is rolled back; then each of them is dropped by name, so that the script
 *          says all that goes. Tables, columns and sequences that were there before never go this
 *          way.
 */
#include "base/cleanup.h"
#include "migrate/reverse/inside.h"

// clang-format off
static const struct { char kind; const char *word; } relation_words[] = {
    { 'r', "TABLE" }, { 'p', "TABLE" }, { 'v', "VIEW" }, { 'm', "MATERIALIZED VIEW" }, { 'f', "FOREIGN TABLE" },
};
// clang-format on

const char *relation_word(struct run *r, const struct object *o)
{
    char kind = object_relkind(r, o);
    for (size_t i = 0; i < sizeof relation_words / sizeof relation_words[0]; i++)
        if (relation_words[i].kind == kind)
            return relation_words[i].word;
    return "TABLE";
}

const char *routine_word(struct run *r, const struct object *o)
{
    char kind = object_text_or(r, o, "kind", "f")[0];
    return kind == 'p' ? "PROCEDURE" : kind == 'a' ? "ROUTINE" : "FUNCTION";
}

const char *phrase(struct run *r, const struct object *o)
{
    if (object_is(o, "relation"))
        return arena_printf(r->a, "%s %s", relation_word(r, o), o->identity);
    if (object_is(o, "function"))
        return arena_printf(r->a, "%s %s", routine_word(r, o), o->identity);
    if (object_is(o, "type"))
        return arena_printf(r->a, "%s %s",
                            streq(object_text(r, o, "kind"), "d") ? "DOMAIN" : "TYPE", o->identity);
    if (object_is(o, "constraint"))
        return arena_printf(r->a, "CONSTRAINT %s ON %s%s", o->name,
                            object_bool(r, o, "domain") ? "DOMAIN " : "", o->parent);
    if (object_is(o, "trigger") || object_is(o, "rule") || object_is(o, "policy"))
        return arena_printf(r->a, "%s %s ON %s",
                            object_is(o, "trigger") ? "TRIGGER"
                            : object_is(o, "rule")  ? "RULE"
                                                    : "POLICY",
                            o->name, o->parent);
    if (strncmp(o->kind, "other ", 6) == 0)
        return o->identity;
    char *word = arena_strdup(r->a, o->kind);
    for (char *p = word; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    return arena_printf(r->a, "%s %s", word, o->identity);
}

const char *drop_text(struct run *r, const struct object *o)
{
    if (object_is(o, "column")) {
        const struct object *t = world_parent(r->now, o);
        char kind = object_relkind(r, t);
        if (kind == 'v' || kind == 'm')
            return NULL;
        return arena_printf(r->a, "ALTER %s %s DROP COLUMN %s", t ? relation_word(r, t) : "TABLE",
                            o->parent, o->name);
    }
    if (object_is(o, "constraint"))
        return arena_printf(r->a, "ALTER %s %s DROP CONSTRAINT %s",
                            object_bool(r, o, "domain") ? "DOMAIN" : "TABLE", o->parent, o->name);
    if (object_is(o, "index") && object_text(r, o, "constraint"))
        return NULL;
    if (object_is(o, "sequence") && object_bool(r, o, "identity"))
        return NULL;
    if (object_is(o, "extension need"))
        return arena_printf(r->a, "ALTER %s NO DEPENDS ON EXTENSION %s",
                            object_text(r, o, "object"), object_text(r, o, "extension"));
    if (object_is(o, "default privileges"))
        return NULL;
    return arena_printf(r->a, "DROP %s", phrase(r, o));
}

/* ---- what the migration made ---- */

/* It goes when something else goes, or cannot go by itself. */
static bool goes_along(struct run *r, const struct object *o)
{
    const struct object *parent = world_parent(r->now, o);
    if (parent && !parent->twin)
        return true;
    if (object_bool(r, o, "of parent") || object_text(r, o, "parent"))
        return true;
    if (object_int(r, o, "inherited") > 0 && !object_bool(r, o, "local"))
        return true;
    if (object_is(o, "index") || object_is(o, "statistics")) {
        const char *table = object_text(r, o, "table");
        const struct object *t = table ? world_find(r->now, "relation", table) : NULL;
        return t && !t->twin;
    }
    const char *owner = object_is(o, "sequence") ? object_text(r, o, "owned by") : NULL;
    const struct object *column = owner ? world_find(r->now, "column", owner) : NULL;
    return column && !column->twin;
}

/* What is lost with it, for people. */
static const char *what_goes(struct run *r, const struct object *o)
{
    char kind = object_relkind(r, o);
    if (kind == 'r' || kind == 'p')
        return "Its rows go with it.";
    if (object_is(o, "column") && holds_data(r, r->now, o) && !object_text(r, o, "generated"))
        return "Its values go with it.";
    return NULL;
}

/* Tries all of them, again and again while one of them goes. */
static bool drop_list(struct run *r, const struct object **list, size_t n)
{
    bool is_done = false;
    objects_sort(list, n, true);
    for (bool is_moving = true; is_moving;) {
        is_moving = false;
        for (size_t i = 0; i < n; i++) {
            const char *text = list[i] ? drop_text(r, list[i]) : NULL;
            if (!text)
                continue;
            bool is_gentle =
                object_is(list[i], "index") && index_was_concurrent(r, list[i], "CREATE");
            const char *written =
                arena_printf(r->a, "DROP INDEX CONCURRENTLY %s", list[i]->identity);
            if (is_gentle ? !attempt_as(r, list[i], text, written)
                          : !attempt_with(r, list[i], what_goes(r, list[i]), text))
                continue;
            list[i] = NULL;
            is_moving = is_done = true;
        }
    }
    return is_done;
}

bool drops_all(struct run *r)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    const struct object **list = ARENA_ARRAY(scratch, const struct object *, r->now->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < r->now->n; i++) {
        const struct object *o = &r->now->v[i];
        if (o->twin)
            continue;
        if (object_is(o, "default privileges"))
            default_privileges_restore(r, NULL, o);
        else if (r->level >= 1 || !goes_along(r, o))
            list[n++] = o;
    }
    return drop_list(r, list, n);
}

/* ---- what stands in the way ---- */

/* What a CASCADE would take, as objects of `now`. False: a table, a column or a sequence is among
 * them, or the statement fails even so. */
static bool find_taken(struct run *r, struct arena *scratch, const char *cascade,
                       const struct object *but, const struct object ***ret, size_t *ret_n)
{
    struct err e = { 0 };
    struct world without;
    if (!pg_exec(r->db, "SAVEPOINT lockflight_look", PG_NONE, NULL, &e))
        return false;
    bool ok = pg_run(r->db, cascade, NULL, &e) && world_read(r, scratch, &without, &e);
    struct err ignored;
    (void)!pg_exec(r->db, "ROLLBACK TO lockflight_look", PG_NONE, NULL, &ignored);
    if (!ok)
        return false;
    const struct object **list = ARENA_ARRAY(scratch, const struct object *, r->now->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < r->now->n; i++) {
        const struct object *o = &r->now->v[i];
        if (o == but || world_find(&without, o->kind, o->identity))
            continue;
        char kind = object_relkind(r, o);
        if (kind == 'r' || kind == 'p' || kind == 'f' || object_is(o, "sequence"))
            return false;
        if (object_is(o, "column")) {
            const struct object *t = world_parent(r->now, o);
            char of = object_relkind(r, t);
            if (of != 'v' && of != 'm' && !object_text(r, o, "generated"))
                return false;
        }
        list[n++] = o;
    }
    *ret = list;
    *ret_n = n;
    return true;
}

/* A default that would go with a function or sequence is taken off first. */
static void drop_defaults(struct run *r, const char *cascade)
{
    struct err e = { 0 };
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    struct world without;
    if (!pg_exec(r->db, "SAVEPOINT lockflight_look", PG_NONE, NULL, &e))
        return;
    bool ok = pg_run(r->db, cascade, NULL, &e) && world_read(r, scratch, &without, &e);
    (void)!pg_exec(r->db, "ROLLBACK TO lockflight_look", PG_NONE, NULL, &e);
    for (size_t i = 0; ok && i < r->now->n; i++) {
        const struct object *o = &r->now->v[i];
        const struct object *left = world_find(&without, o->kind, o->identity);
        if (object_is(o, "column") && left && object_text(r, o, "default") &&
            !object_text(r, left, "default"))
            (void)attempt(r, o, "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", o->parent, o->name);
    }
}

static bool is_inside(const struct object *o, const struct object *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (o->parent && object_is(list[i], "relation") && streq(o->parent, list[i]->identity))
            return true;
    return false;
}

static bool drop_taken(struct run *r, const char *cascade, const struct object *but,
                       bool only_readers)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    const struct object **taken = NULL;
    size_t n = 0, kept = 0;
    if (!find_taken(r, scratch, cascade, but, &taken, &n))
        return false;
    const struct object **list = ARENA_ARRAY(scratch, const struct object *, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct object *o = taken[i];
        bool is_reader = object_is(o, "relation") || object_is(o, "rule") ||
                         object_is(o, "policy") || object_is(o, "trigger") ||
                         object_is(o, "function") ||
                         (object_is(o, "column") && object_text(r, o, "generated"));
        if (is_inside(o, taken, n) || (but && o->parent && streq(o->parent, but->identity)) ||
            (only_readers && !is_reader))
            continue;
        list[kept++] = o;
    }
    return drop_list(r, list, kept);
}

bool rebuild(struct run *r, const struct object *now)
{
    const char *text = drop_text(r, now);
    if (!text)
        return false;
    if (attempt(r, now, "%s", text))
        return true;
    const char *cascade = arena_printf(r->a, "%s CASCADE", text);
    (void)drop_taken(r, cascade, now, false);
    if (attempt(r, now, "%s", text))
        return true;
    drop_defaults(r, cascade);
    return attempt(r, now, "%s", text);
}

bool rebuild_users_of_column(struct run *r, const struct object *column)
{
    const char *text = drop_text(r, column);
    return text && drop_taken(r, arena_printf(r->a, "%s CASCADE", text), column, true);
}
