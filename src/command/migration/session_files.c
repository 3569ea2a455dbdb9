/*
 * While the database is being connected to, which takes about ten milliseconds, one thread reads the
 * files and another one finds out who acts, which may ask git.
 */
#include "cli/output.h"
#include "command/flight.h"
#include "command/migration/session.h"

#include <pthread.h>
#include <signal.h>

/* One thread with its arena, until it is joined. */
struct helper {
    pthread_t thread;
    bool is_thread; /* else it was done at once */
    struct arena *arena;
};

struct session_reading {
    struct helper files, actor;
    bool is_done;
    const char *migrations, *reverse;
    struct migration_set set;
    struct err failed;
    const char *name;
};

static void *read_files(void *context)
{
    struct session_reading *r = context;
    if (!migration_read(r->files.arena, r->migrations, r->reverse, &r->set, &r->failed))
        r->set = (struct migration_set){ 0 };
    return NULL;
}

static void *find_actor(void *context)
{
    struct session_reading *r = context;
    r->name = flight_actor_in(r->actor.arena);
    return NULL;
}

/* Signals are for the main thread: these are born with all of them blocked. */
static void start(struct helper *h, void *(*work)(void *), struct session_reading *r)
{
    sigset_t all, before;
    h->arena = arena_new(0);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    h->is_thread = pthread_create(&h->thread, NULL, work, r) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!h->is_thread)
        (void)work(r);
}

static void join(struct helper *h, struct arena *a)
{
    if (h->is_thread)
        (void)pthread_join(h->thread, NULL);
    arena_adopt(a, h->arena);
}

void session_files_start(struct session *s, bool wants_actor)
{
    struct session_reading *r = s->reading = ARENA_NEW(s->c->arena, struct session_reading);
    r->migrations = s->config.paths.migrations;
    r->reverse = s->config.paths.reverse;
    if (wants_actor)
        start(&r->actor, find_actor, r);
    start(&r->files, read_files, r);
}

bool session_files_finish(struct session *s, struct err *e)
{
    struct session_reading *r = s->reading;
    if (!r)
        return true;
    if (!r->is_done) {
        join(&r->files, s->c->arena);
        join(&r->actor, s->c->arena);
        r->is_done = true;
        s->set = r->set;
        s->actor = r->name;
        for (size_t i = 0; r->failed.code == ERR_NONE && i < s->set.skipped_count; i++)
            print_styled(&s->c->err, STYLE_WARN, "%s\n", s->set.skipped[i]);
    }
    if (r->failed.code == ERR_NONE)
        return true;
    *e = r->failed;
    return false;
}
