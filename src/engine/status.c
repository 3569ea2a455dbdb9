/*
 * Reading and telling an environment's state: see status.h.
 */
#include "engine/status.h"

#include "base/clock.h"
#include "base/vec.h"
#include "engine/attestation.h"
#include "engine/rollback.h"
#include "engine/rotation.h"
#include "engine/variable_mark.h"
#include "engine/variable_push.h"
#include "migrate/catalogue/catalogue.h"
#include "migrate/prove/drift.h"

typedef VEC(struct status_drift) drift_list;

static void add_drift(struct arena *a, drift_list *list, const char *layer, const char *text)
{
    *vec_add(list, a) = (struct status_drift){ layer, text };
}

/* ---- functions ---- */

static void drift_functions(struct target *t, const struct live *live, drift_list *list)
{
    const char *slug;
    json_t *kept;
    json_object_foreach (json_object_get(live->manifest, "functions"), slug, kept) {
        const struct supabase_function *f = live_function(live, slug);
        if (!f)
            add_drift(t->arena, list, "functions",
                      arena_printf(t->arena, "function %s is gone", slug));
        else if (!streq(f->ezbr_sha256, json_text_or(kept, "hash", "")))
            add_drift(t->arena, list, "functions",
                      arena_printf(t->arena, "function %s was deployed outside Lockflight (v%lld)",
                                   slug, (long long)f->version));
    }
}

/* How many functions of this checkout are not what runs. A function that cannot be read counts as
 * changed. */
static size_t count_changed(struct target *t, const struct live *live)
{
    const struct supabase_config *config = &t->environment.supabase_config;
    size_t changed = 0;
    for (size_t i = 0; i < config->functions_n; i++) {
        const struct config_function *f = &config->functions[i];
        if (!f->is_enabled)
            continue;
        struct function_source source;
        struct err unreadable = { 0 };
        const char *kept = live_function_source(live, f->slug);
        changed +=
            !kept ||
            !target_function_source(t, f, live_function(live, f->slug), &source, &unreadable) ||
            !streq(kept, source.digest);
    }
    return changed;
}

/* ---- variables ---- */

static void drift_variables(struct target *t, const struct live *live, drift_list *list)
{
    const char *name;
    json_t *kept;
    struct err unread = { 0 };
    json_auto_t *sent = variable_push_sent(t->db, t->name, &unread); /* later than the release */
    json_object_foreach (json_object_get(live->manifest, "variables"), name, kept) {
        const char *digest = live_secret_digest(live, name);
        if (!digest)
            add_drift(t->arena, list, "variables",
                      arena_printf(t->arena, "secret %s is gone", name));
        else if (variable_mark_is(t, name, kept, digest) == MARK_OTHER &&
                 variable_mark_is(t, name, json_object_get(sent, name), digest) != MARK_SAME)
            add_drift(t->arena, list, "variables",
                      arena_printf(t->arena, "secret %s changed outside Lockflight", name));
    }
}

/* ---- database, proof ---- */

static bool count_migrations(struct target *t, struct status *s, drift_list *list, struct err *e)
{
    struct migration_set set;
    struct migration_plan plan;
    if (!migration_read(t->arena, t->config->paths.migrations, t->config->paths.reverse, &set, e))
        return err_wrap(e, "read the migrations");
    migration_plan(t->arena, &set, &s->live.history, &plan);
    s->pending = plan.pending_count;
    s->ahead = rollback_ahead(&s->live);
    for (size_t i = 0; i < plan.n; i++) {
        if (plan.v[i].status == MIGRATION_CHANGED || plan.v[i].status == MIGRATION_MISSING)
            add_drift(t->arena, list, "database",
                      arena_printf(t->arena, "migration %s: %s", plan.v[i].row->version,
                                   migration_status_name(plan.v[i].status)));
    }
    return true;
}

static bool drift_database(struct target *t, drift_list *list, struct err *e)
{
    struct drift found;
    if (!drift_look(t->db, t->arena, &found, e))
        return false;
    if (found.state == DRIFT_FOUND)
        add_drift(
            t->arena, list, "database",
            arena_printf(t->arena, "changed outside Lockflight: %s", drift_text(t->arena, &found)));
    return true;
}

/* Content the required environment has proved, and that is not live here. A required environment
 * that cannot be reached is not this one's problem. */
static void find_waiting(struct target *t, struct status *s)
{
    CLEANUP(target) struct target required = { 0 };
    struct err unreachable = { 0 };
    struct attestation proof;
    bool found = false;
    if (!t->environment.requires ||
        !target_open_database(t->arena, t->config, t->environment.requires, &required,
                              &unreachable) ||
        !attestation_newest(required.db, t->arena, t->environment.requires, &proof, &found,
                            &unreachable) ||
        !found)
        return;
    if (streq(proof.source_digest, json_text_or(s->live.manifest, "source", NULL)))
        return;
    s->waiting = proof.release_name;
    struct release_record quarantined;
    if (journal_find_quarantine(t->db, t->arena, t->name, proof.source_digest, &quarantined, &found,
                                &unreachable) &&
        found)
        s->waiting_reason =
            quarantined.quarantine_reason ? quarantined.quarantine_reason : "no reason given";
}

bool status_read(struct target *t, bool with_catalogue, struct status *ret, struct err *e)
{
    *ret = (struct status){
        .environment = t->name, .site_url = t->site_url, .site = "", .functions = ""
    };
    drift_list drift = { 0 };
    if (!live_read(t, &ret->live, e) || !count_migrations(t, ret, &drift, e))
        return false;
    if (with_catalogue && !drift_database(t, &drift, e))
        return false;
    if (with_catalogue && !catalogue_digest(t->db, ret->catalogue, e))
        return err_wrap(e, "digest the catalogue of %s", t->name);
    const struct live *live = &ret->live;
    ret->site = live_title_release(t->arena, live->site.published_title);
    ret->functions = live_functions_release(t, live);
    ret->functions_changed = count_changed(t, live);
    const char *deploy = json_text_or(live->manifest, "deploy", NULL);
    if (deploy && !live->has_open && !streq(deploy, live->site.published_id))
        add_drift(t->arena, &drift, "site",
                  arena_printf(t->arena, "deploy %s was published outside Lockflight",
                               live->site.published_id));
    if (!live->has_open) {
        drift_functions(t, live, &drift);
        drift_variables(t, live, &drift);
    }
    ret->to_rotate =
        rotation_due(t->arena, t->config, live->secrets, live->secrets_n, clock_unix_ms());
    find_waiting(t, ret);
    ret->drift = drift.v;
    ret->drift_n = drift.n;
    return true;
}

void status_done(struct status *s)
{
    live_done(&s->live);
}

/* ---- telling ---- */

static const char *ago(struct arena *a, int64_t unix_ms)
{
    int64_t ms = clock_unix_ms() - unix_ms;
    return arena_printf(a, "%s ago", clock_duration(a, ms > 0 ? ms : 0));
}

const char *status_sentence(struct arena *a, const struct status *s)
{
    const struct live *live = &s->live;
    if (live->has_open && live->lease.is_held)
        return arena_printf(a, "%s %s by %s is running", live->open.kind, live->open.name,
                            live->lease.holder);
    if (live->has_open)
        return arena_printf(a, "%s %s stands at \"%s\": lockflight resume %s", live->open.kind,
                            live->open.name, release_state_name(live->open.state), s->environment);
    if (live->lease.is_locked)
        return arena_printf(a, "locked by %s: %s", live->lease.locked_by, live->lease.lock_reason);
    if (live->lease.is_held)
        return arena_printf(a, "%s by %s is running", live->lease.purpose, live->lease.holder);
    if (!live->has_release)
        return "nothing released yet";
    return arena_printf(a, "%s %s",
                        streq(live->release.kind, "rollback") ? "rolled back" : "released",
                        ago(a, live->release.finished_unix_ms));
}

static json_t *text_or_null(const char *text)
{
    return text && text[0] ? json_string(text) : json_null();
}

static json_t *functions_json(const struct live *live)
{
    json_t *functions = json_object();
    for (size_t i = 0; i < live->functions_n; i++)
        json_object_set_new(functions, live->functions[i].slug,
                            json_pack("{s:s, s:I}", "hash", live->functions[i].ezbr_sha256,
                                      "version", (json_int_t)live->functions[i].version));
    return functions;
}

static json_t *variables_json(const struct live *live)
{
    json_t *variables = json_object();
    for (size_t i = 0; i < live->secrets_n; i++)
        json_object_set_new(variables, live->secrets[i].name, json_string(live->secrets[i].digest));
    return variables;
}

static json_t *migrations_json(const struct live *live)
{
    json_t *list = json_array();
    for (size_t i = 0; i < live->history.n; i++)
        json_array_append_new(list, json_string(live->history.v[i].version));
    return list;
}

static json_t *drift_json(const struct status *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->drift_n; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "layer", s->drift[i].layer, "text", s->drift[i].text));
    return list;
}

json_t *status_json(struct arena *a, const struct status *s)
{
    const struct live *live = &s->live;
    json_t *site = json_pack("{s:o, s:s, s:o, s:b}", "release", text_or_null(s->site), "url",
                             s->site_url, "deploy", text_or_null(live->site.published_id), "locked",
                             (int)live->site.is_locked);
    json_t *functions =
        json_pack("{s:o, s:I, s:o}", "release", text_or_null(s->functions), "changed",
                  (json_int_t)s->functions_changed, "running", functions_json(live));
    json_t *database = json_pack("{s:I, s:I, s:o, s:o}", "pending", (json_int_t)s->pending, "ahead",
                                 (json_int_t)s->ahead, "applied", migrations_json(live),
                                 "catalogue", text_or_null(s->catalogue));
    json_t *lock = live->lease.is_locked ? json_pack("{s:s, s:s}", "by", live->lease.locked_by,
                                                     "reason", live->lease.lock_reason)
                                         : json_null();
    json_t *open = live->has_open ? json_pack("{s:s, s:s, s:s, s:s}", "id", live->open.id,
                                              "release", live->open.name, "kind", live->open.kind,
                                              "state", release_state_name(live->open.state))
                                  : json_null();
    json_t *rotate = json_array();
    for (size_t i = 0; i < s->to_rotate.n; i++)
        json_array_append_new(rotate, json_string(s->to_rotate.v[i]));
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "environment",
                     s->environment, "state", status_sentence(a, s), "release",
                     text_or_null(live_release_name(live)), "site", site, "functions", functions,
                     "database", database, "variables", variables_json(live), "lease_free",
                     (int)!live->lease.is_held, "lock", lock, "open", open, "drift", drift_json(s),
                     "rotate", rotate);
}
