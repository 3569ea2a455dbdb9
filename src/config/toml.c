/*
 * What plain C does with a TOML tree: finding, merging, turning into JSON.
 */
#include "config/toml.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"

static const char *const kind_names[] = {
    [TOML_TABLE] = "a table", [TOML_ARRAY] = "a list",           [TOML_TEXT] = "a text",
    [TOML_REAL] = "a number", [TOML_INTEGER] = "a whole number", [TOML_BOOL] = "true or false",
    [TOML_DATE] = "a date",
};

const char *toml_kind_name(enum toml_kind kind)
{
    return kind_names[kind];
}

const struct toml_node *toml_find(const struct toml_node *table, const char *key)
{
    if (!table || table->kind != TOML_TABLE)
        return NULL;
    for (size_t i = 0; i < table->n; i++) {
        if (streq(table->items[i].key, key))
            return &table->items[i];
    }
    return NULL;
}

/* The nesting is limited by the parser. NOLINTNEXTLINE(misc-no-recursion) */
struct toml_node toml_merge(struct arena *a, const struct toml_node *base,
                            const struct toml_node *over)
{
    struct toml_node merged = *base;
    merged.items = ARENA_ARRAY(a, struct toml_node, base->n + over->n);
    for (size_t i = 0; i < base->n; i++) {
        const struct toml_node *mine = &base->items[i];
        const struct toml_node *theirs = toml_find(over, mine->key);
        if (!theirs)
            merged.items[i] = *mine;
        else if (theirs->kind == TOML_TABLE && mine->kind == TOML_TABLE)
            merged.items[i] = toml_merge(a, mine, theirs);
        else
            merged.items[i] = *theirs;
    }
    for (size_t i = 0; i < over->n; i++) {
        if (!toml_find(base, over->items[i].key))
            merged.items[merged.n++] = over->items[i];
    }
    return merged;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static json_t *to_json(const struct toml_node *node)
{
    json_t *value = NULL;
    switch (node->kind) {
    case TOML_TABLE:
        value = json_object();
        for (size_t i = 0; i < node->n; i++)
            json_object_set_new(value, node->items[i].key, to_json(&node->items[i]));
        return value;
    case TOML_ARRAY:
        value = json_array();
        for (size_t i = 0; i < node->n; i++)
            json_array_append_new(value, to_json(&node->items[i]));
        return value;
    case TOML_TEXT:
    case TOML_DATE:
        return json_string(node->text);
    case TOML_INTEGER:
        return json_integer(node->integer);
    case TOML_REAL:
        return json_real(node->real);
    case TOML_BOOL:
        return json_boolean(node->boolean);
    }
    return json_null();
}

char *toml_json(struct arena *a, const struct toml_node *node)
{
    json_t *value = to_json(node);
    char *text = json_text_in_order(a, value);
    json_decref(value);
    return text;
}

static void put_text(struct strbuf *b, const char *text)
{
    strbuf_addc(b, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            strbuf_printf(b, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            strbuf_printf(b, "\\u%04x", c);
        else
            strbuf_addc(b, (char)c);
    }
    strbuf_addc(b, '"');
}

/* With a point or an exponent, without which it would be read as a whole number. */
static void put_real(struct strbuf *b, double real)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%.17g", real);
    strbuf_printf(b, "%s%s", text, strpbrk(text, ".ein") ? "" : ".0");
}

static void put_value(struct strbuf *b, const struct toml_node *node);

/* NOLINTNEXTLINE(misc-no-recursion) */
static void put_items(struct strbuf *b, const struct toml_node *node, const char *ends)
{
    strbuf_addc(b, ends[0]);
    for (size_t i = 0; i < node->n; i++) {
        strbuf_adds(b, i ? ", " : "");
        if (node->kind == TOML_TABLE) {
            put_text(b, node->items[i].key);
            strbuf_adds(b, " = ");
        }
        put_value(b, &node->items[i]);
    }
    strbuf_addc(b, ends[1]);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void put_value(struct strbuf *b, const struct toml_node *node)
{
    switch (node->kind) {
    case TOML_TABLE:
        put_items(b, node, "{}");
        return;
    case TOML_ARRAY:
        put_items(b, node, "[]");
        return;
    case TOML_TEXT:
        put_text(b, node->text);
        return;
    case TOML_DATE:
        strbuf_adds(b, node->text);
        return;
    case TOML_INTEGER:
        strbuf_printf(b, "%lld", (long long)node->integer);
        return;
    case TOML_REAL:
        put_real(b, node->real);
        return;
    case TOML_BOOL:
        strbuf_adds(b, node->boolean ? "true" : "false");
        return;
    }
}

char *toml_table_array(struct arena *a, const char *name, const struct toml_node *array)
{
    /* every byte read may become an escape of six */
    CLEANUP(strbuf) struct strbuf b = strbuf_init(6 * LIMIT_CONFIG_BYTES);
    for (size_t i = 0; array && array->kind == TOML_ARRAY && i < array->n; i++) {
        const struct toml_node *table = &array->items[i];
        strbuf_printf(&b, "[[%s]]\n", name);
        for (size_t k = 0; k < table->n && table->kind == TOML_TABLE; k++) {
            put_text(&b, table->items[k].key);
            strbuf_adds(&b, " = ");
            put_value(&b, &table->items[k]);
            strbuf_addc(&b, '\n');
        }
    }
    return arena_strdup(a, strbuf_text(&b));
}
