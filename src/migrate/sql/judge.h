/*
 * What one statement is: mode, class, what it touches, which locks it wants. Internal to sql/.
 */
#ifndef LOCKFLIGHT_MIGRATE_JUDGE_H
#define LOCKFLIGHT_MIGRATE_JUDGE_H

#include "migrate/sql/script.h"

/* Fills in everything behind `is_bulk` but the directives. */
void judge(struct arena *a, struct sql_statement *s);

#endif
