/*
 * `lockflight verify <environment>`: makes the declared checks again and renews the attestation.
 */
#include "cli/output.h"
#include "command/commands.h"
#include "command/flight.h"
#include "engine/renew.h"

struct verify_args {
    const char *environment;
    bool only_look;
};

// clang-format off
static const struct option verify_options[] = {
    { "no-attest", 0, OPT_FLAG, AT(verify_args, only_look), NULL, "Only make the checks, write nothing" },
    { 0 },
};
static const struct argument verify_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(verify_args, environment), "Which" },
    { 0 },
};
// clang-format on

static bool verify(struct command_context *c, void *args_, struct err *e)
{
    const struct verify_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    struct renew_result result;
    bool ok = flight_open(c, args->environment, true, &f, e) &&
              renew(&f.target, &f.sink, f.actor, !args->only_look, &result, e);
    if (!ok) {
        flight_quiet(&f);
        return err_wrap(e, "verify %s", args->environment);
    }
    if (c->wants_json)
        progress_event(f.progress, "verified",
                       json_pack("{s:s, s:s, s:I, s:b}", "environment", f.target.name, "release",
                                 result.release, "checks", (json_int_t)result.checks, "attested",
                                 (int)result.attested));
    flight_quiet(&f);
    if (!c->wants_json)
        print(&c->out, "%s is green: %s, %zu checks%s.\n", f.target.name, result.release,
              result.checks, result.attested ? ", attestation renewed" : "");
    return true;
}

const struct command cmd_verify = {
    .name = "verify",
    .synopsis = "verify <environment>",
    .summary = "Make the declared checks again and renew the attestation",
    .examples = "lockflight verify staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_EVENTS,
    .options = verify_options,
    .arguments = verify_arguments,
    .args_size = sizeof(struct verify_args),
    .run = verify,
};
