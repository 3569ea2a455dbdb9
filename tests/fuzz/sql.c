/*
 * Reading SQL files. Nothing of a file may get lost between two statements but what is said to be
 * nothing: blanks, semicolons, comments. Where the grammar of Postgres reads the whole file, it must
 * find the same statements in it; whatever is refused is refused with a place and a remedy.
 */
#include "fuzz.h"

#include "base/strbuf.h"
#include "migrate/sql/policy_call.h"
#include "migrate/sql/script.h"

#include <pg_query.h>

#define PLACES        20   /* each is counted from the file's beginning */
#define NESTED_ENOUGH 2000 /* characters; the whole-file parse has no cap on nesting */

/* Where a statement ends the next begins, both inside the file. */
static void check_statements(struct arena *a, const struct sql_script *s)
{
    size_t end = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct sql_statement *st = &s->statements[i];
        assert(st->text.n > 0 && fuzz_is_within(st->text, s->text));
        assert(st->offset == (size_t)(st->text.p - s->text.p) && st->offset >= end);
        assert(st->line >= 1 && st->what[0]);
        assert((st->tree || st->is_bulk) == st->is_analysed);
        assert(st->is_analysed || (st->complaint && st->complaint_offset <= s->text.n));
        for (size_t k = 0; k < st->object_count; k++)
            assert(st->objects[k].name.name && sql_name_text(a, st->objects[k].name)[0]);
        for (size_t k = 0; k < st->lock_count; k++)
            assert(st->locks[k].level >= SQL_NO_LOCK && st->locks[k].level <= SQL_ACCESS_EXCLUSIVE);
        end = st->offset + st->text.n;
        if (i >= PLACES)
            continue;
        struct place p = statement_place(s->text, st->offset);
        assert(p.line == st->line && p.column >= 1);
        assert(statement_excerpt(a, &p)[0]);
    }
}

/* What the grammar makes of the whole file, if it can. */
static void check_against_parser(struct arena *a, const struct sql_script *s)
{
    if (s->text.n > NESTED_ENOUGH || str_starts(s->text, "\xef\xbb\xbf"))
        return;
    PgQuerySplitResult split = pg_query_split_with_parser(str_dup(a, s->text));
    if (!split.error) {
        assert((size_t)split.n_stmts == s->n && s->is_analysed);
        for (size_t i = 0; i < s->n; i++) {
            size_t from = (size_t)split.stmts[i]->stmt_location;
            assert(s->statements[i].offset >= from);
            assert(s->statements[i].offset < from + (size_t)split.stmts[i]->stmt_len);
        }
    }
    pg_query_free_split_result(split);
}

static void check_script(struct arena *a, struct str sql)
{
    struct sql_script s = { 0 };
    struct err e = { 0 };
    if (!sql_script_read(a, "fuzz.sql", sql, &s, &e)) {
        assert(e.code == ERR_CONFIG || e.code == ERR_LIMIT);
        assert(e.why[0] && starts_with(e.where, "fuzz.sql:"));
        return;
    }
    check_statements(a, &s);
    check_against_parser(a, &s);
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

/* Questions for flags: found or not, each has a place, and a bare one is in a policy. */
static void check_policies(struct arena *a, struct str sql)
{
    struct policy_calls calls = { 0 };
    struct err e = { 0 };
    if (!policy_calls_read(a, "x.sql", sql, &calls, &e))
        assert(e.code == ERR_CONFIG || e.code == ERR_LIMIT);
    for (size_t i = 0; i < calls.n; i++) {
        assert(calls.v[i].where && calls.v[i].function);
        assert(!calls.v[i].is_bare || (calls.v[i].policy && calls.v[i].table));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str sql = fuzz_input(data, size);
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str copy = { str_dup(a, sql), sql.n };
    check_script(a, copy);
    if (str_is_utf8(copy)) /* else migration_read has refused it */
        check_history(a, copy);
    check_policies(a, copy);
    return 0;
}
