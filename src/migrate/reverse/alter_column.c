/*
 * Changing a column back. What has no ALTER (the expression of a generated column) is dropped and
 * made again: its values are computed, so nothing is lost. A type goes back with a cast; what may
 * not fit is said in the head of the script (loss.c).
 */
#include "base/cleanup.h"
#include "migrate/reverse/inside.h"

static bool changed(struct run *r, const struct object *was, const struct object *now,
                    const char *field)
{
    return !field_same(r, was, now, field);
}

/* `before`: a statement that has to run first, with its separator, or "". */
static bool change_type(struct run *r, const struct object *was, const char *before,
                        const char *words)
{
    const char *type = object_text_or(r, was, "type", ""),
               *collation = object_text(r, was, "collation");
    const char *behind = collation ? arena_printf(r->a, " COLLATE %s", collation) : "";
    return attempt(r, was, "%s%s TYPE %s%s", before, words, type, behind) ||
           attempt(r, was, "%s%s TYPE %s%s USING %s::%s", before, words, type, behind, was->name,
                   type) ||
           attempt(r, was, "%s%s TYPE %s%s USING %s::text::%s", before, words, type, behind,
                   was->name, type);
}

/* The default may not have a cast of its own, and views may read the column. */
static void restore_type(struct run *r, const struct object *was, const struct object *now,
                         const char *words)
{
    const char *without = object_text(r, now, "default") && !object_text(r, now, "generated")
                              ? arena_printf(r->a, "%s DROP DEFAULT;\n", words)
                              : NULL;
    if (change_type(r, was, "", words) || (without && change_type(r, was, without, words)))
        return;
    if (rebuild_users_of_column(r, now) && !change_type(r, was, "", words) && without)
        (void)change_type(r, was, without, words);
}

static const struct object *sequence_of(struct run *r, const struct object *column)
{
    for (size_t i = 0; i < r->was->n; i++) {
        const struct object *o = &r->was->v[i];
        if (object_is(o, "sequence") && object_bool(r, o, "identity") &&
            streq(object_text(r, o, "owned by"), column->identity))
            return o;
    }
    return NULL;
}

static void restore_identity(struct run *r, const struct object *was, const struct object *now,
                             const char *words)
{
    const char *x = object_text(r, was, "identity"), *y = object_text(r, now, "identity");
    const char *how = streq(x, "a") ? "ALWAYS" : "BY DEFAULT";
    if (!x) {
        (void)attempt(r, was, "%s DROP IDENTITY", words);
    } else if (y) {
        (void)attempt(r, was, "%s SET GENERATED %s", words, how);
    } else {
        const struct object *s = sequence_of(r, was);
        const char *options = s ? sequence_options(r, s, false) : "";
        if (starts_with(options, " AS "))
            options = strchr(options + 4, ' ') ? strchr(options + 4, ' ') : "";
        if (object_text(r, now, "default"))
            (void)attempt(r, was, "%s DROP DEFAULT", words);
        if (!object_bool(r, now, "not null"))
            (void)attempt(r, was, "%s SET NOT NULL", words);
        (void)attempt(r, was, "%s ADD GENERATED %s AS IDENTITY%s%s%s%s", words, how,
                      s ? " (SEQUENCE NAME " : "", s ? s->identity : "", options, s ? ")" : "");
        if (s)
            (void)attempt_with(
                r, was, "The next number follows the largest there is.",
                arena_printf(
                    r->a, "SELECT setval(%s, coalesce(max(%s), %lld), max(%s) IS NOT NULL) FROM %s",
                    quoted_text(r->a, s->identity), was->name, (long long)object_int(r, s, "start"),
                    was->name, was->parent));
    }
}

static void restore_default(struct run *r, const struct object *was, const struct object *now,
                            const char *words)
{
    const char *x = object_text(r, was, "default");
    const char *generated = object_text(r, was, "generated");
    if (generated || object_text(r, now, "generated")) {
        if (!generated && attempt(r, was, "%s DROP EXPRESSION", words))
            return;
        if (generated && pg_server_version(r->db) >= 170000 && !changed(r, was, now, "generated") &&
            attempt(r, was, "%s SET EXPRESSION AS (%s)", words, x))
            return;
        (void)rebuild(r, now);
        return;
    }
    if (x)
        (void)attempt(r, was, "%s SET DEFAULT %s", words, x);
    else
        (void)attempt(r, was, "%s DROP DEFAULT", words);
}

/* A check that is validated first would spare nothing here: in one transaction its scan holds the strong
 * lock as well. Where the table is large, the file says `-- transaction: none` and a person writes it. */
static void restore_not_null(struct run *r, const struct object *was, const char *words)
{
    (void)attempt(r, was, "%s %s NOT NULL", words,
                  object_bool(r, was, "not null") ? "SET" : "DROP");
}

static void restore_storage(struct run *r, const struct object *was, const char *words)
{
    const char *letter = object_text_or(r, was, "storage", "p");
    (void)attempt(r, was, "%s SET STORAGE %s", words,
                  streq(letter, "p")   ? "PLAIN"
                  : streq(letter, "e") ? "EXTERNAL"
                  : streq(letter, "m") ? "MAIN"
                                       : "EXTENDED");
}

static void restore_column_options(struct run *r, const struct object *was,
                                   const struct object *now, const char *words)
{
    json_t *x = json_object_get(object_json(r, was), "options");
    json_t *y = json_object_get(object_json(r, now), "options");
    for (size_t i = 0; i < json_array_size(y); i++) {
        const char *option = json_string_value(json_array_get(y, i));
        (void)attempt(r, was, "%s RESET (%.*s)", words, (int)strcspn(option, "="), option);
    }
    for (size_t i = 0; i < json_array_size(x); i++)
        (void)attempt(r, was, "%s SET (%s)", words, json_string_value(json_array_get(x, i)));
}

void alter_column(struct run *r, const struct object *was, const struct object *now)
{
    const struct object *t = world_parent(r->was, was);
    char kind = object_relkind(r, t);
    const char *words = arena_printf(r->a, "ALTER %s %s ALTER COLUMN %s",
                                     t ? relation_word(r, t) : "TABLE", was->parent, was->name);
    if (kind != 'v' && kind != 'm' &&
        (changed(r, was, now, "type") || changed(r, was, now, "collation"))) {
        if (object_text(r, now, "generated") && changed(r, was, now, "default"))
            (void)rebuild(r, now);
        else
            restore_type(r, was, now, words);
        return; /* the rest is compared again when the type is the old one */
    }
    if (changed(r, was, now, "identity"))
        restore_identity(r, was, now, words);
    if (changed(r, was, now, "default") || changed(r, was, now, "generated"))
        restore_default(r, was, now, words);
    if (changed(r, was, now, "not null"))
        restore_not_null(r, was, words);
    if (changed(r, was, now, "storage"))
        restore_storage(r, was, words);
    if (changed(r, was, now, "compression"))
        (void)attempt(r, was, "%s SET COMPRESSION %s", words,
                      streq(object_text(r, was, "compression"), "p")   ? "pglz"
                      : streq(object_text(r, was, "compression"), "l") ? "lz4"
                                                                       : "default");
    if (changed(r, was, now, "statistics"))
        (void)attempt(r, was, "%s SET STATISTICS %lld", words,
                      object_text(r, was, "statistics") ||
                              json_object_get(object_json(r, was), "statistics")
                          ? (long long)object_int(r, was, "statistics")
                          : -1LL);
    if (changed(r, was, now, "options"))
        restore_column_options(r, was, now, words);
}
