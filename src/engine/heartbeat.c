#include "engine/heartbeat.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#define HEARTBEAT_RETRY_MS 500 /* after a renewal that did not get through */

struct heartbeat {
    struct heartbeat_spec spec;
    char *url;
    char *target;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    int64_t renewed_boot_ms;
    bool is_fenced;
    bool must_stop;
};

bool heartbeat_renew(struct pg *db, const struct heartbeat_spec *spec, bool *ret_is_ours,
                     struct err *e)
{
    char epoch[24], lease_ms[24];
    uint64_t rows = 0;
    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)spec->epoch);
    (void)snprintf(lease_ms, sizeof lease_ms, "%lld", (long long)spec->times.lease_ms);
    if (!pg_exec(db,
                 "UPDATE lockflight.lease SET expires_at = clock_timestamp() + $3::float8 * "
                 "interval '1 ms'"
                 " WHERE target = $1 AND epoch = $2 AND holder IS NOT NULL",
                 PG_PARAMS(spec->target, epoch, lease_ms), &rows, e))
        return false;
    *ret_is_ours = rows == 1;
    return true;
}

static void note(struct heartbeat *h, int64_t sent_boot_ms, bool is_ours)
{
    (void)pthread_mutex_lock(&h->mutex);
    if (!is_ours)
        h->is_fenced = true;
    else if (sent_boot_ms > h->renewed_boot_ms)
        h->renewed_boot_ms = sent_boot_ms;
    (void)pthread_mutex_unlock(&h->mutex);
}

/* One renewal over the thread's connection, opened or reopened as needed. False: try again soon. */
static bool beat(struct heartbeat *h, struct pg **db)
{
    struct err e = { 0 };
    bool is_ours = false;
    struct pg_spec spec = { .url = h->url, .purpose = "heartbeat" };
    bool connected = *db ? pg_is_alive(*db) || pg_reconnect(*db, &e) : pg_open(&spec, db, &e);
    int64_t sent_boot_ms = clock_boot_ms();
    if (!connected || !heartbeat_renew(*db, &h->spec, &is_ours, &e)) {
        log_event("lease.not_renewed", "%s", e.why);
        return false;
    }
    note(h, sent_boot_ms, is_ours);
    return true;
}

/* Waits until it is time or the owner wants to stop. False: stop. */
static bool wait_ms(struct heartbeat *h, int64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&h->mutex);
    while (!h->must_stop && pthread_cond_timedwait(&h->wake, &h->mutex, &until) != ETIMEDOUT)
        ;
    bool go_on = !h->must_stop && !h->is_fenced;
    (void)pthread_mutex_unlock(&h->mutex);
    return go_on;
}

static void *run(void *context)
{
    struct heartbeat *h = context;
    CLEANUP(pg) struct pg *db = NULL;
    bool renewed = true;
    while (wait_ms(h, renewed ? h->spec.times.renew_ms : HEARTBEAT_RETRY_MS))
        renewed = beat(h, &db);
    return NULL;
}

/* Signals are for the main thread: this one is born with all of them blocked. */
static bool start_thread(struct heartbeat *h, struct err *e)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&h->thread, NULL, run, h);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        return true;
    errno = failed;
    return err_system(e, "start the heartbeat thread");
}

static void release_memory(struct heartbeat *h)
{
    (void)pthread_cond_destroy(&h->wake);
    (void)pthread_mutex_destroy(&h->mutex);
    free(h->url);
    free(h->target);
    free(h);
}

bool heartbeat_start(const struct heartbeat_spec *spec, struct heartbeat **ret, struct err *e)
{
    struct heartbeat *h = calloc(1, sizeof *h);
    if (!h || !(h->url = strdup(spec->url)) || !(h->target = strdup(spec->target)))
        memory_exhausted(sizeof *h);
    h->spec = *spec;
    h->spec.url = h->url;
    h->spec.target = h->target;
    h->renewed_boot_ms = spec->renewed_boot_ms;
    (void)pthread_mutex_init(&h->mutex, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&h->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (!start_thread(h, e)) {
        release_memory(h);
        return false;
    }
    *ret = h;
    return true;
}

void heartbeat_stop(struct heartbeat *h)
{
    if (!h)
        return;
    (void)pthread_mutex_lock(&h->mutex);
    h->must_stop = true;
    (void)pthread_cond_signal(&h->wake);
    (void)pthread_mutex_unlock(&h->mutex);
    (void)pthread_join(h->thread, NULL);
    release_memory(h);
}

bool heartbeat_is_fenced(struct heartbeat *h)
{
    (void)pthread_mutex_lock(&h->mutex);
    bool is_fenced = h->is_fenced;
    (void)pthread_mutex_unlock(&h->mutex);
    return is_fenced;
}

int64_t heartbeat_left_ms(struct heartbeat *h)
{
    (void)pthread_mutex_lock(&h->mutex);
    int64_t left = h->renewed_boot_ms + h->spec.times.lease_ms - clock_boot_ms();
    (void)pthread_mutex_unlock(&h->mutex);
    return left;
}

void heartbeat_note_renewal(struct heartbeat *h, int64_t sent_boot_ms)
{
    note(h, sent_boot_ms, true);
}
