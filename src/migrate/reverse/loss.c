/*
 * What the way back loses, found by comparing the schema before the migration with the one after it.
 *
 *   A   nothing
 *   B   rows and values written through what the migration made
 *   C   what the migration removed: the shape comes back without its contents
 *   D   something that cannot be taken back stays as it is
 */
#include "migrate/reverse/inside.h"
#include "migrate/sql/tree.h"

#include <stdlib.h>

void loss_raise(struct loss *l, char class)
{
    if (class > l->class)
        l->class = class;
}

static void deletes(struct run *r, struct loss *l, const char *what)
{
    loss_raise(l, 'B');
    *vec_add(&l->deleted, r->a) = what;
}

static void empties(struct run *r, struct loss *l, const char *what)
{
    loss_raise(l, 'C');
    *vec_add(&l->emptied, r->a) = what;
}

static const struct object *same_table(const struct world *w, const struct object *column)
{
    const struct object *t = world_parent(w, column);
    return t ? t->twin : NULL;
}

/* ---- gone, new ---- */

/* A sequence that was dropped while the column it counts for stayed, or that counts for none. */
static bool outlives_owner(struct run *r, const struct world *was, const struct object *sequence)
{
    const char *owner = object_text(r, sequence, "owned by");
    const struct object *c = owner ? world_find(was, "column", owner) : NULL;
    return !owner || (c && c->twin && !is_another(r, c, c->twin));
}

static bool extension_holds(const struct run *r, const char *name)
{
    for (size_t i = 0; i < r->extensions.n; i++)
        if (streq(r->extensions.v[i], name))
            return true;
    return false;
}

static void find_gone(struct run *r, const struct world *was, const struct object *o,
                      struct loss *l)
{
    char kind = object_relkind(r, o);
    if (set_aside(r, o->key.oid)) {
        return; /* moved out of sight, with its rows */
    }
    if (kind == 'r' || kind == 'p') {
        empties(r, l, arena_printf(r->a, "table %s", o->identity));
    } else if (object_is(o, "column") && holds_data(r, was, o)) {
        const struct object *t = same_table(was, o);
        if (t && !is_another(r, world_parent(was, o), t) && !object_text(r, o, "generated"))
            empties(r, l, arena_printf(r->a, "column %s", o->identity));
    } else if (object_is(o, "sequence") && outlives_owner(r, was, o)) {
        if (object_bool(r, o, "identity"))
            *vec_add(&l->notes, r->a) =
                arena_printf(r->a, "Sequence %s goes on after the largest number in %s.",
                             o->identity, object_text(r, o, "owned by"));
        else
            empties(r, l, arena_printf(r->a, "sequence %s", o->identity));
    } else if (object_is(o, "extension") && extension_holds(r, o->identity)) {
        empties(r, l, arena_printf(r->a, "extension %s", o->identity));
    }
}

static void find_new(struct run *r, const struct world *after, const struct object *o,
                     struct loss *l)
{
    char kind = object_relkind(r, o);
    if (kind == 'r' || kind == 'p') {
        deletes(r, l, arena_printf(r->a, "table %s", o->identity));
    } else if (object_is(o, "column") && holds_data(r, after, o)) {
        const struct object *t = same_table(after, o);
        if (t && !is_another(r, t, world_parent(after, o)) && !object_text(r, o, "generated"))
            deletes(r, l, arena_printf(r->a, "column %s", o->identity));
    } else if (object_is(o, "extension") && extension_holds(r, o->identity)) {
        deletes(r, l, arena_printf(r->a, "extension %s", o->identity));
    }
}

/* ---- types ---- */

static const char *base_of(struct run *r, const char *type, long *ret_size, long *ret_scale)
{
    const char *open = strchr(type, '(');
    *ret_size = *ret_scale = -1;
    if (!open)
        return type;
    char *end;
    *ret_size = strtol(open + 1, &end, 10);
    if (*end == ',')
        *ret_scale = strtol(end + 1, &end, 10);
    const char *behind = strchr(open, ')');
    return arena_printf(r->a, "%.*s%s", (int)(open - type), type, behind ? behind + 1 : "");
}

static int rank_of(const char *type, const char *const *ladder)
{
    for (int i = 0; ladder[i]; i++)
        if (streq(ladder[i], type))
            return i;
    return -1;
}

/* A type that was given another name or schema is still the same. */
static bool is_renamed(struct run *r, const char *from, const char *to)
{
    size_t n = strcspn(from, "[(");
    const struct object *t = world_find(r->was, "type", arena_strndup(r->a, from, n));
    return t && t->twin && !is_another(r, t, t->twin) &&
           streq(arena_printf(r->a, "%s%s", t->twin->identity, from + n), to);
}

/* What a domain is made of; any other type is itself. */
static const char *beneath(struct run *r, const struct world *w, const char *type)
{
    const struct object *t = world_find(w, "type", type);
    return t ? object_text_or(r, t, "base", type) : type;
}

/* Every value of `from` has its own place in `to`. */
static bool is_wider(struct run *r, const char *from, const char *to)
{
    static const char *const whole[] = { "smallint", "integer", "bigint", "numeric", NULL };
    static const char *const inexact[] = { "real", "double precision", NULL };
    static const char *const moments[] = { "date", "timestamp without time zone", NULL };
    static const char *const texts[] = { "character varying", "text", NULL };
    static const char *const bits[] = { "bit", "bit varying", NULL };
    long n, m, s, t;
    const char *x = base_of(r, from, &n, &s), *y = base_of(r, to, &m, &t);
    if (streq(x, y)) {
        if (streq(x, "numeric"))
            return m < 0 || (n >= 0 && m - (t > 0 ? t : 0) >= n - (s > 0 ? s : 0) && t >= s);
        return m < 0 || (n >= 0 && m >= n);
    }
    if (rank_of(x, whole) >= 0 && rank_of(y, whole) > rank_of(x, whole))
        return m < 0 || m - (t > 0 ? t : 0) >= 19;
    if (rank_of(x, inexact) >= 0 && rank_of(y, inexact) > rank_of(x, inexact))
        return true;
    if (rank_of(x, moments) >= 0 && rank_of(y, moments) > rank_of(x, moments))
        return true;
    if (strstr(x, "time zone") && strstr(y, "time zone") && n == m)
        return starts_with(x, "timestamp") && starts_with(y, "timestamp");
    if (rank_of(x, texts) >= 0 && rank_of(y, texts) >= 0)
        return m < 0 || (n >= 0 && m >= n);
    if (rank_of(x, bits) >= 0 && rank_of(y, bits) > rank_of(x, bits))
        return m < 0 || (n >= 0 && m >= n);
    return streq(y, "text") && (streq(x, "uuid") || streq(x, "boolean") || streq(x, "inet") ||
                                streq(x, "integer") || streq(x, "bigint") || streq(x, "date") ||
                                streq(x, "name") || world_find(r->was, "type", x));
}

/* USING with more than a cast of the column itself. */
static bool is_computed(const struct run *r, const char *column)
{
    for (size_t i = 0; r->script && i < r->script->n; i++) {
        const PgQuery__Node *tree = r->script->statements[i].tree;
        for (size_t k = 0; tree && k < tree_command_count(tree); k++) {
            const PgQuery__AlterTableCmd *c = tree_command(tree, k);
            const PgQuery__ColumnDef *def = c->def ? tree_column(c->def) : NULL;
            if (c->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType || !def ||
                !def->raw_default || !streq(c->name, column))
                continue;
            const PgQuery__Node *value = def->raw_default;
            while (value && value->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
                value = value->type_cast->arg;
            if (!value || value->node_case != PG_QUERY__NODE__NODE_COLUMN_REF)
                return true;
        }
    }
    return false;
}

static const char *range_check(struct run *r, const char *type, const char *column)
{
    long n, s;
    const char *base = base_of(r, type, &n, &s);
    if (streq(base, "smallint"))
        return arena_printf(r->a, "%s NOT BETWEEN -32768 AND 32767", column);
    if (streq(base, "integer"))
        return arena_printf(r->a, "%s NOT BETWEEN -2147483648 AND 2147483647", column);
    if (streq(base, "bigint"))
        return arena_printf(r->a, "%s NOT BETWEEN -9223372036854775808 AND 9223372036854775807",
                            column);
    if (streq(base, "character varying") && n > 0)
        return arena_printf(r->a, "length(%s::text) > %ld", column, n);
    if (streq(base, "numeric") && n > 0)
        return arena_printf(r->a, "abs(%s) >= 10::numeric ^ %ld OR %s <> round(%s, %ld)", column,
                            n - (s > 0 ? s : 0), column, column, s > 0 ? s : 0);
    return NULL;
}

static void check(struct run *r, struct loss *l, const char *table, const char *where,
                  const char *sentence)
{
    *vec_add(&l->checks, r->a) =
        arena_printf(r->a, "%s\nSELECT count(*) FROM %s WHERE %s", sentence, table, where);
}

static void find_column_change(struct run *r, const struct world *after, const struct object *x,
                               const struct object *y, struct loss *l)
{
    const char *from = object_text_or(r, x, "type", ""), *to = object_text_or(r, y, "type", "");
    if (!streq(from, to) && !object_text(r, x, "generated") && !is_renamed(r, from, to)) {
        if (!is_wider(r, beneath(r, r->was, from), beneath(r, after, to)) ||
            is_computed(r, x->name)) {
            empties(r, l,
                    arena_printf(r->a, "the values of column %s as they were in type %s",
                                 x->identity, from));
        } else {
            const char *where = range_check(r, from, y->name);
            if (where)
                check(r, l, y->parent, where,
                      arena_printf(r->a, "fails if a value written since does not fit %s:", from));
            *vec_add(&l->notes, r->a) = arena_printf(
                r->a, "%s goes back to %s; every value from before fits.", x->identity, from);
        }
    }
    if (object_bool(r, x, "not null") && !object_bool(r, y, "not null"))
        check(r, l, y->parent, arena_printf(r->a, "%s IS NULL", y->name),
              "fails if a row written since has no value:");
    if (object_text(r, x, "generated") && !object_text(r, y, "generated"))
        deletes(r, l,
                arena_printf(r->a, "what was written into column %s, which is computed again",
                             y->identity));
}

/* ---- labels ---- */

static bool has_label(const json_t *list, const json_t *label)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), label))
            return true;
    return false;
}

/* The type was made anew, so the old one can come back, if no row uses what it does not have. */
static void check_label(struct run *r, const struct world *after, const struct object *type,
                        const char *label, struct loss *l)
{
    for (size_t i = 0; i < after->n; i++) {
        const struct object *c = &after->v[i];
        if (object_is(c, "column") && c->twin && holds_data(r, after, c) &&
            streq(object_text(r, c, "type"), type->identity))
            check(r, l, c->parent, arena_printf(r->a, "%s = %s", c->name, quoted_text(r->a, label)),
                  arena_printf(r->a, "fails if a row uses '%s', which the old %s does not have:",
                               label, type->identity));
    }
}

static void find_labels(struct run *r, const struct world *after, const struct object *x,
                        const struct object *y, struct loss *l)
{
    const json_t *old = json_object_get(object_json(r, x), "labels");
    const json_t *new = json_object_get(object_json(r, y), "labels");
    for (size_t i = 0; json_array_size(new) > json_array_size(old) && i < json_array_size(new);
         i++) {
        const json_t *label = json_array_get(new, i);
        if (has_label(old, label))
            continue;
        if (is_another(r, x, y)) {
            check_label(r, after, y, json_string_value(label), l);
            continue;
        }
        loss_raise(l, 'D');
        *vec_add(&l->leaves, r->a) =
            arena_printf(r->a, "enum %s %s", x->identity, json_string_value(label));
        *vec_add(&l->stays, r->a) =
            arena_printf(r->a,
                         "label '%s' of enum %s stays, because no statement removes one; "
                         "code that does not use it does not notice",
                         json_string_value(label), x->identity);
    }
}

/* ---- attributes ---- */

static bool has_attribute(const json_t *list, const json_t *like)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (streq(json_text_or(json_array_get(list, i), "name", NULL),
                  json_text_or(like, "name", "")))
            return true;
    return false;
}

/* Values of a composite type lose an attribute with it. As many as before: one was renamed. */
static void find_attributes(struct run *r, const struct object *x, const struct object *y,
                            struct loss *l)
{
    const json_t *old = json_object_get(object_json(r, x), "attributes");
    const json_t *new = json_object_get(object_json(r, y), "attributes");
    if (json_array_size(old) == json_array_size(new))
        return;
    for (size_t i = 0; i < json_array_size(old); i++)
        if (!has_attribute(new, json_array_get(old, i)))
            empties(r, l,
                    arena_printf(r->a, "attribute %s of type %s",
                                 json_text_or(json_array_get(old, i), "name", ""), x->identity));
    for (size_t i = 0; i < json_array_size(new); i++)
        if (!has_attribute(old, json_array_get(new, i)))
            deletes(r, l,
                    arena_printf(r->a, "attribute %s of type %s",
                                 json_text_or(json_array_get(new, i), "name", ""), y->identity));
}

/* ---- constraints ---- */

static void find_lost_constraint(struct run *r, const struct world *was, const struct object *o,
                                 struct loss *l)
{
    const struct object *t = world_parent(was, o);
    const char *text = object_text_or(r, o, "definition", "");
    if (!t || !t->twin || !object_is(t, "relation") || !object_bool(r, o, "valid"))
        return;
    size_t n = strlen(text);
    if (starts_with(text, "CHECK (") && text[n - 1] == ')')
        check(r, l, t->twin->identity, arena_printf(r->a, "NOT %.*s", (int)(n - 6), text + 6),
              arena_printf(r->a, "fails if a row written since breaks %s:", o->name));
    else
        *vec_add(&l->notes, r->a) = arena_printf(
            r->a, "Constraint %s of %s comes back only if the rows written since satisfy it.",
            o->name, o->parent);
}

void loss_find(struct run *r, struct world *was, struct world *after, struct loss *l)
{
    world_match(r, was, after);
    for (size_t i = 0; i < was->n; i++) {
        const struct object *x = &was->v[i], *y = x->twin;
        bool is_other = y && holds_data(r, after, y) && is_another(r, x, y);
        if (!y || is_other)
            find_gone(r, was, x, l);
        if (!y && object_is(x, "constraint"))
            find_lost_constraint(r, was, x, l);
        if (!y || streq(x->what, y->what))
            continue;
        if (object_is(x, "column") && !is_other && holds_data(r, was, x))
            find_column_change(r, after, x, y, l);
        if (object_is(x, "type")) {
            find_labels(r, after, x, y, l);
            find_attributes(r, x, y, l);
        }
    }
    for (size_t i = 0; i < after->n; i++) {
        const struct object *y = &after->v[i];
        if (!y->twin || (holds_data(r, after, y) && is_another(r, y->twin, y)))
            find_new(r, after, y, l);
    }
}
