/*
 * The pool: a queue and a few threads, for what may block.
 */
#include "net/server/internal.h"

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *first; /* oldest first */
    struct job **tail;
    bool is_stopping;
    unsigned count;
    pthread_t threads[];
};

static void *work(void *arg)
{
    struct pool *p = arg;
    for (;;) {
        (void)pthread_mutex_lock(&p->lock);
        while (!p->first && !p->is_stopping)
            (void)pthread_cond_wait(&p->changed, &p->lock);
        struct job *job = p->first;
        if (job) {
            p->first = job->next;
            if (!p->first)
                p->tail = &p->first;
        }
        (void)pthread_mutex_unlock(&p->lock);
        if (!job)
            return NULL; /* stopping, and nothing is left */
        job->run(job->arg);
    }
}

struct pool *pool_new(unsigned workers)
{
    struct pool *p = calloc(1, sizeof *p + workers * sizeof p->threads[0]);
    if (!p)
        memory_exhausted(sizeof *p);
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->changed, NULL);
    p->tail = &p->first;
    for (unsigned i = 0; i < workers; i++) {
        if (pthread_create(&p->threads[p->count], NULL, work, p) == 0)
            p->count++;
    }
    if (p->count == 0)
        memory_exhausted(0); /* no thread to be had: the machine is at its end */
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    (void)pthread_mutex_lock(&p->lock);
    p->is_stopping = true;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->count; i++)
        (void)pthread_join(p->threads[i], NULL);
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

void pool_add(struct pool *p, struct job *job)
{
    job->next = NULL;
    (void)pthread_mutex_lock(&p->lock);
    *p->tail = job;
    p->tail = &job->next;
    (void)pthread_cond_signal(&p->changed);
    (void)pthread_mutex_unlock(&p->lock);
}
