/*
 * `lockflight migration down`: takes the newest migrations back with their reverse scripts.
 */
#include "base/clock.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/migration/change.h"
#include "command/migration/migration.h"

struct down_args {
    struct session_args session;
    int64_t last;
};

/* The last n applied ones, newest first. */
static size_t choose_last(const struct session *s, size_t n, const struct migration_state **ret)
{
    size_t chosen = 0;
    for (size_t i = s->plan.n; i-- > 0 && chosen < n;)
        if (s->plan.v[i].row)
            ret[chosen++] = &s->plan.v[i];
    return chosen;
}

static bool confirm_down(struct session *s, const struct migration_state **chosen, size_t n,
                         struct err *e)
{
    struct command_context *c = s->c;
    for (size_t i = 0; i < n; i++)
        print(&c->err, "  undo  %s %s\n", chosen[i]->row->version,
              chosen[i]->row->name ? chosen[i]->row->name : "");
    return prompt_destructive(c, s->environment.name,
                              "Their reverse scripts run, and what was written since may be lost.",
                              e);
}

static bool down(struct command_context *c, void *args, struct err *e)
{
    const struct down_args *a = args;
    struct session s;
    CLEANUP(change) struct change x = { 0 };
    if (!session_open(c, &a->session, &s, e) || !change_open(&s, "migration down", &x, e) ||
        !session_compare(&s, change_db(&x), e))
        return false;
    const struct migration_state **chosen =
        ARENA_ARRAY(c->arena, const struct migration_state *, s.plan.n + 1);
    size_t n = choose_last(&s, a->last > 0 ? (size_t)a->last : 1, chosen);
    if (n > 0 && !confirm_down(&s, chosen, n, e))
        return false;

    struct migrate_options o = change_options(&x, CHANGE_REVERSE);
    for (size_t i = 0; i < n; i++) {
        int64_t started = clock_boot_ms();
        if (!lease_check(x.lease, e) ||
            !migration_reverse(change_db(&x), c->arena, chosen[i], &o, e))
            return i > 0 ? err_state(e, "%zu of %zu migrations were reversed and stay so", i, n)
                         : false;
        change_done(c, "reverse", chosen[i]->row->version, started);
    }
    change_answer(&s, "reversed", n);
    return true;
}

static const struct option down_options[] = {
    SESSION_OPTIONS(down_args, session),
    { "last", 'n', OPT_INT, AT(down_args, last), "<count>", "How many, newest first (default: 1)" },
    { 0 },
};

static const struct argument down_arguments[] = {
    SESSION_ARGUMENT(down_args, session),
    { 0 },
};

const struct command cmd_migration_down = {
    .name = "down",
    .synopsis = "migration down [environment]",
    .summary = "Reverse the newest migrations with their reverse scripts",
    .description = "Runs the reverse script that was kept when the migration was applied, newest "
                   "first, each in "
                   "one transaction. Asks for the environment's name, because rows may be lost.",
    .examples = "lockflight migration down staging\nlockflight migration down staging --last 2 "
                "--confirm staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON | COMMAND_CONFIRM,
    .options = down_options,
    .arguments = down_arguments,
    .args_size = sizeof(struct down_args),
    .run = down,
};
