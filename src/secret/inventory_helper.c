/*
 * Functions that are given the name of a variable: const need = (name: string) => Deno.env.get(name).
 *
 * A helper is known by its name alone, in all texts of its place. Two functions of one name make
 * too many uses at worst, each with its place; a comment or a declaration answers that. Where the name
 * is one that everybody uses (get, has), a call counts only if what it is called on sounds like it,
 * and the helper's own use stays a note. A call whose argument is no literal is told as computed,
 * unless it stands in a helper itself. Where flags are looked for, which have names like any other
 * word, it must be of the same text or imported from it.
 */
#include "secret/inventory_inside.h"

#include <ctype.h>

enum {
    LOOK_BACK_TOKENS = 4096, /* from the use to the head of its function */
    HEAD_TOKENS = 64,        /* the type of what it returns */
    MAX_HELPERS = 200,
};

static bool is_open(const struct js_text *t, size_t i)
{
    return js_is(t, i, "(") || js_is(t, i, "[") || js_is(t, i, "{");
}

static bool is_close(const struct js_text *t, size_t i)
{
    return js_is(t, i, ")") || js_is(t, i, "]") || js_is(t, i, "}");
}

/* Spends one step of what may be spent in all: sources are read in one go, whatever is in them. */
static bool may_step(struct search *s)
{
    return s->inv->steps_left > 0 && s->inv->steps_left-- > 0;
}

/* The "(" that belongs to the ")" at `close`. */
static bool find_open(struct search *s, size_t close, size_t *ret)
{
    const struct js_text *t = &s->code;
    int depth = 0;
    for (size_t i = close + 1; i-- > 0 && close - i < LOOK_BACK_TOKENS && may_step(s);) {
        depth += is_close(t, i);
        depth -= is_open(t, i);
        if (depth == 0) {
            *ret = i;
            return js_is(t, i, "(");
        }
    }
    return false;
}

/* Which parameter between the parentheses has that name? */
static bool find_parameter(const struct js_text *t, size_t open, size_t close, struct str name,
                           size_t *ret)
{
    size_t index = 0;
    int depth = 0;
    for (size_t i = open + 1; i < close; i++) {
        bool is_first = i == open + 1 || (depth == 0 && js_is(t, i - 1, ","));
        if (is_first && depth == 0 && js_at(t, i)->kind == JS_NAME &&
            str_eq(js_at(t, i)->text, name)) {
            *ret = index;
            return true;
        }
        depth += is_open(t, i) || js_is(t, i, "<");
        depth -= is_close(t, i) || js_is(t, i, ">");
        index += depth == 0 && js_is(t, i, ",");
    }
    return false;
}

/* The name of the function whose parameters begin at `open`: f(…), f = (…), f: (…), f = async (…),
 * f = function (…), f<T>(…). */
static bool find_name(const struct js_text *t, size_t open, struct str *ret)
{
    if (open == 0)
        return false;
    size_t i = open - 1;
    if (js_is(t, i, ">"))
        while (i > 0 && open - i < HEAD_TOKENS && !js_is(t, i--, "<"))
            ;
    if (js_is(t, i, "function") && i > 0)
        i--;
    if (js_is(t, i, "async") && i > 0)
        i--;
    if ((js_is(t, i, "=") || js_is(t, i, ":")) && i > 0)
        i--;
    static const char *const no_names[] = { "if",    "for",  "while",    "switch",
                                            "catch", "with", "function", "return" };
    for (size_t k = 0; k < sizeof no_names / sizeof no_names[0]; k++)
        if (js_is(t, i, no_names[k]))
            return false;
    *ret = js_at(t, i)->text;
    return js_at(t, i)->kind == JS_NAME;
}

/* Is there a function whose body or arrow begins at `i` and which has the parameter? */
static bool head_before(struct search *s, size_t i, struct str parameter, struct env_helper *ret)
{
    const struct js_text *t = &s->code;
    size_t close = i, open;
    if (close == 0)
        return false;
    close--;
    if (js_is(t, i, "=>") && js_at(t, close)->kind == JS_NAME &&
        str_eq(js_at(t, close)->text, parameter)) { /* name => … */
        ret->argument = 0;
        return find_name(t, close, &ret->function);
    }
    for (size_t steps = 0; !js_is(t, close, ")"); steps++) { /* (…): Type => … */
        if (close == 0 || steps > HEAD_TOKENS || js_is(t, close, ";") || js_is(t, close, "{"))
            return false;
        close--;
    }
    if (close + 1 < i && !js_is(t, close + 1, ":"))
        return false;
    return find_open(s, close, &open) &&
           find_parameter(t, open, close, parameter, &ret->argument) &&
           find_name(t, open, &ret->function);
}

static void add_helper(struct search *s, struct env_helper *helper)
{
    struct inventory *inv = s->inv;
    for (size_t i = 0; i < inv->helpers.n; i++) {
        const struct env_helper *h = &inv->helpers.v[i];
        if (h->place == helper->place && h->argument == helper->argument &&
            (!inv->seeks_flags || streq(h->path, helper->path)) &&
            str_eq(h->function, helper->function) && str_eq(h->before, helper->before) &&
            str_eq(h->after, helper->after))
            return;
    }
    *vec_add(&inv->helpers, inv->a) = *helper;
}

/* "get" and the like: maps, headers and caches have them, too. */
static bool is_common(struct str name)
{
    static const char *const names[] = { "get",   "set",   "has",  "find",    "read", "load",
                                         "value", "fetch", "from", "resolve", "key" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_is(name, names[i]))
            return true;
    return name.n < 3; /* what a minifier left */
}

/* Does the call at `i` have an object whose name speaks of the environment? */
static bool is_called_on_environment(const struct js_text *t, size_t i)
{
    static const char *const words[] = { "env", "secret", "setting", "config" };
    if (i < 2 || (!js_is(t, i - 1, ".") && !js_is(t, i - 1, "?.")))
        return false;
    if (i >= 4 && (js_is(t, i - 4, "Deno") || js_is(t, i - 4, "Netlify")))
        return false; /* the environment itself */
    struct str object = js_at(t, i - 2)->text;
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
        for (size_t from = 0; from + strlen(words[k]) <= object.n; from++)
            if (strncasecmp(object.p + from, words[k], strlen(words[k])) == 0)
                return true;
    return false;
}

bool inventory_helper(struct search *s, size_t i, const char *object, struct str before,
                      struct str after)
{
    const struct js_text *t = &s->code;
    struct env_helper helper = {
        .place = s->of->place,
        .object = object,
        .before = before,
        .after = after,
        .path = s->of->path,
    };
    if (s->inv->helpers.n >= MAX_HELPERS)
        return false;
    struct str parameter = js_at(t, i)->text;
    int depth = 0;
    for (size_t k = i; k-- > 0 && i - k < LOOK_BACK_TOKENS && may_step(s);) {
        bool is_template = k > 0 && (js_at(t, k - 1)->kind == JS_CHUNK || js_is(t, k - 1, "`"));
        bool is_body = js_is(t, k, "{") && depth == 0 && !is_template;
        if ((is_body || (js_is(t, k, "=>") && depth <= 0)) &&
            head_before(s, k, parameter, &helper)) {
            add_helper(s, &helper);
            return !is_common(helper.function);
        }
        if (is_close(t, k))
            depth++;
        else if (is_open(t, k) && depth > 0)
            depth--;
    }
    return false;
}

/* ---- calls ---- */

/* Is the call at `i` the definition itself? */
static bool is_definition(const struct js_text *t, size_t i, size_t close)
{
    return (i > 0 && js_is(t, i - 1, "function")) || js_is(t, close + 1, "{") ||
           js_is(t, close + 1, "=>") || js_is(t, close + 1, ":");
}

static size_t find_close(struct search *s, size_t open)
{
    const struct js_text *t = &s->code;
    int depth = 0;
    for (size_t i = open; i < t->n && i - open < LOOK_BACK_TOKENS && may_step(s); i++) {
        depth += is_open(t, i);
        depth -= is_close(t, i);
        if (depth == 0)
            return i;
    }
    return t->n;
}

/* The first token of the n-th argument; false if there are fewer. */
static bool find_argument(const struct js_text *t, size_t open, size_t close, size_t n, size_t *ret)
{
    size_t i = open + 1;
    for (int depth = 0; n > 0 && i < close; i++) {
        n -= depth == 0 && js_is(t, i, ",");
        depth += is_open(t, i);
        depth -= is_close(t, i);
    }
    *ret = i;
    return n == 0 && i < close;
}

/* Headers, maps and parameters have functions of the same names, and those are asked for other things:
 * only what is written as variables are, counts. */
static bool is_variable_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool is_letter = (s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == '_';
        if (!is_letter && !(i > 0 && s.p[i] >= '0' && s.p[i] <= '9'))
            return false;
    }
    return s.n > 0;
}

/* Of a flag: a letter, then letters, digits, "_", "-", ".". */
static bool is_flag_key(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isalpha((unsigned char)s.p[i]) &&
            (i == 0 || !(isdigit((unsigned char)s.p[i]) || strchr("_-.", s.p[i]))))
            return false;
    return s.n > 0;
}

static void use_call(struct search *s, const struct env_helper *h, size_t i)
{
    const struct js_text *t = &s->code;
    size_t open = js_is(t, i + 1, "?.") ? i + 2 : i + 1, at;
    if (!js_is(t, open, "("))
        return;
    size_t close = find_close(s, open);
    if (is_definition(t, i, close) || (is_common(h->function) && !is_called_on_environment(t, i)))
        return;
    if (!find_argument(t, open, close, h->argument, &at)) {
        if (!js_is(t, open + 1, "..."))
            return; /* another function of that name */
        at = open;
    }
    const struct js_token *argument = js_at(t, at);
    bool is_alone = js_is(t, at + 1, ",") || at + 1 == close;
    struct str none = { "", 0 };
    if (is_alone && argument->kind == JS_STRING) {
        if (s->inv->seeks_flags ? !is_flag_key(argument->text) : !is_variable_name(argument->text))
            return;
        const char *name = arena_printf(s->scratch, "%.*s%.*s%.*s", STR_FMT(h->before),
                                        STR_FMT(argument->text), STR_FMT(h->after));
        inventory_use(s, USE_LITERAL, h->object, str_of(name), argument->text.p);
        return;
    }
    struct env_helper copy = *h; /* the list may move */
    bool is_helper = is_alone && argument->kind == JS_NAME &&
                     inventory_helper(s, at, copy.object, copy.before, copy.after);
    size_t before = s->inv->uses.n;
    inventory_use(s, USE_COMPUTED, copy.object, none, js_at(t, i)->text.p);
    if (is_helper && s->inv->uses.n > before)
        s->inv->uses.v[before].is_resolved = true;
}

/* "../lib/modules.ts" → "modules" */
static struct str stem(struct str path)
{
    const char *slash = memrchr(path.p, '/', path.n);
    struct str name = path;
    if (slash)
        name = (struct str){ slash + 1, path.n - (size_t)(slash + 1 - path.p) };
    struct str rest = name;
    return str_cut(&rest, '.');
}

/* Names of variables tell by themselves what they are; of flags' keys any word may be one, so only the
 * function of this file counts, or one that is imported from a file of that name. */
static bool is_visible(struct search *s, const struct env_helper *h)
{
    const struct js_text *t = &s->code;
    if (!s->inv->seeks_flags || streq(h->path, s->of->path))
        return true;
    struct str wanted = stem(str_of(h->path));
    for (size_t i = 0; i < t->n && may_step(s); i++) {
        bool is_named = false;
        if (!js_is(t, i, "import"))
            continue;
        for (i++; i < t->n && may_step(s) && t->v[i].kind != JS_STRING && !js_is(t, i, ";"); i++)
            is_named |= t->v[i].kind == JS_NAME && str_eq(t->v[i].text, h->function);
        if (is_named && js_at(t, i)->kind == JS_STRING && str_eq(stem(t->v[i].text), wanted))
            return true;
    }
    return false;
}

void inventory_find_calls(struct search *s, size_t first)
{
    const struct js_text *t = &s->code;
    struct inventory *inv = s->inv;
    size_t known = inv->helpers.n; /* those found now are the next round's */
    for (size_t i = 0; i < t->n; i++) {
        if (t->v[i].kind != JS_NAME)
            continue;
        for (size_t k = first; k < known; k++) {
            const struct env_helper *h = &inv->helpers.v[k];
            if (h->place == s->of->place && str_eq(h->function, t->v[i].text) && is_visible(s, h))
                use_call(s, &inv->helpers.v[k], i);
        }
    }
}
