/*
 * How a statement must be run, by its words: see enum sql_mode. Also for statements that the
 * grammar of 15 does not know.
 */
#ifndef LOCKFLIGHT_MIGRATE_MODE_H
#define LOCKFLIGHT_MIGRATE_MODE_H

#include "migrate/sql/words.h"

/* One row: what is recognised, how it runs, what people call it, and for FORBIDDEN what to do. */
struct mode_row {
    const char *pattern;
    enum sql_mode mode;
    const char *what;
    const char *remedy; /* NULL unless FORBIDDEN */
};

/* NULL: in a transaction, as most. */
const struct mode_row *mode_of(struct arena *a, struct words *w);

#endif
