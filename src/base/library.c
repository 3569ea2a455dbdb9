/*
 * Shared libraries that are loaded when they are first needed: see library.h.
 */
#include "base/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_NOT_LOADED = 127, /* as the system's loader ends a program */
};

static void end(void)
{
    (void)fprintf(stderr, "lockflight: %s\n", dlerror()); /* NOLINT(concurrency-mt-unsafe) */
    (void)fflush(stderr);
    _exit(EXIT_NOT_LOADED);
}

void *library_load(const char *soname)
{
    void *library = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        end();
    return library;
}

void library_find(void *library, const char *name, void *ret)
{
    void *function = dlsym(library, name);
    if (!function)
        end();
    memcpy(ret, &function, sizeof function); /* C has no cast from data to function */
}
