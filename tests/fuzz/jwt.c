/*
 * Tokens. A text that is a JSON object is signed and must be good; every other text is checked as a
 * token, and none but those that we signed may be good.
 */
#include "net/jwt.h"

#include "fuzz.h"

#include "base/json.h"

#define SECRET "a-secret-of-at-least-thirty-two-bytes"
#define NOW_MS 1767225600000

static bool has_times(const json_t *claims)
{
    return json_object_get(claims, "exp") || json_object_get(claims, "nbf");
}

static void check_signed(struct arena *a, const json_t *claims)
{
    const char *token = jwt_sign(a, claims, SECRET);
    json_auto_t *read = NULL;
    enum jwt_verdict verdict = jwt_verify(str_of(token), SECRET, NOW_MS, &read);
    if (strlen(token) > JWT_BYTES_MAX)
        assert(verdict == JWT_MALFORMED);
    else if (!has_times(claims))
        assert(verdict == JWT_GOOD && json_equal(read, claims));
    else
        assert(verdict == JWT_GOOD || verdict == JWT_EXPIRED);
    assert(jwt_verify(str_of(token), SECRET "x", NOW_MS, NULL) != JWT_GOOD);
}

/* One changed byte anywhere, and it is no token any more. */
static void check_tampered(struct arena *a, const json_t *claims, size_t at)
{
    char *token = jwt_sign(a, claims, SECRET);
    size_t n = strlen(token);
    if (n > JWT_BYTES_MAX)
        return;
    token[at % n] = token[at % n] == 'A' ? 'B' : 'A';
    assert(jwt_verify(str_of(token), SECRET, NOW_MS, NULL) != JWT_GOOD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str text = fuzz_input(data, size);
    struct err e;
    json_auto_t *claims = json_parse(text, "claims", &e);
    if (json_is_object(claims)) {
        check_signed(a, claims);
        check_tampered(a, claims, size * 7919);
    }
    json_auto_t *read = NULL;
    if (jwt_verify(text, SECRET, NOW_MS, &read) == JWT_GOOD)
        assert(json_is_object(read));
    return 0;
}
