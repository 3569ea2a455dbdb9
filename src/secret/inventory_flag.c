/*
 * Questions for feature flags in a row of tokens: see inventory.h.
 *
 *     client.getBooleanValue("crm", false)      getStringDetails, getNumberValue, getObjectValue<T> …
 *     useBooleanFlagValue("crm", false)         useFlag, useStringFlagDetails …
 *     supabase.rpc("module_enabled", { key: "crm" })
 *
 * The key may be a constant of the same file, const CRM = "crm". Where it is a parameter, the calls
 * of that function are the questions (inventory_helper.c).
 */
#include "secret/inventory_inside.h"

enum {
    TYPE_TOKENS = 64,  /* getObjectValue<{ … }>( */
    RPC_TOKENS = 12,   /* { p_key: "crm" } */
    HEAD_TOKENS = 512, /* the parameters of a function */
};

// clang-format off
static const char *const accessors[] = {
    "getBooleanValue",   "getStringValue",   "getNumberValue",   "getObjectValue",
    "getBooleanDetails", "getStringDetails", "getNumberDetails", "getObjectDetails",
    "useBooleanFlagValue",   "useStringFlagValue",   "useNumberFlagValue",   "useObjectFlagValue",
    "useBooleanFlagDetails", "useStringFlagDetails", "useNumberFlagDetails", "useObjectFlagDetails",
    "useFlag", "useSuspenseFlag",
};
// clang-format on

static const char *accessor(const struct js_text *t, size_t i)
{
    if (js_at(t, i)->kind != JS_NAME || (i > 0 && js_is(t, i - 1, "function")))
        return NULL;
    for (size_t k = 0; k < sizeof accessors / sizeof accessors[0]; k++)
        if (str_is(t->v[i].text, accessors[k]))
            return accessors[k];
    return NULL;
}

/* Behind the "(" of a call of what ends before `i`; 0 if it is none. */
static size_t call_of(const struct js_text *t, size_t i)
{
    if (js_is(t, i, "?."))
        i++;
    if (js_is(t, i, "<")) {
        int depth = 0;
        for (size_t k = i; k < t->n && k - i < TYPE_TOKENS; k++) {
            depth += js_is(t, k, "<");
            depth -= js_is(t, k, ">");
            if (depth == 0) {
                i = k + 1;
                break;
            }
        }
    }
    return js_is(t, i, "(") ? i + 1 : 0;
}

static bool is_text(const struct js_token *t)
{
    return t->kind == JS_STRING && !memchr(t->text.p, '\\', t->text.n);
}

/* const NAME = "…" in the same text; NULL if there is none. */
static const struct js_token *constant(struct search *s, struct str name)
{
    const struct js_text *t = &s->code;
    for (size_t i = 0; i + 3 < t->n && s->inv->steps_left > 0; i++, s->inv->steps_left--)
        if (js_is(t, i, "const") && str_eq(t->v[i + 1].text, name) && js_is(t, i + 2, "=") &&
            is_text(&t->v[i + 3]))
            return &t->v[i + 3];
    return NULL;
}

static void question(struct search *s, size_t i, size_t argument, const char *how)
{
    const struct js_text *t = &s->code;
    const struct js_token *key = js_at(t, argument);
    struct str none = { "", 0 };
    bool is_alone = js_is(t, argument + 1, ",") || js_is(t, argument + 1, ")");
    if (is_text(key) && key->text.n > 0) {
        inventory_use(s, USE_LITERAL, how, key->text, key->text.p);
        return;
    }
    bool is_helper = false;
    if (key->kind == JS_NAME && is_alone) {
        const struct js_token *value = constant(s, key->text);
        if (value) {
            inventory_use(s, USE_LITERAL, how, value->text, key->text.p);
            return;
        }
        is_helper = inventory_helper(s, argument, how, none, none);
    }
    size_t before = s->inv->uses.n;
    inventory_use(s, USE_COMPUTED, how, none, js_at(t, i)->text.p);
    if (is_helper && s->inv->uses.n > before)
        s->inv->uses.v[before].is_resolved = true;
}

static void remote_call(struct search *s, size_t i)
{
    const struct js_text *t = &s->code;
    size_t at = call_of(t, i + 1);
    if (at == 0 || js_at(t, at)->kind != JS_STRING || !str_is(js_at(t, at)->text, "module_enabled"))
        return;
    for (size_t k = at + 1; k < at + RPC_TOKENS && !js_is(t, k, ")"); k++)
        if (js_is(t, k, ":")) {
            question(s, i, k + 1, "module_enabled");
            return;
        }
}

/* A method of that name is written down here, not asked: getBooleanValue(key: string) { */
static bool is_definition(const struct js_text *t, size_t open)
{
    int depth = 1;
    for (size_t i = open; i < t->n && i - open < HEAD_TOKENS; i++) {
        depth += js_is(t, i, "(");
        depth -= js_is(t, i, ")");
        if (depth == 0)
            return js_is(t, i + 1, "{") || js_is(t, i + 1, ":") || js_is(t, i + 1, "=>");
    }
    return false;
}

void inventory_find_flags(struct search *s)
{
    const struct js_text *t = &s->code;
    for (size_t i = 0; i < t->n; i++) {
        if (js_is(t, i, "rpc"))
            remote_call(s, i);
        const char *how = accessor(t, i);
        size_t argument = how ? call_of(t, i + 1) : 0;
        bool is_member = i > 0 && (js_is(t, i - 1, ".") || js_is(t, i - 1, "?."));
        bool is_call = is_member || is_text(js_at(t, argument)) || !is_definition(t, argument);
        if (argument > 0 && is_call)
            question(s, i, argument, how);
    }
}
