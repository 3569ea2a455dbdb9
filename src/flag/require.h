/*
 * Requirements between flags: who needs whom, tied together once all flags of a document are read.
 */
#ifndef LOCKFLIGHT_FLAG_REQUIRE_H
#define LOCKFLIGHT_FLAG_REQUIRE_H

#include "flag/inside.h"

/* Fills requirement.flag. A flag that requires itself, through others or not, or stands on a chain
 * of more than LIMIT_FLAG_RULE_DEPTH, is broken. */
void require_tie(struct flag_document *d);

#endif
