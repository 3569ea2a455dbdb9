/*
 * The trace and the redactor: see log.h. One mutex guards both; the trace file is opened for
 * append, so that lines of several threads never mix.
 */
#include "base/log.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/strbuf.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>

enum {
    SECRETS_MAX = 1024,
    SECRET_MIN_BYTES = 6
};

struct guarded {
    char *p; /* sodium_malloc */
    size_t n;
};

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static struct guarded secrets[SECRETS_MAX];
static size_t secret_count;
static bool
    begins_secret[256]; /* the first bytes of all of them: most texts have few places to look at */

bool log_open(const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_system(e, "open %s", path);
    log_close();
    log_fd = fd;
    return true;
}

void log_close(void)
{
    fd_cleanup(&log_fd);
    log_fd = -1;
}

static bool is_known(struct str secret)
{
    for (size_t i = 0; i < secret_count; i++)
        if (str_eq((struct str){ secrets[i].p, secrets[i].n }, secret))
            return true;
    return false;
}

void log_redact(struct str secret)
{
    if (secret.n < SECRET_MIN_BYTES)
        return;
    if (sodium_init() < 0) /* guarded memory needs it; harmless when done already */
        memory_exhausted(secret.n);
    (void)pthread_mutex_lock(&log_mutex);
    if (secret_count < SECRETS_MAX && !is_known(secret)) {
        char *copy = sodium_malloc(secret.n);
        if (!copy)
            memory_exhausted(secret.n);
        memcpy(copy, secret.p, secret.n);
        secrets[secret_count++] = (struct guarded){ copy, secret.n };
        begins_secret[(unsigned char)secret.p[0]] = true;
    }
    (void)pthread_mutex_unlock(&log_mutex);
}

/* The longest registered secret that starts at p, or NULL. Longest, since one may be part of
 * another. */
static const struct guarded *secret_at(const char *p, size_t n)
{
    const struct guarded *found = NULL;
    for (size_t i = 0; i < secret_count; i++) {
        const struct guarded *s = &secrets[i];
        if (s->n <= n && memcmp(s->p, p, s->n) == 0 && (!found || s->n > found->n))
            found = s;
    }
    return found;
}

char *log_redacted(struct arena *a, struct str text)
{
    static const char mark[] = "[redacted]";
    CLEANUP(strbuf) struct strbuf out = strbuf_init(LIMIT_PROC_OUTPUT_BYTES);
    (void)pthread_mutex_lock(&log_mutex);
    for (size_t i = 0, plain = 0; i < text.n; i += plain) {
        const struct guarded *s = secret_at(text.p + i, text.n - i);
        for (plain = s ? 0 : 1; !s && i + plain < text.n; plain++)
            if (begins_secret[(unsigned char)text.p[i + plain]])
                break;
        if (s)
            (void)strbuf_adds(&out, mark);
        (void)strbuf_add(&out, text.p + i, plain);
        i += s ? s->n : 0;
    }
    (void)pthread_mutex_unlock(&log_mutex);
    return arena_strndup(a, strbuf_text(&out), out.n);
}

void log_event(const char *name, const char *fmt, ...)
{
    if (log_fd < 0)
        return;
    CLEANUP(arena) struct arena *scratch = arena_new(4 * MIB);
    va_list ap;
    va_start(ap, fmt);
    char *text = arena_vprintf(scratch, fmt, ap);
    va_end(ap);
    text = log_redacted(scratch, str_of(text));
    json_auto_t *line = json_pack("{s:s, s:s, s:s}", "at", clock_rfc3339(scratch, clock_unix_ms()),
                                  "event", name, "text", text);
    CLEANUP(mem) char *dumped = line ? json_dumps(line, JSON_COMPACT) : NULL;
    if (!dumped)
        return;
    struct err ignored;
    struct str bytes = str_of(arena_printf(scratch, "%s\n", dumped));
    (void)!fs_write_all(log_fd, bytes, &ignored);
}
