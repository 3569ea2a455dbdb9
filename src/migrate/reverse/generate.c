/*
 * The course of generating a reverse script: see generate.h.
 *
 *   1  refuse what a scratch database cannot show
 *   2  look at the catalogue, run the migration, look again
 *   3  walk back in one go; if that has no end, walk back statement by statement, for which the
 *      migration is run again with a look after each of its statements
 *   4  write it down
 *
 * The single walk gives the shorter script: what was made and changed in between does not appear.
 * The other one finds its way where a name means two things in turn (a type that is renamed, made
 * anew, and dropped).
 */
#include "migrate/reverse/generate.h"

#include "base/cleanup.h"
#include "migrate/reverse/rows.h"

/* ---- what a scratch database cannot show ---- */

// clang-format off
static const struct { PgQuery__Node__NodeCase node; const char *reason; } out_of_reach[] = {
    { PG_QUERY__NODE__NODE_CREATE_ROLE_STMT,         "roles belong to the whole server"      },
    { PG_QUERY__NODE__NODE_ALTER_ROLE_STMT,          "roles belong to the whole server"      },
    { PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT,      "roles belong to the whole server"      },
    { PG_QUERY__NODE__NODE_DROP_ROLE_STMT,           "roles belong to the whole server"      },
    { PG_QUERY__NODE__NODE_GRANT_ROLE_STMT,          "roles belong to the whole server"      },
    { PG_QUERY__NODE__NODE_DROP_OWNED_STMT,          "what a role owns differs from database to database" },
    { PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT,      "what a role owns differs from database to database" },
    { PG_QUERY__NODE__NODE_CREATEDB_STMT,            "databases belong to the whole server"  },
    { PG_QUERY__NODE__NODE_DROPDB_STMT,              "databases belong to the whole server"  },
    { PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT,      "databases belong to the whole server"  },
    { PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT,  "settings of a database are not in its catalogue" },
    { PG_QUERY__NODE__NODE_CREATE_TABLE_SPACE_STMT,  "tablespaces belong to the whole server" },
    { PG_QUERY__NODE__NODE_DROP_TABLE_SPACE_STMT,    "tablespaces belong to the whole server" },
    { PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT,        "settings belong to the whole server"   },
    { PG_QUERY__NODE__NODE_CREATE_SUBSCRIPTION_STMT, "a subscription reaches another server" },
    { PG_QUERY__NODE__NODE_ALTER_SUBSCRIPTION_STMT,  "a subscription reaches another server" },
    { PG_QUERY__NODE__NODE_DROP_SUBSCRIPTION_STMT,   "a subscription reaches another server" },
};
// clang-format on

static const char *find_out_of_reach(struct arena *a, const struct sql_script *script)
{
    for (size_t i = 0; i < script->n; i++) {
        const struct sql_statement *s = &script->statements[i];
        if (s->mode == SQL_FORBIDDEN)
            return arena_printf(a, "line %u: %s cannot be part of a migration", s->line, s->what);
        for (size_t k = 0; s->tree && k < sizeof out_of_reach / sizeof out_of_reach[0]; k++)
            if (s->tree->node_case == out_of_reach[k].node)
                return arena_printf(
                    a, "line %u: %s is outside of what a scratch database can show: %s", s->line,
                    s->what, out_of_reach[k].reason);
    }
    return NULL;
}

/* ---- running the migration ---- */

static bool run_statement(struct run *r, size_t i, struct err *e)
{
    const struct sql_statement *s = &r->script->statements[i];
    int position = 0;
    if (pg_run(r->db, str_dup(r->a, s->text), &position, e))
        return true;
    if (e->code != ERR_DB)
        return false;
    char sqlstate[sizeof e->sqlstate];
    (void)snprintf(sqlstate, sizeof sqlstate, "%s", e->sqlstate);
    const char *why = arena_strdup(r->a, e->why);
    (void)sql_error_at(e, ERR_DB, r->script->file, r->script->text, s->offset, "%s", why);
    (void)snprintf(e->sqlstate, sizeof e->sqlstate, "%s", sqlstate);
    return false;
}

/* An extension that this server lacks, but the real one may have. */
static bool is_left_out(struct run *r, const struct sql_statement *s, const struct err *e)
{
    if (!s->tree || s->tree->node_case != PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT ||
        !(streq(e->sqlstate, "58P01") || streq(e->sqlstate, "0A000")))
        return false;
    *vec_add(&r->left_out, r->a) =
        sql_quote(r->a, arena_strdup(r->a, s->tree->create_extension_stmt->extname));
    return true;
}

/* What one statement did, seen through a savepoint of its own where there is a transaction. */
static bool up_statement(struct run *r, struct rows_seen *rows, size_t i, bool is_inside,
                         struct err *e)
{
    if ((rows && !rows_before(r, rows, i, e)) ||
        (is_inside && !pg_exec(r->db, "SAVEPOINT lockflight_statement", PG_NONE, NULL, e)))
        return false;
    if (!run_statement(r, i, e)) {
        struct err cause = *e;
        return is_left_out(r, &r->script->statements[i], &cause) &&
               (!is_inside || pg_exec(r->db, "ROLLBACK TO lockflight_statement", PG_NONE, NULL, e));
    }
    return (!is_inside || pg_exec(r->db, "RELEASE lockflight_statement", PG_NONE, NULL, e)) &&
           (!rows || rows_after(r, rows, i, e));
}

/* The session as a migration finds it when it is applied, with the search_path of the role; and
 * again after it, for it may have set a role or a path. */
static bool settle(struct run *r, struct err *e)
{
    return pg_exec(r->db, "RESET SESSION AUTHORIZATION", PG_NONE, NULL, e) &&
           pg_exec(r->db, "RESET ALL", PG_NONE, NULL, e);
}

/* With `states`, the catalogue before each statement. */
static bool up(struct run *r, struct rows_seen *rows, struct world *states, struct err *e)
{
    bool is_inside = r->script->is_transactional;
    r->left_out.n = 0;
    if (!settle(r, e))
        return false;
    for (size_t i = 0; i < r->script->n; i++)
        if ((states && !world_read(r, r->a, &states[i], e)) ||
            !up_statement(r, rows, i, is_inside, e))
            return false;
    return settle(r, e);
}

/* Is there a statement whose effect cannot be read from it? */
static bool is_opaque(const struct sql_script *script)
{
    for (size_t i = 0; i < script->n; i++) {
        const struct sql_statement *s = &script->statements[i];
        if ((!s->is_analysed && !s->is_bulk) ||
            (s->tree && (s->tree->node_case == PG_QUERY__NODE__NODE_DO_STMT ||
                         s->tree->node_case == PG_QUERY__NODE__NODE_CALL_STMT ||
                         s->tree->node_case == PG_QUERY__NODE__NODE_SELECT_STMT)))
            return true;
    }
    return false;
}

/* A DO block can make roles too. They are not part of any database. */
static bool roles_digest(struct run *r, const char **ret, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(
            r->db, r->a,
            "SELECT md5(concat((SELECT string_agg(to_jsonb(r)::text, ',' ORDER BY rolname) FROM"
            " pg_roles r), (SELECT string_agg(m::text, ',' ORDER BY roleid, member) FROM"
            " pg_auth_members m), (SELECT string_agg(s::text, ',' ORDER BY setdatabase, setrole)"
            " FROM pg_db_role_setting s)))",
            PG_NONE, &rows, e))
        return false;
    *ret = pg_value(&rows, 0, 0);
    return true;
}

/* Extensions with tables hold data that goes with them. */
static bool find_extensions(struct run *r, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(
            r->db, r->a,
            "SELECT DISTINCT quote_ident(e.extname) FROM pg_extension e"
            " JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid"
            "  AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'"
            " JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p')",
            PG_NONE, &rows, e))
        return false;
    for (size_t i = 0; i < rows.n; i++)
        *vec_add(&r->extensions, r->a) = pg_value(&rows, i, 0);
    return true;
}

/* ---- walking back ---- */

struct course {
    const char *version;
    struct world was, after;
    struct world *states; /* before each statement; NULL: not looked at */
    struct rows_seen rows;
    struct loss loss;
};

static bool walk_statements(struct run *r, struct world *states, struct err *e)
{
    for (size_t i = r->script->n; i-- > 0;) {
        r->cause = &r->script->statements[i];
        if (!converge(r, &states[i], NULL, e))
            return err_wrap(e, "line %u", r->script->statements[i].line);
    }
    return true;
}

/* In a transaction of its own, or under a savepoint: either way it is gone afterwards. */
static bool walk(struct run *r, struct course *c, bool by_statement, struct err *e)
{
    bool is_inside = pg_in_transaction(r->db);
    if (!(is_inside ? pg_exec(r->db, "SAVEPOINT lockflight_back", PG_NONE, NULL, e)
                    : pg_begin(r->db, e)))
        return false;
    r->actions.n = 0;
    r->aliases.n = 0;
    r->made.n = 0;
    r->is_unchecked = false;
    r->cause = NULL;
    rows_restore(r, &c->rows, c->version);
    bool ok = by_statement ? walk_statements(r, c->states, e) : converge(r, &c->was, &c->after, e);
    struct err ignored;
    if (is_inside)
        (void)!pg_exec(r->db, "ROLLBACK TO lockflight_back", PG_NONE, NULL, &ignored);
    else
        pg_rollback(r->db);
    return ok;
}

/* What was there before is not told from what the migration would have made. */
static void note_conditions(struct run *r, struct loss *l)
{
    for (size_t i = 0; i < r->script->n; i++) {
        const struct sql_statement *s = &r->script->statements[i];
        const char *text = str_dup(r->a, s->text);
        if (s->class == SQL_ADDITIVE && strcasestr(text, "if not exists") &&
            !strstr(text, "lockflight_"))
            *vec_add(&l->notes, r->a) = arena_printf(
                r->a, "Line %u says IF NOT EXISTS: what was there before it ran goes as well.",
                s->line);
    }
}

static bool is_refusal(const struct err *e)
{
    return e->code == ERR_BLOCKED;
}

/* The migration with a look before and after. *ret_refusal: what shows only now. */
static bool look_and_run(struct run *r, struct course *c, const char **ret_refusal, struct err *e)
{
    const char *roles_before = NULL, *roles_after = NULL;
    bool is_inside = r->script->is_transactional, opaque = is_opaque(r->script);
    if ((is_inside && !pg_begin(r->db, e)) || !world_read(r, r->a, &c->was, e) ||
        (opaque && !roles_digest(r, &roles_before, e)) || !find_extensions(r, e) ||
        !up(r, &c->rows, c->states, e) || (opaque && !roles_digest(r, &roles_after, e)) ||
        !find_extensions(r, e) || !world_read(r, r->a, &c->after, e))
        return false;
    if (!streq(roles_before, roles_after))
        *ret_refusal = "it changes roles, which belong to the whole server and not to a database";
    return true;
}

/* In one go, or statement by statement; ERR_BLOCKED if neither has an end. */
static bool find_way(struct run *r, struct course *c, struct err *e)
{
    if (walk(r, c, false, e))
        return true;
    if (!is_refusal(e) || r->script->n < 2)
        return false;
    struct err first = *e;
    if (!c->states) {
        c->states = ARENA_ARRAY(r->a, struct world, r->script->n + 1);
        pg_rollback(r->db);
        if (!pg_begin(r->db, e) || !up(r, NULL, c->states, e))
            return false;
    }
    if (walk(r, c, true, e))
        return true;
    if (is_refusal(e))
        *e = first;
    return false;
}

static bool generate(struct run *r, const struct migration *m, struct reverse_script *ret,
                     struct err *e)
{
    struct course c = { .version = m->version, .loss.class = 'A' };
    c.rows = (struct rows_seen){ .l = &c.loss, .before = &c.was };
    if (!r->script->is_transactional)
        c.states = ARENA_ARRAY(r->a, struct world, r->script->n + 1);
    if (!look_and_run(r, &c, &ret->refusal, e))
        return false;
    if (ret->refusal)
        return true;
    r->was = &c.was;
    loss_find(r, &c.was, &c.after, &c.loss);
    note_conditions(r, &c.loss);
    if (!find_way(r, &c, e)) {
        if (!is_refusal(e))
            return false;
        ret->refusal = arena_printf(r->a, "no way back was found: %s", e->why);
        return true;
    }
    ret->sql = script_text(r, m, &c.loss);
    ret->loss = c.loss.class;
    ret->loss_text = reverse_loss_text(r, &c.loss);
    ret->notes = c.loss.notes.v;
    ret->note_count = c.loss.notes.n;
    return ret->sql || err_set(e, ERR_LIMIT, "the reverse script of %s is too long", m->file);
}

bool reverse_generate(struct pg *db, struct arena *a, const struct migration *m,
                      struct reverse_script *ret, struct err *e)
{
    struct sql_script script;
    if (!sql_script_read(a, m->file, m->sql, &script, e))
        return false;
    struct reverse_script made = { .loss = 'D', .refusal = find_out_of_reach(a, &script) };
    if (made.refusal) {
        *ret = made;
        return true;
    }
    struct run r = { .db = db, .a = a, .script = &script, .bag = json_array() };
    bool ok = generate(&r, m, &made, e);
    pg_rollback(db); /* also of the settings */
    if (ok && !script.is_transactional)
        ok = pg_session_reset(db, e);
    json_decref(r.bag);
    if (ok)
        *ret = made;
    return ok;
}

bool reverse_generate_on(struct shadow *before, struct arena *a, const struct migration *m,
                         struct reverse_script *ret, struct err *e)
{
    struct sql_script script;
    if (!sql_script_read(a, m->file, m->sql, &script, e))
        return false;
    if (script.is_transactional)
        return reverse_generate(shadow_db(before), a, m, ret, e);
    CLEANUP(shadow) struct shadow *fork = NULL;
    return shadow_fork(before, &fork, e) && reverse_generate(shadow_db(fork), a, m, ret, e);
}
