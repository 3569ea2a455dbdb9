#include "migrate/lint/running.h"

#include "base/fs.h"
#include "base/limits.h"
#include "base/strbuf.h"

#define QUERIES_MAX   2000 /* the most used ones; a release asks a few hundred */
#define QUERY_SHOWN   90   /* bytes of a query in a finding */
#define QUERIES_BYTES (4 * MIB)

/* ---- the queries ---- */

static bool is_wanted(struct str q)
{
    static const char *const starts[] = { "select", "with",   "insert", "update",
                                          "delete", "merge",  "values", "SELECT",
                                          "WITH",   "INSERT", "UPDATE", "DELETE",
                                          "MERGE",  "VALUES", "(",      NULL };
    for (size_t i = 0; starts[i]; i++)
        if (str_starts(q, starts[i]))
            return true;
    return false;
}

bool running_read_statistics(struct pg *live, struct arena *a, struct running_queries *ret,
                             struct err *e)
{
    struct pg_rows where, rows;
    if (!pg_query(live, a,
                  "select pg_catalog.quote_ident(n.nspname) from pg_catalog.pg_class c "
                  "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
                  "where c.relname = 'pg_stat_statements' and "
                  "pg_catalog.has_table_privilege(c.oid, 'select')",
                  PG_NONE, &where, e))
        return false;
    if (where.n == 0)
        return true;
    const char *sql =
        arena_printf(a,
                     "select distinct on (query) query from (select query, calls from "
                     "%s.pg_stat_statements where dbid = (select oid from pg_catalog.pg_database "
                     "where datname = pg_catalog.current_database()) and query !~* "
                     "'(lockflight\\.|pg_catalog\\.|supabase_migrations|insufficient privilege)' "
                     "order by calls desc limit %d) s",
                     pg_value(&where, 0, 0), QUERIES_MAX);
    struct err why = { 0 };
    if (!pg_query(live, a, sql, PG_NONE, &rows, &why)) {
        if (why.code == ERR_DB)
            return true; /* there, but not loaded */
        *e = why;
        return false;
    }
    for (size_t i = 0; i < rows.n; i++)
        if (is_wanted(str_trim(str_of(pg_value(&rows, i, 0)))))
            *vec_add(&ret->list, a) = pg_value(&rows, i, 0);
    return true;
}

/* A line with a whole query, or lines up to one that ends with a semicolon. */
bool running_read_file(struct arena *a, const char *path, struct running_queries *ret,
                       struct err *e)
{
    struct str text;
    if (!fs_read(a, path, QUERIES_BYTES, &text, e))
        return err_wrap(e, "--queries");
    bool has_semicolons = memchr(text.p, ';', text.n) != NULL;
    struct str rest = text;
    if (!has_semicolons) {
        while (rest.p) {
            struct str line = str_trim(str_cut(&rest, '\n'));
            if (line.n > 0 && !str_starts(line, "--"))
                *vec_add(&ret->list, a) = str_dup(a, line);
        }
        return true;
    }
    struct sql_script script;
    if (!sql_script_read(a, path, text, &script, e))
        return false;
    for (size_t i = 0; i < script.n; i++)
        *vec_add(&ret->list, a) = str_dup(a, script.statements[i].text);
    return true;
}

/* ---- one side: before, or after ---- */

struct tried {
    bool is_good;
    struct pg_columns columns;
    const char *why; /* not good */
};

struct running_side {
    struct tried *queries;
    struct pg_rows functions; /* identity, NULL or why it cannot be compiled */
};

static bool look_at_queries(struct pg *db, struct arena *a, const struct running_queries *q,
                            struct running_side *ret, struct err *e)
{
    ret->queries = ARENA_ARRAY(a, struct tried, q->list.n + 1);
    for (size_t i = 0; i < q->list.n; i++) {
        struct err why = { 0 };
        ret->queries[i].is_good = pg_describe(db, a, q->list.v[i], &ret->queries[i].columns, &why);
        ret->queries[i].why = arena_strdup(a, why.why);
        if (!ret->queries[i].is_good && why.code != ERR_DB) {
            *e = why;
            return false;
        }
    }
    return true;
}

/* Every SQL function whose body is text is created again as it is; the server reads the body while it
 * does. Rolled back. */
static const char compile_sql[] =
    "create function pg_temp.lockflight_compile() returns table (identity text, why text) "
    "language plpgsql set check_function_bodies = on as $f$\n"
    "declare f record;\n"
    "begin\n"
    "  for f in select p.oid, n.nspname, p.proname from pg_catalog.pg_proc p "
    "join pg_catalog.pg_namespace n on n.oid = p.pronamespace "
    "join pg_catalog.pg_language l on l.oid = p.prolang "
    "where l.lanname = 'sql' and p.prosqlbody is null and p.prokind in ('f', 'p') "
    "and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'auth', 'storage', "
    "'realtime', 'vault', 'extensions', 'graphql', 'graphql_public', 'lockflight') "
    "and not exists (select from pg_catalog.pg_depend d where "
    "d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e') "
    "order by 2, 3, 1 loop\n"
    "    identity := f.nspname || '.' || f.proname || '(' || "
    "pg_catalog.pg_get_function_identity_arguments(f.oid) || ')';\n"
    "    why := null;\n"
    "    begin execute pg_catalog.pg_get_functiondef(f.oid);\n"
    "    exception when others then why := sqlerrm; end;\n"
    "    return next;\n"
    "  end loop;\n"
    "end $f$";

static bool look_at_functions(struct pg *db, struct arena *a, struct running_side *ret,
                              struct err *e)
{
    bool ok = pg_begin(db, e) && pg_exec(db, compile_sql, PG_NONE, NULL, e) &&
              pg_query(db, a, "select identity, why from pg_temp.lockflight_compile()", PG_NONE,
                       &ret->functions, e);
    pg_rollback(db);
    return ok;
}

/* The application's own path, so that names mean what they mean to it. */
static bool look(struct pg *db, struct arena *a, const struct running_queries *q,
                 struct running_side *ret, struct err *e)
{
    return pg_exec(db, "set search_path = \"$user\", public, extensions", PG_NONE, NULL, e) &&
           look_at_queries(db, a, q, ret, e) && look_at_functions(db, a, ret, e) &&
           pg_exec(db, "reset search_path", PG_NONE, NULL, e);
}

/* ---- comparing ---- */

struct found {
    struct arena *a;
    const struct migration *m;
    struct lint_report *report;
    const char *broken; /* the first error that stands, for the verdict */
};

static bool add(struct found *f, enum lint_id id, const char *what, struct err *e)
{
    struct lint_finding one = {
        .rule = &lint_rules[id],
        .severity = lint_rules[id].severity,
        .migration = f->m,
        .what = what,
    };
    if (!lint_report_add(f->a, f->report, &one, e))
        return false;
    const struct lint_finding *last = &f->report->v[f->report->n - 1];
    if (last->severity == LINT_ERROR && !last->allowed && !f->broken)
        f->broken = arena_printf(f->a, "%s %s: %s", last->rule->name, last->rule->title, what);
    return true;
}

/* One line of at most QUERY_SHOWN bytes, not cut inside a character. */
static const char *shown(struct arena *a, const char *query)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(KIB);
    size_t i = 0;
    for (; query[i] && (b.n < QUERY_SHOWN || ((unsigned char)query[i] & 0xc0) == 0x80); i++) {
        bool is_blank = query[i] == '\n' || query[i] == '\t' || query[i] == ' ';
        if (!is_blank)
            (void)strbuf_addc(&b, query[i]);
        else if (b.n > 0 && b.p[b.n - 1] != ' ')
            (void)strbuf_addc(&b, ' ');
    }
    return arena_printf(a, "%s%s", strbuf_text(&b), query[i] ? " …" : "");
}

static const char *names_of(struct arena *a, const struct pg_columns *c)
{
    const char *list = "";
    for (size_t i = 0; i < c->n && i < 8; i++)
        list = arena_printf(a, "%s%s%s", list, i > 0 ? ", " : "", c->v[i].name);
    return c->n > 8 ? arena_printf(a, "%s and %zu more", list, c->n - 8) : list;
}

static bool same_columns(const struct pg_columns *x, const struct pg_columns *y)
{
    for (size_t i = 0; x->n == y->n && i < x->n; i++)
        if (!streq(x->v[i].name, y->v[i].name) || x->v[i].type != y->v[i].type ||
            x->v[i].modifier != y->v[i].modifier)
            return false;
    return x->n == y->n;
}

static bool compare_query(struct found *f, const char *query, const struct tried *before,
                          const struct tried *after, struct err *e)
{
    const char *text = shown(f->a, query);
    if (!before->is_good)
        return true;
    if (!after->is_good)
        return add(f, LINT_P01, arena_printf(f->a, "%s: %s", after->why, text), e);
    return same_columns(&before->columns, &after->columns) ||
           add(f, LINT_P02,
               arena_printf(f->a, "(%s) becomes (%s): %s", names_of(f->a, &before->columns),
                            names_of(f->a, &after->columns), text),
               e);
}

static bool compare_functions(struct found *f, const struct running_side *before,
                              const struct running_side *after, struct err *e)
{
    for (size_t i = 0; i < after->functions.n; i++) {
        const char *why = pg_value(&after->functions, i, 1);
        const char *name = pg_value(&after->functions, i, 0);
        for (size_t k = 0; why && k < before->functions.n; k++)
            if (streq(pg_value(&before->functions, k, 0), name) &&
                !pg_value(&before->functions, k, 1) &&
                !add(f, LINT_P03, arena_printf(f->a, "%s: %s", name, why), e))
                return false;
    }
    return true;
}

static bool compare(struct found *f, const struct running_queries *q,
                    const struct running_side *before, const struct running_side *after,
                    struct err *e)
{
    for (size_t i = 0; i < q->list.n; i++)
        if (!compare_query(f, q->list.v[i], &before->queries[i], &after->queries[i], e))
            return false;
    return compare_functions(f, before, after, e);
}

/* What the rules took for harmless may fail all the same. */
static void judge(struct lint_report *r, const struct found *f)
{
    for (size_t i = 0; i < r->verdict_count; i++) {
        struct lint_verdict *v = &r->verdicts[i];
        if (v->migration != f->m || !v->is_compatible || !f->broken)
            continue;
        v->is_compatible = false;
        v->why = f->broken;
    }
}

bool running_pass(struct running *r, const struct migration *m, struct err *e)
{
    r->last = NULL;
    return shadow_advance(r->shadow, m, e);
}

bool running_try(struct running *r, const struct migration *m, struct lint_report *report,
                 struct err *e)
{
    struct arena *a = r->arena;
    struct running_side *before = ARENA_NEW(a, struct running_side);
    struct running_side *after = ARENA_NEW(a, struct running_side);
    struct found f = { .a = a, .m = m, .report = report };
    if (r->last)
        *before = *r->last;
    else if (!look(shadow_db(r->shadow), a, &r->queries, before, e))
        return false;
    if (!shadow_advance(r->shadow, m, e) || !look(shadow_db(r->shadow), a, &r->queries, after, e))
        return false;
    r->last = after;
    if (!compare(&f, &r->queries, before, after, e))
        return false;
    size_t tried = r->queries.list.n + before->functions.n;
    report->tried = report->tried < tried ? tried : report->tried;
    judge(report, &f);
    lint_report_count(report);
    return true;
}
