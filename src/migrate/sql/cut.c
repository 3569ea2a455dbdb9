/*
 * Cutting a file into statements: see cut.h.
 */
#include "migrate/sql/cut.h"

#include "base/limits.h"
#include "base/vec.h"
#include "migrate/sql/mode.h"

#include <assert.h>

/* ---- what nobody can execute ---- */

/* The first byte that is not UTF-8, or NUL; text.n if there is none. */
static size_t bad_byte(struct str text)
{
    if (str_is_utf8(text))
        return text.n;
    size_t good = 0, bad = text.n; /* a prefix known to be good, one known to be bad */
    while (bad - good > 1) {
        size_t middle = good + (bad - good) / 2;
        size_t end = middle;
        while (end > good && ((unsigned char)text.p[end] & 0xc0) == 0x80)
            end--; /* not in the middle of a character */
        if (end > good && str_is_utf8((struct str){ text.p + good, end - good }))
            good = end;
        else if (end > good)
            bad = end;
        else
            break;
    }
    return good;
}

bool sql_text_check(const char *file, struct str text, struct err *e)
{
    size_t at = bad_byte(text);
    if (at == text.n)
        return true;
    bool is_utf16 =
        text.n >= 2 && (memcmp(text.p, "\xff\xfe", 2) == 0 || memcmp(text.p, "\xfe\xff", 2) == 0);
    bool is_nul = text.p[at] == '\0';
    sql_error_at(e, ERR_CONFIG, file, text, at, "%s",
                 is_utf16 ? "the file is UTF-16; migrations are UTF-8"
                 : is_nul ? "a NUL byte: the file is not text, or it is UTF-16"
                          : "these bytes are not UTF-8");
    return err_hint(e, "save it as UTF-8: iconv -f %s -t UTF-8 %s > new.sql",
                    is_utf16 || is_nul ? "UTF-16" : "LATIN1", file);
}

static bool refuse_open(const char *file, struct str text, const struct token *t, struct err *e)
{
    size_t tag = 1;
    while (t->quote == '$' && t->at + tag < text.n && text.p[t->at + tag - 1] != '\0' &&
           (tag < 2 || text.p[t->at + tag - 1] != '$'))
        tag++;
    switch (t->quote) {
    case '$':
        sql_error_at(e, ERR_CONFIG, file, text, t->at,
                     "this text does not end: there is no second %.*s", (int)tag, text.p + t->at);
        return err_hint(e, "close it with %.*s", (int)tag, text.p + t->at);
    case '*':
        sql_error_at(e, ERR_CONFIG, file, text, t->at, "this comment does not end");
        return err_hint(e, "close it with */; in SQL, comments inside comments count");
    case '"':
        sql_error_at(e, ERR_CONFIG, file, text, t->at, "this name does not end");
        return err_hint(e, "close it with \"; a \" inside a name is written twice");
    default:
        sql_error_at(e, ERR_CONFIG, file, text, t->at, "this text does not end");
        return err_hint(e, "close it with '; a ' inside a text is written twice: 'it''s'");
    }
}

static bool check_token(const char *file, struct str text, const struct token *t, struct err *e)
{
    if (t->kind == TOKEN_OPEN)
        return refuse_open(file, text, t, e);
    if (t->kind == TOKEN_PSQL) {
        sql_error_at(e, ERR_CONFIG, file, text, t->at,
                     "a backslash command is for psql, the server does not know it");
        return err_hint(e, "remove the line; a dump has them too: `\\restrict`, `\\connect`");
    }
    if (t->kind == TOKEN_BOMB) {
        sql_error_at(e, ERR_CONFIG, file, text, t->at,
                     t->quote == '*' ? "more than 100 comments inside each other"
                                     : "more than 1000 operator characters in a row");
        return err_hint(e, "nobody writes that by hand, and Postgres takes for ever to read it: "
                           "remove it");
    }
    return true;
}

/* The rows behind it are no SQL: what follows would be cut anywhere. */
static bool check_copy(struct arena *a, const char *file, struct str text, const struct piece *p,
                       struct err *e)
{
    struct str piece = { text.p + p->at, p->n };
    if (p->n < 4 || strncasecmp(piece.p, "copy", 4) != 0)
        return true;
    struct words w;
    words_begin(&w, piece);
    const struct mode_row *row = mode_of(a, &w);
    if (!row || row->mode != SQL_FORBIDDEN)
        return true;
    sql_error_at(e, ERR_CONFIG, file, text, p->at, "%s talks to a client; a migration has none",
                 row->what);
    return err_hint(e, "%s", row->remedy);
}

/* ---- cutting ---- */

struct reader {
    int parens;
    int blocks;    /* 0 outside BEGIN ATOMIC, else 1 + open CASE … inside it */
    bool is_begin; /* the word before was BEGIN */
};

static void count_word(struct reader *r, struct str text, const struct token *t)
{
    if (r->blocks == 0 && r->is_begin && token_is(text, t, "atomic"))
        r->blocks = 1;
    else if (r->blocks > 0 && token_is(text, t, "case"))
        r->blocks++;
    else if (r->blocks > 0 && token_is(text, t, "end"))
        r->blocks--;
    r->is_begin = token_is(text, t, "begin");
}

/* True if this token is the semicolon that ends a statement. */
static bool ends_statement(struct reader *r, struct str text, const struct token *t)
{
    if (t->kind != TOKEN_SYMBOL) {
        if (t->kind == TOKEN_WORD && (r->blocks > 0 || (text.p[t->at] | 0x20) < 'c'))
            count_word(r, text, t);
        else
            r->is_begin = false;
        return false;
    }
    char c = text.p[t->at];
    r->parens += (c == '(') - (c == ')' && r->parens > 0);
    r->is_begin = false;
    return c == ';' && r->parens == 0 && r->blocks == 0;
}

/* `file` is NULL for what is not checked. */
static bool cut(struct arena *a, const char *file, struct str text, struct cut *ret, struct err *e)
{
    VEC(struct piece) list = { 0 };
    struct reader r = { 0 };
    struct piece now = { 0 };
    struct token t;
    size_t at = str_starts(text, "\xef\xbb\xbf") ? 3 : 0;
    for (bool more = true; more;) {
        more = token_next(text, &at, &t);
        if (file && more && !check_token(file, text, &t, e))
            return false;
        bool ends = !more || (t.kind != TOKEN_COMMENT && ends_statement(&r, text, &t));
        if (ends && now.tokens > 0) {
            *vec_add(&list, a) = now;
            if (file && !check_copy(a, file, text, &now, e))
                return false;
        }
        if (ends) {
            now = (struct piece){ .lead = at };
            r = (struct reader){ 0 };
        } else if (t.kind == TOKEN_COMMENT) {
            now.has_comments = now.has_comments || now.tokens > 0;
        } else {
            if (now.tokens++ == 0)
                now.at = t.at;
            now.n = t.at + t.n - now.at;
        }
    }
    *ret = (struct cut){ list.v, list.n };
    return true;
}

bool cut_text(struct arena *a, const char *file, struct str text, struct cut *ret, struct err *e)
{
    return sql_text_check(file, text, e) && cut(a, file, text, ret, e);
}

void cut_trusted(struct arena *a, struct str text, struct cut *ret)
{
    struct err never;
    bool ok = cut(a, NULL, text, ret, &never);
    assert(ok);
}
