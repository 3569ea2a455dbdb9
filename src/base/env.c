/*
 * The environment: see env.h.
 */
#include "base/env.h"

#include <stdlib.h>

const char *env_value(const char *name)
{
    const char *value = getenv(name); /* never written. NOLINT(concurrency-mt-unsafe) */
    return value && value[0] != '\0' ? value : 0;
}
