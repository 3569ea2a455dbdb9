/*
 * Who asks: read from the token of a request, never from its body.
 *
 *     no token, or the project's anon key          anonymous
 *     JWT of the project, role authenticated       that user: "sub", and what app_metadata says
 *     JWT of the project, role service_role        a server
 *     a server token of ours (lf…)                 a server
 *     any other role                               403
 *     anything else, and what has expired          401
 *
 * Server tokens are known by their SHA-256 only, which is compared in constant time.
 */
#ifndef LOCKFLIGHT_FLAG_CALLER_H
#define LOCKFLIGHT_FLAG_CALLER_H

#include "base/hash.h"
#include "flag/normalise.h"

struct caller_rules {
    const char
        *jwt_secret; /* HS256, of the project; NULL: its tokens cannot be read and are refused */
    const char *anon_key;                   /* known without the secret; NULL: none */
    const char (*tokens)[SHA256_HEX_BYTES]; /* of servers: lower-case hex */
    size_t tokens_n;
};

/* 0, or 401 or 403 with a sentence in *ret_why. `token` may be NULL. *ret_claims (the caller's to
 * give back; NULL if there are none) holds what *ret points at. */
int caller_of(const struct caller_rules *rules, const char *token, int64_t now_unix_ms,
              struct flag_caller *ret, json_t **ret_claims, const char **ret_why);

/* Reads a file of server tokens, one a line: the token itself, or sha256:<hex>; # begins a remark.
 * Tokens begin with "lf" and have 20 characters at least. ERR_CONFIG names the line; so does a file
 * with a token in clear that others may read. */
bool caller_tokens_read(struct arena *a, const char *path, struct caller_rules *ret,
                        struct err *e) MUST_USE;

#endif
