/*
 * A budget remembers when its last calls were made, or will be: as many as it has. A call may be
 * made as soon as the one that many calls ago is a minute old.
 */
#include "net/budget.h"

#include "base/arena.h"
#include "base/str.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS ((int64_t)60 * 1000)

struct budget {
    struct budget *next;
    char *name;
    int calls;
    int64_t *made_ms; /* a ring of `calls` times, oldest at `first` */
    int first;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct budget *all;

static void *need(void *p, size_t bytes)
{
    if (!p)
        memory_exhausted(bytes);
    return p;
}

static struct budget *make(const char *name, int calls)
{
    struct budget *b = need(calloc(1, sizeof *b), sizeof *b);
    b->name = need(strdup(name), strlen(name));
    b->calls = calls > 0 ? calls : 1;
    b->made_ms = need(calloc((size_t)b->calls, sizeof *b->made_ms), sizeof *b->made_ms);
    for (int i = 0; i < b->calls; i++)
        b->made_ms[i] = -MINUTE_MS; /* long ago */
    b->next = all;
    all = b;
    return b;
}

struct budget *budget_of(const char *name, int calls)
{
    (void)pthread_mutex_lock(&mutex);
    struct budget *b = all;
    while (b && !streq(b->name, name))
        b = b->next;
    if (!b)
        b = make(name, calls);
    (void)pthread_mutex_unlock(&mutex);
    return b;
}

int64_t budget_take(struct budget *b, int reserved, int64_t now_ms)
{
    (void)pthread_mutex_lock(&mutex);
    int allowed = b->calls - reserved > 0 ? b->calls - reserved : 1;
    int back = b->calls - allowed; /* from the oldest: the call that is `allowed` calls ago */
    int64_t free_ms = b->made_ms[(b->first + back) % b->calls] + MINUTE_MS;
    int64_t at_ms = free_ms > now_ms ? free_ms : now_ms;
    b->made_ms[b->first] = at_ms;
    b->first = (b->first + 1) % b->calls;
    (void)pthread_mutex_unlock(&mutex);
    return at_ms;
}
