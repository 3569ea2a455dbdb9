/*
 * Digests: see hash.h. Failures of OpenSSL's digest calls on valid contexts mean no memory, which
 * is fatal here as everywhere.
 */
#include "base/hash.h"

#include "base/cleanup.h"
#include "base/limits.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

struct hash {
    EVP_MD_CTX *ctx;
};

static const EVP_MD *digest_of(enum hash_kind kind)
{
    return kind == HASH_SHA1 ? EVP_sha1() : EVP_sha256();
}

static EVP_MD_CTX *context_new(enum hash_kind kind)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestInit_ex(ctx, digest_of(kind), NULL) != 1)
        memory_exhausted(0);
    return ctx;
}

static void context_finish(EVP_MD_CTX *ctx, char *ret_hex)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_DigestFinal_ex(ctx, raw, &n) != 1)
        memory_exhausted(0);
    EVP_MD_CTX_free(ctx);
    hex_encode(raw, n, ret_hex);
}

void hash_hex(enum hash_kind kind, struct str input, char *ret_hex)
{
    EVP_MD_CTX *ctx = context_new(kind);
    (void)EVP_DigestUpdate(ctx, input.p, input.n);
    context_finish(ctx, ret_hex);
}

struct hash *hash_new(enum hash_kind kind)
{
    struct hash *h = malloc(sizeof *h);
    if (!h)
        memory_exhausted(sizeof *h);
    h->ctx = context_new(kind);
    return h;
}

void hash_add(struct hash *h, const void *bytes, size_t n)
{
    (void)EVP_DigestUpdate(h->ctx, bytes, n);
}

void hash_finish(struct hash *h, char *ret_hex)
{
    context_finish(h->ctx, ret_hex);
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
    EVP_MD_CTX *sha1 = ret_sha1_hex ? context_new(HASH_SHA1) : NULL;
    EVP_MD_CTX *sha256 = ret_sha256_hex ? context_new(HASH_SHA256) : NULL;
    uint64_t at = 0;
    ssize_t n;
    while ((n = pread(fd, buffer, READ_BYTES, (off_t)at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        if (sha1)
            (void)EVP_DigestUpdate(sha1, buffer, (size_t)n);
        if (sha256)
            (void)EVP_DigestUpdate(sha256, buffer, (size_t)n);
        at += (uint64_t)n;
    }
    bool ok = n == 0 || err_system(e, "read");
    if (sha1)
        context_finish(sha1, ret_sha1_hex);
    if (sha256)
        context_finish(sha256, ret_sha256_hex);
    if (ok && ret_bytes)
        *ret_bytes = at;
    return ok;
}

void hash_hmac_sha256(struct str key, struct str message, unsigned char ret[32])
{
    unsigned n = 0;
    if (!HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)message.p, message.n, ret,
              &n))
        memory_exhausted(0);
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
