/*
 * Making functions run, and putting saved ones back: the two moves that the functions phase and a
 * rollback share.
 *
 * IMAGE    A saved function is { "body": artifact sha256, "version": n, "hash": bundle sha256 };
 *          JSON null stands for "there was none".
 */
#ifndef LOCKFLIGHT_ENGINE_FUNCTION_SWITCH_H
#define LOCKFLIGHT_ENGINE_FUNCTION_SWITCH_H

#include "base/json.h"
#include "engine/lease.h"
#include "engine/report.h"
#include "provider/supabase.h"

/* Downloads a running function and keeps its body in the artifact store. The
 * caller owns the image. */
bool function_save(struct supabase *s, struct lease *lease, struct arena *a,
                   const struct supabase_function *live, json_t **ret_image,
                   struct err *e) MUST_USE;

struct function_switch_spec {
    struct supabase *supabase;
    struct arena *arena;
    const struct report_sink *sink;
    const char *phase;
    const struct function_source *const *sources;
    size_t n;
};

/* Bundles all without running them, switches all in one call, and reads back that exactly those
 * bundles run. `ret_after` (may be NULL): { "slug": { "source", "hash", "version" } }, owned by the
 * caller. */
bool function_switch(const struct function_switch_spec *spec, json_t **ret_after,
                     struct err *e) MUST_USE;

struct function_restore_spec {
    struct supabase *supabase;
    struct pg *db; /* where the bodies are */
    struct arena *arena;
    const struct report_sink *sink;
    const char *phase;
    json_t *images;  /* slug → image or null */
    bool delete_new; /* functions without an image are deleted; else they stay for open tabs */
};

/* Puts saved bodies back. `ret_text`: "whatsapp restored to v14, reminder-tick deleted".
 * `ret_after` as above. */
bool function_restore(const struct function_restore_spec *spec, json_t **ret_after,
                      const char **ret_text, struct err *e) MUST_USE;

#endif
