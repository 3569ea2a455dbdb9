/*
 * `lockflight test <environment>`: would a release be let through? Its gates and its tests, and
 * nothing after them. What a build on somebody else's machine asks before it builds.
 */
#include "cli/output.h"
#include "command/commands.h"
#include "command/flight.h"
#include "engine/release.h"

struct test_args {
    const char *environment;
    bool adopt;
};

// clang-format off
static const struct option test_options[] = {
    { "adopt", 0, OPT_FLAG, AT(test_args, adopt), NULL, "As `deploy --adopt` would see it" },
    { 0 },
};
static const struct argument test_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(test_args, environment), "Where to" },
    { 0 },
};
// clang-format on

static bool test(struct command_context *c, void *args_, struct err *e)
{
    const struct test_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    CLEANUP(release) struct release r = { 0 };
    if (!flight_open(c, args->environment, true, &f, e))
        return err_wrap(e, "test %s", args->environment);
    struct release_options options = { .actor = f.actor, .plan = { .adopt = args->adopt } };
    if (!release_try(c->arena, &f.target, &f.sink, &options, &r, e)) {
        flight_quiet(&f);
        return err_wrap(e, "test %s", args->environment);
    }
    if (c->wants_json)
        progress_event(f.progress, "tested",
                       json_pack("{s:s, s:s, s:s}", "environment", f.target.name, "release", r.name,
                                 "source", r.plan->source.digest));
    flight_quiet(&f);
    if (!c->wants_json)
        print(&c->out, "%s may go to %s; nothing was changed.\n", r.name, f.target.name);
    return true;
}

const struct command cmd_test = {
    .name = "test",
    .synopsis = "test <environment>",
    .summary = "Ask the gates of a release and run its tests, and stop there",
    .description = "The first two steps of a deploy. It takes no lock and changes nothing, in the "
                   "environment or at the vendors. Exit status 5: a gate was closed or a test "
                   "failed. 9: an earlier release is not finished.",
    .examples = "lockflight test production",
    .group = GROUP_PREPARE,
    .offers = COMMAND_EVENTS,
    .options = test_options,
    .arguments = test_arguments,
    .args_size = sizeof(struct test_args),
    .run = test,
};
