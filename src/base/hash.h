/*
 * Digests (OpenSSL), lower-case hex. SHA-1 where Netlify's protocol says so, SHA-256 elsewhere.
 */
#ifndef LOCKFLIGHT_BASE_HASH_H
#define LOCKFLIGHT_BASE_HASH_H

#include "base/str.h"

enum hash_kind {
    HASH_SHA1,
    HASH_SHA256
};

#define SHA1_HEX_BYTES   41 /* with the zero */
#define SHA256_HEX_BYTES 65

/* One whole input. `ret_hex` has room for SHA1_HEX_BYTES or SHA256_HEX_BYTES. */
void hash_hex(enum hash_kind kind, struct str input, char *ret_hex);

/* In pieces. */
struct hash;
struct hash *hash_new(enum hash_kind kind);
void hash_add(struct hash *h, const void *bytes, size_t n);
void hash_finish(struct hash *h, char *ret_hex); /* ends the digest and frees h */

/* SHA-1 and SHA-256 of an open file in one reading, from offset 0; also its size. Either hex may be
 * NULL. */
bool hash_fd(int fd, char *ret_sha1_hex, char *ret_sha256_hex, uint64_t *ret_bytes,
             struct err *e) MUST_USE;

/* HMAC-SHA256, raw 32 bytes. */
void hash_hmac_sha256(struct str key, struct str message, unsigned char ret[32]);

/* Lower-case hex of bytes; ret has room for 2n + 1. */
void hex_encode(const void *bytes, size_t n, char *ret);

/* Base64url without padding (JWT) and standard base64. */
char *base64url_encode(struct arena *a, struct str bytes);
bool base64url_decode(struct arena *a, struct str text, struct str *ret);
char *base64_encode(struct arena *a, struct str bytes);
bool base64_decode(struct arena *a, struct str text, struct str *ret);

/* Random bytes from the kernel (libsodium): as hex of n bytes, and a version 4 UUID. */
char *random_hex(struct arena *a, size_t n);
char *random_uuid(struct arena *a);
uint32_t random_below(uint32_t limit);

#endif
