/*
 * Names that a bundler publishes, and names and values that look like secrets. Together they are a
 * mistake, whatever was declared.
 */
#ifndef LOCKFLIGHT_SECRET_PUBLIC_NAME_H
#define LOCKFLIGHT_SECRET_PUBLIC_NAME_H

#include "base/str.h"

/* The prefix that makes the name public ("VITE_"); NULL: it has none. */
const char *public_prefix(const char *name);

/* The word of the name that says secret ("TOKEN", "SERVICE_ROLE"); NULL: none does. Keys that are
 * made to be published (anon, publishable, site key) are none. */
const char *secret_word(const char *name);

/* A value that nobody types and that is no address, no id and no published key: long, of many
 * different characters, without blanks. */
bool looks_random(struct str value);

#endif
