/*
 * Tokens of JavaScript, TypeScript and JSX, as far as one must know them to tell code from comments,
 * strings, templates, regular expressions and text between tags.
 *
 * It is no parser: nothing is judged, and a text that is no program gives some tokens all the same.
 * What a wrong guess (a slash that is division, not a regular expression) can spoil ends with its
 * line.
 *
 * TEMPLATES  One without ${…} is a JS_STRING. Another is "`", then JS_CHUNK and "{" … "}" in turn,
 *            then "`".
 * JSX        A JS_JSX where an element begins and one where the outermost ends; between them only
 *            the contents of {…}, with their braces.
 */
#ifndef LOCKFLIGHT_SECRET_JS_TOKEN_H
#define LOCKFLIGHT_SECRET_JS_TOKEN_H

#include "base/arena.h"
#include "base/str.h"

enum js_kind {
    JS_NAME,   /* keywords and #private names too */
    JS_STRING, /* the text is what stands between the quotes, escapes as written */
    JS_CHUNK,  /* constant part of a template with ${…} */
    JS_NUMBER,
    JS_REGEX,
    JS_JSX,
    JS_PUNCT, /* one character, or ?. => ... ++ -- == === != !== && || ?? << */
};

enum js_dialect {
    JS_PLAIN,  /* .js, .mjs, .cjs, .jsx: elements, no types */
    JS_TYPED,  /* .ts, .mts, .cts: types, no elements */
    JS_TYPED_X /* .tsx: both, so <T,>(x) is told from <T> */
};

struct js_token {
    enum js_kind kind;
    struct str text; /* inside the source */
};

/* A comment that speaks to us: what follows "lockflight:" to the end of its line. */
struct js_note {
    struct str text;
    const char *at; /* where the comment begins */
};

struct js_text {
    struct js_token *v;
    size_t n;
    struct js_note *notes;
    size_t notes_n;
};

struct js_text js_tokens(struct arena *a, struct str source, enum js_dialect dialect);

/* Both from 1; columns count characters. */
void js_place(struct str source, const char *at, int *ret_line, int *ret_column);

#endif
