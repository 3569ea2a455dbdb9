/*
 * `lockflight resume <environment>`: finishes an interrupted release, or takes it back with
 * --unwind. What the world is like is asked again; the journal alone is not believed.
 */
#include "base/clock.h"
#include "cli/output.h"
#include "command/commands.h"
#include "command/flight.h"
#include "engine/mitigate.h"
#include "engine/release.h"
#include "engine/rollback.h"
#include "engine/unwind.h"

struct resume_args {
    const char *environment;
    const char *prebuilt;
    int64_t wait_ms;
    bool unwind;
};

// clang-format off
static const struct option resume_options[] = {
    { "unwind", 0, OPT_FLAG, AT(resume_args, unwind),  NULL,     "Take it back, one layer at a time, until the previous release is green" },
    { "wait",   0, OPT_MS,   AT(resume_args, wait_ms), "<time>", "Wait this long for another runner"                                      },
    { "prebuilt", 0, OPT_TEXT, AT(resume_args, prebuilt), "<folder>", "The folder that `deploy --prebuilt` was given, if it was"         },
    { 0 },
};
static const struct argument resume_arguments[] = {
    { "environment", ARG_ONE, COMPLETE_ENVIRONMENT, AT(resume_args, environment), "Which" },
    { 0 },
};
// clang-format on

static void print_end(struct flight *f, const char *sentence)
{
    if (f->c->wants_json)
        progress_event(f->progress, "resumed",
                       json_pack("{s:s, s:s}", "environment", f->target.name, "text", sentence));
    flight_quiet(f);
    if (!f->c->wants_json)
        print(&f->c->out, "%s\n", sentence);
}

/* Where an interrupted run goes on: the direction it was going in, unless a
 * person says otherwise. */
static bool go_on(struct release *r, bool unwind, const char **ret_sentence, struct err *e)
{
    struct arena *a = r->arena;
    const char *environment = r->target->name;
    if (streq(r->kind, "rollback")) {
        *ret_sentence = arena_printf(a, "The rollback of %s is finished.", environment);
        return rollback_again(r, e);
    }
    if (unwind || r->state != RELEASE_FORWARD) {
        bool ok = release_unwind_again(r, e);
        *ret_sentence =
            arena_printf(a, "%s was taken back; %s is on %s.", r->name, environment,
                         release_previous_name(r)[0] ? release_previous_name(r) : "nothing yet");
        return ok;
    }
    *ret_sentence = arena_printf(a, "%s is on %s.", environment, r->name);
    return release_walk(r, e) && mitigate_end(r, e);
}

static bool resume(struct command_context *c, void *args_, struct err *e)
{
    const struct resume_args *args = args_;
    CLEANUP(flight) struct flight f = { 0 };
    if (!flight_open(c, args->environment, true, &f, e))
        return err_wrap(e, "resume %s", args->environment);
    struct release_options options = { .actor = f.actor,
                                       .prebuilt_dir = args->prebuilt,
                                       .wait_ms = args->wait_ms,
                                       .only_way_back = args->unwind };
    CLEANUP(release) struct release r = { 0 };
    const char *sentence = NULL;
    bool ok = release_open_again(c->arena, &f.target, &f.sink, &options, &r, e);
    if (ok && !r.is_resumed)
        sentence =
            arena_printf(c->arena, "Nothing to resume: no release of %s is open.", f.target.name);
    else if (ok)
        ok = go_on(&r, args->unwind, &sentence, e);
    if (!ok) {
        flight_quiet(&f);
        return err_wrap(e, "resume %s", args->environment);
    }
    print_end(&f, sentence);
    return true;
}

const struct command cmd_resume = {
    .name = "resume",
    .synopsis = "resume <environment>",
    .summary = "Finish an interrupted release, or take it back",
    .examples = "lockflight resume staging\nlockflight resume staging --unwind",
    .group = GROUP_FLY,
    .offers = COMMAND_EVENTS,
    .options = resume_options,
    .arguments = resume_arguments,
    .args_size = sizeof(struct resume_args),
    .run = resume,
};
