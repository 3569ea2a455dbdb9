#include "oracle.h"

#include "base/cleanup.h"
#include "base/proc.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define PG_DUMP         "/usr/lib/postgresql/15/bin/pg_dump"
#define DUMP_MAX        (64 << 20)
#define TABLES_PER_LOOK 200

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "oracle: %s: %s\n", what, why);
    exit(99);
}

/* "c0123" as a word, or as the beginning of one like "c0123_b". */
static long number_in(struct str s)
{
    for (size_t i = 0; i + 5 <= s.n; i++) {
        if (s.p[i] != 'c' || (i > 0 && (isalnum((unsigned char)s.p[i - 1]) || s.p[i - 1] == '_')))
            continue;
        uint64_t n;
        if (str_to_u64((struct str){ s.p + i + 1, 4 }, &n))
            return (long)n;
    }
    return -1;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_number_and_text(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* Lines that say nothing about the object: settings, comments, blanks. */
static bool is_noise(struct str line)
{
    return line.n == 0 || str_starts(line, "--") || str_starts(line, "SET ") ||
           str_starts(line, "SELECT pg_catalog.set_config") || str_starts(line, "\\");
}

/* The columns of a table may stand in another order, and what is said of each with them. */
static char *normalised(struct arena *a, struct str header, struct str body)
{
    VEC(const char *) lines = { 0 };
    bool is_table = memmem(header.p, header.n, "; Type: TABLE;", 14) != NULL;
    while (body.n > 0) {
        struct str line = str_cut(&body, '\n');
        if (is_noise(line))
            continue;
        if (is_table && line.p[line.n - 1] == ',')
            line.n--;
        *vec_add(&lines, a) = str_dup(a, line);
    }
    if (is_table && lines.n > 1)
        qsort(lines.v, lines.n, sizeof *lines.v, by_text);
    CLEANUP(strbuf) struct strbuf b = strbuf_init(DUMP_MAX);
    strbuf_printf(&b, "%.*s\n", STR_FMT(header));
    for (size_t i = 0; i < lines.n; i++)
        strbuf_printf(&b, "%s\n", lines.v[i]);
    return str_dup(a, strbuf_str(&b));
}

static void add_dump(struct arena *a, struct str dump, struct oracle *o)
{
    static const char mark[] = "\n-- Name: ";
    const char *end = dump.p + dump.n;
    const char *at = memmem(dump.p, dump.n, mark, sizeof mark - 1);
    while (at) {
        struct str rest = { at + 1, (size_t)(end - at - 1) };
        struct str header = str_cut(&rest, '\n');
        const char *next = memmem(rest.p, rest.n, mark, sizeof mark - 1);
        struct str body = { rest.p, next ? (size_t)(next - rest.p) : rest.n };
        long number = number_in(header);
        *vec_add(&o->list, a) = (struct finding){ .number = number >= 0 ? number : number_in(body),
                                                  .text = normalised(a, header, body) };
        at = next;
    }
}

static void dump(struct arena *a, const char *url, struct oracle *o)
{
    struct err e = { 0 };
    struct proc_result r;
    if (!proc_run(a,
                  &(struct proc_spec){ .argv = (const char *[]){ PG_DUMP, "-s", "-d", url, NULL },
                                       .timeout_ms = 120000,
                                       .max_output_bytes = DUMP_MAX },
                  &r, &e))
        give_up("pg_dump", e.why);
    if (r.exit_status != 0)
        give_up("pg_dump", str_dup(a, r.err));
    add_dump(a, r.out, o);
}

static void ask(struct arena *a, struct pg *db, const char *sql, bool is_data, struct oracle *o)
{
    struct err e = { 0 };
    struct pg_rows rows;
    if (!pg_query(db, a, sql, PG_NONE, &rows, &e))
        give_up("query", e.why);
    for (size_t i = 0; i < rows.n; i++)
        *vec_add(&o->list, a) =
            (struct finding){ .number = number_in(str_of(pg_value(&rows, i, 0))),
                              .is_data = is_data,
                              .text = pg_value(&rows, i, 0) };
}

static const char indexes[] =
    "select 'index flags ' || n.nspname || '.' || c.relname || ' ' || i.indisvalid || i.indisready"
    " || i.indislive from pg_index i join pg_class c on c.oid = i.indexrelid"
    " join pg_namespace n on n.oid = c.relnamespace where n.nspname ~ '^c[0-9]{4}'";

static const char sequences[] =
    "select 'sequence value ' || schemaname || '.' || sequencename || ' ' ||"
    " coalesce(last_value::text, 'none') from pg_sequences where schemaname ~ '^c[0-9]{4}'";

static const char tables[] =
    "select format('select %L || count(*) || '' '' || coalesce(md5(string_agg(to_jsonb(x)::text,"
    " chr(10) order by to_jsonb(x)::text)), ''-'') from %I.%I x',"
    " 'rows ' || n.nspname || '.' || c.relname || ' ', n.nspname, c.relname)"
    " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " where n.nspname ~ '^c[0-9]{4}' and c.relkind in ('r', 'm') and c.relispopulated"
    " order by 1";

static void hash_rows(struct arena *a, struct pg *db, struct oracle *o)
{
    struct err e = { 0 };
    struct pg_rows rows;
    if (!pg_query(db, a, tables, PG_NONE, &rows, &e))
        give_up("tables", e.why);
    for (size_t i = 0; i < rows.n; i += TABLES_PER_LOOK) {
        CLEANUP(strbuf) struct strbuf b = strbuf_init(1 << 20);
        for (size_t k = i; k < rows.n && k < i + TABLES_PER_LOOK; k++)
            strbuf_printf(&b, "%s%s", k > i ? " union all " : "", pg_value(&rows, k, 0));
        ask(a, db, strbuf_text(&b), true, o);
    }
}

void oracle_look(struct arena *a, struct pg *db, const char *url, struct oracle *ret)
{
    *ret = (struct oracle){ 0 };
    dump(a, url, ret);
    ask(a, db, indexes, false, ret);
    ask(a, db, sequences, true, ret);
    hash_rows(a, db, ret);
    qsort(ret->list.v, ret->list.n, sizeof *ret->list.v, by_number_and_text);
}

void oracle_of_lines(struct arena *a, const char *const *lines, size_t n, struct oracle *ret)
{
    *ret = (struct oracle){ 0 };
    for (size_t i = 0; i < n; i++)
        *vec_add(&ret->list, a) =
            (struct finding){ .number = number_in(str_of(lines[i])), .text = lines[i] };
    qsort(ret->list.v, ret->list.n, sizeof *ret->list.v, by_number_and_text);
}

static void say(struct strbuf *b, char sign, const char *text)
{
    strbuf_addc(b, sign);
    for (const char *p = text; *p; p++)
        if (*p != '\n')
            strbuf_addc(b, *p);
        else if (p[1])
            strbuf_adds(b, "\n ");
    strbuf_addc(b, '\n');
}

static size_t first_of(const struct oracle *o, long number)
{
    size_t i = 0;
    while (i < o->list.n && o->list.v[i].number < number)
        i++;
    return i;
}

char *oracle_differ(struct arena *a, const struct oracle *before, const struct oracle *after,
                    long number, bool with_data)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(1 << 20);
    size_t i = first_of(before, number), k = first_of(after, number);
    for (;;) {
        const struct finding *x =
            i < before->list.n && before->list.v[i].number == number ? &before->list.v[i] : NULL;
        const struct finding *y =
            k < after->list.n && after->list.v[k].number == number ? &after->list.v[k] : NULL;
        if (!x && !y)
            break;
        int order = !x ? 1 : !y ? -1 : strcmp(x->text, y->text);
        if (order < 0 && (with_data || !x->is_data))
            say(&b, '-', x->text);
        if (order > 0 && (with_data || !y->is_data))
            say(&b, '+', y->text);
        i += order <= 0;
        k += order >= 0;
    }
    return b.n > 0 ? str_dup(a, strbuf_str(&b)) : NULL;
}
