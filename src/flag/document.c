/*
 * Flag documents: see document.h. What is looked at here is one flag after the other; rules are
 * compiled in compile.c, requirements are tied together in require.c.
 *
 * A document owns one arena with everything in it, and the JSON values of its variants.
 */
#include "flag/document.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/vec.h"
#include "flag/compile.h"
#include "flag/inside.h"
#include "flag/json_text.h"
#include "flag/murmur3.h"
#include "flag/number.h"
#include "flag/require.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#define DOCUMENT_BYTES (128 * MIB) /* compiled; 50 flags take 100 KB */
#define JSON_AROUND    8 /* {"document":{"flags":{"key":{"targeting": stands around a rule */

struct build {
    struct flag_document *d;
    const char *name;
    const json_t *metadata; /* of the set; may be NULL */
    struct compiler *compiler;
    struct strbuf text;
    bool is_too_large; /* small flags that repeat a large set's metadata, thousands of times */
};

static struct str text_of(const json_t *s)
{
    return (struct str){ json_string_value(s), json_string_length(s) };
}

static const char *printed(struct build *b, const json_t *value, enum json_order order)
{
    strbuf_clear(&b->text);
    (void)json_text_add(&b->text, value, order); /* the depth was looked at, and the size */
    return arena_strndup(b->d->arena, strbuf_text(&b->text), b->text.n);
}

/* ---- Metadata -------------------------------------------------------------------------------- */

/* OFREP knows texts, numbers and booleans there; other members are not passed on. */
static void overlay(json_t *to, const json_t *from)
{
    const char *key;
    json_t *value;
    if (!json_is_object(from))
        return;
    json_object_foreach ((json_t *)(uintptr_t)from, key, value)
        if (json_is_string(value) || json_is_number(value) || json_is_boolean(value))
            (void)json_object_set_nocheck(to, key, value);
}

/* The set's overlaid by the flag's, and the key of a requirement that is not met. */
static const char *metadata_of(struct build *b, const json_t *own, const char *prerequisite)
{
    json_auto_t *all = json_object();
    if (arena_used_bytes(b->d->arena) > DOCUMENT_BYTES) {
        b->is_too_large = true;
        return "{}";
    }
    overlay(all, b->metadata);
    overlay(all, own);
    if (prerequisite)
        (void)json_object_set_new_nocheck(all, "prerequisite", json_string_nocheck(prerequisite));
    return printed(b, all, JSON_BY_NAME);
}

/* ---- Variants -------------------------------------------------------------------------------- */

static bool type_of_value(const json_t *value, enum flag_type *ret)
{
    if (json_is_boolean(value))
        *ret = FLAG_BOOLEAN;
    else if (json_is_string(value))
        *ret = FLAG_STRING;
    else if (json_is_number(value))
        *ret = FLAG_NUMBER;
    else if (json_is_object(value) || json_is_array(value))
        *ret = FLAG_OBJECT;
    else
        return false;
    return true;
}

const struct variant *flag_variant(const struct flag *f, struct str name)
{
    for (size_t i = 0; i < f->variant_count; i++)
        if (str_eq(f->variants[i].name, name))
            return &f->variants[i];
    return NULL;
}

/* The name comes from a jansson key, whose length may count a NUL inside. */
static bool read_variant(struct build *b, struct flag *f, struct str name, const json_t *value,
                         struct err *e)
{
    enum flag_type type;
    if (!name.n)
        return err_set(e, ERR_DATA, "%s: flag %s: a variant without a name", b->name, f->key.p);
    if (!type_of_value(value, &type))
        return err_set(e, ERR_DATA, "%s: flag %s: variant %s is null", b->name, f->key.p, name.p);
    if (f->variant_count && type != f->type)
        return err_set(e, ERR_DATA, "%s: flag %s: variant %s is of another type than %s", b->name,
                       f->key.p, name.p, f->variants[0].name.p);
    double x = json_number_value(value);
    if (type == FLAG_NUMBER && x == floor(x) && fabs(x) > NUMBER_WHOLE_MAX)
        return err_set(e, ERR_DATA,
                       "%s: flag %s: variant %s: whole numbers up to 9007199254740991 are exact "
                       "everywhere, this one is not",
                       b->name, f->key.p, name.p);
    json_t *copy = json_deep_copy(value);
    if (!copy || json_array_append_new(b->d->values, copy) != 0)
        memory_exhausted(0);
    f->type = type;
    f->variants[f->variant_count++] = (struct variant){
        .name = name, .value = copy, .value_json = printed(b, copy, JSON_AS_WRITTEN)
    };
    return true;
}

static bool read_variants(struct build *b, struct flag *f, const json_t *from, struct err *e)
{
    json_t *variants = json_object_get(from, "variants");
    if (!json_is_object(variants) || json_object_size(variants) == 0)
        return err_set(e, ERR_DATA, "%s: flag %s: \"variants\" must be an object with at least one",
                       b->name, f->key.p);
    f->variants = ARENA_ARRAY(b->d->arena, struct variant, json_object_size(variants));
    for (void *it = json_object_iter(variants); it; it = json_object_iter_next(variants, it)) {
        struct str key = { json_object_iter_key(it), json_object_iter_key_len(it) };
        struct str name = { arena_strndup(b->d->arena, key.p, key.n), key.n };
        if (!read_variant(b, f, name, json_object_iter_value(it), e))
            return false;
    }
    return true;
}

/* A member that names a variant; absent, null and "" mean none. */
static bool read_choice(struct build *b, const struct flag *f, const json_t *from,
                        const char *member, const struct variant **ret, struct err *e)
{
    const json_t *choice = json_object_get(from, member);
    if (!choice || json_is_null(choice) || (json_is_string(choice) && !json_string_length(choice)))
        return true;
    if (!json_is_string(choice))
        return err_set(e, ERR_DATA, "%s: flag %s: \"%s\" must name a variant", b->name, f->key.p,
                       member);
    *ret = flag_variant(f, text_of(choice));
    if (!*ret)
        return err_set(e, ERR_DATA, "%s: flag %s: \"%s\" names the variant %s, which it has not",
                       b->name, f->key.p, member, json_string_value(choice));
    return true;
}

/* ---- One flag -------------------------------------------------------------------------------- */

static struct flag_answer answer_with(const struct flag *f, const struct variant *v,
                                      enum flag_reason reason, const char *metadata)
{
    return (struct flag_answer){
        .reason = v ? reason : FLAG_REASON_DEFAULT,
        .variant = v ? v->name.p : NULL,
        .value_json = v ? v->value_json : NULL,
        .value = v ? v->value : NULL,
        .metadata = metadata ? metadata : f->metadata,
    };
}

static bool read_requirements(struct build *b, struct flag *f, const json_t *from, struct err *e)
{
    const json_t *requires = json_object_get(from, "requires");
    if (!requires || json_is_null(requires))
        return true;
    if (!json_is_array(requires))
        return err_set(e, ERR_DATA, "%s: flag %s: \"requires\" must be a list", b->name, f->key.p);
    size_t n = json_array_size(requires);
    f->requirements = ARENA_ARRAY(b->d->arena, struct requirement, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(requires, i);
        const json_t *key = json_object_get(item, "flag");
        const json_t *variant = json_object_get(item, "variant");
        if (!json_is_string(key) || !json_is_string(variant))
            return err_set(
                e, ERR_DATA,
                "%s: flag %s: an item of \"requires\" must have \"flag\" and \"variant\"", b->name,
                f->key.p);
        struct requirement *r = &f->requirements[f->requirement_count++];
        r->key = str_of(str_dup(b->d->arena, text_of(key)));
        r->variant = str_of(str_dup(b->d->arena, text_of(variant)));
        r->unmet = answer_with(f, f->off_variant, FLAG_REASON_TARGETING_MATCH,
                               metadata_of(b, json_object_get(from, "metadata"), r->key.p));
    }
    if (n && !f->off_variant)
        f->broken = arena_printf(b->d->arena,
                                 "flag %s requires another one, but has no \"offVariant\" to serve "
                                 "when that is not as required",
                                 f->key.p);
    return true;
}

static bool read_flag(struct build *b, struct flag *f, const json_t *from, struct err *e)
{
    const char *state = json_string_value(json_object_get(from, "state"));
    if (!json_is_object(from))
        return err_set(e, ERR_DATA, "%s: flag %s must be an object", b->name, f->key.p);
    f->is_enabled = streq(state, "ENABLED");
    if (!f->is_enabled && !streq(state, "DISABLED"))
        return err_set(e, ERR_DATA, "%s: flag %s: \"state\" must be ENABLED or DISABLED", b->name,
                       f->key.p);
    f->metadata = metadata_of(b, json_object_get(from, "metadata"), NULL);
    if (!read_variants(b, f, from, e) ||
        !read_choice(b, f, from, "defaultVariant", &f->default_variant, e) ||
        !read_choice(b, f, from, "offVariant", &f->off_variant, e) ||
        !read_requirements(b, f, from, e))
        return false;
    f->by_default = answer_with(f, f->default_variant, FLAG_REASON_DEFAULT, NULL);
    f->at_rest = answer_with(f, f->default_variant, FLAG_REASON_STATIC, NULL);
    for (size_t i = 0; i < f->variant_count; i++)
        f->variants[i].matched = answer_with(f, &f->variants[i], FLAG_REASON_TARGETING_MATCH, NULL);
    if (!f->is_enabled) {
        f->is_plain = true;
        f->at_rest =
            (struct flag_answer){ .reason = FLAG_REASON_DISABLED, .metadata = f->metadata };
        return true;
    }
    const char *why = NULL;
    if (!compile_rule(b->compiler, json_object_get(from, "targeting"), &f->rule, &why) &&
        !f->broken)
        f->broken = arena_printf(b->d->arena, "the rule of flag %.200s: %s", f->key.p, why);
    f->is_plain = !f->rule && !f->broken && !f->requirement_count;
    return true;
}

/* ---- The set --------------------------------------------------------------------------------- */

struct entry {
    struct str key;
    const json_t *flag;
};

static int by_key(const void *a, const void *b)
{
    return str_compare(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/* Both forms of "flags", in the order of the keys. */
static bool list_flags(const json_t *flags, const char *name, struct entry *entries, struct err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(flags); i++) {
        const json_t *key = json_object_get(json_array_get(flags, i), "key");
        if (!json_is_string(key))
            return err_set(e, ERR_DATA, "%s: item %zu of \"flags\" has no \"key\"", name, i + 1);
        entries[n++] = (struct entry){ text_of(key), json_array_get(flags, i) };
    }
    /* jansson's iterator wants a non-const object and does not change it */
    json_t *object = (json_t *)(uintptr_t)flags;
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it))
        entries[n++] = (struct entry){ { json_object_iter_key(it), json_object_iter_key_len(it) },
                                       json_object_iter_value(it) };
    qsort(entries, n, sizeof *entries, by_key);
    for (size_t i = 0; i < n; i++) {
        if (!entries[i].key.n)
            return err_set(e, ERR_DATA, "%s: a flag without a key", name);
        if (i > 0 && str_eq(entries[i].key, entries[i - 1].key))
            return err_set(e, ERR_DATA, "%s: flag %s is there twice", name, entries[i].key.p);
    }
    return true;
}

static void index_flags(struct flag_document *d)
{
    size_t places = 8;
    while (places < d->count * 2)
        places *= 2;
    d->index = ARENA_ARRAY(d->arena, const struct flag *, places);
    d->mask = (uint32_t)places - 1;
    for (size_t i = 0; i < d->count; i++) {
        uint32_t at = murmur3(d->flags[i].key) & d->mask;
        while (d->index[at])
            at = (at + 1) & d->mask;
        d->index[at] = &d->flags[i];
    }
}

static bool read_flags(struct build *b, const json_t *flags, struct err *e)
{
    size_t n = json_is_array(flags) ? json_array_size(flags) : json_object_size(flags);
    if (!json_is_array(flags) && !json_is_object(flags))
        return err_set(e, ERR_DATA, "%s: \"flags\" must be an object or a list", b->name);
    if (n > LIMIT_FLAGS)
        return err_set(e, ERR_LIMIT, "%s: %zu flags; at most %d are read", b->name, n, LIMIT_FLAGS);
    struct entry *entries = ARENA_ARRAY(b->d->arena, struct entry, n);
    if (!list_flags(flags, b->name, entries, e))
        return false;
    b->d->flags = ARENA_ARRAY(b->d->arena, struct flag, n);
    for (size_t i = 0; i < n; i++) {
        struct flag *f = &b->d->flags[b->d->count++];
        f->key = (struct str){ arena_strndup(b->d->arena, entries[i].key.p, entries[i].key.n),
                               entries[i].key.n };
        if (!read_flag(b, f, entries[i].flag, e))
            return false;
        if (b->is_too_large)
            return err_set(e, ERR_LIMIT, "%s: more than %zu MiB of memory would be needed", b->name,
                           DOCUMENT_BYTES / MIB);
    }
    index_flags(b->d);
    return true;
}

static bool build(struct build *b, const json_t *document, struct err *e)
{
    if (!json_is_object(document))
        return err_set(e, ERR_DATA, "%s: a flag document must be an object", b->name);
    b->metadata = json_object_get(document, "metadata");
    b->d->metadata = metadata_of(b, NULL, NULL);
    b->compiler = compiler_new(b->d->arena, json_object_get(document, "$evaluators"), b->name, e);
    if (!b->compiler || !read_flags(b, json_object_get(document, "flags"), e))
        return false;
    require_tie(b->d);
    return true;
}

bool flag_document_compile(const json_t *document, const char *name, struct flag_document **ret,
                           struct err *e)
{
    static atomic_uint_least64_t serial;
    struct arena *arena = arena_new(0);
    struct flag_document *d = ARENA_NEW(arena, struct flag_document);
    *d = (struct flag_document){ .arena = arena,
                                 .serial = atomic_fetch_add(&serial, 1) + 1,
                                 .values = json_array() };
    struct build b = { .d = d, .name = name, .text = strbuf_init(LIMIT_JSON_BYTES) };
    bool ok = build(&b, document, e);
    strbuf_done(&b.text);
    if (!ok) {
        flag_document_free(d);
        return false;
    }
    *ret = d;
    return true;
}

json_t *flag_json_parse(struct str text, const char *name, struct err *e)
{
    return json_parse_deep(text, name, LIMIT_JSON_DEPTH + JSON_AROUND, e);
}

bool flag_document_parse(struct str text, const char *name, struct flag_document **ret,
                         struct err *e)
{
    if (text.n > LIMIT_FLAG_DOCUMENT_BYTES)
        return err_set(e, ERR_LIMIT, "%s: %zu bytes of flags; at most %zu are read", name, text.n,
                       LIMIT_FLAG_DOCUMENT_BYTES);
    json_auto_t *document = flag_json_parse(text, name, e);
    return document && flag_document_compile(document, name, ret, e);
}

void flag_document_free(struct flag_document *d)
{
    if (!d)
        return;
    json_decref(d->values);
    arena_free(d->arena);
}

size_t flag_document_count(const struct flag_document *d)
{
    return d->count;
}

const struct flag *flag_document_at(const struct flag_document *d, size_t i)
{
    return &d->flags[i];
}

const struct flag *flag_document_find(const struct flag_document *d, struct str key)
{
    for (uint32_t at = murmur3(key) & d->mask; d->index[at]; at = (at + 1) & d->mask)
        if (str_eq(d->index[at]->key, key))
            return d->index[at];
    return NULL;
}

const char *flag_key(const struct flag *f)
{
    return f->key.p;
}

enum flag_type flag_type_of(const struct flag *f)
{
    return f->type;
}

const char *flag_document_metadata(const struct flag_document *d)
{
    return d->metadata;
}
