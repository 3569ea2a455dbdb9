/*
 * The statements of an SQL file: where each begins, whether it may run inside a transaction, and
 * what the Supabase CLI would write into its history.
 *
 * Two splits. For execution the grammar of Postgres decides (libpg_query), because a statement that
 * is cut in the wrong place does something else. For the history the Supabase CLI's own splitter
 * decides, because `db push` and branching compare with what it wrote; it also serves for execution
 * where the grammar of version 15 does not know a newer form. What is not SQL is refused by the
 * server, with a position.
 */
#ifndef LOCKFLIGHT_MIGRATE_STATEMENT_H
#define LOCKFLIGHT_MIGRATE_STATEMENT_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"

struct statement {
    struct str
        text;      /* a slice of the file, from its first comment or word, without the semicolon */
    size_t offset; /* of text in the file, bytes */
    size_t code;   /* bytes of text before its first word: comments and blanks */
    const char *refusal; /* NULL, or why it cannot run inside a transaction: "VACUUM" … */
};

/* For execution. Never fails. */
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

/* True if all statements can run inside one transaction. Otherwise ERR_CONFIG with the first that
 * cannot, its place and what to do. Makes no connection; the gate asks it before anything runs. */
bool statement_all_transactional(struct arena *a, const char *file, struct str sql,
                                 struct err *e) MUST_USE;

#endif
