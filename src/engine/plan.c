/*
 * Making a plan: see plan.h. The gates are in plan_gates.c, the JSON form in plan_json.c.
 */
#include "engine/plan.h"

#include "base/vec.h"
#include "config/vendor.h"
#include "engine/artifact_store.h"

/* ---- functions ---- */

/* Unchanged means: the same sources as this environment's last release sent, and the bundle that
 * came out of them is the one that runs. Without a record of ours the running source itself is
 * fetched and compared. */
static bool compare(struct target *t, const struct live *live, struct plan_function *f,
                    struct err *e)
{
    const char *slug = f->source.slug;
    f->live = live_function(live, slug);
    f->mark = f->live ? PLAN_CHANGE : PLAN_ADD;
    if (!f->live)
        return true;
    const char *source = live_function_source(live, slug);
    const char *hash = live_function_hash(live, slug);
    if (source && hash) {
        f->drifted = !streq(hash, f->live->ezbr_sha256);
        if (!f->drifted && streq(source, f->source.digest))
            f->mark = PLAN_SAME;
        if (!f->drifted)
            return true;
    }
    struct function_source running;
    struct err unreadable = { 0 };
    if (supabase_function_source(t->supabase, t->arena, slug, &running, &unreadable) &&
        streq(running.digest, f->source.digest))
        f->mark = PLAN_SAME;
    (void)e;
    return true;
}

static bool plan_functions(struct target *t, const struct live *live, struct plan *plan,
                           struct err *e)
{
    const struct supabase_config *config = &t->environment.supabase_config;
    plan->functions = ARENA_ARRAY(t->arena, struct plan_function, config->functions_n + 1);
    for (size_t i = 0; i < config->functions_n; i++) {
        const struct config_function *declared = &config->functions[i];
        if (!declared->is_enabled)
            continue;
        struct plan_function *f = &plan->functions[plan->functions_n];
        if (!target_function_source(t, declared, live_function(live, declared->slug), &f->source,
                                    e))
            return err_wrap(e, "function %s", declared->slug);
        if (!compare(t, live, f, e))
            return false;
        plan->functions_n++;
        plan->functions_changed += f->mark != PLAN_SAME;
    }
    return true;
}

/* ---- variables ---- */

/* The old value of a variable that is not secret is in the manifest, if it is still the one that is
 * set. */
static bool manifest_has_value(const struct live *live, const char *name, const char *digest)
{
    const json_t *kept = json_object_get(json_object_get(live->manifest, "variables"), name);
    return json_text_or(kept, "value", NULL) && streq(json_text_or(kept, "digest", ""), digest);
}

/* The secrets file keeps the values before. */
static bool file_has_value(const struct variable_spec *spec, const char *digest)
{
    return spec->vault && vault_find_digest(spec->vault, spec->name, digest) > 0;
}

static void plan_variables(struct target *t, const struct live *live, struct plan *plan)
{
    struct variable_digest *host =
        ARENA_ARRAY(t->arena, struct variable_digest, live->secrets_n + 1);
    for (size_t i = 0; i < live->secrets_n; i++)
        host[i] = (struct variable_digest){ live->secrets[i].name, live->secrets[i].digest };

    plan->variables_n = plan->values.n;
    plan->variables = ARENA_ARRAY(t->arena, struct plan_variable, plan->values.n + 1);
    for (size_t i = 0; i < plan->values.n; i++) {
        struct plan_variable *p = &plan->variables[i];
        p->variable = &plan->values.v[i];
        enum variable_change change =
            variable_compare(p->variable, host, live->secrets_n, &p->before_digest);
        p->mark = change == VARIABLE_SAME  ? PLAN_SAME
                  : change == VARIABLE_ADD ? PLAN_ADD
                                           : PLAN_CHANGE;
        p->has_undo = p->mark == PLAN_ADD ||
                      (p->before_digest &&
                       (manifest_has_value(live, p->variable->spec->name, p->before_digest) ||
                        file_has_value(p->variable->spec, p->before_digest)));
        plan->variables_changed += p->mark != PLAN_SAME;
    }
}

/* ---- proof ---- */

static bool read_proof_manifest(struct target *required, struct plan *plan, struct err *e)
{
    json_auto_t *claims = json_parse(str_of(plan->proof.claims), "the attestation", e);
    if (!claims)
        return false;
    struct arena *a = plan->arena;
    const char *permalink = json_text_or(claims, "permalink", NULL);
    plan->proof_permalink = permalink ? arena_strdup(a, permalink) : NULL;
    const char *manifest = json_text_or(claims, "manifest", NULL);
    struct str text;
    struct err missing = { 0 };
    if (!manifest || !artifact_get(required->db, a, manifest, &text, &missing))
        return true; /* nothing to fetch by: the site is built again and compared */
    plan->proof_manifest = json_parse(text, "the attested site's manifest", e);
    return plan->proof_manifest != NULL;
}

static bool plan_proof(struct target *t, struct plan *plan, struct err *e)
{
    plan->requires = t->environment.requires;
    plan->is_rebuild = t->config->artefact == ARTEFACT_REBUILD;
    if (!plan->requires)
        return true;
    CLEANUP(target) struct target required = { 0 };
    if (!target_open_database(t->arena, t->config, plan->requires, &required, e))
        return false;
    if (!attestation_find(required.db, t->arena, plan->requires, plan->source.digest, &plan->proof,
                          &plan->has_proof, e))
        return err_wrap(e, "look for the proof of %s", plan->requires);
    if (plan->has_proof && t->environment.declared->soak_ms > 0 &&
        !attestation_stay(required.db, t->arena, &plan->proof, &plan->stay, e))
        return false;
    return !plan->has_proof || read_proof_manifest(&required, plan, e);
}

/* ---- pairs of scripts ---- */

/* Proved here, or in the environment that must have had them first. */
static bool plan_pairs(struct target *t, struct plan *plan, struct err *e)
{
    struct arena *a = plan->arena;
    const struct migration *const *v = plan->schema.pending;
    size_t n = plan->schema.pending_count;
    int major = pg_server_version(t->db) / 10000;
    const struct migration **unproven;
    plan->pairs = ARENA_ARRAY(a, struct proof_row, n + 1);
    if (!proof_find(t->db, a, v, n, major, plan->pairs, e))
        return false;
    if (!plan->requires || plan_unproven(plan, &unproven) == 0)
        return true;
    CLEANUP(target) struct target required = { 0 };
    struct proof_row *there = ARENA_ARRAY(a, struct proof_row, n + 1);
    if (!target_open_database(a, t->config, plan->requires, &required, e) ||
        !proof_find(required.db, a, v, n, major, there, e))
        return err_wrap(e, "look for proofs of %s", plan->requires);
    for (size_t i = 0; i < n; i++)
        if (!plan->pairs[i].is_found)
            plan->pairs[i] = there[i];
    return true;
}

size_t plan_unproven(const struct plan *plan, const struct migration ***ret)
{
    size_t n = 0;
    *ret = ARENA_ARRAY(plan->arena, const struct migration *, plan->schema.pending_count + 1);
    for (size_t i = 0; i < plan->schema.pending_count; i++)
        if (plan->schema.pending[i]->has_reverse && !plan->pairs[i].is_found)
            (*ret)[n++] = plan->schema.pending[i];
    return n;
}

/* ---- the whole ---- */

/* The same content keeps the name it was first proved or released under. */
static const char *choose_name(const struct plan *plan, const struct live *live)
{
    if (plan->has_proof && plan->proof.release_name)
        return plan->proof.release_name;
    if (live->has_release &&
        streq(json_text_or(live->manifest, "source", NULL), plan->source.digest))
        return live_release_name(live);
    return plan->source.release;
}

/* Where the built site is, relative to the project: what a folder without git must leave out. */
static const char *relative_publish(const struct config *config)
{
    const char *publish = config->netlify.publish;
    if (!publish || !starts_with(publish, config->dir))
        return "";
    const char *rest = publish + strlen(config->dir);
    return *rest == '/' ? rest + 1 : rest;
}

/* SHA-256 of the per-environment file's values: two releases of equal content may still differ in
 * them. */
static const char *digest_values(struct arena *a, const struct variable_set *values)
{
    struct hash *h = hash_new(HASH_SHA256);
    for (size_t i = 0; i < values->n; i++) {
        struct str value = secret_reveal(values->v[i].value);
        hash_add(h, values->v[i].spec->name, strlen(values->v[i].spec->name) + 1);
        hash_add(h, value.p, value.n);
        hash_add(h, "", 1);
    }
    char hex[SHA256_HEX_BYTES];
    hash_finish(h, hex);
    return arena_strdup(a, hex);
}

bool plan_make(struct target *t, const struct live *live, const struct plan_options *options,
               struct plan *ret, struct err *e)
{
    struct arena *a = t->arena;
    *ret = (struct plan){ .arena = a, .options = *options, .environment = t->name };
    struct source_spec spec = { .project_dir = t->config->dir,
                                .publish_dir = relative_publish(t->config),
                                .secrets_dir =
                                    config_shown_path(t->config, t->config->paths.secrets),
                                .variable_names = target_variable_names(a, t->config) };
    if (!source_read(a, &spec, &ret->source, e) || !plan_proof(t, ret, e) ||
        !plan_functions(t, live, ret, e))
        return false;
    ret->release = choose_name(ret, live);
    if (!migration_read(a, t->config->paths.migrations, t->config->paths.reverse, &ret->migrations,
                        e))
        return err_wrap(e, "read the migrations");
    migration_plan(a, &ret->migrations, &live->history, &ret->schema);
    if (!plan_pairs(t, ret, e) || !plan_find_locks(t, ret, e) ||
        !drift_look(t->db, a, &ret->drift, e) || !plan_find_flags(t, live, ret, e))
        return false;

    CLEANUP(variable_set) struct variable_set runtime = { 0 };
    struct err unresolved = { 0 };
    bool resolved =
        target_variables(t, VAR_TO_SUPABASE, &ret->values, &unresolved) &&
        target_variables(t, VAR_TO_RUNTIME | VAR_TO_NETLIFY_FUNCTIONS, &runtime, &unresolved);
    if (resolved)
        ret->runtime_digest = digest_values(a, &runtime);
    else
        plan_gate(ret, "variables",
                  arena_printf(a, "%s%s%s", unresolved.why, unresolved.where[0] ? " at " : "",
                               unresolved.where),
                  unresolved.hint[0] ? arena_strdup(a, unresolved.hint) : NULL);
    plan_variables(t, live, ret);
    return plan_find_gates(t, live, options, ret, e);
}

void plan_done(struct plan *plan)
{
    variables_free(&plan->values);
    json_decref(plan->proof_manifest);
    plan->proof_manifest = NULL;
}

bool plan_is_live(const struct plan *plan, const struct live *live)
{
    return live->has_release && plan->functions_changed == 0 && plan->variables_changed == 0 &&
           plan->schema.pending_count == 0 && !definition_has_work(&plan->flags) &&
           plan->runtime_digest &&
           streq(json_text_or(live->manifest, "source", NULL), plan->source.digest) &&
           streq(json_text_or(live->manifest, "runtime", NULL), plan->runtime_digest) &&
           streq(json_text_or(live->manifest, "deploy", NULL), live->site.published_id);
}

void plan_gate(struct plan *plan, const char *name, const char *closed, const char *next)
{
    if (plan->gates_n == plan->gates_capacity)
        plan->gates = vec_grow(plan->arena, plan->gates, &plan->gates_capacity, plan->gates_n,
                               sizeof plan->gates[0]);
    plan->gates[plan->gates_n++] =
        (struct plan_gate){ closed ? GATE_WAIT : GATE_OK, name, closed, next };
    plan->gates_closed += closed != NULL;
}

bool plan_gates_open(const struct plan *plan, struct err *e)
{
    for (size_t i = 0; i < plan->gates_n; i++) {
        const struct plan_gate *gate = &plan->gates[i];
        if (gate->state == GATE_OK)
            continue;
        err_set(e, ERR_BLOCKED, "%s", gate->text);
        if (gate->next)
            err_hint(e, "%s", gate->next);
        err_state(e, "nothing was changed");
        return err_wrap(e, "gate %s", gate->name);
    }
    return true;
}
