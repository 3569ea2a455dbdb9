/*
 * Which part of a release a migration belongs to, and whether the release that is running survives
 * it.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

static bool breaks(const struct lint_finding *f)
{
    char family = f->rule->name[0];
    bool can = family == 'C' || family == 'P';
    return can && f->severity == LINT_ERROR;
}

/* Only rows are written: the schema stays. */
static bool is_backfill(const struct sql_script *s)
{
    size_t writing = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct sql_statement *one = &s->statements[i];
        bool writes = one->mode == SQL_BACKFILL ||
                      (one->tree && (one->tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT ||
                                     one->tree->node_case == PG_QUERY__NODE__NODE_DELETE_STMT ||
                                     one->tree->node_case == PG_QUERY__NODE__NODE_INSERT_STMT));
        if (!writes && one->class != SQL_NEUTRAL && !one->is_bulk)
            return false;
        writing += writes || one->is_bulk;
    }
    return writing > 0;
}

static enum phase phase_of(const struct lint *l, bool has_contract)
{
    if (has_contract)
        return PHASE_CONTRACT;
    return is_backfill(l->script) ? PHASE_BACKFILL : PHASE_EXPAND;
}

void lint_verdict_of(struct lint *l, struct lint_verdict *ret)
{
    const struct lint_finding *broken = NULL, *lifted = NULL, *allowed = NULL;
    bool wants_contract = false;
    *ret = (struct lint_verdict){ .migration = l->migration };
    for (size_t i = l->file_findings; i < l->findings.n; i++) {
        const struct lint_finding *f = &l->findings.v[i];
        wants_contract |= lint_rule_is_for_contract(f->rule->id) && breaks(f);
        if (!breaks(f))
            continue;
        if (f->is_lifted)
            lifted = lifted ? lifted : f;
        else if (f->allowed)
            allowed = allowed ? allowed : f;
        else
            broken = broken ? broken : f;
    }
    ret->is_declared = directive_find(&l->script->head, DIRECTIVE_PHASE) != NULL;
    ret->phase = ret->is_declared ? l->phase : phase_of(l, wants_contract);
    ret->is_compatible = !broken && !lifted;
    if (broken)
        ret->why = arena_printf(l->arena, "%s %s: %s", broken->rule->name, broken->rule->title,
                                broken->what);
    else if (lifted)
        ret->why = arena_printf(l->arena,
                                "a contract (%s: %s), for when no release that uses it can "
                                "come back",
                                lifted->rule->name, lifted->what);
    else if (allowed)
        ret->why =
            arena_printf(l->arena, "%s is allowed: %s", allowed->rule->name, allowed->allowed);
    else
        ret->why = "nothing in it takes away or narrows what the running release uses";
}
