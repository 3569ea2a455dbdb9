#include "local/guesses.h"

#include <pthread.h>

#define PLACES          1024
#define FREE_TRIES      5
#define PAUSE_FIRST_MS  1000
#define PAUSE_MAX_MS    ((int64_t)15 * 60 * 1000)
#define ADDRESS_PER_MIN 100
#define MINUTE_MS       60000
#define FORGET_MS       ((int64_t)60 * MINUTE_MS)

struct place {
    uint64_t key; /* hash of the name or address */
    unsigned wrong;
    int64_t since_ms; /* names: the last wrong one; addresses: the minute began */
};

struct guesses {
    pthread_mutex_t mutex;
    struct place names[PLACES];
    struct place addresses[PLACES];
};

struct guesses *guesses_new(struct arena *a)
{
    struct guesses *g = ARENA_NEW(a, struct guesses);
    (void)pthread_mutex_init(&g->mutex, NULL);
    return g;
}

/* FNV-1a; letters count as lower case, as they do in an address book. */
static uint64_t key_of(const char *text)
{
    uint64_t h = 14695981039346656037u;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 1099511628211u;
    }
    return h;
}

static struct place *find(struct place *table, const char *text, bool take)
{
    uint64_t key = key_of(text);
    struct place *p = &table[key % PLACES];
    if (p->key == key)
        return p;
    if (!take)
        return NULL;
    *p = (struct place){ .key = key };
    return p;
}

static int64_t pause_of(const struct place *p)
{
    if (p->wrong <= FREE_TRIES)
        return 0;
    int64_t pause = PAUSE_FIRST_MS;
    for (unsigned i = FREE_TRIES + 1; i < p->wrong && pause < PAUSE_MAX_MS; i++)
        pause *= 2;
    return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

bool guesses_may_try(struct guesses *g, const char *name, const char *address, int64_t now_ms,
                     int *ret_wait_s)
{
    int64_t wait_ms = 0;
    (void)pthread_mutex_lock(&g->mutex);
    const struct place *by_name = find(g->names, name, false);
    const struct place *by_address = find(g->addresses, address, false);
    if (by_name)
        wait_ms = by_name->since_ms + pause_of(by_name) - now_ms;
    if (by_address && by_address->wrong >= ADDRESS_PER_MIN &&
        by_address->since_ms + MINUTE_MS - now_ms > wait_ms)
        wait_ms = by_address->since_ms + MINUTE_MS - now_ms;
    (void)pthread_mutex_unlock(&g->mutex);
    if (wait_ms <= 0)
        return true;
    *ret_wait_s = (int)((wait_ms + 999) / 1000);
    return false;
}

void guesses_wrong(struct guesses *g, const char *name, const char *address, int64_t now_ms)
{
    (void)pthread_mutex_lock(&g->mutex);
    struct place *p = find(g->names, name, true);
    if (now_ms - p->since_ms > FORGET_MS)
        p->wrong = 0;
    p->wrong++;
    p->since_ms = now_ms;
    p = find(g->addresses, address, true);
    if (!p->wrong || now_ms - p->since_ms > MINUTE_MS)
        *p = (struct place){ .key = p->key, .since_ms = now_ms };
    p->wrong++;
    (void)pthread_mutex_unlock(&g->mutex);
}

void guesses_right(struct guesses *g, const char *name)
{
    (void)pthread_mutex_lock(&g->mutex);
    struct place *p = find(g->names, name, false);
    if (p)
        *p = (struct place){ 0 };
    (void)pthread_mutex_unlock(&g->mutex);
}
