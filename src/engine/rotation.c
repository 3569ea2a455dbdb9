/*
 * Ages of secrets: see rotation.h.
 */
#include "engine/rotation.h"

#include "base/clock.h"

#include <time.h>

/* "2026-03-14T10:02:11.123Z": whole seconds are enough for an age in days. */
static bool parse_time(const char *text, int64_t *ret_unix_ms)
{
    struct tm at = { 0 };
    if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &at))
        return false;
    *ret_unix_ms = (int64_t)timegm(&at) * 1000;
    return true;
}

static const struct supabase_secret *find(const struct supabase_secret *secrets, size_t n,
                                          const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (streq(secrets[i].name, name))
            return &secrets[i];
    }
    return NULL;
}

struct text_array rotation_due(struct arena *a, const struct config *c,
                               const struct supabase_secret *secrets, size_t secrets_n,
                               int64_t now_unix_ms)
{
    struct text_array due = { ARENA_ARRAY(a, const char *, c->vars_n + 1), 0 };
    for (size_t i = 0; i < c->vars_n; i++) {
        const struct config_var *var = &c->vars[i];
        const struct supabase_secret *secret = find(secrets, secrets_n, var->name);
        int64_t set_ms = 0;
        if (var->rotate_ms == 0 || !secret || !parse_time(secret->updated_at, &set_ms))
            continue;
        int64_t age_ms = now_unix_ms - set_ms;
        if (age_ms > var->rotate_ms)
            due.v[due.n++] =
                arena_printf(a, "%s was set %s ago; it is to change every %s", var->name,
                             clock_duration(a, age_ms), clock_duration(a, var->rotate_ms));
    }
    return due;
}
