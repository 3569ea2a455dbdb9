#include "net/jwt.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"

char *jwt_sign(struct arena *a, const json_t *claims, const char *secret)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char mac[32];
    char *signed_part = arena_printf(a, "%s.%s", base64url_encode(a, STR(header)),
                                     base64url_encode(a, str_of(json_text_in_order(a, claims))));
    hash_hmac_sha256(str_of(secret), str_of(signed_part), mac);
    return arena_printf(a, "%s.%s", signed_part,
                        base64url_encode(a, (struct str){ (const char *)mac, sizeof mac }));
}

/* One part as a JSON object, or NULL. */
static json_t *part_object(struct arena *scratch, struct str part)
{
    struct str text;
    struct err ignored;
    if (!part.n || !base64url_decode(scratch, part, &text) || !str_is_utf8(text))
        return NULL;
    json_t *value = json_parse(text, "token", &ignored);
    if (json_is_object(value))
        return value;
    json_decref(value);
    return NULL;
}

static bool header_is_ours(const json_t *header)
{
    static const char *const forbidden[] = { "jku", "jwk", "x5u", "x5c", "crit", NULL };
    for (const char *const *name = forbidden; *name; name++)
        if (json_object_get(header, *name))
            return false;
    const json_t *type = json_object_get(header, "typ");
    return streq(json_text_or(header, "alg", ""), "HS256") &&
           (!type || streq(json_string_value(type), "JWT"));
}

/* exp and nbf are optional, but what is there must be a number. */
static bool times_hold(const json_t *claims, int64_t now_s)
{
    const json_t *exp = json_object_get(claims, "exp");
    const json_t *nbf = json_object_get(claims, "nbf");
    if ((exp && !json_is_number(exp)) || (nbf && !json_is_number(nbf)))
        return false;
    double now = (double)now_s;
    return (!exp || json_number_value(exp) + JWT_LEEWAY_S > now) &&
           (!nbf || json_number_value(nbf) - JWT_LEEWAY_S <= now);
}

static enum jwt_verdict verify(struct arena *scratch, struct str token, const char *secret,
                               int64_t now_s, json_t **ret_claims)
{
    struct str rest = token;
    struct str header = str_cut(&rest, '.');
    struct str payload = str_cut(&rest, '.');
    struct str signature = rest;
    struct str mac;
    unsigned char expected[32];
    if (!signature.p || memchr(signature.p, '.', signature.n) ||
        !base64url_decode(scratch, signature, &mac))
        return JWT_MALFORMED;
    json_auto_t *head = part_object(scratch, header);
    if (!head)
        return JWT_MALFORMED;
    if (!header_is_ours(head))
        return JWT_WRONG_ALGORITHM;
    hash_hmac_sha256(str_of(secret), (struct str){ token.p, header.n + 1 + payload.n }, expected);
    if (!str_eq_secret(mac, (struct str){ (const char *)expected, sizeof expected }))
        return JWT_BAD_SIGNATURE;
    json_auto_t *claims = part_object(scratch, payload);
    if (!claims)
        return JWT_MALFORMED;
    if (!times_hold(claims, now_s))
        return JWT_EXPIRED;
    if (ret_claims)
        *ret_claims = json_incref(claims);
    return JWT_GOOD;
}

enum jwt_verdict jwt_verify(struct str token, const char *secret, int64_t now_unix_ms,
                            json_t **ret_claims)
{
    if (token.n > JWT_BYTES_MAX)
        return JWT_MALFORMED;
    struct arena *scratch = arena_new(4 * MIB);
    enum jwt_verdict verdict = verify(scratch, token, secret, now_unix_ms / 1000, ret_claims);
    arena_free(scratch);
    return verdict;
}
