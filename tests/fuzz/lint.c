/*
 * The linter on whatever can be parsed: no statement makes it fall, every finding lies in the file and
 * says something, counts add up. The file is judged after a schema of its own making: itself.
 */
#include "migrate/lint/lint.h"

#include "fuzz.h"

static void check_finding(const struct lint_finding *f, const struct migration *m)
{
    assert(f->rule && f->what && f->what[0] && f->severity <= f->rule->severity);
    assert(f->migration == m && f->offset <= m->sql.n);
    assert(f->place.line >= 1 && f->place.column >= 1);
    assert(!(f->allowed && f->is_lifted));
}

static void check(struct arena *a, const struct migration *m, bool is_by_hand, bool knows)
{
    struct lint_report r = { 0 };
    struct err e = { 0 };
    struct lint_input in = {
        .files = &m,
        .n = 1,
        .before = &m,
        .before_count = knows,
        .is_by_hand = is_by_hand,
    };
    if (!lint_run(a, &in, &r, &e)) {
        assert(e.code == ERR_CONFIG || e.code == ERR_LIMIT);
        return;
    }
    size_t stand = 0;
    for (size_t i = 0; i < r.n; i++) {
        check_finding(&r.v[i], m);
        assert(i == 0 || r.v[i - 1].offset <= r.v[i].offset);
        stand += !r.v[i].allowed && !r.v[i].is_lifted;
    }
    assert(stand == r.errors + r.warnings + r.notes);
    assert(r.verdict_count == 1 && r.verdicts[0].why[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str sql = fuzz_input(data, size);
    struct migration m = {
        .version = "1",
        .name = "fuzz",
        .file = "1_fuzz.sql",
        .sql = { str_dup(a, sql), sql.n },
        .reverse_file = "1_fuzz.sql",
        .has_reverse = size % 2 == 0,
    };
    m.reverse_sql = m.sql;
    check(a, &m, false, false);
    check(a, &m, false, true);
    check(a, &m, true, false);
    return 0;
}
