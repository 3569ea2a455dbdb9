/*
 * The keys this process opens secrets with: those in LOCKFLIGHT_KEY (for jobs), else the one in the
 * person's key file.
 *
 * FILE      $LOCKFLIGHT_KEY_FILE, else $XDG_CONFIG_HOME/lockflight/key, else
 *           ~/.config/lockflight/key; readable by its owner only, or it is refused:
 *
 *               #lockflight-key 1
 *               #name ana@acme
 *               #public lfpk1_…
 *               lfsk1_…
 *
 *           With a passphrase the last line is "argon2id.<operations>.<memory KiB>.<base64 of salt
 *           (16), nonce (24), encrypted key (32) and tag (16)>".
 *
 * CALLS     keyring_take_environment once, before threads and children exist: the text is wiped
 *           from the environment. Then keyring_get; the file is read, and its passphrase asked
 *           for, when the first caller comes.
 */
#ifndef LOCKFLIGHT_SECRET_KEYRING_H
#define LOCKFLIGHT_SECRET_KEYRING_H

#include "secret/key.h"

#define KEYRING_MAX 8 /* keys in LOCKFLIGHT_KEY, between blanks or commas */

struct keyring {
    struct key_pair v[KEYRING_MAX];
    size_t n;
    const char *from; /* "LOCKFLIGHT_KEY", or the file's path */
    const char *name; /* as the key file says; NULL */
};

/* What is wrong with LOCKFLIGHT_KEY is told by keyring_get; it is wiped in any case. */
void keyring_take_environment(void);

/* Asks a person for the passphrase of `file`. */
typedef bool (*keyring_ask)(void *context, const char *file, struct secret **ret, struct err *e);
void keyring_ask_with(keyring_ask ask, void *context);

/* The process's keys. ERR_AUTH with what to type if there are none. */
bool keyring_get(const struct keyring **ret, struct err *e) MUST_USE;

/* Where the key file is or would be; NULL if there is no home. */
char *keyring_path(struct arena *a);

/* Makes a new pair and its file. `passphrase` NULL: none. ERR_CONFLICT if the file is there. */
bool keyring_create(struct arena *a, const char *path, const char *name,
                    const struct secret *passphrase, struct key_pair *ret, struct err *e) MUST_USE;

/* Name and public key of a file, without opening it. */
bool keyring_describe(struct arena *a, const char *path, const char **ret_name,
                      struct public_key *ret, struct err *e) MUST_USE;

/* For tests: forgets all keys. */
void keyring_forget(void);

#endif
