/*
 * What an environment remembers of its secrets file, in its own database. The file cannot prove by
 * itself that it is the newest one, or that its key was not made by somebody who may only write to
 * the repository.
 *
 * KEY        The key id of the file that was sent first is trusted from then on. Another one is
 *            refused until somebody who can open it and may write here runs `vars trust`.
 *
 * REVISIONS  The highest one sent of each name. A lower one, or a name whose line is gone without a
 *            tombstone, is refused unless a person says otherwise (--allow-older).
 */
#ifndef LOCKFLIGHT_ENGINE_SECRET_PINS_H
#define LOCKFLIGHT_ENGINE_SECRET_PINS_H

#include "engine/lease.h"
#include "secret/vault.h"

struct secret_pin {
    const char *name;
    uint64_t revision;
};

struct secret_pins {
    const char *key_id; /* base64; NULL: none is trusted yet */
    uint64_t generation;
    struct secret_pin *v;
    size_t n;
};

/* Without the schema there are none. */
bool secret_pins_read(struct pg *db, struct arena *a, const char *target, struct secret_pins *ret,
                      struct err *e) MUST_USE;

/* ERR_BLOCKED with what opens it. */
bool secret_pins_check(const struct secret_pins *pins, const struct vault *v, bool allow_older,
                       struct err *e) MUST_USE;

/* The file as it was sent. A no-op if that is what is remembered. */
bool secret_pins_write(struct lease *l, const struct vault *v, const char *release_id,
                       const char *by, struct err *e) MUST_USE;

/* Trusts the file's key; revisions stay. */
bool secret_pins_trust(struct lease *l, const struct vault *v, const char *by,
                       struct err *e) MUST_USE;

#endif
