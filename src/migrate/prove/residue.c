#include "migrate/prove/residue.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <ctype.h>

/* One blank between words; "enum label" is "enum"; no quotes around a label. */
static const char *tidy(struct arena *a, const char *value)
{
    char *text = arena_strdup(a, value), *to = text;
    for (const char *p = text; *p; p++) {
        if (isspace((unsigned char)*p) && (to == text || to[-1] == ' '))
            continue;
        *to++ = *p;
        if (isspace((unsigned char)to[-1]))
            to[-1] = ' ';
    }
    *to = '\0';
    if (starts_with(text, "enum label "))
        return arena_printf(a, "enum %s", text + strlen("enum label "));
    return text;
}

static void take_from(struct arena *a, const struct directives *d, struct residue *ret,
                      size_t capacity)
{
    for (size_t i = 0; i < d->n && ret->n < capacity; i++)
        if (d->v[i].word == DIRECTIVE_LEAVES)
            ret->declared[ret->n++] = tidy(a, d->v[i].value);
}

void residue_read(struct arena *a, const struct sql_script *reverse, struct residue *ret)
{
    size_t n = reverse->head.n;
    for (size_t i = 0; i < reverse->n; i++)
        n += reverse->statements[i].directives.n;
    *ret = (struct residue){ .declared = ARENA_ARRAY(a, const char *, n + 1),
                             .is_seen = ARENA_ARRAY(a, bool, n + 1) };
    take_from(a, &reverse->head, ret, n);
    for (size_t i = 0; i < reverse->n; i++)
        take_from(a, &reverse->statements[i].directives, ret, n);
}

static bool take(struct residue *r, const char *thing)
{
    for (size_t i = 0; i < r->n; i++) {
        if (!streq(r->declared[i], thing))
            continue;
        r->is_seen[i] = true;
        return true;
    }
    return false;
}

/* A label may be written with or without quotes. */
static bool take_label(struct arena *a, struct residue *r, const char *type, const char *label)
{
    return take(r, arena_printf(a, "enum %s %s", type, label)) ||
           take(r, arena_printf(a, "enum %s '%s'", type, label));
}

/* Is the type as before but for labels that were declared? The old ones keep their order. */
static bool only_labels(struct arena *a, struct residue *r, const struct catalogue_change *c)
{
    if (c->what != CATALOGUE_CHANGED || !streq(c->kind, "type") || c->field_count != 1 ||
        !streq(c->fields[0].name, "labels") || !c->fields[0].before || !c->fields[0].after)
        return false;
    json_auto_t *before = json_loads(c->fields[0].before, 0, NULL);
    json_auto_t *after = json_loads(c->fields[0].after, 0, NULL);
    size_t k = 0;
    for (size_t i = 0; i < json_array_size(after); i++) {
        const json_t *label = json_array_get(after, i);
        if (k < json_array_size(before) && json_equal(label, json_array_get(before, k)))
            k++;
        else if (!take_label(a, r, c->identity, json_string_value(label)))
            return false;
    }
    return k == json_array_size(before);
}

void residue_take(struct arena *a, struct residue *r, struct catalogue_change *changes, size_t *n)
{
    size_t left = 0;
    for (size_t i = 0; i < *n; i++) {
        const struct catalogue_change *c = &changes[i];
        bool is_declared =
            only_labels(a, r, c) ||
            (c->what == CATALOGUE_ADDED && take(r, arena_printf(a, "%s %s", c->kind, c->identity)));
        if (!is_declared)
            changes[left++] = *c;
    }
    *n = left;
}

/* Does the statement add one of the labels that are left? */
static bool adds_label(struct arena *a, const struct sql_statement *s, const struct residue *r)
{
    if (s->mode != SQL_OWN_TRANSACTION)
        return false;
    for (size_t i = 0; i < r->n; i++) {
        const char *label = strrchr(r->declared[i], ' ');
        if (!r->is_seen[i] || !starts_with(r->declared[i], "enum ") || !label)
            continue;
        const char *bare = label[1] == '\'' ? label + 1 : arena_printf(a, "'%s'", label + 1);
        if (memmem(s->text.p, s->text.n, bare, strlen(bare)))
            return true;
    }
    return false;
}

struct str residue_without_labels(struct arena *a, const struct sql_script *up,
                                  const struct residue *r)
{
    char *text = NULL;
    for (size_t i = 0; i < up->n; i++) {
        const struct sql_statement *s = &up->statements[i];
        if (!adds_label(a, s, r))
            continue;
        if (!text)
            text = arena_strndup(a, up->text.p, up->text.n);
        for (size_t k = 0; k < s->text.n; k++)
            if (text[s->offset + k] != '\n')
                text[s->offset + k] = ' ';
    }
    return text ? (struct str){ text, up->text.n } : up->text;
}
