/*
 * Uses of environment variables, and of feature flags, in sources. The first line of the input is the file's name, the rest
 * its text. Tokens must lie inside the text and in its order; every use must have a place in it, and
 * a name that stands there (or in a comment of ours).
 */
#include "secret/inventory.h"

#include "fuzz.h"

static void check_tokens(struct arena *a, struct str text, enum js_dialect dialect)
{
    struct js_text t = js_tokens(a, text, dialect);
    const char *before = text.p;
    for (size_t i = 0; i < t.n; i++) {
        assert(fuzz_is_within(t.v[i].text, text));
        assert(t.v[i].text.p >= before);
        before = t.v[i].text.p;
    }
    for (size_t i = 0; i < t.notes_n; i++)
        assert(fuzz_is_within(t.notes[i].text, text));
}

/* Of variables or of flags. */
static void check_uses(struct inventory *inv, const char *path, struct str text)
{
    struct err e = { 0 };
    assert(inventory_add(inv, USE_EDGE_FUNCTION, path, text, &e));
    inventory_finish(inv);
    size_t n, lines = 1;
    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    const struct env_use *v = inventory_uses(inv, &n);
    for (size_t i = 0; i < n; i++) {
        assert(v[i].line >= 1 && (size_t)v[i].line <= lines && v[i].column >= 1);
        assert((v[i].kind == USE_LITERAL) == (v[i].name != NULL));
        assert(i == 0 || v[i].line >= v[i - 1].line);
    }
    (void)inventory_mentions(inv, "A");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str text = fuzz_input(data, size);
    const char *path = str_dup(a, fuzz_line(&text));
    check_tokens(a, text, JS_PLAIN);
    check_tokens(a, text, JS_TYPED);
    check_tokens(a, text, JS_TYPED_X);

    static const char *const names[] = { "A", "API_KEY", NULL };
    check_uses(inventory_new(a, names), path, text);
    check_uses(inventory_new_of_flags(a), path, text);
    return 0;
}
