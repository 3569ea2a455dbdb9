/*
 * Inside functions: what the keeper (functions.c) and the gate (function_gate.c) share. A `run` is
 * the place of one slug; once made it stays until the environment closes, so that no request can
 * meet a freed one.
 */
#ifndef LOCKFLIGHT_LOCAL_FUNCTIONS_RUN_H
#define LOCKFLIGHT_LOCAL_FUNCTIONS_RUN_H

#include "local/functions.h"
#include "local/worker.h"

#include <pthread.h>

#define FUNCTION_WAITERS_MAX 1024 /* requests that wait for a start; further ones get 503 */

/* A request that waits for its function to start. Lives in the request's arena. */
struct waiter {
    struct waiter *next;
    struct request *request;
    struct run *run;
};

struct run {
    struct run *next;
    struct functions *functions;
    char slug[128];
    struct upstream_slot *slot;
    atomic_bool verify_jwt;

    /* guarded by functions->mutex */
    bool exists;
    bool is_missing;  /* its bundle is not there */
    bool is_wanted;   /* activated or asked for since the start: keep a process */
    bool is_suspect;  /* did not answer in time: replace it */
    bool boot_failed; /* until the next request after retry_boot_ms, which tries again */
    int64_t retry_boot_ms;
    bool is_settled; /* the process is what is stored, or cannot be */
    int last_exit_status;
    int64_t last_exit_boot_ms;
    pid_t pid;
    int64_t version;       /* that serves */
    int64_t asked_version; /* that was last asked for by a deploy */
    struct waiter *waiters;
    unsigned waiters_n;

    /* the keeper's */
    struct worker *current;
    struct worker *booting;
    struct worker *draining;
    int64_t tried_version; /* what `failures` counts for */
    unsigned tried_generation;
    unsigned failures;
    int64_t next_start_boot_ms;
};

struct functions {
    struct arena *arena;
    struct platform_environment *env;
    const struct bundle_tools *tools;
    struct project *project;
    pthread_t keeper;
    pthread_mutex_t mutex;
    pthread_cond_t settled;
    int wake_fd;
    bool stop_asked;
    unsigned generation; /* of the secrets */
    unsigned idle_ms;    /* a request without an answer for so long is given up */
    struct run *runs;
};

struct run *functions_find(struct functions *f, const char *slug);

/* On the loop: what a waiting request does when the start is over. */
void function_waiter_resumed(struct request *r, void *context);

/* The keeper looks at everything soon. Any thread. */
void functions_wake(struct functions *f);

#endif
