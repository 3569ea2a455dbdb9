/*
 * Keys of people and machines (X25519), and their texts:
 *
 *     lfpk1_<43 letters>   public: stands in the secrets files, may be shown to anybody
 *     lfsk1_<43 letters>   secret: opens what was sealed for the public one
 *
 * The letters are base64url of 32 bytes. The prefixes are ours alone, so that scanners of
 * repositories can look for them. A secret key lives in guarded memory and is registered with
 * log_redact.
 */
#ifndef LOCKFLIGHT_SECRET_KEY_H
#define LOCKFLIGHT_SECRET_KEY_H

#include "secret/secret.h"

#define KEY_BYTES         32
#define KEY_PUBLIC_PREFIX "lfpk1_"
#define KEY_SECRET_PREFIX "lfsk1_"
#define KEY_TEXT_BYTES    (6 + 43)

struct public_key {
    unsigned char bytes[KEY_BYTES];
};

struct key_pair {
    struct public_key public;
    struct secret *secret; /* the 32 bytes */
};

/* False if the text is none; every key has exactly one text. */
bool key_public_parse(struct str text, struct public_key *ret);
char *key_public_text(struct arena *a, const struct public_key *key);
bool key_public_equal(const struct public_key *x, const struct public_key *y);

void key_pair_new(struct key_pair *ret);
/* From the text of a secret key; the public one is computed. False if it is none. */
bool key_pair_parse(struct str text, struct key_pair *ret);
bool key_pair_from_bytes(const unsigned char bytes[KEY_BYTES], struct key_pair *ret);
/* The text of the secret key, for the one place where it is written down. */
struct secret *key_secret_text(const struct key_pair *pair);
void key_pair_done(struct key_pair *pair);

/* Opens what was sealed for the pair (anonymous box). `ret` has room for the opened bytes:
 * sealed.n - KEY_SEAL_BYTES. */
#define KEY_SEAL_BYTES 48
bool key_seal(const struct public_key *to, struct str plain, unsigned char *ret);
bool key_unseal(const struct key_pair *pair, struct str sealed, unsigned char *ret) MUST_USE;

static inline void key_pair_cleanup(struct key_pair *pair)
{
    key_pair_done(pair);
}

#endif
