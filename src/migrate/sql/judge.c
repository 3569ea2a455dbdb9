/*
 * What one statement is: see judge.h.
 */
#include "migrate/sql/judge.h"

#include "base/strbuf.h"
#include "migrate/sql/mode.h"
#include "migrate/sql/newer.h"
#include "migrate/sql/objects.h"

#include <ctype.h>

/* ---- what people call it ---- */

/* Words that stand between CREATE and the kind of thing, and say nothing about it. */
static bool is_filler(struct str text, const struct token *t)
{
    static const char *const fillers[] = { "or",        "replace",  "unique",     "temp",
                                           "temporary", "unlogged", "global",     "local",
                                           "recursive", "trusted",  "procedural", "constraint" };
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (token_is(text, t, fillers[i]))
            return true;
    return false;
}

/* "materialized" → a second word belongs to it. */
static bool takes_another(struct str text, const struct token *t)
{
    static const char *const firsts[] = { "materialized", "foreign", "event",   "text",
                                          "access",       "user",    "default", "operator" };
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++)
        if (token_is(text, t, firsts[i]))
            return true;
    return false;
}

static void add_word(struct strbuf *b, struct str text, const struct token *t)
{
    if (b->n > 0)
        (void)strbuf_addc(b, ' ');
    for (size_t i = 0; i < t->n; i++)
        (void)strbuf_addc(b, (char)toupper((unsigned char)text.p[t->at + i]));
}

static const char *what_of(struct arena *a, struct words *w)
{
    static const char *const two_words[] = { "create",  "alter", "drop",    "comment",
                                             "refresh", "lock",  "security" };
    CLEANUP(strbuf) struct strbuf b = strbuf_init(256);
    const struct token *t = words_token(w, 0);
    if (!t || t->kind != TOKEN_WORD)
        return "a statement";
    add_word(&b, w->text, t);
    bool goes_on = false;
    for (size_t k = 0; k < sizeof two_words / sizeof *two_words; k++)
        goes_on = goes_on || token_is(w->text, t, two_words[k]);
    size_t i = 1;
    while (goes_on && (t = words_token(w, i)) && is_filler(w->text, t))
        i++;
    for (; goes_on && (t = words_token(w, i)) && t->kind == TOKEN_WORD; i++) {
        add_word(&b, w->text, t);
        goes_on = takes_another(w->text, t);
    }
    return arena_strdup(a, strbuf_text(&b));
}

/* ---- by its tree ---- */

struct judging {
    struct arena *a;
    struct sql_statement *s;
    VEC(struct sql_lock) locks;
    VEC(const struct sql_rule *) rules;
};

static void add_lock(struct judging *j, struct sql_lock lock)
{
    for (size_t i = 0; i < j->locks.n; i++) {
        struct sql_lock *old = &j->locks.v[i];
        if (old->reach != lock.reach || !sql_name_eq(old->name, lock.name) ||
            !streq(old->part, lock.part))
            continue;
        if (old->level < lock.level)
            old->level = lock.level;
        return;
    }
    *vec_add(&j->locks, j->a) = lock;
}

static void add_locks(struct judging *j, const struct clause *c, const struct sql_rule_lock *l)
{
    targets list = { 0 };
    bool is_of_part = l->reach == SQL_ITS_DEPENDENTS || l->reach == SQL_ITS_SEQUENCES;
    bool is_lock_stmt = c->statement->node_case == PG_QUERY__NODE__NODE_LOCK_STMT;
    target_find(j->a, c, l->whom, &list);
    for (size_t i = 0; i < list.n; i++)
        add_lock(j, (struct sql_lock){
                        .name = list.v[i].name,
                        .part = is_of_part ? list.v[i].part : NULL,
                        .level = is_lock_stmt ? (enum sql_lock_level)c->statement->lock_stmt->mode
                                              : l->level,
                        .reach = l->reach,
                    });
    if (l->reach == SQL_EVERYTHING)
        add_lock(j, (struct sql_lock){ .level = l->level, .reach = l->reach });
}

static enum sql_answer more_of(enum sql_answer a, enum sql_answer b)
{
    return a == SQL_YES || b == SQL_NO ? a : b;
}

static void apply_rule(struct judging *j, const struct clause *c, const struct sql_rule *r)
{
    struct sql_statement *s = j->s;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
    *vec_add(&j->rules, j->a) = r;
    if (r->class > s->class)
        s->class = r->class;
    s->rewrites = more_of(s->rewrites, r->rewrites);
    s->scans = more_of(s->scans, r->scans);
    for (size_t i = 0; i < sizeof r->locks / sizeof r->locks[0]; i++)
        if (r->locks[i].whom != SQL_NOBODY)
            add_locks(j, c, &r->locks[i]);
}

/* Calls a function that is not one of Postgres' own, which may do anything. */
static bool visit_call(void *context, const ProtobufCMessage *m)
{
    bool *is_opaque = context;
    if (TREE_IS(m, func_call))
        *is_opaque = clause_call_is_volatile((const PgQuery__FuncCall *)m) == SQL_DEPENDS;
    return !*is_opaque;
}

static bool runs_hidden_code(const PgQuery__Node *n)
{
    bool is_opaque = false;
    switch ((int)n->node_case) {
    case PG_QUERY__NODE__NODE_DO_STMT:
    case PG_QUERY__NODE__NODE_CALL_STMT:
    case PG_QUERY__NODE__NODE_EXECUTE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT:
    case PG_QUERY__NODE__NODE_ALTER_EXTENSION_STMT:
    case PG_QUERY__NODE__NODE_IMPORT_FOREIGN_SCHEMA_STMT:
        return true;
    case PG_QUERY__NODE__NODE_SELECT_STMT:
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        (void)tree_walk(n, visit_call, &is_opaque);
        return is_opaque;
    default:
        return false;
    }
}

static void judge_tree(struct judging *j)
{
    struct sql_statement *s = j->s;
    object_list objects = { 0 };
    for (size_t i = 0; i == 0 || i < tree_command_count(s->tree); i++) {
        struct clause c = clause_of(s->tree, i);
        for (const struct sql_rule *r = rule_next(&c, NULL); r; r = rule_next(&c, r + 1))
            apply_rule(j, &c, r);
    }
    objects_find(j->a, s->tree, &objects);
    s->objects = objects.v;
    s->object_count = objects.n;
    s->is_opaque = runs_hidden_code(s->tree);
}

/* ---- by its words ---- */

static void judge_words(struct judging *j, struct words *w)
{
    struct sql_statement *s = j->s;
    struct sql_name name = { 0 };
    const struct newer_row *row = newer_find(j->a, w, &name);
    s->class = row->class;
    s->rewrites = row->rewrites;
    s->scans = row->scans;
    s->is_opaque = !s->is_analysed;
    if (row->says)
        s->what = row->says;
    if (!name.name)
        return;
    if (row->level != SQL_NO_LOCK)
        add_lock(j, (struct sql_lock){ .name = name, .level = row->level });
    struct sql_object *o = ARENA_NEW(j->a, struct sql_object);
    *o = (struct sql_object){ .kind = SQL_TABLE,
                              .effect = s->is_bulk ? SQL_WRITES : SQL_CHANGES,
                              .name = name };
    s->objects = o;
    s->object_count = 1;
}

/* The many kinds that no row of the modes speaks of need not be held against them. */
static bool has_no_mode(const PgQuery__Node *n)
{
    switch (n ? (int)n->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
    case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
    case PG_QUERY__NODE__NODE_CREATE_TRIG_STMT:
    case PG_QUERY__NODE__NODE_VIEW_STMT:
    case PG_QUERY__NODE__NODE_COMMENT_STMT:
    case PG_QUERY__NODE__NODE_GRANT_STMT:
    case PG_QUERY__NODE__NODE_SELECT_STMT:
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        return true;
    default:
        return false;
    }
}

void judge(struct arena *a, struct words *w, struct sql_statement *s)
{
    struct judging j = { .a = a, .s = s };
    words_begin(w, s->text);
    const struct mode_row *row = has_no_mode(s->tree) ? NULL : mode_of(a, w);
    s->mode = row ? row->mode : SQL_IN_TRANSACTION;
    s->what = row ? row->what : what_of(a, w);
    if (s->tree)
        judge_tree(&j);
    else
        judge_words(&j, w);
    if (s->mode == SQL_ALONE && s->class < SQL_NON_TRANSACTIONAL)
        s->class = SQL_NON_TRANSACTIONAL;
    s->locks = j.locks.v;
    s->lock_count = j.locks.n;
    s->rules = j.rules.v;
    s->rule_count = j.rules.n;
}
