/*
 * A catalogue as objects: see inside.h.
 *
 * An object of the old world and one of the new are the same if the server keeps them in the same
 * place, whatever they are called: that is how a rename is told from a drop and an addition. What was
 * made again has a new place; it is known by its name then, and by an alias from there on.
 */
#include "base/cleanup.h"
#include "migrate/reverse/inside.h"

#include <assert.h>
#include <stdlib.h>

/* ---- names ---- */

/* The end of the first part of a.b."c.d"(…): at a dot, a bracket or the end. */
static const char *part_end(const char *p)
{
    bool is_quoted = false;
    for (; *p; p++) {
        if (*p == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && (*p == '.' || *p == '('))
            break;
    }
    return p;
}

static void read_name(struct arena *a, struct object *o)
{
    const char *part[4] = { 0 };
    size_t n = 0;
    const char *p = o->identity, *last;
    o->name = o->identity;
    if (strncmp(o->kind, "other", 5) == 0 || streq(o->kind, "default privileges") ||
        streq(o->kind, "extension need"))
        return;
    for (;;) {
        const char *end = part_end(p);
        if (n < 4)
            part[n++] = arena_strndup(a, p, (size_t)(end - p));
        last = p;
        if (*end == '(' && streq(o->kind, "function"))
            o->args = end;
        if (*end != '.')
            break;
        p = end + 1;
    }
    o->name = part[n - 1];
    if (n > 1)
        o->schema = part[0];
    if (n > 2)
        o->parent = arena_strndup(a, o->identity, (size_t)(last - o->identity) - 1);
}

/* ---- reading ---- */

bool world_read(struct run *r, struct arena *a, struct world *ret, struct err *e)
{
    struct catalogue c;
    if (!catalogue_read(r->db, a, &c, e))
        return false;
    struct object *v = ARENA_ARRAY(a, struct object, c.n + 1);
    for (size_t i = 0; i < c.n; i++) {
        v[i] = (struct object){ .kind = c.objects[i].kind,
                                .identity = c.objects[i].identity,
                                .what = c.objects[i].what,
                                .key = c.objects[i].key };
        read_name(a, &v[i]);
    }
    *ret = (struct world){ v, c.n };
    return true;
}

/* ---- finding ---- */

static int by_name(const struct object *x, const char *kind, const char *identity)
{
    int order = strcmp(x->kind, kind);
    return order ? order : strcmp(x->identity, identity);
}

struct object *world_find(const struct world *w, const char *kind, const char *identity)
{
    size_t low = 0, high = w->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = by_name(&w->v[mid], kind, identity);
        if (order == 0)
            return &w->v[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

struct object *world_parent(const struct world *w, const struct object *o)
{
    if (!o->parent)
        return NULL;
    struct object *found = world_find(w, "relation", o->parent);
    return found ? found : world_find(w, "type", o->parent);
}

/* ---- twins ---- */

static int key_order(struct catalogue_key x, struct catalogue_key y)
{
    if (x.catalogue != y.catalogue)
        return x.catalogue < y.catalogue ? -1 : 1;
    if (x.oid != y.oid)
        return x.oid < y.oid ? -1 : 1;
    return x.column < y.column ? -1 : x.column > y.column;
}

static int by_key(const void *a, const void *b)
{
    const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
    return key_order(x->key, y->key);
}

static struct catalogue_key alias_of(const struct run *r, struct catalogue_key key)
{
    for (size_t i = r->aliases.n; i-- > 0;)
        if (key_order(r->aliases.v[i].was, key) == 0)
            return r->aliases.v[i].now;
    return key;
}

static struct object *find_key(struct object *const *list, size_t n, struct catalogue_key key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = key_order(list[mid]->key, key);
        if (order == 0)
            return list[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static bool is_doomed(const struct run *r, struct catalogue_key key)
{
    for (size_t i = 0; i < r->doomed.n; i++)
        if (key_order(r->doomed.v[i], key) == 0)
            return true;
    return false;
}

static bool is_doomed_or_inside(const struct run *r, const struct world *w, const struct object *o)
{
    const struct object *parent = world_parent(w, o);
    return is_doomed(r, o->key) || (parent && is_doomed(r, parent->key));
}

bool is_another(const struct run *r, const struct object *was, const struct object *now)
{
    return key_order(alias_of(r, was->key), now->key) != 0;
}

bool holds_data(struct run *r, const struct world *w, const struct object *o)
{
    const struct object *of = object_is(o, "column") ? world_parent(w, o) : o;
    char kind = object_relkind(r, of);
    return (of && (kind == 'r' || kind == 'p' || kind == 'f')) || object_is(o, "sequence");
}

static void match_keys(struct run *r, struct world *was, struct world *now, struct arena *scratch)
{
    struct object **list = ARENA_ARRAY(scratch, struct object *, now->n + 1);
    for (size_t i = 0; i < now->n; i++)
        list[i] = &now->v[i];
    if (now->n > 1)
        qsort(list, now->n, sizeof(void *), by_key);
    for (size_t i = 0; i < was->n; i++) {
        struct object *o = find_key(list, now->n, alias_of(r, was->v[i].key));
        if (!o || !streq(o->kind, was->v[i].kind) || is_doomed(r, o->key))
            continue;
        o->twin = &was->v[i];
        was->v[i].twin = o;
    }
}

void world_match(struct run *r, struct world *was, struct world *now)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    for (size_t i = 0; i < was->n; i++)
        was->v[i].twin = NULL;
    for (size_t i = 0; i < now->n; i++)
        now->v[i].twin = NULL;
    match_keys(r, was, now, scratch);
    size_t i = 0, k = 0;
    while (i < was->n && k < now->n) {
        struct object *x = &was->v[i], *y = &now->v[k];
        int order = by_name(x, y->kind, y->identity);
        if (order == 0 && !x->twin && !y->twin && !is_doomed_or_inside(r, now, y)) {
            x->twin = y;
            y->twin = x;
        }
        i += order <= 0;
        k += order >= 0;
    }
}

/* ---- order ---- */

static int oldest_first(const void *a, const void *b)
{
    const struct object *x = *(const struct object *const *)a,
                        *y = *(const struct object *const *)b;
    if (x->key.oid != y->key.oid)
        return x->key.oid < y->key.oid ? -1 : 1;
    return x->key.column < y->key.column ? -1 : x->key.column > y->key.column;
}

static int newest_first(const void *a, const void *b)
{
    return oldest_first(b, a);
}

void objects_sort(const struct object **list, size_t n, bool is_newest_first)
{
    if (n > 1)
        qsort(list, n, sizeof(void *), is_newest_first ? newest_first : oldest_first);
}

/* ---- fields ---- */

bool object_is(const struct object *o, const char *kind)
{
    return streq(o->kind, kind);
}

json_t *object_json(struct run *r, const struct object *o)
{
    if (!o->json) {
        struct object *mine = (struct object *)(uintptr_t)o;
        struct err e;
        mine->json = json_parse(str_of(o->what), o->identity, &e);
        if (!mine->json)
            mine->json = json_object();
        (void)json_array_append_new(r->bag, mine->json);
    }
    return o->json;
}

const char *object_text(struct run *r, const struct object *o, const char *field)
{
    return json_text_or(object_json(r, o), field, NULL);
}

const char *object_text_or(struct run *r, const struct object *o, const char *field,
                           const char *otherwise)
{
    return json_text_or(object_json(r, o), field, otherwise);
}

int64_t object_int(struct run *r, const struct object *o, const char *field)
{
    return json_int_or(object_json(r, o), field, 0);
}

bool object_bool(struct run *r, const struct object *o, const char *field)
{
    return json_bool_or(object_json(r, o), field, false);
}

char object_relkind(struct run *r, const struct object *o)
{
    if (!o)
        return 'r';
    return *(object_is(o, "relation") ? object_text_or(r, o, "kind", "") : "");
}

bool field_same(struct run *r, const struct object *was, const struct object *now,
                const char *field)
{
    const json_t *x = json_object_get(object_json(r, was), field);
    const json_t *y = json_object_get(object_json(r, now), field);
    return x == y || (x && y && json_equal(x, y));
}

/* Every label of the old enum is there, in the old order; others may be between them. */
static bool labels_contain(const json_t *was, const json_t *now)
{
    size_t i = 0, n = json_array_size(was);
    for (size_t k = 0; k < json_array_size(now) && i < n; k++)
        i += json_equal(json_array_get(was, i), json_array_get(now, k)) ? 1 : 0;
    return i == n;
}

bool object_same(struct run *r, const struct object *was, const struct object *now)
{
    if (!streq(was->identity, now->identity))
        return false;
    if (streq(was->what, now->what))
        return true;
    const json_t *x = object_json(r, was), *y = object_json(r, now);
    const char *name;
    json_t *value;
    if (!object_is(was, "type") || is_another(r, was, now) || !json_object_get(x, "labels") ||
        json_object_size(x) != json_object_size(y))
        return false;
    json_object_foreach ((json_t *)(uintptr_t)x, name, value)
        if (!streq(name, "labels") && !json_equal(value, json_object_get(y, name)))
            return false;
    return labels_contain(json_object_get(x, "labels"), json_object_get(y, "labels"));
}
