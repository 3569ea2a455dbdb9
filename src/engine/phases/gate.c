/*
 * Phase 0: may this release start at all? The plan has asked every question (plan_gates.c); here
 * the answers count, because now the lease is held and nobody else can change them.
 */
#include "engine/phase_table.h"
#include "engine/release.h"

bool gate_run(struct release *r, struct err *e)
{
    if (!plan_gates_open(r->plan, e))
        return false;
    const char *reason = r->options.plan.clear_quarantine;
    if (reason &&
        !journal_clear_quarantine(r->lease, r->plan->source.digest, r->options.actor, reason, e))
        return err_wrap(e, "clear the quarantine");
    release_summary(r, "%zu open, source %.12s", r->plan->gates_n, r->plan->source.digest);
    return true;
}
