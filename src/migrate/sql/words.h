/*
 * Statements recognised by their words, without the grammar: for what must be known of every
 * statement, also of one that the grammar of 15 does not know.
 *
 *     words_match(text, "alter table [if exists] [only] % .. detach partition % concurrently", &t)
 *
 * PATTERN  word       this keyword, or this one character
 *          a|b        either
 *          [x y]      the words may stand here
 *          %          a name, with or without schema; the first one is returned
 *          ..         anything
 *          $          the end
 * A pattern need not reach the end of the statement.
 */
#ifndef LOCKFLIGHT_MIGRATE_WORDS_H
#define LOCKFLIGHT_MIGRATE_WORDS_H

#include "migrate/sql/script.h"
#include "migrate/sql/token.h"

/* The first tokens of a statement, without comments, read as far as patterns ask for them. */
#define WORDS_MAX 250
struct words {
    struct str text;
    size_t at; /* read so far */
    size_t n;
    bool is_whole; /* all are read, or WORDS_MAX */
    struct token v[WORDS_MAX];
};
void words_begin(struct words *w, struct str text);

/* The i-th token, or NULL if there are not so many. */
const struct token *words_token(struct words *w, size_t i);

/* `ret_name` may be NULL; a pattern without % leaves it. Names without quotes come in small letters. */
bool words_match(struct arena *a, struct words *w, const char *pattern, struct sql_name *ret_name);

#endif
