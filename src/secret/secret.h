/*
 * A secret value: in guarded memory (libsodium: page-locked, not in core dumps, wiped when freed),
 * and without any function that prints it. secret_reveal is the one door; whoever calls it sends
 * the value to its one destination.
 */
#ifndef LOCKFLIGHT_SECRET_SECRET_H
#define LOCKFLIGHT_SECRET_SECRET_H

#include "base/hash.h"
#include "base/str.h"

struct secret;

/* Copies `value` and registers it with log_redact. The caller wipes its own copy. */
struct secret *secret_new(struct str value);
/* Same for a value that is declared as no secret: kept as well, but not redacted from texts, since
 * it may be an ordinary word. */
struct secret *secret_new_public(struct str value);

void secret_free(struct secret *s); /* accepts NULL */

/* The bytes, zero-terminated; valid until secret_free. */
struct str secret_reveal(const struct secret *s);
size_t secret_bytes(const struct secret *s);

/* SHA-256 in hex: what Supabase lists. Unsalted, so it is compared, never
 * shown for short values. */
void secret_digest(const struct secret *s, char ret[SHA256_HEX_BYTES]);

static inline void secret_cleanup(struct secret **s)
{
    secret_free(*s);
}

#endif
