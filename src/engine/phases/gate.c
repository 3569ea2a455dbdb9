/*
 * Phase 0: may this release start at all? The plan has asked every question (plan_gates.c); here
 * the answers count, because now the lease is held and nobody else can change them.
 *
 * One answer is made here: in an environment that comes first, pending migrations that were never run
 * up, down and up again are, on a scratch database. Where none can be made, that is said, and the
 * environment that requires this one will refuse them, unless a person gives a reason.
 */
#include "engine/phase_table.h"
#include "engine/release.h"
#include "migrate/prove/series.h"

#define PHASE "gate"

static void tell_begin(void *context, const struct migration *m)
{
    const struct release *r = context;
    report_note(r->sink, PHASE, "proving that %s can be taken back", m->name);
}

static bool take_proof(void *context, const struct proof *p, struct err *e)
{
    struct release *r = context;
    const struct migration *m = p->migration;
    for (size_t i = 0; i < p->notes.n; i++)
        report_note(r->sink, PHASE, "%s: %s", m->name, p->notes.v[i]);
    if (p->is_proven)
        return proof_record(lease_db(r->lease), r->arena, p, r->options.actor, e);
    err_set(e, ERR_BLOCKED, "%s and its reverse script do not prove: %s", m->file, p->reason);
    err_where(e, "%s", p->where ? p->where : m->reverse_file);
    err_state(e, "nothing was changed");
    return err_hint(e, "lockflight migration prove %s %s", r->target->name, m->version);
}

/* A person has decided; it stays on record who, and about what. */
static bool record_unproven(struct release *r, const struct migration *const *v, size_t n,
                            struct err *e)
{
    json_auto_t *body = json_pack("{s:s*, s:s*, s:[]}", "by", r->options.actor, "reason",
                                  r->options.plan.unproven, "versions");
    for (size_t i = 0; i < n; i++) {
        (void)json_array_append_new(json_object_get(body, "versions"), json_string(v[i]->version));
        report_note(r->sink, PHASE, "%s is released unproven: %s", v[i]->name,
                    r->options.plan.unproven);
    }
    return journal_event(r->journal, "migrations.unproven", body, e);
}

static bool prove_pairs(struct release *r, struct err *e)
{
    const struct migration **v;
    size_t n = plan_unproven(r->plan, &v);
    if (n > 0 && r->plan->requires)
        return record_unproven(r, v, n, e);
    struct series_spec spec = { .server_url = r->target->environment.database_url,
                                .set = &r->plan->migrations,
                                .chosen = v,
                                .n = n,
                                .on_begin = tell_begin,
                                .on_proof = take_proof,
                                .context = r };
    if (n == 0 || series_prove(&spec, e))
        return true;
    if (e->code != ERR_AUTH && e->code != ERR_DB)
        return false;
    report_warn(r->sink, "the pending migrations could not be proved: %s%s%s", e->why,
                e->where[0] ? " at " : "", e->where);
    err_clear(e);
    return true;
}

/* After a migration the schema counts as ours again; what was found before it stays on record. */
static bool record_drift(struct release *r, struct err *e)
{
    if (r->plan->drift.state != DRIFT_FOUND)
        return true;
    const char *what = drift_text(r->arena, &r->plan->drift);
    json_auto_t *body =
        json_pack("{s:s, s:b}", "changes", what, "accepted", (int)r->options.plan.accept_drift);
    report_warn(r->sink, "the schema was changed outside Lockflight: %s", what);
    return journal_event(r->journal, "schema.drift", body, e);
}

bool gate_run(struct release *r, struct err *e)
{
    if (!plan_gates_open(r->plan, e) || !prove_pairs(r, e) || !record_drift(r, e))
        return false;
    const char *reason = r->options.plan.clear_quarantine;
    if (reason &&
        !journal_clear_quarantine(r->lease, r->plan->source.digest, r->options.actor, reason, e))
        return err_wrap(e, "clear the quarantine");
    release_summary(r, "%zu open, source %.12s", r->plan->gates_n, r->plan->source.digest);
    return true;
}
