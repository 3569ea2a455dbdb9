/*
 * Access lists as GRANT and REVOKE: exactly the privileges, grant options and grantors of before.
 *
 * An item of a list is "grantee=letters/grantor", each letter followed by "*" if it may be passed
 * on; no grantee is PUBLIC. Only the difference is written; roles with the same difference share a
 * statement.
 */
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "migrate/reverse/inside.h"

// clang-format off
static const struct { char letter; const char *word; } privileges[] = {
    { 'r', "SELECT" },   { 'a', "INSERT" }, { 'w', "UPDATE" },  { 'd', "DELETE" }, { 'D', "TRUNCATE" },
    { 'x', "REFERENCES" }, { 't', "TRIGGER" }, { 'm', "MAINTAIN" }, { 'X', "EXECUTE" }, { 'U', "USAGE" },
    { 'C', "CREATE" },
};
// clang-format on
#define LETTERS (sizeof privileges / sizeof privileges[0])

struct item {
    const char *grantee; /* quoted; "PUBLIC" */
    const char *grantor;
    char held[LETTERS]; /* 0 no, 1 yes, 2 with grant option */
};

struct items {
    struct item *v;
    size_t n;
};

/* Where the privileges are: the words before and behind them. */
struct target {
    const struct object *about;
    const char *prefix; /* "ALTER DEFAULT PRIVILEGES … " or "" */
    const char *on;     /* "SCHEMA app" */
    const char *column; /* NULL, or the column they are limited to */
    const char *all;    /* the letters that ALL stands for */
    const char *owner;  /* quoted: whose grants need no SET ROLE */
};

/* A role as the item writes it; ends at '=' or at the end. */
static const char *read_role(struct arena *a, const char **p)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(KIB);
    bool is_quoted = false;
    for (; **p && (is_quoted || (**p != '=' && **p != '/')); (*p)++) {
        if (**p != '"') {
            (void)strbuf_addc(&b, **p);
        } else if (is_quoted && (*p)[1] == '"') {
            (void)strbuf_addc(&b, '"');
            (*p)++;
        } else {
            is_quoted = !is_quoted;
        }
    }
    return b.n ? sql_quote(a, arena_strdup(a, strbuf_text(&b))) : "PUBLIC";
}

static struct items read_items(struct arena *a, const json_t *list)
{
    size_t n = json_array_size(list);
    struct items items = { ARENA_ARRAY(a, struct item, n + 1), 0 };
    for (size_t i = 0; i < n; i++) {
        const char *p = json_string_value(json_array_get(list, i));
        if (!p)
            continue;
        struct item *x = &items.v[items.n++];
        x->grantee = read_role(a, &p);
        for (p += *p == '='; *p && *p != '/'; p++)
            for (size_t k = 0; k < LETTERS; k++)
                if (privileges[k].letter == *p)
                    x->held[k] = p[1] == '*' ? 2 : 1;
        p += *p == '/';
        x->grantor = read_role(a, &p);
    }
    return items;
}

static const struct item *find_item(const struct items *list, const struct item *like)
{
    for (size_t i = 0; i < list->n; i++)
        if (streq(list->v[i].grantee, like->grantee) && streq(list->v[i].grantor, like->grantor))
            return &list->v[i];
    return NULL;
}

/* ---- statements ---- */

enum verb {
    REVOKE,
    REVOKE_OPTION,
    GRANT,
    GRANT_WITH_OPTION
};

/* Is letter k part of this verb's difference between two items? */
static bool differs(enum verb verb, const struct item *was, const struct item *now, size_t k)
{
    int w = was ? was->held[k] : 0, n = now ? now->held[k] : 0;
    switch (verb) {
    case REVOKE:
        return n && !w;
    case REVOKE_OPTION:
        return n == 2 && w == 1;
    case GRANT:
        return w == 1 && !n;
    case GRANT_WITH_OPTION:
        return w == 2 && n != 2;
    }
    return false;
}

static const char *words(struct arena *a, const struct target *t, enum verb verb,
                         const struct item *was, const struct item *now)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(KIB);
    size_t n = 0;
    for (size_t k = 0; k < LETTERS; k++) {
        if (!differs(verb, was, now, k))
            continue;
        (void)strbuf_printf(&b, "%s%s", n++ ? ", " : "", privileges[k].word);
        if (t->column)
            (void)strbuf_printf(&b, " (%s)", t->column);
    }
    bool is_all = n > 1 && n == strlen(t->all) && !t->column;
    return n == 0 ? NULL : is_all ? "ALL" : arena_strdup(a, strbuf_text(&b));
}

static void say(struct run *r, const struct target *t, enum verb verb, const char *what,
                const char *grantees, const char *grantor)
{
    bool is_revoke = verb == REVOKE || verb == REVOKE_OPTION;
    const char *text = arena_printf(
        r->a, "%s%s%s%s ON %s %s %s%s", t->prefix, is_revoke ? "REVOKE " : "GRANT ",
        verb == REVOKE_OPTION ? "GRANT OPTION FOR " : "", what, t->on, is_revoke ? "FROM" : "TO",
        grantees, verb == GRANT_WITH_OPTION ? " WITH GRANT OPTION" : "");
    if (*t->prefix || streq(grantor, t->owner))
        (void)attempt(r, t->about, "%s", text);
    else
        (void)attempt(r, t->about, "SET ROLE %s;\n%s;\nRESET ROLE", grantor, text);
}

/* The difference of `list`, item by item; those that say the same are joined. */
static void say_all(struct run *r, const struct target *t, enum verb verb, const struct items *list,
                    const struct items *was, const struct items *now)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    const char **what = ARENA_ARRAY(scratch, const char *, list->n + 1);
    for (size_t i = 0; i < list->n; i++)
        what[i] = words(scratch, t, verb, find_item(was, &list->v[i]), find_item(now, &list->v[i]));
    for (size_t i = 0; i < list->n; i++) {
        if (!what[i])
            continue;
        const char *grantees = list->v[i].grantee, *mine = what[i];
        for (size_t k = i + 1; k < list->n; k++)
            if (what[k] && streq(what[k], mine) && streq(list->v[k].grantor, list->v[i].grantor)) {
                grantees = arena_printf(scratch, "%s, %s", grantees, list->v[k].grantee);
                what[k] = NULL;
            }
        say(r, t, verb, mine, grantees, list->v[i].grantor);
    }
}

static void restore(struct run *r, const struct target *t, const json_t *was, const json_t *now)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    struct items x = read_items(scratch, was), y = read_items(scratch, now);
    say_all(r, t, REVOKE, &y, &x, &y);
    say_all(r, t, REVOKE_OPTION, &y, &x, &y);
    say_all(r, t, GRANT_WITH_OPTION, &x, &x, &y);
    say_all(r, t, GRANT, &x, &x, &y);
}

/* ---- where ---- */

static const char *all_of_tables(const struct run *r)
{
    return pg_server_version(r->db) >= 170000 ? "rawdDxtm" : "rawdDxt";
}

static struct target target_of(struct run *r, const struct object *o)
{
    struct target t = { .about = o, .prefix = "", .all = "U", .on = phrase(r, o) };
    if (object_is(o, "relation")) {
        t.on = o->identity;
        t.all = all_of_tables(r);
    } else if (object_is(o, "column")) {
        t.on = o->parent;
        t.column = o->name;
        t.all = "rawx";
    } else if (object_is(o, "sequence")) {
        t.all = "rwU";
    } else if (object_is(o, "function")) {
        t.all = "X";
    } else if (object_is(o, "schema")) {
        t.all = "UC";
    } else if (object_is(o, "other server")) {
        t.on = arena_printf(r->a, "FOREIGN %s", o->identity);
    }
    const struct object *owned = object_is(o, "column") ? world_parent(r->was, o) : o;
    t.owner = owned ? object_text_or(r, owned, "owner", "") : "";
    return t;
}

void grants_restore(struct run *r, const struct object *was, const struct object *now)
{
    struct target t = target_of(r, was);
    restore(r, &t, json_object_get(object_json(r, was), "acl"),
            json_object_get(object_json(r, now), "acl"));
}

void default_privileges_restore(struct run *r, const struct object *was, const struct object *now)
{
    static const struct {
        const char *letter, *word, *all;
    } kinds[] = { { "r", "TABLES", "rawdDxt" },
                  { "S", "SEQUENCES", "rwU" },
                  { "f", "FUNCTIONS", "X" },
                  { "T", "TYPES", "U" },
                  { "n", "SCHEMAS", "UC" } };
    const struct object *o = was ? was : now;
    const char *type = object_text(r, o, "type"), *schema = object_text(r, o, "schema");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!streq(kinds[i].letter, type))
            continue;
        struct target t = {
            .about = o,
            .prefix = arena_printf(r->a, "ALTER DEFAULT PRIVILEGES FOR ROLE %s%s%s ",
                                   object_text(r, o, "role"), schema ? " IN SCHEMA " : "",
                                   schema ? schema : ""),
            .on = kinds[i].word,
            .all = i == 0 ? all_of_tables(r) : kinds[i].all,
            .owner = "",
        };
        const json_t *x = object_json(r, o);
        restore(r, &t, json_object_get(x, was ? "acl" : "without"),
                now ? json_object_get(object_json(r, now), "acl") : json_object_get(x, "without"));
    }
}
