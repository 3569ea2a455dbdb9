/*
 * Evaluators, the named rules of a document that others refer to: see compile.h. Each is compiled
 * once, when it is first needed, and shared.
 */
#include "flag/compile_inside.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    return str_compare(((const struct evaluator *)a)->name, ((const struct evaluator *)b)->name);
}

static struct evaluator *find(struct compiler *c, const json_t *name)
{
    if (!json_is_string(name) || !c->evaluator_count)
        return NULL;
    struct evaluator wanted = { .name = { json_string_value(name), json_string_length(name) } };
    return bsearch(&wanted, c->evaluators, c->evaluator_count, sizeof wanted, by_name);
}

/* Whether a rule refers to an evaluator, or is nested so deep that nobody will look. */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than `depth`
static bool refers(const json_t *rule, unsigned depth)
{
    if (!json_is_object(rule) && !json_is_array(rule))
        return false;
    if (depth == 0 || json_object_get(rule, "$ref"))
        return true;
    for (size_t i = 0; i < json_array_size(rule); i++)
        if (refers(json_array_get(rule, i), depth - 1))
            return true;
    const char *key;
    json_t *value;
    /* jansson's iterator wants a non-const object and does not change it */
    json_object_foreach ((json_t *)(uintptr_t)rule, key, value)
        if (refers(value, depth - 1))
            return true;
    return false;
}

struct compiler *compiler_new(struct arena *a, const json_t *evaluators, const char *name,
                              struct err *e)
{
    struct compiler *c = ARENA_NEW(a, struct compiler);
    c->arena = a;
    c->evaluators = ARENA_ARRAY(a, struct evaluator, json_object_size(evaluators));
    /* jansson's iterator wants a non-const object and does not change it */
    json_t *all = (json_t *)(uintptr_t)evaluators;
    if (evaluators && !json_is_object(evaluators) && !json_is_null(evaluators)) {
        err_set(e, ERR_DATA, "%s: \"$evaluators\" must be an object", name);
        return NULL;
    }
    for (void *it = json_object_iter(all); it; it = json_object_iter_next(all, it)) {
        struct evaluator *next = &c->evaluators[c->evaluator_count++];
        next->name = (struct str){ json_object_iter_key(it), json_object_iter_key_len(it) };
        next->rule = json_object_iter_value(it);
        if (refers(next->rule, LIMIT_JSON_DEPTH)) {
            err_set(e, ERR_DATA, "%s: evaluator %s refers to another one, or is nested too deep",
                    name, next->name.p);
            return NULL;
        }
    }
    qsort(c->evaluators, c->evaluator_count, sizeof *c->evaluators, by_name);
    return c;
}

const struct node *compile_ref(struct compiler *c, const json_t *name, unsigned depth)
{
    struct evaluator *e = find(c, name);
    if (!e)
        return compile_refuse(c, json_is_string(name)
                                     ? arena_printf(c->arena, "there is no evaluator \"%.100s\"",
                                                    json_string_value(name))
                                     : "\"$ref\" must name an evaluator");
    if (!e->node) {
        e->node = compile_node(c, e->rule, 0);
        e->why = c->why;
    }
    if (e->why)
        return compile_refuse(c, e->why);
    if (depth - 1 + e->node->height > LIMIT_FLAG_RULE_DEPTH)
        return compile_refuse(c, "it is nested too deep with the evaluators it refers to");
    return e->node;
}

const json_t *compile_meant(struct compiler *c, const json_t *rule)
{
    const struct evaluator *e =
        json_object_size(rule) == 1 ? find(c, json_object_get(rule, "$ref")) : NULL;
    return e ? e->rule : rule;
}
