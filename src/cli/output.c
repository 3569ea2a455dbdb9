/*
 * Styled words, tables, JSON documents: see output.h.
 *
 * Write errors are not checked here: stdio remembers them, and command_finish asks once at the end.
 */
#include "cli/output.h"

#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

static const char *const style_codes[] = {
    [STYLE_PLAIN] = "",        [STYLE_STRONG] = "\033[1m", [STYLE_FAINT] = "\033[2m",
    [STYLE_GOOD] = "\033[32m", [STYLE_BAD] = "\033[1;31m", [STYLE_WARN] = "\033[33m",
};

static void vprint(const struct terminal *t, const char *fmt, va_list ap) PRINTF(2, 0);

static void vprint(const struct terminal *t, const char *fmt, va_list ap)
{
    (void)vfprintf(t->file, fmt, ap);
}

void print(const struct terminal *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vprint(t, fmt, ap);
    va_end(ap);
}

void print_styled(const struct terminal *t, enum style style, const char *fmt, ...)
{
    bool codes = t->has_colour && style != STYLE_PLAIN;
    if (codes)
        (void)fputs(style_codes[style], t->file);
    va_list ap;
    va_start(ap, fmt);
    vprint(t, fmt, ap);
    va_end(ap);
    if (codes)
        (void)fputs("\033[0m", t->file);
}

/* Bytes of the first line of `text` that fit into `room` columns, cut at a blank where there is
 * one. */
static int line_bytes(const char *text, int room)
{
    int whole = (int)strcspn(text, "\n");
    int n = text_cut(text, room);
    if (n >= whole)
        return whole;
    int at = n;
    while (at > 0 && text[at] != ' ')
        at--;
    return at > 0 ? at : n;
}

void print_wrapped(const struct terminal *t, int indent, bool is_begun, const char *text)
{
    int room = t->width - indent > 20 ? t->width - indent : 20;
    do {
        int n = line_bytes(text, room);
        print(t, "%*s%.*s\n", is_begun || n == 0 ? 0 : indent, "", n, text);
        is_begun = false;
        text += n;
        text += *text == ' ' || *text == '\n';
    } while (*text);
}

const char *symbol(const struct terminal *t, const char *utf8, const char *ascii)
{
    return t->is_utf8 ? utf8 : ascii;
}

struct cell {
    const char *text;
    enum style style;
};

struct table {
    struct arena *arena;
    size_t columns;
    int indent;
    bool keeps_layout;
    bool wraps;
    const char **head;
    VEC(struct cell) cells; /* row by row */
};

struct table *table_new(struct arena *a, size_t columns)
{
    struct table *t = ARENA_NEW(a, struct table);
    t->arena = a;
    t->columns = columns;
    return t;
}

void table_head(struct table *t, ...)
{
    t->head = ARENA_ARRAY(t->arena, const char *, t->columns);
    va_list ap;
    va_start(ap, t);
    for (size_t i = 0; i < t->columns; i++) {
        const char *title = va_arg(ap, const char *);
        if (!title)
            break;
        t->head[i] = title;
    }
    va_end(ap);
}

void table_cell(struct table *t, enum style style, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *vec_add(&t->cells, t->arena) = (struct cell){ arena_vprintf(t->arena, fmt, ap), style };
    va_end(ap);
}

void table_indent(struct table *t, int blanks)
{
    t->indent = blanks;
}

void table_keep_layout(struct table *t)
{
    t->keeps_layout = true;
}

void table_wrap(struct table *t)
{
    t->wraps = true;
}

/* Continuation bytes take no column. */
int text_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

int text_cut(const char *text, int width)
{
    int n = 0;
    while (text[n]) {
        if (((unsigned char)text[n] & 0xC0) != 0x80 && width-- == 0)
            break;
        n++;
    }
    return n;
}

static int *column_widths(const struct table *t)
{
    assert(t->columns > 0);
    int *widths = ARENA_ARRAY(t->arena, int, t->columns);
    for (size_t i = 0; t->head && i < t->columns; i++)
        widths[i] = t->head[i] ? text_width(t->head[i]) : 0;
    for (size_t i = 0; i < t->cells.n; i++) {
        int width = text_width(t->cells.v[i].text);
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    return widths;
}

static void print_aligned(const struct table *t, const struct terminal *to, const struct cell *row,
                          const int *widths)
{
    size_t last = t->columns;
    while (last > 1 && (!row[last - 1].text || !row[last - 1].text[0]))
        last--;
    int at = t->indent;
    print(to, "%*s", t->indent, "");
    for (size_t i = 0; i < last; i++) {
        const char *text = row[i].text ? row[i].text : "";
        if (t->wraps && i > 0 && i + 1 == last && row[i].style == STYLE_PLAIN) {
            print_wrapped(to, at, true, text);
            return;
        }
        int room = to->is_tty && i + 1 == last ? to->width - at : text_width(text);
        print_styled(to, row[i].style, "%.*s", text_cut(text, room > 0 ? room : 0), text);
        if (i + 1 < last)
            print(to, "%*s", widths[i] - text_width(text) + 2, "");
        at += widths[i] + 2;
    }
    print(to, "\n");
}

static void print_head(const struct table *t, const struct terminal *to, const int *widths)
{
    struct cell *row = ARENA_ARRAY(t->arena, struct cell, t->columns);
    for (size_t i = 0; i < t->columns; i++)
        row[i] = (struct cell){ t->head[i], STYLE_FAINT };
    print_aligned(t, to, row, widths);
}

static void print_tabs(const struct table *t, const struct terminal *to, const struct cell *row)
{
    for (size_t i = 0; i < t->columns; i++)
        print(to, "%s%s", row[i].text, i + 1 < t->columns ? "\t" : "\n");
}

void table_print(const struct table *t, const struct terminal *to)
{
    bool is_aligned = to->is_tty || t->keeps_layout;
    const int *widths = column_widths(t);
    if (t->head && is_aligned)
        print_head(t, to, widths);
    for (size_t i = 0; i + t->columns <= t->cells.n; i += t->columns) {
        if (is_aligned)
            print_aligned(t, to, &t->cells.v[i], widths);
        else
            print_tabs(t, to, &t->cells.v[i]);
    }
}

void print_json(const struct command_context *c, json_t *document)
{
    json_t *whole = document;
    if (json_is_object(document) && !json_object_get(document, "v")) {
        whole = json_object(); /* the version is read first, so it stands first */
        json_object_set_new(whole, "v", json_integer(1));
        json_object_update(whole, document);
        json_decref(document);
    }
    print(&c->out, "%s\n", json_text_in_order(c->arena, whole));
    json_decref(whole);
}

char *text_bytes(struct arena *a, int64_t bytes)
{
    if (bytes < 1000)
        return arena_printf(a, "%lld B", (long long)bytes);
    if (bytes < 1000000)
        return arena_printf(a, "%.0f kB", (double)bytes / 1e3);
    if (bytes < 1000000000)
        return arena_printf(a, "%.1f MB", (double)bytes / 1e6);
    return arena_printf(a, "%.1f GB", (double)bytes / 1e9);
}

char *text_count(struct arena *a, int64_t n, const char *one, const char *many)
{
    return arena_printf(a, "%lld %s", (long long)n, n == 1 ? one : many);
}
