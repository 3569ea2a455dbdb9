/*
 * Phase 1: the app's own tests must pass for this content. Content that the required environment
 * has proved was tested there; it is not tested twice.
 */
#include "base/proc.h"
#include "engine/phase_table.h"
#include "engine/release.h"

static void forward_line(void *context, struct str line)
{
    const struct release *r = context;
    report_line(r->sink, "test", line);
}

bool test_run(struct release *r, struct err *e)
{
    const struct config *config = r->target->config;
    if (!config->test.run) {
        release_summary(r, "none declared");
        return true;
    }
    if (r->plan->has_proof) {
        release_summary(r, "passed for this content in %s", r->plan->requires);
        return true;
    }
    struct proc_spec spec = {
        .argv = (const char *[]){ "/bin/sh", "-c", config->test.run, NULL },
        .cwd = config->dir,
        .timeout_ms = (int)config->test.timeout_ms,
        .merge_stderr = true,
        .on_line = forward_line,
        .context = r,
    };
    struct proc_result result;
    if (!proc_run(r->arena, &spec, &result, e)) {
        err_recode(e, ERR_BLOCKED);
        return err_wrap(e, "%s", config->test.run);
    }
    if (result.exit_status != 0) {
        err_set(e, ERR_BLOCKED, "\"%s\" ended with status %d", config->test.run,
                result.exit_status);
        err_where(e, "%s", config_where(config, &config->test.run));
        return err_hint(e, "%s", config->test.run);
    }
    release_summary(r, "passed");
    return true;
}
