/*
 * What a command prints: styled words, tables and JSON documents. Meaning never hangs on colour
 * alone; the words carry it.
 */
#ifndef LOCKFLIGHT_CLI_OUTPUT_H
#define LOCKFLIGHT_CLI_OUTPUT_H

#include "cli/command.h"

#include <jansson.h>

enum style {
    STYLE_PLAIN,
    STYLE_STRONG, /* headings, names */
    STYLE_FAINT,  /* what may be skipped */
    STYLE_GOOD,   /* ok */
    STYLE_BAD,    /* FAIL, error */
    STYLE_WARN,   /* wait, undo, keep */
};

/* printf in a style; escape codes only if the terminal has colour. */
void print_styled(const struct terminal *t, enum style style, const char *fmt, ...) PRINTF(3, 4);
void print(const struct terminal *t, const char *fmt, ...) PRINTF(2, 3);

/* Paragraphs, broken at the terminal's width; every line begins with `indent` blanks, the first one
 * excepted if `is_begun`. Ends with a line end. */
void print_wrapped(const struct terminal *t, int indent, bool is_begun, const char *text);

/* One of two texts, by what the terminal can show: symbol(t, "→", "->"). */
const char *symbol(const struct terminal *t, const char *utf8, const char *ascii);

/* A table: columns as wide as their widest cell on a terminal, two blanks apart; tab-separated and
 * without headings when piped. The last column is cut to the terminal's width.
 *
 *     struct table *t = table_new(c->arena, 3);
 *     table_head(t, "environment", "release", "state");
 *     table_cell(t, STYLE_STRONG, "%s", name); table_cell(…); table_cell(…);
 *     table_print(t, &c->out);
 */
struct table;
struct table *table_new(struct arena *a, size_t columns);
void table_head(struct table *t, ...) __attribute__((sentinel)); /* column titles, then NULL */
void table_cell(struct table *t, enum style style, const char *fmt, ...) PRINTF(3, 4);
void table_indent(struct table *t, int blanks); /* before the first column */
void table_keep_layout(struct table *t);        /* aligned and with headings even when piped */
void table_wrap(struct table *t); /* the last column goes on below itself instead of being cut */
void table_print(const struct table *t, const struct terminal *to);

/* One JSON document and a line end on stdout. Adds "v": 1 to an object that lacks it. Takes the
 * reference, whatever happens. */
void print_json(const struct command_context *c, json_t *document);

/* The answer says no: the command ends with the exit status of a closed gate. */
static inline void answer_refuses(struct command_context *c)
{
    c->exit_status = err_exit_status(&(struct err){ .code = ERR_BLOCKED });
}

/* Columns a UTF-8 text takes (code points), and the byte length of its first `width` ones. */
int text_width(const char *text);
int text_cut(const char *text, int width);

/* "1.2 MB", "81 kB", "312 B". And "1 file", "12 files". */
char *text_bytes(struct arena *a, int64_t bytes);
char *text_count(struct arena *a, int64_t n, const char *one, const char *many);

#endif
