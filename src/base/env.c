/*
 * The environment: see env.h.
 */
#include "base/env.h"

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
