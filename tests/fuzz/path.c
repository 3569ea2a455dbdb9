/*
 * Paths: those of requests, decoded once, and those of modules, made normal. Neither may ever lead
 * out of where it begins, and doing it twice must change nothing.
 */
#include "fuzz.h"

#include "net/server/internal.h"
#include "net/url.h"
#include "provider/function_import.h"

static void check_request_path(struct arena *a, const char *raw)
{
    const char *path = NULL, *again = NULL;
    if (path_decode(a, raw, &path) != 0)
        return;
    assert(path[0] == '/' && !fuzz_climbs(path));
    for (const char *p = path; *p; p++)
        assert((unsigned char)*p >= 0x20 && *p != 0x7f);
    assert(path_decode(a, url_encode_path(a, path), &again) == 0 && streq(again, path));
}

static void check_module_path(struct arena *a, const char *text)
{
    const char *path = function_normal_path(a, text);
    if (!path)
        return;
    assert(path[0] != '/' && !fuzz_climbs(path) && !strstr(path, "//"));
    assert(streq(function_normal_path(a, path), path));
}

static void check_encoding(struct arena *a, const char *text)
{
    char *back = NULL;
    assert(percent_decode(a, str_of(url_encode(a, text)), false, &back) && streq(back, text));
    assert(percent_decode(a, str_of(url_encode_path(a, text)), false, &back) && streq(back, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    const char *text = str_dup(a, fuzz_input(data, size));
    check_request_path(a, text);
    check_module_path(a, text);
    check_encoding(a, text);
    char *any = NULL;
    (void)percent_decode(a, fuzz_input(data, size), true, &any);
    return 0;
}
