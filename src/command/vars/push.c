/*
 * `lockflight vars push`: values reach the hosts without a release.
 */
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/flight.h"
#include "command/vars/vars.h"
#include "engine/variable_push.h"

struct push_args {
    const char *environment;
    bool allow_older;
    bool is_dry;
};

static const char *const words[] = {
    [VARIABLE_SAME] = "same",
    [VARIABLE_ADD] = "add",
    [VARIABLE_CHANGE] = "change",
};

static void answer(struct command_context *c, const char *environment, const struct push_result *r,
                   bool is_dry)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->n; i++) {
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", r->v[i].name, "change", words[r->v[i].change]));
        if (!c->wants_json && r->v[i].change != VARIABLE_SAME)
            print(&c->err, "  %s  %s\n", words[r->v[i].change], r->v[i].name);
    }
    if (c->wants_json) {
        print_json(c, json_pack("{s:s, s:b, s:o, s:I, s:I}", "environment", environment, "sent",
                                (int)!is_dry, "variables", list, "changed", (json_int_t)r->changed,
                                "site", (json_int_t)r->site));
        return;
    }
    json_decref(list);
    print(&c->out, "%s: %zu %s, %zu unchanged%s.\n", environment, r->changed,
          is_dry ? "would be sent" : "sent", r->n - r->changed,
          r->site > 0 ? arena_printf(c->arena, "; %zu set on the site", r->site) : "");
}

/* Functions that run read a new value at once: production is asked about. */
static bool agree(struct flight *f, const struct push_result *r, struct err *e)
{
    if (r->changed == 0 || !f->target.environment.requires)
        return true;
    return prompt_continue(
        f->c, f->target.name,
        arena_printf(f->c->arena, "%zu variable%s of %s change%s at once for what runs there.",
                     r->changed, r->changed == 1 ? "" : "s", f->target.name,
                     r->changed == 1 ? "s" : ""),
        e);
}

static bool push(struct command_context *c, void *args_, struct err *e)
{
    const struct push_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    struct push_result result;
    if (!flight_open(c, args->environment, false, &f, e))
        return false;
    struct push_options options = { .actor = f.actor,
                                    .allow_older = args->allow_older,
                                    .is_dry = true };
    if (!variable_push_all(&f.target, &options, &result, e))
        return err_wrap(e, "push to %s", args->environment);
    if (!args->is_dry) {
        options.is_dry = false;
        if (!agree(&f, &result, e) || !variable_push_all(&f.target, &options, &result, e))
            return err_wrap(e, "push to %s", args->environment);
    }
    answer(c, f.target.name, &result, args->is_dry);
    return true;
}

// clang-format off
static const struct option push_options[] = {
    { "dry-run",     0, OPT_FLAG, AT(push_args, is_dry),      NULL, "Show what would be sent, change nothing" },
    { "allow-older", 0, OPT_FLAG, AT(push_args, allow_older), NULL, "Take older revisions, and lines that are gone, as meant" },
    { 0 },
};
static const struct argument push_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(push_args, environment), "Where to" },
    { 0 },
};
// clang-format on

const struct command cmd_vars_push = {
    .name = "push",
    .synopsis = "vars push <environment>",
    .summary = "Send the values to Supabase and Netlify without a release",
    .description = "Under the same lock and with the same journal as a release. What runs reads "
                   "the new values "
                   "at once; a release is the way that can be taken back as a whole.",
    .examples = "lockflight vars push staging\nlockflight vars push production --dry-run",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = push_options,
    .arguments = push_arguments,
    .args_size = sizeof(struct push_args),
    .run = push,
};
