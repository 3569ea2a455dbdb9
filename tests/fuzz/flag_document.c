/*
 * Flag documents: whatever is taken answers each of its flags within the limits.
 */
#include "flags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = { 0 };
    CLEANUP(flag_document) struct flag_document *d = NULL;
    if (!flag_document_parse(fuzz_input(data, size), "fuzz", &d, &e)) {
        assert(e.code == ERR_DATA || e.code == ERR_LIMIT);
        assert(e.why[0] != '\0' && !d);
        return 0;
    }
    struct flag_context c;
    json_auto_t *values = json_pack("{s:s,s:s,s:[i,s],s:n}", "targetingKey", "u1", "plan", "pro",
                                    "list", 1, "on", "nothing");
    (void)fuzz_evaluate_all(d, values, &c);
    fuzz_explain_first(d, values);
    return 0;
}
