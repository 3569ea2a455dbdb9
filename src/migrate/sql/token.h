/*
 * The surface of SQL: where words, names, texts and comments begin and end, by the rules of
 * Postgres' own lexer (scan.l). Just enough to cut a file at its semicolons and to see by its first
 * words what a statement is; what is inside is for the grammar.
 *
 *     struct token t;
 *     for (size_t at = 0; token_next(text, &at, &t);)
 *         …
 */
#ifndef LOCKFLIGHT_MIGRATE_TOKEN_H
#define LOCKFLIGHT_MIGRATE_TOKEN_H

#include "base/str.h"

enum token_kind {
    TOKEN_WORD,    /* a keyword or a name without quotes */
    TOKEN_NAME,    /* "a name" */
    TOKEN_TEXT,    /* 'text', E'text', $$text$$ */
    TOKEN_NUMBER,  /* 12, 1.5e3, $1 */
    TOKEN_SYMBOL,  /* one character: ( ; + */
    TOKEN_COMMENT, /* one line, or a block */
    TOKEN_PSQL,    /* a backslash outside of everything: a command of psql, never SQL */
    TOKEN_OPEN,    /* a text, name or comment that does not end */
    TOKEN_BOMB,    /* comments in comments, or operator characters, without number */
};

struct token {
    enum token_kind kind;
    size_t at; /* offset of its first byte */
    size_t n;
    char quote; /* TOKEN_TEXT, NAME, OPEN: ' " $ or * for a comment */
};

/* Reads the token at or behind *at and moves *at behind it; false at the end. */
bool token_next(struct str text, size_t *at, struct token *ret);

/* As token_next, but steps over comments. */
bool token_next_code(struct str text, size_t *at, struct token *ret);

/* Is it this keyword (written small) or, for one character, this symbol? */
bool token_is(struct str text, const struct token *t, const char *word);

#endif
