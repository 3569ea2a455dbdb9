/*
 * Strings for building. A strbuf has a stated maximum, so that a hostile reply cannot fill memory:
 * beyond it the buffer keeps what it has and is marked overflowed, which the owner must check once.
 *
 *     CLEANUP(strbuf) struct strbuf b = strbuf_init(64 * KIB);
 *     strbuf_printf(&b, "%s=%d", name, value);
 *     if (b.overflowed) …
 */
#ifndef LOCKFLIGHT_BASE_STRBUF_H
#define LOCKFLIGHT_BASE_STRBUF_H

#include "base/cleanup.h"
#include "base/str.h"

struct strbuf {
    char *p; /* zero-terminated whenever it is not NULL */
    size_t n;
    size_t capacity;
    size_t max_bytes;
    bool overflowed;
};

struct strbuf strbuf_init(size_t max_bytes);
void strbuf_done(struct strbuf *b);  /* frees; the buffer may be used again */
void strbuf_clear(struct strbuf *b); /* empties, keeps memory and maximum */

/* Each returns false, and sets overflowed, when the maximum is met. */
bool strbuf_add(struct strbuf *b, const void *bytes, size_t n);
bool strbuf_adds(struct strbuf *b, const char *z);
bool strbuf_addc(struct strbuf *b, char c);
bool strbuf_printf(struct strbuf *b, const char *fmt, ...) PRINTF(2, 3);

/* Removes the first n bytes. */
void strbuf_drop(struct strbuf *b, size_t n);

static inline struct str strbuf_str(const struct strbuf *b)
{
    return (struct str){ b->p ? b->p : "", b->n };
}

static inline const char *strbuf_text(const struct strbuf *b)
{
    return b->p ? b->p : "";
}

static inline void strbuf_cleanup(struct strbuf *b)
{
    strbuf_done(b);
}

#endif
