/*
 * Resources clean up themselves: CLEANUP(fd) int fd = open(…) closes at the end of the scope.
 *
 * A module that owns a resource type X defines `static inline void X_cleanup(T *p)`, which accepts
 * an empty value, so that early returns are safe. take() moves a value out of an owning variable.
 */
#ifndef LOCKFLIGHT_BASE_CLEANUP_H
#define LOCKFLIGHT_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(name) __attribute__((cleanup(name##_cleanup)))

/* The attribute hands over `int *`. NOLINTNEXTLINE(readability-non-const-parameter) */
static inline void fd_cleanup(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static inline void file_cleanup(FILE **f)
{
    if (*f)
        (void)fclose(*f);
}

static inline void dir_cleanup(DIR **d)
{
    if (*d)
        (void)closedir(*d);
}

/* For memory that a library handed out with malloc. Ours lives in arenas. */
static inline void mem_cleanup(void *p)
{
    free(*(void **)p);
}

static inline int fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

#endif
