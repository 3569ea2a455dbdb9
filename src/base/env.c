/*
 * The environment: see env.h.
 */
#include "base/env.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

const char *env_value(const char *name)
{
    const char *value = getenv(name); /* never written. NOLINT(concurrency-mt-unsafe) */
    return value && value[0] != '\0' ? value : 0;
}

void env_wipe(const char *name)
{
    char *value = getenv(name); /* before there are threads. NOLINT(concurrency-mt-unsafe) */
    if (value)
        explicit_bzero(value, strlen(value));
    (void)unsetenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

static struct {
    char **v;
    size_t n;
} hidden;

bool env_is_hidden(const char *entry)
{
    for (size_t i = 0; i < hidden.n; i++) {
        size_t n = strlen(hidden.v[i]);
        if (strncmp(entry, hidden.v[i], n) == 0 && (entry[n] == '=' || entry[n] == '\0'))
            return true;
    }
    return false;
}

void env_hide(const char *name)
{
    if (env_is_hidden(name))
        return;
    char **more = realloc(hidden.v, (hidden.n + 1) * sizeof *more);
    char *copy = strdup(name);
    if (!more || !copy)
        memory_exhausted(strlen(name));
    hidden.v = more;
    hidden.v[hidden.n++] = copy;
}
