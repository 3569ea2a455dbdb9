/*
 * The fault matrix: each endpoint that a client calls, met by each failure that a network and a
 * server are known for.
 *
 * An endpoint is a row: the call of ours, the request it sends, the good answer, and, when it
 * changes something, the question that finds out whether it did. The peer plays the fault at that
 * request once (or, where no connection comes about, always) and is well before and after.
 *
 * RIGHT    success with the effect there; a clean failure without it; or ERR_UNKNOWN_OUTCOME, and
 *          then the question, asked after every late effect has landed, tells the truth. The effect
 *          is there once or not at all.
 *
 * TIME     Waits are counted, not slept; a late effect lands when that much has been waited.
 */
#ifndef LOCKFLIGHT_TESTS_PROVIDER_FAULTS_H
#define LOCKFLIGHT_TESTS_PROVIDER_FAULTS_H

#include "base/arena.h"
#include "net/http.h"

/* What a row's functions work with. */
struct cast {
    struct arena *a;
    struct netlify *n;
    struct supabase *s;
};

struct stage {
    const char *line; /* "GET /path": what the request line begins with */
    int status;       /* 0: 200 */
    const char *body;
    const char *headers;
};

struct endpoint {
    const char *what; /* as in the client's source: "netlify.restore" */
    enum http_effect effect;
    bool (*call)(struct cast *c, struct err *e);
    struct stage request;

    /* For what changes something: did it happen? */
    bool (*is_done)(struct cast *c, bool *ret, struct err *e);
    const char *question; /* what is_done asks */
    struct stage before;  /* its answer while nothing has happened (`line` is not used) */
    struct stage after;

    /* For what makes a new thing each time: the answer when there are two, and the request that
     * takes one away again. */
    struct stage twice;
    const char *take_away;
};

/* Answers to requests that calls make besides. The last row is empty. */
struct client {
    const char *vendor;    /* "netlify": rows of `what` must be all of src/provider/netlify*.c */
    const char *base_path; /* "/api/v1" */
    const struct stage *aside; /* e.g. the site, which is asked for its account */
    bool (*open)(struct cast *c, const char *address, struct err *e);
    struct http *(*http)(const struct cast *c);
    void (*close)(struct cast *c);
    const struct endpoint *rows;
    size_t n_rows;
};

/* Runs every cell, one test per endpoint, and prints "N endpoints × 17 faults = M cells". Returns
 * the exit status. */
int faults_run(const struct client *client);

#endif
