/*
 * The platform's child processes: Postgres, PostgREST, one Deno per function. One supervisor thread
 * starts all of them and waits for their ends through pidfds.
 *
 * WHY ONE THREAD   The kernel sends a child its "parent died" signal when the *thread* that started
 *                  it ends. The supervisor's thread lives as long as the daemon, so children die
 *                  with the daemon, even by kill -9, and never earlier.
 *
 * CALLS   supervisor_start → child_start … child_stop → supervisor_stop. Thread-safe.
 */
#ifndef LOCKFLIGHT_LOCAL_CHILD_H
#define LOCKFLIGHT_LOCAL_CHILD_H

#include "base/arena.h"

#include <sys/types.h>

struct supervisor;
struct child;

struct child_spec {
    const char *name;        /* "postgres", "rest staging": for the log */
    const char *const *argv; /* argv[0] is a path */
    const char *const *env;  /* complete, NULL-terminated */
    const char *cwd;         /* NULL: / */
    const char *log_path;    /* stdout and stderr are appended here */
    int death_signal;        /* what the child gets when the daemon dies */

    /* Called on the supervisor's thread after some child with this context has ended: look which.
     * Must not block; the context must outlive the supervisor. May be NULL. */
    void (*on_exit)(void *context);
    void *context;
};

bool supervisor_start(struct supervisor **ret, struct err *e) MUST_USE;

/* Ends the thread. Children that still run get SIGKILL. Accepts NULL. */
void supervisor_stop(struct supervisor *s);

/* Starts a process. The child is the caller's until child_free. */
bool child_start(struct supervisor *s, const struct child_spec *spec, struct child **ret,
                 struct err *e) MUST_USE;

pid_t child_pid(const struct child *c);
bool child_is_running(struct child *c);

/* 0..255, or 128 + signal; -1 while it runs. */
int child_exit_status(struct child *c);

/* Waits for the end; false if it still runs after timeout_ms. */
bool child_wait(struct child *c, int timeout_ms);

/* Sends `signal`, waits, after timeout_ms sends SIGKILL and waits again. A child that has ended is
 * success. */
void child_stop(struct child *c, int signal, int timeout_ms);

void child_signal(struct child *c, int signal);

/* Gives the child's memory back; it must have ended. Accepts NULL. */
void child_free(struct child *c);

#endif
