/*
 * Child processes: argv vectors, explicit environment, deadline, own process group. Never a shell
 * string: the callers that must run shell (design: build command, `run` checks, `cmd:` sources)
 * pass {"/bin/sh", "-c", text}.
 */
#ifndef LOCKFLIGHT_BASE_PROC_H
#define LOCKFLIGHT_BASE_PROC_H

#include "base/arena.h"
#include "base/str.h"

#include <sys/types.h>

struct proc_spec {
    const char *const *argv; /* argv[0] is searched in PATH unless it has a slash */
    const char *cwd;         /* NULL: ours */
    const char *const
        *env;         /* complete environment "K=V", NULL-terminated; NULL: ours, as proc_env */
    struct str input; /* written to standard input, which is /dev/null when empty */
    int timeout_ms;   /* 0: none. After it the group gets SIGTERM, 5 s later SIGKILL */
    size_t
        max_output_bytes; /* 0: LIMIT_PROC_OUTPUT_BYTES; past it the child is stopped, ERR_LIMIT */
    bool merge_stderr;    /* stderr is read together with stdout */
    bool inherit_output;  /* output goes to our own stdout and stderr, nothing is captured */

    /* Called for every line of output as it arrives, without the line end; NULL: not wanted. */
    void (*on_line)(void *context, struct str line);
    void *context;
};

struct proc_result {
    int exit_status; /* 0..255, or 128 + signal */
    bool timed_out;
    struct str out; /* stdout, in the arena */
    struct str err; /* stderr, unless merged */
};

/* Runs a child to its end. False only if it could not be started, ran over its deadline
 * (ERR_TIMEOUT) or printed too much (ERR_LIMIT); a non-zero exit is a result, not an error. */
bool proc_run(struct arena *a, const struct proc_spec *spec, struct proc_result *ret,
              struct err *e) MUST_USE;

/* Our environment without what is hidden (env.h), and with changes: each of `changes` is "K=V" (set) or "K" (removed). */
const char *const *proc_env(struct arena *a, const char *const *changes);

/* Finds a program in PATH; NULL if there is none. */
char *proc_find(struct arena *a, const char *name);

#endif
