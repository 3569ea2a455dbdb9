/*
 * URLs: see url.h. The grammar accepted is the small one that addresses of APIs and sites need.
 */
#include "net/url.h"

#include "base/limits.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <string.h>

static const char unreserved[] = "-._~";
static const char uri_literal[] = ";,/:@&=+$-_.!~*'()"; /* encodeURI, but for "#" and "?" */

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static char *lower(struct arena *a, struct str s)
{
    char *copy = str_dup(a, s);
    for (char *p = copy; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return copy;
}

static bool host_is_well_formed(struct str host)
{
    for (size_t i = 0; i < host.n; i++)
        if (!is_alnum(host.p[i]) && !strchr("-._:", host.p[i]))
            return false;
    return host.n > 0 && host.n < 256;
}

/* "[::1]:80", "host:80", "host". */
static bool parse_authority(struct arena *a, struct str text, struct url *u)
{
    struct str host, port = { 0 };
    if (text.n > 0 && text.p[0] == '[') {
        const char *end = memchr(text.p, ']', text.n);
        if (!end)
            return false;
        host = (struct str){ text.p + 1, (size_t)(end - text.p) - 1 };
        struct str rest = { end + 1, text.n - host.n - 2 };
        if (rest.n > 0 && rest.p[0] != ':')
            return false;
        if (rest.n > 0)
            port = (struct str){ rest.p + 1, rest.n - 1 };
    } else {
        port = text;
        host = str_cut(&port, ':');
    }
    if (!host_is_well_formed(host))
        return false;
    u->host = lower(a, host);
    u->port = streq(u->scheme, "https") ? 443 : 80;
    if (port.n > 0) {
        uint64_t number;
        if (!str_to_u64(port, &number) || number == 0 || number > UINT16_MAX)
            return false;
        u->port = (uint16_t)number;
    }
    return true;
}

bool url_parse(struct arena *a, const char *text, struct url *ret, struct err *e)
{
    struct url u = { 0 };
    struct str rest = str_of(text);
    if (str_starts(rest, "https://"))
        u.scheme = "https";
    else if (str_starts(rest, "http://"))
        u.scheme = "http";
    else
        return err_set(e, ERR_DATA, "not an http or https address: %s", text);

    size_t start = strlen(u.scheme) + 3;
    rest = (struct str){ text + start, rest.n - start };
    if (rest.n > LIMIT_PATH_BYTES)
        return err_set(e, ERR_DATA, "address is longer than %zu bytes", (size_t)LIMIT_PATH_BYTES);
    for (size_t i = 0; i < rest.n; i++)
        if ((unsigned char)rest.p[i] <= ' ' || rest.p[i] == 127)
            return err_set(e, ERR_DATA, "address contains a blank or control character");

    size_t authority_bytes = strcspn(rest.p, "/?#");
    struct str authority = { rest.p, authority_bytes };
    if (memchr(authority.p, '@', authority.n))
        return err_set(e, ERR_DATA,
                       "address contains a user name; credentials have their own place");
    if (!parse_authority(a, authority, &u))
        return err_set(e, ERR_DATA, "malformed host or port: %s", text);

    const char *path = rest.p + authority_bytes;
    if (strchr(path, '#'))
        return err_set(e, ERR_DATA, "address contains a fragment: %s", text);
    size_t path_bytes = strcspn(path, "?");
    u.path = path_bytes > 0 ? arena_strndup(a, path, path_bytes) : "/";
    u.query = path[path_bytes] == '?' ? arena_strdup(a, path + path_bytes + 1) : "";
    *ret = u;
    return true;
}

bool url_host_is_loopback(const char *host)
{
    return streq(host, "localhost") || ends_with(host, ".localhost") || streq(host, "::1") ||
           (starts_with(host, "127.") && strspn(host, "0123456789.") == strlen(host));
}

bool url_is_loopback(struct arena *a, const char *text)
{
    struct url u;
    struct err ignored;
    return url_parse(a, text, &u, &ignored) && url_host_is_loopback(u.host);
}

bool url_same_origin(struct arena *a, const char *one, const char *other)
{
    struct url u = { 0 }, v = { 0 };
    struct err ignored;
    return url_parse(a, one, &u, &ignored) && url_parse(a, other, &v, &ignored) &&
           streq(u.scheme, v.scheme) && streq(u.host, v.host) && u.port == v.port;
}

static char *encode(struct arena *a, const char *text, const char *literal)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_alloc(a, 3 * strlen(text) + 1), *p = out;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_alnum((char)c) || strchr(literal, c)) {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }
    return out;
}

char *url_encode(struct arena *a, const char *text)
{
    return encode(a, text, unreserved);
}

char *url_encode_path(struct arena *a, const char *path)
{
    return encode(a, path, uri_literal);
}

char *url_join(struct arena *a, const char *base, const char *path)
{
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    while (*path == '/')
        path++;
    return arena_printf(a, "%.*s/%s", (int)n, base, path);
}

char *url_resolve(struct arena *a, const char *base, const char *reference)
{
    if (starts_with(reference, "http://") || starts_with(reference, "https://"))
        return arena_strdup(a, reference);
    const char *authority = strstr(base, "://");
    if (!authority || reference[0] != '/' || reference[1] == '/')
        return NULL;
    size_t origin_bytes = (size_t)(authority - base) + 3;
    origin_bytes += strcspn(base + origin_bytes, "/?#");
    return arena_printf(a, "%.*s%s", (int)origin_bytes, base, reference);
}

char *url_next_link(struct arena *a, const char *link_header)
{
    for (const char *p = link_header; p && (p = strchr(p, '<')); p++) {
        const char *end = strchr(p, '>');
        if (!end)
            return NULL;
        struct str target = { p + 1, (size_t)(end - p) - 1 };
        const char *params_end = strchr(end, '<'); /* parameters reach to the next link */
        struct str params = { end, params_end ? (size_t)(params_end - end) : strlen(end) };
        if (memmem(params.p, params.n, "rel=\"next\"", 10) ||
            memmem(params.p, params.n, "rel=next", 8))
            return str_dup(a, target);
        p = end;
    }
    return NULL;
}
