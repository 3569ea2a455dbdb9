/*
 * libpq, loaded by the first call of one of its functions: see base/library.h.
 */
#include "base/library.h"

#include <libpq-fe.h>
#include <pthread.h>

static struct {
#define FUNCTION(type, name, params, args)                                                         \
    type(*name) params; /* NOLINT(bugprone-macro-parentheses) */
#include "provider/pg_library.inc"
#undef FUNCTION
} libpq;

static void load(void)
{
    void *library = library_load("libpq.so.5");
#define FUNCTION(type, name, params, args) library_find(library, #name, &libpq.name);
#include "provider/pg_library.inc"
#undef FUNCTION
}

static void need(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, load);
}

#define FUNCTION(type, name, params, args)                                                         \
    type name params                                                                               \
    {                                                                                              \
        need();                                                                                    \
        return libpq.name args;                                                                    \
    }
#include "provider/pg_library.inc"
