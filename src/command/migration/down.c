/*
 * `lockflight migration down`: takes the newest migrations back with their reverse scripts.
 */
#include "base/clock.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/migration/change.h"
#include "command/migration/migration.h"
#include "migrate/reverse/keep.h"
#include "migrate/reverse/risk.h"

struct down_args {
    struct session_args session;
    int64_t last, wait_ms, cancel_ms;
    const char *to;
};

/* The newest applied ones, newest first: --last n of them, or all after --to. */
static bool choose(const struct session *s, const struct down_args *a,
                   const struct migration_state **ret, size_t *ret_count, struct err *e)
{
    size_t most = a->to ? s->plan.n : a->last > 0 ? (size_t)a->last : 1, n = 0;
    bool is_found = !a->to || streq(a->to, "0");
    for (size_t i = s->plan.n; i-- > 0 && n < most;) {
        const struct migration_state *m = &s->plan.v[i];
        if (!m->row)
            continue;
        if (a->to && streq(m->row->version, a->to))
            is_found = true;
        if (a->to && strcmp(m->row->version, a->to) <= 0 && !streq(a->to, "0"))
            break;
        ret[n++] = m;
    }
    *ret_count = n;
    if (is_found)
        return true;
    err_set(e, ERR_NOT_FOUND, "version %s is not applied", a->to);
    return err_hint(e, "--to names the version that stays on top; 0: none stays");
}

/* All of them, before the first one runs. */
static bool all_have_reverse(const struct migration_state **chosen, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        const struct migration_state *m = chosen[i];
        if (m->row->reverse_sql || (m->file && m->file->has_reverse))
            continue;
        err_set(e, ERR_BLOCKED, "version %s (%s) has no reverse script", m->row->version,
                m->row->name ? m->row->name : "unnamed");
        return err_hint(e, "write %s",
                        m->file ? m->file->reverse_file : "one beside the migration it reverses");
    }
    return true;
}

static bool confirm_down(struct session *s, struct pg *db, const struct migration_state **chosen,
                         size_t n, struct err *e)
{
    struct command_context *c = s->c;
    for (size_t i = 0; i < n; i++) {
        struct migration_risk risk;
        if (!migration_risk(db, c->arena, chosen[i], &risk, e))
            return false;
        print(&c->err, "  undo  %s %s  loses %s\n", chosen[i]->row->version,
              chosen[i]->row->name ? chosen[i]->row->name : "", risk.text);
    }
    return prompt_destructive(c, s->environment.name,
                              "Their reverse scripts run, and what was written since may be lost.",
                              e);
}

/* Rows that were written since, and what they were before is on record. */
static bool tell_left_behind(struct session *s, struct pg *db, const char *version,
                             const char *since, struct err *e)
{
    const char *left = NULL;
    if (!keep_left_behind(db, s->c->arena, version, since, &left, e))
        return false;
    if (left)
        print_styled(&s->c->err, STYLE_WARN,
                     "note: %s; lockflight_undo.left_behind has what was kept of them\n", left);
    return true;
}

static bool down(struct command_context *c, void *args, struct err *e)
{
    const struct down_args *a = args;
    if (a->to && a->last > 0)
        return err_set(e, ERR_USAGE, "either --to or --last, not both");
    struct session s;
    CLEANUP(change) struct change x = { 0 };
    if (!session_open(c, &a->session, &s, e) ||
        !change_open_waiting(&s, "migration down", a->wait_ms, &x, e) || !change_compare(&x, e))
        return false;
    const struct migration_state **chosen =
        ARENA_ARRAY(c->arena, const struct migration_state *, s.plan.n + 1);
    size_t n = 0;
    if (!choose(&s, a, chosen, &n, e) || !all_have_reverse(chosen, n, e) ||
        (n > 0 && !confirm_down(&s, change_db(&x), chosen, n, e)))
        return false;

    struct migrate_options o = change_options(&x, CHANGE_REVERSE);
    o.end_older_ms = a->cancel_ms;
    const char **versions = ARENA_ARRAY(c->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        int64_t started = clock_boot_ms();
        struct pg_rows now;
        if (!pg_query(change_db(&x), c->arena, "SELECT now()", PG_NONE, &now, e))
            return false;
        if (!lease_check(x.lease, e) ||
            !migration_reverse(change_db(&x), c->arena, chosen[i], &o, e))
            return i > 0 ? err_state(e, "%zu of %zu migrations were reversed and stay so", i, n)
                         : false;
        versions[i] = chosen[i]->row->version;
        change_done(c, "reverse", versions[i], started);
        if (!tell_left_behind(&s, change_db(&x), versions[i], pg_value(&now, 0, 0), e))
            return false;
    }
    if (n > 0 && !change_keep_catalogue(&x, e))
        return false;
    change_answer(&s, "reversed", versions, n);
    return true;
}

static const struct option down_options[] = {
    SESSION_OPTIONS(down_args, session),
    { "to", 't', OPT_TEXT, AT(down_args, to), "<version>",
      "Down to this version, which stays; 0: down to nothing" },
    { "wait", 0, OPT_MS, AT(down_args, wait_ms), "<time>", "Wait this long for another runner" },
    CHANGE_CANCEL_OPTION(down_args, cancel_ms),
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
                   "first. One that was half applied is taken back from where it is. Asks for the "
                   "environment's name, because rows may be lost.",
    .examples = "lockflight migration down staging\n"
                "lockflight migration down staging --to 20260314101500\n"
                "lockflight migration down staging --last 2 "
                "--confirm staging",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON | COMMAND_CONFIRM,
    .options = down_options,
    .arguments = down_arguments,
    .args_size = sizeof(struct down_args),
    .run = down,
};
