/*
 * Opening and showing a flight: see flight.h.
 */
#include "command/flight.h"

#include "base/env.h"
#include "base/proc.h"

static void take_report(void *context, const struct report *report)
{
    struct progress *p = context;
    static const enum progress_result results[] = {
        [REPORT_OK] = PROGRESS_OK,     [REPORT_FAIL] = PROGRESS_FAIL, [REPORT_WAIT] = PROGRESS_WAIT,
        [REPORT_UNDO] = PROGRESS_UNDO, [REPORT_KEEP] = PROGRESS_KEEP, [REPORT_SKIP] = PROGRESS_SKIP,
    };
    const char *text = report->text.p;
    switch (report->kind) {
    case REPORT_BEGIN:
        progress_step_begin(p, report->phase, text);
        break;
    case REPORT_NOTE:
        progress_note(p, "%s", text);
        break;
    case REPORT_LINE:
        progress_line(p, report->text);
        break;
    case REPORT_OK:
    case REPORT_FAIL:
    case REPORT_WAIT:
    case REPORT_UNDO:
    case REPORT_KEEP:
    case REPORT_SKIP:
        progress_step_done(p, results[report->kind], "%s", text);
        break;
    case REPORT_SAY:
        progress_say(p, "%s", text);
        break;
    case REPORT_WARN:
        progress_warn(p, "%s", text);
        break;
    }
}

static void ignore_report(void *context, const struct report *report)
{
    (void)context;
    (void)report;
}

const char *flight_actor_in(struct arena *a)
{
    static const char *const names[] = { "LOCKFLIGHT_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", NULL };
    for (size_t i = 0; names[i]; i++) {
        if (env_value(names[i]))
            return env_value(names[i]);
    }
    struct proc_spec git = { .argv = (const char *[]){ "git", "config", "user.name", NULL },
                             .timeout_ms = 5000 };
    struct proc_result result;
    struct err ignored = { 0 };
    if (proc_run(a, &git, &result, &ignored) && result.exit_status == 0 &&
        str_trim(result.out).n > 0)
        return str_dup(a, str_trim(result.out));
    return env_value("USER") ? env_value("USER") : "somebody";
}

const char *flight_actor(struct command_context *c)
{
    return flight_actor_in(c->arena);
}

bool flight_open(struct command_context *c, const char *environment, bool with_progress,
                 struct flight *ret, struct err *e)
{
    *ret = (struct flight){ .c = c };
    if (!config_load(c->arena, c->config_path, &ret->config, e) ||
        !target_open(c->arena, &ret->config, environment, &ret->target, e))
        return false;
    ret->actor = flight_actor(c);
    if (with_progress) {
        ret->progress = progress_begin(c);
        flight_listen(ret);
    }
    return true;
}

bool flight_open_database(struct command_context *c, const char *environment, struct flight *ret,
                          struct err *e)
{
    *ret = (struct flight){ .c = c };
    if (!config_load(c->arena, c->config_path, &ret->config, e) ||
        !target_open_database(c->arena, &ret->config, environment, &ret->target, e))
        return false;
    ret->actor = flight_actor(c);
    return true;
}

void flight_listen(struct flight *f)
{
    f->sink = (struct report_sink){ take_report, f->progress };
}

void flight_quiet(struct flight *f)
{
    progress_end(f->progress);
    f->progress = NULL;
    f->sink = (struct report_sink){ ignore_report, NULL };
}

void flight_close(struct flight *f)
{
    flight_quiet(f);
    target_close(&f->target);
}
