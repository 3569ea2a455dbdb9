#include "migrate/lint/lint.h"

#include "base/str.h"
#include "migrate/lint/inside.h"

#include <stdlib.h>

/* ---- one statement ---- */

typedef void judge(struct lint *l, const PgQuery__Node *n);

static judge *judge_of(PgQuery__Node__NodeCase node)
{
    static const struct {
        PgQuery__Node__NodeCase node;
        judge *judge;
    } judges[] = {
#define ON(kind, function) { PG_QUERY__NODE__NODE_##kind, function }
        ON(ALTER_TABLE_STMT, lint_on_alter_table),
        ON(CREATE_STMT, lint_on_create_table),
        ON(INDEX_STMT, lint_on_index),
        ON(REINDEX_STMT, lint_on_index),
        ON(DROP_STMT, lint_on_drop),
        ON(TRUNCATE_STMT, lint_on_drop),
        ON(DROPDB_STMT, lint_on_drop),
        ON(DROP_OWNED_STMT, lint_on_drop),
        ON(RENAME_STMT, lint_on_rename),
        ON(ALTER_OBJECT_SCHEMA_STMT, lint_on_rename),
        ON(CREATE_FUNCTION_STMT, lint_on_function),
        ON(ALTER_FUNCTION_STMT, lint_on_function),
        ON(VIEW_STMT, lint_on_view),
        ON(CREATE_TRIG_STMT, lint_on_view),
        ON(RULE_STMT, lint_on_view),
        ON(CREATE_POLICY_STMT, lint_on_security),
        ON(ALTER_POLICY_STMT, lint_on_security),
        ON(GRANT_STMT, lint_on_security),
        ON(INSERT_STMT, lint_on_rows),
        ON(UPDATE_STMT, lint_on_rows),
        ON(DELETE_STMT, lint_on_rows),
        ON(ALTER_ENUM_STMT, lint_on_type),
        ON(CREATE_ENUM_STMT, lint_on_type),
        ON(ALTER_DOMAIN_STMT, lint_on_type),
        ON(CREATE_DOMAIN_STMT, lint_on_type),
        ON(ALTER_SEQ_STMT, lint_on_type),
        ON(CREATE_PUBLICATION_STMT, lint_on_type),
        ON(ALTER_PUBLICATION_STMT, lint_on_type),
        ON(LOCK_STMT, lint_on_maintenance),
        ON(VACUUM_STMT, lint_on_maintenance),
        ON(CLUSTER_STMT, lint_on_maintenance),
        ON(REFRESH_MAT_VIEW_STMT, lint_on_maintenance),
        ON(VARIABLE_SET_STMT, lint_on_maintenance),
        ON(SELECT_STMT, lint_on_maintenance),
        ON(TRANSACTION_STMT, lint_on_maintenance),
        ON(DO_STMT, lint_on_maintenance),
#undef ON
    };
    for (size_t i = 0; i < sizeof judges / sizeof *judges; i++)
        if (judges[i].node == node)
            return judges[i].judge;
    return NULL;
}

static void judge_statement(struct lint *l, const struct sql_statement *s)
{
    l->statement = s;
    lint_on_statement(l);
    judge *one = s->tree ? judge_of(s->tree->node_case) : NULL;
    if (one)
        one(l, s->tree);
    else if (!s->is_analysed && !s->is_bulk)
        lint_on_words(l);
    lint_schema_follow(&l->schema, l->migration, s);
}

/* ---- one file ---- */

static int by_place(const void *a, const void *b)
{
    const struct lint_finding *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (int)x->rule->id - (int)y->rule->id;
}

/* Lines and columns of findings that are sorted by offset: the file is walked once. */
static void find_places(struct str text, struct lint_finding *f, size_t n)
{
    size_t start = 0;
    unsigned line = 1;
    for (size_t i = 0; i < n; i++) {
        for (const char *end; (end = memchr(text.p + start, '\n', text.n - start)) &&
                              (size_t)(end - text.p) < f[i].offset;
             line++)
            start = (size_t)(end - text.p) + 1;
        const char *end = memchr(text.p + start, '\n', text.n - start);
        f[i].place = (struct place){ .line = line, .column = 1 };
        f[i].place.line_text =
            (struct str){ text.p + start, (end ? (size_t)(end - text.p) : text.n) - start };
        for (size_t at = start; at < f[i].offset; at++)
            f[i].place.column += (text.p[at] & 0xc0) != 0x80;
    }
}

static bool judge_file(struct lint *l, const struct migration *m, struct lint_report *r,
                       struct err *e)
{
    struct sql_script script;
    struct directives all = { 0 };
    arena_reset(l->scratch);
    if (!sql_script_read(l->scratch, m->file, m->sql, &script, e))
        return false;
    bool may_except = memmem(m->sql.p, m->sql.n, "allow", strlen("allow"));
    if (may_except && !directives_read(l->arena, m->file, m->sql, &all, e))
        return false;
    l->migration = m;
    l->script = &script;
    l->phase = directives_phase(&script.head);
    lint_on_file_begin(l);
    for (l->index = 0; l->index < script.n; l->index++)
        judge_statement(l, &script.statements[l->index]);
    lint_on_file_end(l);
    lint_except(l, &all);
    size_t n = l->findings.n - l->file_findings;
    if (n > 0) {
        qsort(l->findings.v + l->file_findings, n, sizeof *l->findings.v, by_place);
        find_places(m->sql, l->findings.v + l->file_findings, n);
    }
    lint_verdict_of(l, &r->verdicts[r->verdict_count++]);
    r->statements += script.n;
    l->script = NULL;
    if (!l->in->is_one_release)
        lint_schema_settle(&l->schema);
    return true;
}

/* ---- all of them ---- */

static bool stands(const struct lint_finding *f)
{
    return !f->allowed && !f->is_lifted;
}

void lint_report_count(struct lint_report *r)
{
    r->errors = r->warnings = r->notes = r->allowed = r->lifted = 0;
    for (size_t i = 0; i < r->verdict_count; i++)
        r->verdicts[i].errors = r->verdicts[i].warnings = r->verdicts[i].notes = 0;
    size_t at = 0; /* findings come file by file, mostly */
    for (size_t i = 0; i < r->n; i++) {
        const struct lint_finding *f = &r->v[i];
        for (size_t k = 0; k < r->verdict_count && r->verdicts[at].migration != f->migration; k++)
            at = (at + 1) % r->verdict_count;
        struct lint_verdict *v = at < r->verdict_count ? &r->verdicts[at] : NULL;
        r->allowed += f->allowed != NULL;
        r->lifted += f->is_lifted;
        if (!stands(f))
            continue;
        r->errors += f->severity == LINT_ERROR;
        r->warnings += f->severity == LINT_WARN;
        r->notes += f->severity == LINT_NOTE;
        if (!v)
            continue;
        v->errors += f->severity == LINT_ERROR;
        v->warnings += f->severity == LINT_WARN;
        v->notes += f->severity == LINT_NOTE;
    }
}

/* What the schema was made of, when there is no database to ask. A file that cannot be read now was
 * applied once; it only leaves us knowing less. */
static void learn(struct lint *l)
{
    for (size_t i = 0; i < l->in->before_count; i++) {
        const struct migration *m = l->in->before[i];
        struct sql_script script;
        struct err ignored = { 0 };
        arena_reset(l->scratch);
        if (!sql_script_read(l->scratch, m->file, m->sql, &script, &ignored))
            continue;
        for (size_t k = 0; k < script.n; k++)
            lint_schema_follow(&l->schema, m, &script.statements[k]);
    }
}

struct reading {
    struct lint *l;
    struct lint_report *report;
    struct err *e;
    bool ok;
};

static void judge_all(void *context)
{
    struct reading *r = context;
    struct lint *l = r->l;
    if (!l->in->db)
        learn(l);
    l->schema.is_judging = true;
    r->ok = true;
    for (size_t i = 0; r->ok && i < l->in->n; i++)
        r->ok = judge_file(l, l->in->files[i], r->report, r->e);
}

bool lint_run(struct arena *a, const struct lint_input *in, struct lint_report *ret, struct err *e)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    struct lint l = { .arena = a, .scratch = scratch, .in = in };
    struct lint_report r = { .has_catalogue = in->db != NULL };
    lint_schema_init(&l.schema, a);
    if (in->db && !lint_schema_read(in->db, &l.schema, e))
        return false;
    r.verdicts = ARENA_ARRAY(a, struct lint_verdict, in->n + 1);
    struct reading all = { .l = &l, .report = &r, .e = e };
    if (!sql_on_deep_stack(judge_all, &all, e) || !all.ok)
        return false;
    r.v = l.findings.v;
    r.n = l.findings.n;
    lint_report_count(&r);
    *ret = r;
    return true;
}

static bool except(struct arena *a, struct lint_finding *f, struct err *e)
{
    const struct migration *m = f->migration;
    struct directives all = { 0 };
    if (!directives_read(a, m->file, m->sql, &all, e))
        return false;
    for (size_t i = 0; i < all.n; i++)
        if (all.v[i].word == DIRECTIVE_ALLOW && streq(all.v[i].first, f->rule->name))
            f->allowed = all.v[i].rest;
    return true;
}

bool lint_report_add(struct arena *a, struct lint_report *r, const struct lint_finding *f,
                     struct err *e)
{
    struct lint_finding one = *f;
    one.is_of_file = true;
    one.place = (struct place){ .line = 1, .column = 1 };
    if (!except(a, &one, e))
        return false;
    struct lint_finding *all = ARENA_ARRAY(a, struct lint_finding, r->n + 1);
    if (r->n > 0)
        memcpy(all, r->v, r->n * sizeof *all);
    all[r->n] = one;
    r->v = all;
    r->n++;
    return true;
}

bool lint_report_check(struct arena *a, const struct lint_report *r, struct err *e)
{
    if (r->errors == 0)
        return true;
    const struct lint_finding *first = NULL;
    for (size_t i = 0; i < r->n && !first; i++)
        if (stands(&r->v[i]) && r->v[i].severity == LINT_ERROR)
            first = &r->v[i];
    if (!first)
        return true; /* counted before it was added to: lint_report_count */
    const char *more = r->errors > 1 ? arena_printf(a, ", and %zu more", r->errors - 1) : "";
    err_set(e, ERR_BLOCKED, "%s %s: %s%s", first->rule->name, first->rule->title, first->what,
            more);
    return err_where(e, "%s:%u:%u", first->migration->file, first->place.line, first->place.column);
}
