/*
 * Phase 2: the site is built once and uploaded hidden; the functions are bundled once without
 * running, because a bundle that cannot be made must be known before a migration runs. Then the
 * draft is looked at.
 *
 * STEP     key: the deploy's title.
 *          after { "id", "permalink", "title", "artefact", "manifest": artifact sha256 }
 * UNDO     The hidden deploy is removed.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "engine/artifact_store.h"
#include "engine/draft_site.h"
#include "engine/phase_table.h"
#include "engine/verify.h"

#include <stdlib.h>

/* ---- functions: a compile check ---- */

static bool bundle_functions(struct release *r, struct err *e)
{
    for (size_t i = 0; i < r->plan->functions_n; i++) {
        const struct plan_function *f = &r->plan->functions[i];
        if (f->mark == PLAN_SAME)
            continue;
        struct supabase_function ignored;
        report_note(r->sink, DRAFT_PHASE, "bundling %s", f->source.slug);
        if (!supabase_function_deploy(r->target->supabase, r->arena, &f->source, true, &ignored, e))
            return err_wrap(e, "bundle %s", f->source.slug);
    }
    return true;
}

/* ---- the deploy ---- */

/* Our own deploy: known by its id, else by its title if an earlier run may have created it, else
 * new. */
static bool have_deploy(struct release *r, struct step *step, struct netlify_deploy *ret,
                        struct err *e)
{
    struct netlify *n = r->target->netlify;
    const char *id = json_text_or(step->after, "id", NULL);
    if (id)
        return netlify_deploy_get(n, r->arena, id, ret, e);
    if (r->is_resumed) {
        if (!netlify_deploy_find(n, r->arena, step->key, ret, e))
            return false;
        if (ret->id[0])
            return true;
    }
    CLEANUP(variable_set) struct variable_set values = { 0 };
    if (!target_variables(r->target, VAR_TO_NETLIFY_FUNCTIONS, &values, e))
        return false;
    struct netlify_variable *variables =
        ARENA_ARRAY(r->arena, struct netlify_variable, values.n + 1);
    for (size_t i = 0; i < values.n; i++)
        variables[i] = (struct netlify_variable){ .name = values.v[i].spec->name,
                                                  .value = secret_reveal(values.v[i].value).p,
                                                  .is_secret = values.v[i].spec->is_secret };
    struct netlify_deploy_spec spec = { .title = step->key,
                                        .variables = variables,
                                        .n_variables = values.n };
    if (netlify_deploy_create(n, r->arena, &spec, ret, e))
        return true;
    if (e->code != ERR_UNKNOWN_OUTCOME)
        return false;
    struct err lost = *e; /* the answer is lost; the deploy may be there */
    if (!netlify_deploy_find(n, r->arena, step->key, ret, e))
        return false;
    if (ret->id[0] == '\0') {
        *e = lost;
        return false;
    }
    return true;
}

static void tell_progress(void *context, size_t done, size_t total, uint64_t bytes_done)
{
    const struct release *r = context;
    report_note(r->sink, DRAFT_PHASE, "%zu of %zu files, %llu kB", done, total,
                (unsigned long long)(bytes_done / 1000));
}

/* Gets the proved contents that the host lacks; ERR_CONFLICT means they are not to be had. */
static bool fetch(struct release *r, struct draft_site *site, const struct netlify_deploy *deploy,
                  const char *dir, struct err *e)
{
    if (!site->is_proved_bytes || deploy->n_required == 0)
        return true;
    struct artefact_fetch_spec spec = { .permalink = r->plan->proof_permalink,
                                        .dir = dir,
                                        .required = deploy->required,
                                        .n_required = deploy->n_required };
    return artefact_fetch(r->arena, &site->artefact, &spec, e);
}

/* One sync, then only what is missing. `ret_sent` counts. */
static bool upload(struct release *r, struct draft_site *site, struct netlify_deploy *deploy,
                   const char *dir, size_t *ret_sent, struct err *e)
{
    struct netlify *n = r->target->netlify;
    const char *id = deploy->id;
    struct netlify_file *files = artefact_netlify_files(r->arena, &site->artefact);
    if (!netlify_deploy_sync(n, r->arena, id, files, site->artefact.n_files, deploy, e) ||
        !fetch(r, site, deploy, dir, e))
        return false;
    struct netlify_upload_spec spec = { .deploy_id = id,
                                        .files = artefact_netlify_files(r->arena, &site->artefact),
                                        .n_files = site->artefact.n_files,
                                        .required = deploy->required,
                                        .n_required = deploy->n_required,
                                        .progress = tell_progress,
                                        .context = r };
    *ret_sent = deploy->n_required;
    return netlify_deploy_upload(n, &spec, e) && netlify_deploy_wait(n, r->arena, id, 0, deploy, e);
}

/* Keeps the manifest, so that another environment can take these very bytes. */
static bool keep_manifest(struct release *r, const struct artefact *artefact,
                          char sha256[SHA256_HEX_BYTES], struct err *e)
{
    struct artefact common = artefact_common(r->arena, artefact);
    json_t *manifest = NULL;
    if (!artefact_to_json(r->arena, &common, &manifest, e))
        return false;
    const char *text = json_text(r->arena, manifest);
    json_decref(manifest);
    return artifact_put(r->lease, "site.manifest", str_of(text), sha256, e);
}

/* The draft's own word, through its permalink. */
static bool look_at(struct release *r, const char *permalink, struct err *e)
{
    struct verify_spec spec = { .arena = r->arena,
                                .phase = DRAFT_PHASE,
                                .cwd = r->target->config->dir,
                                .sink = r->sink,
                                .values = target_check_values(r->target, r->name, permalink) };
    spec.values.site = permalink;
    struct verify_result result = verify_site_word(&spec, r->name);
    return result.is_green || (verify_error(&result, e), err_wrap(e, "look at the draft"));
}

static bool fly(struct release *r, struct draft_site *site, const char *dir, size_t *ret_sent,
                struct err *e)
{
    const char *digest = site->artefact.digest;
    struct step *step = step_find(r, DRAFT_PHASE, DRAFT_KIND, NULL);
    const char *title = step ? step->key : draft_title(r, digest);
    char manifest[SHA256_HEX_BYTES];
    struct netlify_deploy deploy;
    if (!keep_manifest(r, &site->artefact, manifest, e) ||
        !step_intent(r, DRAFT_PHASE, DRAFT_KIND, title, NULL, &step, e) ||
        !have_deploy(r, step, &deploy, e))
        return false;
    json_t *known =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", deploy.id, "permalink", deploy.permalink,
                  "title", title, "artefact", digest, "manifest", manifest);
    if (!step_progress(r, step, known, e))
        return false;
    if (deploy.state != NETLIFY_READY && !upload(r, site, &deploy, dir, ret_sent, e))
        return false;
    if (!look_at(r, deploy.permalink, e) || !step_done(r, step, NULL, e))
        return false;
    struct release_facts facts = { .artefact_digest = digest };
    return journal_facts(r->journal, &facts, e);
}

bool draft_run(struct release *r, struct err *e)
{
    char dir[] = "/tmp/lockflight-site.XXXXXX";
    if (!mkdtemp(dir))
        return err_system(e, "make a folder in /tmp");
    struct draft_site site;
    size_t sent = 0;
    bool ok = draft_site_make(r, true, &site, e) && bundle_functions(r, e) &&
              fly(r, &site, dir, &sent, e);
    if (!ok && site.is_proved_bytes && e->code == ERR_CONFLICT) {
        report_note(r->sink, DRAFT_PHASE, "the proved bytes are not to be had: building again");
        ok = draft_site_make(r, false, &site, e) && fly(r, &site, dir, &sent, e);
    }
    struct err left = { 0 };
    if (!fs_remove_tree(dir, &left))
        report_warn(r->sink, "%s is left behind: %s", dir, left.why);
    if (!ok)
        return false;
    release_summary(r, "%s, %zu files, %zu uploaded",
                    site.is_proved_bytes ? "the proved bytes" : "built once", site.artefact.n_files,
                    sent);
    return true;
}

/* ---- undo, probe ---- */

bool draft_undo(struct release *r, struct err *e)
{
    struct step *step = step_find(r, DRAFT_PHASE, DRAFT_KIND, NULL);
    if (!step_stands(step)) {
        release_summary(r, "nothing was uploaded");
        return true;
    }
    struct netlify *n = r->target->netlify;
    const char *id = json_text_or(step->after, "id", NULL);
    struct netlify_deploy found = { 0 };
    if (!id) {
        if (!netlify_deploy_find(n, r->arena, step->key, &found, e))
            return false;
        id = found.id && found.id[0] ? found.id : NULL;
    }
    struct netlify_site site;
    if (!netlify_site_get(n, r->arena, &site, e) || !step_undo_intent(r, step, e))
        return false;
    if (id && !streq(site.published_id, id) && !netlify_deploy_delete(n, r->arena, id, e))
        return err_wrap(e, "remove the draft");
    release_summary(r, "%s",
                    id && streq(site.published_id, id) ? "stays: it is live" : "draft removed");
    return step_undone(r, step, NULL, e);
}

bool draft_probe(struct release *r, bool *ret_done, struct err *e)
{
    const struct step *step = step_find(r, DRAFT_PHASE, DRAFT_KIND, NULL);
    *ret_done = false;
    const char *id = draft_deploy_id(r);
    if (!id || step->state != STEP_DONE)
        return true;
    struct netlify_deploy deploy;
    if (!netlify_deploy_get(r->target->netlify, r->arena, id, &deploy, e)) {
        if (e->code != ERR_NOT_FOUND)
            return false;
        err_clear(e);
        return true;
    }
    *ret_done = deploy.state == NETLIFY_READY;
    return true;
}
