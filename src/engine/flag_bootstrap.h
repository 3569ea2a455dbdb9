/*
 * What the published site carries of flags, for a visitor whom nobody knows yet: values of those that
 * browsers may see, as they are when the site is made. It counts until the first answer comes, and
 * where none does; no rule and no flag of servers is in it.
 */
#ifndef LOCKFLIGHT_ENGINE_FLAG_BOOTSTRAP_H
#define LOCKFLIGHT_ENGINE_FLAG_BOOTSTRAP_H

#include "provider/pg.h"

#include <jansson.h>

/* {"crm":true}; empty where there are no flags. A flag without a value is not in it. The caller owns
 * *ret. */
bool flag_bootstrap(struct pg *db, struct arena *a, json_t **ret, struct err *e) MUST_USE;

#endif
