/*
 * `lockflight lock <environment>` and `unlock`: a person holds deploys, with a reason. The lock
 * never expires and is never waited on; a rollback goes on under it.
 */
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/commands.h"
#include "command/flight.h"
#include "engine/lease.h"

struct lock_args {
    const char *environment;
    const char *reason;
};

// clang-format off
static const struct option lock_options[] = {
    { "reason", 'm', OPT_TEXT, AT(lock_args, reason), "<text>", "Why" },
    { 0 },
};
static const struct argument lock_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(lock_args, environment), "Which" },
    { 0 },
};
// clang-format on

static void answer(struct command_context *c, const char *environment, bool is_locked)
{
    if (c->wants_json)
        print_json(c,
                   json_pack("{s:s, s:b}", "environment", environment, "locked", (int)is_locked));
    else
        print(&c->out, "%s is %s.\n", environment,
              is_locked ? "locked: nothing is deployed until it is unlocked" : "unlocked");
}

static bool lock(struct command_context *c, void *args_, struct err *e)
{
    const struct lock_args *args = args_;
    if (!args->reason) {
        err_set(e, ERR_USAGE, "a lock needs a reason, so that others know what to wait for");
        return err_hint(e, "lockflight lock %s --reason <text>", args->environment);
    }
    CLEANUP(flight) struct flight f = { 0 };
    if (!flight_open_database(c, args->environment, &f, e) ||
        !lease_lock(f.target.db, f.target.name, f.actor, args->reason, e))
        return err_wrap(e, "lock %s", args->environment);
    answer(c, f.target.name, true);
    return true;
}

static bool unlock(struct command_context *c, void *args_, struct err *e)
{
    const struct lock_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    struct lease_info info;
    if (!flight_open_database(c, args->environment, &f, e) ||
        !lease_read(f.target.db, c->arena, f.target.name, &info, e))
        return err_wrap(e, "unlock %s", args->environment);
    if (info.is_locked && !c->wants_json)
        print(&c->out, "Locked by %s: %s\n", info.locked_by, info.lock_reason);
    bool asks =
        info.is_locked && !streq(info.locked_by, f.actor); /* one's own lock needs no question */
    if ((asks && !prompt_continue(c, f.target.name, "Unlock it all the same?", e)) ||
        !lease_unlock(f.target.db, f.target.name, f.actor, args->reason, e))
        return err_wrap(e, "unlock %s", args->environment);
    answer(c, f.target.name, false);
    return true;
}

const struct command cmd_lock = {
    .name = "lock",
    .synopsis = "lock <environment>",
    .summary = "Hold deploys to an environment, with a reason",
    .examples = "lockflight lock production --reason 'quarter end'",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON,
    .options = lock_options,
    .arguments = lock_arguments,
    .args_size = sizeof(struct lock_args),
    .run = lock,
};

const struct command cmd_unlock = {
    .name = "unlock",
    .synopsis = "unlock <environment>",
    .summary = "Let deploys through again; shows who holds them first",
    .examples = "lockflight unlock production",
    .group = GROUP_CONTROL,
    .offers = COMMAND_JSON | COMMAND_ASKS,
    .options = lock_options,
    .arguments = lock_arguments,
    .args_size = sizeof(struct lock_args),
    .run = unlock,
};
