/*
 * What plain C does with a TOML tree: finding, merging, turning into JSON.
 */
#include "config/toml.h"

#include "base/json.h"

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
