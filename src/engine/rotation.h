/*
 * Secrets that have grown older than the project allows ([var.<NAME>] rotate = "90d").
 */
#ifndef LOCKFLIGHT_ENGINE_ROTATION_H
#define LOCKFLIGHT_ENGINE_ROTATION_H

#include "config/config.h"
#include "provider/supabase.h"

/* One sentence per secret that is due, by the time the host says it was last set; a time the host
 * does not say is not guessed. */
struct text_array rotation_due(struct arena *a, const struct config *c,
                               const struct supabase_secret *secrets, size_t secrets_n,
                               int64_t now_unix_ms);

#endif
