/*
 * Declared variables reach the hosts: what the variables phase does, and `vars push` without a
 * release, under the same lease and with the same marks in the journal.
 *
 * A push outside a release writes the event "variables.sending" with the before-image, sets the
 * values, and writes "variables.sent"; the Netlify site follows with an event of its own
 * (site_variables.h). Setting is absolute: after a crash in between, the same push again ends it.
 */
#ifndef LOCKFLIGHT_ENGINE_VARIABLE_PUSH_H
#define LOCKFLIGHT_ENGINE_VARIABLE_PUSH_H

#include "engine/plan.h"

/* Sets all, reads back, and compares: ERR_REMOTE if the host lists other digests. */
bool variable_push(struct target *t, const struct variable_set *values, struct err *e) MUST_USE;

/* Does the host list the digest of every value? */
bool variable_push_confirm(struct target *t, const struct variable_set *values, bool *ret_same,
                           struct err *e) MUST_USE;

/* What the host has of one variable before it is set: its mark, and the value if it is no secret
 * and the live release knows it. The caller owns it. */
json_t *variable_push_before(const struct live *live, const struct variable_spec *spec,
                             const char *before_digest);

struct push_options {
    const char *actor;
    bool allow_older;
    bool is_dry;
};

/* One variable of Supabase, as it was found. */
struct push_change {
    const char *name;
    enum variable_change change;
};

struct push_result {
    struct push_change *v;
    size_t n, changed;
    size_t site; /* set on the Netlify site */
};

/* The whole push. ERR_BLOCKED while a release is open, another runner acts, or the secrets file is
 * older or foreign. */
bool variable_push_all(struct target *t, const struct push_options *options,
                       struct push_result *ret, struct err *e) MUST_USE;

/* What was sent outside of releases since the live one: { NAME: mark }. The caller owns it; NULL
 * with an error. */
json_t *variable_push_sent(struct pg *db, const char *target, struct err *e) MUST_USE;
/* Forgets it: a release says what is live. */
bool variable_push_forget(struct lease *l, struct err *e) MUST_USE;

#endif
