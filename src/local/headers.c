/*
 * Header rules: see headers.h. A path pattern is compiled to a row of steps and run as a set of
 * positions, so that no pattern can make matching slow: bytes × steps at most.
 */
#include "local/headers.h"

#include "base/limits.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <strings.h>

/* ---- Patterns -------------------------------------------------------------------------------- */

enum step_kind {
    STEP_BYTE,     /* this byte */
    STEP_OPTIONAL, /* a slash and the step behind it, or neither */
    STEP_ANY,      /* any bytes, none included */
    STEP_WORD,     /* one byte that is no slash */
    STEP_WORD_ON,  /* more of them, none included */
};

struct step {
    enum step_kind kind;
    char byte;
};

struct pattern {
    struct step *steps;
    size_t n;
};

static size_t without_slash(const char *path)
{
    size_t n = strlen(path);
    return n > 0 && path[n - 1] == '/' ? n - 1 : n;
}

// NOLINTNEXTLINE(readability-function-size): nested as the pattern is
static const struct pattern *compile(struct arena *a, const char *path)
{
    size_t n = without_slash(path);
    struct pattern *p = ARENA_NEW(a, struct pattern);
    p->steps = ARENA_ARRAY(a, struct step, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        char c = path[i];
        bool at_start = i > 0 && path[i - 1] == '/';
        if (c == '/' && i + 1 < n && path[i + 1] == '*' && (i + 2 == n || path[i + 2] == '/')) {
            p->steps[p->n++] = (struct step){ STEP_OPTIONAL, '/' };
            p->steps[p->n++] = (struct step){ STEP_ANY, 0 };
            i++;
        } else if (c == '*') {
            p->steps[p->n++] = (struct step){ STEP_ANY, 0 };
        } else if (c == ':' && at_start && i + 1 < n && path[i + 1] != '/') {
            p->steps[p->n++] = (struct step){ STEP_WORD, 0 };
            p->steps[p->n++] = (struct step){ STEP_WORD_ON, 0 };
            while (i + 1 < n && path[i + 1] != '/')
                i++;
        } else {
            p->steps[p->n++] = (struct step){ STEP_BYTE, (char)tolower((unsigned char)c) };
        }
    }
    return p;
}

/* Marks position i and all that are reached from it without a byte. */
static void reach(const struct pattern *p, bool *set, size_t i)
{
    while (i <= p->n && !set[i]) {
        set[i] = true;
        if (i == p->n)
            return;
        switch (p->steps[i].kind) {
        case STEP_OPTIONAL:
            i += 2;
            break;
        case STEP_ANY:
        case STEP_WORD_ON:
            i++;
            break;
        case STEP_BYTE:
        case STEP_WORD:
            return;
        }
    }
}

// NOLINTNEXTLINE(readability-function-size): nested as the pattern is
static bool fits(struct arena *a, const struct pattern *p, const char *path)
{
    size_t n = without_slash(path);
    size_t literal = 0; /* most patterns fail in their fixed beginning */
    while (literal < p->n && p->steps[literal].kind == STEP_BYTE) {
        if (literal >= n || tolower((unsigned char)path[literal]) != p->steps[literal].byte)
            return false;
        literal++;
    }
    bool *now = ARENA_ARRAY(a, bool, p->n + 1);
    bool *next = ARENA_ARRAY(a, bool, p->n + 1);
    reach(p, now, literal);
    for (size_t k = literal; k < n; k++) {
        char c = (char)tolower((unsigned char)path[k]);
        memset(next, 0, p->n + 1);
        for (size_t i = 0; i < p->n; i++) {
            const struct step *s = &p->steps[i];
            if (!now[i])
                continue;
            if (s->kind == STEP_ANY || (s->kind == STEP_WORD_ON && c != '/'))
                reach(p, next, i);
            else if (((s->kind == STEP_BYTE || s->kind == STEP_OPTIONAL) && s->byte == c) ||
                     (s->kind == STEP_WORD && c != '/'))
                reach(p, next, i + 1);
        }
        bool *swap = now;
        now = next;
        next = swap;
    }
    return now[p->n];
}

/* ---- Reading --------------------------------------------------------------------------------- */

static bool is_refused(const char *name)
{
    static const char *const refused[] = {
        "content-length",
        "transfer-encoding",
        "connection",
        "date",
        "server",
        "upgrade",
        "trailer",
        "accept-ranges",
        "age",
        "allow",
        "alt-svc",
        "content-encoding",
        "content-range",
        "location",
        "keep-alive",
        "te",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (strcasecmp(name, refused[i]) == 0)
            return true;
    }
    return false;
}

static void problem(struct arena *a, struct header_rules *into, int line, const char *text)
{
    *vec_add(&into->problems, a) = (struct rule_problem){ line, text };
}

/* A path and the lines below it, until all of them are known. */
struct block {
    const char *path; /* NULL: none is open */
    VEC(struct text_pair) lines;
};

static bool has_value(const struct header_rule *rule, const char *name)
{
    for (size_t i = 0; i < rule->count; i++) {
        if (streq(rule->values[i].name, name))
            return true;
    }
    return false;
}

/* The values of one name, from line `first` on, with commas between. */
static const char *join(struct arena *a, const struct block *b, size_t first)
{
    const char *name = b->lines.v[first].name;
    size_t bytes = 1;
    for (size_t i = first; i < b->lines.n; i++)
        bytes += streq(b->lines.v[i].name, name) ? strlen(b->lines.v[i].value) + 2 : 0;
    char *joined = arena_alloc(a, bytes), *end = joined;
    for (size_t i = first; i < b->lines.n; i++) {
        if (!streq(b->lines.v[i].name, name))
            continue;
        end = stpcpy(end, i > first ? ", " : "");
        end = stpcpy(end, b->lines.v[i].value);
    }
    return joined;
}

/* NULL if the block has no header. */
static struct header_rule *make_rule(struct arena *a, struct header_rules *into,
                                     const struct block *b, int number)
{
    if (!b->path || b->lines.n == 0)
        return NULL;
    struct header_rule *rule = ARENA_NEW(a, struct header_rule);
    rule->path = b->path;
    rule->pattern = compile(a, b->path);
    rule->values = ARENA_ARRAY(a, struct text_pair, LIMIT_RULE_HEADERS);
    for (size_t i = 0; i < b->lines.n; i++) {
        const char *name = b->lines.v[i].name;
        if (has_value(rule, name))
            continue;
        if (rule->count == LIMIT_RULE_HEADERS) {
            problem(a, into, number, "more than 100 different headers for one path");
            break;
        }
        into->has_basic_auth |= strcasecmp(name, "basic-auth") == 0;
        rule->values[rule->count++] = (struct text_pair){ name, join(a, b, i) };
    }
    return rule;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static void read_value(struct arena *a, struct header_rules *into, struct block *b, struct str line,
                       int number)
{
    struct str value = line;
    struct str name = str_trim(str_cut(&value, ':'));
    if (!value.p)
        return; /* no colon: silently dropped, as the site host does */
    value = str_trim(value);
    if (name.n == 0)
        problem(a, into, number, "a header without a name");
    else if (value.n == 0)
        problem(a, into, number, "a header without a value");
    else if (has_control(line))
        problem(a, into, number, "a control character in a header");
    else if (!b->path)
        problem(a, into, number, "a header before any path");
    else if (!is_refused(str_dup(a, name)))
        *vec_add(&b->lines, a) = (struct text_pair){ str_dup(a, name), str_dup(a, value) };
}

void headers_add_text(struct arena *a, struct header_rules *into, struct str text)
{
    struct block b = { 0 };
    int number = 0;
    while (text.p) {
        struct str line = str_trim(str_cut(&text, '\n'));
        number++;
        if (line.n == 0 || line.p[0] == '#')
            continue;
        if (line.p[0] != '/') {
            read_value(a, into, &b, line, number);
            continue;
        }
        const struct header_rule *rule = make_rule(a, into, &b, number);
        if (rule)
            *vec_add(&into->rules, a) = *rule;
        b = (struct block){ .path = str_dup(a, line) };
    }
    const struct header_rule *rule = make_rule(a, into, &b, number);
    if (rule)
        *vec_add(&into->rules, a) = *rule;
}

/* A text or the texts of a list, with one comma and one blank between items. */
static const char *toml_value(struct arena *a, const struct toml_node *n)
{
    CLEANUP(strbuf) struct strbuf joined = strbuf_init(2 * LIMIT_RULES_BYTES);
    struct str rest = n->kind == TOML_TEXT ? str_of(n->text) : (struct str){ 0 };
    while (rest.p) { /* blanks around commas, line ends included, become one */
        struct str item = str_trim(str_cut(&rest, ','));
        strbuf_printf(&joined, "%s%.*s", joined.n > 0 ? ", " : "", STR_FMT(item));
    }
    for (size_t i = 0; n->kind == TOML_ARRAY && i < n->n; i++) {
        if (n->items[i].kind == TOML_TEXT)
            strbuf_printf(&joined, "%s%s", joined.n > 0 ? ", " : "", n->items[i].text);
    }
    return arena_strdup(a, strbuf_text(&joined));
}

static void add_table(struct arena *a, struct header_rules *into, const struct toml_node *table)
{
    const struct toml_node *path = toml_find(table, "for");
    const struct toml_node *values = toml_find(table, "values");
    if (!path || path->kind != TOML_TEXT || *path->text != '/') {
        problem(a, into, table->line, "[[headers]] without a \"for\" that starts with \"/\"");
        return;
    }
    struct block b = { .path = path->text };
    for (size_t i = 0; values && values->kind == TOML_TABLE && i < values->n; i++) {
        const char *value = toml_value(a, &values->items[i]);
        if (*value && !is_refused(values->items[i].key))
            *vec_add(&b.lines, a) = (struct text_pair){ values->items[i].key, value };
    }
    const struct header_rule *rule = make_rule(a, into, &b, table->line);
    if (!rule)
        return;
    for (size_t i = 0; i < into->rules.n; i++) {
        if (streq(into->rules.v[i].path, rule->path)) {
            into->rules.v[i] = *rule;
            return;
        }
    }
    *vec_add(&into->rules, a) = *rule;
}

void headers_add_toml(struct arena *a, struct header_rules *into, const struct toml_node *root)
{
    const struct toml_node *list = toml_find(root, "headers");
    for (size_t i = 0; list && list->kind == TOML_ARRAY && i < list->n; i++)
        add_table(a, into, &list->items[i]);
}

/* ---- Match ----------------------------------------------------------------------------------- */

const struct text_pair *headers_match(const struct header_rules *h, struct arena *a,
                                      const char *path, size_t *ret_count)
{
    VEC(struct text_pair) all = { 0 };
    for (size_t i = 0; i < h->rules.n; i++) {
        const struct header_rule *rule = &h->rules.v[i];
        if (!fits(a, rule->pattern, path))
            continue;
        for (size_t k = 0; k < rule->count; k++) {
            size_t at = 0;
            while (at < all.n && strcasecmp(all.v[at].name, rule->values[k].name) != 0)
                at++;
            if (at == all.n)
                (void)vec_add(&all, a);
            all.v[at] = rule->values[k];
        }
    }
    *ret_count = all.n;
    return all.v;
}
