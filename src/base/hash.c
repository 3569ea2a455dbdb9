/*
 * Digests: see hash.h.
 *
 * START    OpenSSL's EVP calls read openssl.cnf, fetch a provider and clean up at the end: 2 ms for
 *          whoever digests one small file. So its older calls are used, which do the same sums (with
 *          the processor's own instructions for them) and nothing else; linked statically, they
 *          bring 40 kB.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/hash.h"

#include "base/cleanup.h"
#include "base/limits.h"

#include <errno.h>
#include <openssl/sha.h>
#include <sodium.h>

struct hash {
    enum hash_kind kind;
    union {
        SHA_CTX sha1;
        SHA256_CTX sha256;
    } u;
};

/* These fail for no input. */

static void begin(struct hash *h, enum hash_kind kind)
{
    h->kind = kind;
    if (kind == HASH_SHA1)
        (void)SHA1_Init(&h->u.sha1);
    else
        (void)SHA256_Init(&h->u.sha256);
}

void hash_add(struct hash *h, const void *bytes, size_t n)
{
    if (h->kind == HASH_SHA1)
        (void)SHA1_Update(&h->u.sha1, bytes, n);
    else
        (void)SHA256_Update(&h->u.sha256, bytes, n);
}

static void end(struct hash *h, char *ret_hex)
{
    unsigned char raw[SHA256_DIGEST_LENGTH];
    if (h->kind == HASH_SHA1)
        (void)SHA1_Final(raw, &h->u.sha1);
    else
        (void)SHA256_Final(raw, &h->u.sha256);
    hex_encode(raw, h->kind == HASH_SHA1 ? SHA_DIGEST_LENGTH : SHA256_DIGEST_LENGTH, ret_hex);
}

void hash_hex(enum hash_kind kind, struct str input, char *ret_hex)
{
    struct hash h;
    begin(&h, kind);
    hash_add(&h, input.p, input.n);
    end(&h, ret_hex);
}

struct hash *hash_new(enum hash_kind kind)
{
    struct hash *h = malloc(sizeof *h);
    if (!h)
        memory_exhausted(sizeof *h);
    begin(h, kind);
    return h;
}

void hash_finish(struct hash *h, char *ret_hex)
{
    end(h, ret_hex);
    free(h);
}

bool hash_fd(int fd, char *ret_sha1_hex, char *ret_sha256_hex, uint64_t *ret_bytes, struct err *e)
{
    enum {
        READ_BYTES = 256 * 1024
    };
    CLEANUP(mem) unsigned char *buffer = malloc(READ_BYTES);
    if (!buffer)
        memory_exhausted(READ_BYTES);
    struct hash sha1, sha256;
    begin(&sha1, HASH_SHA1);
    begin(&sha256, HASH_SHA256);
    uint64_t at = 0;
    ssize_t n;
    while ((n = pread(fd, buffer, READ_BYTES, (off_t)at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_system(e, "read");
        if (ret_sha1_hex)
            hash_add(&sha1, buffer, (size_t)n);
        if (ret_sha256_hex)
            hash_add(&sha256, buffer, (size_t)n);
        at += (uint64_t)n;
    }
    if (ret_sha1_hex)
        end(&sha1, ret_sha1_hex);
    if (ret_sha256_hex)
        end(&sha256, ret_sha256_hex);
    if (ret_bytes)
        *ret_bytes = at;
    return true;
}

void hash_hmac_sha256(struct str key, struct str message, unsigned char ret[32])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)message.p, message.n);
    crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof state);
}

void hex_encode(const void *bytes, size_t n, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[p[i] >> 4];
        ret[2 * i + 1] = digits[p[i] & 15];
    }
    ret[2 * n] = '\0';
}

static char *encode(struct arena *a, struct str bytes, int variant)
{
    size_t room = sodium_base64_encoded_len(bytes.n, variant);
    char *text = arena_alloc(a, room);
    (void)sodium_bin2base64(text, room, (const unsigned char *)bytes.p, bytes.n, variant);
    return text;
}

/* libsodium takes bytes above 0x7f for letters of the alphabet; one value would have two texts. */
static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] > 0x7f)
            return false;
    }
    return true;
}

static bool decode(struct arena *a, struct str text, int variant, struct str *ret)
{
    if (!is_ascii(text))
        return false;
    unsigned char *bytes = arena_alloc(a, text.n + 1);
    size_t n = 0;
    const char *end = NULL;
    if (sodium_base642bin(bytes, text.n, text.p, text.n, NULL, &n, &end, variant) != 0)
        return false;
    if (end != text.p + text.n)
        return false;
    *ret = (struct str){ (const char *)bytes, n };
    return true;
}

char *base64url_encode(struct arena *a, struct str bytes)
{
    return encode(a, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool base64url_decode(struct arena *a, struct str text, struct str *ret)
{
    return decode(a, text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, ret);
}

char *base64_encode(struct arena *a, struct str bytes)
{
    return encode(a, bytes, sodium_base64_VARIANT_ORIGINAL);
}

bool base64_decode(struct arena *a, struct str text, struct str *ret)
{
    return decode(a, text, sodium_base64_VARIANT_ORIGINAL, ret);
}

char *random_hex(struct arena *a, size_t n)
{
    unsigned char *raw = arena_alloc(a, n);
    randombytes_buf(raw, n);
    char *text = arena_alloc(a, 2 * n + 1);
    hex_encode(raw, n, text);
    return text;
}

char *random_uuid(struct arena *a)
{
    unsigned char raw[16];
    randombytes_buf(raw, sizeof raw);
    raw[6] = (unsigned char)((raw[6] & 0x0f) | 0x40);
    raw[8] = (unsigned char)((raw[8] & 0x3f) | 0x80);
    char hex[33];
    hex_encode(raw, sizeof raw, hex);
    return arena_printf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

uint32_t random_below(uint32_t limit)
{
    return randombytes_uniform(limit);
}
