/*
 * `lockflight migration up`: applies what is pending, without a release.
 */
#include "base/clock.h"
#include "cli/output.h"
#include "command/migration/change.h"
#include "command/migration/migration.h"

struct up_args {
    struct session_args session;
};

static bool up(struct command_context *c, void *args, struct err *e)
{
    const struct up_args *a = args;
    struct session s;
    CLEANUP(change) struct change x = { 0 };
    if (!session_open(c, &a->session, &s, e) || !change_open(&s, "migration up", &x, e) ||
        !session_compare(&s, change_db(&x), e) || !migration_plan_check(c->arena, &s.plan, e))
        return false;

    struct migrate_options o = change_options(&x, CHANGE_APPLY);
    for (size_t i = 0; i < s.plan.pending_count; i++) {
        int64_t started = clock_boot_ms();
        if (!lease_check(x.lease, e) ||
            !migration_apply(change_db(&x), c->arena, s.plan.pending[i], &o, e))
            return i > 0 ? err_state(e, "%zu of %zu pending migrations were applied and stay", i,
                                     s.plan.pending_count)
                         : false;
        change_done(c, "apply", s.plan.pending[i]->file, started);
    }
    change_answer(&s, "applied", s.plan.pending_count);
    return true;
}

static const struct option up_options[] = {
    SESSION_OPTIONS(up_args, session),
    { 0 },
};

static const struct argument up_arguments[] = {
    SESSION_ARGUMENT(up_args, session),
    { 0 },
};

const struct command cmd_migration_up = {
    .name = "up",
    .synopsis = "migration up [environment]",
    .summary = "Apply pending migrations without a release",
    .description =
        "Each file is one transaction, with its row in the history that the Supabase CLI reads. "
        "Nothing runs if a file was changed after it was applied, is missing, or is older than "
        "the newest applied one.",
    .examples = "lockflight migration up staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = up_options,
    .arguments = up_arguments,
    .args_size = sizeof(struct up_args),
    .run = up,
};
