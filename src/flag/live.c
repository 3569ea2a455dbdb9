/*
 * The thread and its one connection. Everything that others read is behind `lock`, which is never
 * held while the database or the compiler is at work.
 */
#include "flag/live.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "provider/pg.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#define LOOK_EVERY_MS     10000 /* notifications can be lost: this is how late it shows at most */
#define ANSWER_MS         5000  /* a database that takes longer is away */
#define CONNECT_S         5
#define ASK_AGAIN_MS      50 /* a request for a version that never comes does not become a query each */
#define RETRY_FIRST_MS    100
#define RETRY_MOST_MS     5000
#define USAGE_EVERY_MS    60000 /* what a crash may lose of the counters */
#define SCHEDULE_FIRST_MS 100   /* the database's clock decides what is due; ours may be early */

struct flag_live {
    struct flag_live_spec spec;
    struct arena *arena; /* of the texts in spec */
    pthread_t thread;
    int wake_fd;
    atomic_bool is_stopping;

    pthread_mutex_t lock;
    struct flag_snapshot *now; /* never NULL */
    struct flag_live_waiter *waiters;
    bool has_loaded;
    struct err trouble;
    bool is_away;             /* the last try to compare failed */
    bool is_asked;            /* somebody waits: look at once */
    int64_t compared_boot_ms; /* with the database; the start, if never */

    /* the thread's own */
    struct pg *db;
    int64_t next_look_ms;
    int64_t looked_ms;
    int64_t retry_ms;
    int64_t again_ms;           /* between two looks for the same scheduled change */
    int64_t pulse_ms;           /* when it is due; 0: not before the next change */
    int64_t usage_ms;           /* when the counters are to be saved */
    struct flag_snapshot *past; /* its counters are not saved yet; or NULL */
    bool has_said;              /* the trace knows about the trouble */
};

/* ---- What others ask ------------------------------------------------------------------------- */

struct flag_snapshot *flag_live_take(struct flag_live *l)
{
    (void)pthread_mutex_lock(&l->lock);
    struct flag_snapshot *s = flag_snapshot_ref(l->now);
    (void)pthread_mutex_unlock(&l->lock);
    return s;
}

struct flag_live_state flag_live_state(struct flag_live *l)
{
    (void)pthread_mutex_lock(&l->lock);
    struct flag_live_state state = {
        .has_loaded = l->has_loaded,
        .is_stale = l->is_away,
        .stale_ms = clock_boot_ms() - l->compared_boot_ms,
        .version = l->now->version,
    };
    (void)pthread_mutex_unlock(&l->lock);
    /* the thread may be held up by a database that says nothing */
    state.is_stale = state.is_stale || state.stale_ms > LOOK_EVERY_MS + ANSWER_MS;
    if (!state.is_stale)
        state.stale_ms = 0;
    return state;
}

bool flag_live_trouble(struct flag_live *l, struct err *ret)
{
    (void)pthread_mutex_lock(&l->lock);
    bool is_away = l->is_away;
    if (is_away)
        *ret = l->trouble;
    (void)pthread_mutex_unlock(&l->lock);
    return is_away;
}

static void wake(struct flag_live *l)
{
    uint64_t one = 1;
    (void)!write(l->wake_fd, &one, sizeof one);
}

bool flag_live_wait_for(struct flag_live *l, struct flag_live_waiter *w)
{
    (void)pthread_mutex_lock(&l->lock);
    bool is_there = l->has_loaded && l->now->version >= w->version;
    bool must_wait = !is_there && !l->is_away && !atomic_load(&l->is_stopping);
    if (must_wait) {
        w->next = l->waiters;
        l->waiters = w;
        l->is_asked = true;
    }
    (void)pthread_mutex_unlock(&l->lock);
    if (must_wait)
        wake(l);
    return must_wait;
}

/* ---- What the thread tells ------------------------------------------------------------------- */

/* Whatever they waited for: there is nothing better to come soon. */
static void tell_waiters(struct flag_live *l)
{
    (void)pthread_mutex_lock(&l->lock);
    struct flag_live_waiter *w = l->waiters;
    l->waiters = NULL;
    l->is_asked = false;
    (void)pthread_mutex_unlock(&l->lock);
    while (w) {
        struct flag_live_waiter *next = w->next;
        w->told(w->context);
        w = next;
    }
}

static void note_compared(struct flag_live *l)
{
    (void)pthread_mutex_lock(&l->lock);
    bool was_away = l->is_away;
    l->has_loaded = true;
    l->is_away = false;
    l->compared_boot_ms = clock_boot_ms();
    (void)pthread_mutex_unlock(&l->lock);
    if (was_away)
        log_event("flags.live", "%s: compared with the database again", l->spec.name);
    l->has_said = false;
}

static void note_trouble(struct flag_live *l, const struct err *e)
{
    (void)pthread_mutex_lock(&l->lock);
    l->is_away = true;
    l->trouble = *e;
    (void)pthread_mutex_unlock(&l->lock);
    if (!l->has_said)
        log_event("flags.live", "%s: the last flags are served on: %s %s", l->spec.name, e->what,
                  e->why);
    l->has_said = true;
}

/* Into the counters of the day. What cannot be written now is tried again a minute later. */
static void save(struct flag_live *l, struct flag_snapshot *s)
{
    struct err e = { 0 };
    if (l->db && pg_is_alive(l->db) && !flag_usage_save(s->usage, l->db, &e))
        log_event("flags.usage", "%s: not counted: %s", l->spec.name, e.why);
}

/* After browsers were told: they do not wait for counters. */
static void save_usage(struct flag_live *l, bool is_end)
{
    if (l->past) {
        save(l, l->past);
        flag_snapshot_unref(l->past);
        l->past = NULL;
    }
    if (!is_end && clock_boot_ms() < l->usage_ms)
        return;
    save(l, l->now); /* only this thread replaces it */
    l->usage_ms = clock_boot_ms() + USAGE_EVERY_MS;
}

static void swap(struct flag_live *l, struct flag_snapshot *fresh)
{
    l->again_ms = SCHEDULE_FIRST_MS;
    (void)pthread_mutex_lock(&l->lock);
    struct flag_snapshot *old = l->now;
    l->now = fresh;
    (void)pthread_mutex_unlock(&l->lock);
    flag_snapshot_unref(l->past);
    l->past = old;
    l->pulse_ms = 1; /* at once */
}

static void pulse(struct flag_live *l)
{
    if (!l->spec.pulse)
        return;
    int64_t wait_ms = l->spec.pulse(l->spec.context, l->now); /* only this thread replaces it */
    l->pulse_ms = clock_boot_ms() + (wait_ms > 0 ? wait_ms : 1);
}

/* ---- Comparing with the database ------------------------------------------------------------- */

/* Nothing was ever deployed there. */
static bool is_without_flags(const struct err *e)
{
    return e->code == ERR_DB && (streq(e->sqlstate, "3F000") || streq(e->sqlstate, "42883") ||
                                 streq(e->sqlstate, "42P01"));
}

static bool fetch(struct flag_live *l, struct arena *a, struct flag_snapshot **ret, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(l->db, a, "SELECT lockflight.flag_snapshot()::pg_catalog.text", PG_NONE, &rows,
                  e))
        return false;
    const char *text = rows.n ? pg_value(&rows, 0, 0) : NULL;
    if (!text)
        return err_set(e, ERR_DATA, "flag_snapshot() gave nothing");
    return flag_snapshot_parse(str_of(text), ret, e);
}

static bool ask_version(struct flag_live *l, struct arena *a, int64_t *ret, struct err *e)
{
    struct pg_rows rows;
    if (pg_query(l->db, a, "SELECT lockflight.flag_version()", PG_NONE, &rows, e)) {
        *ret = pg_int(&rows, 0, 0);
        return true;
    }
    *ret = 0;
    return is_without_flags(e);
}

/* A change that fell due, or that waited for a migration, becomes a version, which other servers are
 * told about. Where we may only read it stays what it is, a part of each snapshot. */
static bool settle(struct flag_live *l, struct arena *a, struct err *e)
{
    struct pg_rows rows;
    return pg_query(l->db, a, "SELECT lockflight.flag_materialise()", PG_NONE, &rows, e) ||
           e->code == ERR_DB;
}

/* The snapshot of now if it is another one than ours; else *ret stays NULL. */
static bool compare(struct flag_live *l, struct flag_snapshot **ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(2 * LIMIT_JSON_BYTES);
    CLEANUP(flag_snapshot) struct flag_snapshot *fresh = NULL;
    const struct flag_snapshot *now = l->now; /* only this thread replaces it */
    int64_t version = 0;
    bool is_due = now->next_s && clock_unix_ms() >= now->next_s * 1000;
    bool is_time = is_due || clock_boot_ms() >= l->next_look_ms; /* not for a notification */
    if ((is_time && !settle(l, a, e)) || !ask_version(l, a, &version, e))
        return false;
    if (is_due)
        l->again_ms = l->again_ms * 2 > LOOK_EVERY_MS ? LOOK_EVERY_MS : l->again_ms * 2;
    else if (now->version == version && l->has_loaded)
        return true;
    if (version == 0)
        fresh = flag_snapshot_empty();
    else if (!fetch(l, a, &fresh, e))
        return false;
    if (l->has_loaded && fresh && fresh->version == now->version && fresh->next_s == now->next_s)
        return true; /* not due yet, says the database */
    *ret = fresh;
    fresh = NULL;
    return true;
}

static void look(struct flag_live *l)
{
    struct err e = { 0 };
    struct flag_snapshot *fresh = NULL;
    l->looked_ms = clock_boot_ms();
    if (!compare(l, &fresh, &e)) {
        note_trouble(l, &e);
    } else {
        if (fresh)
            swap(l, fresh);
        note_compared(l);
    }
    l->next_look_ms = clock_boot_ms() + LOOK_EVERY_MS;
    tell_waiters(l);
}

/* ---- The thread ------------------------------------------------------------------------------ */

static bool connect_now(struct flag_live *l, struct err *e)
{
    struct pg_spec spec = { .url = l->spec.url,
                            .database = l->spec.database,
                            .purpose = "flags",
                            .connect_timeout_s = CONNECT_S };
    if (!l->db && !pg_open(&spec, &l->db, e))
        return false;
    if (!pg_is_alive(l->db) && !pg_reconnect(l->db, e))
        return false;
    pg_be_impatient(l->db, ANSWER_MS);
    return pg_exec(l->db, "LISTEN lockflight_flags", PG_NONE, NULL, e);
}

static void drain_wake(struct flag_live *l)
{
    uint64_t n = 0;
    (void)!read(l->wake_fd, &n, sizeof n);
}

static void sleep_until(struct flag_live *l, int64_t boot_ms)
{
    int64_t wait_ms = boot_ms - clock_boot_ms();
    struct pollfd p = { .fd = l->wake_fd, .events = POLLIN };
    if (wait_ms > 0)
        (void)poll(&p, 1, (int)wait_ms);
    drain_wake(l);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return b && b < a ? b : a;
}

/* The connection is not there: once more, and if it does not work, a pause. */
static void reconnect(struct flag_live *l)
{
    struct err e = { 0 };
    if (connect_now(l, &e)) {
        l->retry_ms = RETRY_FIRST_MS;
        look(l);
        return;
    }
    pg_close(l->db);
    l->db = NULL;
    note_trouble(l, &e);
    tell_waiters(l);
    sleep_until(l, earlier(clock_boot_ms() + l->retry_ms, l->pulse_ms));
    l->retry_ms = l->retry_ms * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : l->retry_ms * 2;
}

/* When to look without having been told. */
static int64_t due_ms(struct flag_live *l)
{
    (void)pthread_mutex_lock(&l->lock);
    bool is_asked = l->is_asked;
    (void)pthread_mutex_unlock(&l->lock);
    int64_t due = l->next_look_ms;
    if (l->now->next_s) {
        int64_t schedule = clock_boot_ms() + l->now->next_s * 1000 - clock_unix_ms();
        int64_t soonest = l->looked_ms + l->again_ms;
        due = earlier(due, schedule > soonest ? schedule : soonest);
    }
    return is_asked ? earlier(due, l->looked_ms + ASK_AGAIN_MS) : due;
}

static void watch(struct flag_live *l)
{
    struct err e = { 0 };
    bool came = false;
    int64_t due = due_ms(l);
    if (!pg_await(l->db, l->wake_fd, earlier(due, l->pulse_ms) - clock_boot_ms(), &came, &e)) {
        note_trouble(l, &e);
        return;
    }
    drain_wake(l);
    if (came || clock_boot_ms() >= due_ms(l))
        look(l);
}

static void *run(void *arg)
{
    struct flag_live *l = arg;
    while (!atomic_load(&l->is_stopping)) {
        if (l->db && pg_is_alive(l->db))
            watch(l);
        else
            reconnect(l);
        if (l->pulse_ms && clock_boot_ms() >= l->pulse_ms)
            pulse(l);
        save_usage(l, false);
    }
    save_usage(l, true);
    tell_waiters(l);
    return NULL;
}

/* ---- Begin and end --------------------------------------------------------------------------- */

/* Signals are for the thread that waits for them. */
static bool start(struct flag_live *l)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&l->thread, NULL, run, l) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

bool flag_live_open(const struct flag_live_spec *spec, struct flag_live **ret, struct err *e)
{
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0)
        return err_system(e, "make an event descriptor");
    struct arena *a = arena_new(64 * KIB);
    struct flag_live *l = ARENA_NEW(a, struct flag_live);
    *l = (struct flag_live){
        .arena = a,
        .spec = *spec,
        .wake_fd = wake_fd,
        .now = flag_snapshot_empty(),
        .compared_boot_ms = clock_boot_ms(),
        .retry_ms = RETRY_FIRST_MS,
        .again_ms = SCHEDULE_FIRST_MS,
        .usage_ms = clock_boot_ms() + USAGE_EVERY_MS,
    };
    l->spec.url = arena_strdup(a, spec->url);
    l->spec.database = spec->database ? arena_strdup(a, spec->database) : NULL;
    l->spec.name = arena_strdup(a, spec->name ? spec->name : "flags");
    (void)pthread_mutex_init(&l->lock, NULL);
    if (!start(l)) {
        (void)close(wake_fd);
        flag_snapshot_unref(l->now);
        arena_free(a);
        return err_set(e, ERR_IO, "no thread to be had for the flags");
    }
    *ret = l;
    return true;
}

void flag_live_stop(struct flag_live *l)
{
    (void)pthread_mutex_lock(&l->lock);
    bool was_stopping = atomic_exchange(&l->is_stopping, true);
    (void)pthread_mutex_unlock(&l->lock);
    if (was_stopping)
        return;
    wake(l);
    (void)pthread_join(l->thread, NULL);
    pg_close(l->db);
    l->db = NULL;
}

void flag_live_close(struct flag_live *l)
{
    if (!l)
        return;
    flag_live_stop(l);
    flag_snapshot_unref(l->now);
    (void)close(l->wake_fd);
    (void)pthread_mutex_destroy(&l->lock);
    arena_free(l->arena);
}
