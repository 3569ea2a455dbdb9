/*
 * Findings: how one is made, what is known about the table behind it, and what a file may except.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"

static struct lint_finding *add(struct lint *l, enum lint_id id, size_t offset, const char *what)
{
    struct lint_finding *f = vec_add(&l->findings, l->arena);
    *f = (struct lint_finding){
        .rule = &lint_rules[id],
        .severity = lint_rules[id].severity,
        .migration = l->migration,
        .offset = offset,
        .what = what,
    };
    return f;
}

static size_t offset_of(const struct lint *l, int location)
{
    size_t offset = l->statement ? l->statement->offset : 0;
    if (location > 0 && l->statement && (size_t)location < l->statement->text.n)
        offset += (size_t)location;
    return offset;
}

struct lint_finding *lint_found(struct lint *l, enum lint_id id, int location, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *what = arena_vprintf(l->arena, fmt, ap);
    va_end(ap);
    return add(l, id, offset_of(l, location), what);
}

struct lint_finding *lint_found_at(struct lint *l, enum lint_id id, size_t offset, const char *fmt,
                                   ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *what = arena_vprintf(l->arena, fmt, ap);
    va_end(ap);
    return add(l, id, offset, what);
}

/* "about 1.2 M rows" */
static const char *about(struct arena *a, int64_t rows)
{
    if (rows >= 1000000)
        return arena_printf(a, "about %.1f M rows", (double)rows / 1e6);
    if (rows >= 10000)
        return arena_printf(a, "about %lld k rows", (long long)(rows / 1000));
    return arena_printf(a, "about %lld rows", (long long)rows);
}

struct lint_finding *lint_found_on(struct lint *l, enum lint_id id, int location,
                                   const struct lint_table *t, const char *fmt, ...)
{
    if (lint_is_new(t))
        return NULL;
    va_list ap;
    va_start(ap, fmt);
    char *what = arena_vprintf(l->arena, fmt, ap);
    va_end(ap);
    struct lint_finding *f = add(l, id, offset_of(l, location), what);
    if (!t || !t->is_sized) {
        f->is_assumed = f->rule->needs_catalogue && !l->schema.is_complete;
        return f;
    }
    if (t->kind != LINT_TABLE && t->kind != LINT_MATVIEW)
        return f;
    f->what = arena_printf(l->arena, "%s (%s)", what, about(l->arena, t->rows));
    if (t->rows <= LINT_TINY_ROWS && t->bytes <= LINT_TINY_BYTES && f->severity == LINT_ERROR)
        f->severity = LINT_NOTE;
    return f;
}

void lint_assume(struct lint *l, struct lint_finding *f, bool soft)
{
    if (l->schema.is_complete)
        return;
    f->is_assumed = true;
    if (soft && f->severity == LINT_ERROR)
        f->severity = LINT_WARN;
}

/* ---- exceptions ---- */

/* Does this directive speak of the finding? At the head, of the whole file; else of the statement
 * that follows it. */
static bool covers(const struct lint *l, const struct directive *d, const struct lint_finding *f)
{
    if (d->word != DIRECTIVE_ALLOW || !streq(d->first, f->rule->name))
        return false;
    if (d->is_head)
        return true;
    for (size_t i = 0; i < l->script->n; i++) {
        const struct sql_statement *s = &l->script->statements[i];
        if (s->offset < d->offset)
            continue;
        return f->offset >= d->offset && f->offset < s->offset + s->text.n;
    }
    return false;
}

/* What only another check can find is not unused because this one did not find it. */
static bool is_for_others(const struct lint *l, const char *rule)
{
    const struct lint_rule *r = lint_rule_find(rule);
    bool is_reverse = r && (r->id == LINT_D03 || r->id == LINT_D04);
    return r && (r->name[0] == 'P' || (is_reverse && l->in->no_reverse_rules));
}

void lint_except(struct lint *l, const struct directives *all)
{
    bool *is_used = ARENA_ARRAY(l->arena, bool, all->n + 1);
    for (size_t i = l->file_findings; i < l->findings.n; i++) {
        struct lint_finding *f = &l->findings.v[i];
        for (size_t k = 0; k < all->n; k++) {
            if (!covers(l, &all->v[k], f))
                continue;
            is_used[k] = true;
            f->allowed = all->v[k].rest;
        }
        f->is_lifted =
            !f->allowed && l->phase == PHASE_CONTRACT && lint_rule_is_for_contract(f->rule->id);
    }
    for (size_t k = 0; k < all->n; k++) {
        if (all->v[k].word != DIRECTIVE_ALLOW || is_used[k])
            continue;
        if (is_for_others(l, all->v[k].first))
            continue;
        l->statement = NULL;
        if (lint_rule_find(all->v[k].first))
            (void)lint_found_at(l, LINT_Q11, all->v[k].offset, "%s finds nothing here",
                                all->v[k].first);
        else
            (void)lint_found_at(l, LINT_Q11, all->v[k].offset, "there is no rule %s",
                                all->v[k].first);
    }
}
