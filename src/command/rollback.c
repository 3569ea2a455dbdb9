/*
 * `lockflight rollback <environment> [release]`: the way back, shown first, asked for, and proved
 * after each layer. An interrupted release is taken back instead, since nothing else can begin
 * before it is settled.
 */
#include "engine/rollback.h"

#include "base/clock.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/commands.h"
#include "command/flight.h"
#include "engine/unwind.h"

struct rollback_args {
    const char *environment;
    const char *release;
    const char *through;
    const char *reason;
    int64_t wait_ms;
    bool is_dry;
};

// clang-format off
static const struct option rollback_options[] = {
    { "through", 0, OPT_TEXT, AT(rollback_args, through), "site|functions|schema", "How far (default: functions)"              },
    { "reason",  0, OPT_TEXT, AT(rollback_args, reason),  "<text>",                "Why; kept with the quarantine"             },
    { "dry-run", 0, OPT_FLAG, AT(rollback_args, is_dry),  NULL,                    "Show the way back, change nothing"         },
    { "wait",    0, OPT_MS,   AT(rollback_args, wait_ms), "<time>",                "Wait this long for another runner"         },
    { 0 },
};
static const struct argument rollback_arguments[] = {
    { "environment", ARG_ONE,      COMPLETE_ENVIRONMENT, AT(rollback_args, environment), "Which"                                      },
    { "release",     ARG_OPTIONAL, COMPLETE_NOTHING,     AT(rollback_args, release),     "Back to which (default: the one before)"    },
    { 0 },
};
// clang-format on

static enum layer layer_of(const char *through)
{
    if (!through || streq(through, "functions"))
        return LAYER_FUNCTIONS;
    return streq(through, "site") ? LAYER_SITE : LAYER_SCHEMA;
}

/* ---- what would happen ---- */

static const char *functions_text(struct arena *a, const struct rollback_plan *plan)
{
    if (json_object_size(plan->images) == 0)
        return "unchanged";
    const char *text = "";
    const char *slug;
    json_t *image;
    json_object_foreach (plan->images, slug, image) {
        const char *comma = text[0] ? "; " : "";
        if (json_is_null(image))
            text =
                arena_printf(a, "%s%s%s %s", text, comma, slug,
                             plan->through == LAYER_SCHEMA ? "is deleted" : "stays for open tabs");
        else
            text = arena_printf(a, "%s%s%s -> saved v%lld", text, comma, slug,
                                (long long)json_int_or(image, "version", 0));
    }
    return text;
}

static void print_database(struct command_context *c, const struct rollback_plan *plan)
{
    if (plan->through != LAYER_SCHEMA) {
        print(&c->out, "  Database   stays%s\n",
              plan->migrations_n > 0 ? arena_printf(c->arena, " (ahead by %zu)", plan->migrations_n)
                                     : "");
        return;
    }
    if (plan->migrations_n == 0)
        print(&c->out, "  Database   nothing to reverse\n");
    for (size_t i = 0; i < plan->migrations_n; i++) {
        const struct rollback_migration *m = &plan->migrations[i];
        print(&c->out, "  %-10s reverse %s_%s  loses %s\n", i == 0 ? "Database" : "",
              m->row->version, m->row->name ? m->row->name : "", m->text);
    }
}

static void print_plan(struct command_context *c, const struct live *live,
                       const struct rollback_plan *plan)
{
    bool stays = streq(plan->from.id, plan->to.id);
    print_styled(&c->out, STYLE_STRONG, "%s %s", stays ? "Stay on" : "Back to", plan->to.name);
    int64_t age_ms = clock_unix_ms() - plan->from.finished_unix_ms;
    print(&c->out, stays ? "%s%s\n" : "  (live now: %s, since %s)\n", stays ? "" : plan->from.name,
          stays ? "" : clock_duration(c->arena, age_ms > 0 ? age_ms : 0));
    print(&c->out, "  Site       %s\n",
          streq(live->site.published_id, plan->deploy) ? "is there already"
                                                       : "pointer back, about 1 s");
    if (plan->through >= LAYER_FUNCTIONS)
        print(&c->out, "  Functions  %s\n", functions_text(c->arena, plan));
    else
        print(&c->out, "  Functions  stay\n");
    print_database(c, plan);
    if (plan->through != LAYER_SCHEMA || plan->rows_at_risk == 0)
        print(&c->out, "Data lost: none.\n");
    else
        print(&c->out, "Data lost: %lld rows or values.\n", (long long)plan->rows_at_risk);
}

static json_t *plan_document(const struct rollback_plan *plan)
{
    json_t *migrations = json_array();
    for (size_t i = 0; i < plan->migrations_n; i++)
        json_array_append_new(
            migrations,
            json_pack("{s:s, s:b, s:b, s:I, s:s}", "version", plan->migrations[i].row->version,
                      "reverse", (int)plan->migrations[i].has_reverse, "lossless",
                      (int)plan->migrations[i].is_lossless, "rows",
                      (json_int_t)plan->migrations[i].rows, "loses", plan->migrations[i].text));
    return json_pack("{s:s, s:s, s:i, s:s, s:O, s:o, s:I}", "from", plan->from.name, "to",
                     plan->to.name, "through", (int)plan->through, "deploy", plan->deploy,
                     "functions", plan->images, "migrations", migrations, "rows_at_risk",
                     (json_int_t)plan->rows_at_risk);
}

/* ---- asking ---- */

static bool can_reverse(const struct rollback_plan *plan, struct err *e)
{
    for (size_t i = 0; plan->through == LAYER_SCHEMA && i < plan->migrations_n; i++) {
        if (!plan->migrations[i].has_reverse) {
            err_set(e, ERR_BLOCKED, "migration %s was applied without a reverse script",
                    plan->migrations[i].row->version);
            return err_state(e, "nothing was changed");
        }
    }
    return true;
}

/* The schema is only reversed after the number of rows that go, or the environment's name, was
 * typed. */
static bool ask(struct command_context *c, const char *environment,
                const struct rollback_plan *plan, struct err *e)
{
    if (plan->through != LAYER_SCHEMA)
        return prompt_continue(c, environment,
                               arena_printf(c->arena, "Go back to %s?", plan->to.name), e);
    const char *word = plan->rows_at_risk > 0
                           ? arena_printf(c->arena, "%lld", (long long)plan->rows_at_risk)
                           : environment;
    const char *question = arena_printf(
        c->arena, "%zu migration%s will be reversed, %lld rows or values will be lost.",
        plan->migrations_n, plan->migrations_n == 1 ? "" : "s", (long long)plan->rows_at_risk);
    return prompt_destructive(c, word, question, e);
}

/* ---- an interrupted release ---- */

static bool take_back_open(struct flight *f, const struct rollback_args *args,
                           const struct live *live, struct err *e)
{
    struct command_context *c = f->c;
    enum layer through = layer_of(args->through);
    if (args->is_dry) {
        print(&c->out, "%s %s stands at \"%s\"; it would be taken back%s.\n", live->open.kind,
              live->open.name, release_state_name(live->open.state),
              through == LAYER_SCHEMA ? " wholly, the database included"
                                      : ", the database would stay");
        return true;
    }
    const char *question = arena_printf(
        c->arena, "%s is not finished. Take it back%s?", live->open.name,
        through == LAYER_SCHEMA ? ", the database included, whatever rows that costs" : "");
    bool agreed = through == LAYER_SCHEMA ? prompt_destructive(c, f->target.name, question, e)
                                          : prompt_continue(c, f->target.name, question, e);
    if (!agreed)
        return false;
    f->progress = progress_begin(c);
    flight_listen(f);
    struct release_options options = { .actor = f->actor,
                                       .wait_ms = args->wait_ms,
                                       .only_way_back = true };
    CLEANUP(release) struct release r = { 0 };
    if (!release_open_again(c->arena, &f->target, &f->sink, &options, &r, e))
        return false;
    r.may_lose_rows = through == LAYER_SCHEMA;
    const char *reason = args->reason ? args->reason : "rolled back by hand";
    bool ok =
        !r.is_resumed || (streq(r.kind, "rollback") ? rollback_again(&r, e)
                                                    : release_take_back(&r, through, reason, e));
    flight_quiet(f);
    if (ok && !c->wants_json)
        print(&c->out, "%s is on %s; %s was taken back.\n", f->target.name,
              release_previous_name(&r)[0] ? release_previous_name(&r) : "nothing yet",
              live->open.name);
    return ok;
}

/* ---- a finished one ---- */

static bool go_back(struct flight *f, const struct rollback_args *args,
                    const struct rollback_plan *plan, struct err *e)
{
    struct command_context *c = f->c;
    f->progress = progress_begin(c);
    flight_listen(f);
    struct release_options options = { .actor = f->actor, .wait_ms = args->wait_ms };
    int64_t started_ms = clock_boot_ms();
    CLEANUP(release) struct release r = { 0 };
    if (!release_open_rollback(c->arena, &f->target, &f->sink, &options, &r, e) ||
        !rollback_run(&r, plan, args->reason ? args->reason : "rolled back by hand", e))
        return false;
    if (c->wants_json)
        progress_event(
            f->progress, "rolled_back",
            json_pack("{s:s, s:s}", "environment", f->target.name, "release", plan->to.name));
    flight_quiet(f);
    if (!c->wants_json) {
        print(&c->out, "%s is on %s. Recovery took %s.", f->target.name, plan->to.name,
              clock_duration(c->arena, clock_boot_ms() - started_ms));
        print(&c->out,
              streq(plan->from.id, plan->to.id) ? "\n%s" : " Automatic deploys of %s are off.\n",
              streq(plan->from.id, plan->to.id) ? "" : plan->from.name);
    }
    return true;
}

static bool fly(struct flight *f, const struct rollback_args *args, struct err *e)
{
    struct command_context *c = f->c;
    CLEANUP(live) struct live live = { 0 };
    if (!live_read(&f->target, &live, e))
        return false;
    if (live.has_open)
        return take_back_open(f, args, &live, e);
    CLEANUP(rollback_plan) struct rollback_plan plan = { 0 };
    if (!rollback_plan_make(&f->target, &live, args->release, layer_of(args->through), &plan, e))
        return false;
    if (args->is_dry && c->wants_json) {
        print_json(c, plan_document(&plan));
        return true;
    }
    if (!c->wants_json)
        print_plan(c, &live, &plan);
    if (args->is_dry)
        return true;
    return can_reverse(&plan, e) && ask(c, f->target.name, &plan, e) && go_back(f, args, &plan, e);
}

static bool rollback(struct command_context *c, void *args_, struct err *e)
{
    const struct rollback_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    if (flight_open(c, args->environment, false, &f, e) && fly(&f, args, e))
        return true;
    flight_quiet(&f);
    return err_wrap(e, "roll back %s", args->environment);
}

const struct command cmd_rollback = {
    .name = "rollback",
    .synopsis = "rollback <environment> [release]",
    .summary = "Go back to a release that was live",
    .description = "The site goes back first (about a second), then the functions to their saved "
                   "bodies. The database stays, "
                   "because the old code was proved on it, unless --through schema is given; then "
                   "the rows that the reverse "
                   "scripts would lose are counted, and that number (or the environment's name if "
                   "it is none) must be typed "
                   "or given with --confirm. The release that was left is quarantined.",
    .examples = "lockflight rollback production\nlockflight rollback production --through schema "
                "--dry-run\n"
                "lockflight rollback staging --yes",
    .group = GROUP_FLY,
    .offers = COMMAND_EVENTS | COMMAND_ASKS | COMMAND_CONFIRM,
    .options = rollback_options,
    .arguments = rollback_arguments,
    .args_size = sizeof(struct rollback_args),
    .run = rollback,
};
