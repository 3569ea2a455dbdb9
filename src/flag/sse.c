#include "flag/sse.h"

#include "base/clock.h"
#include "base/limits.h"

#include <pthread.h>
#include <stdlib.h>

#define COMMENT_EVERY_MS 20000
#define EVENT_EVERY_MS   100
#define ID_BYTES         48

/* In the arena of its request. */
struct reader {
    struct sse *sse;
    struct reader *next;
    struct reader *prev;
    struct stream *stream;
    bool is_listed;
};

struct sse {
    pthread_mutex_t lock; /* before a stream's own */
    struct reader *readers;
    unsigned count;
    bool has_ended;
    struct event {
        char id[ID_BYTES]; /* "": nothing was told yet */
        char text[160];
    } told;
    int64_t told_ms;
    int64_t comment_ms;
};

struct sse *sse_new(void)
{
    struct sse *s = calloc(1, sizeof *s);
    if (!s)
        memory_exhausted(sizeof *s);
    (void)pthread_mutex_init(&s->lock, NULL);
    return s;
}

void sse_free(struct sse *s)
{
    if (!s)
        return;
    sse_end(s);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct event make_event(const struct flag_snapshot *now)
{
    struct event event;
    (void)snprintf(event.id, sizeof event.id, "%lld.%lld", (long long)now->version,
                   (long long)now->next_s);
    (void)snprintf(event.text, sizeof event.text,
                   "id: %s\nevent: message\n"
                   "data: {\"type\":\"refetchEvaluation\",\"etag\":\"%lld\"}\n\n",
                   event.id, (long long)now->version);
    return event;
}

/* ---- Readers: the lock is held --------------------------------------------------------------- */

static void add(struct sse *s, struct reader *reader)
{
    reader->next = s->readers;
    if (s->readers)
        s->readers->prev = reader;
    s->readers = reader;
    reader->is_listed = true;
    s->count++;
}

static void drop(struct sse *s, struct reader *reader)
{
    if (!reader->is_listed)
        return;
    if (reader->prev)
        reader->prev->next = reader->next;
    else
        s->readers = reader->next;
    if (reader->next)
        reader->next->prev = reader->prev;
    reader->is_listed = false;
    s->count--;
    stream_end(reader->stream);
}

static void write_all(struct sse *s, struct str text)
{
    struct reader *next = NULL;
    for (struct reader *reader = s->readers; reader; reader = next) {
        next = reader->next;
        if (!stream_write(reader->stream, text))
            drop(s, reader);
    }
}

/* ---- Connecting ------------------------------------------------------------------------------ */

static void left(void *context)
{
    struct reader *reader = context;
    struct sse *s = reader->sse;
    (void)pthread_mutex_lock(&s->lock);
    drop(s, reader);
    (void)pthread_mutex_unlock(&s->lock);
}

/* What was told last is what the reader must know: of anything newer it will hear with the others. */
static void greet(struct sse *s, struct reader *reader, const char *known,
                  const struct flag_snapshot *now)
{
    char text[256];
    struct event event = *s->told.id ? s->told : make_event(now);
    int n =
        snprintf(text, sizeof text, "retry: 2000\n\n%s", streq(known, event.id) ? "" : event.text);
    (void)stream_write(reader->stream, (struct str){ text, (size_t)n });
}

bool sse_serve(struct sse *s, struct request *r, const struct flag_snapshot *now)
{
    struct reader *reader = ARENA_NEW(r->arena, struct reader);
    reader->sse = s;
    (void)pthread_mutex_lock(&s->lock);
    bool has_place = !s->has_ended && s->count < LIMIT_FLAG_STREAMS;
    if (has_place) {
        response_header(r, "Cache-Control", "no-cache, no-transform");
        response_header(r, "X-Accel-Buffering", "no");
        reader->stream = respond_stream(r, 200, "text/event-stream");
        greet(s, reader, request_header(r, "last-event-id"), now);
        add(s, reader);
        request_on_end(r, left, reader);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return has_place;
}

/* ---- Telling --------------------------------------------------------------------------------- */

int64_t sse_pulse(struct sse *s, const struct flag_snapshot *now)
{
    int64_t now_ms = clock_boot_ms();
    struct event event = make_event(now);
    (void)pthread_mutex_lock(&s->lock);
    int64_t pause_ms = s->told_ms + EVENT_EVERY_MS - now_ms;
    bool is_news = !streq(event.id, s->told.id);
    if (is_news && pause_ms <= 0) {
        write_all(s, str_of(event.text));
        s->told = event;
        s->told_ms = now_ms;
    }
    if (now_ms - s->comment_ms >= COMMENT_EVERY_MS) {
        write_all(s, STR(":\n\n"));
        s->comment_ms = now_ms;
    }
    int64_t wait_ms = s->comment_ms + COMMENT_EVERY_MS - now_ms;
    if (is_news && pause_ms > 0 && pause_ms < wait_ms)
        wait_ms = pause_ms;
    (void)pthread_mutex_unlock(&s->lock);
    return wait_ms;
}

void sse_end(struct sse *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->has_ended = true;
    while (s->readers)
        drop(s, s->readers);
    (void)pthread_mutex_unlock(&s->lock);
}
