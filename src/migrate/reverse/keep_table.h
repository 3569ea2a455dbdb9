/*
 * A table as those see it who copy rows of it and put them back.
 *
 * COPY     lockflight_undo.v<version>_<n> has row_no and bytes, whose constraints hold the limits,
 *          and then by what happened to the rows:
 *            removed    old_<column> of every column
 *            changed    key_<column> of the key; old_… and new_… of the columns that may differ
 *            anything   had and has (was the row there before, is it after), key_…, old_…, new_…
 */
#ifndef LOCKFLIGHT_MIGRATE_KEEP_TABLE_H
#define LOCKFLIGHT_MIGRATE_KEEP_TABLE_H

#include "base/vec.h"
#include "provider/pg.h"

struct keep_column {
    const char *name;
    const char *type;  /* format_type */
    bool is_key;       /* of the narrowest unique index over NOT NULL columns, the primary first */
    bool is_computed;  /* GENERATED ALWAYS AS … STORED */
    bool lacks_equals; /* json and its like: compared as text */
};

struct keep_table {
    const char *oid;
    const char *name; /* qualified and quoted */
    VEC(struct keep_column) columns;
    bool has_key;
    bool has_row_triggers; /* of people, enabled, on UPDATE */
    bool has_triggers;     /* of people, enabled */
};

bool keep_table_read(struct pg *db, struct arena *a, const char *oid, struct keep_table *ret,
                     struct err *e) MUST_USE;

/* "t.a = u.key_a AND t.b = u.key_b" */
const char *keep_key_match(struct arena *a, const struct keep_table *t);

/* "t.a IS NOT DISTINCT FROM u.new_a", as text where the type has no equals. */
const char *keep_same(struct arena *a, const struct keep_column *c, const char *left,
                      const char *right_prefix);

/* prefix and name as one quoted identifier: old_Name → "old_Name". */
const char *keep_name(struct arena *a, const char *prefix, const char *column);

#endif
