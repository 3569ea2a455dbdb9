/*
 * One declared check of a running environment: an address that must answer as expected, or a
 * command that must end with status 0.
 *
 * GREEN  every one of `repeat` probes in a row meets every expectation. A probe whose status is
 *        right but whose body is not yet is repeated for CHECK_SETTLE_MS first: both vendors take a
 *        moment to show everyone the new version, and that is not a failure.
 * RED    anything else. A check that could not be made (no connection, a time-out) is red too: no
 *        signal is not green.
 *
 * A release keeps the text of its checks (check_pack), so that the next one can ask whether *that*
 * release would still be green, long after lockflight.toml has moved on.
 */
#ifndef LOCKFLIGHT_ENGINE_CHECK_H
#define LOCKFLIGHT_ENGINE_CHECK_H

#include "base/json.h"
#include "config/config.h"
#include "engine/report.h"

/* What the templates of a check mean: {site} {functions} {supabase} {release} {permalink}; also
 * what a `run` check finds in LOCKFLIGHT_ENVIRONMENT, LOCKFLIGHT_RELEASE, LOCKFLIGHT_SITE_URL and
 * so on. NULL: not known here. */
struct check_values {
    const char *environment;
    const char *release; /* the one the functions should be answering */
    const char *site;
    const char *functions;
    const char *supabase;
    const char *anon_key;
    const char *permalink;
};

struct check_result {
    bool is_green;
    const char *why;   /* when red: "500 on 3 of 3 probes" */
    const char *where; /* when red: the address or the command */
    int64_t took_ms;
    int probes;
    int failures;
};

#define CHECK_SETTLE_MS 10000

/* Makes one check. Never fails: what goes wrong is a red result. `cwd` is where `run` checks start;
 * their lines are sent to `sink` under `phase`. */
struct check_result check_run(struct arena *a, const struct config_check *check,
                              const struct check_values *values, const char *cwd,
                              const struct report_sink *sink, const char *phase);

/* One probe of a url check, without repeating and without waiting: what a watch does many times. */
struct check_result check_probe(struct arena *a, const struct config_check *check,
                                const struct check_values *values);

/* `text` with its templates filled in; ERR_CONFIG names a template that is unknown or has no value
 * here. */
bool check_expand(struct arena *a, const char *text, const struct check_values *values,
                  const char **ret, struct err *e) MUST_USE;

/* True if every member of `part` is in `whole` with an equal value, objects member by member,
 * arrays item by item. `ret_path` (may be NULL) receives the first place that differs:
 * "checks.db_ms". */
bool check_json_contains(struct arena *a, const json_t *whole, json_t *part, const char **ret_path);

/* A check as one JSON object and back. */
json_t *check_pack(const struct config_check *check);
struct config_check check_unpack(struct arena *a, const json_t *packed);

#endif
