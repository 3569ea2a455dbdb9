/*
 * Making checks: see check.h. The pure half is check_expect.c.
 */
#include "engine/check.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/proc.h"
#include "net/http.h"

#define PROBE_BYTES     (4 * MIB) /* a check looks for a word, not at a film */
#define SETTLE_PAUSE_MS 250

/* What one probe of an address said. A stale answer has the right status and the wrong content. */
enum probe_outcome {
    PROBE_GREEN,
    PROBE_RED,
    PROBE_STALE
};

struct probe {
    enum probe_outcome outcome;
    const char *why;
};

static struct probe red(const char *why)
{
    return (struct probe){ PROBE_RED, why };
}

static struct probe stale(const char *why)
{
    return (struct probe){ PROBE_STALE, why };
}

static bool text_contains(struct str text, const char *part)
{
    return part[0] == '\0' || memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* Compares one JSON body with what is expected; NULL if it is contained, else why not. */
static const char *judge_json(struct arena *a, const char *expected_text, struct str body)
{
    struct err e = { 0 };
    json_auto_t *expected = json_parse(str_of(expected_text), "expect.json", &e);
    if (!expected)
        return arena_printf(a, "expect.json is not JSON: %s", e.why);
    json_auto_t *answer = json_parse(body, "the answer", &e);
    if (!answer)
        return "the answer is not JSON";
    const char *path = "";
    if (check_json_contains(a, answer, expected, &path))
        return NULL;
    return path[0] ? arena_printf(a, "the answer's \"%s\" is not as expected", path)
                   : "the answer is not as expected";
}

static struct probe judge(struct arena *a, const struct config_check *check,
                          const struct check_values *values, const struct http_answer *answer)
{
    if (answer->status != (int)check->expect.status)
        return red(arena_printf(a, "%d", answer->status));
    for (size_t i = 0; i < check->expect.headers.n; i++) {
        const struct text_pair *want = &check->expect.headers.v[i];
        const char *have = http_find_header(answer, want->name);
        if (!have || !text_contains(str_of(have), want->value))
            return stale(arena_printf(a, "header %s is not as expected", want->name));
    }
    struct err e = { 0 };
    const char *text = NULL;
    if (check->expect.contains) {
        if (!check_expand(a, check->expect.contains, values, &text, &e))
            return red(arena_strdup(a, e.why));
        if (!text_contains(answer->body, text))
            return stale(arena_printf(a, "the answer does not contain \"%s\"", text));
    }
    if (check->expect.json) {
        if (!check_expand(a, check->expect.json, values, &text, &e))
            return red(arena_strdup(a, e.why));
        const char *difference = judge_json(a, text, answer->body);
        if (difference)
            return stale(difference);
    }
    if (check->within_ms > 0 && answer->took_ms > check->within_ms)
        return red(arena_printf(a, "answered after %s", clock_duration(a, answer->took_ms)));
    return (struct probe){ PROBE_GREEN, NULL };
}

static struct probe probe_url(struct arena *a, struct http *http, const char *url,
                              const struct config_check *check, const struct check_values *values)
{
    int64_t deadline_ms = check->within_ms > 0 ? check->within_ms + 1000 : 10000;
    struct http_request request = {
        .what = "check.url",
        .method = "GET",
        .path = url,
        .effect = HTTP_READ,
        .deadline_ms = (int)deadline_ms,
        .attempts = 1,
        .max_answer_bytes = PROBE_BYTES,
        .any_status = true,
    };
    struct http_answer answer = { 0 };
    struct err e = { 0 };
    if (!http_send(http, a, &request, &answer, &e))
        return red(e.code == ERR_TIMEOUT ? "no answer in time"
                                         : arena_printf(a, "no answer: %s", e.why));
    return judge(a, check, values, &answer);
}

/* Probes until the answer is not stale any more or the time to settle is over. */
static struct probe probe_settled(struct arena *a, struct http *http, const char *url,
                                  const struct config_check *check,
                                  const struct check_values *values)
{
    int64_t end_ms = clock_boot_ms() + CHECK_SETTLE_MS;
    for (;;) {
        struct probe p = probe_url(a, http, url, check, values);
        struct err stopped = { 0 };
        if (p.outcome != PROBE_STALE || clock_boot_ms() >= end_ms ||
            !http_pause(http, SETTLE_PAUSE_MS, &stopped))
            return p;
    }
}

static struct check_result run_url(struct arena *a, const struct config_check *check,
                                   const struct check_values *values)
{
    struct check_result result = { .is_green = true };
    struct err e = { 0 };
    const char *url = NULL;
    if (!check_expand(a, check->url, values, &url, &e))
        return (struct check_result){ .why = arena_strdup(a, e.why), .where = check->url };

    CLEANUP(http) struct http *http = http_open(&(struct http_spec){ .name = check->name });
    int wanted = check->repeat > 0 ? (int)check->repeat : 1;
    const char *why = NULL;
    for (result.probes = 0; result.probes < wanted; result.probes++) {
        struct probe p = probe_settled(a, http, url, check, values);
        if (p.outcome != PROBE_GREEN) {
            result.failures++;
            why = p.why;
        }
    }
    if (result.failures > 0) {
        result.is_green = false;
        result.where = url;
        result.why = wanted == 1 ? why
                                 : arena_printf(a, "%s on %d of %d probes", why, result.failures,
                                                result.probes);
    }
    return result;
}

static const char *env_pair(struct arena *a, const char *name, const char *value)
{
    return arena_printf(a, "%s=%s", name, value ? value : "");
}

struct line_target {
    const struct report_sink *sink;
    const char *phase;
};

static void forward_line(void *context, struct str line)
{
    const struct line_target *to = context;
    report_line(to->sink, to->phase, line);
}

static struct check_result run_command(struct arena *a, const struct config_check *check,
                                       const struct check_values *v, const char *cwd,
                                       struct line_target to)
{
    const char *const changes[] = {
        env_pair(a, "LOCKFLIGHT_ENVIRONMENT", v->environment),
        env_pair(a, "LOCKFLIGHT_RELEASE", v->release),
        env_pair(a, "LOCKFLIGHT_SITE_URL", v->site),
        env_pair(a, "LOCKFLIGHT_FUNCTIONS_URL", v->functions),
        env_pair(a, "LOCKFLIGHT_SUPABASE_URL", v->supabase),
        env_pair(a, "LOCKFLIGHT_SUPABASE_ANON_KEY", v->anon_key),
        env_pair(a, "LOCKFLIGHT_PERMALINK", v->permalink),
        NULL,
    };
    struct proc_spec spec = {
        .argv = (const char *[]){ "/bin/sh", "-c", check->run, NULL },
        .cwd = cwd,
        .env = proc_env(a, changes),
        .timeout_ms = check->timeout_ms > 0 ? (int)check->timeout_ms : 60000,
        .merge_stderr = true,
        .on_line = forward_line,
        .context = &to,
    };
    struct check_result result = { .where = check->run, .probes = 1 };
    struct proc_result child = { 0 };
    struct err e = { 0 };
    if (!proc_run(a, &spec, &child, &e))
        result.why = arena_strdup(a, e.why);
    else if (child.exit_status != 0)
        result.why = arena_printf(a, "ended with status %d", child.exit_status);
    result.is_green = result.why == NULL;
    result.failures = result.is_green ? 0 : 1;
    return result;
}

struct check_result check_run(struct arena *a, const struct config_check *check,
                              const struct check_values *values, const char *cwd,
                              const struct report_sink *sink, const char *phase)
{
    int64_t started_ms = clock_boot_ms();
    struct check_result result =
        check->run ? run_command(a, check, values, cwd, (struct line_target){ sink, phase })
                   : run_url(a, check, values);
    result.took_ms = clock_boot_ms() - started_ms;
    return result;
}

struct check_result check_probe(struct arena *a, const struct config_check *check,
                                const struct check_values *values)
{
    struct err e = { 0 };
    const char *url = NULL;
    if (!check_expand(a, check->url, values, &url, &e))
        return (struct check_result){ .why = arena_strdup(a, e.why), .where = check->url };
    CLEANUP(http) struct http *http = http_open(&(struct http_spec){ .name = check->name });
    struct probe p = probe_url(a, http, url, check, values);
    bool is_green = p.outcome == PROBE_GREEN;
    return (struct check_result){
        .is_green = is_green, .why = p.why, .where = url, .probes = 1, .failures = is_green ? 0 : 1
    };
}
