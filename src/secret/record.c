/*
 * Sealing and opening: see record.h. Plain values and keys pass through guarded memory only.
 */
#include "secret/record.h"

#include "base/cleanup.h"
#include "base/limits.h"

#include <sodium.h>
#include <stdio.h>

#define NONCE     crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG       crypto_aead_xchacha20poly1305_ietf_ABYTES
#define DIGEST    32
#define PARTS_MAX 8

_Static_assert(KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "data keys");

static unsigned char *guarded(size_t n)
{
    unsigned char *p = sodium_malloc(n + 1);
    if (!p)
        memory_exhausted(n);
    return p;
}

static void guarded_cleanup(unsigned char **p)
{
    sodium_free(*p); /* wipes */
}

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)s.p;
}

/* ---- what is authenticated ---- */

struct parts {
    struct str v[PARTS_MAX];
    size_t n;
    char generation[24];
    char revision[24];
};

static void add(struct parts *p, struct str part)
{
    p->v[p->n++] = part;
}

static void begin(struct parts *p, const char *purpose, const struct record_context *context)
{
    p->n = 0;
    (void)snprintf(p->generation, sizeof p->generation, "%llu",
                   (unsigned long long)context->generation);
    add(p, str_of(purpose));
    add(p, str_of(context->project));
    add(p, str_of(context->environment));
    add(p, str_of(p->generation));
}

static struct str id_part(const struct key_id *id)
{
    return (struct str){ (const char *)id->bytes, sizeof id->bytes };
}

static struct str encode(struct arena *a, const struct parts *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        n += 4 + p->v[i].n;
    char *text = arena_alloc(a, n + 1), *to = text;
    for (size_t i = 0; i < p->n; i++) {
        for (unsigned shift = 0; shift < 32; shift += 8)
            *to++ = (char)(unsigned char)(p->v[i].n >> shift);
        memcpy(to, p->v[i].p, p->v[i].n);
        to += p->v[i].n;
    }
    return (struct str){ text, n };
}

/* BLAKE2b of the parts; `key` may be empty. */
static void digest(const struct parts *p, struct str key, unsigned char *ret, size_t n)
{
    struct arena *a = arena_new(0);
    struct str text = encode(a, p);
    (void)crypto_generichash(ret, n, bytes_of(text), text.n, key.n ? bytes_of(key) : NULL, key.n);
    arena_free(a);
}

/* ---- the data key ---- */

static void compute_id(const struct record_context *context, struct str key, struct key_id *ret)
{
    struct parts p;
    begin(&p, "lockflight-key-id-v1", context);
    digest(&p, key, ret->bytes, sizeof ret->bytes);
}

void data_key_new(const struct record_context *context, struct data_key *ret)
{
    unsigned char fresh[KEY_BYTES];
    if (sodium_init() < 0)
        memory_exhausted(0);
    randombytes_buf(fresh, sizeof fresh);
    *ret = (struct data_key){ .context = *context,
                              .bytes = secret_new_public(
                                  (struct str){ (const char *)fresh, sizeof fresh }) };
    sodium_memzero(fresh, sizeof fresh);
    compute_id(context, secret_reveal(ret->bytes), &ret->id);
}

void data_key_done(struct data_key *key)
{
    secret_free(key->bytes);
    key->bytes = NULL;
}

/* Binds a wrap to its recipient and its key. */
static void binding(const struct public_key *to, const struct key_id *id, unsigned char ret[DIGEST])
{
    (void)crypto_generichash(ret, DIGEST, id->bytes, sizeof id->bytes, to->bytes, KEY_BYTES);
}

bool record_wrap(struct arena *a, const struct data_key *key, const struct public_key *to,
                 char **ret, struct err *e)
{
    unsigned char sealed[RECORD_WRAP_BYTES];
    CLEANUP(guarded) unsigned char *plain = guarded(KEY_BYTES + DIGEST);
    memcpy(plain, secret_reveal(key->bytes).p, KEY_BYTES);
    binding(to, &key->id, plain + KEY_BYTES);
    if (!key_seal(to, (struct str){ (const char *)plain, KEY_BYTES + DIGEST }, sealed))
        return err_set(e, ERR_DATA, "%s is no key that can be sealed for", key_public_text(a, to));
    *ret = base64_encode(a, (struct str){ (const char *)sealed, sizeof sealed });
    return true;
}

bool record_unwrap(const struct key_pair *pair, const struct record_context *context,
                   const struct key_id *id, struct str wrap, struct data_key *ret)
{
    struct str sealed;
    struct key_id real;
    unsigned char bound[DIGEST];
    struct arena *a = arena_new(0);
    CLEANUP(guarded) unsigned char *plain = guarded(KEY_BYTES + DIGEST);
    bool ok = base64_decode(a, wrap, &sealed) && sealed.n == RECORD_WRAP_BYTES &&
              key_unseal(pair, sealed, plain);
    arena_free(a);
    if (!ok)
        return false;
    struct str key = { (const char *)plain, KEY_BYTES };
    compute_id(context, key, &real);
    binding(&pair->public, id, bound);
    if (sodium_memcmp(real.bytes, id->bytes, sizeof real.bytes) != 0 ||
        sodium_memcmp(bound, plain + KEY_BYTES, DIGEST) != 0)
        return false;
    *ret = (struct data_key){ .context = *context, .id = real, .bytes = secret_new_public(key) };
    return true;
}

/* ---- encryption ---- */

static char *encrypt(struct arena *a, const struct data_key *key, struct str about,
                     struct str plain)
{
    size_t n = NONCE + plain.n + TAG;
    unsigned char *out = arena_alloc(a, n);
    randombytes_buf(out, NONCE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, NULL, bytes_of(plain), plain.n,
                                                     bytes_of(about), about.n, NULL, out,
                                                     bytes_of(secret_reveal(key->bytes)));
    return base64_encode(a, (struct str){ (const char *)out, n });
}

/* `ret` is guarded, and the caller's to free; NULL if it is not what was encrypted. */
static unsigned char *decrypt(struct arena *a, const struct data_key *key, struct str about,
                              struct str text, size_t *ret_n)
{
    struct str in;
    if (!base64_decode(a, text, &in) || in.n < NONCE + TAG)
        return NULL;
    unsigned long long n = 0;
    unsigned char *plain = guarded(in.n);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            plain, &n, NULL, bytes_of(in) + NONCE, in.n - NONCE, bytes_of(about), about.n,
            bytes_of(in), bytes_of(secret_reveal(key->bytes))) != 0) {
        sodium_free(plain);
        return NULL;
    }
    *ret_n = (size_t)n;
    return plain;
}

/* The value with its padding, in guarded memory; `before` bytes are left free in front. */
static unsigned char *padded(struct str value, size_t before, size_t *ret_n)
{
    size_t room = before + value.n + RECORD_PAD_BYTES, n = 0;
    unsigned char *p = guarded(room);
    if (value.n > 0)
        memcpy(p + before, value.p, value.n);
    (void)sodium_pad(&n, p + before, value.n, RECORD_PAD_BYTES, room - before);
    *ret_n = before + n;
    return p;
}

static struct secret *unpadded(const unsigned char *p, size_t n, bool is_public)
{
    size_t bytes = 0;
    if (n == 0 || n % RECORD_PAD_BYTES != 0 || sodium_unpad(&bytes, p, n, RECORD_PAD_BYTES) != 0 ||
        bytes > LIMIT_SECRET_VALUE_BYTES)
        return NULL;
    struct str value = { (const char *)p, bytes };
    return is_public ? secret_new_public(value) : secret_new(value);
}

static struct str about_value(struct arena *a, const struct data_key *key,
                              const struct record_label *label)
{
    struct parts p;
    begin(&p, "lockflight-secret-v1", &key->context);
    add(&p, str_of(label->name));
    add(&p, id_part(&key->id));
    (void)snprintf(p.revision, sizeof p.revision, "%llu", (unsigned long long)label->revision);
    add(&p, str_of(p.revision));
    add(&p, str_of(label->is_deleted ? "deleted" : "value"));
    return encode(a, &p);
}

char *record_seal(struct arena *a, const struct data_key *key, const struct record_label *label,
                  struct str value)
{
    size_t n = 0;
    CLEANUP(guarded) unsigned char *plain = padded(value, 0, &n);
    return encrypt(a, key, about_value(a, key, label), (struct str){ (const char *)plain, n });
}

struct secret *record_open(const struct data_key *key, const struct record_label *label,
                           struct str sealed, bool is_public)
{
    size_t n = 0;
    struct arena *a = arena_new(0);
    CLEANUP(guarded) unsigned char *plain = decrypt(a, key, about_value(a, key, label), sealed, &n);
    arena_free(a);
    return plain ? unpadded(plain, n, is_public) : NULL;
}

/* ---- the inbox ---- */

static struct str about_inbox(struct arena *a, const struct data_key *key,
                              const struct public_key *inbox)
{
    struct parts p;
    begin(&p, "lockflight-inbox-key-v1", &key->context);
    add(&p, id_part(&key->id));
    add(&p, (struct str){ (const char *)inbox->bytes, KEY_BYTES });
    return encode(a, &p);
}

char *record_seal_inbox(struct arena *a, const struct data_key *key, const struct key_pair *inbox)
{
    return encrypt(a, key, about_inbox(a, key, &inbox->public), secret_reveal(inbox->secret));
}

bool record_open_inbox(const struct data_key *key, const struct public_key *inbox,
                       struct str sealed, struct key_pair *ret)
{
    size_t n = 0;
    struct arena *a = arena_new(0);
    CLEANUP(guarded) unsigned char *plain = decrypt(a, key, about_inbox(a, key, inbox), sealed, &n);
    arena_free(a);
    return plain && n == KEY_BYTES && key_pair_from_bytes(plain, ret) &&
           key_public_equal(&ret->public, inbox);
}

static void addition_digest(const struct record_context *context, const struct key_id *id,
                            const char *name, unsigned char ret[DIGEST])
{
    struct parts p;
    begin(&p, "lockflight-inbox-v1", context);
    add(&p, str_of(name));
    add(&p, id_part(id));
    digest(&p, (struct str){ 0 }, ret, DIGEST);
}

bool record_seal_addition(struct arena *a, const struct public_key *inbox,
                          const struct record_context *context, const struct key_id *id,
                          const char *name, struct str value, char **ret, struct err *e)
{
    size_t n = 0;
    CLEANUP(guarded) unsigned char *plain = padded(value, DIGEST, &n);
    unsigned char *sealed = arena_alloc(a, n + KEY_SEAL_BYTES);
    addition_digest(context, id, name, plain);
    if (!key_seal(inbox, (struct str){ (const char *)plain, n }, sealed))
        return err_set(e, ERR_DATA, "the inbox key %s can not be sealed for",
                       key_public_text(a, inbox));
    *ret = base64_encode(a, (struct str){ (const char *)sealed, n + KEY_SEAL_BYTES });
    return true;
}

struct secret *record_open_addition(const struct key_pair *inbox, const struct data_key *key,
                                    const char *name, struct str text)
{
    struct str sealed;
    unsigned char expected[DIGEST];
    struct arena *a = arena_new(0);
    CLEANUP(guarded) unsigned char *plain = NULL;
    size_t n = 0;
    if (base64_decode(a, text, &sealed) && sealed.n >= KEY_SEAL_BYTES + DIGEST) {
        n = sealed.n - KEY_SEAL_BYTES;
        plain = guarded(n);
        if (!key_unseal(inbox, sealed, plain))
            n = 0;
    }
    arena_free(a);
    addition_digest(&key->context, &key->id, name, expected);
    if (n == 0 || sodium_memcmp(expected, plain, DIGEST) != 0)
        return NULL;
    return unpadded(plain + DIGEST, n - DIGEST, false);
}

/* ---- fingerprints ---- */

void record_fingerprint(const struct data_key *key, const char *name, const char *text,
                        char ret[RECORD_FINGERPRINT_BYTES])
{
    unsigned char raw[RECORD_FINGERPRINT_BYTES / 2];
    CLEANUP(guarded) unsigned char *derived = guarded(KEY_BYTES);
    struct parts p;
    begin(&p, "lockflight-fingerprint-key-v1", &key->context);
    digest(&p, secret_reveal(key->bytes), derived, KEY_BYTES);
    begin(&p, "lockflight-fingerprint-v1", &key->context);
    add(&p, str_of(name));
    add(&p, str_of(text));
    digest(&p, (struct str){ (const char *)derived, KEY_BYTES }, raw, sizeof raw);
    hex_encode(raw, sizeof raw, ret);
}
