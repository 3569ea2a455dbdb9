/*
 * Many bodies at once: one libcurl multi handle, a few connections, each item sent until the server
 * has it.
 *
 * BYTES   A file is hashed from the same reading that is sent: small ones are read whole and
 *         checked before the request begins, large ones are hashed as they go out and stopped
 *         before their last byte if they are not what was promised. So a file that changes during a
 *         deploy cannot end up under the old digest.
 *
 * PLACES  A fixed number of places take items from the queue, each with its own easy handle. A
 *         failed item goes into its place's own waiting time; a rate limit makes all places wait.
 */
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/signals.h"
#include "net/budget.h"
#include "net/http_transfer.h"
#include "net/url.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    SMALL_BYTES = 64 * 1024, /* up to here libcurl sends head and body in one write */
    POLL_MS = 200,
};

struct place {
    const struct http_upload *item; /* NULL: idle */
    bool is_flying;
    int attempt;
    int64_t not_before_ms;
    bool is_paid; /* the next sending has its place in the budget */
    CURL *easy;
    struct arena *arena; /* of the attempt */
    struct http_transfer transfer;
    const char *url;
    int fd; /* large files only, else -1 */
    uint64_t sent_bytes;
    struct hash *hash;
    char *small; /* SMALL_BYTES */
};

struct fleet {
    struct http *h;
    const struct http_uploads *u;
    CURLM *multi;
    struct curl_slist *headers;
    struct place *places;
    size_t n_places;
    size_t next; /* first item that no place has had */
    size_t done;
    uint64_t bytes_done;
    int64_t paused_until_ms;
    int64_t skipped_ms; /* of waits that were over sooner: see http_set_waiter */
};

static int64_t now_of(const struct fleet *f)
{
    return clock_boot_ms() + f->skipped_ms;
}

static bool changed(const struct http_upload *item, struct err *e)
{
    return err_set(e, ERR_CONFLICT, "%s changed after it was hashed", item->show);
}

/* ---- bodies ---- */

static void drop_hash(struct place *p)
{
    if (p->hash) {
        char ignored[SHA1_HEX_BYTES];
        hash_finish(p->hash, ignored);
    }
    p->hash = NULL;
}

static void close_file(struct place *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    p->fd = -1;
    drop_hash(p);
}

static int rewind_large(void *context, curl_off_t offset, int origin)
{
    struct place *p = context;
    if (offset != 0 || origin != SEEK_SET || lseek(p->fd, 0, SEEK_SET) != 0)
        return CURL_SEEKFUNC_FAIL;
    drop_hash(p);
    p->hash = hash_new(HASH_SHA1);
    p->sent_bytes = 0;
    return CURL_SEEKFUNC_OK;
}

static size_t read_large(char *buffer, size_t size, size_t n, void *context)
{
    struct place *p = context;
    ssize_t got;
    do {
        got = read(p->fd, buffer, size * n);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return CURL_READFUNC_ABORT;
    if (got == 0)
        return p->sent_bytes == p->item->bytes ? 0 : CURL_READFUNC_ABORT;
    p->sent_bytes += (uint64_t)got;
    if (p->sent_bytes > p->item->bytes)
        return CURL_READFUNC_ABORT;
    hash_add(p->hash, buffer, (size_t)got);
    if (p->sent_bytes == p->item->bytes && p->item->sha1_hex) {
        char hex[SHA1_HEX_BYTES];
        hash_finish(p->hash, hex);
        p->hash = NULL;
        if (!streq(hex, p->item->sha1_hex))
            return CURL_READFUNC_ABORT;
    }
    return (size_t)got;
}

static bool body_from_memory(struct place *p, struct str bytes, struct err *e)
{
    if (p->item->sha1_hex) {
        char hex[SHA1_HEX_BYTES];
        hash_hex(HASH_SHA1, bytes, hex);
        if (!streq(hex, p->item->sha1_hex))
            return changed(p->item, e);
    }
    curl_easy_setopt(p->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDS, bytes.n > 0 ? bytes.p : "");
    curl_easy_setopt(p->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes.n);
    return true;
}

static bool body_from_file(struct place *p, struct err *e)
{
    const struct http_upload *item = p->item;
    p->fd = open(item->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (p->fd < 0)
        return err_system(e, "open %s", item->file);
    if (item->bytes <= SMALL_BYTES) {
        size_t n = 0;
        for (ssize_t got = 1; got > 0 && n < SMALL_BYTES; n += (size_t)got)
            if ((got = read(p->fd, p->small + n, SMALL_BYTES - n)) < 0)
                return err_system(e, "read %s", item->file);
        return n == item->bytes ? body_from_memory(p, (struct str){ p->small, n }, e)
                                : changed(item, e);
    }
    p->hash = hash_new(HASH_SHA1);
    p->sent_bytes = 0;
    curl_easy_setopt(p->easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(p->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)item->bytes);
    curl_easy_setopt(p->easy, CURLOPT_READFUNCTION, read_large);
    curl_easy_setopt(p->easy, CURLOPT_READDATA, p);
    curl_easy_setopt(p->easy, CURLOPT_SEEKFUNCTION, rewind_large);
    curl_easy_setopt(p->easy, CURLOPT_SEEKDATA, p);
    curl_easy_setopt(p->easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    return true;
}

/* ---- flights ---- */

static bool take_off(struct fleet *f, struct place *p, struct err *e)
{
    if (!http_fault_before(f->u->what, e))
        return false;
    arena_reset(p->arena);
    p->url = url_join(p->arena, f->h->base_url, p->item->path);
    http_transfer_begin(&p->transfer, p->easy, p->arena, p->url, LIMIT_JSON_BYTES,
                        http_deadline(f->h, HTTP_UPLOAD_DEADLINE_MS));
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, f->headers);
    curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
    bool ready = p->item->file ? body_from_file(p, e) : body_from_memory(p, p->item->content, e);
    curl_easy_setopt(p->easy, CURLOPT_CUSTOMREQUEST, f->u->method);
    if (!ready)
        return false;
    p->attempt++;
    p->is_paid = false;
    p->is_flying = curl_multi_add_handle(f->multi, p->easy) == CURLM_OK;
    return p->is_flying || err_set(e, ERR_INTERNAL, "libcurl did not take a transfer");
}

/* The item is there; the place becomes free. */
static void landed(struct fleet *f, struct place *p)
{
    f->done++;
    f->bytes_done += p->item->file ? p->item->bytes : p->item->content.n;
    if (f->u->progress)
        f->u->progress(f->u->context, f->done, f->u->n_items, f->bytes_done);
    p->item = NULL;
}

static bool failed_for_good(struct fleet *f, struct place *p, const struct http_attempt *at,
                            struct err *e)
{
    if (at->outcome == HTTP_REFUSED && p->item->bytes > SMALL_BYTES) {
        changed(p->item, e);
    } else {
        http_transfer_error(&p->transfer, at, HTTP_IDEMPOTENT, f->u->method, p->url, e);
        err_wrap(e, "upload %s", p->item->show);
    }
    return false;
}

/* Empty or JSON. A page of something in between does not mean that the content has arrived. */
static bool is_of_the_api(const struct http_transfer *t)
{
    struct err ignored;
    struct str body = str_trim(strbuf_str(&t->body));
    json_auto_t *value = body.n ? json_parse(body, "upload", &ignored) : NULL;
    return body.n == 0 || value;
}

static bool came_back(struct fleet *f, struct place *p, CURLcode result, struct err *e)
{
    curl_multi_remove_handle(f->multi, p->easy);
    p->is_flying = false;
    struct http_attempt at = http_transfer_end(&p->transfer, result);
    bool is_there = at.outcome == HTTP_ANSWERED && at.status >= 200 && at.status < 300;
    if (is_there && !is_of_the_api(&p->transfer)) {
        is_there = false;
        at.outcome = HTTP_LOST;
        (void)snprintf(p->transfer.text, sizeof p->transfer.text, "the answer is no JSON");
    }
    bool again =
        !is_there && p->attempt < HTTP_ATTEMPTS && http_rule_may_repeat(HTTP_IDEMPOTENT, &at);
    if (!http_fault_after(f->u->what, HTTP_IDEMPOTENT, e))
        return false;
    if (!is_there && !again)
        return failed_for_good(f, p, &at, e);
    close_file(p);
    if (is_there) {
        landed(f, p);
        return true;
    }
    int64_t now_ms = now_of(f);
    p->not_before_ms =
        now_ms + http_rule_wait_ms(&at, f->h->reset, p->attempt, http_jitter(), clock_unix_ms());
    if (at.status == 429)
        f->paused_until_ms = p->not_before_ms;
    return true;
}

/* May this place send now? It waits for its turn, and for its share of the budget. */
static bool is_due(struct fleet *f, struct place *p, int64_t now_ms)
{
    if (now_ms < p->not_before_ms)
        return false;
    if (f->h->budget && !p->is_paid) {
        p->not_before_ms = budget_take(f->h->budget, f->h->reserved_calls, now_ms);
        p->is_paid = true;
    }
    return now_ms >= p->not_before_ms;
}

/* Gives every free place work, and sends again what has waited long enough. */
static bool fill_places(struct fleet *f, struct err *e)
{
    int64_t now_ms = now_of(f);
    for (size_t i = 0; i < f->n_places && now_ms >= f->paused_until_ms; i++) {
        struct place *p = &f->places[i];
        if (p->is_flying)
            continue;
        if (!p->item) {
            if (f->next == f->u->n_items)
                continue;
            p->item = &f->u->items[f->next++];
            p->attempt = 0;
        }
        if (is_due(f, p, now_ms) && !take_off(f, p, e))
            return err_wrap(e, "upload %s", p->item->show);
    }
    return true;
}

/* Nothing is under way: waits for the first place that may send again, as the client waits. */
static bool wait_for_turn(struct fleet *f, struct err *e)
{
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < f->n_places; i++) {
        const struct place *p = &f->places[i];
        if (p->is_flying)
            return true;
        if (p->item && p->not_before_ms < next_ms)
            next_ms = p->not_before_ms;
    }
    if (next_ms < f->paused_until_ms)
        next_ms = f->paused_until_ms;
    int64_t wait_ms = next_ms - now_of(f);
    if (next_ms == INT64_MAX || wait_ms <= 0)
        return true;
    if (!http_pause(f->h, wait_ms, e))
        return false;
    int64_t left_ms = next_ms - now_of(f);
    f->skipped_ms += left_ms > 0 ? left_ms : 0;
    return true;
}

static bool fly(struct fleet *f, struct err *e)
{
    bool stopping_before = signals_stop_asked();
    while (f->done < f->u->n_items) {
        if (!stopping_before && signals_stop_asked())
            return err_set(e, ERR_INTERRUPTED, "stopped during the upload");
        if (!wait_for_turn(f, e) || !fill_places(f, e))
            return false;
        int running;
        if (curl_multi_perform(f->multi, &running) != CURLM_OK)
            return err_set(e, ERR_INTERNAL, "libcurl failed");
        bool any = false;
        int left;
        for (CURLMsg *m; (m = curl_multi_info_read(f->multi, &left));) {
            struct place *p = NULL;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&p);
            if (!came_back(f, p, m->data.result, e))
                return false;
            any = true;
        }
        if (!any)
            curl_multi_poll(f->multi, NULL, 0, POLL_MS, NULL);
    }
    return true;
}

static void open_places(struct fleet *f, struct arena *a)
{
    f->places = ARENA_ARRAY(a, struct place, f->n_places);
    for (size_t i = 0; i < f->n_places; i++) {
        struct place *p = &f->places[i];
        p->fd = -1;
        p->arena = arena_new(0);
        p->small = arena_alloc(a, SMALL_BYTES);
        p->easy = curl_easy_init();
        if (!p->easy)
            memory_exhausted(0);
    }
}

static void close_places(struct fleet *f)
{
    for (size_t i = 0; i < f->n_places; i++) {
        struct place *p = &f->places[i];
        if (p->is_flying)
            curl_multi_remove_handle(f->multi, p->easy);
        curl_easy_cleanup(p->easy);
        close_file(p);
        strbuf_done(&p->transfer.body);
        arena_free(p->arena);
    }
}

bool http_upload_all(struct http *h, const struct http_uploads *u, struct err *e)
{
    if (u->n_items == 0)
        return true;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct fleet f = { .h = h, .u = u, .multi = curl_multi_init() };
    if (!f.multi)
        memory_exhausted(0);
    f.n_places = u->connections > 0 ? (size_t)u->connections : HTTP_UPLOAD_CONNECTIONS;
    f.headers = curl_slist_append(NULL, "Expect:");
    f.headers = curl_slist_append(f.headers, "Content-Type: application/octet-stream");
    if (h->authorization)
        f.headers = curl_slist_append(f.headers, h->authorization);
    curl_multi_setopt(f.multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)f.n_places);
    curl_multi_setopt(f.multi, CURLMOPT_MAXCONNECTS, (long)f.n_places);
    open_places(&f, a);

    bool ok = fly(&f, e);
    close_places(&f);
    curl_slist_free_all(f.headers);
    (void)curl_multi_cleanup(f.multi);
    return ok || err_wrap(e, "%s", h->name);
}
