/*
 * Where the statements of a file begin and end, and whether anyone could execute it at all.
 * Internal to sql/: others read files with script.h.
 *
 * RULES    A semicolon ends a statement unless it stands in a text, a name, a comment, parentheses
 *          (CREATE RULE … DO (a; b)) or BEGIN ATOMIC … END. The grammar confirms each cut: what
 *          parses as exactly one statement by itself was cut where Postgres would have.
 */
#ifndef LOCKFLIGHT_MIGRATE_CUT_H
#define LOCKFLIGHT_MIGRATE_CUT_H

#include "base/str.h"

struct piece {
    size_t at;   /* of the first word in the file */
    size_t n;    /* to the last, without the semicolon and comments behind */
    size_t lead; /* where the comments before it begin: the end of the piece before */
    size_t tokens;
    bool has_comments; /* between its words */
};

struct cut {
    struct piece *v;
    size_t n;
};

/* ERR_CONFIG for bytes that are not UTF-8, a text or comment left open, a psql command, rows behind
 * COPY … FROM STDIN, and nesting or operators without number. */
bool cut_text(struct arena *a, const char *file, struct str text, struct cut *ret,
              struct err *e) MUST_USE;

/* The same for SQL of our own: no check, no failure. */
void cut_trusted(struct arena *a, struct str text, struct cut *ret);

#endif
