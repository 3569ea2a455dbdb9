/*
 * The leak gate's views of a published file: any bytes. A plain form is shorter than its text and each
 * of its bytes has an origin inside it, in order; a secret in the middle of any bytes is found.
 */
#include "fuzz.h"

#include "site/site_pattern.h"
#include "site/site_scan.h"
#include "site/site_text.h"

static void check_plain(struct arena *a, struct str text)
{
    struct str plain;
    if (!site_text_plain(a, text, &plain))
        return;
    assert(plain.n < text.n);
    size_t before = 0, step = plain.n / 16 + 1;
    for (size_t i = 0; i < plain.n; i += step) {
        size_t origin = site_text_origin(text, i);
        assert(origin < text.n && origin >= before);
        before = origin;
    }
}

static void check_unpacked(struct arena *a, struct str bytes)
{
    static const char *const paths[] = { "/a.js", "/a.js.br", "/a.js.gz" };
    for (size_t i = 0; i < 3; i++) {
        struct str inner;
        bool is_packed;
        struct err e = { 0 };
        assert(site_text_unpack(a, paths[i], bytes, &is_packed, &inner, &e));
    }
}

static bool is_clean(struct str content)
{
    static const struct site_forbidden forbidden = { "A", STR("c4n4ry-in-the-mine"), true, NULL };
    struct artefact_file file = { .path = "/a.js.br", .content = content, .bytes = content.n };
    struct artefact art = { .files = &file, .n_files = 1 };
    const struct site_scan_spec spec = { &forbidden, 1, NULL, 0 };
    struct err e = { 0 };
    return site_scan(&art, &spec, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(LIMIT_SCAN_BYTES);
    struct str text = fuzz_input(data, size), inner;
    check_plain(a, text);
    check_unpacked(a, text);
    for (size_t at = 0; site_text_inner(a, text, &at, &inner);)
        assert(at <= text.n);
    (void)site_pattern_find(text);
    (void)is_clean(text);
    const char *with = arena_printf(a, "%.*sc4n4ry-in-the-mine%.*s", (int)(size / 2), text.p,
                                    (int)(size - size / 2), text.p + size / 2);
    struct str planted = { with, size + 18 };
    if (memchr(text.p, '\0', size) == NULL)
        assert(!is_clean(planted));
    return 0;
}
