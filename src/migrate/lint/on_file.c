/*
 * What holds for statements of every kind, and what shows only when the file is seen as a whole:
 * transactions, locks that add up, tables left without row security, the way back.
 */
#include "base/str.h"
#include "migrate/lint/inside.h"
#include "migrate/sql/words.h"

/* ---- each statement ---- */

static bool is_concurrent(const struct sql_statement *s)
{
    return s->mode == SQL_ALONE && strstr(s->what, "CONCURRENTLY");
}

static bool says_no_transaction(const struct lint *l)
{
    const struct directive *d = directive_find(&l->script->head, DIRECTIVE_TRANSACTION);
    return d && streq(d->first, "none");
}

/* Are there statements that would share a transaction? */
static bool has_neighbours(const struct lint *l)
{
    for (size_t i = 0; i < l->script->n; i++)
        if (i != l->index && l->script->statements[i].mode == SQL_IN_TRANSACTION)
            return true;
    return false;
}

static void alone(struct lint *l, const struct sql_statement *s)
{
    if (s->mode != SQL_ALONE)
        return;
    if (l->in_block) {
        (void)lint_found(l, is_concurrent(s) ? LINT_L04 : LINT_T04, 0,
                         "%s between BEGIN and COMMIT", s->what);
        for (size_t i = 0; is_concurrent(s) && i < l->index; i++)
            if (is_concurrent(&l->script->statements[i])) {
                (void)lint_found(l, LINT_L21, 0, "the second one of the file");
                break;
            }
        return;
    }
    if (says_no_transaction(l) || !has_neighbours(l))
        return;
    if (!is_concurrent(s)) {
        (void)lint_found(l, LINT_T04, 0, "%s", s->what);
        return;
    }
    struct lint_finding *f =
        lint_found(l, LINT_L04, 0,
                   "%s: Lockflight runs the file in steps and resumes it after a crash; other "
                   "tools cannot",
                   s->what);
    if (!l->in->is_by_hand)
        f->severity = LINT_WARN;
}

/* In a file of steps, what a crash leaves done and unrecorded must bear being done again. */
static void repeatable(struct lint *l, const struct sql_statement *s)
{
    bool adds = s->tree && (s->tree->node_case == PG_QUERY__NODE__NODE_INSERT_STMT ||
                            s->tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT);
    bool adds_on_conflict = s->tree && s->tree->node_case == PG_QUERY__NODE__NODE_INSERT_STMT &&
                            s->tree->insert_stmt->on_conflict_clause;
    static const char *const known[] = { "CONCURRENTLY", "VACUUM",       "ANALYZE", "REINDEX",
                                         "CLUSTER",      "ALTER SYSTEM", NULL };
    bool is_known = s->mode != SQL_ALONE;
    for (size_t i = 0; known[i]; i++)
        is_known |= strstr(s->what, known[i]) != NULL;
    if (!is_known)
        (void)lint_found(l, LINT_T08, 0, "%s", s->what);
    else if (l->in->is_by_hand && says_no_transaction(l) && adds && !adds_on_conflict)
        (void)lint_found(l, LINT_T08, 0, "%s would do it twice", s->what);
}

static void unqualified(struct lint *l, const struct sql_statement *s)
{
    for (size_t i = 0; i < s->object_count && !l->is_reported_q05; i++) {
        const struct sql_object *o = &s->objects[i];
        bool counts = o->kind == SQL_TABLE || o->kind == SQL_VIEW || o->kind == SQL_MATVIEW ||
                      o->kind == SQL_SEQUENCE || o->kind == SQL_FUNCTION || o->kind == SQL_TYPE ||
                      o->kind == SQL_DOMAIN;
        if (!counts || o->effect == SQL_READS || o->name.schema || !o->name.name)
            continue;
        (void)lint_found(l, LINT_Q05, 0, "%s (the first one of this file)", o->name.name);
        l->is_reported_q05 = true;
    }
}

void lint_on_statement(struct lint *l)
{
    alone(l, l->statement);
    repeatable(l, l->statement);
    unqualified(l, l->statement);
    lint_reserved(l);
    lint_on_names(l);
}

/* A form newer than the grammar: what is known of it by its words. */
void lint_on_words(struct lint *l)
{
    static const struct {
        const char *pattern;
        enum lint_id id;
        const char *what;
    } known[] = {
        { "alter table [if exists] [only] % alter [column] % set expression", LINT_R02,
          "SET EXPRESSION writes the table anew" },
        { "alter table [if exists] [only] % .. not null % not valid", LINT_C06,
          "writes must not be NULL from now on" },
        { "alter table [if exists] [only] % set access method", LINT_L16,
          "SET ACCESS METHOD writes the table anew" },
        { "merge into %", LINT_D01, "the rows that MERGE changes" },
    };
    struct words w;
    words_begin(&w, l->statement->text);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (words_match(l->arena, &w, known[i].pattern, NULL)) {
            (void)lint_found(l, known[i].id, 0, "%s", known[i].what);
            return;
        }
    if (words_match(l->arena, &w, "alter table .. virtual", NULL))
        return; /* not stored: the table stays as it is */
    (void)lint_found(l, LINT_T06, 0, "the grammar of PostgreSQL 15 does not know it: %s",
                     l->statement->complaint ? l->statement->complaint : l->statement->what);
}

/* ---- the file as a whole ---- */

static const struct lint_table *strongly_locked(const struct lint *l, const struct sql_statement *s)
{
    for (size_t i = 0; i < s->lock_count; i++) {
        const struct lint_table *t = lint_schema_table(&l->schema, s->locks[i].name);
        bool counts = s->locks[i].level == SQL_ACCESS_EXCLUSIVE &&
                      s->locks[i].reach == SQL_ITSELF && t && !t->is_new &&
                      (t->kind == LINT_TABLE || t->kind == LINT_PARTITIONED);
        if (counts && !(t->is_sized && t->rows <= LINT_TINY_ROWS))
            return t;
    }
    return NULL;
}

static void add_up(struct lint *l)
{
    const struct lint_table *first = NULL;
    for (size_t i = 0; !says_no_transaction(l) && i < l->script->n; i++) {
        const struct sql_statement *s = &l->script->statements[i];
        if (s->mode != SQL_IN_TRANSACTION) {
            first = NULL;
            continue;
        }
        const struct lint_table *t = strongly_locked(l, s);
        bool is_slow = s->scans == SQL_YES || s->rewrites == SQL_YES ||
                       (s->tree && (s->tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT ||
                                    s->tree->node_case == PG_QUERY__NODE__NODE_DELETE_STMT));
        if (first && t && t != first) {
            (void)lint_found_at(l, LINT_L20, s->offset, "%s is locked while %s still is",
                                lint_text(l, t->name), lint_text(l, first->name));
            return;
        }
        if (first && is_slow) {
            (void)lint_found_at(l, LINT_L20, s->offset, "%s stays locked while this runs",
                                lint_text(l, first->name));
            return;
        }
        first = first ? first : t;
    }
}

/* Tables made by the file that anybody with the public key can read. */
static void exposed_tables(struct lint *l)
{
    for (size_t i = 0; i < l->script->n; i++) {
        const struct sql_statement *s = &l->script->statements[i];
        const PgQuery__RangeVar *r = NULL;
        if (s->tree && s->tree->node_case == PG_QUERY__NODE__NODE_CREATE_STMT)
            r = s->tree->create_stmt->relation;
        else if (s->tree && s->tree->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT &&
                 s->tree->create_table_as_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE)
            r = s->tree->create_table_as_stmt->into->rel;
        if (!r || streq(r->relpersistence, "t") || !lint_is_exposed(l, tree_range(r)))
            continue;
        const struct lint_table *t = lint_schema_table(&l->schema, tree_range(r));
        if (t && !t->has_row_security)
            (void)lint_found_at(l, LINT_S01, s->offset, "%s", lint_text(l, tree_range(r)));
    }
}

size_t lint_offset_of_table(const struct lint *l, struct sql_name table)
{
    for (size_t i = 0; i < l->script->n; i++) {
        const struct sql_statement *s = &l->script->statements[i];
        for (size_t k = 0; k < s->object_count; k++)
            if (sql_name_eq(s->objects[k].name, table))
                return s->offset;
    }
    return 0;
}

static void way_back(struct lint *l)
{
    const struct migration *m = l->migration;
    if (l->in->no_reverse_rules || l->in->is_by_hand)
        return;
    if (!m->has_reverse) {
        struct lint_finding *f = lint_found_at(l, LINT_D03, 0, "there is no %s", m->reverse_file);
        f->is_of_file = true;
        if (!l->in->wants_reverse)
            f->severity = LINT_WARN;
        return;
    }
    struct directives d;
    struct err ignored = { 0 };
    if (!directives_read(l->arena, m->reverse_file, m->reverse_sql, &d, &ignored))
        return; /* whoever runs it says so */
    const struct directive *loss = directive_find(&d, DIRECTIVE_LOSS);
    bool leaves_only = loss && streq(loss->first, "D") && directive_find(&d, DIRECTIVE_LEAVES);
    if (loss && (streq(loss->first, "C") || streq(loss->first, "D")) && !leaves_only)
        lint_found_at(l, LINT_D04, 0, "%s: %s", m->reverse_file,
                      loss->rest[0] ? loss->rest : "its loss class is C or D")
            ->is_of_file = true;
}

static void by_hand(struct lint *l)
{
    bool sets_timeout = false;
    for (size_t i = 0; i < l->script->n; i++) {
        const struct sql_statement *s = &l->script->statements[i];
        sets_timeout |= s->tree && s->tree->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT &&
                        streq(s->tree->variable_set_stmt->name, "lock_timeout");
        bool locks = s->lock_count > 0;
        if (locks && !sets_timeout) {
            (void)lint_found_at(l, LINT_L23, s->offset, "%s", s->what);
            break;
        }
    }
    if (l->in_block)
        (void)lint_found_at(l, LINT_T02, l->script->n > 0 ? l->script->statements[0].offset : 0,
                            "no COMMIT until the end of the file");
}

void lint_on_file_begin(struct lint *l)
{
    l->in_block = l->in_utc = l->is_reported_q05 = false;
    l->statement = NULL;
    l->file_findings = l->findings.n;
}

void lint_on_file_end(struct lint *l)
{
    l->statement = NULL;
    add_up(l);
    exposed_tables(l);
    lint_keys(l);
    way_back(l);
    if (l->in->is_by_hand)
        by_hand(l);
}
