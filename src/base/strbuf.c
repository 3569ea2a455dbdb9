/*
 * Strings for building: see strbuf.h.
 */
#include "base/strbuf.h"

#include <stdarg.h>

struct strbuf strbuf_init(size_t max_bytes)
{
    return (struct strbuf){ .max_bytes = max_bytes };
}

void strbuf_done(struct strbuf *b)
{
    free(b->p);
    *b = (struct strbuf){ .max_bytes = b->max_bytes };
}

void strbuf_clear(struct strbuf *b)
{
    b->n = 0;
    b->overflowed = false;
    if (b->p)
        b->p[0] = '\0';
}

static bool reserve(struct strbuf *b, size_t more)
{
    if (b->overflowed || more > b->max_bytes - b->n) {
        b->overflowed = true;
        return false;
    }
    size_t want = b->n + more + 1;
    if (want <= b->capacity)
        return true;
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity < want)
        capacity *= 2;
    char *p = realloc(b->p, capacity);
    if (!p)
        memory_exhausted(capacity);
    b->p = p;
    b->capacity = capacity;
    return true;
}

bool strbuf_add(struct strbuf *b, const void *bytes, size_t n)
{
    if (!reserve(b, n))
        return false;
    if (n > 0)
        memcpy(b->p + b->n, bytes, n);
    b->n += n;
    b->p[b->n] = '\0';
    return true;
}

bool strbuf_adds(struct strbuf *b, const char *z)
{
    return strbuf_add(b, z, strlen(z));
}

bool strbuf_addc(struct strbuf *b, char c)
{
    return strbuf_add(b, &c, 1);
}

bool strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): begun on the line before
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !reserve(b, (size_t)n))
        return false;
    va_start(ap, fmt);
    (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
    return true;
}

void strbuf_drop(struct strbuf *b, size_t n)
{
    if (n >= b->n) {
        strbuf_clear(b);
        return;
    }
    memmove(b->p, b->p + n, b->n - n + 1);
    b->n -= n;
}
