/*
 * What the site host may answer: a deploy and a site, read from JSON of any shape.
 */
#include "fuzz.h"

#include "base/json.h"
#include "provider/netlify_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct err e = { 0 };
    json_auto_t *value = json_parse(fuzz_input(data, size), "answer", &e);
    if (!value) {
        assert(e.code == ERR_DATA || e.code == ERR_LIMIT);
        return 0;
    }
    struct netlify_deploy d;
    if (netlify_deploy_read(a, value, "deploy", &d, &e)) {
        assert(d.id && d.state_text && d.title && d.permalink && d.error_message);
        for (size_t i = 0; i < d.n_required; i++)
            assert(d.required[i]);
    } else {
        assert(e.code == ERR_DATA);
    }
    struct netlify_site s;
    if (netlify_site_read(a, value, &s, &e))
        assert(s.id && s.name && s.url && s.published_id && s.published_title);
    else
        assert(e.code == ERR_DATA);
    json_auto_t *again = json_parse(str_of(json_text(a, value)), "again", &e);
    assert(again && json_equal(value, again));
    return 0;
}
