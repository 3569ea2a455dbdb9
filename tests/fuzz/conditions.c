/*
 * The conditions of a request for a file, a line each: Range, If-None-Match, Accept-Encoding,
 * Cookie, and a duration of a configuration file.
 */
#include "fuzz.h"

#include "base/duration.h"
#include "local/static.h"

static void check_range(const char *value, uint64_t size)
{
    struct byte_range r = { 0 };
    if (range_parse(value, size, &r) != RANGE_PART)
        return;
    assert(r.bytes > 0 && r.first < size && r.bytes <= size - r.first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    const char *range = str_dup(a, fuzz_line(&rest));
    const char *none_match = str_dup(a, fuzz_line(&rest));
    const char *accept = str_dup(a, fuzz_line(&rest));
    const char *cookies = str_dup(a, fuzz_line(&rest));
    static const uint64_t sizes[] = { 0, 1, 2, 1000, UINT64_MAX };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_range(range, sizes[i]);
    static const char tag[] = "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"";
    if (etag_matches(none_match, tag))
        assert(strstr(none_match, tag) || strchr(none_match, '*'));
    assert(encoding_choose(accept, false, false) == ENCODING_IDENTITY);
    (void)encoding_choose(accept, true, true);
    const char *cookie = cookie_value(a, cookies, "session");
    assert(!cookie || strstr(cookies, cookie));
    int64_t ms = 0;
    if (duration_parse(fuzz_line(&rest), &ms))
        assert(ms >= 0);
    return 0;
}
