/*
 * The site of a release before anybody sees it: where its bytes come from, and what is known about
 * the draft.
 *
 * BYTES    In this order: a folder the caller built (--prebuilt); the very files that the required
 *          environment proved; a build. Where proof is required and bytes must be the same, a build
 *          counts only if its digest equals the proved one.
 */
#ifndef LOCKFLIGHT_ENGINE_DRAFT_SITE_H
#define LOCKFLIGHT_ENGINE_DRAFT_SITE_H

#include "engine/release.h"
#include "site/artefact.h"

struct draft_site {
    struct artefact artefact;
    bool is_proved_bytes; /* files without a source are fetched from the proof's permalink */
};

/* Finds or builds the site, looks for what must not be published, and adds the per-environment
 * files. */
bool draft_site_make(struct release *r, bool may_fetch, struct draft_site *ret,
                     struct err *e) MUST_USE;

/* What the draft phase recorded; NULL before it. */
const char *draft_deploy_id(struct release *r);
const char *draft_permalink(struct release *r);
const char *draft_artefact(struct release *r);

/* The title by which the draft is found again: "lockflight <release> <artefact, 12> <run, 8>". */
const char *draft_title(struct release *r, const char *artefact_digest);

#define DRAFT_PHASE "draft"
#define DRAFT_KIND  "deploy"

#endif
