#include "secret/secret.h"

#include "base/log.h"

#include <sodium.h>

/* Header and bytes are in one guarded block each, so that a stray read past the value hits a guard
 * page. */
struct secret {
    size_t n;
    char *bytes;
};

struct secret *secret_new_public(struct str value)
{
    if (sodium_init() < 0)
        memory_exhausted(
            0); /* no random numbers, no guarded memory: nothing can be done with secrets */
    struct secret *s = calloc(1, sizeof *s);
    char *bytes = s ? sodium_malloc(value.n + 1) : NULL;
    if (!s || !bytes)
        memory_exhausted(value.n);
    if (value.n > 0)
        memcpy(bytes, value.p, value.n);
    bytes[value.n] = '\0';
    (void)sodium_mprotect_readonly(bytes);
    *s = (struct secret){ .n = value.n, .bytes = bytes };
    return s;
}

struct secret *secret_new(struct str value)
{
    struct secret *s = secret_new_public(value);
    log_redact(secret_reveal(s));
    return s;
}

void secret_free(struct secret *s)
{
    if (!s)
        return;
    sodium_free(s->bytes); /* wipes */
    free(s);
}

struct str secret_reveal(const struct secret *s)
{
    return (struct str){ s->bytes, s->n };
}

size_t secret_bytes(const struct secret *s)
{
    return s->n;
}

void secret_digest(const struct secret *s, char ret[SHA256_HEX_BYTES])
{
    hash_hex(HASH_SHA256, secret_reveal(s), ret);
}
