/*
 * The files are read, and who acts is found out (which may ask git), by a thread, while the database
 * is being connected to: each of the two takes about ten milliseconds.
 */
#include "cli/output.h"
#include "command/flight.h"
#include "command/migration/session.h"

#include <pthread.h>
#include <signal.h>

struct session_reading {
    pthread_t thread;
    bool is_thread, is_done;
    struct arena *arena; /* the thread's, until it is joined */
    const char *migrations, *reverse;
    struct migration_set set;
    bool wants_actor;
    const char *actor;
    struct err failed;
};

static void *read_files(void *context)
{
    struct session_reading *r = context;
    if (migration_read(r->arena, r->migrations, r->reverse, &r->set, &r->failed) && r->wants_actor)
        r->actor = flight_actor_in(r->arena);
    return NULL;
}

/* Signals are for the main thread: this one is born with all of them blocked. */
static bool start_thread(struct session_reading *r)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&r->thread, NULL, read_files, r) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

void session_files_start(struct session *s, bool wants_actor)
{
    struct session_reading *r = s->reading = ARENA_NEW(s->c->arena, struct session_reading);
    *r = (struct session_reading){ .arena = arena_new(0),
                                   .migrations = s->config.paths.migrations,
                                   .reverse = s->config.paths.reverse,
                                   .wants_actor = wants_actor };
    r->is_thread = start_thread(r);
    if (!r->is_thread)
        (void)read_files(r);
}

bool session_files_finish(struct session *s, struct err *e)
{
    struct session_reading *r = s->reading;
    if (!r)
        return true;
    if (!r->is_done) {
        if (r->is_thread)
            (void)pthread_join(r->thread, NULL);
        arena_adopt(s->c->arena, r->arena);
        r->is_done = true;
        s->set = r->set;
        s->actor = r->actor;
        for (size_t i = 0; r->failed.code == ERR_NONE && i < s->set.skipped_count; i++)
            print_styled(&s->c->err, STYLE_WARN, "%s\n", s->set.skipped[i]);
    }
    if (r->failed.code == ERR_NONE)
        return true;
    *e = r->failed;
    return false;
}
