/*
 * The plan: every change a release would make, the undo beside it, and the gates it must pass. Made
 * by reading only; `lockflight plan` prints it, `lockflight deploy` flies it.
 */
#ifndef LOCKFLIGHT_ENGINE_PLAN_H
#define LOCKFLIGHT_ENGINE_PLAN_H

#include "engine/attestation.h"
#include "engine/live.h"
#include "engine/source.h"
#include "flag/definition.h"
#include "migrate/migration.h"
#include "migrate/prove/drift.h"
#include "migrate/prove/proof_record.h"
#include "site/artefact.h"

/* What a person has decided about gates. */
struct plan_options {
    const char *clear_quarantine; /* reason to deploy rolled-back content again; NULL: the gate
                                     stays closed */
    const char
        *unproven; /* reason to release pairs of scripts that were never proved; NULL: the gate
                             stays closed */
    bool
        accept_drift; /* changes of the schema that were made outside Lockflight are taken as they are */
    bool allow_older;  /* older revisions of secrets, and lines that are gone, are meant */
    bool accept_flags; /* what becomes public of flags, or another off variant, is meant */
    bool adopt;        /* migrations applied before Lockflight came are taken as they are */
    bool is_prebuilt;  /* the site was built by somebody else: no build command runs */
};

enum plan_mark {
    PLAN_SAME,
    PLAN_ADD,    /* + */
    PLAN_CHANGE, /* ~ */
};

struct plan_function {
    enum plan_mark mark;
    struct function_source source;
    const struct supabase_function *live; /* NULL: new */
    bool drifted;                         /* what runs is not what Lockflight deployed */
};

struct plan_variable {
    enum plan_mark mark;
    const struct variable *variable;
    const char *before_digest; /* NULL: not set yet */
    bool has_undo;             /* the old value can be had again */
};

/* What a pending migration does to one table that is there. */
struct plan_lock {
    const char *table;
    const char *lock;     /* "ACCESS EXCLUSIVE" */
    bool rewrites, scans; /* for certain: measured, or by the form of the statement */
    int64_t rows;         /* as the planner estimates; -1: never analysed */
};

struct plan_locks {
    struct plan_lock *v;
    size_t n;
    bool is_measured;     /* when the pair was proved; else read from the text */
    const char **at_risk; /* "table public.orders, about 12000 rows" */
    size_t at_risk_n;
};

enum gate_state {
    GATE_OK,
    GATE_WAIT, /* closed: something has to happen first */
};

struct plan_gate {
    enum gate_state state;
    const char *name;
    const char *text; /* when closed: why */
    const char *next; /* when closed: the command that opens it; NULL: none */
};

struct plan {
    struct arena *arena;
    struct plan_options options;
    const char *environment;
    const char *release;
    struct source source;
    bool is_rebuild; /* artefact = "rebuild": not the same bytes as the required environment's */
    const char *requires; /* NULL: none */
    bool has_proof;
    int64_t soak_left_ms;        /* how much longer the proved content must rest there */
    struct attestation proof;    /* of the required environment */
    struct attestation_stay stay; /* of that content there; read where a soak is asked */
    json_t *proof_manifest;      /* its artefact's manifest; NULL: not kept. Owned: plan_done */
    const char *proof_permalink; /* where its bytes are; NULL */

    struct plan_function *functions;
    size_t functions_n, functions_changed;
    struct plan_variable *variables;
    size_t variables_n, variables_changed;
    struct variable_set values; /* destination Supabase; empty when one could not be resolved */
    const char
        *runtime_digest; /* of what the per-environment file will say; NULL when not resolved */
    struct migration_set migrations;
    struct migration_plan schema;
    struct drift drift;
    struct plan_locks *locks; /* one for each pending migration */
    struct proof_row *pairs; /* one for each pending migration: was it run up, down and up again? */

    struct definition_plan flags;
    size_t flags_n; /* in the file */

    const char *lint_warning; /* what the linter lets through and says; NULL: nothing */
    struct plan_gate *gates;
    size_t gates_n, gates_closed;
    size_t gates_capacity;
};

/* Fills plan->gates; the last part of plan_make. */
bool plan_find_gates(struct target *t, const struct live *live, const struct plan_options *options,
                     struct plan *plan, struct err *e) MUST_USE;

/* The linter's gate over the pending migrations; a part of plan_find_gates. */
bool plan_lint(struct target *t, struct plan *plan, struct err *e) MUST_USE;

/* The gate of what the sources ask for; a part of plan_find_gates. */
bool plan_inventory(struct target *t, struct plan *plan, struct err *e) MUST_USE;

/* What changes about flags; a part of plan_make. And whether it may: a part of plan_find_gates. */
bool plan_find_flags(struct target *t, const struct live *live, struct plan *plan,
                     struct err *e) MUST_USE;
void plan_gate_flags(struct target *t, struct plan *plan);

/* Pending migrations that have a reverse script and no proof, in order. */
size_t plan_unproven(const struct plan *plan, const struct migration ***ret);

/* What the pending migrations ask of the tables that are there; a part of plan_make. */
bool plan_find_locks(struct target *t, struct plan *plan, struct err *e) MUST_USE;

/* Adds one gate. `closed` NULL: open. */
void plan_gate(struct plan *plan, const char *name, const char *closed, const char *next);

/* Reads the project and what is live (given, so that it may be read under the lease). Zeroes `ret`
 * first; plan_done may always follow. Closed gates are no error. */
bool plan_make(struct target *t, const struct live *live, const struct plan_options *options,
               struct plan *ret, struct err *e) MUST_USE;
void plan_done(struct plan *plan);

/* True if exactly this content with these values is live already. */
bool plan_is_live(const struct plan *plan, const struct live *live);

/* The first closed gate as ERR_BLOCKED with what to type; true if all are open. */
bool plan_gates_open(const struct plan *plan, struct err *e) MUST_USE;

/* The plan as JSON: one document, for --json, --out and the journal. The caller owns it. */
json_t *plan_json(const struct plan *plan, const struct live *live);

static inline void plan_cleanup(struct plan *plan)
{
    plan_done(plan);
}

#endif
