/*
 * Portable rules. Two sections: a rule, and the context of a request. What the validator takes
 * compiles, and never fails for a context that was made to fit; whatever is refused has a place and
 * a reason. A flag that requires the rule's flag gives the same from its export.
 */
#include "fuzz.h"

#include "flag/evaluate.h"
#include "flag/export.h"
#include "flag/normalise.h"
#include "flag/profile.h"

#include <jansson.h>

static json_t *declared(void)
{
    return json_pack("{s:{s:s}, s:{s:s, s:b}, s:{s:s}, s:{s:s}, s:{s:s}}", "plan", "type", "string",
                     "email", "type", "string", "trusted", 1, "seats", "type", "number", "groups",
                     "type", "list", "app", "type", "version");
}

/* Flag "a" requires flag "b", which has the rule. */
static json_t *document_of(json_t *rule)
{
    return json_pack(
        "{s:{s:{s:s, s:{s:i, s:i}, s:s, s:s, s:[{s:s, s:s}]}, s:{s:s, s:{s:i, s:i, s:i, s:i}, s:s, "
        "s:O}}, s:{s:{s:[{s:s}, s]}}}",
        "flags", "a", "state", "ENABLED", "variants", "on", 1, "off", 0, "defaultVariant", "on",
        "offVariant", "off", "requires", "flag", "b", "variant", "on", "b", "state", "ENABLED",
        "variants", "on", 1, "off", 0, "true", 2, "false", 3, "defaultVariant", "off", "targeting",
        rule, "$evaluators", "staff", "ends_with", "var", "email", "@x");
}

static struct flag_answer ask(const struct flag_document *d, const char *key, const json_t *values)
{
    struct flag_answer x;
    struct flag_context c = flag_context(values, 1764070000);
    flag_evaluate(d, flag_document_find(d, str_of(key)), &c, &x);
    return x;
}

static void check_findings(struct arena *a, const struct flag_findings *all)
{
    size_t refusals = 0;
    assert(all->n <= FLAG_FINDINGS_MAX);
    for (size_t i = 0; i < all->n; i++) {
        assert(all->v[i].at && *all->v[i].why && *flag_finding_text(a, &all->v[i]));
        refusals += !all->v[i].is_note;
    }
    assert(refusals <= all->refusals && (refusals > 0) == (all->refusals > 0));
}

/* The context as the rules see it: members of declared types and nothing else. */
static json_t *normalised(const json_t *attributes, struct str text, enum flag_caller_kind kind)
{
    struct err e = { 0 };
    struct flag_caller caller = { .kind = kind, .subject = "u1" };
    json_auto_t *given = flag_context_parse(text, "the request", &e);
    json_t *values;
    unsigned dropped;
    if (!given || !flag_normalise(attributes, &caller, given, &values, &dropped, &e))
        return NULL;
    const char *name;
    json_t *value;
    json_object_foreach (values, name, value) {
        enum flag_attribute_type type;
        bool is_trusted;
        if (streq(name, "targetingKey")) {
            assert(json_is_string(value));
            continue;
        }
        assert(flag_attribute_find(attributes, name, &type, &is_trusted));
        assert(flag_attribute_fits(type, value));
        assert(!is_trusted || kind == FLAG_CALLER_SERVER);
    }
    return values;
}

static void check_portable(const struct flag_document *d, const struct flag_document *plain,
                           const json_t *attributes, struct str context)
{
    for (int kind = FLAG_CALLER_ANONYMOUS; kind <= FLAG_CALLER_SERVER; kind++) {
        json_auto_t *values = normalised(attributes, context, (enum flag_caller_kind)kind);
        if (!values)
            continue;
        struct flag_answer b = ask(d, "b", values);
        if (b.steps >= LIMIT_FLAG_STEPS)
            continue;
        assert(b.error == FLAG_OK);
        struct flag_answer ours = ask(d, "a", values), theirs = ask(plain, "a", values);
        assert(ours.error == FLAG_OK && theirs.error == FLAG_OK);
        assert(streq(ours.variant, theirs.variant));
        assert(streq(ours.variant, streq(b.variant, "on") ? "on" : "off"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    struct str text = fuzz_section(&rest);
    json_auto_t *rule = json_loadb(text.p, text.n, JSON_DECODE_ANY, NULL);
    if (!rule)
        return 0;
    json_auto_t *attributes = declared();
    json_auto_t *document = document_of(rule);
    struct flag_profile p = {
        .variants =
            json_object_get(json_object_get(json_object_get(document, "flags"), "b"), "variants"),
        .attributes = attributes,
        .segments = json_object_get(document, "$evaluators"),
    };
    struct flag_findings all = { 0 };
    struct err e = { 0 };
    flag_profile_rule(&p, a, rule, &all);
    check_findings(a, &all);
    if (all.refusals)
        return 0;
    struct flag_document *d = NULL, *plain = NULL;
    json_t *exported = NULL;
    assert(flag_document_compile(document, "it", &d, &e));
    /* a rule at the limits is one too deep inside another */
    if (flag_export(document, &exported, &e) &&
        flag_document_compile(exported, "its export", &plain, &e) &&
        ask(plain, "a", attributes).error != FLAG_PARSE_ERROR)
        check_portable(d, plain, attributes, rest);
    json_decref(exported);
    flag_document_free(d);
    flag_document_free(plain);
    return 0;
}
