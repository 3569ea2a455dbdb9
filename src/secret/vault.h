/*
 * A secrets file with the key to it: values are read and set here, and nowhere else.
 *
 * REVISIONS   A value that is set gets the next revision of its name, and the one before stays on
 *             the line, up to SECRETS_OLDER of them, so that a release can take back to it. A
 *             removed variable leaves a tombstone. vault_prune ends what nobody goes back to.
 *
 * TRUST       vault_open authenticates every record of the file before any is used. That the key
 *             itself is the right one, and that no revision is older than one that was used
 *             already, only the environment can know: engine/secret_pins.h.
 *
 * CALLS       vault_lock (to change) → vault_read or vault_create → vault_open → vault_value,
 *             vault_set, … → vault_save → vault_done. Names, recipients, and additions by who
 *             cannot read need no vault_open.
 */
#ifndef LOCKFLIGHT_SECRET_VAULT_H
#define LOCKFLIGHT_SECRET_VAULT_H

#include "secret/keyring.h"
#include "secret/secrets_file.h"

/* Which file, and what it must be for. */
struct vault_place {
    const char *path;
    const char *name; /* for people: "secrets/staging.lf" */
    const char *project;
    const char *environment;
};

struct vault {
    struct arena *arena;
    struct vault_place place;
    struct secrets_file file;
    struct data_key key; /* after vault_open */
    bool is_open;
    bool is_changed;
    bool is_locked;
    int lock; /* of the folder */
};

/* Makes the folder, and waits until nobody else changes a file in it. Held until vault_done. */
bool vault_lock(const struct vault_place *place, struct vault *ret, struct err *e) MUST_USE;

/* ERR_NOT_FOUND if there is no file, ERR_DATA with file and line if it is none of ours, ERR_CONFIG
 * if it belongs to another project or environment. `v` is zeroed, or was locked. */
bool vault_read(struct arena *a, const struct vault_place *place, struct vault *v,
                struct err *e) MUST_USE;

/* The same of a text that was read already. */
bool vault_parse(struct arena *a, const struct vault_place *place, struct str text, struct vault *v,
                 struct err *e) MUST_USE;

/* A new file with a new key for one recipient; open. */
bool vault_create(struct arena *a, const struct vault_place *place, const char *recipient,
                  const struct public_key *key, struct vault *v, struct err *e) MUST_USE;

/* ERR_AUTH if none of the keys is a recipient's, ERR_DATA with the line of what was tampered with. */
bool vault_open(struct vault *v, const struct keyring *keys, struct err *e) MUST_USE;

bool vault_save(struct vault *v, struct err *e) MUST_USE;
void vault_done(struct vault *v); /* accepts a zeroed one */

static inline void vault_cleanup(struct vault *v)
{
    vault_done(v);
}

/* ---- values ---- */

/* The value in force (older = 0), or one before it. NULL without an error that matters if there is
 * none: never set, removed, or not kept that long. `is_public`: declared as no secret. */
struct secret *vault_value(const struct vault *v, const char *name, size_t older, bool is_public);

/* The revision of that value; 0 if there is none. */
uint64_t vault_revision(const struct vault *v, const char *name, size_t older);

/* Sets or removes. *ret_changed is false if it has that value, or is removed, already. */
bool vault_set(struct vault *v, const char *name, const struct secret *value, bool *ret_changed,
               struct err *e) MUST_USE;
bool vault_set_plain(struct vault *v, const char *name, const struct secret *value,
                     bool *ret_changed, struct err *e) MUST_USE;
bool vault_unset(struct vault *v, const char *name, bool *ret_changed, struct err *e) MUST_USE;

/* Drops the older values of a name but for the newest `keep` of them; returns how many. */
size_t vault_prune(struct vault *v, const char *name, size_t keep);

/* ---- who reads ---- */

bool vault_grant(struct vault *v, const char *name, const struct public_key *key,
                 struct err *e) MUST_USE;
/* Removes the recipient and rotates. ERR_NOT_FOUND; ERR_BLOCKED if it is the last one. */
bool vault_revoke(struct vault *v, const char *name, struct err *e) MUST_USE;
/* A new data key and a new inbox; everything is encrypted again. */
bool vault_rotate(struct vault *v, struct err *e) MUST_USE;

/* ---- additions by who cannot read ---- */

/* The key of the inbox; a part of vault_open. */
bool vault_open_inbox(const struct vault *v, struct key_pair *ret, struct err *e) MUST_USE;

bool vault_add(struct vault *v, const char *name, const struct secret *value,
               struct err *e) MUST_USE;
/* Makes the addition the value in force. */
bool vault_accept(struct vault *v, const char *name, bool *ret_changed, struct err *e) MUST_USE;
bool vault_reject(struct vault *v, const char *name, struct err *e) MUST_USE;

/* ---- comparing ---- */

/* The revision whose value has that SHA-256, in force or older; 0 if none has. */
uint64_t vault_find_digest(const struct vault *v, const char *name, const char *sha256);

/* Base64 of the key id, for people and for pins. */
char *vault_key_id(struct arena *a, const struct vault *v);

#endif
