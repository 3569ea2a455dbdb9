/*
 * The gates of a plan: each one is a question about the release that must be answered before
 * anything is touched. An open gate says what it found; a closed one says why, and what opens it.
 */
#include "base/clock.h"
#include "engine/plan.h"
#include "engine/secret_pins.h"

static void gate_open(struct plan *plan, const char *name, const char *found)
{
    plan_gate(plan, name, NULL, NULL);
    plan->gates[plan->gates_n - 1].text = found;
}

static void gate_of_error(struct plan *plan, const char *name, const struct err *why)
{
    struct arena *a = plan->arena;
    const char *text = why->where[0] ? arena_printf(a, "%s (%s)", why->why, why->where)
                                     : arena_strdup(a, why->why);
    plan_gate(plan, name, text, why->hint[0] ? arena_strdup(a, why->hint) : NULL);
}

static void gate_source(struct target *t, struct plan *plan)
{
    struct arena *a = plan->arena;
    if (plan->source.is_dirty && t->environment.platform != PLATFORM_LOCAL) {
        plan_gate(plan, "source",
                  "the working tree differs from its commit; only a local environment takes that",
                  "git commit -a");
        return;
    }
    gate_open(plan, "source",
              arena_printf(a, "%zu files, digest %.12s%s", plan->source.files, plan->source.digest,
                           plan->source.is_dirty ? ", uncommitted" : ""));
}

static void gate_journal(const struct live *live, const struct plan_options *options,
                         struct plan *plan)
{
    struct arena *a = plan->arena;
    if (live->schema == SCHEMA_ABSENT_BESIDE_HISTORY && !options->adopt) {
        plan_gate(
            plan, "journal",
            arena_printf(
                a,
                "%zu migrations are applied, but Lockflight has no journal here: it never released "
                "to this database, or the database was reset",
                live->history.n),
            arena_printf(a, "lockflight deploy %s --adopt", plan->environment));
        return;
    }
    if (live->has_open) {
        plan_gate(plan, "journal", arena_printf(a, "release %s is not finished", live->open.name),
                  arena_printf(a, "lockflight resume %s", plan->environment));
        return;
    }
    gate_open(plan, "journal",
              live->has_release ? arena_printf(a, "on %s", live_release_name(live))
                                : "first release to this environment");
}

static void gate_lock(const struct live *live, struct plan *plan)
{
    if (!live->lease.is_locked)
        return;
    plan_gate(plan, "lock",
              arena_printf(plan->arena, "locked by %s: %s", live->lease.locked_by,
                           live->lease.lock_reason),
              arena_printf(plan->arena, "lockflight unlock %s", plan->environment));
}

static bool gate_quarantine(struct target *t, const struct plan_options *options, struct plan *plan,
                            struct err *e)
{
    struct release_record record;
    bool found;
    if (!journal_find_quarantine(t->db, t->arena, t->name, plan->source.digest, &record, &found, e))
        return false;
    if (!found)
        return true;
    struct arena *a = plan->arena;
    if (options->clear_quarantine) {
        gate_open(plan, "quarantine", arena_printf(a, "cleared: %s", options->clear_quarantine));
        return true;
    }
    plan_gate(
        plan, "quarantine",
        arena_printf(a, "this content was rolled back here (%s): %s", record.name,
                     record.quarantine_reason ? record.quarantine_reason : "no reason given"),
        arena_printf(a, "lockflight deploy %s --clear-quarantine <reason>", plan->environment));
    return true;
}

/* "2026… and 2 more" of the pending migrations without a reverse script; NULL if all have one. */
static const char *without_reverse(const struct plan *plan)
{
    const char *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < plan->schema.pending_count; i++) {
        const struct migration *m = plan->schema.pending[i];
        if (m->has_reverse)
            continue;
        if (!first)
            first = m->file;
        count++;
    }
    if (!first)
        return NULL;
    return count == 1 ? first : arena_printf(plan->arena, "%s and %zu more", first, count - 1);
}

static void gate_migrations(struct target *t, struct plan *plan)
{
    struct err why = { 0 };
    if (!migration_plan_check(plan->arena, &plan->schema, &why)) {
        gate_of_error(plan, "migrations", &why);
        return;
    }
    const char *missing = without_reverse(plan);
    if (missing && t->environment.requires) {
        plan_gate(
            plan, "reverse", arena_printf(plan->arena, "no reverse script for %s", missing),
            arena_printf(plan->arena, "write %s/<the same file name>", t->config->paths.reverse));
        return;
    }
    if (plan->schema.pending_count > 0)
        gate_open(plan, "reverse",
                  missing ? arena_printf(plan->arena, "missing for %s", missing)
                          : "every pending migration has its reverse script");
}

/* "lockflight migration prove staging 2026… 2026…" */
static const char *prove_command(const struct plan *plan, const struct migration *const *v,
                                 size_t n)
{
    const char *command = arena_printf(plan->arena, "lockflight migration prove %s",
                                       plan->requires ? plan->requires : plan->environment);
    for (size_t i = 0; i < n; i++)
        command = arena_printf(plan->arena, "%s %s", command, v[i]->version);
    return command;
}

/* Where another environment has to be first, its release has proved the pairs; here nothing is tried
 * for the first time. */
static void gate_pairs(const struct plan_options *options, struct plan *plan)
{
    struct arena *a = plan->arena;
    const struct migration **v;
    size_t pending = plan->schema.pending_count, n = plan_unproven(plan, &v);
    if (pending == 0 || (plan->requires && !plan->has_proof))
        return; /* its release will prove them */
    if (n > 0 && plan->requires) {
        const char *what = arena_printf(
            a, "%s%s never run up, down and up again: that it can be taken back is not proven",
            v[0]->file, n > 1 ? arena_printf(a, " and %zu more were", n - 1) : " was");
        if (options->unproven)
            gate_open(plan, "rollback",
                      arena_printf(a, "%s; accepted: %s", what, options->unproven));
        else
            plan_gate(plan, "rollback", what, prove_command(plan, v, n));
        return;
    }
    gate_open(plan, "rollback",
              n == 0 ? "every pair of scripts is proven"
                     : arena_printf(a, "%zu of %zu pairs will be proved before anything is touched",
                                    n, pending));
}

/* In an environment that requires another one a person decides; elsewhere it is said. */
static void gate_drift(struct target *t, const struct plan_options *options, struct plan *plan)
{
    struct arena *a = plan->arena;
    if (plan->drift.state != DRIFT_FOUND)
        return;
    const char *what = drift_text(a, &plan->drift);
    if (options->accept_drift)
        gate_open(plan, "drift", arena_printf(a, "accepted: %s", what));
    else if (t->environment.requires)
        plan_gate(plan, "drift",
                  arena_printf(a, "the schema was changed outside Lockflight: %s", what),
                  arena_printf(a, "lockflight deploy %s --accept-drift", plan->environment));
    else
        gate_open(plan, "drift",
                  arena_printf(a, "the schema was changed outside Lockflight: %s", what));
}

/* `distinct` variables must differ from the environment that is required. */
static bool gate_distinct(struct target *t, struct plan *plan, struct err *e)
{
    bool wanted = false;
    for (size_t i = 0; i < plan->values.n; i++)
        wanted |= plan->values.v[i].spec->is_distinct;
    if (!plan->requires || !wanted)
        return true;
    CLEANUP(target) struct target other = { 0 };
    struct supabase_secret *secrets;
    size_t n;
    if (!target_open(t->arena, t->config, plan->requires, &other, e) ||
        !supabase_secrets(other.supabase, t->arena, &secrets, &n, e))
        return err_wrap(e, "compare the variables with %s", plan->requires);
    struct variable_digest *host = ARENA_ARRAY(t->arena, struct variable_digest, n + 1);
    for (size_t i = 0; i < n; i++)
        host[i] = (struct variable_digest){ secrets[i].name, secrets[i].digest };
    struct err why = { 0 };
    if (!variables_check_distinct(&plan->values, host, n, plan->requires, &why))
        gate_of_error(plan, "variables", &why);
    return true;
}

/* The secrets file is the newest the environment has seen, and of the key it trusts. */
static bool gate_secrets(struct target *t, const struct plan_options *options, struct plan *plan,
                         struct err *e)
{
    const struct vault *v = NULL;
    struct secret_pins pins;
    struct err why = { 0 };
    if (!target_vault(t, &v, &why)) {
        if (plan->runtime_digest) /* else the gate of the variables says it */
            gate_of_error(plan, "secrets", &why);
        return true;
    }
    if (!v)
        return true;
    if (!secret_pins_read(t->db, t->arena, t->name, &pins, e))
        return false;
    if (!secret_pins_check(&pins, v, options->allow_older, &why))
        gate_of_error(plan, "secrets", &why);
    else
        gate_open(plan, "secrets",
                  arena_printf(plan->arena, "%s, key %llu", v->place.name,
                               (unsigned long long)v->file.generation));
    return true;
}

static void gate_proof(struct plan *plan)
{
    struct arena *a = plan->arena;
    if (!plan->requires) {
        gate_open(plan, "proof", "none required");
        return;
    }
    if (!plan->has_proof) {
        plan_gate(plan, plan->requires,
                  arena_printf(a, "%s has not proved this content (digest %.12s)", plan->requires,
                               plan->source.digest),
                  arena_printf(a, "lockflight deploy %s", plan->requires));
        return;
    }
    int64_t age_ms = clock_unix_ms() - plan->proof.created_unix_ms;
    gate_open(plan, plan->requires,
              arena_printf(a, "proved this content %s ago as %s",
                           clock_duration(a, age_ms > 0 ? age_ms : 0), plan->proof.release_name));
}

/* Proved is one thing; to have been in use for a while another. Content that made room for other content
 * too early does not rest any more. */
static void gate_soak(const struct target *t, struct plan *plan)
{
    struct arena *a = plan->arena;
    int64_t soak_ms = t->environment.declared->soak_ms;
    if (soak_ms == 0 || !plan->has_proof)
        return;
    const char *rested = clock_duration(a, plan->stay.for_ms);
    if (plan->stay.for_ms >= soak_ms) {
        gate_open(plan, "soak", arena_printf(a, "rested in %s for %s", plan->requires, rested));
        return;
    }
    plan->soak_left_ms = soak_ms - plan->stay.for_ms;
    if (plan->stay.followed_by)
        plan_gate(plan, "soak",
                  arena_printf(
                      a, "this content rested in %s for %s only, then came %s; wanted is %s",
                      plan->requires, rested, plan->stay.followed_by, clock_duration(a, soak_ms)),
                  arena_printf(a, "lockflight deploy %s", plan->requires));
    else
        plan_gate(plan, "soak",
                  arena_printf(a, "this content rests in %s for another %s", plan->requires,
                               clock_duration(a, plan->soak_left_ms)),
                  arena_printf(a, "wait, or let lockflight ci do so; soak of [env.%s] is %s",
                               plan->environment, clock_duration(a, soak_ms)));
}

bool plan_find_gates(struct target *t, const struct live *live, const struct plan_options *options,
                     struct plan *plan, struct err *e)
{
    gate_source(t, plan);
    gate_journal(live, options, plan);
    gate_lock(live, plan);
    gate_migrations(t, plan);
    gate_proof(plan);
    gate_soak(t, plan);
    gate_pairs(options, plan);
    gate_drift(t, options, plan);
    plan_gate_flags(t, plan);
    return gate_quarantine(t, options, plan, e) && plan_inventory(t, plan, e) &&
           gate_distinct(t, plan, e) && gate_secrets(t, options, plan, e) && plan_lint(t, plan, e);
}
