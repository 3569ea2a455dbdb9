/*
 * Proving an environment: the declared checks of a release, the checks of the release before it,
 * and the watch.
 *
 * Red is not an error of these functions but an answer; the caller decides. No signal is not green:
 * a set that cannot be asked is red.
 */
#ifndef LOCKFLIGHT_ENGINE_VERIFY_H
#define LOCKFLIGHT_ENGINE_VERIFY_H

#include "engine/check.h"

struct verify_set {
    struct config_check *v;
    size_t n;
};

struct verify_spec {
    struct arena *arena;
    const char *phase; /* under which progress is reported */
    const char *cwd;   /* where `run` checks start */
    const struct report_sink *sink;
    struct check_values values;
};

struct verify_result {
    bool is_green;
    size_t checks;
    const char *failed;         /* when red: the check's name */
    const char *module;         /* when red: the module it is tied to; NULL: none */
    struct check_result result; /* when red */
};

/* Makes the checks in order and stops at the first red one. An empty set is
 * green with checks == 0. */
struct verify_result verify_checks(const struct verify_spec *spec, const struct verify_set *set);

/* The site's own word: /.well-known/lockflight.json at {site} names this release. */
struct verify_result verify_site_word(const struct verify_spec *spec, const char *release);

/* The declared checks with these names. Names were validated when the configuration was loaded. */
struct verify_set verify_declared(struct arena *a, const struct config *config,
                                  const struct text_array *names);

/* The checks a manifest kept, both lists. The site's own word about its release is always among
 * them when it has one. */
struct verify_set verify_kept(struct arena *a, const json_t *manifest);

/* How long to watch, and how much may go wrong. */
struct verify_watch {
    int64_t duration_ms; /* 0: no watch, green at once */
    double max_error;    /* share of failed probes, 0..1 */
    int64_t min_requests;
};

/* Probes the url checks of the set round and round. Red as soon as the allowed share of failures
 * cannot be met any more. ERR_INTERRUPTED if a signal asks to stop. `ret_probes` counts. */
bool verify_watch_checks(const struct verify_spec *spec, const struct verify_set *set,
                         const struct verify_watch *watch, struct verify_result *ret,
                         int64_t *ret_probes, struct err *e) MUST_USE;

/* A red result as ERR_CHECK: "reminder-tick: 500 on 3 of 3 probes (module financial)". Returns
 * false. */
bool verify_error(const struct verify_result *red, struct err *e);

#endif
