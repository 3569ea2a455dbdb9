/*
 * What one statement is: mode, class, what it touches, which locks it wants. Internal to sql/.
 */
#ifndef LOCKFLIGHT_MIGRATE_JUDGE_H
#define LOCKFLIGHT_MIGRATE_JUDGE_H

#include "migrate/sql/words.h"

/* Fills in everything behind `is_bulk` but the directives. `w` is room to work in. */
void judge(struct arena *a, struct words *w, struct sql_statement *s);

#endif
