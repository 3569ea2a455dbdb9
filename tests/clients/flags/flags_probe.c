/*
 * One line in, one line out, for comparing with other engines:
 *
 *     flags_probe export    a flag document   → the same with its requirements written out
 *     flags_probe check     {"rule","variants","attributes","segments"} → "portable", or what is not
 *     flags_probe bulk      {"snapshot"}          → "ok", and from then on answered from
 *                           {"kind","sub","facts","body"} → status and body of an OFREP bulk answer
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "flag/export.h"
#include "flag/ofrep_answer.h"
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

static bool take_snapshot(struct arena *a, const json_t *value, struct flag_snapshot **from,
                          struct err *e)
{
    struct flag_snapshot *next;
    if (!flag_snapshot_parse(str_of(json_text_in_order(a, value)), &next, e))
        return false;
    flag_snapshot_unref(*from);
    *from = next;
    return true;
}

static const char *bulk(struct arena *a, const json_t *line, const struct flag_snapshot *from)
{
    const char *kind = json_text_or(line, "kind", "");
    struct flag_caller caller = {
        .kind = streq(kind, "server") ? FLAG_CALLER_SERVER
                : streq(kind, "user") ? FLAG_CALLER_USER
                                      : FLAG_CALLER_ANONYMOUS,
        .subject = json_text_or(line, "sub", NULL),
        .app_metadata = json_object_get(line, "facts"),
    };
    struct ofrep_question question = {
        .snapshot = from,
        .caller = caller,
        .body = str_of(json_text_or(line, "body", "")),
        .now_s = clock_unix_ms() / 1000,
    };
    struct ofrep_answer answer;
    ofrep_answer_bulk(&question, &answer);
    const char *text =
        arena_printf(a, "%d %s %s", answer.status, answer.etag, strbuf_text(&answer.body));
    strbuf_done(&answer.body);
    return text;
}

static bool answer(struct arena *a, const char *what, const json_t *line,
                   struct flag_snapshot **from, const char **ret, struct err *e)
{
    if (streq(what, "bulk")) {
        const json_t *snapshot = json_object_get(line, "snapshot");
        *ret = snapshot ? "ok" : bulk(a, line, *from);
        return !snapshot || take_snapshot(a, snapshot, from, e);
    }
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
    if (argc != 2 ||
        (!streq(argv[1], "export") && !streq(argv[1], "check") && !streq(argv[1], "bulk")))
        return 2;
    CLEANUP(flag_snapshot) struct flag_snapshot *from = flag_snapshot_empty();
    while ((n = getline(&line, &room, stdin)) > 0) {
        CLEANUP(arena) struct arena *a = arena_new(0);
        struct err e = { 0 };
        const char *text;
        json_t *value = json_parse((struct str){ line, (size_t)n }, "the line", &e);
        if (!value || !answer(a, argv[1], value, &from, &text, &e))
            text = arena_printf(a, "error: %s", e.why);
        (void)printf("%s\n", text);
        if (!streq(argv[1], "bulk")) /* which answers thousands that are asked together */
            (void)fflush(stdout);
        json_decref(value);
    }
    free(line);
    return 0;
}
