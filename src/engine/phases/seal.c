/*
 * Phase 10: what is live now is written down as proved, for the next release, for the next
 * environment, and for the way back. Nothing of the world changes here but the site-wide variables,
 * which only later builds of the host read.
 */
#include "engine/attestation.h"
#include "engine/draft_site.h"
#include "engine/flag_seal.h"
#include "engine/phase_table.h"
#include "engine/site_variables.h"
#include "engine/variable_mark.h"
#include "engine/variable_push.h"

/* ---- the manifest: live.h has its form ---- */

static json_t *functions_live(struct release *r)
{
    json_t *functions = json_object();
    const struct step *step = step_find(r, "functions", "functions", "switch");
    for (size_t i = 0; i < r->plan->functions_n; i++) {
        const struct plan_function *f = &r->plan->functions[i];
        json_t *switched = step ? json_object_get(step->after, f->source.slug) : NULL;
        if (switched)
            json_object_set(functions, f->source.slug, switched);
        else if (f->live)
            json_object_set_new(functions, f->source.slug,
                                json_pack("{s:s, s:s, s:I}", "source", f->source.digest, "hash",
                                          f->live->ezbr_sha256, "version",
                                          (json_int_t)f->live->version));
    }
    return functions;
}

static json_t *variables_live(const struct release *r)
{
    json_t *variables = json_object();
    for (size_t i = 0; i < r->plan->values.n; i++) {
        const struct variable *v = &r->plan->values.v[i];
        char digest[SHA256_HEX_BYTES];
        secret_digest(v->value, digest);
        json_t *one = variable_mark(v->spec, digest);
        if (!v->spec->is_secret) {
            struct str value = secret_reveal(v->value);
            json_object_set_new(one, "value", json_stringn(value.p, value.n));
        }
        json_object_set_new(variables, v->spec->name, one);
    }
    return variables;
}

static json_t *packed_checks(const struct release *r, const struct text_array *names)
{
    json_t *list = json_array();
    for (size_t i = 0; i < names->n; i++) {
        const struct config_check *check = config_check_find(r->target->config, names->v[i]);
        if (check)
            json_array_append_new(list, check_pack(check));
    }
    return list;
}

static bool make_manifest(struct release *r, json_t **ret, struct err *e)
{
    struct history history;
    if (!history_read(lease_db(r->lease), r->arena, &history, e))
        return false;
    json_t *migrations = json_array();
    for (size_t i = 0; i < history.n; i++)
        json_array_append_new(migrations, json_string(history.v[i].version));
    const struct config_env *env = r->target->environment.declared;
    json_t *checks = json_pack("{s:o, s:o}", "backend", packed_checks(r, &env->checks.backend),
                               "site", packed_checks(r, &env->checks.site));
    *ret = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o}", "release", r->name,
                     "source", r->plan->source.digest, "artefact", draft_artefact(r), "deploy",
                     draft_deploy_id(r), "permalink", draft_permalink(r), "runtime",
                     r->plan->runtime_digest ? r->plan->runtime_digest : "", "locked", 1,
                     "functions", functions_live(r), "variables", variables_live(r), "migrations",
                     migrations, "checks", checks);
    if (!r->plan->source.is_dirty)
        json_object_set_new(*ret, "commit", json_string(r->plan->source.commit));
    return true;
}

/* The schema as this release leaves it: what differs later was done by somebody else. Known drift stays
 * known until a person accepts it. */
static bool keep_catalogue(struct release *r, struct err *e)
{
    struct drift now;
    if (!proof_mark_applied(lease_db(r->lease), e) ||
        !drift_look(lease_db(r->lease), r->arena, &now, e))
        return false;
    if (now.state == DRIFT_NONE || (now.state == DRIFT_FOUND && !r->options.plan.accept_drift))
        return true;
    return drift_keep(lease_db(r->lease), r->arena, e);
}

/* ---- the attestation ---- */

static bool attest(struct release *r, struct err *e)
{
    const struct config *config = r->target->config;
    const struct step *draft = step_find(r, DRAFT_PHASE, DRAFT_KIND, NULL);
    json_auto_t *claims = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b}", "tests", config->test.run ? "passed" : "none declared",
        "permalink", draft_permalink(r), "deploy", draft_deploy_id(r), "manifest",
        json_text_or(draft->after, "manifest", ""), "requires",
        r->plan->requires ? r->plan->requires : "none", "rebuilt", (int)r->plan->is_rebuild);
    struct attestation x = {
        .environment = r->target->name,
        .release_id = r->id,
        .release_name = r->name,
        .source_digest = r->plan->source.digest,
        .artefact_digest = draft_artefact(r),
        .claims = json_text(r->arena, claims),
        .created_by = r->options.actor,
    };
    return attestation_write(r->lease, &x, e);
}

bool seal_run(struct release *r, struct err *e)
{
    json_t *manifest = NULL;
    if (!make_manifest(r, &manifest, e))
        return false;
    struct release_facts facts = { .manifest_patch = manifest };
    bool kept = journal_facts(r->journal, &facts, e);
    json_decref(manifest);
    if (!kept || !variable_push_forget(r->lease, e) || !flag_seal(r, e) || !keep_catalogue(r, e) ||
        !attest(r, e))
        return false;
    struct err left = { 0 };
    size_t set = 0;
    /* the draft carried its own values; these are for builds that the host starts itself */
    if (!site_variables_level(r->target, r->lease, &set, &left))
        report_warn(r->sink, "the site-wide variables could not be brought level: %s", left.why);
    release_summary(r, "content %.12s proved in %s", r->plan->source.digest, r->target->name);
    return true;
}
