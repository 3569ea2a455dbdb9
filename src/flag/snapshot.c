#include "flag/snapshot.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"

#include <stdlib.h>

#define NAME "the flags' snapshot"

static struct flag_snapshot *fresh(void)
{
    struct flag_snapshot *s = calloc(1, sizeof *s);
    if (!s)
        memory_exhausted(sizeof *s);
    atomic_init(&s->refs, 1);
    return s;
}

static void mark_public(struct flag_snapshot *s, const json_t *rows)
{
    size_t n = flag_document_count(s->document);
    s->is_public = calloc(n + 1, sizeof *s->is_public);
    if (!s->is_public)
        memory_exhausted(n);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_object_get(rows, flag_key(flag_document_at(s->document, i)));
        s->is_public[i] = streq(json_text_or(row, "exposure", "server"), "client");
    }
}

bool flag_snapshot_parse(struct str text, struct flag_snapshot **ret, struct err *e)
{
    json_auto_t *whole = flag_json_parse(text, NAME, e);
    if (!whole)
        return false;
    const json_t *version = json_object_get(whole, "v");
    const json_t *document = json_object_get(whole, "document");
    json_t *attributes = json_object_get(whole, "attributes");
    if (!json_is_integer(version) || !json_is_object(document))
        return err_set(e, ERR_DATA, NAME ": it has no version or no document");
    CLEANUP(flag_snapshot) struct flag_snapshot *s = fresh();
    if (!flag_document_compile(document, NAME, &s->document, e))
        return false;
    s->usage = flag_usage_new(s->document);
    s->version = json_integer_value(version);
    s->next_s = json_int_or(whole, "next", 0);
    s->attributes = json_is_object(attributes) ? json_incref(attributes) : json_object();
    mark_public(s, json_object_get(whole, "flags"));
    *ret = s;
    s = NULL;
    return true;
}

struct flag_snapshot *flag_snapshot_empty(void)
{
    struct flag_snapshot *s = NULL;
    struct err e;
    if (!flag_snapshot_parse(STR("{\"v\":0,\"document\":{\"flags\":{}}}"), &s, &e))
        memory_exhausted(0); /* nothing else can be wrong with it */
    return s;
}

struct flag_snapshot *flag_snapshot_ref(struct flag_snapshot *s)
{
    (void)atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void flag_snapshot_unref(struct flag_snapshot *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    flag_usage_free(s->usage);
    flag_document_free(s->document);
    json_decref(s->attributes);
    free(s->is_public);
    free(s);
}
