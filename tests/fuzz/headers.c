/*
 * `_headers` and a path to match. A value that could begin another header must not come out.
 */
#include "local/headers.h"

#include "fuzz.h"

#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    struct header_rules h = { 0 };
    headers_add_text(a, &h, fuzz_section(&rest));
    const char *path = arena_printf(a, "/%s", str_dup(a, fuzz_line(&rest)));
    size_t n = 0, n_again = 0;
    const struct text_pair *pairs = headers_match(&h, a, path, &n);
    const struct text_pair *again = headers_match(&h, a, path, &n_again);
    assert(n == n_again);
    for (size_t i = 0; i < n; i++) {
        assert(pairs[i].name[0] && pairs[i].value[0]);
        assert(!fuzz_has_line_end(pairs[i].name) && !fuzz_has_line_end(pairs[i].value));
        assert(streq(pairs[i].name, again[i].name) && streq(pairs[i].value, again[i].value));
        for (size_t k = 0; k < i; k++) /* a later block replaces, so a name comes once */
            assert(strcasecmp(pairs[i].name, pairs[k].name) != 0);
    }
    return 0;
}
