/*
 * URLs: one line is an address, a reference found in an answer to it, and a Link header.
 */
#include "net/url.h"

#include "fuzz.h"

static const char *text_of(struct arena *a, const struct url *u)
{
    const char *host = strchr(u->host, ':') ? arena_printf(a, "[%s]", u->host) : u->host;
    return arena_printf(a, "%s://%s:%u%s%s%s", u->scheme, host, u->port, u->path,
                        *u->query ? "?" : "", u->query);
}

static void check_parts(struct arena *a, const struct url *u)
{
    assert(streq(u->scheme, "http") || streq(u->scheme, "https"));
    assert(u->host[0] != '\0' && !strpbrk(u->host, "/@?#\\ \r\n"));
    assert(u->path[0] == '/' && !strpbrk(u->path, "?#"));
    struct url again;
    struct err e;
    assert(url_parse(a, text_of(a, u), &again, &e));
    assert(streq(again.host, u->host) && again.port == u->port && streq(again.path, u->path) &&
           streq(again.query, u->query) && streq(again.scheme, u->scheme));
    (void)url_host_is_loopback(u->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    const char *text = str_dup(a, fuzz_line(&rest));
    const char *reference = str_dup(a, fuzz_line(&rest));
    const char *link = str_dup(a, rest);
    struct url u;
    struct err e;
    if (url_parse(a, text, &u, &e)) {
        check_parts(a, &u);
        assert(url_same_origin(a, text, text));
        const char *whole = url_resolve(a, text, reference);
        struct url resolved;
        /* a path stays at the origin that gave it */
        if (whole && reference[0] == '/' && url_parse(a, whole, &resolved, &e))
            assert(url_same_origin(a, whole, text));
    }
    const char *next = url_next_link(a, link);
    assert(!next || strstr(link, next));
    (void)url_join(a, text, reference);
    return 0;
}
