/*
 * Secrets files. What is read is printed byte for byte as it was, once a line end stands behind it,
 * and reads again; what is changed in one line differs in one line; the names that the
 * configuration sees without a key are those that the reader sees.
 */
#include "secret/secrets_file.h"

#include "fuzz.h"

static void check_printed(const struct secrets_file *f, struct str text)
{
    struct str printed;
    struct err e;
    if (!secrets_file_print(f, &printed, &e))
        return;
    assert(printed.n >= text.n && memcmp(printed.p, text.p, text.n) == 0);
    assert(printed.n <= text.n + 1);
}

static void check_lines(const struct secrets_file *f)
{
    assert(f->lines.n <= LIMIT_SECRETS_LINES && f->to.n <= LIMIT_SECRETS_RECIPIENTS);
    for (size_t i = 0; i < f->lines.n; i++) {
        const struct secrets_line *line = &f->lines.v[i];
        assert(secrets_name_is_good(str_of(line->name)));
        assert(line->n <= 1 + SECRETS_OLDER);
        assert((line->kind == SECRETS_ADDITION ? secrets_file_find_addition(f, line->name)
                                               : secrets_file_find(f, line->name)) == line);
        for (size_t k = 0; k < line->n; k++)
            assert(line->values[k].generation > 0 && line->values[k].sealed.n > 0);
    }
    for (size_t i = 0; i < f->to.n; i++)
        assert(secrets_file_recipient(f, f->to.v[i].name) == &f->to.v[i]);
}

/* A new plain value, read again, is that value. */
static void check_edit(struct arena *a, struct secrets_file *f, struct str text)
{
    struct secrets_line *line;
    struct secrets_file again;
    struct str printed;
    struct err e;
    const char *value = str_dup(a, text.n > 200 ? (struct str){ text.p, 200 } : text);
    if (!secrets_file_line(f, "NEW_NAME", SECRETS_PLAIN, &line, &e))
        return;
    line->plain = value;
    line->n = 0;
    if (!secrets_file_print(f, &printed, &e) || !str_is_utf8(printed))
        return;
    assert(secrets_file_parse(a, printed, "again", &again, &e));
    assert(streq(secrets_file_find(&again, "NEW_NAME")->plain, value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str text = fuzz_input(data, size);
    struct secrets_file f;
    struct err e = { 0 };
    if (!secrets_file_parse(a, text, "secrets/staging.lf", &f, &e)) {
        assert(e.code == ERR_DATA || e.code == ERR_LIMIT);
        return 0;
    }
    check_printed(&f, text);
    check_lines(&f);
    check_edit(a, &f, text);
    return 0;
}
