/*
 * Lists of rules: see run.h.
 */
#include "flag/run.h"

struct value run_merge(struct run *r, struct value operands)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < operands.n; i++) {
        struct value v = value_item(operands, i);
        n += value_is_list(v) ? v.n : 1;
    }
    struct value *merged = n > RUN_ROOM_BYTES ? NULL : run_room(r, n * sizeof *merged);
    if (!merged || !run_take(r, n / 64))
        return run_raise_limit(r, "merge makes a list that there is no room for");
    uint32_t at = 0;
    for (uint32_t i = 0; i < operands.n; i++) {
        struct value v = value_item(operands, i);
        if (!value_is_list(v))
            merged[at++] = v;
        for (uint32_t k = 0; value_is_list(v) && k < v.n; k++)
            merged[at++] = value_item(v, k);
    }
    return (struct value){ .kind = VALUE_LIST, .n = at, .list = merged };
}

/* ---- Iterators ------------------------------------------------------------------------------- */

// NOLINTNEXTLINE(misc-no-recursion): no deeper than LIMIT_FLAG_RULE_DEPTH, see compile.c
static struct value operand(struct run *r, const struct node *n, uint32_t i)
{
    return i < n->n ? run_node(r, n->operands[i]) : value_of_kind(VALUE_UNDEFINED);
}

/* What map, filter and reduce accept: a list, or something false for an empty one. */
// NOLINTNEXTLINE(misc-no-recursion): as operand()
static bool list_operand(struct run *r, const struct node *n, struct value *ret)
{
    *ret = operand(r, n, 0);
    if (ret->kind == VALUE_RAISED || value_is_list(*ret))
        return ret->kind != VALUE_RAISED;
    if (value_is_object(*ret) || value_is_true(*ret)) {
        (void)run_raise(r, "a list operator on what is no list");
        return false;
    }
    *ret = (struct value){ .kind = VALUE_LIST };
    return true;
}

/* The rule for one item. */
// NOLINTNEXTLINE(misc-no-recursion): as operand()
static struct value each(struct run *r, const struct node *n, struct value item, struct value above)
{
    if (!run_take(r, 1))
        return value_of_kind(VALUE_RAISED);
    struct frame *outer = r->frame;
    struct frame here = { .item = item, .above = above, .outer = outer };
    r->frame = &here;
    struct value v = operand(r, n, 1);
    r->frame = outer;
    return v;
}

/* map and filter. */
// NOLINTNEXTLINE(misc-no-recursion): as operand()
static struct value collect(struct run *r, const struct node *n)
{
    struct value list;
    if (!list_operand(r, n, &list))
        return value_of_kind(VALUE_RAISED);
    struct value *out = run_room(r, list.n * sizeof *out);
    uint32_t count = 0;
    for (uint32_t i = 0; out && i < list.n; i++) {
        struct value item = value_item(list, i);
        struct value two[2] = { list, value_of_number(i) };
        struct value v = each(r, n, item, (struct value){ .kind = VALUE_STEP, .two = two });
        if (v.kind == VALUE_RAISED)
            return v;
        if (n->op == OP_MAP)
            out[count++] = v;
        else if (value_is_true(v))
            out[count++] = item;
    }
    return out ? (struct value){ .kind = VALUE_LIST, .n = count, .list = out }
               : value_of_kind(VALUE_RAISED);
}

/* all, some and none: whether the rule gives `wanted` for an item. They also take a text, letter by
 * letter, and find nothing in anything else. */
// NOLINTNEXTLINE(misc-no-recursion): as operand()
static struct value search(struct run *r, const struct node *n)
{
    bool wanted = n->op != OP_ALL;
    struct value list = operand(r, n, 0);
    struct value above = list;
    if (list.kind == VALUE_RAISED ||
        (list.kind == VALUE_TEXT && list.n && !run_letters(r, value_str(list), &list)))
        return value_of_kind(VALUE_RAISED);
    if (n->op == OP_ALL &&
        (value_is_list(list) ? !list.n : !value_is_object(list) && !value_is_true(list)))
        return value_of_kind(VALUE_FALSE);
    bool found = false;
    for (uint32_t i = 0; value_is_list(list) && i < list.n && !found; i++) {
        struct value v = each(r, n, value_item(list, i), above);
        if (v.kind == VALUE_RAISED)
            return v;
        found = value_is_true(v) == wanted;
    }
    return value_of_bool(found == (n->op == OP_SOME));
}

/* The reference refuses what is nested in a result of reduce. */
static bool is_flat(struct value v)
{
    if (value_is_list(v)) {
        for (uint32_t i = 0; i < v.n; i++) {
            struct value item = value_item(v, i);
            if (value_is_list(item) || value_is_object(item))
                return false;
        }
        return true;
    }
    if (v.kind == VALUE_PAIR || v.kind == VALUE_STEP)
        for (size_t i = 0; i < 2; i++)
            if (value_is_list(v.two[i]) || value_is_object(v.two[i]))
                return false;
    if (v.kind == VALUE_OBJECT) {
        const char *key;
        json_t *member;
        /* jansson's iterator wants a non-const object and does not change it */
        json_object_foreach ((json_t *)(uintptr_t)v.json, key, member)
            if (json_is_object(member) || json_is_array(member))
                return false;
    }
    return v.kind != VALUE_ROOT;
}

// NOLINTNEXTLINE(misc-no-recursion): as operand()
static struct value reduce(struct run *r, const struct node *n)
{
    struct value list;
    struct value all = operand(r, n, 2);
    if (all.kind == VALUE_RAISED || !list_operand(r, n, &list))
        return value_of_kind(VALUE_RAISED);
    uint32_t i = 0;
    if (!is_flat(all) || !run_take(r, value_is_list(all) ? all.n / 64 : 0))
        return run_raise(r, "reduce of what is nested");
    if (all.kind == VALUE_UNDEFINED) {
        if (!list.n)
            return run_raise(r, "reduce of an empty list without a start");
        all = value_item(list, i++);
    }
    for (; i < list.n; i++) {
        struct value two[2] = { all, value_item(list, i) };
        all = each(r, n, (struct value){ .kind = VALUE_PAIR, .two = two }, list);
        if (all.kind == VALUE_RAISED)
            return all;
        if (!run_take(r, value_is_list(all) ? all.n / 64 : 0) || !is_flat(all))
            return run_raise(r, "reduce makes something nested");
    }
    return all;
}

// NOLINTNEXTLINE(misc-no-recursion): as operand()
struct value run_iterator(struct run *r, const struct node *n)
{
    if (n->op == OP_REDUCE)
        return reduce(r, n);
    return n->op == OP_MAP || n->op == OP_FILTER ? collect(r, n) : search(r, n);
}
