/*
 * `lockflight deploy <environment>`: flies the project's content through every phase; what fails is
 * taken back.
 */
#include "base/clock.h"
#include "cli/output.h"
#include "cli/prompt.h"
#include "command/commands.h"
#include "command/flight.h"
#include "command/plan_file.h"
#include "command/plan_view.h"
#include "engine/mitigate.h"
#include "engine/release.h"

struct deploy_args {
    const char *environment;
    const char *clear_quarantine;
    const char *unproven;
    const char *prebuilt;
    const char *plan_file;
    int64_t wait_ms;
    int64_t cancel_ms;
    bool adopt;
    bool accept_drift;
    bool accept_flags;
    bool allow_older;
    bool not_older;
    bool is_dry;
};

// clang-format off
static const struct option deploy_options[] = {
    { "dry-run",          0, OPT_FLAG, AT(deploy_args, is_dry),           NULL,       "Show the plan, change nothing"                                     },
    { "plan",             0, OPT_TEXT, AT(deploy_args, plan_file),        "<file>",   "Fly exactly this saved plan, or nothing"                            },
    { "wait",             0, OPT_MS,   AT(deploy_args, wait_ms),          "<time>",   "Wait this long for another runner instead of giving up at once"     },
    { "cancel-blockers-older-than", 0, OPT_MS, AT(deploy_args, cancel_ms), "<time>", "End sessions of applications that are in a migration's way with a transaction this old" },
    { "prebuilt",         0, OPT_TEXT, AT(deploy_args, prebuilt),         "<folder>", "Publish this folder instead of running the build command"           },
    { "accept-drift",     0, OPT_FLAG, AT(deploy_args, accept_drift),     NULL,       "Take changes of the schema that were made outside Lockflight as they are" },
    { "accept-flags",     0, OPT_FLAG, AT(deploy_args, accept_flags),     NULL,       "Show visitors what a flag has kept to servers, or change what it serves while it is off" },
    { "allow-older",      0, OPT_FLAG, AT(deploy_args, allow_older),      NULL,       "Take older revisions of secrets, and lines that are gone, as meant" },
    { "not-older",        0, OPT_FLAG, AT(deploy_args, not_older),        NULL,       "Do nothing if what is live comes after this commit" },
    { "adopt",            0, OPT_FLAG, AT(deploy_args, adopt),            NULL,       "Take migrations that were applied before Lockflight came as they are" },
    { "unproven",         0, OPT_TEXT, AT(deploy_args, unproven),         "<reason>", "Apply migrations whose way back was never proved, and say why"       },
    { "clear-quarantine", 0, OPT_TEXT, AT(deploy_args, clear_quarantine), "<reason>", "Deploy content that was rolled back here, and say why"              },
    { 0 },
};
static const struct argument deploy_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(deploy_args, environment), "Where to" },
    { 0 },
};
// clang-format on

/* What a person has to say before anything is touched. */
struct consent {
    struct flight *f;
    const char *plan_file; /* NULL: none was saved */
    bool not_older;
    bool is_overtaken; /* what is live comes after this commit */
};

/* Somebody waited for the lock longer than a newer commit did. */
static bool overtaken(struct consent *consent, const struct plan *plan, const struct live *live,
                      struct err *e)
{
    const struct flight *f = consent->f;
    const char *there = live->has_release ? live->release.git_commit : NULL;
    if (!consent->not_older || !there || !there[0] || !plan->source.commit[0] ||
        !source_comes_after(f->c->arena, f->config.dir, there, plan->source.commit))
        return false;
    consent->is_overtaken = true;
    return !err_set(e, ERR_BLOCKED, "%s is on %.12s, which comes after %.12s", plan->environment,
                    there, plan->source.commit);
}

/* A change that cannot be taken back is for a person to accept. */
static bool agree(void *context, const struct plan *plan, const struct live *live, struct err *e)
{
    struct consent *consent = context;
    struct flight *f = consent->f;
    if (overtaken(consent, plan, live, e))
        return false;
    if (consent->plan_file && !plan_file_matches(f->c->arena, consent->plan_file, plan, live, e))
        return false;
    const char *first = NULL;
    for (size_t i = 0; i < plan->variables_n; i++) {
        if (plan->variables[i].mark == PLAN_CHANGE && !plan->variables[i].has_undo && !first)
            first = plan->variables[i].variable->spec->name;
    }
    if (!first)
        return true;
    const char *question = arena_printf(
        f->c->arena, "%s changes, and its old value can not be had again: no undo. Go on?", first);
    progress_pause(f->progress);
    bool is_agreed = prompt_continue(f->c, plan->environment, question, e);
    progress_resume(f->progress);
    return is_agreed;
}

/* A module or the whole release: somebody at the terminal may choose. */
static bool offer(void *context, const char *flag, const char *question)
{
    struct consent *consent = context;
    struct flight *f = consent->f;
    struct err no = { 0 };
    if (f->c->no_input && !f->c->yes)
        return false;
    progress_pause(f->progress);
    bool is_agreed = prompt_continue(f->c, flag, question, &no);
    progress_resume(f->progress);
    return is_agreed;
}

static void print_end(struct flight *f, const struct release *r, int64_t took_ms)
{
    struct command_context *c = f->c;
    if (c->wants_json) {
        progress_event(f->progress, "deployed",
                       json_pack("{s:s, s:s, s:s, s:s, s:b}", "environment", f->target.name,
                                 "release", r->name, "source", r->plan->source.digest, "url",
                                 f->target.site_url, "changed", (int)!r->is_live_already));
        flight_quiet(f);
        return;
    }
    flight_quiet(f);
    if (r->is_live_already)
        print(&c->out, "%s is on %s already; nothing to do.\n", f->target.name, r->name);
    else
        print(&c->out, "%s is on %s in %s: %s\n", f->target.name, r->name,
              clock_duration(c->arena, took_ms), f->target.site_url);
}

/* Not a failure: newer content is live, and it stays so. */
static void print_overtaken(struct flight *f, struct err *e)
{
    const char *why = arena_strdup(f->c->arena, e->why);
    err_clear(e);
    if (f->c->wants_json)
        progress_event(f->progress, "overtaken",
                       json_pack("{s:s, s:s}", "environment", f->target.name, "text", why));
    flight_quiet(f);
    if (!f->c->wants_json)
        print(&f->c->out, "%s; nothing to do.\n", why);
}

static bool fly(struct flight *f, const struct deploy_args *args, struct err *e)
{
    struct consent consent = { .f = f, .plan_file = args->plan_file, .not_older = args->not_older };
    struct release_options options = {
        .actor = f->actor,
        .plan = { .clear_quarantine = args->clear_quarantine,
                  .unproven = args->unproven,
                  .adopt = args->adopt,
                  .allow_older = args->allow_older,
                  .accept_drift = args->accept_drift,
                  .accept_flags = args->accept_flags,
                  .is_prebuilt = args->prebuilt != NULL },
        .prebuilt_dir = args->prebuilt,
        .end_older_ms = args->cancel_ms,
        .wait_ms = args->wait_ms,
        .agree = agree,
        .offer = offer,
        .context = &consent,
    };
    int64_t started_ms = clock_boot_ms();
    CLEANUP(release) struct release r = { 0 };
    if (!release_open(f->c->arena, &f->target, &f->sink, &options, &r, e)) {
        if (consent.is_overtaken)
            print_overtaken(f, e);
        return consent.is_overtaken;
    }
    if (!r.is_live_already && !release_walk(&r, e))
        return false;
    if (!mitigate_end(&r, e))
        return false;
    print_end(f, &r, clock_boot_ms() - started_ms);
    return true;
}

static bool deploy(struct command_context *c, void *args_, struct err *e)
{
    const struct deploy_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    if (!flight_open(c, args->environment, !args->is_dry, &f, e))
        return err_wrap(e, "deploy to %s", args->environment);
    if (args->is_dry) {
        const struct plan_options options = { .clear_quarantine = args->clear_quarantine,
                                              .unproven = args->unproven,
                                              .adopt = args->adopt,
                                              .allow_older = args->allow_older,
                                              .accept_drift = args->accept_drift,
                                              .accept_flags = args->accept_flags };
        return plan_show(&f, &options, NULL, NULL, e);
    }
    if (!fly(&f, args, e)) {
        flight_quiet(&f);
        return err_wrap(e, "deploy to %s", args->environment);
    }
    return true;
}

const struct command cmd_deploy = {
    .name = "deploy",
    .synopsis = "deploy <environment>",
    .summary = "Release the project to an environment, through every phase",
    .description = "Tests, builds once and uploads hidden, sets variables, applies migrations, "
                   "deploys functions, proves the "
                   "backend for the new and the previous release, publishes, proves the live site. "
                   "What fails is taken back, "
                   "one layer at a time, until the previous release is green again.\n\n"
                   "Exit status 5: a gate was closed, nothing was changed. 6: failed, the "
                   "environment is as before. 7: failed, "
                   "the code is as before, the backend is ahead and proved. 8: failed, a person is "
                   "needed. 9: interrupted, "
                   "resumable. 10: released, with a flag switched off because the check of its "
                   "module was red.",
    .examples = "lockflight deploy staging\nlockflight deploy production --no-input",
    .group = GROUP_FLY,
    .offers = COMMAND_EVENTS | COMMAND_ASKS,
    .options = deploy_options,
    .arguments = deploy_arguments,
    .args_size = sizeof(struct deploy_args),
    .run = deploy,
};
