/*
 * `lockflight ci`: what a push to the main branch does. It runs the verbs that a person would type, in
 * their order, each in a child of its own (not a new program: keys and credentials that are kept from
 * other programs are there), so that the log of the job reads like a terminal:
 *
 *     for each environment, from the one that requires nothing to the last:
 *         wait until the content has rested long enough in the one before, and check that one again
 *         deploy; settle first what an earlier run left open
 *
 * Two runs meet at the lease: the second waits. Whoever gets it late and finds newer content live does
 * nothing. The exit status is that of the verb that stopped it.
 */
#include "base/clock.h"
#include "base/signals.h"
#include "base/vec.h"
#include "cli/output.h"
#include "command/commands.h"
#include "command/flight.h"
#include "command/verb.h"
#include "engine/live.h"
#include "engine/plan.h"

#define CI_WAIT_MS (30LL * 60 * 1000)
#define TRIES_MOST 3 /* an open release is settled, then ours is flown */

struct ci_args {
    const char *environment;
    int64_t wait_ms;
    bool adopt;
};

struct ci {
    struct command_context *c;
    const struct ci_args *args;
    bool is_overtaken; /* newer content went by: its run does the rest */
};

/* ---- calling a verb ---- */

typedef VEC(const char *) words;

/* Runs `lockflight …`. True: it ended, with *ret_status. */
static bool call(struct ci *ci, words *w, int *ret_status, struct err *e)
{
    struct arena *a = ci->c->arena;
    if (ci->c->config_path) {
        *vec_add(w, a) = "--config";
        *vec_add(w, a) = ci->c->config_path;
    }
    print_styled(&ci->c->err, STYLE_STRONG, "$");
    for (size_t i = 0; i < w->n; i++)
        print(&ci->c->err, " %s", w->v[i]);
    print(&ci->c->err, "\n");
    *vec_add(w, a) = NULL;
    if (!verb_run(&(struct verb){ .parent = ci->c, .words = w->v }, ret_status, e))
        return false;
    return !signals_stop_asked() || *ret_status != 0 ||
           err_set(e, ERR_INTERRUPTED, "stopped after %s %s", w->v[1], w->v[2]);
}

static words verb(struct ci *ci, const char *name, const char *environment)
{
    words w = { 0 };
    *vec_add(&w, ci->c->arena) = "lockflight";
    *vec_add(&w, ci->c->arena) = name;
    *vec_add(&w, ci->c->arena) = environment;
    *vec_add(&w, ci->c->arena) = "--no-input";
    return w;
}

static void add_wait(struct ci *ci, words *w)
{
    *vec_add(w, ci->c->arena) = "--wait";
    *vec_add(w, ci->c->arena) = arena_printf(
        ci->c->arena, "%lldms", (long long)(ci->args->wait_ms ? ci->args->wait_ms : CI_WAIT_MS));
}

static bool call_deploy(struct ci *ci, const char *environment, int *ret_status, struct err *e)
{
    words w = verb(ci, "deploy", environment);
    *vec_add(&w, ci->c->arena) = "--not-older";
    add_wait(ci, &w);
    if (ci->args->adopt)
        *vec_add(&w, ci->c->arena) = "--adopt";
    return call(ci, &w, ret_status, e);
}

/* What an earlier run left open is finished if it is this content, else taken back. */
static bool call_resume(struct ci *ci, const char *environment, int *ret_status, struct err *e)
{
    words w = verb(ci, "resume", environment);
    add_wait(ci, &w);
    if (!call(ci, &w, ret_status, e))
        return false;
    if (*ret_status != err_exit_status(&(struct err){ .code = ERR_BLOCKED }))
        return true;
    words back = verb(ci, "resume", environment);
    *vec_add(&back, ci->c->arena) = "--unwind";
    add_wait(ci, &back);
    return call(ci, &back, ret_status, e);
}

/* ---- resting ---- */

/* Whether the environment before has proved the content, and how much longer it must rest there. */
static bool look(struct ci *ci, const struct config_env *env, int64_t *ret_left_ms, struct err *e)
{
    CLEANUP(flight) struct flight f = { 0 };
    CLEANUP(live) struct live live = { 0 };
    CLEANUP(plan) struct plan plan = { 0 };
    const struct plan_options options = { .adopt = ci->args->adopt };
    if (!flight_open(ci->c, env->name, false, &f, e) || !live_read(&f.target, &live, e) ||
        !plan_make(&f.target, &live, &options, &plan, e))
        return err_wrap(e, "plan %s", env->name);
    *ret_left_ms = plan.soak_left_ms;
    ci->is_overtaken = !plan.has_proof || (plan.soak_left_ms > 0 && plan.stay.followed_by);
    return true;
}

/* Rests, and then asks the environment before once more: time is for finding what a first look does
 * not. */
static bool rest(struct ci *ci, const struct config_env *env, int *ret_status, struct err *e)
{
    int64_t left_ms = 0;
    if (!env->requires)
        return true;
    if (!look(ci, env, &left_ms, e))
        return false;
    if (ci->is_overtaken)
        print(&ci->c->out, "%s went on to newer content; the run of that does the rest.\n",
              env->requires);
    if (ci->is_overtaken || env->soak_ms == 0)
        return true;
    if (left_ms > 0) {
        print(&ci->c->err, "Resting in %s for %s\n", env->requires,
              clock_duration(ci->c->arena, left_ms));
        (void)fflush(NULL);
        if (!clock_sleep_ms(left_ms + 1000))
            return err_set(e, ERR_INTERRUPTED, "stopped while the content rested in %s",
                           env->requires);
    }
    /* Nothing is written: another run may be at the same point, and the proof is as old as it is. */
    words w = verb(ci, "verify", env->requires);
    *vec_add(&w, ci->c->arena) = "--no-attest";
    return call(ci, &w, ret_status, e);
}

/* ---- the way ---- */

static bool fly(struct ci *ci, const struct config_env *env, int *ret_status, struct err *e)
{
    const int interrupted = err_exit_status(&(struct err){ .code = ERR_INTERRUPTED });
    if (!rest(ci, env, ret_status, e))
        return false;
    if (*ret_status != 0 || ci->is_overtaken)
        return true;
    for (int i = 0; i < TRIES_MOST; i++) {
        if (!call_deploy(ci, env->name, ret_status, e))
            return false;
        if (*ret_status != interrupted || i + 1 == TRIES_MOST)
            return true;
        if (!call_resume(ci, env->name, ret_status, e))
            return false;
        if (*ret_status != 0)
            return true;
    }
    return true;
}

static bool ci_run(struct command_context *c, void *args, struct err *e)
{
    struct ci ci = { .c = c, .args = args };
    struct config config;
    VEC(const struct config_env *) way = { 0 };
    if (!config_load(c->arena, c->config_path, &config, e))
        return false;
    const char *name = ci.args->environment ? ci.args->environment : "production";
    for (const struct config_env *env = NULL; name; name = env->requires) {
        if (!(env = config_env_find(&config, name)))
            return err_set(e, ERR_USAGE, "there is no environment \"%s\"", name);
        *vec_add(&way, c->arena) = env;
    }
    for (size_t i = way.n; i-- > 0;) {
        int status = 0;
        if (!fly(&ci, way.v[i], &status, e))
            return err_wrap(e, "ci");
        c->exit_status = status;
        if (status != 0 || ci.is_overtaken)
            return true;
    }
    return true;
}

// clang-format off
static const struct option ci_options[] = {
    { "wait",  0, OPT_MS,   AT(ci_args, wait_ms), "<time>", "Wait this long for another runner (default: 30m)" },
    { "adopt", 0, OPT_FLAG, AT(ci_args, adopt),   NULL,     "Take migrations that were applied before Lockflight came as they are" },
    { 0 },
};
static const struct argument ci_arguments[] = {
    { "environment", ARG_OPTIONAL, COMPLETE_ENVIRONMENT, AT(ci_args, environment), "How far (default: production)" },
    { 0 },
};
// clang-format on

const struct command cmd_ci = {
    .name = "ci",
    .synopsis = "ci [environment]",
    .summary = "Release what was pushed: staging, a rest, production",
    .description =
        "For GitHub Actions, GitLab CI or any other runner. Deploys to each environment that the "
        "last one requires, in order, the tests being a part of the first; lets the content rest "
        "for the `soak` of the next one and makes the checks again; then goes on. A release that "
        "an "
        "earlier run left open is finished first if it is this content, else taken back. Two runs "
        "wait for each other, and the one with older content does nothing. Never asks. Ends with "
        "the exit status of what stopped it.",
    .examples = "lockflight ci\nlockflight ci staging",
    .group = GROUP_FLY,
    .options = ci_options,
    .arguments = ci_arguments,
    .args_size = sizeof(struct ci_args),
    .run = ci_run,
};
