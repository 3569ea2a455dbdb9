#include "local/multipart.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/vec.h"

#define BOUNDARY_BYTES_MAX  70 /* RFC 2046 */
#define PART_HEAD_BYTES_MAX (8 * KIB)

static bool malformed(struct err *e, const char *what)
{
    return err_set(e, ERR_DATA, "malformed multipart body: %s", what);
}

/* Finds `; key=value` or `; key="value"` in a header's value. Case of the key does not matter. */
static bool parameter(struct arena *a, struct str header, const char *key, const char **ret)
{
    size_t key_bytes = strlen(key);
    size_t i = 0;
    while (i < header.n && header.p[i] != ';')
        i++;
    while (i < header.n) {
        while (i < header.n && (header.p[i] == ';' || header.p[i] == ' ' || header.p[i] == '\t'))
            i++;
        size_t start = i;
        while (i < header.n && header.p[i] != '=' && header.p[i] != ';')
            i++;
        bool is_wanted = i - start == key_bytes && strncasecmp(header.p + start, key, key_bytes) == 0;
        if (i >= header.n || header.p[i] != '=')
            continue;
        i++;
        char *value = arena_alloc(a, header.n - i + 1);
        size_t n = 0;
        if (i < header.n && header.p[i] == '"') {
            for (i++; i < header.n && header.p[i] != '"'; i++) {
                /* browsers write a quote as %22; curl and others as \" */
                if (header.p[i] == '\\' && i + 1 < header.n &&
                    (header.p[i + 1] == '"' || header.p[i + 1] == '\\'))
                    i++;
                value[n++] = header.p[i];
            }
            if (i >= header.n)
                return false;
            i++;
        } else {
            while (i < header.n && header.p[i] != ';' && !isspace((unsigned char)header.p[i]))
                value[n++] = header.p[i++];
        }
        if (is_wanted) {
            *ret = value;
            return memchr(value, '\0', n) == NULL;
        }
    }
    return false;
}

static const char *boundary_of(struct arena *a, const char *content_type)
{
    const char *boundary = NULL;
    if (!content_type || strncasecmp(content_type, "multipart/form-data", 19) != 0 ||
        !parameter(a, str_of(content_type), "boundary", &boundary))
        return NULL;
    size_t n = strlen(boundary);
    return n >= 1 && n <= BOUNDARY_BYTES_MAX ? boundary : NULL;
}

/* Reads the lines before the body of a part; moves *rest behind the empty line. */
static bool read_head(struct arena *a, struct str *rest, struct multipart_part *part, struct err *e)
{
    size_t used = 0;
    for (;;) {
        const char *end = memmem(rest->p, rest->n, "\r\n", 2);
        if (!end)
            return malformed(e, "a part without an end of its head");
        struct str line = { rest->p, (size_t)(end - rest->p) };
        *rest = (struct str){ end + 2, rest->n - line.n - 2 };
        used += line.n + 2;
        if (used > PART_HEAD_BYTES_MAX)
            return malformed(e, "the head of a part is too long");
        if (!line.n)
            break;
        struct str value = line;
        struct str name = str_cut(&value, ':');
        if (!value.p)
            return malformed(e, "a header without a colon");
        value = str_trim(value);
        if (name.n != strlen("content-disposition") ||
            strncasecmp(name.p, "content-disposition", name.n) != 0)
            continue;
        if (part->name || value.n < 9 || strncasecmp(value.p, "form-data", 9) != 0)
            return malformed(e, "not form-data");
        if (!parameter(a, value, "name", &part->name))
            return malformed(e, "a part without a name");
        (void)parameter(a, value, "filename", &part->filename);
    }
    return part->name || malformed(e, "a part without a name");
}

bool multipart_parse(struct arena *a, const char *content_type, struct str body, size_t max_parts,
                     struct multipart_part **ret, size_t *ret_n, struct err *e)
{
    VEC(struct multipart_part) parts = { 0 };
    const char *boundary = boundary_of(a, content_type);
    if (!boundary)
        return malformed(e, "no boundary in Content-Type");
    const char *delimiter = arena_printf(a, "\r\n--%s", boundary);
    size_t delimiter_bytes = strlen(delimiter);
    struct str rest = body;
    if (rest.n < delimiter_bytes - 2 || memcmp(rest.p, delimiter + 2, delimiter_bytes - 2) != 0)
        return malformed(e, "it does not begin with the boundary");
    rest = (struct str){ rest.p + delimiter_bytes - 2, rest.n - (delimiter_bytes - 2) };
    while (!str_starts(rest, "--")) {
        if (!str_starts(rest, "\r\n"))
            return malformed(e, "text after a boundary");
        rest = (struct str){ rest.p + 2, rest.n - 2 };
        if (parts.n == max_parts)
            return err_set(e, ERR_LIMIT, "more than %zu parts", max_parts);
        struct multipart_part *part = vec_add(&parts, a);
        if (!read_head(a, &rest, part, e))
            return false;
        /* an empty body: the delimiter's CRLF is the one that ended the head */
        struct str from = { rest.p - 2, rest.n + 2 };
        const char *end = memmem(from.p, from.n, delimiter, delimiter_bytes);
        if (!end)
            return malformed(e, "the closing boundary is missing");
        part->body = (struct str){ rest.p, end < rest.p ? 0 : (size_t)(end - rest.p) };
        const char *after = end + delimiter_bytes;
        rest = (struct str){ after, (size_t)(body.p + body.n - after) };
    }
    *ret = parts.v;
    *ret_n = parts.n;
    return true;
}

void multipart_add(struct strbuf *b, const char *boundary, const char *name, const char *filename,
                   const char *headers, struct str body)
{
    (void)strbuf_printf(b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"", boundary, name);
    if (filename)
        (void)strbuf_printf(b, "; filename=\"%s\"", filename);
    (void)strbuf_printf(b, "\r\n%s\r\n", headers);
    (void)strbuf_add(b, body.p, body.n);
    (void)strbuf_adds(b, "\r\n");
}

void multipart_end(struct strbuf *b, const char *boundary)
{
    (void)strbuf_printf(b, "--%s--\r\n", boundary);
}
