/*
 * Base64 in both alphabets, UTF-8, and texts inside tables: there and back.
 */
#include "fuzz.h"

#include "base/hash.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str bytes = fuzz_input(data, size), back;
    assert(base64_decode(a, str_of(base64_encode(a, bytes)), &back) && str_eq(back, bytes));
    assert(base64url_decode(a, str_of(base64url_encode(a, bytes)), &back) && str_eq(back, bytes));
    if (base64_decode(a, bytes, &back))
        assert(back.n <= bytes.n);
    if (base64url_decode(a, bytes, &back)) /* one text for one value: no second spelling */
        assert(str_is(bytes, base64url_encode(a, back)));
    json_auto_t *text = json_stringn(bytes.n ? bytes.p : "", bytes.n);
    assert(str_is_utf8(bytes) ? text != NULL : true);
    return 0;
}
