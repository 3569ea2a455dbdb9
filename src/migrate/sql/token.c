/*
 * Reading the surface of SQL: see token.h.
 *
 * BOMBS    Postgres' lexer rereads a run of operator characters for each comment that opens in it,
 *          and for each sign at its end: a run of length n costs n². Nobody writes a thousand of
 *          them in a row, so such a run ends the reading.
 */
#include "migrate/sql/token.h"


#define COMMENT_DEPTH_MAX 100
#define OPERATOR_RUN_MAX  1000 /* more than the widest banner of stars in a comment */

/* What a byte may be. Asked for every byte of every file, so it is looked up. */
enum {
    SPACE = 1,
    LETTER = 2, /* may begin a word */
    DIGIT = 4,
    OPERATOR = 8,
};

// clang-format off
static const unsigned char kinds[256] = {
    ['\t' ... '\r'] = SPACE, [' '] = SPACE,
    ['a' ... 'z'] = LETTER, ['A' ... 'Z'] = LETTER, ['_'] = LETTER, [0x80 ... 0xff] = LETTER,
    ['0' ... '9'] = DIGIT,
    ['~'] = OPERATOR, ['!'] = OPERATOR, ['@'] = OPERATOR, ['#'] = OPERATOR, ['^'] = OPERATOR,
    ['&'] = OPERATOR, ['|'] = OPERATOR, ['`'] = OPERATOR, ['?'] = OPERATOR, ['+'] = OPERATOR,
    ['-'] = OPERATOR, ['*'] = OPERATOR, ['/'] = OPERATOR, ['%'] = OPERATOR, ['<'] = OPERATOR,
    ['>'] = OPERATOR, ['='] = OPERATOR,
};
// clang-format on

static bool is(char c, unsigned kind)
{
    return (kinds[(unsigned char)c] & kind) != 0;
}

static bool is_space(char c)
{
    return is(c, SPACE);
}

static bool starts_word(char c)
{
    return is(c, LETTER);
}

static bool is_word(char c)
{
    return is(c, LETTER | DIGIT);
}

static bool is_operator(char c)
{
    return is(c, OPERATOR);
}

static bool here(struct str s, size_t at, const char *two)
{
    return s.n - at >= 2 && s.p[at] == two[0] && s.p[at + 1] == two[1];
}

/* The run of operator characters that begins here, as far as it matters. */
static size_t operator_run(struct str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && n <= OPERATOR_RUN_MAX && is_operator(s.p[at + n]))
        n++;
    return n;
}

static void read_line_comment(struct str s, struct token *t)
{
    t->kind = TOKEN_COMMENT;
    while (t->at + t->n < s.n && s.p[t->at + t->n] != '\n' && s.p[t->at + t->n] != '\r')
        t->n++;
}

static void read_block_comment(struct str s, struct token *t)
{
    size_t i = t->at;
    int depth = 0;
    do {
        bool opens = here(s, i, "/*");
        bool closes = !opens && here(s, i, "*/");
        depth += opens - closes;
        i += opens || closes ? 2 : 1;
    } while (depth > 0 && depth <= COMMENT_DEPTH_MAX && i < s.n);
    t->n = (i < s.n ? i : s.n) - t->at;
    t->quote = '*';
    t->kind = depth > COMMENT_DEPTH_MAX ? TOKEN_BOMB : depth > 0 ? TOKEN_OPEN : TOKEN_COMMENT;
}

/* From the opening quote at `i` to behind the closing one. A doubled quote is a part of the text. */
static void read_quoted(struct str s, size_t i, bool has_escapes, struct token *t)
{
    char quote = s.p[i];
    t->quote = quote;
    t->kind = TOKEN_OPEN;
    for (i++; i < s.n; i++) {
        bool is_doubled = s.p[i] == quote && i + 1 < s.n && s.p[i + 1] == quote;
        if (is_doubled || (has_escapes && s.p[i] == '\\')) {
            i++;
        } else if (s.p[i] == quote) {
            t->kind = quote == '"' ? TOKEN_NAME : TOKEN_TEXT;
            i++;
            break;
        }
    }
    t->n = (i < s.n ? i : s.n) - t->at;
}

/* $tag$ … $tag$, a parameter $1, or a lone dollar. */
static void read_dollar(struct str s, struct token *t)
{
    size_t end = t->at + 1;
    if (end < s.n && is(s.p[end], DIGIT)) {
        t->kind = TOKEN_NUMBER;
        while (end < s.n && is(s.p[end], DIGIT))
            end++;
        t->n = end - t->at;
        return;
    }
    while (end < s.n && is_word(s.p[end]))
        end++;
    if (end >= s.n || s.p[end] != '$') {
        t->kind = TOKEN_SYMBOL;
        t->n = 1;
        return;
    }
    size_t tag = end + 1 - t->at;
    const char *close = memmem(s.p + end + 1, s.n - end - 1, s.p + t->at, tag);
    t->quote = '$';
    t->kind = close ? TOKEN_TEXT : TOKEN_OPEN;
    t->n = (close ? (size_t)(close - s.p) + tag : s.n) - t->at;
}

/* A word; or, if it is one of the letters that may stand before a text, that text: E'…', U&'…'. */
static void read_word(struct str s, struct token *t)
{
    size_t end = t->at;
    while (end < s.n && (is_word(s.p[end]) || s.p[end] == '$'))
        end++;
    t->kind = TOKEN_WORD;
    t->n = end - t->at;
    int letter = t->n == 1 ? s.p[t->at] | 0x20 : '\0';
    if (end < s.n && s.p[end] == '\'' && letter != '\0' && strchr("ebxn", letter))
        read_quoted(s, end, letter == 'e', t);
    else if (letter == 'u' && end + 1 < s.n && s.p[end] == '&' && strchr("'\"", s.p[end + 1]))
        read_quoted(s, end + 1, false, t);
}

static void read_number(struct str s, struct token *t)
{
    size_t end = t->at;
    while (end < s.n && (is_word(s.p[end]) || s.p[end] == '.'))
        end++;
    t->kind = TOKEN_NUMBER;
    t->n = end - t->at;
}

bool token_next(struct str s, size_t *at, struct token *ret)
{
    while (*at < s.n && is_space(s.p[*at]))
        (*at)++;
    if (*at >= s.n)
        return false;
    char c = s.p[*at];
    struct token t = { .kind = TOKEN_SYMBOL, .at = *at };
    if (here(s, *at, "--"))
        read_line_comment(s, &t);
    else if (is_operator(c) && operator_run(s, *at) > OPERATOR_RUN_MAX)
        t = (struct token){ .kind = TOKEN_BOMB, .at = *at, .n = 1 };
    else if (here(s, *at, "/*"))
        read_block_comment(s, &t);
    else if (c == '\'' || c == '"')
        read_quoted(s, *at, false, &t);
    else if (c == '$')
        read_dollar(s, &t);
    else if (starts_word(c))
        read_word(s, &t);
    else if (is(c, DIGIT))
        read_number(s, &t);
    else
        t = (struct token){ .kind = c == '\\' ? TOKEN_PSQL : TOKEN_SYMBOL, .at = *at, .n = 1 };
    *at = t.at + t.n;
    *ret = t;
    return true;
}

bool token_next_code(struct str s, size_t *at, struct token *ret)
{
    while (token_next(s, at, ret))
        if (ret->kind != TOKEN_COMMENT)
            return true;
    return false;
}

bool token_is(struct str s, const struct token *t, const char *word)
{
    bool may = t->kind == TOKEN_WORD ? (s.p[t->at] | 0x20) == word[0] : t->kind == TOKEN_SYMBOL;
    return may && t->n == strlen(word) && strncasecmp(s.p + t->at, word, t->n) == 0;
}
