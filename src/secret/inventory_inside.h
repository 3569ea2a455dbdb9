/*
 * What the files of the inventory share: one text being searched, and helpers, the functions that
 * take the name of a variable.
 */
#ifndef LOCKFLIGHT_SECRET_INVENTORY_INSIDE_H
#define LOCKFLIGHT_SECRET_INVENTORY_INSIDE_H

#include "base/vec.h"
#include "secret/inventory.h"

/* need(name) → Deno.env.get(name); with `${name}_OLD`, after is "_OLD". */
struct env_helper {
    enum use_place place;
    struct str function;
    size_t argument;
    struct str before, after;
    const char *object;
    const char *path; /* where it is defined */
};

struct inventory_text {
    enum use_place place;
    const char *path;
    struct str text;
};

struct inventory {
    struct arena *a;
    VEC(struct inventory_text) texts;
    VEC(struct env_use) uses;
    VEC(struct env_helper) helpers;
    const char *const *names;
    bool *is_mentioned; /* beside `names` */
    size_t files[USE_PLACES];
    size_t bytes;
    bool seeks_flags;  /* not variables */
    size_t steps_left; /* of looking for helpers; without any, what is computed stays so */
};

/* A part of a text that is code. */
struct search {
    struct arena *scratch; /* for tokens */
    struct inventory *inv;
    const struct inventory_text *of;
    struct js_text code;
    const char *seen; /* the last place that was asked for, so that lines are counted once */
    int line, column;
};

/* Adds a use at a place inside the text; `name` is copied. */
void inventory_use(struct search *s, enum use_kind kind, const char *object, struct str name,
                   const char *at);

/* All uses but those by helpers, which it collects. */
void inventory_find(struct search *s);

/* The same for feature flags. */
void inventory_find_flags(struct search *s);

/* Calls of helpers from `first` on. They may be helpers themselves. */
void inventory_find_calls(struct search *s, size_t first);

/* If the name asked for at token `i` is a parameter of a named function: that function is a helper.
 * `before`, `after`: constant parts around the parameter. */
bool inventory_helper(struct search *s, size_t i, const char *object, struct str before,
                      struct str after);

/* Tokens by index; one beyond the end is an empty sign. */
static inline const struct js_token *js_at(const struct js_text *t, size_t i)
{
    static const struct js_token none = { JS_PUNCT, { "", 0 } };
    return i < t->n ? &t->v[i] : &none;
}

/* Is token `i` this word or sign? Strings are none. */
static inline bool js_is(const struct js_text *t, size_t i, const char *word)
{
    const struct js_token *token = js_at(t, i);
    return (token->kind == JS_NAME || token->kind == JS_PUNCT) && str_is(token->text, word);
}

#endif
