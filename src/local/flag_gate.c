#include "local/flag_gate.h"

#include "flag/ofrep.h"

#include <pthread.h>
#include <stdlib.h>

struct flag_gate {
    struct platform_environment *env;
    pthread_mutex_t lock;
    struct ofrep *ofrep; /* NULL: nobody has asked yet */
    bool is_stopped;
};

struct flag_gate *flag_gate_new(struct platform_environment *env)
{
    struct flag_gate *g = calloc(1, sizeof *g);
    if (!g)
        memory_exhausted(sizeof *g);
    g->env = env;
    (void)pthread_mutex_init(&g->lock, NULL);
    return g;
}

static struct ofrep *first_asked(struct flag_gate *g, struct err *e)
{
    const struct local_environment *id = &g->env->id;
    struct ofrep_spec spec = {
        .name = id->name,
        .url = id->database,
        .callers = { .jwt_secret = id->jwt_secret, .anon_key = id->anon_key },
        .per_minute = OFREP_PER_MINUTE,
    };
    (void)pthread_mutex_lock(&g->lock);
    if (!g->ofrep && g->is_stopped)
        (void)err_set(e, ERR_BLOCKED, "the environment is stopping");
    else if (!g->ofrep)
        (void)!ofrep_open(&spec, &g->ofrep, e);
    struct ofrep *ofrep = g->ofrep;
    (void)pthread_mutex_unlock(&g->lock);
    return ofrep;
}

void flag_gate_serve(struct flag_gate *g, struct request *r)
{
    struct err e = { 0 };
    struct ofrep *ofrep = first_asked(g, &e);
    if (ofrep)
        ofrep_serve(ofrep, r);
    else
        respond_error(r, 503, "%s", e.why);
}

void flag_gate_stop(struct flag_gate *g)
{
    if (!g)
        return;
    (void)pthread_mutex_lock(&g->lock);
    g->is_stopped = true;
    struct ofrep *ofrep = g->ofrep;
    (void)pthread_mutex_unlock(&g->lock);
    if (ofrep)
        ofrep_stop(ofrep);
}

void flag_gate_free(struct flag_gate *g)
{
    if (!g)
        return;
    ofrep_free(g->ofrep);
    (void)pthread_mutex_destroy(&g->lock);
    free(g);
}
