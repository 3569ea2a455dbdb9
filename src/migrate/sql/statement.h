/*
 * The text of SQL files: places for people, what the Supabase CLI would write into its history, and
 * digests that do not depend on blanks. What the statements mean is in script.h.
 */
#ifndef LOCKFLIGHT_MIGRATE_STATEMENT_H
#define LOCKFLIGHT_MIGRATE_STATEMENT_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"

struct statement {
    struct str text; /* from its first word, without the semicolon */
    size_t offset;   /* of text in the file, bytes */
};

/* The statements of SQL of our own, for execution. Never fails; files of others are read with
 * sql_script_read. */
void statement_split(struct arena *a, struct str sql, struct statement **ret, size_t *ret_count);

/* For the history, as the Supabase CLI 3.1 splits. */
void statement_split_as_cli(struct arena *a, struct str sql, struct str **ret, size_t *ret_count);

/* A digest of what is said, blind to where it was split: blanks and semicolons do not count. Equal
 * to what STATEMENT_TEXT_SQL computes in the database from the statements of a history row. */
void statement_text_digest(struct str sql, char ret[SHA256_HEX_BYTES]);

#define STATEMENT_TEXT_SQL(statements)                                                             \
    "encode(sha256(convert_to(translate(array_to_string(" statements ", ''),"                      \
    " E' "                                                                                         \
    "\\t\\r\\n\\x0b\\x0c;\\u00a0\\ufeff\\u1680\\u2000\\u2001\\u2002\\u2003\\u2004\\u2005\\u2006"   \
    "\\u2007\\u2008\\u2009\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000', ''), 'UTF8')), 'hex')"

/* A place in a file, for people: 1-based line and column in characters, and the line itself. */
struct place {
    unsigned line;
    unsigned column;
    struct str line_text;
};
struct place statement_place(struct str file, size_t offset);

/* Two lines: "  12 | select * from nowhere" and a caret below the column. Long lines are cut around
 * it. */
char *statement_excerpt(struct arena *a, const struct place *p);

#endif
