/*
 * X25519 keys: see key.h.
 */
#include "secret/key.h"

#include <sodium.h>

#define LETTERS 43
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(KEY_BYTES == crypto_box_PUBLICKEYBYTES && KEY_BYTES == crypto_box_SECRETKEYBYTES,
               "X25519");
_Static_assert(KEY_SEAL_BYTES == crypto_box_SEALBYTES, "what a sealed box adds");

/* The bytes behind the prefix. Encoding them again must give the text: one key, one text. */
static bool parse(struct str text, const char *prefix, unsigned char ret[KEY_BYTES])
{
    char again[LETTERS + 1];
    size_t n = 0;
    const char *end = NULL;
    if (text.n != strlen(prefix) + LETTERS || !str_starts(text, prefix))
        return false;
    const char *letters = text.p + strlen(prefix);
    if (sodium_base642bin(ret, KEY_BYTES, letters, LETTERS, NULL, &n, &end, VARIANT) != 0 ||
        n != KEY_BYTES || end != letters + LETTERS)
        return false;
    (void)sodium_bin2base64(again, sizeof again, ret, KEY_BYTES, VARIANT);
    bool is_same = sodium_memcmp(again, letters, LETTERS) == 0;
    sodium_memzero(again, sizeof again);
    return is_same;
}

bool key_public_parse(struct str text, struct public_key *ret)
{
    struct public_key key;
    if (!parse(text, KEY_PUBLIC_PREFIX, key.bytes))
        return false;
    *ret = key;
    return true;
}

char *key_public_text(struct arena *a, const struct public_key *key)
{
    char letters[LETTERS + 1];
    (void)sodium_bin2base64(letters, sizeof letters, key->bytes, KEY_BYTES, VARIANT);
    return arena_printf(a, KEY_PUBLIC_PREFIX "%s", letters);
}

bool key_public_equal(const struct public_key *x, const struct public_key *y)
{
    return sodium_memcmp(x->bytes, y->bytes, KEY_BYTES) == 0;
}

/* Takes the bytes over and wipes them. */
static bool settle(unsigned char secret[KEY_BYTES], struct key_pair *ret)
{
    bool ok = crypto_scalarmult_base(ret->public.bytes, secret) == 0;
    if (ok)
        ret->secret = secret_new_public((struct str){ (const char *)secret, KEY_BYTES });
    sodium_memzero(secret, KEY_BYTES);
    if (ok)
        secret_free(key_secret_text(ret)); /* making the text registers it with log_redact */
    return ok;
}

void key_pair_new(struct key_pair *ret)
{
    unsigned char secret[KEY_BYTES];
    *ret = (struct key_pair){ 0 };
    if (sodium_init() < 0)
        memory_exhausted(0);
    randombytes_buf(secret, sizeof secret);
    if (!settle(secret, ret))
        memory_exhausted(0); /* a random scalar has a public key */
}

bool key_pair_parse(struct str text, struct key_pair *ret)
{
    unsigned char secret[KEY_BYTES];
    *ret = (struct key_pair){ 0 };
    bool ok = sodium_init() >= 0 && parse(text, KEY_SECRET_PREFIX, secret) && settle(secret, ret);
    sodium_memzero(secret, sizeof secret);
    return ok;
}

bool key_pair_from_bytes(const unsigned char bytes[KEY_BYTES], struct key_pair *ret)
{
    unsigned char secret[KEY_BYTES];
    *ret = (struct key_pair){ 0 };
    memcpy(secret, bytes, sizeof secret);
    return settle(secret, ret);
}

struct secret *key_secret_text(const struct key_pair *pair)
{
    char text[KEY_TEXT_BYTES + 1] = KEY_SECRET_PREFIX;
    const struct str bytes = secret_reveal(pair->secret);
    (void)sodium_bin2base64(text + strlen(KEY_SECRET_PREFIX), LETTERS + 1,
                            (const unsigned char *)bytes.p, bytes.n, VARIANT);
    struct secret *s = secret_new((struct str){ text, KEY_TEXT_BYTES });
    sodium_memzero(text, sizeof text);
    return s;
}

void key_pair_done(struct key_pair *pair)
{
    secret_free(pair->secret);
    pair->secret = NULL;
}

bool key_seal(const struct public_key *to, struct str plain, unsigned char *ret)
{
    return crypto_box_seal(ret, (const unsigned char *)plain.p, plain.n, to->bytes) == 0;
}

bool key_unseal(const struct key_pair *pair, struct str sealed, unsigned char *ret)
{
    return sealed.n >= KEY_SEAL_BYTES &&
           crypto_box_seal_open(ret, (const unsigned char *)sealed.p, sealed.n, pair->public.bytes,
                                (const unsigned char *)secret_reveal(pair->secret).p) == 0;
}
