/*
 * Redirect rules: the parser of lines and tables. Matching is in redirects_match.c.
 */
#include "local/redirects.h"

#include "base/limits.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define TOKENS_MAX 64

static bool is_url(const char *s)
{
    return starts_with(s, "http://") || starts_with(s, "https://");
}

static bool problem(struct arena *a, struct redirects *into, int line, const char *text)
{
    *vec_add(&into->problems, a) = (struct rule_problem){ line, text };
    return false;
}

/* ---- The path of a rule ---------------------------------------------------------------------- */

static int hex(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower(c) - 'a' + 10
                                        : -1;
}

/* Rules should be written encoded, but need not be: a "%" that is no escape stays. */
static char *decode(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
            c = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
            i += 2;
        }
        if (c != '\0')
            out[n++] = c;
    }
    return out;
}

static void split_path(struct arena *a, struct redirect_rule *rule, const char *path)
{
    VEC(const char *) parts = { 0 };
    struct str rest = str_of(*path == '/' ? path + 1 : path);
    if (rest.n > 0 && rest.p[rest.n - 1] == '/')
        rest.n--;
    while (rest.p && (rest.n > 0 || parts.n > 0))
        *vec_add(&parts, a) = decode(a, str_cut(&rest, '/'));
    rule->segments = parts.v;
    rule->segment_count = parts.n;
}

static const char *set_from(struct arena *a, struct redirect_rule *rule, const char *from)
{
    rule->from = from;
    const char *path = from;
    if (is_url(from)) {
        const char *host = strstr(from, "://") + 3;
        size_t n = strcspn(host, "/?#");
        if (n == 0)
            return "the URL to redirect from has no host";
        rule->scheme = arena_strndup(a, from, (size_t)(host - 3 - from));
        rule->host = arena_strndup(a, host, n);
        path = host[n] == '/' ? host + n : "/";
    } else if (*from != '/') {
        return "the path to redirect from must start with \"/\", \"http://\" or \"https://\"";
    }
    if (starts_with(path, "/.netlify") && (path[9] == '/' || !path[9]))
        return "paths below /.netlify cannot be redirected";
    split_path(a, rule, path);
    size_t stars = 0;
    for (size_t i = 0; i < rule->segment_count; i++)
        stars += strchr(rule->segments[i], '*') != NULL;
    return stars > 1 ? "more than one \"*\" in a path" : NULL;
}

/* "/prefix/STAR 200" without a target serves the same path. */
static const char *default_target(struct arena *a, const char *from, int status)
{
    size_t n = strlen(from);
    if (n < 2 || strcmp(from + n - 2, "/*") != 0 || status < 200 || status > 299)
        return NULL;
    return arena_printf(a, "%.*s/:splat", (int)(n - 2), from);
}

static const char *finish_rule(struct arena *a, struct redirects *into, struct redirect_rule *rule,
                               const char *from)
{
    const char *why = set_from(a, rule, from);
    if (why)
        return why;
    if (!rule->status)
        rule->status = 301;
    if (!rule->to)
        rule->to = default_target(a, from, rule->status);
    if (!rule->to)
        return "there is no path or URL to redirect to";
    if (*rule->to != '/' && !is_url(rule->to))
        return "the target must start with \"/\", \"http://\" or \"https://\"";
    if (is_url(rule->to)) {
        const char *host = strstr(rule->to, "://") + 3;
        if (strcspn(host, "/?#") == 0)
            return "the URL to redirect to has no host";
    }
    *vec_add(&into->rules, a) = *rule;
    return NULL;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static size_t tokenize(struct arena *a, struct str line, const char **tokens)
{
    size_t count = 0;
    size_t i = 0;
    while (i < line.n && count < TOKENS_MAX) {
        while (i < line.n && isspace((unsigned char)line.p[i]))
            i++;
        size_t start = i;
        while (i < line.n && !isspace((unsigned char)line.p[i]))
            i++;
        if (i == start || line.p[start] == '#')
            break;
        tokens[count++] = arena_strndup(a, line.p + start, i - start);
    }
    return count;
}

static bool is_number(const char *s)
{
    return isdigit((unsigned char)*s) || ((*s == '-' || *s == '+') && isdigit((unsigned char)s[1]));
}

static bool is_target(const char *s)
{
    return *s == '/' || is_url(s);
}

static struct text_pair pair_of(struct arena *a, const char *token, bool lower_name)
{
    size_t n = strcspn(token, "=");
    char *name = arena_strndup(a, token, n);
    for (char *p = name; lower_name && *p; p++)
        *p = (char)tolower((unsigned char)*p);
    const char *value = token[n] ? token + n + 1 : "";
    return (struct text_pair){ name, arena_strndup(a, value, strcspn(value, "=")) };
}

static const char *read_status(struct redirect_rule *rule, const char *token)
{
    if (!is_number(token))
        return "the status is not a number";
    long status = strtol(token, NULL, 10);
    if (status < 200 || status > 999)
        return "the status is not between 200 and 999";
    rule->status = (int)status;
    rule->is_forced = ends_with(token, "!");
    return NULL;
}

static const char *read_rule(struct arena *a, struct redirects *into, const char **tokens,
                             size_t count)
{
    struct redirect_rule rule = { 0 };
    size_t at = 1;
    if (count == 1)
        return "there is no path or URL to redirect to";
    if (!is_number(tokens[1])) {
        VEC(struct text_pair) query = { 0 };
        for (; at < count && !is_target(tokens[at]); at++)
            *vec_add(&query, a) = pair_of(a, tokens[at], false);
        if (at == count)
            return "the target must start with \"/\", \"http://\" or \"https://\"";
        rule.query = query.v;
        rule.query_count = query.n;
        rule.to = tokens[at++];
    }
    if (at < count) {
        const char *why = read_status(&rule, tokens[at++]);
        if (why)
            return why;
    }
    VEC(struct text_pair) conditions = { 0 };
    for (; at < count; at++)
        *vec_add(&conditions, a) = pair_of(a, tokens[at], true);
    rule.conditions = conditions.v;
    rule.condition_count = conditions.n;
    return finish_rule(a, into, &rule, tokens[0]);
}

void redirects_add_text(struct arena *a, struct redirects *into, struct str text)
{
    int number = 0;
    while (text.p) {
        struct str line = str_cut(&text, '\n');
        number++;
        const char *tokens[TOKENS_MAX];
        size_t count = tokenize(a, line, tokens);
        if (count == 0)
            continue;
        const char *why = read_rule(a, into, tokens, count);
        if (why)
            (void)problem(a, into, number, why);
    }
}

/* ---- Tables of netlify.toml ------------------------------------------------------------------ */

static const struct toml_node *find_any(const struct toml_node *table, const char *const *names)
{
    for (; *names; names++) {
        const struct toml_node *n = toml_find(table, *names);
        if (n)
            return n;
    }
    return NULL;
}

static const char *text_of(const struct toml_node *n)
{
    return n && n->kind == TOML_TEXT ? n->text : NULL;
}

static const char *text_or_list(struct arena *a, const struct toml_node *n)
{
    if (n->kind == TOML_TEXT)
        return n->text;
    if (n->kind == TOML_BOOL)
        return n->boolean ? "true" : "false";
    if (n->kind == TOML_INTEGER)
        return arena_printf(a, "%lld", (long long)n->integer);
    const char *joined = "";
    for (size_t i = 0; n->kind == TOML_ARRAY && i < n->n; i++) {
        if (n->items[i].kind == TOML_TEXT)
            joined = arena_printf(a, "%s%s%s", joined, *joined ? "," : "", n->items[i].text);
    }
    return joined;
}

// NOLINTNEXTLINE(readability-function-size): nested as the table is
static const struct text_pair *pairs_of(struct arena *a, const struct toml_node *table, bool lower,
                                        size_t *ret_count)
{
    if (!table || table->kind != TOML_TABLE)
        return NULL;
    struct text_pair *pairs = ARENA_ARRAY(a, struct text_pair, table->n);
    for (size_t i = 0; i < table->n; i++) {
        char *name = arena_strdup(a, table->items[i].key);
        for (char *p = name; lower && *p; p++)
            *p = (char)tolower((unsigned char)*p);
        pairs[i] = (struct text_pair){ name, text_or_list(a, &table->items[i]) };
    }
    *ret_count = table->n;
    return pairs;
}

static const char *read_table(struct arena *a, struct redirects *into,
                              const struct toml_node *table)
{
    struct redirect_rule rule = { 0 };
    const char *from = text_of(find_any(table, (const char *const[]){ "from", "origin", NULL }));
    rule.to = text_of(find_any(table, (const char *const[]){ "to", "destination", NULL }));
    if (!from)
        return "a redirect has no \"from\"";
    const struct toml_node *status = toml_find(table, "status");
    if (status && status->kind == TOML_INTEGER) {
        if (status->integer < 200 || status->integer > 999)
            return "the status is not between 200 and 999";
        rule.status = (int)status->integer;
    } else if (status && status->kind == TOML_TEXT) {
        const char *why = read_status(&rule, status->text);
        if (why)
            return why;
    }
    const struct toml_node *force = toml_find(table, "force");
    rule.is_forced |= force && force->kind == TOML_BOOL && force->boolean;
    rule.query =
        pairs_of(a, find_any(table, (const char *const[]){ "query", "params", "parameters", NULL }),
                 false, &rule.query_count);
    rule.conditions = pairs_of(a, toml_find(table, "conditions"), true, &rule.condition_count);
    rule.headers = pairs_of(a, toml_find(table, "headers"), false, &rule.header_count);
    return finish_rule(a, into, &rule, from);
}

void redirects_add_toml(struct arena *a, struct redirects *into, const struct toml_node *root)
{
    const struct toml_node *list = toml_find(root, "redirects");
    for (size_t i = 0; list && list->kind == TOML_ARRAY && i < list->n; i++) {
        const char *why = read_table(a, into, &list->items[i]);
        if (why)
            (void)problem(a, into, list->items[i].line, why);
    }
}

/* ---- Duplicates ------------------------------------------------------------------------------ */

static bool pairs_equal(const struct text_pair *a, size_t a_count, const struct text_pair *b,
                        size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++) {
        if (!streq(a[i].name, b[i].name) || !streq(a[i].value, b[i].value))
            return false;
    }
    return true;
}

static bool rules_equal(const struct redirect_rule *a, const struct redirect_rule *b)
{
    return streq(a->from, b->from) && streq(a->to, b->to) && a->status == b->status &&
           a->is_forced == b->is_forced &&
           pairs_equal(a->query, a->query_count, b->query, b->query_count) &&
           pairs_equal(a->conditions, a->condition_count, b->conditions, b->condition_count) &&
           pairs_equal(a->headers, a->header_count, b->headers, b->header_count);
}

void redirects_finish(struct redirects *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->rules.n; i++) {
        bool again = false;
        for (size_t k = i + 1; k < r->rules.n && !again && r->rules.n <= LIMIT_REDIRECTS_COMPARED;
             k++)
            again = rules_equal(&r->rules.v[i], &r->rules.v[k]);
        if (!again)
            r->rules.v[kept++] = r->rules.v[i];
    }
    r->rules.n = kept;
}
