/*
 * What is known of a statement that the grammar of 15 does not know, by its words: the forms of
 * Postgres 16 to 18, and otherwise the first words, taken for the worst. Internal to sql/.
 */
#ifndef LOCKFLIGHT_MIGRATE_NEWER_H
#define LOCKFLIGHT_MIGRATE_NEWER_H

#include "migrate/sql/words.h"

struct newer_row {
    const char *pattern;
    const char *says; /* NULL: nothing is known but the first words */
    enum sql_class class;
    enum sql_answer rewrites, scans;
    enum sql_lock_level level; /* on the name in the pattern */
};

/* Never NULL: the last row matches everything. *ret_name is empty if the pattern has no name. */
const struct newer_row *newer_find(struct arena *a, struct words *w, struct sql_name *ret_name);

#endif
