/*
 * Variables: see paths.h for their names and run.h for looking them up. Only a value's own members
 * are seen, so that no rule reaches "constructor" or the length of a text.
 */
#include "flag/paths.h"

#include "flag/json_text.h"
#include "flag/run.h"

#include <math.h>

/* ---- Names ----------------------------------------------------------------------------------- */

static bool only_points(struct str path)
{
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] != '.')
            return false;
    return true;
}

bool path_next(struct str path, size_t *at, char *part, size_t *ret_n)
{
    size_t i = *at;
    size_t n = 0;
    if (i > path.n || (i == path.n && only_points(path)))
        return false; /* "." is one empty name and not two */
    for (; i < path.n && path.p[i] != '.'; i++) {
        bool escaped = path.p[i] == '\\' && i + 1 < path.n &&
                       (path.p[i + 1] == '.' || path.p[i + 1] == '/' || path.p[i + 1] == '\\');
        i += escaped;
        part[n++] = path.p[i];
    }
    *at = i + 1;
    *ret_n = n;
    return true;
}

size_t path_count(struct str path)
{
    size_t n = 1;
    for (size_t i = 0; i < path.n; i++) {
        n += path.p[i] == '.';
        i += path.p[i] == '\\';
    }
    return n;
}

/* ---- Members --------------------------------------------------------------------------------- */

static struct value json_member(const json_t *object, struct str name)
{
    const json_t *j = json_object_getn(object, name.p, name.n);
    return j ? value_of_json(j) : value_of_kind(VALUE_UNDEFINED);
}

static struct value flagd_member(const struct run *r, struct str name)
{
    if (str_is(name, "flagKey"))
        return value_of_text(r->flag_key);
    if (str_is(name, "timestamp"))
        return value_of_number((double)r->context->now_s);
    return value_of_kind(VALUE_UNDEFINED);
}

static struct value one_of_two(const struct value two[2], struct str name, const char *first,
                               const char *second)
{
    if (str_is(name, first))
        return two[0];
    return str_is(name, second) ? two[1] : value_of_kind(VALUE_UNDEFINED);
}

static struct value member(const struct run *r, struct value of, const struct path_part *part)
{
    switch ((int)of.kind) {
    case VALUE_OBJECT:
        return json_member(of.json, part->name);
    case VALUE_ROOT:
        if (part->name.n == 6 && memcmp(part->name.p, "$flagd", 6) == 0)
            return value_of_kind(VALUE_FLAGD);
        return r->values ? json_member(r->values, part->name) : value_of_kind(VALUE_UNDEFINED);
    case VALUE_LIST:
    case VALUE_JSON_LIST:
        return part->is_index ? value_item(of, part->index) : value_of_kind(VALUE_UNDEFINED);
    case VALUE_FLAGD:
        return flagd_member(r, part->name);
    case VALUE_PAIR:
        return one_of_two(of.two, part->name, "accumulator", "current");
    case VALUE_STEP:
        return one_of_two(of.two, part->name, "iterator", "index");
    default:
        return value_of_kind(VALUE_UNDEFINED);
    }
}

/* JavaScript's own idea, for which every list and object is true. */
static bool is_truthy(struct value v)
{
    return value_is_list(v) || value_is_object(v) || value_is_true(v);
}

struct value run_path(struct run *r, struct value from, const struct path *p)
{
    struct value v = from;
    for (uint32_t i = 0; i < p->n; i++) {
        if (p->is_lenient && !is_truthy(v))
            return v;
        if (value_is_nothing(v))
            return value_of_kind(VALUE_UNDEFINED);
        v = member(r, v, &p->parts[i]);
    }
    return v;
}

struct value run_var(struct run *r, const struct path *p)
{
    if (r->frame)
        return run_path(r, r->frame->item, p);
    if (p->slot == PATH_NO_SLOT || r->root.kind != VALUE_ROOT)
        return run_path(r, r->root, p);
    struct flag_context *c = r->context;
    uint64_t bit = (uint64_t)1 << p->slot;
    if (!(c->known & bit)) {
        c->slots[p->slot] = run_path(r, r->root, p);
        c->known |= bit;
    }
    return c->slots[p->slot];
}

/* ---- Paths that are worked out --------------------------------------------------------------- */

/* Takes the ../ off the front of a key and finds what the rest is relative to. */
static struct value climb(const struct run *r, struct str *key)
{
    const struct frame *f = r->frame;
    struct value from = f ? f->item : r->root;
    enum {
        AT_ITEM,
        AT_ABOVE,
        AT_CONTEXT
    } at = AT_ITEM;
    while (f && key->n >= 3 && memcmp(key->p, "../", 3) == 0) {
        *key = (struct str){ key->p + 3, key->n - 3 };
        if (at == AT_CONTEXT) {
            f = f->outer;
            at = AT_ITEM;
        }
        if (!f)
            return value_of_kind(VALUE_UNDEFINED);
        if (at == AT_ITEM)
            from = f->above;
        else
            from = f->outer ? f->outer->item : r->root;
        at = at == AT_ITEM ? AT_ABOVE : AT_CONTEXT;
    }
    return from;
}

/* UNDEFINED also stands for what could not be followed. False: raised. */
static bool follow(struct run *r, struct value from, struct str key, bool through_false,
                   struct value *ret)
{
    size_t used = r->room_used;
    char *part = run_room(r, key.n + 1);
    if (!part || !run_take(r, key.n / 64))
        return false;
    struct value v = from;
    size_t n;
    for (size_t at = 0; path_next(key, &at, part, &n);) {
        if (value_is_nothing(v) || (!through_false && !is_truthy(v))) {
            v = value_of_kind(VALUE_UNDEFINED);
            break;
        }
        struct path_part p = { .name = { part, n } };
        p.is_index = json_name_is_index(p.name, &p.index);
        v = member(r, v, &p);
    }
    r->room_used = used;
    *ret = v;
    return true;
}

struct value run_var_of(struct run *r, struct value key, struct value otherwise)
{
    struct str text = { "", 0 };
    struct value v = r->frame ? r->frame->item : r->root;
    if (key.kind == VALUE_TEXT) {
        text = value_str(key);
        v = climb(r, &text);
    } else if (!value_is_nothing(key) && !run_text(r, key, &text)) {
        return value_of_kind(VALUE_RAISED);
    }
    bool is_whole = value_is_nothing(key) || (key.kind == VALUE_TEXT && !text.n);
    if (!is_whole && !follow(r, v, text, true, &v))
        return value_of_kind(VALUE_RAISED);
    if (!is_whole && v.kind == VALUE_UNDEFINED)
        v = otherwise;
    return v.kind == VALUE_UNDEFINED ? value_of_kind(VALUE_NULL) : run_kept(r, v);
}

/* ---- missing --------------------------------------------------------------------------------- */

struct value run_missing(struct run *r, struct value keys)
{
    struct value *list = run_room(r, keys.n * sizeof *list);
    uint32_t n = 0;
    struct value from = r->frame ? r->frame->item : r->root;
    if (!list || !run_take(r, keys.n / 8))
        return value_of_kind(VALUE_RAISED);
    for (uint32_t i = 0; i < keys.n; i++) {
        struct value key = value_item(keys, i);
        struct value v;
        struct str text;
        if (!run_text(r, key, &text) || !follow(r, from, text, false, &v))
            return value_of_kind(VALUE_RAISED);
        if (v.kind == VALUE_UNDEFINED && text.n)
            list[n++] = key;
    }
    return (struct value){ .kind = VALUE_LIST, .n = n, .list = list };
}

struct value run_missing_some(struct run *r, struct value need, struct value keys)
{
    if (value_is_nothing(keys))
        return run_raise(r, "missing_some without a list");
    if (keys.kind == VALUE_TEXT && !run_letters(r, value_str(keys), &keys))
        return value_of_kind(VALUE_RAISED);
    if (!value_is_list(keys))
        return (struct value){ .kind = VALUE_LIST, .n = 0, .list = NULL };
    struct value absent = run_missing(r, keys);
    double wanted;
    if (absent.kind == VALUE_RAISED || !run_number(r, need, &wanted))
        return value_of_kind(VALUE_RAISED);
    if (keys.n - absent.n >= wanted)
        absent.n = 0;
    return absent;
}
