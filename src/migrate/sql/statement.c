#include "migrate/sql/statement.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "migrate/sql/cli_splitter.h"

#include <ctype.h>
#include <pg_query.h>
#include <stdio.h>

#define EXCERPT_WIDTH 100 /* characters of a line that an error shows */

/* ---- words: just enough of SQL's surface to see what kind of statement it is ---- */

/* Bytes of blanks and comments at the start; comments may nest. */
static size_t skip_comments(struct str s)
{
    size_t i = 0;
    while (i < s.n) {
        if (isspace((unsigned char)s.p[i])) {
            i++;
        } else if (s.n - i >= 2 && s.p[i] == '-' && s.p[i + 1] == '-') {
            while (i < s.n && s.p[i] != '\n')
                i++;
        } else if (s.n - i >= 2 && s.p[i] == '/' && s.p[i + 1] == '*') {
            int depth = 0;
            do {
                bool opens = s.n - i >= 2 && s.p[i] == '/' && s.p[i + 1] == '*';
                bool closes = s.n - i >= 2 && s.p[i] == '*' && s.p[i + 1] == '/';
                depth += opens - closes;
                i += opens || closes ? 2 : 1;
            } while (depth > 0 && i < s.n);
        } else {
            break;
        }
    }
    return i;
}

/* The next word, or one other character. Empty at the end. Quoted names come back as a single quote
 * mark. */
static struct str next_word(struct str *rest)
{
    size_t start = skip_comments(*rest), end = start;
    while (end < rest->n && (isalnum((unsigned char)rest->p[end]) || rest->p[end] == '_'))
        end++;
    if (end == start && end < rest->n)
        end++;
    struct str word = { rest->p + start, end - start };
    *rest = (struct str){ rest->p + end, rest->n - end };
    return word;
}

static bool word_is(struct str word, const char *name)
{
    return word.n == strlen(name) && strncasecmp(word.p, name, word.n) == 0;
}

/* Is one of the next `within` words this one? */
static bool has_word(struct str rest, const char *name, int within)
{
    for (struct str w = next_word(&rest); w.n > 0 && within-- > 0; w = next_word(&rest))
        if (word_is(w, name))
            return true;
    return false;
}

/* What begins with these words cannot run in a transaction block. `then` must follow within a few
 * words. */
static const struct {
    const char *first, *second; /* NULL: any */
    const char *then, *unless;
    const char *name;
} outside_transactions[] = {
    { "begin", NULL, NULL, NULL, "BEGIN" },
    { "start", "transaction", NULL, NULL, "START TRANSACTION" },
    { "commit", NULL, NULL, NULL, "COMMIT" },
    { "end", NULL, NULL, NULL, "END" },
    { "abort", NULL, NULL, NULL, "ABORT" },
    { "rollback", NULL, NULL, "to", "ROLLBACK" },
    { "prepare", "transaction", NULL, NULL, "PREPARE TRANSACTION" },
    { "create", "index", "concurrently", NULL, "CREATE INDEX CONCURRENTLY" },
    { "create", "unique", "concurrently", NULL, "CREATE UNIQUE INDEX CONCURRENTLY" },
    { "drop", "index", "concurrently", NULL, "DROP INDEX CONCURRENTLY" },
    { "reindex", NULL, "concurrently", NULL, "REINDEX CONCURRENTLY" },
    { "reindex", "database", NULL, NULL, "REINDEX DATABASE" },
    { "reindex", "system", NULL, NULL, "REINDEX SYSTEM" },
    { "reindex", "schema", NULL, NULL, "REINDEX SCHEMA" },
    { "vacuum", NULL, NULL, NULL, "VACUUM" },
    { "create", "database", NULL, NULL, "CREATE DATABASE" },
    { "drop", "database", NULL, NULL, "DROP DATABASE" },
    { "create", "tablespace", NULL, NULL, "CREATE TABLESPACE" },
    { "drop", "tablespace", NULL, NULL, "DROP TABLESPACE" },
    { "alter", "system", NULL, NULL, "ALTER SYSTEM" },
    { "create", "subscription", NULL, NULL, "CREATE SUBSCRIPTION" },
    { "drop", "subscription", NULL, NULL, "DROP SUBSCRIPTION" },
    { "alter", "table", "concurrently", NULL, "DETACH PARTITION … CONCURRENTLY" },
    { "discard", "all", NULL, NULL, "DISCARD ALL" },
    { "copy", NULL, "stdin", NULL, "COPY … FROM STDIN" },
    { 0 },
};

static const char *refusal_of(struct str code)
{
    struct str rest = code;
    struct str first = next_word(&rest);
    struct str after_first = rest;
    struct str second = next_word(&rest);
    if (word_is(first, "cluster") && second.n == 0)
        return "CLUSTER without a table";
    for (size_t i = 0; outside_transactions[i].first; i++) {
        bool matches =
            word_is(first, outside_transactions[i].first) &&
            (!outside_transactions[i].second || word_is(second, outside_transactions[i].second));
        if (matches && outside_transactions[i].then)
            matches = has_word(after_first, outside_transactions[i].then, 40);
        if (matches && outside_transactions[i].unless)
            matches = !has_word(after_first, outside_transactions[i].unless, 2);
        if (matches)
            return outside_transactions[i].name;
    }
    return NULL;
}

/* ---- splitting ---- */

typedef VEC(struct statement) statement_vec;

/* Adds a slice of the file, without the blanks around it. Comments alone are no statement to
 * execute. */
static void add(struct arena *a, statement_vec *list, struct str sql, size_t offset, size_t n)
{
    struct str raw = { sql.p + offset, n };
    struct str text = str_trim(raw);
    size_t code = skip_comments(text);
    if (code == text.n)
        return;
    struct str words = { text.p + code, text.n - code };
    *vec_add(list, a) = (struct statement){
        .text = text,
        .offset = (size_t)(text.p - sql.p),
        .code = code,
        .refusal = refusal_of(words),
    };
}

void statement_split(struct arena *a, struct str sql, struct statement **ret, size_t *ret_count)
{
    statement_vec list = { 0 };
    char *text = str_dup(a, sql);
    PgQuerySplitResult split = pg_query_split_with_parser(text);
    if (!split.error) {
        for (int i = 0; i < split.n_stmts; i++)
            add(a, &list, sql, (size_t)split.stmts[i]->stmt_location,
                (size_t)split.stmts[i]->stmt_len);
    } else {
        struct str *pieces = NULL;
        size_t n = 0;
        cli_split(a, sql, &pieces, &n);
        for (size_t i = 0; i < n; i++)
            add(a, &list, sql, (size_t)(pieces[i].p - sql.p), pieces[i].n);
    }
    pg_query_free_split_result(split);
    *ret = list.v;
    *ret_count = list.n;
}

void statement_split_as_cli(struct arena *a, struct str sql, struct str **ret, size_t *ret_count)
{
    cli_split(a, sql, ret, ret_count);
}

/* ---- comparing ---- */

static bool counts_as_text(struct str s, size_t i, size_t *ret_bytes)
{
    size_t blank = s.p[i] == ';' ? 1 : cli_blank_bytes(s.p + i, s.n - i);
    *ret_bytes = blank > 0 ? blank : 1;
    return blank == 0;
}

void statement_text_digest(struct str sql, char ret[SHA256_HEX_BYTES])
{
    struct hash *h = hash_new(HASH_SHA256);
    size_t from = 0, bytes = 1;
    for (size_t i = 0; i < sql.n; i += bytes) {
        if (counts_as_text(sql, i, &bytes))
            continue;
        hash_add(h, sql.p + from, i - from);
        from = i + bytes;
    }
    if (from < sql.n)
        hash_add(h, sql.p + from, sql.n - from);
    hash_finish(h, ret);
}

/* ---- places ---- */

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80; /* not a continuation byte of UTF-8 */
}

struct place statement_place(struct str file, size_t offset)
{
    struct place p = { .line = 1, .column = 1 };
    size_t start = 0;
    if (offset > file.n)
        offset = file.n;
    for (size_t i = 0; i < offset; i++) {
        if (file.p[i] == '\n') {
            p.line++;
            p.column = 1;
            start = i + 1;
        } else if (starts_character(file.p[i])) {
            p.column++;
        }
    }
    size_t end = start;
    while (end < file.n && file.p[end] != '\n' && file.p[end] != '\r')
        end++;
    p.line_text = (struct str){ file.p + start, end - start };
    return p;
}

char *statement_excerpt(struct arena *a, const struct place *p)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4096);
    unsigned first = p->column > EXCERPT_WIDTH * 3 / 4 ? p->column - EXCERPT_WIDTH / 2 : 1;
    unsigned column = 0;
    int margin = snprintf(NULL, 0, "%4u", p->line);
    strbuf_printf(&b, "%4u | %s", p->line, first > 1 ? "…" : "");
    for (size_t i = 0; i < p->line_text.n; i++) {
        column += starts_character(p->line_text.p[i]);
        if (column >= first && column < first + EXCERPT_WIDTH)
            strbuf_add(&b, p->line_text.p[i] == '\t' ? " " : p->line_text.p + i, 1);
    }
    if (column >= first + EXCERPT_WIDTH)
        strbuf_adds(&b, "…");
    strbuf_printf(&b, "\n%*s | %*s^", margin, "", (int)(p->column - first + (first > 1)), "");
    return str_dup(a, strbuf_str(&b));
}

/* ---- the gate's question ---- */

static bool refuse(struct arena *a, const char *file, struct str sql, size_t offset,
                   const char *what, struct err *e)
{
    struct place p = statement_place(sql, offset);
    err_set(e, ERR_CONFIG,
            "%s cannot run inside a transaction; migrations without one are not supported"
            " yet in this version\n%s",
            what, statement_excerpt(a, &p));
    err_where(e, "%s:%u:%u", file, p.line, p.column);
    return err_hint(
        e,
        "put it into a form that can be taken back as a whole, for example without CONCURRENTLY, "
        "or run it by hand outside the release");
}

bool statement_all_transactional(struct arena *a, const char *file, struct str sql, struct err *e)
{
    struct statement *v = NULL;
    size_t n = 0;
    if (str_starts(sql, "-- pg-delta: transaction=false"))
        return refuse(a, file, sql, 0, "what asks for transaction=false", e);
    statement_split(a, sql, &v, &n);
    for (size_t i = 0; i < n; i++)
        if (v[i].refusal)
            return refuse(a, file, sql, v[i].offset + v[i].code, v[i].refusal, e);
    return true;
}
