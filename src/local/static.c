/*
 * One file as an answer: see static.h.
 */
#include "local/static.h"

#include "base/limits.h"

#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

struct static_call {
    struct blobs *blobs;
    const struct view_file *file;
    enum encoding encoding;
    int status;
    bool is_partial;
    struct byte_range range;
};

/* ---- Conditions ------------------------------------------------------------------------------ */

bool etag_matches(const char *value, const char *etag)
{
    struct str rest = str_of(value);
    while (rest.p) {
        struct str tag = str_trim(str_cut(&rest, ','));
        if (str_starts(tag, "W/"))
            tag = (struct str){ tag.p + 2, tag.n - 2 };
        if (str_is(tag, "*") || str_is(tag, etag))
            return true;
    }
    return false;
}

enum range_kind range_parse(const char *value, uint64_t size, struct byte_range *ret)
{
    if (!value || strncasecmp(value, "bytes=", 6) != 0 || strchr(value, ','))
        return RANGE_WHOLE;
    struct str rest = str_trim(str_of(value + 6));
    struct str first_text = str_trim(str_cut(&rest, '-'));
    if (!rest.p)
        return RANGE_WHOLE;
    struct str last_text = str_trim(rest);
    uint64_t first = 0;
    uint64_t last = size - 1;
    if (first_text.n == 0) { /* the last n bytes */
        uint64_t n = 0;
        if (!str_to_u64(last_text, &n))
            return RANGE_WHOLE;
        if (n == 0 || size == 0)
            return RANGE_IMPOSSIBLE;
        *ret = (struct byte_range){ n < size ? size - n : 0, n < size ? n : size };
        return RANGE_PART;
    }
    if (!str_to_u64(first_text, &first) || (last_text.n > 0 && !str_to_u64(last_text, &last)))
        return RANGE_WHOLE;
    if (last_text.n > 0 && last < first)
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_IMPOSSIBLE;
    if (last >= size)
        last = size - 1;
    *ret = (struct byte_range){ first, last - first + 1 };
    return RANGE_PART;
}

/* "0.85" → 850, "1" → 1000. What is no such number wants nothing. */
static int thousandths(struct str number)
{
    if (number.n == 0 || (number.p[0] != '0' && number.p[0] != '1'))
        return 0;
    int value = (number.p[0] - '0') * 1000;
    int unit = number.n > 1 && number.p[1] == '.' ? 100 : 0;
    for (size_t i = 2; i < number.n && unit > 0; i++, unit /= 10) {
        if (number.p[i] < '0' || number.p[i] > '9')
            break;
        value += (number.p[i] - '0') * unit;
    }
    return value < 1000 ? value : 1000;
}

/* Quality of one coding in 1/1000; -1 if it is not named. */
static int quality_of(const char *accept, const char *coding)
{
    struct str rest = str_of(accept);
    while (rest.p) {
        struct str params = str_cut(&rest, ',');
        struct str name = str_trim(str_cut(&params, ';'));
        if (name.n != strlen(coding) || strncasecmp(name.p, coding, name.n) != 0)
            continue;
        struct str q = str_trim(params.p ? params : (struct str){ "q=1", 3 });
        if (q.n < 3 || (q.p[0] != 'q' && q.p[0] != 'Q') || q.p[1] != '=')
            return 1000;
        return thousandths((struct str){ q.p + 2, q.n - 2 });
    }
    return -1;
}

enum encoding encoding_choose(const char *accept, bool has_gzip, bool has_brotli)
{
    if (!accept || (!has_gzip && !has_brotli))
        return ENCODING_IDENTITY;
    int any = quality_of(accept, "*");
    int br = quality_of(accept, "br");
    int gzip = quality_of(accept, "gzip");
    br = has_brotli ? (br < 0 ? any : br) : 0;
    gzip = has_gzip ? (gzip < 0 ? any : gzip) : 0;
    if (br > 0 && br >= gzip)
        return ENCODING_BROTLI;
    return gzip > 0 ? ENCODING_GZIP : ENCODING_IDENTITY;
}

/* ---- Headers --------------------------------------------------------------------------------- */

static const char *etag_of(struct request *r, const struct blob *blob, enum encoding encoding)
{
    static const char *const marks[ENCODINGS] = { "", "-gz", "-br" };
    char *etag = arena_alloc(r->arena, SHA1_HEX_BYTES + 8);
    (void)snprintf(etag, SHA1_HEX_BYTES + 8, "\"%s%s\"", blob_sha(blob), marks[encoding]);
    return etag;
}

static const char *value_of(const struct text_pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    }
    return NULL;
}

/* The site's own headers and our defaults where it has none. Returns the content type. */
static const char *add_headers(struct request *r, const struct view *v, const char *path,
                               const struct view_file *f)
{
    size_t count = 0;
    const struct text_pair *own = headers_match(&v->headers, r->arena, path, &count);
    const char *type = f->type;
    bool has_cache_control = false;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(own[i].name, "content-type") == 0) {
            type = own[i].value;
            continue;
        }
        if (strcasecmp(own[i].name, "basic-auth") == 0 || strcasecmp(own[i].name, "etag") == 0 ||
            strcasecmp(own[i].name, "vary") == 0)
            continue;
        has_cache_control |= strcasecmp(own[i].name, "cache-control") == 0;
        response_header(r, own[i].name, own[i].value);
    }
    if (starts_with(path, "/_lockflight/"))
        response_set_header(r, "Cache-Control", "no-store");
    else if (!has_cache_control)
        response_header(r, "Cache-Control", "public, max-age=0, must-revalidate");
    const char *vary = value_of(own, count, "vary");
    if (f->is_compressible && vary)
        vary = arena_printf(r->arena, "%s, Accept-Encoding", vary);
    else if (f->is_compressible)
        vary = "Accept-Encoding";
    if (vary)
        response_header(r, "Vary", vary);
    response_header(r, "Age", "0");
    return type;
}

/* ---- Sending --------------------------------------------------------------------------------- */

static void send_bytes(struct request *r, const struct static_call *call, const char *type,
                       struct bytes *bytes)
{
    struct str body = { bytes->p, bytes->n };
    if (call->is_partial) {
        body = (struct str){ bytes->p + call->range.first, (size_t)call->range.bytes };
    }
    respond_shared(r, call->status, type, body, bytes_unref, bytes);
}

static void send_file(struct request *r, const struct static_call *call, const char *type)
{
    uint64_t n = 0;
    int fd = blobs_file(call->blobs, call->file->blob, call->encoding, &n);
    if (fd < 0) {
        respond_error(r, 500, "the content of %s is gone", call->file->path);
        return;
    }
    if (call->is_partial)
        respond_file(r, call->status, type, fd, call->range.first, call->range.bytes);
    else
        respond_file(r, call->status, type, fd, 0, n);
}

struct cold_call {
    struct static_call call;
    const char *type;
};

static void read_and_send(struct request *r, void *context)
{
    struct cold_call *cold = context;
    struct bytes *bytes = blobs_load(cold->call.blobs, cold->call.file->blob, cold->call.encoding);
    if (bytes)
        send_bytes(r, &cold->call, cold->type, bytes);
    else
        respond_error(r, 500, "the content of %s cannot be read", cold->call.file->path);
}

static void send(struct request *r, const struct static_call *call, const char *type)
{
    if (!blob_is_small(call->file->blob)) {
        send_file(r, call, type);
        return;
    }
    struct bytes *bytes = blob_memory(call->file->blob, call->encoding);
    if (bytes) {
        send_bytes(r, call, type, bytes);
        return;
    }
    struct cold_call *cold = ARENA_NEW(r->arena, struct cold_call);
    *cold = (struct cold_call){ *call, type };
    request_to_pool(r, read_and_send, cold);
}

/* Range applies to the plain form only, so that a part of it is a part of the file. */
static bool choose_range(struct request *r, struct static_call *call, const char *etag)
{
    const char *range = request_header(r, "range");
    const char *if_range = request_header(r, "if-range");
    if (!range || call->status != 200 || (if_range && !streq(if_range, etag)))
        return true;
    uint64_t size = blob_bytes(call->file->blob);
    switch (range_parse(range, size, &call->range)) {
    case RANGE_WHOLE:
        return true;
    case RANGE_IMPOSSIBLE:
        response_header(r, "Content-Range",
                        arena_printf(r->arena, "bytes */%llu", (unsigned long long)size));
        respond_empty(r, 416);
        return false;
    case RANGE_PART:
        break;
    }
    call->is_partial = true;
    call->status = 206;
    response_header(r, "Content-Range",
                    arena_printf(r->arena, "bytes %llu-%llu/%llu",
                                 (unsigned long long)call->range.first,
                                 (unsigned long long)(call->range.first + call->range.bytes - 1),
                                 (unsigned long long)size));
    return true;
}

void static_respond(struct request *r, struct blobs *blobs, const struct view *v, const char *path,
                    const struct view_file *f, int status)
{
    struct static_call call = { .blobs = blobs, .file = f, .status = status };
    if (f->is_compressible && !request_header(r, "range"))
        call.encoding =
            encoding_choose(request_header(r, "accept-encoding"), blob_has(f->blob, ENCODING_GZIP),
                            blob_has(f->blob, ENCODING_BROTLI));
    const char *etag = etag_of(r, f->blob, call.encoding);
    const char *type = add_headers(r, v, path, f);
    response_header(r, "ETag", etag);
    response_header(r, "Accept-Ranges", "bytes");
    const char *if_none_match = request_header(r, "if-none-match");
    if (status == 200 && if_none_match && etag_matches(if_none_match, etag)) {
        respond_empty(r, 304);
        return;
    }
    if (!choose_range(r, &call, etag))
        return;
    if (call.encoding == ENCODING_GZIP)
        response_header(r, "Content-Encoding", "gzip");
    else if (call.encoding == ENCODING_BROTLI)
        response_header(r, "Content-Encoding", "br");
    send(r, &call, type);
}
