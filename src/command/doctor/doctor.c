/*
 * `lockflight doctor [environment]`: settings that would race or surprise a release, each with the
 * command that repairs it. Changes nothing.
 */
#include "cli/output.h"
#include "command/commands.h"
#include "command/doctor/findings.h"

struct doctor_args {
    const char *environment;
};

static const char *severity_name(enum finding_severity severity)
{
    return severity == FINDING_ERROR ? "error" : "warning";
}

static json_t *document(const struct findings *all)
{
    json_t *list = json_array();
    for (size_t i = 0; i < all->list.n; i++) {
        const struct finding *f = &all->list.v[i];
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "severity",
                                                    severity_name(f->severity), "environment",
                                                    f->environment, "id", f->id, "what", f->what,
                                                    "why", f->why, "fix", f->fix));
    }
    return json_pack("{s:I, s:I, s:o}", "errors", (json_int_t)all->errors, "warnings",
                     (json_int_t)(all->list.n - all->errors), "findings", list);
}

static void show(struct command_context *c, const struct finding *f)
{
    struct terminal *to = &c->out;
    print_styled(to, f->severity == FINDING_ERROR ? STYLE_BAD : STYLE_WARN, "%-8s",
                 severity_name(f->severity));
    print(to, "%s%s%s\n", f->environment, f->environment[0] ? ": " : "", f->what);
    print(to, "  why   ");
    print_wrapped(to, 8, true, f->why);
    print(to, "  fix   %s\n", f->fix);
}

static bool doctor(struct command_context *c, void *args, struct err *e)
{
    const struct doctor_args *a = args;
    struct config config;
    struct findings all = { .arena = c->arena };
    if (!config_load(c->arena, c->config_path, &config, e))
        return false;
    if (a->environment && !config_env_find(&config, a->environment)) {
        struct environment none;
        return config_environment(&config, a->environment, &none, e); /* names the nearest */
    }
    findings_of_project(&config, &all);
    for (size_t i = 0; i < config.envs_n; i++) {
        if (!a->environment || streq(a->environment, config.envs[i].name))
            findings_of_environment(&config, config.envs[i].name, &all);
    }
    if (c->wants_json) {
        print_json(c, document(&all));
    } else {
        for (size_t i = 0; i < all.list.n; i++)
            show(c, &all.list.v[i]);
        if (all.list.n == 0)
            print(&c->out, "Nothing found that would race or surprise a release.\n");
        else
            print(&c->out, "%s, %s.\n",
                  text_count(c->arena, (int64_t)all.errors, "error", "errors"),
                  text_count(c->arena, (int64_t)(all.list.n - all.errors), "warning", "warnings"));
    }
    if (all.errors > 0)
        answer_refuses(c);
    return true;
}

static const struct argument doctor_arguments[] = {
    { "environment", ARG_OPTIONAL, COMPLETE_ENVIRONMENT, AT(doctor_args, environment),
      "Only this one (default: all)" },
    { 0 },
};

const struct command cmd_doctor = {
    .name = "doctor",
    .synopsis = "doctor [environment]",
    .summary = "Find settings that would race or surprise a release, and how to repair them",
    .description =
        "Looks at the files, opens each environment as a release would, and asks the same gates. "
        "Each finding says what, why, and what to type. Ends with 5 if one would stop a release or "
        "let somebody overtake it, with 0 if there are warnings only. Changes nothing: whether the "
        "tokens may write is seen by asking to publish, unset and remove what is not there.",
    .examples = "lockflight doctor\nlockflight doctor production --json",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .arguments = doctor_arguments,
    .args_size = sizeof(struct doctor_args),
    .run = doctor,
};
