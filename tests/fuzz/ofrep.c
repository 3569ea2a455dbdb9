/*
 * Bodies of evaluation requests. Whatever comes, each kind of caller gets an answer that is JSON and
 * that follows the protocol; asked twice it is the same, and one flag alone is answered as among all.
 */
#include "fuzz.h"

#include "base/json.h"
#include "flag/ofrep_answer.h"

static const char snapshot_text[] =
    "{\"v\":7,\"next\":null,\"document\":{\"metadata\":{\"version\":\"7\"},"
    "\"$evaluators\":{\"staff\":{\"ends_with\":[{\"var\":[\"email\",\"\"]},\"@corp.example\"]}},"
    "\"flags\":{"
    "\"a\":{\"state\":\"ENABLED\",\"variants\":{\"on\":true,\"off\":false},\"defaultVariant\":"
    "\"off\","
    "\"targeting\":{\"if\":[{\"$ref\":\"staff\"},\"on\",{\"fractional\":[[\"on\",25],[\"off\",75]]}"
    "]}},"
    "\"b\":{\"state\":\"ENABLED\",\"variants\":{\"x\":\"1\",\"y\":\"2\"},\"defaultVariant\":null,"
    "\"targeting\":{\"if\":[{\"sem_ver\":[{\"var\":[\"app\",\"\"]},\">=\",\"2.0.0\"]},\"x\","
    "{\"in\":[{\"var\":\"plan\"},[\"pro\",\"max\"]]},\"y\",null]}},"
    "\"c\":{\"state\":\"ENABLED\",\"variants\":{\"n\":1.5,\"m\":2},\"defaultVariant\":\"n\","
    "\"targeting\":{\"if\":[{\">\":[{\"+\":[{\"var\":\"seats\"},1]},5]},\"m\",\"n\"]}},"
    "\"d\":{\"state\":\"ENABLED\",\"variants\":{\"on\":{\"l\":[]}},\"defaultVariant\":\"on\","
    "\"targeting\":{\"cat\":[{\"var\":\"targetingKey\"},{\"var\":\"groups\"}]}},"
    "\"e\":{\"state\":\"DISABLED\",\"variants\":{\"on\":true},\"defaultVariant\":\"on\"},"
    "\"f\":{\"state\":\"ENABLED\",\"variants\":{\"on\":true},\"defaultVariant\":\"on\","
    "\"targeting\":{\"reduce\":[{\"var\":\"groups\"},{\"cat\":[{\"var\":\"accumulator\"},"
    "{\"var\":\"current\"}]},\"\"]}}}},"
    "\"flags\":{\"a\":{\"exposure\":\"client\"},\"b\":{\"exposure\":\"client\"},"
    "\"c\":{\"exposure\":\"client\"},\"d\":{\"exposure\":\"client\"},\"e\":{\"exposure\":"
    "\"client\"},"
    "\"f\":{\"exposure\":\"server\"}},"
    "\"attributes\":{\"plan\":{\"type\":\"string\",\"trusted\":true},\"app\":{\"type\":\"version\"}"
    ","
    "\"seats\":{\"type\":\"number\"},\"groups\":{\"type\":\"list\"},\"email\":{\"type\":\"string\"}"
    "}}";

static struct flag_snapshot *snapshot(void)
{
    static struct flag_snapshot *s;
    struct err e;
    if (!s && !flag_snapshot_parse(STR(snapshot_text), &s, &e))
        abort();
    return s;
}

static void check_flag(const json_t *flag, bool sees_all)
{
    static const char *const members[] = { "key",       "reason",       "value",    "variant",
                                           "errorCode", "errorDetails", "metadata", NULL };
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach ((json_t *)(uintptr_t)flag, name, value) {
        const char *const *known = members;
        while (*known && !streq(*known, name))
            known++;
        assert(*known && !json_is_null(value));
    }
    assert(json_is_string(json_object_get(flag, "key")));
    assert(!json_object_get(flag, "reason") != !json_object_get(flag, "errorCode"));
    assert(!json_object_get(flag, "variant") == !json_object_get(flag, "value"));
    if (!sees_all)
        assert(!json_object_get(flag, "metadata") && !json_object_get(flag, "errorDetails"));
}

/* One flag alone is what it was among all. */
static void check_single(const struct ofrep_question *q, const json_t *flag)
{
    struct ofrep_answer one;
    struct err e;
    ofrep_answer_single(q, json_text_or(flag, "key", ""), &one);
    json_auto_t *alone = json_parse(strbuf_str(&one.body), "answer", &e);
    assert(one.status == (json_object_get(flag, "errorCode") ? 400 : 200));
    assert(alone && json_equal(alone, flag));
    strbuf_done(&one.body);
}

static void check(const struct ofrep_question *q)
{
    struct ofrep_answer all, again;
    struct err e;
    bool sees_all = q->caller.kind == FLAG_CALLER_SERVER;
    ofrep_answer_bulk(q, &all);
    ofrep_answer_bulk(q, &again);
    assert(all.status == again.status && streq(strbuf_text(&all.body), strbuf_text(&again.body)));
    json_auto_t *body = json_parse(strbuf_str(&all.body), "answer", &e);
    assert(body && (all.status == 200 || all.status == 400));
    assert((*all.etag != '\0') == (all.status == 200));
    if (all.status == 200) {
        const json_t *flags = json_object_get(body, "flags");
        assert(json_array_size(flags) == (sees_all ? 6 : 5));
        for (size_t i = 0; i < json_array_size(flags); i++) {
            check_flag(json_array_get(flags, i), sees_all);
            check_single(q, json_array_get(flags, i));
        }
    } else {
        assert(streq(json_text_or(body, "errorCode", ""), "INVALID_CONTEXT"));
    }
    strbuf_done(&all.body);
    strbuf_done(&again.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *metadata = json_pack("{s:s, s:[s]}", "plan", "pro", "groups", "a");
    for (int kind = FLAG_CALLER_ANONYMOUS; kind <= FLAG_CALLER_SERVER; kind++) {
        struct ofrep_question q = {
            .snapshot = snapshot(),
            .caller = { .kind = (enum flag_caller_kind)kind,
                        .subject = kind == FLAG_CALLER_USER ? "u1" : NULL,
                        .app_metadata = kind == FLAG_CALLER_USER ? metadata : NULL },
            .body = fuzz_input(data, size),
            .now_s = 1767225600,
        };
        check(&q);
    }
    return 0;
}
