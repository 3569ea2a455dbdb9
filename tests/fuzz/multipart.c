/*
 * multipart/form-data: the first line is the Content-Type, the rest the body. What was read and is
 * written again must be read as the same.
 */
#include "net/multipart.h"

#include "fuzz.h"

static void check_again(struct arena *a, const struct multipart_part *parts, size_t n)
{
    struct multipart_part *again = NULL;
    size_t n_again = 0;
    struct err e;
    const char *type = NULL;
    struct str body = multipart_build(a, parts, n, &type);
    assert(multipart_parse(a, type, body, &again, &n_again, &e) && n_again == n);
    for (size_t i = 0; i < n; i++) {
        assert(streq(again[i].name, parts[i].name));
        assert(streq(again[i].filename, parts[i].filename));
        assert(str_eq(again[i].body, parts[i].body));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    const char *type = str_dup(a, fuzz_line(&rest));
    struct multipart_part *parts = NULL;
    size_t n = 0;
    struct err e;
    if (!multipart_parse(a, type, rest, &parts, &n, &e)) {
        assert(e.code == ERR_DATA || e.code == ERR_LIMIT);
        return 0;
    }
    assert(n <= MULTIPART_MAX_PARTS);
    for (size_t i = 0; i < n; i++)
        assert(fuzz_is_within(parts[i].body, rest));
    if (n > 0)
        check_again(a, parts, n);
    return 0;
}
