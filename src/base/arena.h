/*
 * Arenas: memory named by its lifetime. A function that allocates its result takes an arena, so a
 * signature without one leaves nothing behind. An arena is freed whole, single values never.
 *
 * Out of memory, or past the ceiling, is fatal, at one place (arena.c): a command with a journal is
 * crash-only, and resuming is a tested path. Not thread-safe: one arena, one thread.
 */
#ifndef LOCKFLIGHT_BASE_ARENA_H
#define LOCKFLIGHT_BASE_ARENA_H

#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new arena that may grow to `max_bytes` (0: LIMIT_ARENA_BYTES). Free with arena_free. */
struct arena *arena_new(size_t max_bytes);

/* Frees everything. Accepts NULL. */
void arena_free(struct arena *a);

/* Empties the arena and keeps one block for reuse. */
void arena_reset(struct arena *a);

/* Moves all that `from` has into `a`, and frees `from`. Accepts NULL for it. */
void arena_adopt(struct arena *a, struct arena *from);

/* Zeroed memory, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t bytes) __attribute__((malloc, returns_nonnull));
void *arena_array(struct arena *a, size_t count, size_t item_bytes)
    __attribute__((returns_nonnull));

char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);

/* Bytes handed out since new or reset. */
size_t arena_used_bytes(const struct arena *a);

#define ARENA_NEW(a, type)          ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))

static inline void arena_cleanup(struct arena **a)
{
    arena_free(*a);
}

/* The one place where memory exhaustion ends the program. Also for the few allocations outside
 * arenas. */
_Noreturn void memory_exhausted(size_t bytes);

#endif
