/*
 * Arithmetic of rules: see run.h. Texts and booleans are numbers where JavaScript can make them so;
 * what comes out as no number raises, with the exceptions that the reference makes.
 */
#include "flag/run.h"

#include <math.h>

static bool is_composed(struct value v)
{
    return value_is_list(v) || value_is_object(v);
}

static struct value not_a_number(struct run *r)
{
    return run_raise(r, "arithmetic with what is no number");
}

static struct value unless_nan(struct run *r, double x)
{
    return isnan(x) ? not_a_number(r) : value_of_number(x);
}

// NOLINTNEXTLINE(misc-no-recursion): run_text() makes no numbers of lists
bool run_number(struct run *r, struct value v, double *ret)
{
    struct str text;
    if (!value_is_list(v)) {
        *ret = value_number(v);
        return true;
    }
    if (!run_text(r, v, &text))
        return false;
    *ret = value_number(value_of_text(text));
    return true;
}

/* One operand that is no list: + and - of it alone. */
static struct value alone(struct run *r, enum op op, struct value v)
{
    if (is_composed(v))
        return not_a_number(r);
    if (!value_is_true(v))
        return v.kind == VALUE_NUMBER && isnan(v.number) ? not_a_number(r) : value_of_number(0);
    double x = value_number(v);
    return unless_nan(r, op == OP_SUBTRACT ? -x : x);
}

static double apply(enum op op, double x, double y)
{
    switch ((int)op) {
    case OP_ADD:
        return x + y;
    case OP_SUBTRACT:
        return x - y;
    case OP_MULTIPLY:
        return x * y;
    case OP_DIVIDE:
        return x / y;
    default:
        return fmod(x, y);
    }
}

/* x, then the operands from `from` on. */
static struct value fold(struct run *r, enum op op, struct value operands, uint32_t from, double x)
{
    for (uint32_t i = from; i < operands.n; i++) {
        struct value v = value_item(operands, i);
        if (is_composed(v) || (op == OP_DIVIDE && !value_is_true(v)))
            return not_a_number(r);
        x = apply(op, x, value_number(v));
    }
    if (op == OP_DIVIDE && x == HUGE_VAL)
        return not_a_number(r);
    return unless_nan(r, x);
}

static struct value extreme(struct run *r, enum op op, struct value operands)
{
    struct value best = value_item(operands, 0);
    for (uint32_t i = 0; i < operands.n || i == 0; i++) {
        struct value v = value_item(operands, i);
        if (v.kind != VALUE_NUMBER)
            return run_raise(r, "max and min are for numbers, one at least");
        if (op == OP_MAX ? v.number > best.number : v.number < best.number)
            best = v;
    }
    return best;
}

struct value run_arithmetic(struct run *r, enum op op, struct value operands)
{
    if (!value_is_list(operands))
        return alone(r, op, operands);
    if (op == OP_MAX || op == OP_MIN)
        return extreme(r, op, operands);
    if (op == OP_ADD)
        return fold(r, op, operands, 0, 0);
    if (op == OP_MULTIPLY)
        return operands.n ? fold(r, op, operands, 0, 1) : value_of_number(1);
    struct value first = value_item(operands, 0);
    double x = value_number(first);
    if (is_composed(first) || operands.n < (op == OP_REMAINDER ? 2U : 1U))
        return not_a_number(r);
    if (operands.n > 1)
        return fold(r, op, operands, 1, x);
    if (op == OP_SUBTRACT)
        return value_of_number(-x); /* even if it is NaN */
    return isnan(x) || x == 0 ? not_a_number(r) : value_of_number(1 / x);
}
