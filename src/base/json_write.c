/*
 * Writing JSON: see json_write.h. Without stdio's locks: one thread writes an answer.
 */
#include "base/json_write.h"

#include "base/str.h"

static void put(struct json_writer *w, const char *text)
{
    (void)fputs_unlocked(text, w->file);
}

static void put_char(struct json_writer *w, char c)
{
    (void)fwrite_unlocked(&c, 1, 1, w->file);
}

/* The two letters that stand for a character, or NULL: it has none. */
static const char *short_escape(unsigned char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

/* Bytes that are no UTF-8 (a file's name may have them) are shown as the characters of Latin-1. */
static void put_quoted(struct json_writer *w, struct str s)
{
    unsigned char plain_below = str_is_utf8(s) ? 0xff : 0x7f;
    put_char(w, '"');
    for (size_t from = 0, at = 0; at <= s.n; at++) {
        unsigned char c = at < s.n ? (unsigned char)s.p[at] : '\0';
        if (c >= ' ' && c <= plain_below && c != '"' && c != '\\')
            continue;
        (void)fwrite_unlocked(s.p + from, 1, at - from, w->file);
        from = at + 1;
        const char *escape = short_escape(c);
        if (escape)
            put(w, escape);
        else if (at < s.n)
            (void)fprintf(w->file, "\\u%04X", (unsigned)c);
    }
    put_char(w, '"');
}

static void begin(struct json_writer *w, const char *key)
{
    if (w->needs_comma)
        put_char(w, ',');
    w->needs_comma = true;
    if (key) {
        put_quoted(w, str_of(key));
        put_char(w, ':');
    }
}

void json_write_open(struct json_writer *w, const char *key, char bracket)
{
    begin(w, key);
    put_char(w, bracket);
    w->needs_comma = false;
}

void json_write_close(struct json_writer *w, char bracket)
{
    put_char(w, bracket);
    w->needs_comma = true;
}

void json_write_text(struct json_writer *w, const char *key, const char *value)
{
    begin(w, key);
    put_quoted(w, str_of(value));
}

void json_write_int(struct json_writer *w, const char *key, int64_t value)
{
    begin(w, key);
    (void)fprintf(w->file, "%lld", (long long)value);
}

void json_write_bool(struct json_writer *w, const char *key, bool value)
{
    begin(w, key);
    put(w, value ? "true" : "false");
}
