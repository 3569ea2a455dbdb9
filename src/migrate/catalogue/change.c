/*
 * Differences of two catalogues: see change.h. Both lists come in order of kind and identity, so one
 * walk over the two finds them; only lines that differ are parsed.
 */
#include "migrate/catalogue/change.h"

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "base/vec.h"

#define SHOWN_BYTES 120 /* of one value in a sentence */

static const char *const change_names[] = { "added", "removed", "changed" };

static int by_identity(const struct catalogue_object *a, const struct catalogue_object *b)
{
    int order = strcmp(a->kind, b->kind);
    return order ? order : strcmp(a->identity, b->identity);
}

static const char *text_or_null(struct arena *a, const json_t *value)
{
    return value ? json_text(a, value) : NULL;
}

/* Fields of x that y has otherwise or not at all; those only in y are found with the roles changed.
 */
static bool compare(struct arena *a, const struct catalogue_object *x,
                    const struct catalogue_object *y, struct catalogue_change *change,
                    struct err *e)
{
    json_auto_t *p = json_parse(str_of(x->what), x->identity, e);
    json_auto_t *q = p ? json_parse(str_of(y->what), y->identity, e) : NULL;
    if (!p || !q)
        return false;
    VEC(struct catalogue_field) fields = { 0 };
    const char *name;
    json_t *value;
    json_object_foreach (p, name, value) {
        const json_t *other = json_object_get(q, name);
        if (!other || !json_equal(value, other))
            *vec_add(&fields, a) =
                (struct catalogue_field){ arena_strdup(a, name), text_or_null(a, value),
                                          text_or_null(a, other) };
    }
    json_object_foreach (q, name, value)
        if (!json_object_get(p, name))
            *vec_add(&fields, a) =
                (struct catalogue_field){ arena_strdup(a, name), NULL, text_or_null(a, value) };
    change->fields = fields.v;
    change->field_count = fields.n;
    return true;
}

bool catalogue_changes(struct arena *a, const struct catalogue *before,
                       const struct catalogue *after, struct catalogue_change **ret,
                       size_t *ret_count, struct err *e)
{
    VEC(struct catalogue_change) list = { 0 };
    size_t i = 0, k = 0;
    while (i < before->n || k < after->n) {
        const struct catalogue_object *x = &before->objects[i], *y = &after->objects[k];
        int order = i == before->n ? 1 : k == after->n ? -1 : by_identity(x, y);
        i += order <= 0;
        k += order >= 0;
        if (order == 0 && streq(x->what, y->what))
            continue;
        struct catalogue_change change = {
            .what = order < 0   ? CATALOGUE_REMOVED
                    : order > 0 ? CATALOGUE_ADDED
                                : CATALOGUE_CHANGED,
            .kind = order <= 0 ? x->kind : y->kind,
            .identity = order <= 0 ? x->identity : y->identity,
        };
        if (order == 0 && !compare(a, x, y, &change, e))
            return err_wrap(e, "compare %s %s", x->kind, x->identity);
        *vec_add(&list, a) = change;
    }
    *ret = list.v;
    *ret_count = list.n;
    return true;
}

static void add_value(struct strbuf *b, const char *value)
{
    size_t n = value ? strlen(value) : 0;
    if (n == 0)
        (void)strbuf_adds(b, "none");
    else if (n <= SHOWN_BYTES)
        (void)strbuf_adds(b, value);
    else
        (void)strbuf_printf(b, "%.*s…", SHOWN_BYTES, value);
}

const char *catalogue_change_text(struct arena *a, const struct catalogue_change *c)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(64 * (size_t)1024);
    (void)strbuf_printf(&b, "%-8s %s %s", change_names[c->what], c->kind, c->identity);
    for (size_t i = 0; i < c->field_count; i++) {
        (void)strbuf_printf(&b, "%s %s ", i ? "," : ":", c->fields[i].name);
        add_value(&b, c->fields[i].before);
        (void)strbuf_adds(&b, " → ");
        add_value(&b, c->fields[i].after);
    }
    return arena_strdup(a, strbuf_text(&b));
}

/* The value as JSON again, because tools want 2 and not "2". */
static json_t *value_of(const char *text)
{
    return text ? json_loads(text, JSON_DECODE_ANY, NULL) : json_null();
}

json_t *catalogue_change_json(const struct catalogue_change *c)
{
    json_t *fields = json_array();
    for (size_t i = 0; i < c->field_count; i++)
        (void)json_array_append_new(fields, json_pack("{s:s, s:o, s:o}", "name", c->fields[i].name,
                                                      "before", value_of(c->fields[i].before),
                                                      "after", value_of(c->fields[i].after)));
    return json_pack("{s:s, s:s, s:s, s:o}", "change", change_names[c->what], "kind", c->kind,
                     "identity", c->identity, "fields", fields);
}
