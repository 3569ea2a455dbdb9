/*
 * Rules made ready: see compile.h.
 *
 * EAGER    The reference makes a rule ready too, the first time it runs: operators that need no
 *          context are worked out then, and when one of them fails the whole rule around it does, even
 *          if it stands in a branch that is never taken. How far around is told by what it calls
 *          lazy: operands of and, or, map and their like are made ready when they are reached. So a
 *          node that fails early is an OP_RAISE, and who makes his operands ready at once becomes one
 *          too (spoilt()).
 *
 * PURE     is_pure[0] says that a node needs no context, is_pure[1] that it needs none inside an
 *          iterator, where variables are relative to the item. Pure nodes become literals.
 */
#include "flag/compile.h"

#include "base/limits.h"
#include "base/vec.h"
#include "flag/compile_inside.h"
#include "flag/json_text.h"
#include "flag/run.h"

/* What makes an operator's operands ready: see the head. */
enum kind {
    KIND_EAGER,
    KIND_UNARY, /* eager, and a list of one operand is that operand */
    KIND_LAZY,
};

struct operator_row {
    const char *name;
    uint8_t op;
    uint8_t kind;
};

/* clang-format off */
static const struct operator_row operators[] = {
    { "!",            OP_NOT,           KIND_UNARY },
    { "!!",           OP_TRUTH,         KIND_UNARY },
    { "!=",           OP_UNEQUAL,       KIND_LAZY  },
    { "!==",          OP_DIFFERENT,     KIND_LAZY  },
    { "%",            OP_REMAINDER,     KIND_EAGER },
    { "*",            OP_MULTIPLY,      KIND_EAGER },
    { "+",            OP_ADD,           KIND_UNARY },
    { "-",            OP_SUBTRACT,      KIND_UNARY },
    { "/",            OP_DIVIDE,        KIND_EAGER },
    { "<",            OP_LESS,          KIND_LAZY  },
    { "<=",           OP_LESS_EQUAL,    KIND_LAZY  },
    { "==",           OP_EQUAL,         KIND_LAZY  },
    { "===",          OP_SAME,          KIND_LAZY  },
    { ">",            OP_GREATER,       KIND_LAZY  },
    { ">=",           OP_GREATER_EQUAL, KIND_LAZY  },
    { "all",          OP_ALL,           KIND_LAZY  },
    { "and",          OP_AND,           KIND_LAZY  },
    { "cat",          OP_CAT,           KIND_UNARY },
    { "ends_with",    OP_ENDS_WITH,     KIND_EAGER },
    { "filter",       OP_FILTER,        KIND_LAZY  },
    { "fractional",   OP_FRACTIONAL,    KIND_EAGER },
    { "if",           OP_IF,            KIND_LAZY  },
    { "in",           OP_IN,            KIND_EAGER },
    { "map",          OP_MAP,           KIND_LAZY  },
    { "max",          OP_MAX,           KIND_EAGER },
    { "merge",        OP_MERGE,         KIND_EAGER },
    { "min",          OP_MIN,           KIND_EAGER },
    { "missing",      OP_MISSING,       KIND_EAGER },
    { "missing_some", OP_MISSING_SOME,  KIND_EAGER },
    { "none",         OP_NONE,          KIND_LAZY  },
    { "or",           OP_OR,            KIND_LAZY  },
    { "reduce",       OP_REDUCE,        KIND_LAZY  },
    { "sem_ver",      OP_SEM_VER,       KIND_EAGER },
    { "some",         OP_SOME,          KIND_LAZY  },
    { "starts_with",  OP_STARTS_WITH,   KIND_EAGER },
    { "substr",       OP_SUBSTR,        KIND_EAGER },
    { "var",          OP_VAR_OF,        KIND_UNARY },
};
/* clang-format on */

#define OPERATOR_COUNT (sizeof operators / sizeof *operators)

static const struct operator_row *find_operator(const char *name)
{
    for (size_t i = 0; i < OPERATOR_COUNT; i++)
        if (streq(operators[i].name, name))
            return &operators[i];
    return NULL;
}

const char *op_name(enum op op)
{
    if (op == OP_VAR || op == OP_VAR_OR || op == OP_WHOLE)
        return "var";
    for (size_t i = 0; i < OPERATOR_COUNT; i++)
        if (operators[i].op == op)
            return operators[i].name;
    return NULL;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

const struct node *literal_node(struct compiler *c, struct value v)
{
    struct node *n = ARENA_NEW(c->arena, struct node);
    n->op = OP_LITERAL;
    n->literal = v;
    n->is_pure[0] = n->is_pure[1] = true;
    return n;
}

const struct node *failing_node(struct compiler *c, enum op op, const struct node *instead_of,
                                const char *why)
{
    struct node *n = ARENA_NEW(c->arena, struct node);
    n->op = (uint8_t)op;
    n->why = why;
    if (instead_of) {
        n->height = instead_of->height;
        memcpy(n->is_pure, instead_of->is_pure, sizeof n->is_pure);
    }
    return n;
}

/* The first operand that fails early, or NULL. */
static const struct node *spoilt(const struct node *n)
{
    for (uint32_t i = 0; i < n->n; i++)
        if (n->operands[i]->op == OP_RAISE)
            return n->operands[i];
    return NULL;
}

/* Values of a run live in its room; this one is to stay. */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than what a rule can make
static struct value kept(struct compiler *c, struct value v)
{
    if (v.kind == VALUE_TEXT)
        return value_of_text((struct str){ arena_strndup(c->arena, v.text, v.n), v.n });
    bool two = v.kind == VALUE_PAIR || v.kind == VALUE_STEP;
    if (v.kind != VALUE_LIST && !two)
        return v;
    uint32_t n = two ? 2 : v.n;
    struct value *items = ARENA_ARRAY(c->arena, struct value, n);
    for (uint32_t i = 0; i < n; i++)
        items[i] = kept(c, v.list[i]);
    return (struct value){ .kind = v.kind, .n = v.n, .list = items };
}

/* A node that needs no context becomes what it gives. */
static const struct node *worked_out(struct compiler *c, const struct node *n)
{
    if (!n->is_pure[0] || !c->fold_steps || arena_used_bytes(c->arena) > COMPILE_FOLD_BYTES)
        return n;
    struct flag_context none = flag_context(NULL, 0);
    struct run r = run_begin(&none, STR(""));
    r.root = value_of_kind(VALUE_UNDEFINED);
    unsigned before = r.steps_left =
        c->fold_steps < LIMIT_FLAG_STEPS ? c->fold_steps : LIMIT_FLAG_STEPS;
    struct value v = run_node(&r, n);
    c->fold_steps -= before - r.steps_left;
    if (v.kind == VALUE_RAISED)
        return r.is_over_limit ? n : failing_node(c, OP_RAISE, n, r.why);
    return literal_node(c, kept(c, v));
}

/* ---- Operands -------------------------------------------------------------------------------- */

// NOLINTNEXTLINE(misc-no-recursion): as compile_node()
static void set_operands(struct compiler *c, struct node *n, const json_t *list, unsigned depth)
{
    n->n = (uint32_t)json_array_size(list);
    const struct node **operands = ARENA_ARRAY(c->arena, const struct node *, n->n);
    n->operands = operands;
    for (uint32_t i = 0; i < n->n; i++)
        operands[i] = compile_node(c, json_array_get(list, i), depth);
}

static void set_operand(struct compiler *c, struct node *n, const struct node *operand)
{
    const struct node **operands = ARENA_ARRAY(c->arena, const struct node *, 1);
    operands[0] = operand;
    n->operands = operands;
    n->n = 1;
}

/* How an operator that wants all of them at once gets its operands. */
// NOLINTNEXTLINE(misc-no-recursion): as compile_node()
static void read_operands(struct compiler *c, struct node *n, const json_t *from, bool is_unary,
                          unsigned depth)
{
    if (is_unary && json_array_size(from) == 1 && !json_is_array(json_array_get(from, 0)))
        from = json_array_get(from, 0);
    if (json_is_array(from)) {
        set_operands(c, n, from, depth);
        return;
    }
    n->form = is_unary ? FORM_WHOLE : json_is_object(from) ? FORM_SPREAD : FORM_OPERANDS;
    set_operand(c, n, compile_node(c, from, depth));
}

/* Pure as its operands are. */
static void set_purity(struct node *n)
{
    bool iterates = n->op >= OP_MAP && n->op <= OP_NONE;
    n->is_pure[0] = n->is_pure[1] = true;
    for (uint32_t i = 0; i < n->n; i++) {
        const struct node *o = n->operands[i];
        if (iterates && i > 1) /* a start that is not looked at, by the reference either */
            continue;
        n->is_pure[0] &= o->is_pure[iterates && i == 1];
        n->is_pure[1] &= o->is_pure[1];
        n->height = o->height >= n->height ? (uint16_t)(o->height + 1) : n->height;
    }
}

/* ---- Operators ------------------------------------------------------------------------------- */

static bool is_comparison(enum op op)
{
    return op >= OP_EQUAL && op <= OP_GREATER_EQUAL;
}

/* Those whose operands the reference makes ready at once although it calls them lazy. */
static bool makes_ready(const struct node *n)
{
    return (n->op == OP_IF && n->n == 3) || (is_comparison(n->op) && (n->n == 2 || n->n == 3));
}

/* What a node is for sure, though no purer for that. */
static const struct node *settled(struct compiler *c, const struct node *n, const struct node *as)
{
    struct node *copy = ARENA_NEW(c->arena, struct node);
    *copy = *as;
    memcpy(copy->is_pure, n->is_pure, sizeof copy->is_pure);
    return copy;
}

/* if with a constant condition is its branch. */
static const struct node *taken_branch(struct compiler *c, const struct node *n)
{
    if (n->operands[0]->op != OP_LITERAL)
        return n;
    return settled(c, n, n->operands[value_is_true(n->operands[0]->literal) ? 1 : 2]);
}

// NOLINTNEXTLINE(misc-no-recursion): as compile_node()
static const struct node *lazy_node(struct compiler *c, struct node *n, const json_t *from,
                                    unsigned depth)
{
    if (n->op == OP_REDUCE && json_is_array(from)) {
        const struct node *sum = compile_sum(c, from, depth);
        if (sum)
            return sum;
    }
    if (!json_is_array(from)) {
        const struct node *operand = compile_node(c, from, depth);
        bool iterates = n->op >= OP_MAP && n->op <= OP_NONE;
        return failing_node(c, iterates || operand->is_pure[0] ? OP_RAISE : OP_FAIL, operand,
                            "this operator needs a list of operands");
    }
    set_operands(c, n, from, depth);
    set_purity(n);
    if (is_comparison(n->op) && n->n < 2)
        return failing_node(c, n->is_pure[0] ? OP_RAISE : OP_FAIL, n,
                            "a comparison needs two operands");
    const struct node *bad = makes_ready(n) ? spoilt(n) : NULL;
    if (n->op == OP_FILTER && n->n == 2) {
        const struct node *rule = n->operands[1];
        if (rule->op == OP_RAISE)
            bad = rule;
        else if (rule->op == OP_LITERAL)
            return value_is_true(rule->literal)
                       ? n->operands[0]
                       : settled(c, n, literal_node(c, (struct value){ .kind = VALUE_LIST }));
    }
    if (bad)
        return failing_node(c, OP_RAISE, n, bad->why);
    return n->op == OP_IF && n->n == 3 ? taken_branch(c, n) : worked_out(c, n);
}

/* Those that look at the context themselves, or that the reference does not take for pure. */
static bool is_never_pure(const struct node *n)
{
    return n->op == OP_VAR_OF || n->op == OP_MISSING_SOME || n->op == OP_FRACTIONAL ||
           (n->op >= OP_STARTS_WITH && n->op <= OP_SEM_VER) || (n->op == OP_MISSING && n->n > 0);
}

// NOLINTNEXTLINE(misc-no-recursion): as compile_node()
static const struct node *eager_node(struct compiler *c, struct node *n, const json_t *from,
                                     bool is_unary, unsigned depth)
{
    read_operands(c, n, from, is_unary, depth);
    set_purity(n);
    if (is_never_pure(n))
        n->is_pure[0] = n->is_pure[1] = false;
    const struct node *bad = spoilt(n);
    if (bad)
        return failing_node(c, OP_RAISE, n, bad->why);
    if (n->op == OP_VAR_OF)
        compile_var(c, n);
    else if (n->op == OP_FRACTIONAL)
        compile_buckets(c, n);
    else if (n->op == OP_SEM_VER)
        compile_version(c, n);
    return worked_out(c, n);
}

const struct node *compile_refuse(struct compiler *c, const char *why)
{
    if (!c->why)
        c->why = why;
    return failing_node(c, OP_RAISE, NULL, why);
}

// NOLINTNEXTLINE(misc-no-recursion): as compile_node()
static const struct node *operator_node(struct compiler *c, const json_t *rule, unsigned depth)
{
    /* jansson's iterator wants a non-const object and does not change it */
    void *it = json_object_iter((json_t *)(uintptr_t)rule);
    const char *name = json_object_iter_key(it);
    if (json_object_size(rule) > 1)
        return compile_refuse(c, arena_printf(c->arena,
                                              "one operator is expected, and \"%.100s\" has others "
                                              "beside it",
                                              name));
    if (streq(name, "$ref"))
        return compile_ref(c, json_object_iter_value(it), depth);
    const struct operator_row *known = find_operator(name);
    if (!known)
        return compile_refuse(c, arena_printf(c->arena, "there is no operator \"%.100s\"", name));
    struct node *n = ARENA_NEW(c->arena, struct node);
    n->op = known->op;
    if (known->kind == KIND_LAZY)
        return lazy_node(c, n, json_object_iter_value(it), depth);
    return eager_node(c, n, json_object_iter_value(it), known->kind == KIND_UNARY, depth);
}

// NOLINTNEXTLINE(misc-no-recursion): as compile_node()
static const struct node *list_node(struct compiler *c, const json_t *list, unsigned depth)
{
    struct node *n = ARENA_NEW(c->arena, struct node);
    n->op = OP_LIST;
    set_operands(c, n, list, depth);
    set_purity(n);
    const struct node *bad = spoilt(n);
    if (bad)
        return failing_node(c, OP_RAISE, n, bad->why);
    struct value *items = ARENA_ARRAY(c->arena, struct value, n->n);
    for (uint32_t i = 0; i < n->n; i++) {
        if (n->operands[i]->op != OP_LITERAL)
            return n;
        items[i] = n->operands[i]->literal;
    }
    return literal_node(c, (struct value){ .kind = VALUE_LIST, .n = n->n, .list = items });
}

static const struct node *text_node(struct compiler *c, const json_t *text)
{
    struct str s = { json_string_value(text), json_string_length(text) };
    return literal_node(c, value_of_text((struct str){ arena_strndup(c->arena, s.p, s.n), s.n }));
}

// NOLINTNEXTLINE(misc-no-recursion): no deeper than LIMIT_FLAG_RULE_DEPTH, and lists within lists
const struct node *compile_node(struct compiler *c, const json_t *rule, unsigned depth)
{
    if (c->why) /* it is refused already; the rest would only cost time */
        return failing_node(c, OP_RAISE, NULL, c->why);
    if (json_is_string(rule))
        return text_node(c, rule);
    if (json_is_object(rule) && !json_object_size(rule))
        return literal_node(c, value_of_kind(VALUE_EMPTY));
    if (!json_is_object(rule) && !json_is_array(rule))
        return literal_node(c, rule ? value_of_json(rule) : value_of_kind(VALUE_NULL));
    if (depth >= LIMIT_FLAG_RULE_DEPTH)
        return compile_refuse(
            c, arena_printf(c->arena, "it is nested more than %d deep", LIMIT_FLAG_RULE_DEPTH));
    return json_is_array(rule) ? list_node(c, rule, depth + 1) : operator_node(c, rule, depth + 1);
}

/* ---- Rules ----------------------------------------------------------------------------------- */

bool compile_rule(struct compiler *c, const json_t *rule, const struct rule **ret,
                  const char **ret_why)
{
    const json_t *what = compile_meant(c, rule);
    bool is_rule = json_object_size(what) || json_array_size(what) ||
                   (json_is_string(what) && json_string_length(what));
    if (!is_rule)
        return true;
    c->why = NULL;
    c->fold_steps = LIMIT_FLAG_STEPS;
    const struct node *top = compile_node(c, rule, 0);
    if (c->why) {
        *ret_why = c->why;
        return false;
    }
    struct rule *made = ARENA_NEW(c->arena, struct rule);
    made->top = top;
    *ret = made;
    return true;
}
