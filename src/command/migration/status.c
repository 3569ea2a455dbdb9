/*
 * `lockflight migration status`: the files beside what the database has. Looks only.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/output.h"
#include "command/migration/migration.h"
#include "command/migration/session.h"
#include "migrate/prove/drift.h"
#include "migrate/prove/proof_record.h"

struct status_args {
    struct session_args session;
    bool wants_drift;
};

/* "applied", "baseline", "applying, step 2 of 5": more than the status where the row knows more. */
static const char *state_text(struct arena *a, const struct migration_state *m)
{
    if (m->status == MIGRATION_APPLIED && m->row->state == HISTORY_BASELINE)
        return "baseline";
    if (m->status != MIGRATION_INTERRUPTED)
        return migration_status_name(m->status);
    return arena_printf(a, "%s, stopped after step %lld of %lld",
                        m->row->state == HISTORY_APPLYING ? "applying" : "reversing",
                        (long long)m->row->steps_done, (long long)m->row->steps);
}

/* The proofs of pending pairs, in s->plan.pending's order: of what is applied, the question is
 * settled. */
static bool find_proofs(struct session *s, struct pg *db, struct proof_row **ret, struct err *e)
{
    size_t n = s->plan.pending_count;
    *ret = ARENA_ARRAY(s->c->arena, struct proof_row, n + 1);
    return n == 0 ||
           proof_find(db, s->c->arena, s->plan.pending, n, pg_server_version(db) / 10000, *ret, e);
}

static const struct proof_row *proof_of(const struct session *s, const struct proof_row *proofs,
                                        const struct migration_state *m)
{
    for (size_t i = 0; m->file && i < s->plan.pending_count; i++)
        if (s->plan.pending[i] == m->file && proofs[i].is_found)
            return &proofs[i];
    return NULL;
}

static bool has_reverse(const struct migration_state *m)
{
    return (m->file && m->file->has_reverse) || (m->row && m->row->reverse_sql);
}

static json_t *state_document(const struct migration_state *m, const struct proof_row *proof)
{
    const char *version = m->file ? m->file->version : m->row->version;
    const char *name = m->file ? m->file->name : m->row->name;
    json_t *d = json_pack(
        "{s:s, s:s?, s:s, s:b, s:b, s:s*, s:s*}", "version", version, "name", name, "state",
        migration_status_name(m->status), "reversible", (int)has_reverse(m), "baseline",
        m->row && m->row->state == HISTORY_BASELINE, "applied_by",
        m->row ? m->row->applied_by : NULL, "loss_class", m->row ? m->row->loss_class : NULL);
    if (proof)
        (void)json_object_set_new(d, "proven",
                                  json_pack("{s:s, s:s}", "loss_class", (char[]){ proof->loss, 0 },
                                            "by", proof->proved_by));
    if (m->status == MIGRATION_INTERRUPTED)
        (void)json_object_set_new(
            d, "interrupted",
            json_pack("{s:s, s:I, s:I}", "while",
                      m->row->state == HISTORY_APPLYING ? "applying" : "reversing", "steps_done",
                      (json_int_t)m->row->steps_done, "steps", (json_int_t)m->row->steps));
    return d;
}

static enum style status_style(enum migration_status s)
{
    switch (s) {
    case MIGRATION_APPLIED:
        return STYLE_GOOD;
    case MIGRATION_PENDING:
        return STYLE_WARN;
    case MIGRATION_OUT_OF_ORDER:
    case MIGRATION_CHANGED:
    case MIGRATION_MISSING:
    case MIGRATION_INTERRUPTED:
        break;
    }
    return STYLE_BAD;
}

static void print_states(const struct session *s, const struct proof_row *proofs)
{
    struct command_context *c = s->c;
    struct table *t = table_new(c->arena, 4);
    table_head(t, "version", "name", "state", "reverse", NULL);
    for (size_t i = 0; i < s->plan.n; i++) {
        const struct migration_state *m = &s->plan.v[i];
        const char *name = m->file ? m->file->name : m->row->name;
        table_cell(t, STYLE_STRONG, "%s", m->file ? m->file->version : m->row->version);
        table_cell(t, STYLE_PLAIN, "%s", name ? name : "");
        table_cell(t, status_style(m->status), "%s", state_text(c->arena, m));
        const struct proof_row *proof = proof_of(s, proofs, m);
        if (proof)
            table_cell(t, STYLE_GOOD, "proven, class %c", proof->loss);
        else
            table_cell(t, has_reverse(m) ? STYLE_PLAIN : STYLE_WARN, "%s",
                       has_reverse(m) ? "yes" : "none");
    }
    table_print(t, &c->out);
    print(&c->out, "%s, %zu pending on %s.\n",
          text_count(c->arena, (int64_t)s->plan.n, "migration", "migrations"),
          s->plan.pending_count, s->where);
}

/* With --drift only: reading a catalogue takes longer than all the rest. */
static void print_drift(const struct session *s, const struct drift *drift)
{
    struct command_context *c = s->c;
    switch (drift->state) {
    case DRIFT_UNKNOWN:
        print(&c->out, "Drift: not known, no catalogue was kept with this history.\n");
        return;
    case DRIFT_NONE:
        print(&c->out, "Drift: none since %s.\n", clock_rfc3339(c->arena, drift->taken_unix_ms));
        return;
    case DRIFT_FOUND:
        break;
    }
    print_styled(&c->out, STYLE_BAD, "The schema was changed outside Lockflight since %s:\n",
                 clock_rfc3339(c->arena, drift->taken_unix_ms));
    for (size_t i = 0; i < drift->n; i++)
        print(&c->out, "  %s\n", catalogue_change_text(c->arena, &drift->changes[i]));
}

static json_t *drift_document(const struct drift *drift)
{
    static const char *const names[] = { "unknown", "none", "found" };
    json_t *list = json_array();
    for (size_t i = 0; i < drift->n; i++)
        (void)json_array_append_new(list, catalogue_change_json(&drift->changes[i]));
    return json_pack("{s:s, s:o}", "state", names[drift->state], "changes", list);
}

static bool status(struct command_context *c, void *args, struct err *e)
{
    const struct status_args *a = args;
    struct session s;
    struct proof_row *proofs = NULL;
    struct drift drift = { 0 };
    CLEANUP(pg) struct pg *db = NULL;
    if (!session_begin(c, &a->session, false, &s, e) || !session_connect(&s, "status", &db, e) ||
        !session_compare(&s, db, e) || !find_proofs(&s, db, &proofs, e) ||
        (a->wants_drift && !drift_look(db, c->arena, &drift, e)))
        return false;
    if (!c->wants_json) {
        print_states(&s, proofs);
        if (a->wants_drift)
            print_drift(&s, &drift);
        return true;
    }
    if (!session_name(&s, db, e))
        return false;
    json_t *list = json_array();
    for (size_t i = 0; i < s.plan.n; i++)
        (void)json_array_append_new(
            list, state_document(&s.plan.v[i], proof_of(&s, proofs, &s.plan.v[i])));
    print_json(c, json_pack("{s:s, s:I, s:o, s:o*}", "environment", s.environment.name, "pending",
                            (json_int_t)s.plan.pending_count, "migrations", list, "drift",
                            a->wants_drift ? drift_document(&drift) : NULL));
    return true;
}

static const struct option status_options[] = {
    { "drift", 0, OPT_FLAG, AT(status_args, wants_drift), NULL,
      "Also say what was changed in the schema outside Lockflight" },
    SESSION_OPTIONS(status_args, session),
    { 0 },
};

static const struct argument status_arguments[] = {
    SESSION_ARGUMENT(status_args, session),
    { 0 },
};

const struct command cmd_migration_status = {
    .name = "status",
    .synopsis = "migration status [environment]",
    .summary = "Compare the files with what the database has",
    .examples =
        "lockflight migration status staging\nlockflight migration status production --json",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = status_options,
    .arguments = status_arguments,
    .args_size = sizeof(struct status_args),
    .run = status,
};
