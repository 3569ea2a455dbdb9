#include "engine/event.h"

#include <stdio.h>

bool event_append(struct pg *db, const struct event *v, struct err *e)
{
    char epoch[24];
    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)v->epoch);
    return pg_exec(
        db, "SELECT lockflight.event_append($1, $2, $3, $4, $5, $6)",
        PG_PARAMS(v->target, v->release_id, epoch, v->type, v->body ? v->body : "{}", v->nonce),
        NULL, e);
}
