/*
 * Upstreams and slots: see upstream.h. The slot's lock makes "read which version is current" and
 * "count the request in" one step; everything else is atomic counters.
 */
#include "net/server/internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

struct upstream_slot {
    pthread_mutex_t lock;
    struct upstream *current;
};

static void set_unix(struct upstream *u, const char *path)
{
    struct sockaddr_un *at = (struct sockaddr_un *)&u->address;
    at->sun_family = AF_UNIX;
    (void)snprintf(at->sun_path, sizeof at->sun_path, "%s", path); /* too long: connecting fails */
    u->address_bytes = sizeof *at;
    u->is_unix = true;
}

static void set_tcp(struct upstream *u, const char *host, int port)
{
    struct sockaddr_in *at = (struct sockaddr_in *)&u->address;
    at->sin_family = AF_INET;
    at->sin_port = htons((uint16_t)port);
    (void)inet_pton(AF_INET, host, &at->sin_addr);
    u->address_bytes = sizeof *at;
}

struct upstream *upstream_new(const struct upstream_spec *spec)
{
    struct upstream *u = calloc(1, sizeof *u);
    if (!u)
        memory_exhausted(sizeof *u);
    atomic_init(&u->refs, 1);
    u->name = strdup(spec->name ? spec->name : "upstream");
    u->idle_ms = spec->idle_ms ? spec->idle_ms : 10000;
    if (spec->socket_path)
        set_unix(u, spec->socket_path);
    else
        set_tcp(u, spec->host, spec->port);
    return u;
}

struct upstream *upstream_ref(struct upstream *u)
{
    if (u)
        (void)atomic_fetch_add(&u->refs, 1);
    return u;
}

void upstream_unref(struct upstream *u)
{
    if (!u || atomic_fetch_sub(&u->refs, 1) > 1)
        return;
    free(u->name);
    free(u);
}

void upstream_retire(struct upstream *u)
{
    if (u)
        atomic_store(&u->is_retired,
                     true); /* each loop closes its idle connections at its next sweep */
}

unsigned upstream_in_flight(const struct upstream *u)
{
    return u ? atomic_load(&u->in_flight) : 0;
}

unsigned upstream_failures(const struct upstream *u)
{
    return u ? atomic_load(&u->failures) : 0;
}

struct upstream_slot *upstream_slot_new(void)
{
    struct upstream_slot *slot = calloc(1, sizeof *slot);
    if (!slot)
        memory_exhausted(sizeof *slot);
    (void)pthread_mutex_init(&slot->lock, NULL);
    return slot;
}

void upstream_slot_free(struct upstream_slot *slot)
{
    if (!slot)
        return;
    upstream_unref(slot->current);
    (void)pthread_mutex_destroy(&slot->lock);
    free(slot);
}

struct upstream *upstream_slot_set(struct upstream_slot *slot, struct upstream *u)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct upstream *old = slot->current;
    slot->current = u;
    (void)pthread_mutex_unlock(&slot->lock);
    return old;
}

struct upstream *upstream_slot_get(struct upstream_slot *slot)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct upstream *u = upstream_ref(slot->current);
    (void)pthread_mutex_unlock(&slot->lock);
    return u;
}

struct upstream *upstream_slot_enter(struct upstream_slot *slot)
{
    (void)pthread_mutex_lock(&slot->lock);
    struct upstream *u = upstream_ref(slot->current);
    if (u)
        (void)atomic_fetch_add(&u->in_flight, 1);
    (void)pthread_mutex_unlock(&slot->lock);
    return u;
}

void upstream_leave(struct upstream *u)
{
    if (!u)
        return;
    (void)atomic_fetch_sub(&u->in_flight, 1);
    upstream_unref(u);
}
