/*
 * Named fault points: see fault.h. Only the test build contains this.
 */
#include "base/fault.h"

#ifdef LOCKFLIGHT_FAULTS

#include "base/cleanup.h"
#include "base/str.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t passages_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned passages; /* of the point that LOCKFLIGHT_FAULT names */

static void list_passage(const char *name)
{
    const char *path = getenv("LOCKFLIGHT_FAULT_LIST");
    if (!path)
        return;
    CLEANUP(fd) int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)dprintf(fd, "%s\n", name);
}

/* Parses "<name>[:<nth>]:<action>"; true if this passage of `name` is the chosen one. */
static bool is_chosen(const char *name, const char *spec, struct str *ret_action)
{
    struct str rest = str_of(spec);
    if (!str_is(str_cut(&rest, ':'), name))
        return false;
    struct str nth = STR("1");
    struct str part = str_cut(&rest, ':');
    if (rest.p) {
        nth = part;
        part = rest;
    }
    uint64_t wanted = 0;
    if (!str_to_u64(nth, &wanted))
        return false;
    *ret_action = part;
    return ++passages == wanted;
}

bool fault_passes(const char *name, struct err *e)
{
    const char *spec = getenv("LOCKFLIGHT_FAULT");
    struct str action = { 0 };
    (void)pthread_mutex_lock(&passages_mutex);
    list_passage(name);
    bool chosen = spec && is_chosen(name, spec, &action);
    (void)pthread_mutex_unlock(&passages_mutex);
    if (!chosen)
        return true;
    if (str_is(action, "kill"))
        (void)kill(getpid(), SIGKILL);
    if (str_is(action, "stop"))
        (void)kill(getpid(), SIGSTOP);
    if (str_is(action, "error"))
        return err_set(e, ERR_IO, "fault point %s", name);
    return true;
}

#else

/* An empty translation unit is not C. */
typedef int fault_points_are_not_compiled;

#endif
