/*
 * Running the build: see build.h.
 */
#include "engine/build.h"

#include "base/fs.h"
#include "base/proc.h"
#include "base/vec.h"

struct line_target {
    const struct report_sink *sink;
    const char *phase;
};

static void forward_line(void *context, struct str line)
{
    const struct line_target *to = context;
    report_line(to->sink, to->phase, line);
}

static const char *const *build_environment(struct target *t, const struct variable_set *values)
{
    struct arena *a = t->arena;
    VEC(const char *) changes = { 0 };
    *vec_add(&changes, a) =
        "CONTEXT=production"; /* what the host says to a build whose output may go live */
    *vec_add(&changes, a) = "NETLIFY=true";
    const struct pair_array *declared = &t->config->netlify.environment;
    for (size_t i = 0; i < declared->n; i++)
        *vec_add(&changes, a) = arena_printf(a, "%s=%s", declared->v[i].name, declared->v[i].value);
    for (size_t i = 0; i < values->n; i++)
        *vec_add(&changes, a) = arena_printf(a, "%s=%.*s", values->v[i].spec->name,
                                             STR_FMT(secret_reveal(values->v[i].value)));
    *vec_add(&changes, a) = NULL;
    return proc_env(a, changes.v);
}

bool build_site(struct target *t, const struct report_sink *sink, const char *phase,
                const char **ret_dir, struct err *e)
{
    const struct netlify_config *netlify = &t->config->netlify;
    const char *dir = netlify->publish ? netlify->publish : t->config->dir;
    if (netlify->command) {
        CLEANUP(variable_set) struct variable_set values = { 0 };
        if (!target_variables(t, VAR_TO_NETLIFY_BUILD, &values, e))
            return false;
        report_note(sink, phase, "%s", netlify->command);
        struct line_target to = { sink, phase };
        struct proc_spec spec = {
            .argv = (const char *[]){ "/bin/sh", "-c", netlify->command, NULL },
            .cwd = netlify->base ? netlify->base : t->config->dir,
            .env = build_environment(t, &values),
            .timeout_ms = BUILD_TIMEOUT_MS,
            .merge_stderr = true,
            .on_line = forward_line,
            .context = &to,
        };
        struct proc_result result;
        if (!proc_run(t->arena, &spec, &result, e))
            return err_wrap(e, "build");
        if (result.exit_status != 0) {
            err_set(e, ERR_IO, "the build command \"%s\" ended with status %d", netlify->command,
                    result.exit_status);
            return err_where(e, "%s", config_where(t->config, &netlify->command));
        }
    }
    if (!fs_is_dir(dir)) {
        err_set(e, ERR_CONFIG, "the build left no folder %s", dir);
        return err_where(e, "%s", config_where(t->config, &netlify->publish));
    }
    *ret_dir = dir;
    return true;
}
