/*
 * From bytes to a request: first the checks that llhttp 8.1 does not make, on the raw bytes of a
 * whole head; then llhttp in strict mode over a copy in the request's arena, whose spans become the
 * texts of the request; then what the fields say together.
 *
 * Refused on top of llhttp: folded header lines (CVE-2024-27982), bare LF, control bytes, no Host
 * or two, a Host that is no host, Transfer-Encoding other than a single "chunked", in HTTP/1.0, or
 * beside Content-Length, CONNECT, fragments and dot segments in the target, chunked bodies that are
 * mostly framing, and everything over the limits.
 */
#include "net/server/internal.h"

#include <ctype.h>
#include <strings.h>

/* ---- Raw bytes ------------------------------------------------------------------------------- */

static bool has_control(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

/* "GET /path HTTP/1.1": two single blanks, none of them a tab. */
static bool is_request_line(const char *p, size_t n)
{
    size_t blanks = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == ' ')
            blanks++;
        if (p[i] == '\t')
            return false;
    }
    return blanks == 2;
}

/* Checks all lines of a whole head. 0, or the status to refuse it with. */
static int check_lines(const char *p, size_t n)
{
    size_t lines = 0;
    const char *end = p + n;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf || lf == p || lf[-1] != '\r')
            return 400; /* a bare LF */
        size_t line_bytes = (size_t)(lf - 1 - p);
        if (line_bytes == 0)
            return lf + 1 == end ? 0 : 400;
        if (line_bytes > LIMIT_HTTP_LINE_BYTES)
            return lines == 0 ? 414 : 431;
        if (has_control(p, line_bytes)) /* a bare CR, NUL and their kind */
            return 400;
        if (strchr(" \t:", *p)) /* a folded line, a blank before the first field, no name */
            return 400;
        if (lines == 0 && !is_request_line(p, line_bytes))
            return 400;
        if (++lines > LIMIT_HTTP_FIELDS + 1)
            return 431;
        p = lf + 1;
    }
    return 400;
}

enum head_state head_scan(const char *p, size_t n, size_t *scanned, size_t *ret_bytes,
                          int *ret_status)
{
    size_t from = *scanned > 3 ? *scanned - 3 : 0;
    const char *end = memmem(p + from, n - from, "\r\n\r\n", 4);
    if (end) {
        *ret_bytes = (size_t)(end - p) + 4;
        *ret_status = *ret_bytes > LIMIT_HTTP_HEAD_BYTES ? 431 : check_lines(p, *ret_bytes);
        return *ret_status == 0 ? HEAD_WHOLE : HEAD_BAD;
    }
    const char *bare = memmem(p + from, n - from, "\n\n", 2);
    if (bare || n >= LIMIT_HTTP_HEAD_BYTES) {
        bool long_line =
            !bare && !memchr(p, '\n', n < LIMIT_HTTP_LINE_BYTES ? n : LIMIT_HTTP_LINE_BYTES);
        *ret_status = bare ? 400 : long_line ? 414 : 431;
        return HEAD_BAD;
    }
    *scanned = n;
    return HEAD_PART;
}

/* ---- llhttp: spans into our copy ------------------------------------------------------------- */

static struct exchange *exchange_at(llhttp_t *parser)
{
    return &((struct conn *)parser->data)->x;
}

static int on_url(llhttp_t *parser, const char *at, size_t n)
{
    struct exchange *x = exchange_at(parser);
    x->pub.target = at;
    x->target_bytes = n;
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t n)
{
    struct exchange *x = exchange_at(parser);
    if (x->is_head_read) /* a trailer: read past */
        return (x->trailer_bytes += n) > LIMIT_HTTP_LINE_BYTES ? HPE_USER : 0;
    if (x->pub.header_count == LIMIT_HTTP_FIELDS)
        return HPE_USER;
    x->fields[x->pub.header_count++] = (struct header){ .name = at, .value = "" };
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
    struct exchange *x = exchange_at(parser);
    if (x->is_head_read)
        return (x->trailer_bytes += n) > LIMIT_HTTP_LINE_BYTES ? HPE_USER : 0;
    struct header *h = &x->fields[x->pub.header_count - 1];
    if (h->value_bytes == 0)
        h->value = at;
    else if (h->value + h->value_bytes != at)
        return HPE_USER; /* two spans that do not touch: not a shape we know */
    h->value_bytes += n;
    return 0;
}

static int on_head(llhttp_t *parser)
{
    struct exchange *x = exchange_at(parser);
    x->is_head_read = true;
    parser->upgrade = 0; /* no other protocol is spoken here: the request is an ordinary one */
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t n)
{
    struct exchange *x = exchange_at(parser);
    x->body_bytes += n;
    exchange_body(x, at, n);
    return 0;
}

static int on_end(llhttp_t *parser)
{
    exchange_at(parser)->is_body_done = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_end,
};

ssize_t body_feed(struct conn *c, const char *p, size_t n)
{
    struct exchange *x = &c->x;
    llhttp_errno_t result = llhttp_execute(&c->parser, p, n);
    size_t taken = n;
    if (result == HPE_PAUSED)
        taken = (size_t)(llhttp_get_error_pos(&c->parser) - p);
    else if (result != HPE_OK)
        return -1;
    x->raw_bytes += taken;
    /* chunk extensions and one-byte chunks make us work for nothing */
    if (x->raw_bytes > 16 * x->body_bytes + LIMIT_HTTP_HEAD_BYTES)
        return -1;
    return (ssize_t)taken;
}

/* ---- What the fields say --------------------------------------------------------------------- */

/* Ends the texts in place: behind a name stands ':' or a blank, behind a value CR. */
static void end_texts(struct exchange *x, char *head)
{
    for (size_t i = 0; i < x->pub.header_count; i++) {
        struct header *h = &x->fields[i];
        size_t name_at = (size_t)(h->name - head);
        head[name_at + strcspn(h->name, ":")] = '\0';
        while (h->value_bytes > 0 && strchr(" \t", h->value[h->value_bytes - 1]))
            h->value_bytes--;
        if (h->value_bytes > 0)
            head[(size_t)(h->value - head) + h->value_bytes] = '\0';
        else
            h->value = "";
    }
    head[(size_t)(x->pub.target - head) + x->target_bytes] = '\0';
}

static size_t count_of(const struct exchange *x, const char *name, const char **ret_value)
{
    size_t n = 0;
    for (size_t i = 0; i < x->pub.header_count; i++) {
        if (strcasecmp(x->fields[i].name, name) == 0) {
            *ret_value = x->fields[i].value;
            n++;
        }
    }
    return n;
}

static int read_framing(struct exchange *x)
{
    const char *length = NULL;
    const char *coding = NULL;
    size_t lengths = count_of(x, "content-length", &length);
    size_t codings = count_of(x, "transfer-encoding", &coding);
    if (codings > 1 || lengths > 1 || (codings && lengths) || (codings && x->is_http10))
        return 400;
    if (codings)
        return strcasecmp(coding, "chunked") == 0 ? (x->announced_bytes = -1, 0) : 501;
    uint64_t bytes = 0;
    if (lengths && (!str_to_u64(str_of(length), &bytes) || bytes > INT64_MAX))
        return 400;
    x->announced_bytes = (int64_t)bytes;
    const char *expect = NULL;
    if (count_of(x, "expect", &expect)) {
        if (strcasecmp(expect, "100-continue") != 0)
            return 417;
        x->expects_continue = !x->is_http10;
    }
    return 0;
}

/* llhttp and we must mean the same body: it is the one that finds its end. */
static bool agrees(const struct exchange *x, const llhttp_t *parser)
{
    bool is_chunked = (parser->flags & F_CHUNKED) != 0;
    return is_chunked == (x->announced_bytes < 0) &&
           (is_chunked || x->is_body_done ||
            parser->content_length == (uint64_t)x->announced_bytes);
}

/* "close" anywhere in Connection; llhttp misses it before a tab. */
static bool asks_to_close(const struct exchange *x)
{
    const char *value = NULL;
    (void)count_of(x, "connection", &value);
    struct str rest = str_of(value ? value : "");
    while (rest.p) {
        struct str item = str_trim(str_cut(&rest, ','));
        if (item.n == 5 && strncasecmp(item.p, "close", 5) == 0)
            return true;
    }
    return false;
}

static bool is_host_byte(char c)
{
    return isalnum((unsigned char)c) || strchr("-._:[]", c);
}

/* A host in lower case; NULL if it has bytes that no host has. */
// NOLINTNEXTLINE(readability-function-size): nested as a host is
static char *host_of(struct arena *a, const char *value)
{
    char *lower = arena_strdup(a, value);
    for (char *p = lower; *p; p++) {
        if (!is_host_byte(*p))
            return NULL;
        *p = (char)tolower((unsigned char)*p);
    }
    return lower;
}

static int read_host(struct exchange *x, const char *of_target)
{
    const char *value = NULL;
    size_t hosts = count_of(x, "host", &value);
    if (hosts > 1 || (hosts == 0 && !x->is_http10))
        return 400;
    const char *given = of_target ? of_target : value;
    char *lower = host_of(x->pub.arena, given ? given : "");
    if (!lower || (hosts == 1 && !*lower))
        return 400;
    x->pub.authority = lower;
    const char *colon = lower[0] == '[' ? strchr(lower, ']') : strchr(lower, ':');
    size_t n = colon ? (size_t)(colon - lower) + (*colon == ']') : strlen(lower);
    x->pub.host = arena_strndup(x->pub.arena, lower, n);
    return 0;
}

/* Splits "http://host/path?query" or "/path?query". */
static int read_target(struct exchange *x)
{
    struct request *r = &x->pub;
    const char *of_target = NULL;
    if (strncasecmp(r->target, "http://", 7) == 0) {
        const char *host = r->target + 7;
        size_t n = strcspn(host, "/?");
        of_target = arena_strndup(r->arena, host, n);
        r->target = host[n] == '/' ? host + n : arena_printf(r->arena, "/%s", host + n);
    }
    if (streq(r->target, "*") && r->method == METHOD_OPTIONS)
        r->target = "/";
    if (r->target[0] != '/' || strchr(r->target, '#'))
        return 400;
    size_t path_bytes = strcspn(r->target, "?");
    if (path_bytes > LIMIT_HTTP_PATH_BYTES)
        return 414;
    r->raw_path =
        r->target[path_bytes] ? arena_strndup(r->arena, r->target, path_bytes) : r->target;
    r->query = r->target[path_bytes] ? r->target + path_bytes + 1 : "";
    int status = path_decode(r->arena, r->raw_path, &r->path);
    return status ? status : read_host(x, of_target);
}

static int read_method(struct exchange *x, uint8_t method)
{
    static const struct {
        uint8_t theirs;
        enum method ours;
    } methods[] = {
        { HTTP_GET, METHOD_GET },         { HTTP_HEAD, METHOD_HEAD },
        { HTTP_POST, METHOD_POST },       { HTTP_PUT, METHOD_PUT },
        { HTTP_PATCH, METHOD_PATCH },     { HTTP_DELETE, METHOD_DELETE },
        { HTTP_OPTIONS, METHOD_OPTIONS },
    };
    x->pub.method = METHOD_OTHER;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (methods[i].theirs == method)
            x->pub.method = methods[i].ours;
    }
    x->pub.method_name = llhttp_method_name((llhttp_method_t)method);
    return method == HTTP_CONNECT ? 501 : 0;
}

int head_parse(struct conn *c, const char *p, size_t n)
{
    struct exchange *x = &c->x;
    char *head = arena_strndup(c->arena, p, n);
    x->fields = arena_array(c->arena, LIMIT_HTTP_FIELDS, sizeof x->fields[0]);
    x->pub.headers = x->fields;
    llhttp_init(&c->parser, HTTP_REQUEST, &settings);
    c->parser.data = c;
    llhttp_errno_t result = llhttp_execute(&c->parser, head, n);
    if (result != HPE_OK && !(result == HPE_PAUSED && x->is_body_done))
        return 400;
    if (!x->is_head_read || !x->pub.target || c->parser.http_major != 1)
        return c->parser.http_major > 1 ? 505 : 400;
    x->is_http10 = c->parser.http_minor == 0;
    if (c->parser.http_minor > 1)
        return 505;
    x->wants_keep_alive = llhttp_should_keep_alive(&c->parser) != 0;
    end_texts(x, head);
    int status = read_method(x, c->parser.method);
    if (status == 0)
        status = read_framing(x);
    if (status == 0 && !agrees(x, &c->parser))
        status = 400;
    x->wants_keep_alive &= !asks_to_close(x);
    return status ? status : read_target(x);
}
