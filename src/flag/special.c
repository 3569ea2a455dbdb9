/*
 * Forms that are made simpler when a rule is compiled: see compile_inside.h.
 */
#include "flag/compile_inside.h"
#include "flag/json_text.h"
#include "flag/paths.h"
#include "flag/run.h"
#include "flag/version.h"

/* ---- Variables ------------------------------------------------------------------------------- */

/* How a path was written decides what it does half-way: see struct path. */
enum writing {
    WRITTEN_WHOLE, /* one name, points and all */
    WRITTEN_ALONE,
    WRITTEN_WITH_DEFAULT,
};

static struct path *make_path(struct compiler *c, struct str text, enum writing writing)
{
    struct path *p = ARENA_NEW(c->arena, struct path);
    bool whole = writing == WRITTEN_WHOLE;
    p->parts = ARENA_ARRAY(c->arena, struct path_part, whole ? 1 : path_count(text));
    char *names = arena_alloc(c->arena, text.n + 1);
    size_t at = 0;
    size_t n = text.n;
    if (whole)
        memcpy(names, text.p, text.n);
    while (whole ? p->n == 0 : path_next(text, &at, names, &n)) {
        struct path_part *part = &p->parts[p->n++];
        part->name = (struct str){ names, n };
        part->is_index = json_name_is_index(part->name, &part->index);
        names += n;
    }
    p->is_lenient = writing == WRITTEN_ALONE && (p->n == 2 || p->n == 3);
    p->slot = PATH_NO_SLOT;
    return p;
}

/* The same path is one path, while there is a slot for it. */
static const struct path *path_of(struct compiler *c, struct str text, enum writing writing)
{
    struct path *made = make_path(c, text, writing);
    if (made->n && str_is(made->parts[0].name, "$flagd")) /* not of the context alone */
        return made;
    for (uint32_t i = 0; i < c->path_count; i++)
        if (str_eq(c->path_texts[i], text) && c->paths[i]->n == made->n &&
            c->paths[i]->is_lenient == made->is_lenient)
            return c->paths[i];
    if (c->path_count < FLAG_CONTEXT_SLOTS) {
        made->slot = c->path_count;
        c->paths[c->path_count] = made;
        c->path_texts[c->path_count++] =
            (struct str){ arena_strndup(c->arena, text.p, text.n), text.n };
    }
    return made;
}

static bool contains(struct value v, const char *what)
{
    return v.kind == VALUE_TEXT && v.n && memmem(v.text, v.n, what, strlen(what));
}

static void become_path(struct compiler *c, struct node *n, enum op op, enum writing writing)
{
    struct flag_context none = flag_context(NULL, 0);
    struct run r = run_begin(&none, STR(""));
    struct str text;
    if (!run_text(&r, n->operands[0]->literal, &text)) /* it is worked out anew each time, then */
        return;
    n->op = (uint8_t)op;
    n->path = path_of(c, text, writing);
    n->operands = op == OP_VAR_OR ? &n->operands[1] : NULL;
    n->n = op == OP_VAR_OR;
}

/* A constant list is taken for one name, unless an item of it looks like a path. */
static bool has_separator(struct value key)
{
    for (uint32_t i = 0; value_is_list(key) && i < key.n; i++) {
        struct value item = value_item(key, i);
        if (item.kind == VALUE_TEXT &&
            (str_is(value_str(item), ".") || str_is(value_str(item), "\\")))
            return true;
    }
    return false;
}

void compile_var(struct compiler *c, struct node *n)
{
    bool is_static = n->n > 0 && n->operands[0]->op == OP_LITERAL;
    struct value key = is_static ? n->operands[0]->literal : value_of_kind(VALUE_UNKNOWN);
    n->is_pure[0] = false;
    n->is_pure[1] = !contains(key, "../../");
    bool climbs = key.kind == VALUE_TEXT && str_starts(value_str(key), "../");
    bool named = (key.kind == VALUE_TEXT && key.n && !climbs) || key.kind == VALUE_NUMBER;
    if (n->form == FORM_OPERANDS) {
        if (named && n->n == 2)
            become_path(c, n, OP_VAR_OR, WRITTEN_WITH_DEFAULT);
        return;
    }
    if (!is_static || climbs)
        return;
    if (key.kind == VALUE_TRUE || key.kind == VALUE_EMPTY || has_separator(key)) {
        n->op = OP_RAISE;
        n->why = "var of what is neither a path nor the number of an item";
        n->n = 0;
    } else if (!value_is_true(key) && !value_is_list(key)) {
        n->op = OP_WHOLE;
        n->n = 0;
    } else {
        become_path(c, n, OP_VAR, key.kind == VALUE_TEXT ? WRITTEN_ALONE : WRITTEN_WHOLE);
    }
}

/* ---- Shares ---------------------------------------------------------------------------------- */

void compile_buckets(struct compiler *c, struct node *n)
{
    if (n->form != FORM_OPERANDS || !n->n)
        return;
    const struct node *first = n->operands[0];
    bool has_unit = first->op != OP_LITERAL || first->literal.kind == VALUE_TEXT;
    struct buckets *b = ARENA_NEW(c->arena, struct buckets);
    b->v = ARENA_ARRAY(c->arena, struct bucket, n->n);
    b->has_unit = has_unit;
    double total = 0;
    for (uint32_t i = has_unit; i < n->n; i++) {
        double weight;
        struct value variant;
        if (n->operands[i]->op != OP_LITERAL ||
            !fractional_entry(n->operands[i]->literal, &variant, &weight))
            return;
        total += weight;
        if (total > INT32_MAX)
            return;
        b->v[b->n++] = (struct bucket){ .up_to = (uint32_t)total, .variant = variant };
    }
    b->total = (uint32_t)total;
    b->unit = path_of(c, STR("targetingKey"), WRITTEN_ALONE);
    n->buckets = b;
}

/* ---- Versions -------------------------------------------------------------------------------- */

void compile_version(struct compiler *c, struct node *n)
{
    if (n->form != FORM_OPERANDS || n->n != 3)
        return;
    for (uint32_t i = 1; i < 3; i++)
        if (n->operands[i]->op != OP_LITERAL || n->operands[i]->literal.kind != VALUE_TEXT)
            return;
    struct version_test *test = ARENA_NEW(c->arena, struct version_test);
    if (version_parse(value_str(n->operands[2]->literal), &test->right))
        test->order = version_order_of(value_str(n->operands[1]->literal));
    n->version = test;
}

/* ---- Sums ------------------------------------------------------------------------------------ */

/* Whether a rule is {op:[{"var":…},{"var":…}]} of the accumulator and the current item. */
static bool adds_up(const json_t *rule, const char *op)
{
    const json_t *two = json_object_get(rule, op);
    bool accumulator = false;
    bool current = false;
    if (json_array_size(two) != 2)
        return false;
    for (size_t i = 0; i < 2; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(two, i), "var"));
        accumulator |= streq(name, "accumulator");
        current |= streq(name, "current");
    }
    return accumulator && current;
}

static bool is_false(const json_t *j)
{
    return !j || json_is_null(j) || json_is_false(j) ||
           (json_is_number(j) && json_number_value(j) == 0) ||
           (json_is_string(j) && !json_string_length(j));
}

const struct node *compile_sum(struct compiler *c, const json_t *operands, unsigned depth)
{
    json_t *list = json_array_get(operands, 0);
    const json_t *rule = json_array_get(operands, 1);
    json_t *start = json_array_get(operands, 2);
    if (!rule || json_is_null(rule))
        return failing_node(c, OP_RAISE, NULL, "reduce without a rule");
    const char *op = adds_up(rule, "+") ? "+" : adds_up(rule, "*") ? "*" : NULL;
    if (!op)
        return NULL;
    json_auto_t *neutral = json_integer(*op == '*');
    if (*op == '+' ? is_false(start) : !start)
        start = neutral;
    json_auto_t *sum = json_pack("{s:[{s:O},O]}", op, op, list, start);
    if (!sum)
        memory_exhausted(0);
    return compile_node(c, sum, depth - 1);
}
