/*
 * The cryptography of a secrets file. One data key encrypts every value of one environment; it is
 * sealed for each recipient. What a ciphertext is for is part of what is authenticated, so that
 * nothing can be moved: not to another name, environment, project, key or revision.
 *
 *     PAE(a, b, …)   each part behind its length as 4 bytes, little-endian
 *     context        project, environment, generation of the data key
 *     key id         BLAKE2b-256, keyed with the data key, of PAE("lockflight-key-id-v1", context).
 *                    Commits to the key, which Poly1305 does not; compared before a value is opened
 *     wrap           sealed box to the recipient of: data key | BLAKE2b-256 of the key id, keyed
 *                    with the recipient's public key
 *     value          nonce (24) | XChaCha20-Poly1305-IETF of the value padded to a multiple of 64,
 *                    with PAE("lockflight-secret-v1", context, name, key id, revision, type)
 *     inbox          the secret key of the environment's inbox, encrypted in the same way
 *     addition       sealed box to the inbox of: BLAKE2b-256 of PAE("lockflight-inbox-v1", context,
 *                    name, key id) | padded value
 *     fingerprint    BLAKE2b-128, keyed from the data key, of a name and a digest: tells whether
 *                    two values are equal to who has the key, and nothing to anybody else
 */
#ifndef LOCKFLIGHT_SECRET_RECORD_H
#define LOCKFLIGHT_SECRET_RECORD_H

#include "secret/key.h"

#define RECORD_KEY_ID_BYTES      32
#define RECORD_WRAP_BYTES        (2 * KEY_BYTES + KEY_SEAL_BYTES)
#define RECORD_FINGERPRINT_BYTES 33 /* hex and the zero */
#define RECORD_PAD_BYTES         64

struct key_id {
    unsigned char bytes[RECORD_KEY_ID_BYTES];
};

/* What a file and its data key are for. */
struct record_context {
    const char *project;
    const char *environment;
    uint64_t generation; /* of the data key */
};

/* A data key in guarded memory, bound to its context. */
struct data_key {
    struct record_context context;
    struct key_id id;
    struct secret *bytes;
};

/* The texts of the context must outlive the key. */
void data_key_new(const struct record_context *context, struct data_key *ret);
void data_key_done(struct data_key *key);

static inline void data_key_cleanup(struct data_key *key)
{
    data_key_done(key);
}

/* A wrap for one recipient, base64. */
bool record_wrap(struct arena *a, const struct data_key *key, const struct public_key *to,
                 char **ret, struct err *e) MUST_USE;

/* False if the wrap is not for this pair, this context and this key id. */
bool record_unwrap(const struct key_pair *pair, const struct record_context *context,
                   const struct key_id *id, struct str wrap, struct data_key *ret);

/* What one record says of itself, all of it authenticated. */
struct record_label {
    const char *name;
    uint64_t revision;
    bool is_deleted; /* a tombstone: it has no value */
};

/* Base64 of nonce, ciphertext and tag. */
char *record_seal(struct arena *a, const struct data_key *key, const struct record_label *label,
                  struct str value);

/* NULL if a byte of it, of the label or of the context is not what was sealed. `is_public`: the
 * value is declared as no secret. */
struct secret *record_open(const struct data_key *key, const struct record_label *label,
                           struct str sealed, bool is_public);

/* The inbox of an environment: whoever has its public key can add values, and read none. */
char *record_seal_inbox(struct arena *a, const struct data_key *key, const struct key_pair *inbox);
bool record_open_inbox(const struct data_key *key, const struct public_key *inbox,
                       struct str sealed, struct key_pair *ret);
bool record_seal_addition(struct arena *a, const struct public_key *inbox,
                          const struct record_context *context, const struct key_id *id,
                          const char *name, struct str value, char **ret, struct err *e) MUST_USE;
struct secret *record_open_addition(const struct key_pair *inbox, const struct data_key *key,
                                    const char *name, struct str sealed);

void record_fingerprint(const struct data_key *key, const char *name, const char *digest,
                        char ret[RECORD_FINGERPRINT_BYTES]);

#endif
