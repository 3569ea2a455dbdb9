/*
 * The checks that a release keeps as JSON, their templates, and what they compare: the first
 * section is an answer, the second what it must contain, the third a template.
 */
#include "fuzz.h"

#include "engine/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    struct err e = { 0 };
    json_auto_t *whole = json_parse(fuzz_section(&rest), "answer", &e);
    json_auto_t *part = json_parse(fuzz_section(&rest), "expected", &e);
    const char *where = NULL, *text = NULL;
    if (whole) {
        assert(check_json_contains(a, whole, whole, NULL));
        struct config_check check = check_unpack(a, whole);
        json_auto_t *packed = check_pack(&check);
        struct config_check again = check_unpack(a, packed);
        assert(streq(check.url, again.url) && streq(check.run, again.run) &&
               check.repeat == again.repeat && check.expect.status == again.expect.status);
    }
    if (whole && part && !check_json_contains(a, whole, part, &where))
        assert(where);
    struct check_values values = {
        "staging", "r", "http://s", "http://f", "http://u", "key", NULL
    };
    if (!check_expand(a, str_dup(a, rest), &values, &text, &e))
        assert(e.code == ERR_CONFIG || e.code == ERR_LIMIT);
    return 0;
}
