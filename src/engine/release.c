/*
 * Beginning and ending a release: lease, plan, journal. See release.h; walking is in walk.c.
 */
#include "engine/release.h"

#include "base/clock.h"
#include "base/signals.h"
#include "engine/phase.h"

#include <stdarg.h>

void release_summary(struct release *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    r->summary = arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
}

const char *release_previous_name(const struct release *r)
{
    return live_release_name(&r->live);
}

void release_turn_back(struct release *r)
{
    signals_stop_heard(); /* a second signal ends the program */
    http_use_reserve(supabase_http(r->target->supabase));
    http_use_reserve(netlify_http(r->target->netlify));
}

static void tell_wait(void *context, const char *sentence)
{
    const struct release *r = context;
    report_note(r->sink, "lock", "%s", sentence);
}

static bool take_lease(struct release *r, const char *purpose, bool past_manual_lock,
                       struct lease_taken *taken, struct err *e)
{
    struct target *t = r->target;
    report_begin(r->sink, "lock", "Take the lock of %s", t->name);
    struct lease_spec spec = {
        .url = t->environment.database_url,
        .target = t->name,
        .holder = r->options.actor,
        .purpose = purpose,
        .wait_ms = r->options.wait_ms,
        .past_manual_lock = past_manual_lock,
        .on_wait = tell_wait,
        .context = r,
    };
    if (!lease_take(&spec, &r->lease, taken, e)) {
        report_done(r->sink, REPORT_WAIT, "lock", "%s", e->why);
        return false;
    }
    target_guard(t, r->lease);
    if (taken->took_over)
        report_done(r->sink, REPORT_OK, "lock", "taken over from %s", taken->previous);
    else
        report_done(r->sink, REPORT_OK, "lock", "acquired by %s", r->options.actor);
    return true;
}

static void begin(struct arena *a, struct target *t, const struct report_sink *sink,
                  const struct release_options *options, struct release *r)
{
    *r = (struct release){ .arena = a,
                           .target = t,
                           .sink = sink,
                           .options = *options,
                           .summary = "",
                           .kind = "deploy",
                           .name = "",
                           .state = RELEASE_FORWARD };
}

/* ---- a new release ---- */

static bool write_begin(struct release *r, struct err *e)
{
    const struct plan *plan = r->plan;
    json_auto_t *shown = plan_json(plan, &r->live);
    const char *text = json_text(r->arena, shown);
    char sha256[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, str_of(text), sha256);
    struct release_record record = {
        .name = plan->release,
        .target = r->target->name,
        .kind = "deploy",
        .previous = r->live.has_release ? r->live.release.id : NULL,
        .source_digest = plan->source.digest,
        .plan_sha256 = sha256,
        .git_commit = plan->source.commit,
        .git_subject = plan->source.subject,
        .actor = r->options.actor,
        .plan = text,
    };
    if (!journal_begin(r->lease, r->arena, &record, &r->journal, e))
        return err_wrap(e, "begin the journal");
    r->id = journal_release_id(r->journal);
    return true;
}

static bool make_plan(struct release *r, struct err *e)
{
    r->plan = ARENA_NEW(r->arena, struct plan);
    if (!plan_make(r->target, &r->live, &r->options.plan, r->plan, e))
        return err_wrap(e, "plan");
    r->name = r->plan->release;
    return true;
}

bool release_open(struct arena *a, struct target *t, const struct report_sink *sink,
                  const struct release_options *options, struct release *ret, struct err *e)
{
    begin(a, t, sink, options, ret);
    struct release *r = ret;
    /* Before the lease, because taking it creates the schema whose absence is the question. */
    enum schema_presence schema;
    if (!schema_look(t->db, &schema, e))
        return false;
    if (schema == SCHEMA_ABSENT_BESIDE_HISTORY && !options->plan.adopt) {
        err_set(e, ERR_BLOCKED,
                "migrations are applied, but Lockflight has no journal here: it never released to "
                "this database, or the database was reset");
        err_state(e, "nothing was changed");
        return err_hint(e, "lockflight deploy %s --adopt", t->name);
    }
    struct lease_taken taken;
    if (!take_lease(r, "deploy", false, &taken, e) || !live_read(t, &r->live, e))
        return false;
    if (!live_is_settled(&r->live, t->name, e) || !make_plan(r, e))
        return false;
    if (r->plan->gates_closed == 0 && plan_is_live(r->plan, &r->live)) {
        r->is_live_already = true;
        return r->plan->drift.state != DRIFT_FOUND || !options->plan.accept_drift ||
               drift_keep(lease_db(r->lease), a, e);
    }
    if (r->plan->gates_closed == 0 && r->plan->lint_warning)
        report_warn(r->sink, "%s", r->plan->lint_warning);
    if (r->plan->gates_closed == 0 && options->agree &&
        !options->agree(options->context, r->plan, &r->live, e))
        return false;
    return write_begin(r, e);
}

/* ---- without the rest ---- */

static bool ask_gates(struct release *r, struct err *e)
{
    release_summary(r, "%zu open, source %.12s", r->plan->gates_n, r->plan->source.digest);
    return plan_gates_open(r->plan, e);
}

static bool try_phase(struct release *r, const char *name,
                      bool (*run)(struct release *r, struct err *e), struct err *e)
{
    r->summary = "";
    report_begin(r->sink, name, "%s", phase_find(name)->title);
    bool ok = run(r, e);
    report_done(r->sink, ok ? REPORT_OK : REPORT_WAIT, name, "%s", ok ? r->summary : e->why);
    return ok || err_wrap(e, "%s", name);
}

bool release_try(struct arena *a, struct target *t, const struct report_sink *sink,
                 const struct release_options *options, struct release *ret, struct err *e)
{
    begin(a, t, sink, options, ret);
    return live_read(t, &ret->live, e) && live_is_settled(&ret->live, t->name, e) &&
           make_plan(ret, e) && try_phase(ret, "gate", ask_gates, e) &&
           try_phase(ret, "test", phase_find("test")->run, e);
}

bool release_open_rollback(struct arena *a, struct target *t, const struct report_sink *sink,
                           const struct release_options *options, struct release *ret,
                           struct err *e)
{
    begin(a, t, sink, options, ret);
    struct lease_taken taken;
    if (!take_lease(ret, "rollback", true, &taken, e) || !live_read(t, &ret->live, e))
        return false;
    return live_is_settled(&ret->live, t->name, e);
}

/* ---- after a crash ---- */

static bool drain(struct release *r, struct err *e)
{
    int64_t left_ms = lease_drain_left_ms(r->lease);
    if (left_ms <= 0)
        return true;
    report_begin(r->sink, "drain", "A call of the interrupted run may still be on its way");
    if (!lease_drain(r->lease, e)) {
        report_done(r->sink, REPORT_FAIL, "drain", "%s", e->why);
        return false;
    }
    report_done(r->sink, REPORT_OK, "drain", "waited %s", clock_duration(r->arena, left_ms));
    return true;
}

/* What a person decided when the interrupted release began is still decided. */
static void remember_decisions(struct release *r)
{
    struct err unreadable = { 0 };
    json_auto_t *plan =
        r->live.open.plan ? json_parse(str_of(r->live.open.plan), "a plan", &unreadable) : NULL;
    const json_t *decided = json_object_get(plan, "decided");
    const char *reason = json_text_or(decided, "clear_quarantine", NULL);
    r->options.plan.clear_quarantine = reason ? arena_strdup(r->arena, reason) : NULL;
    const char *unproven = json_text_or(decided, "unproven", NULL);
    r->options.plan.unproven = unproven ? arena_strdup(r->arena, unproven) : NULL;
    r->options.plan.adopt = json_bool_or(decided, "adopt", false);
    r->options.plan.accept_drift = json_bool_or(decided, "accept_drift", false);
    r->options.plan.accept_flags = json_bool_or(decided, "accept_flags", false);
    r->options.plan.allow_older = json_bool_or(decided, "allow_older", false);
    r->options.plan.is_prebuilt = json_bool_or(decided, "prebuilt", false);
}

static bool same_content(const struct release *r, struct err *e)
{
    if (streq(r->plan->source.digest, r->live.open.source_digest))
        return true;
    err_set(e, ERR_BLOCKED,
            "this checkout is not the content of %s (digest %.12s, begun with %.12s)",
            r->live.open.name, r->plan->source.digest,
            r->live.open.source_digest ? r->live.open.source_digest : "none");
    return err_hint(e, "git checkout %.12s, or: lockflight resume %s --unwind",
                    r->live.open.git_commit ? r->live.open.git_commit : "<its commit>",
                    r->target->name);
}

bool release_lacks_folder(const struct release *r, struct err *e)
{
    const char *name = r->target->name;
    err_set(e, ERR_BLOCKED, "%s publishes a folder that was built elsewhere", r->name);
    return err_hint(e,
                    "lockflight resume %s --prebuilt <folder>, or: lockflight resume %s --unwind",
                    name, name);
}

static bool has_site(struct release *r, struct err *e)
{
    const struct step *draft = step_find(r, "draft", STEP_PHASE, "draft");
    return !r->options.plan.is_prebuilt || r->options.prebuilt_dir ||
           (draft && draft->state == STEP_DONE) || release_lacks_folder(r, e);
}

/* Left by release_take_back in the manifest of the release that it takes back. */
static enum layer asked_reach(const struct release_record *open)
{
    struct err unreadable = { 0 };
    json_auto_t *kept =
        open->manifest ? json_parse(str_of(open->manifest), "a manifest", &unreadable) : NULL;
    return (enum layer)json_int_or(kept, "take_back_through", LAYER_NONE);
}

bool release_open_again(struct arena *a, struct target *t, const struct report_sink *sink,
                        const struct release_options *options, struct release *ret, struct err *e)
{
    begin(a, t, sink, options, ret);
    struct release *r = ret;
    struct lease_taken taken;
    if (!take_lease(r, "resume", true, &taken, e) || !live_read(t, &r->live, e))
        return false;
    if (!r->live.has_open)
        return true;
    const struct release_record *open = &r->live.open;
    r->id = open->id;
    r->kind = open->kind;
    r->state = open->state;
    r->reason = open->note;
    r->reach = asked_reach(open);
    if (!drain(r, e) || !journal_reopen(r->lease, a, open->id, &r->journal, e) || !step_load(r, e))
        return false;
    r->name = open->name;
    r->is_resumed = true;
    if (options->only_way_back || !streq(r->kind, "deploy") || open->state != RELEASE_FORWARD)
        return true;
    remember_decisions(r);
    if (!has_site(r, e))
        return false;
    r->live.has_open = false; /* the open one is ours; the plan is made as if there were none */
    bool ok = make_plan(r, e);
    r->name = open->name;
    return ok && same_content(r, e);
}

void release_close(struct release *r)
{
    if (r->target)
        target_guard(r->target, NULL);
    lease_close(r->lease);
    r->lease = NULL;
    if (r->plan)
        plan_done(r->plan);
    r->plan = NULL;
    step_list_free(&r->steps);
    live_done(&r->live);
}
