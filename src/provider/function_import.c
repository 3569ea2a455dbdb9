/*
 * Finding imports: see function_import.h.
 */
#include "provider/function_import.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/vec.h"

#include <string.h>

enum {
    MAX_CLAUSE_BYTES = 16 * 1024
}; /* between "import" and "from" */

/* ---- the scan ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 128;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Past blanks and comments. */
static size_t skip_blank(struct str s, size_t i)
{
    for (;;) {
        while (i < s.n && is_blank(s.p[i]))
            i++;
        if (i + 1 >= s.n || s.p[i] != '/' || (s.p[i + 1] != '/' && s.p[i + 1] != '*'))
            return i;
        bool is_line = s.p[i + 1] == '/';
        const char *end = memmem(s.p + i + 2, s.n - i - 2, is_line ? "\n" : "*/", is_line ? 1 : 2);
        i = end ? (size_t)(end - s.p) + (is_line ? 1 : 2) : s.n;
    }
}

/* A quoted literal on one line at `i`: its content, and where it ends. False if it is none. */
static bool literal(struct str s, size_t i, struct str *ret, size_t *ret_end)
{
    if (i >= s.n || (s.p[i] != '"' && s.p[i] != '\''))
        return false;
    for (size_t j = i + 1; j < s.n && s.p[j] != '\n'; j++) {
        if (s.p[j] == '\\') {
            j++;
        } else if (s.p[j] == s.p[i]) {
            *ret = (struct str){ s.p + i + 1, j - i - 1 };
            *ret_end = j + 1;
            return true;
        }
    }
    return false;
}

static bool word_at(struct str s, size_t i, const char *word)
{
    size_t n = strlen(word);
    return i + n <= s.n && memcmp(s.p + i, word, n) == 0 &&
           (i == 0 || (!is_word(s.p[i - 1]) && s.p[i - 1] != '.')) &&
           (i + n == s.n || !is_word(s.p[i + n]));
}

/* From behind "import" or "export": names, braces, commas and stars up to
 * "from", then the literal. */
static bool clause(struct str s, size_t i, struct str *ret, size_t *ret_end)
{
    size_t limit = i + MAX_CLAUSE_BYTES < s.n ? i + MAX_CLAUSE_BYTES : s.n;
    while ((i = skip_blank(s, i)) < limit) {
        if (word_at(s, i, "from") && literal(s, skip_blank(s, i + 4), ret, ret_end))
            return true;
        size_t ignored_end;
        struct str ignored;
        if (literal(s, i, &ignored, &ignored_end)) /* { "a name" as b } */
            i = ignored_end;
        else if (is_word(s.p[i]) || strchr("{},*", s.p[i]))
            i++;
        else
            return false;
    }
    return false;
}

/* The specifier of the statement whose keyword ends at `i`. */
static bool specifier_after(struct str s, size_t i, bool is_import, struct str *ret,
                            size_t *ret_end)
{
    size_t at = skip_blank(s, i);
    if (is_import && literal(s, at, ret, ret_end))
        return true;
    if (is_import && at < s.n && s.p[at] == '(')
        return literal(s, skip_blank(s, at + 1), ret, ret_end);
    return clause(s, at, ret, ret_end);
}

void function_imports(struct str s, void (*found)(void *context, struct str specifier),
                      void *context)
{
    for (size_t i = 0; (i = skip_blank(s, i)) < s.n;) {
        struct str text;
        size_t end;
        bool is_import = word_at(s, i, "import");
        if ((is_import || word_at(s, i, "export")) &&
            specifier_after(s, i + 6, is_import, &text, &end)) {
            found(context, text);
            i = end;
        } else if (literal(s, i, &text, &end)) {
            i = end;
        } else {
            i++;
        }
    }
}

/* ---- JSON with comments ---- */

json_t *function_jsonc(struct str text, const char *name, struct err *e)
{
    CLEANUP(strbuf) struct strbuf plain = strbuf_init(LIMIT_CONFIG_BYTES);
    for (size_t i = 0; (i = skip_blank(text, i)) < text.n;) {
        struct str content;
        size_t end;
        if (literal(text, i, &content, &end)) {
            strbuf_add(&plain, text.p + i, end - i);
            i = end;
            continue;
        }
        char c = text.p[i++];
        size_t next = skip_blank(text, i);
        bool is_trailing =
            c == ',' && next < text.n && (text.p[next] == '}' || text.p[next] == ']');
        if (!is_trailing)
            strbuf_addc(&plain, c);
    }
    if (plain.overflowed) {
        err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", name, LIMIT_CONFIG_BYTES);
        return NULL;
    }
    json_t *value = json_parse(strbuf_str(&plain), name, e);
    if (!value)
        err_recode(e, ERR_CONFIG);
    return value;
}

/* ---- paths ---- */

char *function_normal_path(struct arena *a, const char *path)
{
    char *out = arena_alloc(a, strlen(path) + 1);
    size_t n = 0;
    struct str rest = str_of(path);
    while (rest.p) {
        struct str part = str_cut(&rest, '/');
        if (part.n == 0 || str_is(part, "."))
            continue;
        if (str_is(part, "..")) {
            if (n == 0)
                return NULL;
            while (n > 0 && out[--n] != '/')
                ;
            continue;
        }
        if (n > 0)
            out[n++] = '/';
        memcpy(out + n, part.p, part.n);
        n += part.n;
    }
    out[n] = '\0';
    return out;
}

/* What the map makes of a specifier; *ret_by_map tells whether it did. */
static struct str substitute(struct arena *a, struct str specifier, const json_t *map,
                             bool *ret_by_map)
{
    const char *text = str_dup(a, specifier), *best = NULL, *best_target = NULL;
    const char *key;
    json_t *target;
    json_t *imports = json_object_get(map, "imports");
    json_object_foreach (imports, key, target) {
        size_t n = strlen(key);
        bool hits = streq(key, text) || (ends_with(key, "/") && starts_with(text, key));
        if (hits && json_is_string(target) && (!best || n > strlen(best))) {
            best = key;
            best_target = json_string_value(target);
        }
    }
    *ret_by_map = best != NULL;
    return best ? str_of(arena_printf(a, "%s%s", best_target, text + strlen(best))) : specifier;
}

char *function_resolve(struct arena *a, const char *from, struct str specifier, const json_t *map,
                       const char *map_path)
{
    bool by_map;
    struct str target = substitute(a, specifier, map, &by_map);
    if (!str_starts(target, "./") && !str_starts(target, "../"))
        return NULL;
    const char *base = by_map ? map_path : from;
    const char *slash = strrchr(base, '/');
    char *path = function_normal_path(
        a, arena_printf(a, "%.*s/%.*s", slash ? (int)(slash - base) : 0, base, STR_FMT(target)));
    if (!path)
        return NULL;
    const char *name = strrchr(path, '/');
    return strchr(name ? name : path, '.') ? path : NULL;
}
