#include "local/projects.h"

#include "base/log.h"
#include "local/environments.h"
#include "local/identity.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct order {
    struct order *next;
    const struct project_wish *wish;  /* NULL: remove `env` */
    struct platform_environment *env; /* made, or to be removed */
    struct err *e;
    bool is_done;
    bool ok;
};

struct projects {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    struct order *first;
    int wake_fd;
    bool is_closed;
};

bool projects_open(struct platform *p, struct err *e)
{
    struct projects *q = ARENA_NEW(p->arena, struct projects);
    q->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (q->wake_fd < 0)
        return err_system(e, "eventfd");
    (void)pthread_mutex_init(&q->mutex, NULL);
    (void)pthread_cond_init(&q->done, NULL);
    p->projects = q;
    return true;
}

void projects_close(struct platform *p)
{
    struct projects *q = p->projects;
    if (!q)
        return;
    (void)pthread_mutex_lock(&q->mutex);
    q->is_closed = true;
    for (struct order *o = q->first; o; o = o->next) {
        o->ok = err_set(o->e, ERR_BLOCKED, "the platform is stopping");
        o->is_done = true;
    }
    q->first = NULL;
    (void)pthread_cond_broadcast(&q->done);
    (void)pthread_mutex_unlock(&q->mutex);
}

void projects_free(struct platform *p)
{
    struct projects *q = p->projects;
    if (!q)
        return;
    (void)close(q->wake_fd);
    (void)pthread_cond_destroy(&q->done);
    (void)pthread_mutex_destroy(&q->mutex);
    p->projects = NULL;
}

/* ---- Leaving an order ------------------------------------------------------------------------ */

static bool await(struct projects *q, struct order *o)
{
    uint64_t one = 1;
    (void)pthread_mutex_lock(&q->mutex);
    if (q->is_closed) {
        (void)pthread_mutex_unlock(&q->mutex);
        return err_set(o->e, ERR_BLOCKED, "the platform is stopping");
    }
    struct order **at = &q->first;
    while (*at)
        at = &(*at)->next;
    *at = o;
    (void)!write(q->wake_fd, &one, sizeof one);
    while (!o->is_done)
        (void)pthread_cond_wait(&q->done, &q->mutex);
    (void)pthread_mutex_unlock(&q->mutex);
    return o->ok;
}

bool projects_make(struct platform *p, const struct project_wish *wish,
                   struct platform_environment **ret, struct err *e)
{
    struct order o = { .wish = wish, .e = e };
    if (!await(p->projects, &o))
        return false;
    *ret = o.env;
    return true;
}

bool projects_remove(struct platform *p, struct platform_environment *env, struct err *e)
{
    struct order o = { .env = env, .e = e };
    return await(p->projects, &o);
}

/* ---- Carrying it out ------------------------------------------------------------------------- */

int projects_fd(const struct platform *p)
{
    return p->projects->wake_fd;
}

static bool make(struct platform *p, struct order *o)
{
    struct platform_environment *env = ARENA_NEW(p->arena, struct platform_environment);
    const struct project_wish *w = o->wish;
    log_redact(str_of(w->password));
    identity_created(p->arena, w->title, w->region, w->password, &env->id);
    o->env = env;
    return environments_add_created(p, env, o->e);
}

/* Two requests may ask for the same; the second finds it done. */
static bool remove_one(struct platform *p, struct order *o)
{
    return atomic_load(&o->env->is_removed) || environments_remove_created(p, o->env, o->e);
}

static struct order *take_first(struct projects *q)
{
    (void)pthread_mutex_lock(&q->mutex);
    struct order *o = q->first;
    if (o)
        q->first = o->next;
    (void)pthread_mutex_unlock(&q->mutex);
    return o;
}

void projects_obey(struct platform *p)
{
    struct projects *q = p->projects;
    uint64_t count;
    (void)!read(q->wake_fd, &count, sizeof count);
    for (struct order *o = take_first(q); o; o = take_first(q)) {
        bool ok = o->wish ? make(p, o) : remove_one(p, o);
        (void)pthread_mutex_lock(&q->mutex);
        o->ok = ok; /* after the unlock its owner may be gone */
        o->is_done = true;
        (void)pthread_cond_broadcast(&q->done);
        (void)pthread_mutex_unlock(&q->mutex);
    }
    environments_raise(p);
}
