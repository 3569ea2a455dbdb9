/* The encrypted file: what is set comes back, one edit is one line, and nothing that was changed,
 * moved or replaced is taken for what was sealed. */
#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/limits.h"
#include "secret/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    struct arena *a;
    char dir[64];
    struct key_pair ana, rui;
    struct vault_place place;
    struct err e;
};

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/lockflight-vault-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    key_pair_new(&f->ana);
    key_pair_new(&f->rui);
    f->place = (struct vault_place){ .path = fs_join(f->a, f->dir, "staging.lf"),
                                     .name = "secrets/staging.lf",
                                     .project = "acme",
                                     .environment = "staging" };
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;
    struct err e;
    key_pair_done(&f->ana);
    key_pair_done(&f->rui);
    bool ok = fs_remove_tree(f->dir, &e);
    arena_free(f->a);
    free(f);
    return ok ? 0 : 1;
}

static struct keyring keys_of(const struct key_pair *pair)
{
    return (struct keyring){ .v = { *pair }, .n = 1, .from = "a test" };
}

static void set(struct fixture *f, struct vault *v, const char *name, const char *text)
{
    bool changed;
    CLEANUP(secret) struct secret *value = secret_new_public(str_of(text));
    assert_ok(vault_set(v, name, value, &changed, &f->e), &f->e);
    assert_true(changed);
}

/* A file with four variables, one of them removed, two with values before. */
static struct str make_file(struct fixture *f)
{
    bool changed;
    struct str text;
    CLEANUP(vault) struct vault v = { 0 };
    assert_ok(vault_create(f->a, &f->place, "ana", &f->ana.public, &v, &f->e), &f->e);
    set(f, &v, "API_TOKEN", "the first value");
    set(f, &v, "API_TOKEN", "the second value");
    set(f, &v, "DATABASE_URL", "postgresql://somewhere");
    set(f, &v, "OLD_TOKEN", "to be removed");
    set(f, &v, "WEBHOOK_SECRET", "first");
    set(f, &v, "WEBHOOK_SECRET", "second");
    set(f, &v, "WEBHOOK_SECRET", "third");
    assert_ok(vault_unset(&v, "OLD_TOKEN", &changed, &f->e), &f->e);
    assert_ok(vault_save(&v, &f->e), &f->e);
    assert_ok(fs_read(f->a, f->place.path, MIB, &text, &f->e), &f->e);
    return text;
}

static bool open_text(struct fixture *f, struct str text, const struct vault_place *place,
                      const struct key_pair *pair, struct vault *v)
{
    const struct keyring keys = keys_of(pair);
    *v = (struct vault){ 0 };
    return vault_parse(f->a, place, text, v, &f->e) && vault_open(v, &keys, &f->e);
}

static void check_value(struct vault *v, const char *name, size_t older, const char *expected)
{
    CLEANUP(secret) struct secret *value = vault_value(v, name, older, true);
    assert_non_null(value);
    assert_string_equal(secret_reveal(value).p, expected);
}

static void what_was_set_comes_back_with_the_value_before_it(void **state)
{
    struct fixture *f = *state;
    struct str text = make_file(f);
    CLEANUP(vault) struct vault v = { 0 };
    assert_true(open_text(f, text, &f->place, &f->ana, &v));
    check_value(&v, "API_TOKEN", 0, "the second value");
    check_value(&v, "API_TOKEN", 1, "the first value");
    check_value(&v, "DATABASE_URL", 0, "postgresql://somewhere");
    assert_null(vault_value(&v, "OLD_TOKEN", 0, true));
    assert_null(vault_value(&v, "API_TOKEN", 2, true));
    assert_int_equal(vault_revision(&v, "API_TOKEN", 0), 2);
    assert_int_equal(vault_revision(&v, "OLD_TOKEN", 0), 2);
}

static size_t lines_that_differ(struct str x, struct str y)
{
    size_t n = 0;
    while (x.p || y.p)
        n += !str_eq(str_cut(&x, '\n'), str_cut(&y, '\n'));
    return n;
}

static void one_edit_changes_one_line(void **state)
{
    struct fixture *f = *state;
    struct str before = make_file(f), after;
    CLEANUP(vault) struct vault v = { 0 };
    assert_true(open_text(f, before, &f->place, &f->ana, &v));
    set(f, &v, "DATABASE_URL", "postgresql://elsewhere");
    assert_ok(vault_save(&v, &f->e), &f->e);
    assert_ok(fs_read(f->a, f->place.path, MIB, &after, &f->e), &f->e);
    assert_int_equal(lines_that_differ(before, after), 1);
}

static void setting_the_same_value_again_changes_nothing(void **state)
{
    struct fixture *f = *state;
    bool changed = true;
    CLEANUP(vault) struct vault v = { 0 };
    assert_true(open_text(f, make_file(f), &f->place, &f->ana, &v));
    CLEANUP(secret) struct secret *same = secret_new_public(STR("the second value"));
    assert_ok(vault_set(&v, "API_TOKEN", same, &changed, &f->e), &f->e);
    assert_false(changed);
    assert_false(v.is_changed);
}

static void a_removed_reader_cannot_read_the_new_file(void **state)
{
    struct fixture *f = *state;
    struct str text = make_file(f);
    CLEANUP(vault) struct vault v = { 0 };
    CLEANUP(vault) struct vault theirs = { 0 };
    assert_true(open_text(f, text, &f->place, &f->ana, &v));
    assert_ok(vault_grant(&v, "rui", &f->rui.public, &f->e), &f->e);
    assert_ok(vault_save(&v, &f->e), &f->e);
    assert_ok(fs_read(f->a, f->place.path, MIB, &text, &f->e), &f->e);
    assert_true(open_text(f, text, &f->place, &f->rui, &theirs));
    check_value(&theirs, "API_TOKEN", 0, "the second value");
    struct data_key old = theirs.key; /* he keeps it */
    assert_ok(vault_revoke(&v, "rui", &f->e), &f->e);
    assert_ok(vault_save(&v, &f->e), &f->e);
    assert_ok(fs_read(f->a, f->place.path, MIB, &text, &f->e), &f->e);
    CLEANUP(vault) struct vault later = { 0 };
    assert_false(open_text(f, text, &f->place, &f->rui, &later));
    assert_int_equal(f->e.code, ERR_AUTH);
    const struct secrets_line *line = secrets_file_find(&later.file, "API_TOKEN");
    const struct record_label label = { "API_TOKEN", 2, false };
    old.context.generation = later.file.generation;
    assert_null(record_open(&old, &label, line->values[0].sealed, true));
    CLEANUP(vault) struct vault mine = { 0 };
    assert_true(open_text(f, text, &f->place, &f->ana, &mine));
    check_value(&mine, "API_TOKEN", 1, "the first value");
}

static void an_addition_is_readable_only_once_a_reader_accepts_it(void **state)
{
    struct fixture *f = *state;
    bool changed;
    struct str text = make_file(f);
    CLEANUP(vault) struct vault v = { 0 };
    CLEANUP(secret) struct secret *value = secret_new_public(STR("from outside"));
    assert_ok(vault_read(f->a, &f->place, &v, &f->e), &f->e); /* without a key */
    assert_ok(vault_add(&v, "WEBHOOK", value, &f->e), &f->e);
    assert_ok(vault_save(&v, &f->e), &f->e);
    assert_ok(fs_read(f->a, f->place.path, MIB, &text, &f->e), &f->e);
    CLEANUP(vault) struct vault mine = { 0 };
    assert_true(open_text(f, text, &f->place, &f->ana, &mine));
    assert_null(vault_value(&mine, "WEBHOOK", 0, true));
    assert_ok(vault_accept(&mine, "WEBHOOK", &changed, &f->e), &f->e);
    check_value(&mine, "WEBHOOK", 0, "from outside");
    assert_fails(vault_accept(&mine, "WEBHOOK", &changed, &f->e), &f->e, ERR_NOT_FOUND);
}

/* ---- tampering ---- */

static size_t refused, tried;

/* Opened with the reader's key, or anybody's: it must fail, or be what was sealed. */
static void expect_refusal(struct fixture *f, struct str text)
{
    CLEANUP(vault) struct vault v = { 0 };
    tried++;
    bool is_open = open_text(f, text, &f->place, &f->ana, &v);
    if (is_open)
        fail_msg("accepted:\n%.*s", STR_FMT(text));
    refused++;
}

static struct str flipped(struct arena *a, struct str text, size_t at, char mask)
{
    char *copy = arena_strndup(a, text.p, text.n);
    copy[at] = (char)(copy[at] ^ mask);
    return (struct str){ copy, text.n };
}

/* Every byte of every line that says something, but for the recipients' names, which are labels. */
static void no_changed_byte_is_taken(void **state)
{
    struct fixture *f = *state;
    struct str text = make_file(f), rest = text;
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        size_t from = (size_t)(line.p - text.p);
        size_t skip = str_starts(line, "#to ") ? strlen("#to ana") : 0;
        for (size_t i = skip; i < line.n; i++) {
            CLEANUP(arena) struct arena *scratch = arena_new(0);
            expect_refusal(f, flipped(scratch, text, from + i, (char)(1 << (i % 7))));
        }
    }
    print_message("# %zu changed bytes, %zu refused\n", tried, refused);
    assert_true(tried >= 1500);
    assert_int_equal(tried, refused);
}

/* Cuts a text at a marker: what stands before it, and behind it. */
static struct str replaced(struct arena *a, struct str text, const char *from, const char *to)
{
    const char *at = memmem(text.p, text.n, from, strlen(from));
    assert_non_null(at);
    char *out = arena_printf(a, "%.*s%s%s", (int)(at - text.p), text.p, to, at + strlen(from));
    return str_of(out);
}

static char *line_of(struct arena *a, struct str text, const char *start)
{
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        if (str_starts(line, start))
            return str_dup(a, line);
    }
    fail_msg("no line begins with %s", start);
    return NULL;
}

static char *behind(char *line, char sep)
{
    return strchr(line, sep) + 1;
}

/* What is good at its own place is good nowhere else: another name, revision, file, key. */
static void no_record_is_taken_at_another_place(void **state)
{
    struct fixture *f = *state;
    struct arena *a = f->a;
    struct str text = make_file(f), other = make_file(f);
    char *token = behind(line_of(a, text, "API_TOKEN="), '=');
    char *url = behind(line_of(a, text, "DATABASE_URL="), '=');
    expect_refusal(f, replaced(a, text, url, token));
    expect_refusal(f, replaced(a, text, "API_TOKEN=", "API_TOKENS="));
    expect_refusal(f, replaced(a, text, "=lf1.1.2.", "=lf1.1.3."));
    expect_refusal(f, replaced(a, text, "lf1.1.2.deleted.", "lf1.1.2."));
    expect_refusal(f, replaced(a, text, "=lf1.1.2.", "=lf1.1.2.deleted."));
    expect_refusal(f, replaced(a, text, "#key 1 ", "#key 2 "));
    for (const char *const *word =
             (const char *const[]){ "#key ", "#inbox ", "#to ", "API_TOKEN=", "OLD_TOKEN=", NULL };
         *word; word++)
        expect_refusal(f, replaced(a, text, line_of(a, text, *word), line_of(a, other, *word)));
}

static void no_file_is_taken_for_another_environment_or_project(void **state)
{
    struct fixture *f = *state;
    struct str text = make_file(f);
    CLEANUP(vault) struct vault v = { 0 };
    struct vault_place production = f->place, theirs = f->place;
    production.environment = "production";
    theirs.project = "other";
    assert_false(open_text(f, text, &production, &f->ana, &v));
    assert_int_equal(f->e.code, ERR_CONFIG);
    assert_false(open_text(f, text, &theirs, &f->ana, &v));
    assert_false(open_text(f, replaced(f->a, text, "#env staging", "#env production"), &production,
                           &f->ana, &v));
    assert_int_equal(f->e.code, ERR_DATA);
    assert_false(open_text(f, replaced(f->a, text, "#project acme", "#project other"), &theirs,
                           &f->ana, &v));
    assert_int_equal(f->e.code, ERR_DATA);
}

/* A record of the key before does not come back under the new one. */
static void no_line_of_an_older_key_is_taken(void **state)
{
    struct fixture *f = *state;
    struct str text = make_file(f), fresh;
    char *old = line_of(f->a, text, "DATABASE_URL=");
    CLEANUP(vault) struct vault v = { 0 };
    assert_true(open_text(f, text, &f->place, &f->ana, &v));
    assert_ok(vault_rotate(&v, &f->e), &f->e);
    assert_ok(vault_save(&v, &f->e), &f->e);
    assert_ok(fs_read(f->a, f->place.path, MIB, &fresh, &f->e), &f->e);
    char *now = line_of(f->a, fresh, "DATABASE_URL=");
    expect_refusal(f, replaced(f->a, fresh, now, old));
    struct str renumbered = replaced(f->a, str_of(old), "=lf1.1.", "=lf1.2.");
    expect_refusal(f, replaced(f->a, fresh, now, renumbered.p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_set_comes_back_with_the_value_before_it, begin,
                                        end),
        cmocka_unit_test_setup_teardown(one_edit_changes_one_line, begin, end),
        cmocka_unit_test_setup_teardown(setting_the_same_value_again_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_removed_reader_cannot_read_the_new_file, begin, end),
        cmocka_unit_test_setup_teardown(an_addition_is_readable_only_once_a_reader_accepts_it,
                                        begin, end),
        cmocka_unit_test_setup_teardown(no_record_is_taken_at_another_place, begin, end),
        cmocka_unit_test_setup_teardown(no_file_is_taken_for_another_environment_or_project, begin,
                                        end),
        cmocka_unit_test_setup_teardown(no_line_of_an_older_key_is_taken, begin, end),
        cmocka_unit_test_setup_teardown(no_changed_byte_is_taken, begin, end),
    };
    return cmocka_run_group_tests_name("secret/vault", tests, NULL, NULL);
}
