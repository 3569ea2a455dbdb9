/*
 * Uses of the environment in a row of tokens: see inventory.h.
 *
 * Every way begins with one of four objects (Deno.env, Netlify.env, process.env, import.meta.env),
 * found by its first word. What follows it decides; where nothing known follows, what stands before
 * it does: a pattern, "in", typeof. All else is the environment given away: an alias.
 */
#include "secret/inventory_inside.h"

enum {
    IMPORT_TOKENS = 256,      /* import { … } from: how long the list may be */
    PATTERN_TYPE_TOKENS = 64, /* const { A }: Type = …: how long the type may be */
};

struct object {
    const char *name;
    bool has_methods;  /* get, has, toObject; else members */
    size_t begin, end; /* tokens, with parentheses and casts */
};

static bool is_plain(const struct js_token *t)
{
    return t->kind == JS_STRING && !memchr(t->text.p, '\\', t->text.n);
}

/* ---- finding the object ---- */

/* Behind the member `name` of what ends before `i`; 0 if something else follows. */
static size_t member(const struct js_text *t, size_t i, const char *name)
{
    if (js_is(t, i, "!"))
        i++;
    if (js_is(t, i, ".") || js_is(t, i, "?."))
        if (js_is(t, i + 1, name))
            return i + 2;
    if (js_is(t, i, "?."))
        i++;
    bool is_quoted = js_is(t, i, "[") && js_at(t, i + 1)->kind == JS_STRING &&
                     str_is(js_at(t, i + 1)->text, name) && js_is(t, i + 2, "]");
    return is_quoted ? i + 3 : 0;
}

/* Behind a name "(" is a call, or a condition. */
static bool opens_group(const struct js_text *t, size_t i)
{
    static const char *const words[] = { "return", "typeof", "await", "in",  "of",
                                         "case",   "yield",  "else",  "void" };
    if (!js_is(t, i, "(") || i == 0)
        return js_is(t, i, "(");
    if (js_at(t, i - 1)->kind == JS_NAME) {
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
            if (js_is(t, i - 1, words[k]))
                return true;
        return false;
    }
    return !js_is(t, i - 1, ")") && !js_is(t, i - 1, "]");
}

/* "(x as any)" or "(x)": steps out of the parentheses around begin…end. */
static void leave_cast(const struct js_text *t, size_t *begin, size_t *end)
{
    size_t i = *end;
    if (*begin == 0 || !opens_group(t, *begin - 1))
        return;
    if (js_is(t, i, "!"))
        i++;
    if (js_is(t, i, "as") || js_is(t, i, "satisfies")) {
        int depth = 0;
        for (; i < t->n; i++) {
            if (js_is(t, i, ")") && depth == 0)
                break;
            depth += js_is(t, i, "(") || js_is(t, i, "{") || js_is(t, i, "[");
            depth -= js_is(t, i, ")") || js_is(t, i, "}") || js_is(t, i, "]");
            if (depth < 0 || js_is(t, i, ";"))
                return;
        }
    }
    if (!js_is(t, i, ")"))
        return;
    *begin -= 1;
    *end = i + 1;
}

/* Behind a dot a word is a member, but for those of the global object. */
static bool is_global(const struct js_text *t, size_t *begin)
{
    size_t i = *begin;
    if (i == 0 || (!js_is(t, i - 1, ".") && !js_is(t, i - 1, "?.")))
        return true;
    if (i < 2)
        return false;
    static const char *const globals[] = { "globalThis", "window", "self", "global", ")" };
    for (size_t k = 0; k < sizeof globals / sizeof globals[0]; k++) {
        if (js_is(t, i - 2, globals[k])) {
            *begin = i - 2;
            return true;
        }
    }
    return false;
}

/* An object that has the environment as its member `env`, without that member. */
static bool find_holder(const struct js_text *t, size_t i, struct object *ret)
{
    if (js_at(t, i)->kind != JS_NAME)
        return false;
    *ret = (struct object){ .begin = i, .end = i + 1 };
    if (js_is(t, i, "process")) {
        ret->name = "process.env";
    } else if (js_is(t, i, "Deno") || js_is(t, i, "Netlify")) {
        ret->name = js_is(t, i, "Deno") ? "Deno.env" : "Netlify.env";
        ret->has_methods = true;
    } else if (js_is(t, i, "import") && js_is(t, i + 1, ".") && js_is(t, i + 2, "meta")) {
        ret->name = "import.meta.env";
        ret->end = i + 3;
    } else {
        return false;
    }
    return is_global(t, &ret->begin);
}

/* ---- what follows ---- */

static bool is_assignment(const struct js_text *t, size_t i)
{
    return js_is(t, i, "=");
}

static void use_token(struct search *s, const struct object *o, const struct js_token *name)
{
    if (name->text.n > 0)
        inventory_use(s, USE_LITERAL, o->name, name->text, name->text.p);
}

/* The name is asked for by an expression that begins at token `i` and is none of ours. */
static void use_computed(struct search *s, const struct object *o, size_t i)
{
    const struct js_text *t = &s->code;
    struct str none = { "", 0 };
    bool is_helper = false;
    if (js_at(t, i)->kind == JS_NAME) {
        bool is_alone = js_is(t, i + 1, ")") || js_is(t, i + 1, ",") || js_is(t, i + 1, "]");
        is_helper = is_alone && inventory_helper(s, i, o->name, none, none);
    } else if (js_is(t, i, "`")) { /* ` chunk { name } chunk ` */
        size_t k = i + 1;
        struct str before = none, after = none;
        if (js_at(t, k)->kind == JS_CHUNK)
            before = js_at(t, k++)->text;
        size_t name = k + 1;
        bool is_one =
            js_is(t, k, "{") && js_at(t, name)->kind == JS_NAME && js_is(t, name + 1, "}");
        k = name + 2;
        if (js_at(t, k)->kind == JS_CHUNK)
            after = js_at(t, k++)->text;
        is_helper = is_one && js_is(t, k, "`") && inventory_helper(s, name, o->name, before, after);
    }
    size_t before = s->inv->uses.n;
    inventory_use(s, USE_COMPUTED, o->name, none, js_at(t, o->begin)->text.p);
    if (is_helper && s->inv->uses.n > before)
        s->inv->uses.v[before].is_resolved = true;
}

static void use_object(struct search *s, const struct object *o, enum use_kind kind)
{
    inventory_use(s, kind, o->name, (struct str){ "", 0 }, js_at(&s->code, o->begin)->text.p);
}

/* Deno.env.…; false if it is given away. */
static bool find_method(struct search *s, const struct object *o)
{
    const struct js_text *t = &s->code;
    size_t i = member(t, o->end, "get");
    if (i == 0)
        i = member(t, o->end, "has");
    if (i == 0) {
        if (member(t, o->end, "set") || member(t, o->end, "delete"))
            return true;
        if (!member(t, o->end, "toObject"))
            return false;
        use_object(s, o, USE_WHOLE);
        return true;
    }
    if (js_is(t, i, "?."))
        i++;
    if (!js_is(t, i, "("))
        return false; /* const get = Deno.env.get.bind(Deno.env) */
    const struct js_token *argument = js_at(t, i + 1);
    if (is_plain(argument) && (js_is(t, i + 2, ")") || js_is(t, i + 2, ",")))
        use_token(s, o, argument);
    else if (!js_is(t, i + 1, ")"))
        use_computed(s, o, i + 1);
    return true;
}

/* process.env.NAME, ["NAME"], [computed]; false if no member follows. */
static bool find_member(struct search *s, const struct object *o)
{
    const struct js_text *t = &s->code;
    size_t i = o->end;
    if (js_is(t, i, "!"))
        i++;
    bool is_deleted = o->begin > 0 && js_is(t, o->begin - 1, "delete");
    if ((js_is(t, i, ".") || js_is(t, i, "?.")) && js_at(t, i + 1)->kind == JS_NAME) {
        if (!is_deleted && !is_assignment(t, i + 2))
            use_token(s, o, js_at(t, i + 1));
        return true;
    }
    if (js_is(t, i, "?."))
        i++;
    if (!js_is(t, i, "["))
        return false;
    if (is_plain(js_at(t, i + 1)) && js_is(t, i + 2, "]")) {
        if (!is_deleted && !is_assignment(t, i + 3))
            use_token(s, o, js_at(t, i + 1));
        return true;
    }
    use_computed(s, o, i + 1);
    return true;
}

/* ---- what stands before ---- */

static int depth_step(const struct js_text *t, size_t i)
{
    if (js_at(t, i)->kind != JS_PUNCT)
        return 0;
    if (js_is(t, i, "{") || js_is(t, i, "(") || js_is(t, i, "["))
        return 1;
    return js_is(t, i, "}") || js_is(t, i, ")") || js_is(t, i, "]") ? -1 : 0;
}

/* The "{" of the pattern in "{ … }: Type = " that ends before token `i`; false if there is none. */
static bool find_pattern(const struct js_text *t, size_t i, size_t *ret_open, size_t *ret_close)
{
    if (i == 0 || !js_is(t, i - 1, "="))
        return false;
    size_t close = i - 1;
    for (size_t steps = 0;; steps++) {
        if (close == 0 || steps > PATTERN_TYPE_TOKENS || js_is(t, close - 1, ";"))
            return false;
        close--;
        if (js_is(t, close, "}") && (steps == 0 || js_is(t, close + 1, ":")))
            break;
        if (steps == 0 && js_is(t, close, ")"))
            return false;
    }
    int depth = 0;
    for (size_t k = close + 1; k-- > 0;) {
        depth += depth_step(t, k);
        if (depth == 0) {
            *ret_open = k;
            *ret_close = close;
            return js_is(t, k, "{");
        }
    }
    return false;
}

/* Behind the next comma of the pattern, or its end. */
static size_t next_key(const struct js_text *t, size_t i, size_t close)
{
    for (int depth = 0; i < close; i++) {
        if (depth == 0 && js_is(t, i, ","))
            return i + 1;
        depth += depth_step(t, i);
    }
    return close;
}

/* const { A, B: b = "x", "C": c, [d]: e, ...rest } = process.env */
static void use_pattern(struct search *s, const struct object *o, size_t open, size_t close)
{
    const struct js_text *t = &s->code;
    for (size_t i = open + 1; i < close; i = next_key(t, i, close)) {
        if (js_is(t, i, "..."))
            use_object(s, o, USE_WHOLE);
        else if (js_is(t, i, "["))
            use_computed(s, o, i + 1);
        else if (js_at(t, i)->kind == JS_NAME || is_plain(js_at(t, i)))
            use_token(s, o, js_at(t, i));
    }
}

/* Something that asks whether there is an environment at all: typeof process.env, process.env && … */
static bool is_question(const struct js_text *t, const struct object *o)
{
    if (js_is(t, o->end, "&&") || js_is(t, o->end, "?") || js_is(t, o->end, "!==") ||
        js_is(t, o->end, "===") || js_is(t, o->end, "!=") || js_is(t, o->end, "=="))
        return true;
    if (o->begin == 0)
        return false;
    if (js_is(t, o->begin - 1, "typeof"))
        return true;
    return o->begin > 1 && js_is(t, o->begin - 1, "(") && js_is(t, o->end, ")") &&
           (js_is(t, o->begin - 2, "if") || js_is(t, o->begin - 2, "Boolean"));
}

static void find_context(struct search *s, const struct object *o)
{
    const struct js_text *t = &s->code;
    size_t open, close;
    if (is_question(t, o))
        return;
    if (o->begin > 1 && js_is(t, o->begin - 1, "in") && is_plain(js_at(t, o->begin - 2))) {
        use_token(s, o, js_at(t, o->begin - 2));
        return;
    }
    if (!o->has_methods && find_pattern(t, o->begin, &open, &close)) {
        use_pattern(s, o, open, close);
        return;
    }
    bool is_whole = o->begin > 0 && (js_is(t, o->begin - 1, "...") ||
                                     js_is(t, o->begin - 1, "in") || js_is(t, o->begin - 1, "of"));
    use_object(s, o, is_whole ? USE_WHOLE : USE_ALIAS);
}

/* const p = process; const { env } = Deno: the holder itself goes on under another name. */
static void find_holder_alias(struct search *s, const struct object *o)
{
    const struct js_text *t = &s->code;
    size_t open, close;
    if (o->begin == 0 || !js_is(t, o->begin - 1, "="))
        return;
    if (find_pattern(t, o->begin, &open, &close)) {
        for (size_t i = open + 1; i < close; i = next_key(t, i, close))
            if (js_is(t, i, "env"))
                use_object(s, o, USE_ALIAS);
        return;
    }
    bool goes_on = js_is(t, o->end, ".") || js_is(t, o->end, "?.") || js_is(t, o->end, "[") ||
                   js_is(t, o->end, "(") || js_is(t, o->end, "!");
    if (!goes_on)
        use_object(s, o, USE_ALIAS);
}

/* import { env } from "node:process"; import { API_KEY as key } from "$env/static/private" */
static void find_import(struct search *s, size_t i)
{
    const struct js_text *t = &s->code;
    size_t from = i + 1;
    while (from < t->n && from < i + IMPORT_TOKENS && !js_is(t, from, "from") &&
           !js_is(t, from, ";") && !js_is(t, from, "("))
        from++;
    if (!js_is(t, from, "from") || js_at(t, from + 1)->kind != JS_STRING)
        return;
    struct str module = js_at(t, from + 1)->text;
    bool is_static = str_starts(module, "$env/static/");
    bool is_process = str_is(module, "process") || str_is(module, "node:process");
    if (!is_static && !is_process && !str_starts(module, "$env/dynamic/"))
        return;
    struct object o = { .name = is_process ? "process.env" : "$env", .begin = i };
    for (size_t k = i + 1; k < from; k++) {
        bool is_key = js_is(t, k - 1, "{") || js_is(t, k - 1, ",");
        if (!is_key || js_at(t, k)->kind != JS_NAME)
            continue;
        if (is_static)
            use_token(s, &o, js_at(t, k));
        else if (js_is(t, k, "env"))
            use_object(s, &o, USE_ALIAS);
    }
}

void inventory_find(struct search *s)
{
    const struct js_text *t = &s->code;
    for (size_t i = 0; i < t->n; i++) {
        struct object o;
        if (js_is(t, i, "import") && !js_is(t, i + 1, ".") && !js_is(t, i + 1, "("))
            find_import(s, i);
        if (!find_holder(t, i, &o))
            continue;
        leave_cast(t, &o.begin, &o.end);
        size_t end = member(t, o.end, "env");
        if (end == 0) {
            find_holder_alias(s, &o);
            continue;
        }
        o.end = end;
        leave_cast(t, &o.begin, &o.end);
        if (!(o.has_methods ? find_method(s, &o) : find_member(s, &o)))
            find_context(s, &o);
    }
}
