/*
 * What the files supabase*.c share. Included by them only.
 */
#ifndef LOCKFLIGHT_PROVIDER_SUPABASE_INSIDE_H
#define LOCKFLIGHT_PROVIDER_SUPABASE_INSIDE_H

#include "provider/fields.h"
#include "provider/supabase.h"

struct supabase {
    struct arena *arena;
    struct http *http;
    const char *ref; /* "" until it is known */
};

/* "/v1/projects/<ref><rest>" */
const char *supabase_path(const struct supabase *s, struct arena *a, const char *rest);

/* GET that answers an array; the caller owns it. `thing` names it in errors. */
bool supabase_list(struct supabase *s, struct arena *a, const char *what, const char *path,
                   const char *thing, json_t **ret, struct err *e) MUST_USE;

/* Reads a project out of an answer; the texts move to the arena. */
bool supabase_project_read(struct arena *a, const json_t *value, struct supabase_project *ret,
                           struct err *e) MUST_USE;

/* `ok`, or the error about an answer to a mutating call that we cannot use: something may have
 * happened. */
bool supabase_unreadable(struct supabase *s, bool ok, struct err *e);

#endif
