/*
 * The two generated files of a deploy that say where it runs and what it is: /_lockflight/env.js
 * for the app and /.well-known/lockflight.json for whoever asks what is live.
 *
 *     globalThis.__LOCKFLIGHT__ =
 *         {"environment":"staging","release":"…","values":{"SUPABASE_URL":"…"},"flags":{"crm":true}};
 *     {"v":1,"environment":"staging","release":"…","artefact":"<digest>","source":"<digest>"}
 *
 * They are added to an artefact after the walk and change neither its digest nor any other file,
 * except that a rule "Cache-Control: no-store" for env.js is put at the end of _headers, which is
 * part of the digest; it is the same in every environment.
 */
#ifndef LOCKFLIGHT_SITE_ENV_FILE_H
#define LOCKFLIGHT_SITE_ENV_FILE_H

#include "site/artefact.h"

#include <jansson.h>

struct env_value {
    const char *name;
    const char *value;
};

struct env_file_spec {
    const char *environment;
    const char *release;
    const char *source_digest;
    const struct env_value *values; /* public ones only: they are on the web */
    size_t n_values;
    const json_t *flags; /* by key, for visitors whom nobody knows; NULL or empty: no such member */
};

/* Adds the _headers rule (once). Call it directly after artefact_walk,
 * before the digest is used. */
bool env_file_headers(struct arena *a, struct artefact *art, struct err *e) MUST_USE;

/* Adds or replaces both files. */
void env_file_put(struct arena *a, struct artefact *art, const struct env_file_spec *spec);

#endif
