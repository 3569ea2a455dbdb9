/*
 * The bytes of the draft: see draft_site.h.
 */
#include "engine/draft_site.h"

#include "engine/build.h"
#include "engine/draft_scan.h"
#include "engine/flag_bootstrap.h"
#include "site/env_file.h"

/* ---- where it comes from ---- */

/* The proved files as the attestation lists them; their contents are fetched when the host lacks
 * them. */
static bool proved_bytes(struct release *r, struct draft_site *ret, struct err *e)
{
    ret->is_proved_bytes = true;
    return artefact_from_json(r->arena, r->plan->proof_manifest, &ret->artefact, e) ||
           err_wrap(e, "read the manifest that %s proved", r->plan->requires);
}

static bool must_be_same(const struct release *r)
{
    return r->plan->has_proof && !r->plan->is_rebuild;
}

/* The host takes redirects and headers from the deploy, so those of netlify.toml are sent along. */
static void add_rules(struct release *r, struct artefact *artefact)
{
    const char *rules = r->target->config->netlify.rules_toml;
    if (rules)
        artefact_put(r->arena, artefact, "/netlify.toml", str_of(rules));
}

static bool built_bytes(struct release *r, struct draft_site *ret, struct err *e)
{
    const char *dir = r->options.prebuilt_dir;
    if (!dir && r->options.plan.is_prebuilt)
        return release_lacks_folder(r, e);
    if (!dir && !build_site(r->target, r->sink, DRAFT_PHASE, &dir, e))
        return false;
    report_note(r->sink, DRAFT_PHASE, "hashing");
    if (!artefact_walk(r->arena, dir, &ret->artefact, e) ||
        !env_file_headers(r->arena, &ret->artefact, e))
        return err_wrap(e, "read the built site");
    add_rules(r, &ret->artefact);
    if (must_be_same(r) && !streq(ret->artefact.digest, r->plan->proof.artefact_digest)) {
        err_set(e, ERR_BLOCKED,
                "this build is not what %s proved (artefact %.12s, proved %.12s), and its bytes "
                "can not be had",
                r->plan->requires, ret->artefact.digest, r->plan->proof.artefact_digest);
        return err_hint(
            e, "make the build give equal bytes for equal source, or say artefact = \"rebuild\"");
    }
    return true;
}

static bool add_environment(struct release *r, struct artefact *artefact, struct err *e)
{
    CLEANUP(variable_set) struct variable_set values = { 0 };
    json_auto_t *flags = NULL;
    if (!target_variables(r->target, VAR_TO_RUNTIME, &values, e) ||
        !flag_bootstrap(r->target->db, r->arena, &flags, e))
        return false;
    struct env_value *list = ARENA_ARRAY(r->arena, struct env_value, values.n + 1);
    for (size_t i = 0; i < values.n; i++)
        list[i] = (struct env_value){ values.v[i].spec->name,
                                      str_dup(r->arena, secret_reveal(values.v[i].value)) };
    env_file_put(r->arena, artefact,
                 &(struct env_file_spec){ .environment = r->target->name,
                                          .release = r->name,
                                          .source_digest = r->plan->source.digest,
                                          .values = list,
                                          .n_values = values.n,
                                          .flags = flags });
    return true;
}

bool draft_site_make(struct release *r, bool may_fetch, struct draft_site *ret, struct err *e)
{
    *ret = (struct draft_site){ 0 };
    bool fetched = may_fetch && must_be_same(r) && !r->options.prebuilt_dir &&
                   r->plan->proof_manifest && r->plan->proof_permalink;
    return (fetched ? proved_bytes(r, ret, e) : built_bytes(r, ret, e)) &&
           draft_scan(r, &ret->artefact, e) && add_environment(r, &ret->artefact, e);
}

/* ---- what the phase recorded ---- */

static const char *recorded(struct release *r, const char *key)
{
    const struct step *step = step_find(r, DRAFT_PHASE, DRAFT_KIND, NULL);
    return step ? json_text_or(step->after, key, NULL) : NULL;
}

const char *draft_deploy_id(struct release *r)
{
    return recorded(r, "id");
}

const char *draft_permalink(struct release *r)
{
    return recorded(r, "permalink");
}

const char *draft_artefact(struct release *r)
{
    return recorded(r, "artefact");
}

const char *draft_title(struct release *r, const char *artefact_digest)
{
    return arena_printf(r->arena, "lockflight %s %.12s %.8s", r->name, artefact_digest, r->id);
}
