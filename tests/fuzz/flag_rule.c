/*
 * A rule, "---", and the context it meets.
 */
#include "flags.h"

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = fuzz_input(data, size);
    struct err e = { 0 };
    json_auto_t *rule = json_parse(fuzz_section(&rest), "rule", &e);
    json_auto_t *values = json_parse(rest, "context", &e);
    if (!rule)
        return 0;
    json_auto_t *document =
        json_pack("{s:{s:{s:s,s:{s:b,s:b},s:s,s:O}},s:{s:{s:[s,s]}}}", "flags", "f", "state",
                  "ENABLED", "variants", "on", 1, "off", 0, "defaultVariant", "off", "targeting",
                  rule, "$evaluators", "staff", "in", "a", "abc");
    CLEANUP(flag_document) struct flag_document *d = NULL;
    bool ok = document && flag_document_compile(document, "fuzz", &d, &e);
    assert(ok);
    struct flag_context c;
    (void)fuzz_evaluate_all(d, values, &c);
    fuzz_explain_first(d, values);
    return 0;
}
