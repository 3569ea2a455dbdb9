/*
 * The reader: see read.h. Each kind of value has one function; the row decides which.
 */
#include "config/read.h"

#include "base/duration.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/nearest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* One value on its way into its field. */
struct place {
    const struct key *key;
    const struct toml_node *node;
    const char *path; /* "env.staging.watch.site" */
    char *at;
};

bool read_file(struct reader *r, const char *path, struct toml_node *ret, struct err *e)
{
    struct str text;
    if (!fs_read(r->arena, path, LIMIT_CONFIG_BYTES, &text, e))
        return e->code == ERR_NOT_FOUND ? false : err_wrap(e, "read %s", r->file);
    return toml_parse(r->arena, text, r->file, ret, e) || err_wrap(e, "read %s", r->file);
}

static struct origin origin_of(const struct reader *r, const struct toml_node *node)
{
    if (node->line == 0) /* made from a default */
        return (struct origin){ .kind = ORIGIN_DEFAULT };
    return (struct origin){ ORIGIN_FILE, r->file, node->line, node->column };
}

static struct origin key_origin(const struct reader *r, const struct toml_node *node)
{
    return (struct origin){ ORIGIN_FILE, r->file, node->key_line, node->key_column };
}

static bool wrong(const struct reader *r, const struct place *p, const char *expected,
                  struct err *e)
{
    const struct toml_node *n = p->node;
    if (n->kind == TOML_TEXT)
        err_set(e, ERR_CONFIG, "%s must be %s, not \"%s\"", p->path, expected, n->text);
    else
        err_set(e, ERR_CONFIG, "%s must be %s, not %s", p->path, expected, toml_kind_name(n->kind));
    return err_where_origin(e, origin_of(r, n));
}

static const char *resolved(const struct reader *r, const char *text)
{
    return r->resolve ? r->resolve(r->context, text) : text;
}

static bool read_text(struct reader *r, struct place *p, struct err *e)
{
    if (p->node->kind != TOML_TEXT)
        return wrong(r, p, "a text", e);
    *(const char **)(void *)p->at = resolved(r, p->node->text);
    return true;
}

static bool read_path(struct reader *r, struct place *p, struct err *e)
{
    if (p->node->kind != TOML_TEXT || p->node->text[0] == '\0')
        return wrong(r, p, "a path", e);
    const char *text = resolved(r, p->node->text);
    while (starts_with(text, "./"))
        text += 2;
    *(const char **)(void *)p->at = text[0] == '/' ? text : fs_join(r->arena, r->dir, text);
    return true;
}

static bool read_bool(struct reader *r, struct place *p, struct err *e)
{
    if (p->node->kind != TOML_BOOL)
        return wrong(r, p, "true or false", e);
    *(bool *)(void *)p->at = p->node->boolean;
    return true;
}

static bool read_int(struct reader *r, struct place *p, struct err *e)
{
    if (p->node->kind != TOML_INTEGER || p->node->integer < 0)
        return wrong(r, p, "a whole number that is not negative", e);
    *(int64_t *)(void *)p->at = p->node->integer;
    return true;
}

static bool read_ms(struct reader *r, struct place *p, struct err *e)
{
    if (p->node->kind != TOML_TEXT ||
        !duration_parse(str_of(p->node->text), (int64_t *)(void *)p->at))
        return wrong(r, p, "a time such as \"4s\", \"5m\" or \"2h\"", e);
    return true;
}

static bool read_share(struct reader *r, struct place *p, struct err *e)
{
    char *end = NULL;
    double percent = p->node->kind == TOML_TEXT ? strtod(p->node->text, &end) : -1;
    if (!end || end == p->node->text || !streq(end, "%") || !(percent >= 0 && percent <= 100))
        return wrong(r, p, "a share such as \"0.5%\"", e);
    *(double *)(void *)p->at = percent / 100;
    return true;
}

/* "same|rebuild" → "same or rebuild" */
static const char *words_for_people(struct arena *a, const char *words)
{
    char *text = arena_strdup(a, "");
    struct str rest = str_of(words);
    while (rest.n > 0) {
        struct str word = str_cut(&rest, '|');
        const char *gap = text[0] == '\0' ? "" : rest.n > 0 ? ", " : " or ";
        text = arena_printf(a, "%s%s\"%.*s\"", text, gap, STR_FMT(word));
    }
    return text;
}

/* The place of a word in "a|b|c", or -1. */
static int word_index(const char *words, const char *text)
{
    struct str rest = str_of(words);
    for (int i = 0; rest.n > 0; i++) {
        if (str_is(str_cut(&rest, '|'), text))
            return i;
    }
    return -1;
}

static bool read_word(struct reader *r, struct place *p, struct err *e)
{
    int index = p->node->kind == TOML_TEXT ? word_index(p->key->words, p->node->text) : -1;
    if (index < 0)
        return wrong(r, p, words_for_people(r->arena, p->key->words), e);
    *(int *)(void *)p->at = index;
    return true;
}

static bool read_choice(struct reader *r, struct place *p, struct err *e)
{
    if (p->node->kind != TOML_TEXT || word_index(p->key->words, p->node->text) < 0)
        return wrong(r, p, words_for_people(r->arena, p->key->words), e);
    *(const char **)(void *)p->at = p->node->text;
    return true;
}

/* A date that the calendar has, with or without quotes. */
static bool read_date(struct reader *r, struct place *p, struct err *e)
{
    struct tm tm = { 0 };
    const char *text = p->node->text;
    bool is_text = p->node->kind == TOML_TEXT || p->node->kind == TOML_DATE;
    const char *end =
        is_text && strlen(text) == strlen("2027-06-01") ? strptime(text, "%Y-%m-%d", &tm) : NULL;
    struct tm normal = tm;
    normal.tm_isdst = 0;
    if (!end || *end || timegm(&normal) == -1 || normal.tm_mday != tm.tm_mday)
        return wrong(r, p, "a date such as 2027-06-01", e);
    *(const char **)(void *)p->at = text;
    return true;
}

static bool is_list_of_texts(const struct toml_node *node)
{
    if (node->kind != TOML_ARRAY)
        return false;
    for (size_t i = 0; i < node->n; i++) {
        if (node->items[i].kind != TOML_TEXT)
            return false;
    }
    return true;
}

static bool read_words(struct reader *r, struct place *p, struct err *e)
{
    const char *people = words_for_people(r->arena, p->key->words);
    if (!is_list_of_texts(p->node))
        return wrong(r, p, arena_printf(r->arena, "a list of %s", people), e);
    unsigned bits = 0;
    for (size_t i = 0; i < p->node->n; i++) {
        int index = word_index(p->key->words, p->node->items[i].text);
        struct place item = { p->key, &p->node->items[i], p->path, NULL };
        if (index < 0)
            return wrong(r, &item, arena_printf(r->arena, "a list of %s", people), e);
        bits |= 1U << index;
    }
    *(unsigned *)(void *)p->at = bits;
    return true;
}

static bool read_texts(struct reader *r, struct place *p, struct err *e)
{
    struct text_array *to = (void *)p->at;
    if (!is_list_of_texts(p->node))
        return wrong(r, p, "a list of texts", e);
    to->v = ARENA_ARRAY(r->arena, const char *, p->node->n + 1);
    for (to->n = 0; to->n < p->node->n; to->n++) {
        to->v[to->n] = resolved(r, p->node->items[to->n].text);
        origin_set(r->origins, &to->v[to->n], origin_of(r, &p->node->items[to->n]));
    }
    return true;
}

/* A table of names and values; `text_of` gives NULL for a value that is not of this kind. */
static bool read_members(struct reader *r, struct place *p, const char *table, const char *of,
                         const char *(*text_of)(struct reader *r, const struct toml_node *item),
                         struct err *e)
{
    struct pair_array *to = (void *)p->at;
    if (p->node->kind != TOML_TABLE)
        return wrong(r, p, table, e);
    to->v = ARENA_ARRAY(r->arena, struct text_pair, p->node->n + 1);
    to->n = 0;
    for (size_t i = 0; i < p->node->n; i++) {
        const struct toml_node *item = &p->node->items[i];
        const char *path = arena_printf(r->arena, "%s.%s", p->path, item->key);
        struct place inner = { p->key, item, path, NULL };
        const char *text = text_of(r, item);
        if (!text)
            return wrong(r, &inner, of, e);
        struct text_pair *pair = &to->v[to->n++];
        *pair = (struct text_pair){ item->key, text };
        origin_set(r->origins, &pair->name, key_origin(r, item));
        origin_set(r->origins, &pair->value, origin_of(r, item));
    }
    return true;
}

static const char *text_item(struct reader *r, const struct toml_node *item)
{
    return item->kind == TOML_TEXT ? resolved(r, item->text) : NULL;
}

static bool read_pairs(struct reader *r, struct place *p, struct err *e)
{
    return read_members(r, p, "a table of texts", "a text", text_item, e);
}

static bool read_json(struct reader *r, struct place *p, struct err *e)
{
    (void)e;
    *(const char **)(void *)p->at = toml_json(r->arena, p->node);
    return true;
}

/* TOML has dates and infinity, JSON has not. */
static const char *json_item(struct reader *r, const struct toml_node *item)
{
    bool is_json = item->kind != TOML_DATE && (item->kind != TOML_REAL || isfinite(item->real));
    return is_json ? toml_json(r->arena, item) : NULL;
}

static bool read_jsons(struct reader *r, struct place *p, struct err *e)
{
    return read_members(r, p, "a table", "a value that JSON has", json_item, e);
}

/* supabase = "remote:staging" means supabase = { ref = "remote:staging" } */
static struct toml_node table_from_text(struct arena *a, const struct key *key,
                                        const struct toml_node *text)
{
    struct toml_node *item = ARENA_NEW(a, struct toml_node);
    *item = *text;
    item->key = key->words;
    struct toml_node table = *text;
    table.kind = TOML_TABLE;
    table.items = item;
    table.n = 1;
    return table;
}

static bool read_inner(struct reader *r, struct place *p, struct err *e)
{
    struct toml_node table = *p->node;
    if (table.kind == TOML_TEXT && p->key->words)
        table = table_from_text(r->arena, p->key, p->node);
    if (table.kind != TOML_TABLE)
        return wrong(r, p, "a table", e);
    return read_table(r, &table, p->key->keys, p->path, p->at, e);
}

/* Room for `n` items, { T *v; size_t n; } at the place. */
static char *make_items(struct reader *r, struct place *p, size_t n)
{
    char *items = arena_array(r->arena, n + 1, p->key->item_bytes);
    memcpy(p->at, &(void *){ items }, sizeof(void *));
    memcpy(p->at + sizeof(void *), &n, sizeof n);
    return items;
}

static bool read_named(struct reader *r, struct place *p, struct err *e)
{
    if (p->node->kind != TOML_TABLE)
        return wrong(r, p, "a table of tables", e);
    size_t n = p->node->n;
    char *items = make_items(r, p, n);
    for (size_t i = 0; i < n; i++) {
        const struct toml_node *node = &p->node->items[i];
        char *item = items + i * p->key->item_bytes;
        const char *path = arena_printf(r->arena, "%s.%s", p->path, node->key);
        struct place inner = { p->key, node, path, item };
        *(const char **)(void *)item = node->key;
        origin_set(r->origins, item, key_origin(r, node));
        if (!read_inner(r, &inner, e))
            return false;
    }
    return true;
}

static bool read_list(struct reader *r, struct place *p, struct err *e)
{
    if (p->node->kind != TOML_ARRAY)
        return wrong(r, p, "a list of tables", e);
    size_t n = p->node->n;
    char *items = make_items(r, p, n);
    for (size_t i = 0; i < n; i++) {
        char *item = items + i * p->key->item_bytes;
        struct place inner = { p->key, &p->node->items[i], p->path, item };
        origin_set(r->origins, item, origin_of(r, inner.node));
        if (!read_inner(r, &inner, e))
            return false;
    }
    return true;
}

static bool read_later(struct reader *r, struct place *p, struct err *e)
{
    err_set(e, ERR_CONFIG, "%s is not supported yet", p->path);
    err_where_origin(e, key_origin(r, p->node));
    return err_hint(e, "remove it, or keep it as a note: x-%s", p->key->name);
}

typedef bool (*read_function)(struct reader *r, struct place *p, struct err *e);

static const read_function read_functions[] = {
    [KEY_TEXT] = read_text,   [KEY_PATH] = read_path,   [KEY_BOOL] = read_bool,
    [KEY_INT] = read_int,     [KEY_MS] = read_ms,       [KEY_SHARE] = read_share,
    [KEY_WORD] = read_word,   [KEY_WORDS] = read_words, [KEY_TEXTS] = read_texts,
    [KEY_PAIRS] = read_pairs, [KEY_JSON] = read_json,   [KEY_CHOICE] = read_choice,
    [KEY_DATE] = read_date,   [KEY_JSONS] = read_jsons, [KEY_TABLE] = read_inner,
    [KEY_NAMED] = read_named, [KEY_LIST] = read_list,   [KEY_LATER] = read_later,
};

/* The default of a row as if it stood in the file; false if it has none. */
static bool default_node(const struct key *key, struct toml_node *ret)
{
    uint64_t number = 0;
    *ret = (struct toml_node){ .kind = TOML_TEXT, .text = key->otherwise, .key = key->name };
    if (key->kind == KEY_TABLE) {
        ret->kind = TOML_TABLE;
        return true;
    }
    if (!key->otherwise || key->kind == KEY_TEXTS)
        return false;
    if (key->kind == KEY_BOOL) {
        ret->kind = TOML_BOOL;
        ret->boolean = streq(key->otherwise, "true");
    } else if (key->kind == KEY_INT && str_to_u64(str_of(key->otherwise), &number)) {
        ret->kind = TOML_INTEGER;
        ret->integer = (int64_t)number;
    }
    return true;
}

static bool unknown_key(const struct reader *r, const struct toml_node *node,
                        const struct key *keys, const char *path, struct err *e)
{
    struct nearest n = nearest_to(node->key);
    for (const struct key *k = keys; k->name; k++)
        nearest_offer(&n, k->name);
    const char *in = path[0] ? arena_printf(r->arena, " in [%s]", path) : "";
    if (n.best)
        err_set(e, ERR_CONFIG, "unknown key \"%s\"%s; did you mean \"%s\"?", node->key, in, n.best);
    else
        err_set(e, ERR_CONFIG, "unknown key \"%s\"%s", node->key, in);
    err_where_origin(e, key_origin(r, node));
    return err_hint(e, "lockflight man lockflight.toml    (a note of your own begins with x-)");
}

static bool check_names(const struct reader *r, const struct toml_node *table,
                        const struct key *keys, const char *path, struct err *e)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct key *k = keys;
        while (k->name && !streq(k->name, table->items[i].key))
            k++;
        if (!k->name && !starts_with(table->items[i].key, "x-"))
            return unknown_key(r, &table->items[i], keys, path, e);
    }
    return true;
}

bool read_table(struct reader *r, const struct toml_node *table, const struct key *keys,
                const char *path, void *base, struct err *e)
{
    if (table && r->is_strict && !check_names(r, table, keys, path, e))
        return false;
    for (const struct key *k = keys; k->name; k++) {
        struct toml_node fallback;
        const struct toml_node *node = toml_find(table, k->name);
        if (!node && !default_node(k, &fallback))
            continue;
        struct place p = { k, node ? node : &fallback, k->name, (char *)base + k->at };
        if (path[0])
            p.path = arena_printf(r->arena, "%s.%s", path, k->name);
        if (!read_functions[k->kind](r, &p, e))
            return false;
        if (k->kind != KEY_TABLE && k->kind != KEY_NAMED && k->kind != KEY_LIST)
            origin_set(r->origins, p.at, origin_of(r, p.node));
    }
    return true;
}
