/*
 * Paths from the wire: decoded exactly once, and refused when they could mean something else to
 * whoever reads them next. Files are never opened by such a path (a site is a table path →
 * content), so this is the second wall, not the only one.
 */
#include "net/server/internal.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool percent_decode(struct arena *a, struct str raw, bool plus_is_space, char **ret)
{
    char *out = arena_alloc(a, raw.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '%') {
            int high = i + 2 < raw.n ? hex_digit(raw.p[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(raw.p[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0')
            return false;
        out[n++] = c;
    }
    *ret = out;
    return true;
}

static bool is_dots(struct str segment)
{
    return str_is(segment, ".") || str_is(segment, "..");
}

int path_decode(struct arena *a, const char *raw, const char **ret)
{
    char *path = NULL;
    if (raw[0] != '/' || !percent_decode(a, str_of(raw), false, &path))
        return 400;
    for (const char *p = path; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return 400;
    }
    struct str rest = str_of(path);
    while (rest.p) {
        if (is_dots(str_cut(&rest, '/')))
            return 400;
    }
    *ret = path;
    return 0;
}

bool url_path_decode(struct arena *a, const char *raw, const char **ret)
{
    return path_decode(a, raw, ret) == 0;
}
