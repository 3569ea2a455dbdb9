/*
 * New names, old names: what is the same object under another name gets its old one, and its old
 * schema. Schemas first, then what contains other things, because names below follow.
 */
#include "migrate/reverse/inside.h"

static bool is_in(const struct object *o, const char *const *kinds)
{
    for (size_t i = 0; kinds[i]; i++)
        if (object_is(o, kinds[i]))
            return true;
    return false;
}

/* "ALTER TABLE app.t", or for what belongs to a table, "ALTER TABLE app.t RENAME COLUMN" and its
 * like come from rename_text. */
static const char *alter_words(struct run *r, const struct object *now)
{
    if (object_is(now, "relation"))
        return arena_printf(r->a, "ALTER %s %s", relation_word(r, now), now->identity);
    return arena_printf(r->a, "ALTER %s", phrase(r, now));
}

/* What belongs to a table is renamed through it; NULL where a name cannot be changed. */
static const char *rename_text(struct run *r, const struct object *now, const char *to)
{
    const struct object *parent = world_parent(r->now, now);
    if (object_is(now, "column"))
        return arena_printf(r->a, "ALTER %s %s RENAME COLUMN %s TO %s",
                            parent ? relation_word(r, parent) : "TABLE", now->parent, now->name,
                            to);
    if (object_is(now, "constraint")) {
        bool is_domain = object_bool(r, now, "domain");
        if (object_bool(r, now, "of parent"))
            return NULL;
        return arena_printf(r->a, "ALTER %s %s RENAME CONSTRAINT %s TO %s",
                            is_domain ? "DOMAIN" : "TABLE", now->parent, now->name, to);
    }
    if (object_is(now, "index") && object_text(r, now, "constraint"))
        return NULL; /* follows its constraint */
    if (object_is(now, "extension") || object_is(now, "extension need") ||
        object_is(now, "default privileges"))
        return NULL;
    if (object_is(now, "trigger") && object_bool(r, now, "of parent"))
        return NULL;
    return arena_printf(r->a, "%s RENAME TO %s", alter_words(r, now), to);
}

/* Of "COLLATION app.x" the name behind the words. */
static bool other_names(struct run *r, const struct object *o, const char **ret_schema,
                        const char **ret_name)
{
    static const char *const kinds[] = { "other collation",
                                         "other conversion",
                                         "other language",
                                         "other server",
                                         "other foreign data wrapper",
                                         "other text search dictionary",
                                         "other text search configuration",
                                         "other text search parser",
                                         "other text search template",
                                         NULL };
    if (!is_in(o, kinds))
        return false;
    const char *name = o->identity + strlen(o->kind) - strlen("other ") + 1;
    bool is_quoted = false;
    const char *dot = NULL;
    for (const char *p = name; *p; p++) {
        if (*p == '"')
            is_quoted = !is_quoted;
        else if (*p == '.' && !is_quoted)
            dot = p;
    }
    *ret_schema = dot ? arena_strndup(r->a, name, (size_t)(dot - name)) : NULL;
    *ret_name = dot ? dot + 1 : name;
    return true;
}

static bool restore_other(struct run *r, const struct object *was, const struct object *now)
{
    const char *old_schema, *old_name, *schema, *name;
    if (!other_names(r, was, &old_schema, &old_name) || !other_names(r, now, &schema, &name))
        return false;
    bool is_done = false;
    if (!streq(old_schema, schema))
        is_done |= attempt(r, was, "ALTER %s SET SCHEMA %s", now->identity, old_schema);
    else if (!streq(old_name, name))
        is_done |= attempt(r, was, "ALTER %s RENAME TO %s", now->identity, old_name);
    return is_done;
}

/* The states of "that name is taken": table, column, object, function, schema. */
static bool is_taken(const char *sqlstate)
{
    static const char *const states[] = { "42P07", "42701", "42710", "42723", "42P06" };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (streq(sqlstate, states[i]))
            return true;
    return false;
}

/* Another name in the way is itself on its way: it steps aside for a moment. */
static bool step_aside(struct run *r, const struct object *now)
{
    const char *plain = arena_printf(r->a, "lockflight_aside_%zu", r->actions.n);
    const char *text = rename_text(r, now, plain);
    return text && attempt(r, now, "%s", text);
}

static bool restore(struct run *r, const struct object *was, const struct object *now)
{
    if (strncmp(was->kind, "other ", 6) == 0)
        return restore_other(r, was, now);
    if (!object_is(was, "schema") && !was->parent && was->schema && now->schema &&
        !streq(was->schema, now->schema) && !object_is(was, "index"))
        return attempt(r, was, "%s SET SCHEMA %s", alter_words(r, now), was->schema);
    if (streq(was->name, now->name))
        return false;
    const char *text = rename_text(r, now, was->name);
    if (!text)
        return false;
    if (attempt(r, was, "%s", text))
        return true;
    return r->level >= 1 && is_taken(r->why.sqlstate) && step_aside(r, now);
}

const char *set_aside(struct run *r, uint32_t oid)
{
    struct pg_rows rows;
    struct err e;
    if (!pg_query(r->db, r->a,
                  "SELECT quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = "
                  "c.relnamespace WHERE n.nspname = 'lockflight_gone' AND c.oid = $1::oid",
                  PG_PARAMS(arena_printf(r->a, "%u", oid)), &rows, &e))
        return NULL;
    return rows.n ? pg_value(&rows, 0, 0) : NULL;
}

/* A table that was moved out of sight instead of dropped comes back with its rows. */
static bool fetch_back(struct run *r)
{
    bool is_done = false;
    for (size_t i = 0; i < r->was->n; i++) {
        const struct object *o = &r->was->v[i];
        char kind = object_relkind(r, o);
        bool is_table = !o->twin && (kind == 'r' || kind == 'p');
        const char *name = is_table ? set_aside(r, o->key.oid) : NULL;
        if (!name)
            continue;
        const char *aside = arena_printf(r->a, "lockflight_gone.%s", name);
        if (!streq(name, o->name)) {
            is_done |= attempt(
                r, o, "ALTER TABLE %s RENAME TO %s;\nALTER TABLE lockflight_gone.%s SET SCHEMA %s",
                aside, o->name, o->name, o->schema);
        } else {
            is_done |= attempt(r, o, "ALTER TABLE %s SET SCHEMA %s", aside, o->schema);
        }
    }
    return is_done;
}

/* True: something moved, and all names must be read again. */
bool names_restore(struct run *r)
{
    static const char *const first[] = { "schema", NULL };
    static const char *const second[] = { "relation", "type", NULL };
    static const char *const *const groups[] = { first, second, NULL };
    bool is_done = fetch_back(r);
    for (size_t g = 0; g < 3 && !is_done; g++) {
        for (size_t i = 0; i < r->now->n; i++) {
            const struct object *now = &r->now->v[i], *was = now->twin;
            if (!was || streq(was->identity, now->identity))
                continue;
            bool is_here =
                groups[g] ? is_in(now, groups[g]) : !is_in(now, first) && !is_in(now, second);
            if (is_here)
                is_done |= restore(r, was, now);
        }
    }
    return is_done;
}
