/*
 * One statement through the grammar of Postgres (libpg_query), into structs that live in an arena.
 * Internal to sql/: others read whole files with script.h.
 */
#ifndef LOCKFLIGHT_MIGRATE_PARSE_H
#define LOCKFLIGHT_MIGRATE_PARSE_H

#include "base/arena.h"
#include "base/strbuf.h"

#include <pg_query/pg_query.pb-c.h>

struct parsed {
    PgQuery__RawStmt *const *statements; /* NULL: not parsed, see complaint */
    size_t n;
    const char *complaint; /* the parser's words */
    size_t complaint_at;   /* offset in `text` */
};

/* Parses. Deep expressions need stack: call it within parse_with_stack. The text between comments
 * is copied to `scratch`. */
void parse_text(struct arena *a, struct strbuf *scratch, struct str text, bool has_comments,
                struct parsed *ret);

/* Runs work(contexts[i]) in a thread with a stack of PARSE_STACK_BYTES for each of them, and waits
 * for all. Whoever runs on such a stack already does the first himself. */
bool parse_with_stack(void (*work)(void *context), void *const *contexts, size_t n,
                      struct err *e) MUST_USE;

#endif
