#include "migrate/sql/cli_splitter.h"

#include "base/vec.h"

#include <ctype.h>

/* Where the reader stands. Each step of next() consumes one token, so
 * inner states need no stack. */
struct reader {
    struct str sql;
    size_t at;
    int parens; /* open ( */
    int blocks; /* 0 outside BEGIN ATOMIC, else 1 + open CASE … inside it */
    bool begin; /* the word before was BEGIN */
};

static bool here(const struct reader *r, const char *text)
{
    size_t n = strlen(text);
    return r->sql.n - r->at >= n && memcmp(r->sql.p + r->at, text, n) == 0;
}

static void skip_line(struct reader *r)
{
    while (r->at < r->sql.n && r->sql.p[r->at] != '\n')
        r->at++;
}

static void skip_block_comment(struct reader *r)
{
    int depth = 0;
    do {
        if (here(r, "/*")) {
            depth++;
            r->at += 2;
        } else if (here(r, "*/")) {
            depth--;
            r->at += 2;
        } else {
            r->at++;
        }
    } while (depth > 0 && r->at < r->sql.n);
}

/* From an opening quote to behind the closing one; a doubled quote is two strings in a row, which
 * is as good. */
static void skip_quoted(struct reader *r, char quote, bool has_escapes)
{
    r->at++;
    while (r->at < r->sql.n && r->sql.p[r->at] != quote)
        r->at += has_escapes && r->sql.p[r->at] == '\\' ? 2 : 1;
    r->at = r->at < r->sql.n ? r->at + 1 : r->sql.n;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* $tag$ … $tag$, or a lone dollar. */
static void skip_dollar(struct reader *r)
{
    size_t end = r->at + 1;
    while (end < r->sql.n && is_word(r->sql.p[end]))
        end++;
    bool is_tag =
        end < r->sql.n && r->sql.p[end] == '$' && !isdigit((unsigned char)r->sql.p[r->at + 1]);
    if (!is_tag) {
        r->at++;
        return;
    }
    size_t n = end + 1 - r->at;
    const char *close = end + 1 < r->sql.n
                            ? memmem(r->sql.p + end + 1, r->sql.n - end - 1, r->sql.p + r->at, n)
                            : NULL;
    r->at = close ? (size_t)(close - r->sql.p) + n : r->sql.n;
}

static bool word_is(struct str word, const char *name)
{
    return word.n == strlen(name) && strncasecmp(word.p, name, word.n) == 0;
}

static void read_word(struct reader *r)
{
    size_t start = r->at;
    while (r->at < r->sql.n && (is_word(r->sql.p[r->at]) || r->sql.p[r->at] == '$'))
        r->at++;
    struct str word = { r->sql.p + start, r->at - start };
    if (word_is(word, "e") && r->at < r->sql.n && r->sql.p[r->at] == '\'')
        skip_quoted(r, '\'', true);
    else if (r->blocks == 0 && r->begin && word_is(word, "atomic"))
        r->blocks = 1;
    else if (r->blocks > 0 && word_is(word, "case"))
        r->blocks++;
    else if (r->blocks > 0 && word_is(word, "end"))
        r->blocks--;
    r->begin = word_is(word, "begin");
}

/* Consumes one token. True if it was the semicolon that ends a statement. */
static bool next(struct reader *r)
{
    char c = r->sql.p[r->at];
    if (here(r, "--")) {
        skip_line(r);
    } else if (here(r, "/*")) {
        skip_block_comment(r);
    } else if (c == '\'' || c == '"') {
        skip_quoted(r, c, false);
    } else if (c == '$') {
        skip_dollar(r);
    } else if (is_word(c)) {
        read_word(r);
    } else if (c == '\\') {
        r->at = r->at + 2 < r->sql.n ? r->at + 2 : r->sql.n;
    } else {
        r->at++;
        r->parens += (c == '(') - (c == ')' && r->parens > 0);
        return c == ';' && r->parens == 0 && r->blocks == 0;
    }
    return false;
}

size_t cli_blank_bytes(const char *p, size_t n)
{
    static const char *const wide[] = { "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
                                        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
                                        "\xe3\x80\x80", "\xef\xbb\xbf" };
    if (n > 0 && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
        return 1;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (n >= strlen(wide[i]) && memcmp(p, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    bool is_u2000 = n >= 3 && memcmp(p, "\xe2\x80", 2) == 0 && (unsigned char)p[2] >= 0x80 &&
                    (unsigned char)p[2] <= 0x8a;
    return is_u2000 ? 3 : 0;
}

static struct str trim(struct str s)
{
    for (size_t n = cli_blank_bytes(s.p, s.n); n > 0; n = cli_blank_bytes(s.p, s.n))
        s = (struct str){ s.p + n, s.n - n };
    for (bool again = true; again;) {
        again = false;
        for (size_t n = 1; n <= 3 && n <= s.n && !again; n++)
            if (cli_blank_bytes(s.p + s.n - n, n) == n) {
                s.n -= n;
                again = true;
            }
    }
    return s;
}

void cli_split(struct arena *a, struct str sql, struct str **ret, size_t *ret_count)
{
    VEC(struct str) list = { 0 };
    struct reader r = { .sql = sql };
    for (size_t start = 0; start < sql.n; start = r.at) {
        size_t end = sql.n;
        while (r.at < sql.n && end == sql.n)
            if (next(&r))
                end = r.at - 1;
        struct str text = trim((struct str){ sql.p + start, end - start });
        if (text.n > 0)
            *vec_add(&list, a) = text;
        r.begin = false;
    }
    *ret = list.v;
    *ret_count = list.n;
}
