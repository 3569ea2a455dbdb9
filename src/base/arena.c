/*
 * Arenas: blocks in a list, each twice the size of the one before, up to 1 MiB; larger requests get
 * a block of their own. What is not used yet is zero (of large blocks the kernel sees to that), so
 * that giving it out costs nothing. Under AddressSanitizer every allocation is followed by a poisoned gap, and
 * a freed arena is poisoned by free() itself.
 */
#include "base/arena.h"

#include "base/limits.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_GAP_BYTES 16
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define ARENA_GAP_BYTES 0
#define POISON(p, n)    ((void)(p), (void)(n))
#define UNPOISON(p, n)  ((void)(p), (void)(n))
#endif

#define BLOCK_FIRST_BYTES (8 * KIB)
#define BLOCK_MAX_BYTES   (1 * MIB)
#define ALIGN_BYTES       16

struct block {
    struct block *next;
    size_t size;
    size_t used;
    _Alignas(ALIGN_BYTES) unsigned char data[];
};

struct arena {
    struct block *head;
    size_t used_bytes;
    size_t max_bytes;
    size_t next_block_bytes;
};

_Noreturn void memory_exhausted(size_t bytes)
{
    (void)fprintf(stderr,
                  "lockflight: out of memory (%zu more bytes wanted); nothing is lost, run "
                  "`lockflight resume`\n",
                  bytes);
    abort();
}

struct arena *arena_new(size_t max_bytes)
{
    struct arena *a = calloc(1, sizeof *a);
    if (!a)
        memory_exhausted(sizeof *a);
    a->max_bytes = max_bytes ? max_bytes : LIMIT_ARENA_BYTES;
    a->next_block_bytes = BLOCK_FIRST_BYTES;
    return a;
}

static void blocks_free(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        UNPOISON(b->data, b->size);
        free(b);
        b = next;
    }
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    blocks_free(a->head);
    free(a);
}

void arena_reset(struct arena *a)
{
    struct block *keep = a->head;
    if (keep) {
        blocks_free(keep->next);
        keep->next = NULL;
        UNPOISON(keep->data, keep->used);
        memset(keep->data, 0, keep->used);
        keep->used = 0;
        POISON(keep->data, keep->size);
    }
    a->used_bytes = 0;
}

void arena_adopt(struct arena *a, struct arena *from)
{
    if (!from)
        return;
    struct block **end = &a->head;
    while (*end)
        end = &(*end)->next;
    *end = from->head;
    a->used_bytes += from->used_bytes;
    free(from);
}

static struct block *block_add(struct arena *a, size_t at_least)
{
    size_t size = a->next_block_bytes;
    if (size < at_least)
        size = at_least;
    else if (a->next_block_bytes < BLOCK_MAX_BYTES)
        a->next_block_bytes *= 2;
    struct block *b = calloc(1, sizeof *b + size);
    if (!b)
        memory_exhausted(size);
    b->size = size;
    b->used = 0;
    b->next = a->head;
    a->head = b;
    POISON(b->data, b->size);
    return b;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    if (bytes > a->max_bytes || a->used_bytes > a->max_bytes - bytes)
        memory_exhausted(bytes);
    size_t want = (bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES + ARENA_GAP_BYTES;
    struct block *b = a->head;
    if (!b || b->size - b->used < want)
        b = block_add(a, want);
    void *p = b->data + b->used;
    b->used += want;
    a->used_bytes += bytes;
    UNPOISON(p, bytes);
    return p;
}

void *arena_array(struct arena *a, size_t count, size_t item_bytes)
{
    if (item_bytes != 0 && count > SIZE_MAX / item_bytes)
        memory_exhausted(SIZE_MAX);
    return arena_alloc(a, count * item_bytes);
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *copy = arena_alloc(a, n + 1);
    if (n > 0)
        memcpy(copy, s, n);
    return copy;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    assert(n >= 0);
    char *text = arena_alloc(a, (size_t)n + 1);
    (void)vsnprintf(text, (size_t)n + 1, fmt, ap);
    return text;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return text;
}

size_t arena_used_bytes(const struct arena *a)
{
    return a->used_bytes;
}
