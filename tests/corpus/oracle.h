/*
 * A judge that shares nothing with the catalogue digest: what pg_dump says of the schema, whether
 * indexes are valid (pg_dump leaves an invalid one out), and a hash of the rows of every table.
 *
 * Blind to what a way back may change without harm: the order of columns in a table, and the order
 * in which pg_dump prints things. Every finding belongs to a case, by the schema's name in it
 * (case.h); what belongs to none is compared as a whole.
 */
#ifndef LOCKFLIGHT_TESTS_CORPUS_ORACLE_H
#define LOCKFLIGHT_TESTS_CORPUS_ORACLE_H

#include "case.h"

struct finding {
    long number;      /* of the case, -1: of none */
    bool is_data;     /* rows and sequence values, not structure */
    const char *text; /* normalised */
};

struct oracle {
    VEC(struct finding) list; /* sorted by number, then text */
};

/* Looks at the whole database. A failure ends the program: without an oracle there is no test. */
void oracle_look(struct arena *a, struct pg *db, const char *url, struct oracle *ret);

/* Lines of another judge as findings, to be asked in the same way. */
void oracle_of_lines(struct arena *a, const char *const *lines, size_t n, struct oracle *ret);

/* NULL if the two looks agree on the case, else what differs, a line each with "-" or "+". Rows are
 * compared only where asked for. */
char *oracle_differ(struct arena *a, const struct oracle *before, const struct oracle *after,
                    long number, bool with_data);

#endif
