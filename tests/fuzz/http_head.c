/*
 * A request from the wire: head, framing and body, exactly as conn.c feeds them, in one go and byte
 * by byte. Both must agree, or a proxy in front of us could be made to see other requests than we.
 */
#include "fuzz.h"

#include "net/server/internal.h"

#include <ctype.h>

/* What was understood of one request. */
struct reading {
    enum head_state head;
    int status;
    bool is_bad_body;
    bool is_done;
    size_t taken; /* of the whole input */
    uint64_t body_bytes;
};

static void check_request(const struct exchange *x)
{
    const struct request *r = &x->pub;
    assert(r->raw_path[0] == '/' && r->path[0] == '/');
    assert(strlen(r->raw_path) <= LIMIT_HTTP_PATH_BYTES);
    assert(!fuzz_climbs(r->path) && !fuzz_has_line_end(r->path));
    assert(!strpbrk(r->raw_path, "?# "));
    assert(r->header_count <= LIMIT_HTTP_FIELDS);
    for (size_t i = 0; i < r->header_count; i++) {
        assert(r->headers[i].name[0] != '\0' && !strpbrk(r->headers[i].name, " \t:\r\n"));
        assert(!fuzz_has_line_end(r->headers[i].value));
        assert(strlen(r->headers[i].value) == r->headers[i].value_bytes);
    }
    for (const char *p = r->host; *p; p++)
        assert(!isupper((unsigned char)*p) && !strchr("/@\\ ?#", *p));
    assert(x->announced_bytes >= -1);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void read_body(struct conn *c, struct str input, size_t step, struct reading *r)
{
    while (!c->x.is_body_done && r->taken < input.n) {
        ssize_t taken = body_feed(c, input.p + r->taken, least(step, input.n - r->taken));
        if (taken < 0) {
            r->is_bad_body = true;
            return;
        }
        r->taken += (size_t)taken;
        assert(r->taken <= input.n);
    }
    r->is_done = c->x.is_body_done;
    r->body_bytes = c->x.body_bytes;
    if (r->is_done && c->x.announced_bytes >= 0)
        assert(r->body_bytes == (uint64_t)c->x.announced_bytes);
}

static struct reading read_request(struct str input, size_t step)
{
    struct reading r = { .head = HEAD_PART };
    size_t seen = 0, scanned = 0, head_bytes = 0;
    while (r.head == HEAD_PART && seen < input.n) {
        seen = least(seen + step, input.n);
        r.head = head_scan(input.p, seen, &scanned, &head_bytes, &r.status);
    }
    if (r.head != HEAD_WHOLE)
        return r;
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct conn *c = ARENA_NEW(a, struct conn);
    c->arena = a;
    c->x.pub.arena = a;
    c->x.conn = c;
    c->x.body_mode = BODY_IGNORE;
    r.status = head_parse(c, input.p, head_bytes);
    r.taken = head_bytes;
    if (r.status != 0)
        return r;
    check_request(&c->x);
    read_body(c, input, step, &r);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = fuzz_input(data, size);
    struct reading whole = read_request(input, input.n ? input.n : 1);
    struct reading bytes = read_request(input, 1);
    assert(whole.head == bytes.head || input.n >= LIMIT_HTTP_HEAD_BYTES || whole.head == HEAD_BAD ||
           bytes.head == HEAD_BAD);
    if (whole.head != HEAD_WHOLE || bytes.head != HEAD_WHOLE)
        return 0;
    assert(whole.status == bytes.status);
    assert(whole.is_bad_body || bytes.is_bad_body ||
           (whole.is_done == bytes.is_done && whole.taken == bytes.taken &&
            whole.body_bytes == bytes.body_bytes));
    return 0;
}
