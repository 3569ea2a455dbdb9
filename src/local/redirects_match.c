/*
 * Matching a request against redirect rules, and filling in the target.
 */
#include "base/limits.h"
#include "base/strbuf.h"
#include "local/redirects.h"

#include <ctype.h>
#include <strings.h>

#define CAPTURES_MAX 32

struct captures {
    struct text_pair v[CAPTURES_MAX]; /* name without ':', value decoded */
    size_t n;
};

static void capture(struct captures *c, const char *name, const char *value)
{
    if (c->n < CAPTURES_MAX)
        c->v[c->n++] = (struct text_pair){ name, value };
}

/* ---- Path ------------------------------------------------------------------------------------ */

struct path_parts {
    const char **start; /* where each segment begins in `text` */
    size_t *bytes;
    size_t n;
    bool has_trailing_slash;
};

static struct path_parts split(struct arena *a, const char *path)
{
    struct path_parts p = { 0 };
    size_t most = 1;
    for (const char *s = path; *s; s++)
        most += *s == '/';
    p.start = ARENA_ARRAY(a, const char *, most);
    p.bytes = ARENA_ARRAY(a, size_t, most);
    size_t n = strlen(path);
    if (n > 1 && path[n - 1] == '/') {
        p.has_trailing_slash = true;
        n--;
    }
    for (size_t at = 1; at < n;) {
        const char *slash = memchr(path + at, '/', n - at);
        size_t end = slash ? (size_t)(slash - path) : n;
        p.start[p.n] = path + at;
        p.bytes[p.n++] = end - at;
        at = end + 1;
        if (slash && at == n) { /* "/a//": an empty last segment */
            p.start[p.n] = path + at;
            p.bytes[p.n++] = 0;
        }
    }
    return p;
}

static bool fits_segment(struct arena *a, const char *pattern, const char *s, size_t n,
                         struct captures *c)
{
    if (pattern[0] == ':' && pattern[1]) {
        if (n == 0)
            return false;
        capture(c, pattern + 1, arena_strndup(a, s, n));
        return true;
    }
    return strlen(pattern) == n && memcmp(pattern, s, n) == 0;
}

static bool fits_all(struct arena *a, const char **pattern, const struct path_parts *p, size_t from,
                     size_t count, struct captures *c)
{
    for (size_t i = 0; i < count; i++) {
        if (!fits_segment(a, pattern[i], p->start[from + i], p->bytes[from + i], c))
            return false;
    }
    return true;
}

/* Everything from segment `from` on, `skip` bytes into it, to the end of segment `last` - 1. */
static char *text_between(struct arena *a, const struct path_parts *p, size_t from, size_t skip,
                          size_t last)
{
    if (from >= last)
        return arena_strdup(a, "");
    const char *start = p->start[from] + skip;
    const char *end = p->start[last - 1] + p->bytes[last - 1];
    return arena_strndup(a, start, (size_t)(end - start));
}

static bool fits_path(struct arena *a, const struct redirect_rule *rule, const struct path_parts *p,
                      struct captures *c)
{
    size_t star = 0;
    while (star < rule->segment_count && !strchr(rule->segments[star], '*'))
        star++;
    if (star == rule->segment_count)
        return p->n == star && fits_all(a, rule->segments, p, 0, star, c);
    const char *segment = rule->segments[star];
    size_t prefix = strcspn(segment, "*");
    size_t after = rule->segment_count - star - 1;
    if (segment[prefix + 1])
        return false; /* text behind the star: the site host never matches these */
    size_t least = star + after + (prefix > 0);
    if (p->n < least || !fits_all(a, rule->segments, p, 0, star, c) ||
        !fits_all(a, rule->segments + star + 1, p, p->n - after, after, c))
        return false;
    if (prefix > 0 && (p->bytes[star] < prefix || memcmp(p->start[star], segment, prefix) != 0))
        return false;
    const char *splat = text_between(a, p, star, prefix, p->n - after);
    if (prefix > 0 && *splat == '/')
        splat++;
    bool with_slash = after == 0 && p->has_trailing_slash && *splat;
    capture(c, "splat", with_slash ? arena_printf(a, "%s/", splat) : splat);
    return true;
}

/* ---- Query and conditions -------------------------------------------------------------------- */

static int hex(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower(c) - 'a' + 10
                                        : -1;
}

static char *decode_query(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        // NOLINTNEXTLINE(bugprone-narrowing-conversions): both are characters
        char c = s.p[i] == '+' ? ' ' : s.p[i];
        if (c == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
            c = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
            i += 2;
        }
        if (c != '\0')
            out[n++] = c;
    }
    return out;
}

static const char *query_value(struct arena *a, const char *query, const char *name)
{
    struct str rest = str_of(query ? query : "");
    while (rest.p) {
        struct str value = str_cut(&rest, '&');
        struct str key = str_cut(&value, '=');
        if (key.n > 0 && streq(decode_query(a, key), name))
            return value.p ? decode_query(a, value) : "";
    }
    return NULL;
}

static bool fits_query(struct arena *a, const struct redirect_rule *rule, const char *query,
                       struct captures *c)
{
    for (size_t i = 0; i < rule->query_count; i++) {
        const char *value = query_value(a, query, rule->query[i].name);
        const char *wanted = rule->query[i].value;
        if (!value)
            return false;
        if (wanted[0] == ':')
            capture(c, wanted + 1, value);
        else if (!streq(decode_query(a, str_of(wanted)), value))
            return false;
    }
    return true;
}

static bool is_in_list(const char *list, const char *value)
{
    struct str rest = str_of(list);
    while (rest.p) {
        struct str item = str_trim(str_cut(&rest, ','));
        if (value && item.n == strlen(value) && strncasecmp(item.p, value, item.n) == 0)
            return true;
    }
    return false;
}

char *cookie_value(struct arena *a, const char *cookies, const char *name)
{
    struct str rest = str_of(cookies ? cookies : "");
    while (rest.p) {
        struct str value = str_trim(str_cut(&rest, ';'));
        struct str key = str_cut(&value, '=');
        if (str_is(str_trim(key), name))
            return str_dup(a, value);
    }
    return NULL;
}

static bool has_cookie(struct arena *a, const char *cookies, const char *names)
{
    struct str rest = str_of(names);
    while (rest.p) {
        if (cookie_value(a, cookies, str_dup(a, str_trim(str_cut(&rest, ',')))))
            return true;
    }
    return false;
}

static bool fits_conditions(struct arena *a, const struct redirect_rule *rule,
                            const struct redirect_request *q)
{
    for (size_t i = 0; i < rule->condition_count; i++) {
        const struct text_pair *c = &rule->conditions[i];
        bool fits = true;
        if (streq(c->name, "country"))
            fits = is_in_list(c->value, q->country);
        else if (streq(c->name, "language"))
            fits = is_in_list(c->value, q->language);
        else if (streq(c->name, "cookie"))
            fits = has_cookie(a, q->cookies, c->value);
        else if (streq(c->name, "role"))
            fits = false; /* no identity service here, so no token is ever valid */
        if (!fits)
            return false;
    }
    return true;
}

/* ---- The target ------------------------------------------------------------------------------ */

static void add_byte(struct strbuf *out, char c, bool is_safe)
{
    if (is_safe)
        (void)strbuf_addc(out, c);
    else
        (void)strbuf_printf(out, "%%%02X", (unsigned char)c);
}

static void add_encoded(struct strbuf *out, const char *s, bool in_query)
{
    static const char path_safe[] = "-._~!$&'()*+,;=:@/";
    static const char query_safe[] = "-._~!$'()*,;:@/"; /* without what ends a value */
    for (; *s; s++)
        add_byte(out, *s,
                 isalnum((unsigned char)*s) || strchr(in_query ? query_safe : path_safe, *s));
}

/* What the author wrote stays as it is, but for bytes that cannot stand in a URL. */
static void add_literal(struct strbuf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        add_byte(out, s.p[i], c > 0x20 && c < 0x7f && !strchr("\"<>\\^`{|}", c));
    }
}

static const char *captured(const struct captures *c, struct str name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (str_is(name, c->v[i].name))
            return c->v[i].value;
    }
    return NULL;
}

/* Puts captures in, but never so that "/:splat" becomes "//elsewhere". NULL if the target grows
 * beyond all use. */
static char *fill(struct arena *a, const char *to, const struct captures *c)
{
    CLEANUP(strbuf) struct strbuf out = strbuf_init(LIMIT_REDIRECT_TARGET);
    bool in_query = false;
    while (*to && !out.overflowed) {
        size_t n = strcspn(to, ":");
        if (memchr(to, '?', n))
            in_query = true;
        add_literal(&out, (struct str){ to, n });
        to += n;
        if (!*to)
            break;
        size_t name_bytes = 0;
        while (isalnum((unsigned char)to[1 + name_bytes]) || to[1 + name_bytes] == '_')
            name_bytes++;
        const char *value = captured(c, (struct str){ to + 1, name_bytes });
        if (value) {
            while (streq(strbuf_text(&out), "/") && *value == '/')
                value++;
            add_encoded(&out, value, in_query);
        } else {
            add_literal(&out, (struct str){ to, 1 + name_bytes });
        }
        to += 1 + name_bytes;
    }
    return out.overflowed ? NULL : arena_strdup(a, strbuf_text(&out));
}

static char *with_query(struct arena *a, char *target, const char *query)
{
    if (!query || !*query || strchr(target, '?'))
        return target;
    size_t n = strcspn(target, "#");
    return arena_printf(a, "%.*s?%s%s", (int)n, target, query, target + n);
}

/* ---- Match ----------------------------------------------------------------------------------- */

const struct redirect_rule *redirects_match(const struct redirects *r, struct arena *a,
                                            const struct redirect_request *q, char **ret_target)
{
    if (r->rules.n == 0)
        return NULL;
    struct path_parts parts = split(a, q->path);
    for (size_t i = 0; i < r->rules.n; i++) {
        const struct redirect_rule *rule = &r->rules.v[i];
        struct captures c = { .n = 0 };
        if ((rule->scheme && !streq(rule->scheme, q->scheme)) ||
            (rule->host && strcasecmp(rule->host, q->host) != 0))
            continue;
        if (!fits_path(a, rule, &parts, &c) || !fits_query(a, rule, q->query, &c) ||
            !fits_conditions(a, rule, q))
            continue;
        char *target = fill(a, rule->to, &c);
        if (!target)
            continue;
        *ret_target = with_query(a, target, q->query);
        return rule;
    }
    return NULL;
}
