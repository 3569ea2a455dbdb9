#include "migrate/sql/statement.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "migrate/sql/cli_splitter.h"
#include "migrate/sql/cut.h"

#include <stdio.h>

#define EXCERPT_WIDTH 100 /* characters of a line that an error shows */

/* ---- splitting ---- */

void statement_split(struct arena *a, struct str sql, struct statement **ret, size_t *ret_count)
{
    struct cut cut;
    cut_trusted(a, sql, &cut);
    struct statement *v = ARENA_ARRAY(a, struct statement, cut.n + 1);
    for (size_t i = 0; i < cut.n; i++)
        v[i] = (struct statement){ { sql.p + cut.v[i].at, cut.v[i].n }, cut.v[i].at };
    *ret = v;
    *ret_count = cut.n;
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

/* The character at i, as it may be shown: tabs as blanks, what is no text as a question mark.
 * Returns its bytes in the line. */
static size_t shown_character(struct str line, size_t i, const char **ret)
{
    unsigned char c = (unsigned char)line.p[i];
    *ret = c == '\t' ? " " : "?";
    if (c < 0x20 || c == 0x7f)
        return 1;
    for (size_t n = 1; n <= 4 && n <= line.n - i; n++)
        if (str_is_utf8((struct str){ line.p + i, n })) {
            *ret = line.p + i;
            return n;
        }
    return 1;
}

char *statement_excerpt(struct arena *a, const struct place *p)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(4096);
    unsigned first = p->column > EXCERPT_WIDTH * 3 / 4 ? p->column - EXCERPT_WIDTH / 2 : 1;
    unsigned column = 0;
    int margin = snprintf(NULL, 0, "%4u", p->line);
    strbuf_printf(&b, "%4u | %s", p->line, first > 1 ? "…" : "");
    for (size_t i = 0, bytes = 1; i < p->line_text.n; i += bytes) {
        const char *shown = NULL;
        bytes = shown_character(p->line_text, i, &shown);
        column += starts_character(p->line_text.p[i]);
        if (column >= first && column < first + EXCERPT_WIDTH)
            strbuf_add(&b, shown, bytes); /* a single byte where it is replaced */
    }
    if (column >= first + EXCERPT_WIDTH)
        strbuf_adds(&b, "…");
    strbuf_printf(&b, "\n%*s | %*s^", margin, "", (int)(p->column - first + (first > 1)), "");
    return str_dup(a, strbuf_str(&b));
}
