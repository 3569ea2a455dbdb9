/*
 * `lockflight plan <environment>`: every change a release would make, the undo of each, and the
 * gates. Changes nothing.
 */
#include "base/fs.h"
#include "cli/output.h"
#include "command/commands.h"
#include "command/flight.h"
#include "command/plan_view.h"

#include <stdio.h>

struct plan_args {
    const char *environment;
    const char *clear_quarantine;
    const char *unproven;
    const char *out;
    bool wants_exit_code;
    bool adopt;
    bool accept_drift;
    bool accept_flags;
    bool allow_older;
};

// clang-format off
static const struct option plan_option_rows[] = {
    { "out",              0, OPT_TEXT, AT(plan_args, out),              "<file>",   "Save the plan for `deploy --plan`"              },
    { "exit-code",        0, OPT_FLAG, AT(plan_args, wants_exit_code),  NULL,       "End with status 3 if there are changes"          },
    { "accept-drift",     0, OPT_FLAG, AT(plan_args, accept_drift),     NULL,       "As `deploy --accept-drift` would see it"         },
    { "accept-flags",     0, OPT_FLAG, AT(plan_args, accept_flags),     NULL,       "As `deploy --accept-flags` would see it"         },
    { "allow-older",      0, OPT_FLAG, AT(plan_args, allow_older),      NULL,       "As `deploy --allow-older` would see it"          },
    { "adopt",            0, OPT_FLAG, AT(plan_args, adopt),            NULL,       "As `deploy --adopt` would see it"                },
    { "unproven",         0, OPT_TEXT, AT(plan_args, unproven),         "<reason>", "As `deploy --unproven` would see it"             },
    { "clear-quarantine", 0, OPT_TEXT, AT(plan_args, clear_quarantine), "<reason>", "As `deploy --clear-quarantine` would see it"     },
    { 0 },
};
static const struct argument plan_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(plan_args, environment), "Where to" },
    { 0 },
};
// clang-format on

enum {
    EXIT_CHANGES = 3
};

static bool plan(struct command_context *c, void *args_, struct err *e)
{
    const struct plan_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    bool changes = false;
    const struct plan_options options = { .clear_quarantine = args->clear_quarantine,
                                          .unproven = args->unproven,
                                          .adopt = args->adopt,
                                          .allow_older = args->allow_older,
                                          .accept_drift = args->accept_drift,
                                          .accept_flags = args->accept_flags };
    if (!flight_open(c, args->environment, false, &f, e) ||
        !plan_show(&f, &options, args->out, &changes, e))
        return false;
    if (args->wants_exit_code && changes)
        c->exit_status = EXIT_CHANGES;
    return true;
}

const struct command cmd_plan = {
    .name = "plan",
    .synopsis = "plan <environment>",
    .summary = "Show every change a release would make, its undo, and the gates",
    .examples = "lockflight plan production\nlockflight plan production --json --exit-code",
    .group = GROUP_FLY,
    .offers = COMMAND_JSON,
    .options = plan_option_rows,
    .arguments = plan_arguments,
    .args_size = sizeof(struct plan_args),
    .run = plan,
};
