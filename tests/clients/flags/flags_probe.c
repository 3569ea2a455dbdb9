/*
 * One line in, one line out, for comparing with other engines:
 *
 *     flags_probe export    a flag document   → the same with its requirements written out
 *     flags_probe check     {"rule","variants","attributes","segments"} → "portable", or what is not
 */
#include "base/cleanup.h"
#include "base/json.h"
#include "flag/export.h"
#include "flag/profile.h"

#include <stdio.h>

static const char *checked(struct arena *a, const json_t *line)
{
    struct flag_profile p = { .variants = json_object_get(line, "variants"),
                              .attributes = json_object_get(line, "attributes"),
                              .segments = json_object_get(line, "segments") };
    struct flag_findings all = { 0 };
    flag_profile_rule(&p, a, json_object_get(line, "rule"), &all);
    for (size_t i = 0; i < all.n; i++) {
        if (!all.v[i].is_note)
            return flag_finding_text(a, &all.v[i]);
    }
    return "portable";
}

static bool answer(struct arena *a, const char *what, const json_t *line, const char **ret,
                   struct err *e)
{
    if (streq(what, "check")) {
        *ret = checked(a, line);
        return true;
    }
    json_t *document;
    if (!flag_export(line, &document, e))
        return false;
    *ret = json_text_in_order(a, document);
    json_decref(document);
    return true;
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    if (argc != 2 || (!streq(argv[1], "export") && !streq(argv[1], "check")))
        return 2;
    while ((n = getline(&line, &room, stdin)) > 0) {
        CLEANUP(arena) struct arena *a = arena_new(0);
        struct err e = { 0 };
        const char *text;
        json_t *value = json_parse((struct str){ line, (size_t)n }, "the line", &e);
        if (!value || !answer(a, argv[1], value, &text, &e))
            text = arena_printf(a, "error: %s", e.why);
        (void)printf("%s\n", text);
        (void)fflush(stdout);
        json_decref(value);
    }
    free(line);
    return 0;
}
