/*
 * JSON Web Tokens, HS256 only. The algorithm is fixed by us, never taken from the token: `none`,
 * other algorithms and headers that name a key (jku, jwk, x5u, x5c, crit) are refused.
 */
#ifndef LOCKFLIGHT_NET_JWT_H
#define LOCKFLIGHT_NET_JWT_H

#include "base/arena.h"
#include "base/str.h"

#include <jansson.h>

#define JWT_BYTES_MAX 8192 /* a larger one is not a token but an attack */
#define JWT_LEEWAY_S  30   /* clocks differ */

enum jwt_verdict {
    JWT_GOOD,
    JWT_MALFORMED, /* not three parts of base64url JSON */
    JWT_WRONG_ALGORITHM,
    JWT_BAD_SIGNATURE,
    JWT_EXPIRED, /* or not yet valid */
};

/* header.payload.signature. The claims stay the caller's. */
char *jwt_sign(struct arena *a, const json_t *claims, const char *secret);

/* Checks everything but audience. On JWT_GOOD *ret_claims (may be NULL) is the caller's. */
enum jwt_verdict jwt_verify(struct str token, const char *secret, int64_t now_unix_ms,
                            json_t **ret_claims);

#endif
