/*
 * What the files supabase*.c share. Included by them only.
 */
#ifndef LOCKFLIGHT_PROVIDER_SUPABASE_INSIDE_H
#define LOCKFLIGHT_PROVIDER_SUPABASE_INSIDE_H

#include "provider/supabase.h"

struct supabase {
    struct arena *arena;
    struct http *http;
    const char *ref;
};

/* "/v1/projects/<ref><rest>" */
const char *supabase_path(const struct supabase *s, struct arena *a, const char *rest);

#endif
