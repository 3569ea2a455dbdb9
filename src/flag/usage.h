/*
 * How often each variant was served from one document: counted by many threads without a lock, and
 * added to the environment's counters of the day by whoever holds a connection. For finding flags
 * that nobody asks for; a count that comes while its document is being replaced may be lost.
 */
#ifndef LOCKFLIGHT_FLAG_USAGE_H
#define LOCKFLIGHT_FLAG_USAGE_H

#include "flag/evaluate.h"
#include "provider/pg.h"

struct flag_usage;

/* All counts are zero. `d` outlives it. */
struct flag_usage *flag_usage_new(const struct flag_document *d);
void flag_usage_free(struct flag_usage *u); /* accepts NULL */

/* One answer for the flag at `position` in the document. */
void flag_usage_count(struct flag_usage *u, size_t position, const struct flag_answer *answer);

/* Adds what was counted to the database and begins again at zero; on failure the counts stay. */
bool flag_usage_save(struct flag_usage *u, struct pg *db, struct err *e) MUST_USE;

#endif
