/*
 * Counting what a reverse script would lose: see risk.h.
 *
 * The parse tree comes from libpg_query as JSON: { "stmts": [ { "stmt": { "<Node>": {…} } } ] }.
 * Each statement is looked up in one table; a node that is not in it cannot be counted.
 */
#include "migrate/reverse/risk.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"

#include <assert.h>
#include <pg_query.h>
#include <stdio.h>

#define TEXT_BYTES (4 * KIB)

struct count {
    struct pg *db;
    struct arena *a;
    struct strbuf text;
    int64_t rows;
    bool is_unknown;
};

static void add_text(struct count *c, const char *what)
{
    (void)strbuf_printf(&c->text, "%s%s", c->text.n > 0 ? ", " : "", what);
}

static void unknown(struct count *c, const char *what)
{
    c->is_unknown = true;
    add_text(c, arena_printf(c->a, "rows that %s changes", what));
}

/* An identifier as SQL wants it quoted. */
static const char *quoted(struct arena *a, const char *name)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(KIB);
    (void)strbuf_addc(&b, '"');
    for (const char *p = name; *p; p++) {
        if (*p == '"')
            (void)strbuf_addc(&b, '"');
        (void)strbuf_addc(&b, *p);
    }
    (void)strbuf_addc(&b, '"');
    return arena_strdup(a, strbuf_text(&b));
}

static const char *qualified(struct arena *a, const char *schema, const char *name)
{
    return arena_printf(a, "%s.%s", quoted(a, schema ? schema : "public"), quoted(a, name));
}

static bool exists(struct count *c, const char *relation, bool *ret, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(c->db, c->a, "select to_regclass($1) is not null", PG_PARAMS(relation), &rows, e))
        return false;
    *ret = pg_bool(&rows, 0, 0);
    return true;
}

/* Counts with one query; a relation that does not exist has nothing to lose. */
static bool count_rows(struct count *c, const char *relation, const char *where, const char *what,
                       struct err *e)
{
    bool is_there = false;
    if (!exists(c, relation, &is_there, e))
        return false;
    if (!is_there)
        return true;
    struct pg_rows rows;
    const char *sql = arena_printf(c->a, "select count(*) from %s%s", relation, where);
    if (!pg_query(c->db, c->a, sql, PG_NONE, &rows, e))
        return err_wrap(e, "count %s", what);
    int64_t n = pg_int(&rows, 0, 0);
    if (n > 0)
        add_text(c, arena_printf(c->a, "%lld %s", (long long)n, what));
    c->rows += n;
    return true;
}

/* ---- names in the parse tree ---- */

/* A list of String nodes, the last two of which are schema and name. */
static const char *list_name(struct arena *a, const json_t *list)
{
    const json_t *items = json_object_get(json_object_get(list, "List"), "items");
    size_t n = json_array_size(items);
    const char *part[2] = { NULL, NULL };
    for (size_t i = n > 2 ? n - 2 : 0; i < n; i++) {
        const json_t *text = json_object_get(json_array_get(items, i), "String");
        const char *value = json_text_or(text, "sval", json_text_or(text, "str", NULL));
        part[0] = part[1];
        part[1] = value;
    }
    return part[1] ? qualified(a, part[0], part[1]) : NULL;
}

static const char *relation_name(struct arena *a, const json_t *relation)
{
    const json_t *range = json_object_get(relation, "RangeVar");
    if (!range)
        range = relation;
    const char *name = json_text_or(range, "relname", NULL);
    return name ? qualified(a, json_text_or(range, "schemaname", NULL), name) : NULL;
}

/* ---- statements ---- */

static bool count_drop(struct count *c, const json_t *node, struct err *e)
{
    const char *kind = json_text_or(node, "removeType", "");
    if (streq(kind, "OBJECT_SCHEMA") || streq(kind, "OBJECT_EXTENSION") ||
        streq(kind, "OBJECT_MATVIEW")) {
        unknown(c, streq(kind, "OBJECT_SCHEMA") ? "DROP SCHEMA" : "DROP EXTENSION");
        return true;
    }
    if (!streq(kind, "OBJECT_TABLE"))
        return true; /* replaceable */
    const json_t *objects = json_object_get(node, "objects");
    for (size_t i = 0; i < json_array_size(objects); i++) {
        const char *name = list_name(c->a, json_array_get(objects, i));
        if (name && !count_rows(c, name, "", arena_printf(c->a, "rows in %s", name), e))
            return false;
    }
    return true;
}

/* The constant default of a column, as SQL; NULL if it has none, or one that is computed. */
static bool constant_default(struct count *c, const char *relation, const char *column,
                             const char **ret, struct err *e)
{
    struct pg_rows rows;
    *ret = NULL;
    if (!pg_query(c->db, c->a,
                  "select pg_get_expr(d.adbin, d.adrelid) from pg_catalog.pg_attrdef d "
                  "join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum "
                  "where d.adrelid = to_regclass($1) and a.attname = $2 and a.attgenerated = '' "
                  "and pg_get_expr(d.adbin, d.adrelid) !~ '\\('",
                  PG_PARAMS(relation, column), &rows, e))
        return false;
    *ret = rows.n > 0 ? pg_value(&rows, 0, 0) : NULL;
    return true;
}

static bool count_column(struct count *c, const char *relation, const char *column, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(c->db, c->a,
                  "select 1 from pg_catalog.pg_attribute where attrelid = to_regclass($1) and "
                  "attname = $2 "
                  "and not attisdropped and attgenerated = ''",
                  PG_PARAMS(relation, column), &rows, e))
        return false;
    if (rows.n == 0)
        return true; /* not there, or computed from others */
    const char *constant;
    if (!constant_default(c, relation, column, &constant, e))
        return false;
    const char *name = quoted(c->a, column);
    const char *where = constant
                            ? arena_printf(c->a, " where %s is not null and %s is distinct from %s",
                                           name, name, constant)
                            : arena_printf(c->a, " where %s is not null", name);
    return count_rows(c, relation, where, arena_printf(c->a, "values in %s.%s", relation, column),
                      e);
}

static bool count_alter(struct count *c, const json_t *node, struct err *e)
{
    const char *relation = relation_name(c->a, json_object_get(node, "relation"));
    const json_t *commands = json_object_get(node, "cmds");
    for (size_t i = 0; relation && i < json_array_size(commands); i++) {
        const json_t *command = json_object_get(json_array_get(commands, i), "AlterTableCmd");
        const char *kind = json_text_or(command, "subtype", "");
        if (streq(kind, "AT_AlterColumnType"))
            unknown(c, "a changed type");
        if (streq(kind, "AT_DropColumn") &&
            !count_column(c, relation, json_text_or(command, "name", ""), e))
            return false;
    }
    return true;
}

static bool count_truncate(struct count *c, const json_t *node, struct err *e)
{
    const json_t *relations = json_object_get(node, "relations");
    for (size_t i = 0; i < json_array_size(relations); i++) {
        const char *name = relation_name(c->a, json_array_get(relations, i));
        if (name && !count_rows(c, name, "", arena_printf(c->a, "rows in %s", name), e))
            return false;
    }
    return true;
}

static bool count_nothing(struct count *c, const json_t *node, struct err *e)
{
    (void)c;
    (void)node;
    (void)e;
    return true;
}

// clang-format off
static const struct {
    const char *node;
    bool (*count)(struct count *c, const json_t *node, struct err *e);
} countable[] = {
    { "DropStmt",            count_drop     },
    { "AlterTableStmt",      count_alter    },
    { "TruncateStmt",        count_truncate },
    { "GrantStmt",           count_nothing  },
    { "GrantRoleStmt",       count_nothing  },
    { "AlterDefaultPrivilegesStmt", count_nothing },
    { "CreateFunctionStmt",  count_nothing  },
    { "AlterFunctionStmt",   count_nothing  },
    { "ViewStmt",            count_nothing  },
    { "CreatePolicyStmt",    count_nothing  },
    { "AlterPolicyStmt",     count_nothing  },
    { "CreateTrigStmt",      count_nothing  },
    { "IndexStmt",           count_nothing  },
    { "CommentStmt",         count_nothing  },
    { "CreateStmt",          count_nothing  },
    { "CreateSchemaStmt",    count_nothing  },
    { "CreateSeqStmt",       count_nothing  },
    { "AlterOwnerStmt",      count_nothing  },
    { "RenameStmt",          count_nothing  },
    { "AlterPublicationStmt", count_nothing },
    { "VariableSetStmt",     count_nothing  },
    { "SelectStmt",          count_nothing  },
    { "NotifyStmt",          count_nothing  },
};
// clang-format on

static bool count_statement(struct count *c, json_t *statement, struct err *e)
{
    const char *name;
    json_t *node;
    json_object_foreach (statement, name, node) {
        for (size_t i = 0; i < sizeof countable / sizeof countable[0]; i++) {
            if (streq(countable[i].node, name))
                return countable[i].count(c, node, e);
        }
        unknown(c, name);
    }
    return true;
}

static bool count_script(struct count *c, const char *sql, struct err *e)
{
    PgQueryParseResult parsed = pg_query_parse(sql);
    if (parsed.error) {
        pg_query_free_parse_result(parsed);
        unknown(c, "a script this grammar does not know");
        return true;
    }
    json_auto_t *tree = json_parse(str_of(parsed.parse_tree), "the parse tree", e);
    pg_query_free_parse_result(parsed);
    if (!tree)
        return false;
    const json_t *statements = json_object_get(tree, "stmts");
    for (size_t i = 0; i < json_array_size(statements); i++) {
        if (!count_statement(c, json_object_get(json_array_get(statements, i), "stmt"), e))
            return false;
    }
    return true;
}

bool migration_risk(struct pg *db, struct arena *a, const struct migration_state *s,
                    struct migration_risk *ret, struct err *e)
{
    const char *sql = NULL;
    assert(s->row || s->file);
    if (s->row && s->row->reverse_sql)
        sql = s->row->reverse_sql;
    else if (s->file && s->file->has_reverse)
        sql = str_dup(a, s->file->reverse_sql);
    if (!sql)
        return err_set(e, ERR_BLOCKED, "%s has no reverse script",
                       s->row ? s->row->version : s->file->version);
    struct count c = { .db = db, .a = a, .text = strbuf_init(TEXT_BYTES) };
    bool ok = count_script(&c, sql, e);
    if (ok)
        *ret = (struct migration_risk){ .is_lossless = c.rows == 0 && !c.is_unknown,
                                        .rows = c.rows,
                                        .text = c.text.n > 0 ? arena_strdup(a, strbuf_text(&c.text))
                                                             : "nothing" };
    strbuf_done(&c.text);
    return ok;
}
