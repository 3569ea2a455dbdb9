#include "case.h"

#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "migrate/sql/statement.h"

#include <stdio.h>
#include <stdlib.h>

#define FOLDER "tests/corpus/cases/"

static void give_up(const char *path, const char *what, const char *detail)
{
    fprintf(stderr, "corpus: %s: %s %s\n", path, what, detail);
    exit(99);
}

static const char *find_define(const struct corpus *c, const char *name)
{
    for (size_t i = 0; i < c->defines.n; i++)
        if (streq(c->defines.v[i].name, name))
            return c->defines.v[i].sql;
    return NULL;
}

/* Where lines of SQL go at the moment; NULL before the first word. */
static const char **begin_word(struct arena *a, const char *path, struct corpus *c,
                               const char *word, const char *rest)
{
    if (streq(word, "define")) {
        vec_add(&c->defines, a)->name = rest;
        return &c->defines.v[c->defines.n - 1].sql;
    }
    if (streq(word, "case")) {
        *vec_add(&c->cases, a) = (struct corpus_case){ .kind = rest, .base = "", .loss = 'A' };
        return NULL;
    }
    if (c->cases.n == 0)
        give_up(path, "before the first case:", word);
    struct corpus_case *k = &c->cases.v[c->cases.n - 1];
    if (streq(word, "base")) {
        k->base = find_define(c, rest);
        if (!k->base)
            give_up(path, "no such base:", rest);
    } else if (streq(word, "loss"))
        k->loss = rest[0];
    else if (streq(word, "alone"))
        k->is_alone = true;
    else if (streq(word, "refuse"))
        k->must_refuse = true;
    else if (streq(word, "right"))
        k->is_right = true;
    else if (streq(word, "also"))
        return &k->base;
    else if (streq(word, "up"))
        return &k->up;
    else if (streq(word, "down"))
        return &k->down;
    else
        give_up(path, "unknown word:", word);
    return NULL;
}

void corpus_load(struct arena *a, const char *path, struct corpus *c)
{
    struct err e = { 0 };
    struct str text;
    if (!fs_read(a, path, 1 << 20, &text, &e))
        give_up(path, e.why, "");
    const char **into = NULL;
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        if (str_starts(line, "--# ")) {
            struct str rest = { line.p + 4, line.n - 4 };
            char *word = str_dup(a, str_cut(&rest, ' '));
            into = begin_word(a, path, c, word, str_dup(a, str_trim(rest)));
        } else if (into && str_trim(line).n > 0)
            *into = arena_printf(a, "%s%.*s\n", *into ? *into : "", STR_FMT(line));
    }
}

static void load_family(struct arena *a, const char *family, struct corpus *c)
{
    size_t first = c->cases.n;
    corpus_load(a, arena_printf(a, FOLDER "%s.sql", family), c);
    for (size_t i = first; i < c->cases.n; i++)
        c->cases.v[i].family = family;
}

void corpus_load_all(struct arena *a, struct corpus *c)
{
    static const char *const files[] = { "bases", "column", "table",    "constraint", "index",
                                         "code",  "type",   "security", "data" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        load_family(a, files[i], c);
}

char *corpus_sql(struct arena *a, const char *sql, size_t n)
{
    if (!sql)
        return NULL;
    CLEANUP(strbuf) struct strbuf b = strbuf_init(1 << 20);
    for (const char *p = sql; *p; p++)
        if (*p == '@')
            strbuf_printf(&b, CORPUS_SCHEMA, n);
        else
            strbuf_addc(&b, *p);
    return str_dup(a, strbuf_str(&b));
}

static bool run_one_by_one(struct pg *db, const char *sql, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct statement *list = NULL;
    size_t n = 0;
    statement_split(a, str_of(sql), &list, &n);
    for (size_t i = 0; i < n; i++)
        if (!pg_run(db, str_dup(a, list[i].text), NULL, e))
            return false;
    return true;
}

bool corpus_run(struct pg *db, const char *sql, bool alone, struct err *e)
{
    if (alone)
        return run_one_by_one(db, sql, e);
    bool ok = pg_begin(db, e) && pg_script(db, sql, e) && pg_commit(db, e);
    pg_rollback(db);
    return ok;
}

char *corpus_database(struct arena *a, struct pg **ret)
{
    struct err e = { 0 };
    char *url = pg_fixture_database(a);
    if (!pg_open(&(struct pg_spec){ .url = url }, ret, &e) ||
        !corpus_run(*ret,
                    "do $$ begin"
                    " if to_regrole('corpus_reader') is null then"
                    " create role corpus_reader; create role corpus_owner; end if; end $$",
                    false, &e))
        give_up("database", e.why, "");
    return url;
}
