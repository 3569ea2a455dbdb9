/*
 * Running a rule: see run.h. Here are control, comparison and the way to the others.
 *
 * COST     Each operator takes a step, each item of a list that an operator has to look at a part of
 *          one, so that no rule and no context runs long.
 */
#include "flag/run.h"

#include <math.h>

#define ITEMS_PER_STEP 64

static _Thread_local _Alignas(16) char thread_room[RUN_ROOM_BYTES];

struct run run_begin(struct flag_context *c, struct str flag_key)
{
    return (struct run){ .context = c,
                         .root = value_of_kind(VALUE_ROOT),
                         .values = json_is_object(c->values) ? c->values : NULL,
                         .flag_key = flag_key,
                         .steps_left = c->steps_left,
                         .room = thread_room };
}

struct value run_raise(struct run *r, const char *why)
{
    if (!r->why)
        r->why = why;
    return value_of_kind(VALUE_RAISED);
}

struct value run_raise_limit(struct run *r, const char *why)
{
    r->is_over_limit = true;
    return run_raise(r, why);
}

static struct value out_of_steps(struct run *r)
{
    r->steps_left = 0;
    return run_raise_limit(r, "more operator steps than a request may take");
}

bool run_take(struct run *r, size_t n)
{
    if (n > r->steps_left) {
        (void)out_of_steps(r);
        return false;
    }
    r->steps_left -= (unsigned)n;
    return true;
}

void *run_room(struct run *r, size_t bytes)
{
    size_t rounded = ((bytes ? bytes : 1) + 15) & ~(size_t)15; /* two empty lists are two */
    if (rounded > RUN_ROOM_BYTES - r->room_used) {
        (void)run_raise_limit(r, "the rule makes more text and lists than there is room for");
        return NULL;
    }
    void *at = r->room + r->room_used;
    r->room_used += rounded;
    return at;
}

static bool is_in_room(const struct run *r, const void *at)
{
    uintptr_t start = (uintptr_t)r->room;
    return (uintptr_t)at >= start && (uintptr_t)at < start + r->room_used;
}

struct value run_kept(struct run *r, struct value v)
{
    if ((v.kind != VALUE_PAIR && v.kind != VALUE_STEP) || is_in_room(r, v.two))
        return v;
    struct value *two = run_room(r, 2 * sizeof *two);
    if (!two)
        return value_of_kind(VALUE_RAISED);
    memcpy(two, v.two, 2 * sizeof *two);
    for (struct frame *f = r->frame; f;
         f = f->outer) { /* whoever asks again gets the same object */
        if (f->item.kind == v.kind && f->item.two == v.two)
            f->item.two = two;
        if (f->above.kind == v.kind && f->above.two == v.two)
            f->above.two = two;
    }
    return (struct value){ .kind = v.kind, .two = two };
}

/* ---- Operands -------------------------------------------------------------------------------- */

// NOLINTNEXTLINE(misc-no-recursion): no deeper than LIMIT_FLAG_RULE_DEPTH, see compile.c
bool run_operands(struct run *r, const struct node *n, struct value small[RUN_OPERANDS],
                  struct value *ret)
{
    if (n->form != FORM_OPERANDS) {
        struct value v = run_node(r, n->operands[0]);
        if (n->form == FORM_SPREAD && !value_is_list(v)) {
            small[0] = v;
            *ret = (struct value){ .kind = VALUE_LIST, .n = 1, .list = small };
        } else {
            *ret = v;
        }
        return v.kind != VALUE_RAISED && run_take(r, value_is_list(v) ? v.n / ITEMS_PER_STEP : 0);
    }
    struct value *all = small;
    if (n->n > RUN_OPERANDS)
        all = run_room(r, n->n * sizeof *all);
    if (!all)
        return false;
    for (uint32_t i = 0; i < n->n; i++) {
        all[i] = run_node(r, n->operands[i]);
        if (all[i].kind == VALUE_RAISED)
            return false;
    }
    *ret = (struct value){ .kind = VALUE_LIST, .n = n->n, .list = all };
    return run_take(r, n->n / ITEMS_PER_STEP);
}

/* A list in a rule with something to work out in it. */
// NOLINTNEXTLINE(misc-no-recursion): as run_operands
static struct value list_of(struct run *r, const struct node *n)
{
    struct value *items = run_room(r, n->n * sizeof *items);
    if (!items || !run_take(r, n->n / ITEMS_PER_STEP))
        return value_of_kind(VALUE_RAISED);
    for (uint32_t i = 0; i < n->n; i++) {
        items[i] = run_node(r, n->operands[i]);
        if (items[i].kind == VALUE_RAISED)
            return items[i];
    }
    return (struct value){ .kind = VALUE_LIST, .n = n->n, .list = items };
}

/* ---- Control --------------------------------------------------------------------------------- */

// NOLINTNEXTLINE(misc-no-recursion): as run_operands
static struct value choose(struct run *r, const struct node *n)
{
    uint32_t i = 0;
    for (; i + 1 < n->n; i += 2) {
        struct value v = run_node(r, n->operands[i]);
        if (v.kind == VALUE_RAISED)
            return v;
        if (value_is_true(v))
            return run_node(r, n->operands[i + 1]);
    }
    return i < n->n ? run_node(r, n->operands[i]) : value_of_kind(VALUE_NULL);
}

/* The first operand that decides, else the last. */
// NOLINTNEXTLINE(misc-no-recursion): as run_operands
static struct value decide(struct run *r, const struct node *n, bool by)
{
    struct value v = value_of_kind(VALUE_NULL);
    for (uint32_t i = 0; i < n->n; i++) {
        v = run_node(r, n->operands[i]);
        if (v.kind == VALUE_RAISED || value_is_true(v) == by)
            return v;
    }
    return v;
}

// NOLINTNEXTLINE(misc-no-recursion): as run_operands
static __attribute__((noinline)) struct value truth(struct run *r, const struct node *n,
                                                    bool when_true)
{
    UNWRITTEN struct value small[RUN_OPERANDS];
    struct value v;
    if (!run_operands(r, n, small, &v))
        return value_of_kind(VALUE_RAISED);
    if (value_is_list(v))
        v = value_item(v, 0);
    return value_of_bool(value_is_true(v) == when_true);
}

/* ---- Comparison ------------------------------------------------------------------------------ */

static bool numbers_compare(enum op op, double a, double b)
{
    switch ((int)op) {
    case OP_EQUAL:
    case OP_SAME:
        return a == b;
    case OP_UNEQUAL:
    case OP_DIFFERENT:
        return a != b;
    case OP_LESS:
        return a < b;
    case OP_LESS_EQUAL:
        return a <= b;
    case OP_GREATER:
        return a > b;
    default:
        return a >= b;
    }
}

/* Texts and nulls among themselves. */
static bool texts_compare(enum op op, struct value a, struct value b)
{
    if (op == OP_EQUAL || op == OP_UNEQUAL)
        return value_same(a, b) == (op == OP_EQUAL);
    if (a.kind == VALUE_NULL || b.kind == VALUE_NULL)
        return numbers_compare(op, value_number(a), value_number(b));
    return numbers_compare(op, value_compare_texts(value_str(a), value_str(b)), 0);
}

static bool is_text_or_null(struct value v)
{
    return v.kind == VALUE_TEXT || v.kind == VALUE_NULL;
}

/* False: raised. */
static bool as_number(struct run *r, struct value v, bool may_be_nan, double *ret)
{
    *ret = value_number(v);
    bool is_nan = isnan(*ret);
    bool fails = value_is_list(v) || value_is_object(v) || (v.kind == VALUE_NUMBER && is_nan) ||
                 (is_nan && !may_be_nan);
    if (fails)
        (void)run_raise(r, "a comparison with what is no number");
    return !fails;
}

static struct value compare(struct run *r, enum op op, struct value a, struct value b)
{
    if (op == OP_SAME || op == OP_DIFFERENT)
        return value_of_bool(value_same(a, b) == (op == OP_SAME));
    if (is_text_or_null(a) && is_text_or_null(b))
        return value_of_bool(texts_compare(op, a, b));
    double x;
    double y;
    if (!as_number(r, a, false, &x) || !as_number(r, b, a.kind == VALUE_NULL, &y))
        return value_of_kind(VALUE_RAISED);
    return value_of_bool(numbers_compare(op, x, y));
}

/* Four and more operands. What looks odd is what the reference does: texts are compared as texts and
 * then, if that held, as numbers. */
// NOLINTNEXTLINE(misc-no-recursion): as run_operands
static struct value compare_chain(struct run *r, const struct node *n)
{
    enum op op = n->op;
    bool strict = op == OP_SAME || op == OP_DIFFERENT;
    struct value before = run_node(r, n->operands[0]);
    for (uint32_t i = 1; i < n->n && before.kind != VALUE_RAISED; i++) {
        struct value v = run_node(r, n->operands[i]);
        if (v.kind == VALUE_RAISED)
            return v;
        if (strict && value_same(before, v) != (op == OP_SAME))
            return value_of_kind(VALUE_FALSE);
        if (!strict && is_text_or_null(before) && is_text_or_null(v) &&
            !texts_compare(op, before, v))
            return value_of_kind(VALUE_FALSE);
        double x = value_number(before);
        double y;
        if (!as_number(r, v, before.kind == VALUE_NULL, &y) ||
            (i == 1 && !as_number(r, before, false, &x)))
            return value_of_kind(VALUE_RAISED);
        if (!numbers_compare(op, x, y))
            return value_of_kind(VALUE_FALSE);
        before = v;
    }
    return before.kind == VALUE_RAISED ? before : value_of_kind(VALUE_TRUE);
}

// NOLINTNEXTLINE(misc-no-recursion): as run_operands
static struct value compare_operands(struct run *r, const struct node *n)
{
    if (n->n > 3)
        return compare_chain(r, n);
    struct value a = run_node(r, n->operands[0]);
    if (a.kind == VALUE_RAISED)
        return a;
    struct value b = run_node(r, n->operands[1]);
    if (b.kind == VALUE_RAISED)
        return b;
    struct value v = compare(r, n->op, a, b);
    if (n->n == 2 || v.kind != VALUE_TRUE)
        return v;
    struct value c = run_node(r, n->operands[2]);
    return c.kind == VALUE_RAISED ? c : compare(r, n->op, b, c);
}

/* ---- All operators --------------------------------------------------------------------------- */

static struct value or_null(struct value v)
{
    return v.kind == VALUE_UNDEFINED ? value_of_kind(VALUE_NULL) : v;
}

// NOLINTNEXTLINE(misc-no-recursion): as run_operands
static struct value with_default(struct run *r, const struct node *n)
{
    struct value otherwise = run_node(r, n->operands[0]);
    if (otherwise.kind == VALUE_RAISED)
        return otherwise;
    struct value v = run_var(r, n->path);
    return or_null(v.kind == VALUE_UNDEFINED ? otherwise : v);
}

// NOLINTNEXTLINE(misc-no-recursion): as run_operands
static __attribute__((noinline)) struct value var_of(struct run *r, const struct node *n)
{
    UNWRITTEN struct value small[RUN_OPERANDS];
    struct value v;
    if (!run_operands(r, n, small, &v))
        return value_of_kind(VALUE_RAISED);
    if (value_is_list(v))
        return run_var_of(r, value_item(v, 0), value_item(v, 1));
    return run_var_of(r, v, value_of_kind(VALUE_UNDEFINED));
}

/* Those that want all their operands first. */
// NOLINTNEXTLINE(misc-no-recursion): as run_operands
static __attribute__((noinline)) struct value run_eager(struct run *r, const struct node *n)
{
    UNWRITTEN struct value small[RUN_OPERANDS];
    struct value v;
    enum op op = n->op;
    if (!run_operands(r, n, small, &v))
        return value_of_kind(VALUE_RAISED);
    if (op >= OP_ADD && op <= OP_MIN)
        return run_arithmetic(r, op, v);
    if (op >= OP_STARTS_WITH && op <= OP_SEM_VER && !run_is_at_top(r))
        return run_raise(r, RUN_NOT_INSIDE);
    switch ((int)op) {
    case OP_MISSING:
        return run_missing(r, v);
    case OP_MISSING_SOME:
        return run_missing_some(r, value_item(v, 0), value_item(v, 1));
    case OP_CAT:
        return run_cat(r, v);
    case OP_SUBSTR:
        return run_substr(r, v);
    case OP_IN:
        return run_in(r, v);
    case OP_MERGE:
        return run_merge(r, v);
    case OP_SEM_VER:
        return n->version ? run_version_test(r, value_item(v, 0), n->version) : run_sem_ver(r, v);
    default:
        return run_affix(op, v);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as run_operands
struct value run_operator(struct run *r, const struct node *n)
{
    enum op op = n->op;
    if (!r->steps_left)
        return out_of_steps(r);
    r->steps_left--;
    if (op >= OP_EQUAL && op <= OP_GREATER_EQUAL)
        return compare_operands(r, n);
    switch ((int)op) {
    case OP_RAISE:
    case OP_FAIL:
        return run_raise(r, n->why);
    case OP_LIST:
        return list_of(r, n);
    case OP_VAR:
        return or_null(run_var(r, n->path));
    case OP_VAR_OR:
        return with_default(r, n);
    case OP_VAR_OF:
        return var_of(r, n);
    case OP_WHOLE:
        return run_kept(r, or_null(r->frame ? r->frame->item : r->root));
    case OP_IF:
        return choose(r, n);
    case OP_AND:
        return decide(r, n, false);
    case OP_OR:
        return decide(r, n, true);
    case OP_NOT:
        return truth(r, n, false);
    case OP_TRUTH:
        return truth(r, n, true);
    case OP_FRACTIONAL:
        return run_fractional(r, n);
    default:
        return op >= OP_MAP && op <= OP_NONE ? run_iterator(r, n) : run_eager(r, n);
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as run_operands
struct value run_node(struct run *r, const struct node *n)
{
    if (r->telling)
        return telling_node(r, n);
    return n->op == OP_LITERAL ? n->literal : run_operator(r, n);
}
