/*
 * `_redirects` and a request against it. The second section is the request, a line each: scheme,
 * host, decoded path, query, Cookie header.
 */
#include "local/redirects.h"

#include "fuzz.h"

static const char *next(struct arena *a, struct str *rest)
{
    return str_dup(a, fuzz_line(rest));
}

static bool is_plain(const char *target)
{
    for (const char *p = target; *p; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
            return false;
    }
    return true;
}

static void check_rules(const struct redirects *r)
{
    for (size_t i = 0; i < r->rules.n; i++) {
        const struct redirect_rule *rule = &r->rules.v[i];
        assert(rule->from && rule->to && rule->to[0]);
        assert(rule->status >= 200 && rule->status <= 999);
    }
}

static void check_match(const struct redirects *r, struct arena *a,
                        const struct redirect_request *q)
{
    char *target = NULL, *again = NULL;
    const struct redirect_rule *rule = redirects_match(r, a, q, &target);
    assert(redirects_match(r, a, q, &again) == rule);
    if (!rule)
        return;
    assert(rule >= r->rules.v && rule < r->rules.v + r->rules.n);
    assert(streq(target, again));
    /* the query is passed on as it was sent; the server has refused what is not plain */
    assert(is_plain(target) || !is_plain(q->query));
    /* a rule for this site must not become one for another by what a visitor types */
    if (rule->to[0] == '/' && rule->to[1] != '/')
        assert(target[0] == '/' && target[1] != '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    struct redirects r = { 0 };
    redirects_add_text(a, &r, fuzz_section(&rest));
    redirects_finish(&r);
    check_rules(&r);
    struct redirect_request q = { .country = "de", .language = "en" };
    q.scheme = next(a, &rest);
    q.host = next(a, &rest);
    q.path = arena_printf(a, "/%s", next(a, &rest));
    q.query = next(a, &rest);
    q.cookies = next(a, &rest);
    check_match(&r, a, &q);
    (void)cookie_value(a, q.cookies, q.host);
    return 0;
}
