/*
 * Making the declared checks of a live release again, and renewing its attestation: nothing is
 * deployed.
 */
#ifndef LOCKFLIGHT_ENGINE_RENEW_H
#define LOCKFLIGHT_ENGINE_RENEW_H

#include "engine/target.h"

struct renew_result {
    const char *release;
    size_t checks;
    bool attested; /* the attestation of this content was written again */
};

/* ERR_CHECK if one is red; ERR_NOT_FOUND if nothing of Lockflight's is live. The attestation is
 * renewed only when `attest`, under the lease. */
bool renew(struct target *t, const struct report_sink *sink, const char *actor, bool attest,
           struct renew_result *ret, struct err *e) MUST_USE;

#endif
