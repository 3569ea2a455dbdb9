/*
 * multipart/form-data (RFC 7578): see multipart.h. Quotes and line ends in names are
 * percent-encoded, as browsers do; header folding and nested multiparts do not occur and are
 * refused as malformed.
 */
#include "net/multipart.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "base/vec.h"

#include <string.h>
#include <strings.h>

enum {
    MAX_BOUNDARY_BYTES = 200
};

static void add_quoted(struct strbuf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '"')
            strbuf_adds(b, "%22");
        else if (*text == '\r' || *text == '\n')
            strbuf_adds(b, *text == '\r' ? "%0D" : "%0A");
        else
            strbuf_addc(b, *text);
    }
}

struct str multipart_build(struct arena *a, const struct multipart_part *parts, size_t n_parts,
                           const char **ret_content_type)
{
    const char *boundary = arena_printf(a, "----lockflight%s", random_hex(a, 16));
    CLEANUP(strbuf) struct strbuf b = strbuf_init(1 * GIB);
    for (size_t i = 0; i < n_parts; i++) {
        const struct multipart_part *p = &parts[i];
        strbuf_printf(&b, "--%s\r\nContent-Disposition: form-data; name=\"", boundary);
        add_quoted(&b, p->name);
        if (p->filename) {
            strbuf_adds(&b, "\"; filename=\"");
            add_quoted(&b, p->filename);
        }
        strbuf_adds(&b, "\"\r\n");
        if (p->content_type)
            strbuf_printf(&b, "Content-Type: %s\r\n", p->content_type);
        strbuf_adds(&b, "\r\n");
        strbuf_add(&b, p->body.p, p->body.n);
        strbuf_adds(&b, "\r\n");
    }
    strbuf_printf(&b, "--%s--\r\n", boundary);
    *ret_content_type = arena_printf(a, "multipart/form-data; boundary=%s", boundary);
    return (struct str){ arena_strndup(a, b.p, b.n), b.n };
}

/* Cuts at the first semicolon that is not inside quotes; as str_cut. */
static struct str cut_parameter(struct str *rest)
{
    bool is_quoted = false;
    size_t n = 0;
    while (n < rest->n && (is_quoted || rest->p[n] != ';'))
        is_quoted ^= rest->p[n++] == '"';
    struct str first = { rest->p, n };
    *rest = n < rest->n ? (struct str){ rest->p + n + 1, rest->n - n - 1 } : (struct str){ 0 };
    return first;
}

/* The value of `key` in "form-data; key=value; other=\"quoted\""; p == NULL if it is not there. */
static struct str parameter(struct str text, const char *key)
{
    (void)cut_parameter(&text);
    while (text.p) {
        struct str value = cut_parameter(&text);
        struct str name = str_trim(str_cut(&value, '='));
        if (!value.p || name.n != strlen(key) || strncasecmp(name.p, key, name.n) != 0)
            continue;
        value = str_trim(value);
        if (!str_starts(value, "\""))
            return value;
        value = (struct str){ value.p + 1, value.n - 1 };
        return str_cut(&value, '"');
    }
    return (struct str){ 0 };
}

/* "%22", "%0D" and "%0A" back to what they stand for. */
static char *unquote(struct arena *a, struct str s)
{
    char *out = str_dup(a, s), *to = out;
    for (const char *p = out; *p; to++) {
        if (strncmp(p, "%22", 3) == 0 || strncasecmp(p, "%0d", 3) == 0 ||
            strncasecmp(p, "%0a", 3) == 0) {
            if (p[1] == '2')
                *to = '"';
            else
                *to = *(p + 2) == 'd' || *(p + 2) == 'D' ? '\r' : '\n';
            p += 3;
        } else {
            *to = *p++;
        }
    }
    *to = '\0';
    return out;
}

static bool read_headers(struct arena *a, struct str head, struct multipart_part *part)
{
    *part = (struct multipart_part){ .name = "" };
    while (head.p && head.n > 0) {
        struct str value = str_cut(&head, '\n');
        struct str name = str_trim(str_cut(&value, ':'));
        if (!value.p)
            return name.n == 0;
        value = str_trim(value);
        if (name.n == 19 && strncasecmp(name.p, "content-disposition", 19) == 0) {
            struct str field = parameter(value, "name"), file = parameter(value, "filename");
            part->name = field.p ? unquote(a, field) : "";
            part->filename = file.p ? unquote(a, file) : NULL;
        } else if (name.n == 12 && strncasecmp(name.p, "content-type", 12) == 0) {
            part->content_type = str_dup(a, value);
        } else if (name.n == 13 && strncasecmp(name.p, "supabase-path", 13) == 0) {
            part->path = str_dup(a, value);
        }
    }
    return true;
}

/* Where `mark` begins in `text`; NULL if it does not occur. */
static const char *find(struct str text, const char *mark)
{
    return text.n > 0 ? memmem(text.p, text.n, mark, strlen(mark)) : NULL;
}

static struct str from(struct str text, const char *at)
{
    return (struct str){ at, text.n - (size_t)(at - text.p) };
}

bool multipart_parse(struct arena *a, const char *content_type, struct str body,
                     struct multipart_part **ret_parts, size_t *ret_count, struct err *e)
{
    struct str boundary = { 0 };
    if (content_type && strncasecmp(content_type, "multipart/", 10) == 0)
        boundary = parameter(str_of(content_type), "boundary");
    if (boundary.n == 0 || boundary.n > MAX_BOUNDARY_BYTES)
        return err_set(e, ERR_DATA, "not a multipart answer: %s",
                       content_type ? content_type : "no type");
    const char *first = arena_printf(a, "--%.*s", STR_FMT(boundary));
    const char *mark = arena_printf(a, "\r\n--%.*s", STR_FMT(boundary));

    const char *at = find(body, first);
    if (!at)
        return err_set(e, ERR_DATA, "multipart answer without its boundary");
    struct str rest = from(body, at + strlen(first));
    VEC(struct multipart_part) parts = { 0 };
    while (!str_starts(
        rest, "--")) { /* the boundary's line end, headers, empty line, body, next boundary */
        const char *head_end = find(rest, "\r\n\r\n");
        if (!str_starts(rest, "\r\n") || !head_end)
            return err_set(e, ERR_DATA, "multipart answer is cut or malformed");
        if (parts.n == MULTIPART_MAX_PARTS)
            return err_set(e, ERR_LIMIT, "multipart answer has more than %d parts",
                           MULTIPART_MAX_PARTS);
        struct str head = { rest.p + 2, (size_t)(head_end - rest.p) };
        struct str content = from(rest, head_end + 4);
        /* an empty body's boundary begins with the line end that ended the headers */
        const char *end = find(from(rest, head_end + 2), mark);
        if (!end)
            return err_set(e, ERR_DATA, "multipart answer is cut");
        struct multipart_part *part = vec_add(&parts, a);
        if (!read_headers(a, (struct str){ head.p, head.n - 2 }, part))
            return err_set(e, ERR_DATA, "multipart answer has a malformed header");
        part->body = (struct str){ content.p, end > content.p ? (size_t)(end - content.p) : 0 };
        rest = from(rest, end + strlen(mark));
    }
    *ret_parts = parts.v;
    *ret_count = parts.n;
    return true;
}
