#include "migrate/sql/step_cut.h"

#include "base/hash.h"
#include "base/vec.h"
#include "migrate/sql/backfill_order.h"
#include "migrate/sql/mode.h"
#include "migrate/sql/tree.h"

/* "select set_config(…)" as pg_dump writes it, and SET in all its forms. */
static bool is_setting(const struct sql_statement *s)
{
    const PgQuery__Node *n = s->tree;
    if (!n)
        return false;
    if (n->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT)
        return true;
    if (n->node_case != PG_QUERY__NODE__NODE_SELECT_STMT || n->select_stmt->n_from_clause > 0 ||
        n->select_stmt->n_target_list != 1)
        return false;
    const PgQuery__Node *target = n->select_stmt->target_list[0];
    if (target->node_case != PG_QUERY__NODE__NODE_RES_TARGET || !target->res_target->val ||
        target->res_target->val->node_case != PG_QUERY__NODE__NODE_FUNC_CALL)
        return false;
    const PgQuery__FuncCall *f = target->res_target->val->func_call;
    return streq(tree_name(f->funcname, f->n_funcname).name, "set_config");
}

static enum step_kind kind_of(const struct sql_statement *s)
{
    switch (s->mode) {
    case SQL_ALONE:
        return STEP_ALONE;
    case SQL_BACKFILL:
        return STEP_BACKFILL;
    case SQL_IN_TRANSACTION:
    case SQL_OWN_TRANSACTION:
    case SQL_FORBIDDEN:
        break;
    }
    return STEP_TRANSACTION;
}

static bool refuse(struct arena *a, const struct sql_script *script, const struct sql_statement *s,
                   struct err *e)
{
    struct words w;
    words_begin(&w, s->text);
    const struct mode_row *row = mode_of(a, &w);
    sql_error_at(e, ERR_CONFIG, script->file, script->text, s->offset,
                 "%s cannot be part of a migration", s->what);
    return row && row->remedy ? err_hint(e, "%s", row->remedy) : false;
}

typedef VEC(struct migration_step) step_vec;

/* Statements of one mode stand together, but what is alone stands alone. */
static bool continues(const step_vec *steps, const struct sql_statement *s)
{
    if (steps->n == 0)
        return false;
    const struct migration_step *last = &steps->v[steps->n - 1];
    const struct sql_statement *before = &last->v[last->n - 1];
    return kind_of(s) == STEP_TRANSACTION && last->kind == STEP_TRANSACTION &&
           before->mode == s->mode;
}

/* From the first statement's first byte to the last one's last. */
static void close_step(struct arena *a, struct migration_step *s)
{
    const struct sql_statement *first = &s->v[0], *last = &s->v[s->n - 1];
    char *digest = arena_alloc(a, SHA256_HEX_BYTES);
    struct hash *h = hash_new(HASH_SHA256);
    s->text = (struct str){ first->text.p, (size_t)(last->text.p + last->text.n - first->text.p) };
    hash_add(h, s->text.p, s->text.n);
    hash_finish(h, digest);
    s->sha256 = digest;
}

static bool cut(struct arena *a, const struct sql_script *script, bool each,
                struct migration_steps *ret, struct err *e)
{
    step_vec steps = { 0 };
    const struct sql_statement **settings =
        ARENA_ARRAY(a, const struct sql_statement *, script->n + 1);
    size_t settings_count = 0;
    for (size_t i = 0; i < script->n; i++) {
        const struct sql_statement *s = &script->statements[i];
        if (s->mode == SQL_FORBIDDEN)
            return refuse(a, script, s, e);
        if (s->mode == SQL_BACKFILL && !backfill_order_check(a, script, s, e))
            return false;
        bool joins = !each && continues(&steps, s);
        if (is_setting(s)) {
            settings[settings_count++] = s;
            if (joins) /* what follows it in the same step sees it where it stands */
                steps.v[steps.n - 1].n++;
            continue;
        }
        if (joins) {
            steps.v[steps.n - 1].n++;
            continue;
        }
        *vec_add(&steps, a) = (struct migration_step){ .kind = kind_of(s),
                                                       .number = (int)steps.n,
                                                       .v = s,
                                                       .n = 1,
                                                       .settings = settings,
                                                       .settings_count = settings_count };
    }
    for (size_t i = 0; i < steps.n; i++)
        close_step(a, &steps.v[i]);
    *ret = (struct migration_steps){ .v = steps.v, .n = steps.n };
    return true;
}

bool migration_steps_cut(struct arena *a, const struct sql_script *script,
                         struct migration_steps *ret, struct err *e)
{
    return cut(a, script, directive_find(&script->head, DIRECTIVE_TRANSACTION) != NULL, ret, e);
}

bool migration_steps_cut_each(struct arena *a, const struct sql_script *script,
                              struct migration_steps *ret, struct err *e)
{
    return cut(a, script, true, ret, e);
}

bool migration_steps_check(struct arena *a, const char *file, struct str sql, struct err *e)
{
    struct sql_script script;
    struct migration_steps steps;
    return sql_script_read(a, file, sql, &script, e) && migration_steps_cut(a, &script, &steps, e);
}
