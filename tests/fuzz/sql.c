/*
 * The two splitters of SQL. Nothing of a file may get lost between two statements but what is said
 * to be nothing: blanks, semicolons, comments; and both splits must name the same text.
 */
#include "fuzz.h"

#include "base/strbuf.h"
#include "migrate/sql/statement.h"

#define PLACES 20 /* each is counted from the file's beginning */

/* Where a statement ends the next begins, both inside the file. */
static void check_statements(struct arena *a, struct str sql)
{
    struct statement *list = NULL;
    size_t n = 0, end = 0;
    statement_split(a, sql, &list, &n);
    for (size_t i = 0; i < n; i++) {
        assert(list[i].text.n > 0 && fuzz_is_within(list[i].text, sql));
        assert(list[i].offset == (size_t)(list[i].text.p - sql.p) && list[i].offset >= end);
        assert(list[i].code < list[i].text.n);
        end = list[i].offset + list[i].text.n;
        if (i >= PLACES)
            continue;
        struct place p = statement_place(sql, list[i].offset + list[i].code);
        assert(p.line >= 1 && p.column >= 1);
        assert(statement_excerpt(a, &p)[0]);
    }
    struct err e = { 0 };
    if (!statement_all_transactional(a, "fuzz.sql", sql, &e))
        assert(e.code == ERR_CONFIG && e.where[0]);
}

static void check_history(struct arena *a, struct str sql)
{
    struct str *list = NULL;
    size_t n = 0;
    const char *end = sql.p;
    statement_split_as_cli(a, sql, &list, &n);
    CLEANUP(strbuf) struct strbuf joined = strbuf_init(64 * MIB);
    for (size_t i = 0; i < n; i++) {
        assert(list[i].n > 0 && fuzz_is_within(list[i], sql) && list[i].p >= end);
        end = list[i].p + list[i].n;
        strbuf_add(&joined, list[i].p, list[i].n);
    }
    char of_file[SHA256_HEX_BYTES], of_pieces[SHA256_HEX_BYTES];
    statement_text_digest(sql, of_file);
    statement_text_digest(strbuf_str(&joined), of_pieces);
    assert(streq(of_file, of_pieces));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str sql = fuzz_input(data, size);
    if (!str_is_utf8(sql)) /* migration_read has refused it */
        return 0;
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str copy = { str_dup(a, sql), sql.n };
    check_statements(a, copy);
    check_history(a, copy);
    return 0;
}
