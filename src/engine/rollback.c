/*
 * Going back: see rollback.h. The layers are a table, walked down; planning is in
 * rollback_plan.c.
 */
#include "engine/rollback.h"

#include "base/clock.h"
#include "base/fault.h"
#include "engine/function_switch.h"
#include "engine/previous.h"
#include "engine/publish_site.h"
#include "engine/variable_restore.h"
#include "migrate/apply/apply.h"

struct back {
    struct release *r;
    const struct rollback_plan *plan;
    const char *answering; /* the release whose functions answer now */
    json_t *functions;     /* what the restored functions run; owned */
    struct step *step;     /* the migration that is being reversed */
};

/* ---- the layers ---- */

static bool site_back(struct back *b, struct err *e)
{
    struct release *r = b->r;
    struct step *step;
    if (b->plan->deploy[0] == '\0')
        return err_set(e, ERR_NOT_FOUND, "%s had no deploy", b->plan->to.name);
    json_t *before = json_pack("{s:s, s:b}", "deploy", r->live.site.published_id, "locked",
                               (int)r->live.site.is_locked);
    if (!step_intent(r, "site", "deploy", "live", before, &step, e) ||
        !publish_site(r->target->netlify, r->arena, b->plan->deploy, true, e))
        return false;
    release_summary(r, "pointer back to %s", b->plan->to.name);
    return step_done(r, step, json_pack("{s:s}", "deploy", b->plan->deploy), e);
}

static bool functions_back(struct back *b, struct err *e)
{
    struct release *r = b->r;
    struct step *step;
    if (!step_intent(r, "functions", "functions", "restore", json_incref(b->plan->images), &step,
                     e))
        return false;
    struct function_restore_spec spec = { .supabase = r->target->supabase,
                                          .db = lease_db(r->lease),
                                          .arena = r->arena,
                                          .sink = r->sink,
                                          .phase = "functions",
                                          .images = b->plan->images,
                                          .delete_new = b->plan->through == LAYER_SCHEMA };
    const char *text;
    struct supabase_secret_value name = { LIVE_RELEASE_SECRET, str_of(b->plan->to.name) };
    if (!function_restore(&spec, &b->functions, &text, e) ||
        !supabase_secrets_set(r->target->supabase, r->arena, &name, 1, e))
        return false;
    b->answering = b->plan->to.name;
    release_summary(r, "%s", text);
    return step_done(r, step, b->functions ? json_incref(b->functions) : NULL, e);
}

static bool fence(void *context, struct pg *db, struct err *e)
{
    const struct back *b = context;
    return lease_fence(b->r->lease, db, e);
}

static bool record(void *context, struct pg *db, const char *version, struct err *e)
{
    (void)db;
    (void)version;
    const struct back *b = context;
    return step_done(b->r, b->step, NULL, e);
}

static void tell(void *context, const char *sentence)
{
    const struct back *b = context;
    report_note(b->r->sink, "database", "%s", sentence);
}

static bool reverse(struct back *b, const struct rollback_migration *m, struct err *e)
{
    struct release *r = b->r;
    bool applied = false;
    if (!migration_is_applied(lease_db(r->lease), m->row->version, &applied, e))
        return false;
    if (!applied)
        return true; /* an earlier run reversed it */
    if (!m->has_reverse)
        return err_set(e, ERR_BLOCKED, "%s has no reverse script", m->row->version);
    report_note(r->sink, "database", "reversing %s", m->row->version);
    if (!step_intent(r, "database", "reverse", m->row->version, NULL, &b->step, e))
        return false;
    struct migrate_options options = {
        MIGRATE_LIMITS(r->target->config),
        .release_id = r->id,
        .applied_by = r->options.actor,
        .epoch = lease_epoch(r->lease),
        .fence = fence,
        .record = record,
        .on_wait = tell,
        .on_progress = tell,
        .context = b,
    };
    struct migration_state state = { .status = MIGRATION_APPLIED, .row = m->row };
    return migration_reverse(lease_db(r->lease), r->arena, &state, &options, e) ||
           err_wrap(e, "reverse %s", m->row->version);
}

static bool schema_back(struct back *b, struct err *e)
{
    size_t n = b->plan->migrations_n;
    for (size_t i = 0; i < n; i++) {
        if (!reverse(b, &b->plan->migrations[i], e))
            return false;
    }
    release_summary(b->r, "%zu migration%s reversed", n, n == 1 ? "" : "s");
    return true;
}

static bool variables_back(struct back *b, struct err *e)
{
    struct release *r = b->r;
    struct step *step;
    const char *text;
    if (!step_intent(r, "variables", "supabase", "restore", json_incref(b->plan->variables), &step,
                     e) ||
        !variable_restore(r->target, b->plan->variables, true, &text, e))
        return false;
    release_summary(r, "%s", text);
    return step_done(r, step, NULL, e);
}

// clang-format off
static const struct {
    enum layer layer;
    const char *name;
    const char *title;
    bool (*back)(struct back *b, struct err *e);
} layers[] = {
    { LAYER_SITE,      "site",      "Make the old deploy live",      site_back      },
    { LAYER_FUNCTIONS, "functions", "Put the saved functions back",  functions_back },
    { LAYER_SCHEMA,    "database",  "Run the reverse scripts",       schema_back    },
    { LAYER_SCHEMA,    "variables", "Take the variables back",       variables_back },
};
// clang-format on

/* ---- proof ---- */

static bool prove(struct back *b, const char *layer, struct err *e)
{
    struct release *r = b->r;
    struct verify_spec spec = {
        .arena = r->arena,
        .phase = "verify",
        .cwd = r->target->config->dir,
        .sink = r->sink,
        .values = target_check_values(r->target, b->answering, r->target->site_url),
    };
    report_begin(r->sink, "verify", "Ask whether %s is green", b->plan->to.name);
    struct previous p = previous_ask(&spec, b->plan->manifest);
    if (!p.result.is_green) {
        report_done(r->sink, REPORT_FAIL, "verify", "%s: %s", p.result.failed, p.result.result.why);
        verify_error(&p.result, e);
        return err_wrap(e, "after %s", layer);
    }
    report_done(r->sink, REPORT_OK, "verify", "%s green", previous_count(r->arena, &p));
    return true;
}

/* ---- the end ---- */

/* Functions that the rollback deleted are not live any more. */
static void drop_deleted(const struct back *b, json_t *functions)
{
    const char *slug;
    json_t *image;
    json_object_foreach (b->plan->images, slug, image) {
        if (json_is_null(image) && b->plan->through == LAYER_SCHEMA)
            (void)json_object_del(functions, slug);
    }
}

/* What is live now: the old release's manifest, with the functions and variables as
 * they are. Its list of migrations stays: what the database has beyond it is ahead, and
 * can still be taken back. */
static bool write_manifest(struct back *b, struct err *e)
{
    struct release *r = b->r;
    json_auto_t *manifest = json_deep_copy(b->plan->manifest);
    json_t *functions = json_object_get(r->live.manifest, "functions");
    functions = functions ? json_deep_copy(functions) : json_object();
    if (b->functions)
        json_object_update(functions, b->functions);
    drop_deleted(b, functions);
    json_object_set_new(manifest, "functions", functions);
    json_t *variables = json_object_get(r->live.manifest, "variables");
    if (variables && b->plan->through != LAYER_SCHEMA)
        json_object_set(manifest, "variables", variables);
    struct release_facts facts = { .artefact_digest = b->plan->to.artefact_digest,
                                   .manifest_patch = manifest };
    return journal_facts(r->journal, &facts, e);
}

static bool fail(struct back *b, const char *layer, struct err *e)
{
    struct release *r = b->r;
    struct err unwritten = { 0 };
    if (r->is_unrecorded || e->code == ERR_FENCED) {
        err_recode(e, e->code == ERR_FENCED ? ERR_FENCED : ERR_INTERRUPTED);
        return err_hint(e, "lockflight resume %s", r->target->name);
    }
    if (!journal_state(r->journal, RELEASE_STUCK, e->why, &unwritten))
        report_warn(r->sink, "the end could not be recorded: %s", unwritten.why);
    bool left = false;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        left |= streq(layers[i].name, layer);
        if (left && layers[i].layer <= b->plan->through)
            report_say(r->sink, "  left to bring back: %s", layers[i].name);
    }
    err_recode(e, ERR_STUCK);
    return err_hint(e, "lockflight resume %s", r->target->name);
}

static bool go(struct back *b, struct err *e)
{
    struct release *r = b->r;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        if (layers[i].layer > b->plan->through)
            break;
        int64_t started_ms = clock_boot_ms();
        report_begin(r->sink, layers[i].name, "%s", layers[i].title);
        bool ok = FAULT_POINT(arena_printf(r->arena, "rollback.%s.begun", layers[i].name), e) &&
                  layers[i].back(b, e);
        if (!ok) {
            report_done(r->sink, REPORT_FAIL, layers[i].name, "%s", e->why);
            err_wrap(e, "%s", layers[i].name);
            return fail(b, layers[i].name, e);
        }
        report_done(r->sink, REPORT_UNDO, layers[i].name, "%s, %s", r->summary,
                    clock_duration(r->arena, clock_boot_ms() - started_ms));
        if (!prove(b, layers[i].name, e))
            return fail(b, layers[i].name, e);
    }
    if (!write_manifest(b, e) || !journal_state(r->journal, RELEASE_COMMITTED, r->reason, e)) {
        r->is_unrecorded = true;
        return fail(b, "", e);
    }
    return true;
}

static bool run(struct release *r, const struct rollback_plan *plan, struct err *e)
{
    const char *answering = live_functions_release(r->target, &r->live);
    struct back b = { .r = r, .plan = plan, .answering = answering };
    release_turn_back(r);
    bool ok = go(&b, e);
    json_decref(b.functions);
    return ok;
}

bool rollback_run(struct release *r, const struct rollback_plan *plan, const char *reason,
                  struct err *e)
{
    json_auto_t *note = json_pack("{s:i, s:s, s:s, s:i}", "v", 1, "to", plan->to.id, "from",
                                  plan->from.id, "through", (int)plan->through);
    struct release_record record = {
        .name = plan->to.name,
        .target = r->target->name,
        .kind = "rollback",
        .restores = plan->to.id,
        .previous = plan->to.previous,
        .source_digest = plan->to.source_digest,
        .artefact_digest = plan->to.artefact_digest,
        .git_commit = plan->to.git_commit,
        .git_subject = plan->to.git_subject,
        .actor = r->options.actor,
        .plan = json_text(r->arena, note),
    };
    if (!journal_begin(r->lease, r->arena, &record, &r->journal, e))
        return err_wrap(e, "begin the journal");
    r->id = journal_release_id(r->journal);
    r->name = plan->to.name;
    r->kind = "rollback";
    r->reason = reason;
    if (!streq(plan->from.id, plan->to.id) &&
        !journal_quarantine(r->lease, plan->from.id, r->options.actor, reason, e))
        return err_wrap(e, "quarantine %s", plan->from.name);
    return run(r, plan, e);
}

bool rollback_again(struct release *r, struct err *e)
{
    json_auto_t *note =
        json_parse(str_of(r->live.open.plan ? r->live.open.plan : "{}"), "the rollback's plan", e);
    if (!note)
        return false;
    enum layer through = (enum layer)json_int_or(note, "through", LAYER_FUNCTIONS);
    if (!r->reason)
        r->reason = "rolled back";
    CLEANUP(rollback_plan) struct rollback_plan plan = { 0 };
    if (!rollback_plan_make(r->target, &r->live, r->live.open.restores, through, &plan, e))
        return false;
    return run(r, &plan, e);
}
