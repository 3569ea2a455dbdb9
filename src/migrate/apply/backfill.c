#include "migrate/apply/backfill.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/signals.h"
#include "base/strbuf.h"
#include "migrate/apply/beside.h"
#include "migrate/apply/pace.h"
#include "migrate/sql/token.h"
#include "migrate/sql/tree.h"

#include <stdio.h>

#define BACKFILL_ROWS       1000
#define BACKFILL_ROWS_LEAST 10
#define BACKFILL_ROWS_MOST  100000
#define BATCH_MS_LEAST      50
#define BATCH_MS_MOST       200
#define PAUSE_MS            1000 /* until it is looked again whether to go on */
#define SAY_MS              1000

struct backfill {
    const struct alone_spec *spec;
    const struct sql_statement *s;
    struct beside b;
    struct backfill_order order;
    const char *table; /* qualified, as SQL */
    const char *row;   /* how the statement calls a row of it: the alias, or the name */
    const char *quoted[BACKFILL_KEYS_MOST]; /* keys as SQL */
    const char *columns;                    /* all of them: "id, line" */
    int64_t rows_guess;
    int64_t batch;
    const char **cursor; /* the last key of the last batch; NULL: none yet */
    int64_t rows_done;   /* looked at */
    int64_t said_ms;
    struct pace pace;
};

/* ---- the statement ---- */

/* Where the WHERE of the statement itself stands; its offset behind the text if there is none. */
static size_t where_of(struct str text)
{
    struct token t;
    size_t found = text.n;
    int depth = 0;
    for (size_t at = 0; token_next_code(text, &at, &t);) {
        depth += token_is(text, &t, "(") - token_is(text, &t, ")");
        if (depth == 0 && t.kind == TOKEN_WORD && token_is(text, &t, "where"))
            found = t.at;
    }
    return found;
}

/* 'it''s', and E'…' where a backslash would be read differently by some servers. */
static void add_literal(struct strbuf *b, const char *value)
{
    strbuf_adds(b, strchr(value, '\\') ? " E'" : "'");
    for (const char *p = value; *p; p++) {
        if (*p == '\'' || *p == '\\')
            strbuf_addc(b, *p);
        strbuf_addc(b, *p);
    }
    strbuf_addc(b, '\'');
}

/* (t.a, t.b) > ('1', '2') */
static void add_comparison(struct strbuf *to, const struct backfill *x, const char *row,
                           const char *operator, const char * const * key)
{
    for (size_t i = 0; i < x->order.key_count; i++)
        (void)strbuf_printf(to, "%s%s%s%s", i ? ", " : "(", row ? row : "", row ? "." : "",
                            x->quoted[i]);
    (void)strbuf_printf(to, ") %s ", operator);
    for (size_t i = 0; i < x->order.key_count; i++) {
        strbuf_adds(to, i ? ", " : "(");
        add_literal(to, key[i]);
    }
    strbuf_addc(to, ')');
}

/* The statement as it is written, for the keys after the cursor up to `last`. */
static struct str batch_sql(const struct backfill *x, struct arena *a, const char *const *last)
{
    CLEANUP(strbuf) struct strbuf b = strbuf_init(x->s->text.n + 65536);
    size_t where = where_of(x->s->text), word = sizeof "where" - 1;
    bool has_where = where < x->s->text.n;
    strbuf_add(&b, x->s->text.p, where);
    if (has_where) {
        strbuf_adds(&b, "WHERE(");
        strbuf_add(&b, x->s->text.p + where + word, x->s->text.n - where - word);
        strbuf_adds(&b, "\n) AND ");
    } else {
        strbuf_adds(&b, "\nWHERE ");
    }
    if (x->cursor) {
        add_comparison(&b, x, x->row, ">", x->cursor);
        strbuf_adds(&b, " AND ");
    }
    add_comparison(&b, x, x->row, "<=", last);
    return str_of(str_dup(a, strbuf_str(&b)));
}

/* ---- beginning ---- */

static bool is_no_key(const struct backfill *x, const char *why, struct err *e)
{
    const struct work *w = x->spec->w;
    sql_error_at(e, ERR_CONFIG, w->file, w->sql, x->s->offset, "%s %s", x->table, why);
    return err_hint(e, "name a key that is never null and begins an index: -- backfill: key=id");
}

static bool primary_key(struct backfill *x, const char *oid, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(x->b.session, x->b.a,
                  "SELECT a.attname FROM pg_catalog.pg_index i, LATERAL generate_series(0,"
                  " i.indnkeyatts - 1) k JOIN pg_catalog.pg_attribute a ON true"
                  " WHERE i.indrelid = $1 AND i.indisprimary AND a.attrelid = i.indrelid"
                  " AND a.attnum = i.indkey[k] ORDER BY k",
                  PG_PARAMS(oid), &r, e))
        return false;
    if (r.n == 0 || r.n > BACKFILL_KEYS_MOST)
        return is_no_key(x, "has no primary key to follow", e);
    for (size_t i = 0; i < r.n; i++)
        x->order.keys[x->order.key_count++] = pg_value(&r, i, 0);
    return true;
}

static bool key_is_usable(struct backfill *x, const char *oid, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(
            x->b.session, x->b.a,
            "SELECT count(a.attname) = cardinality($2::text[]) AND bool_and(a.attnotnull),"
            " EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = $1 AND i.indisvalid"
            " AND i.indpred IS NULL AND (SELECT array_agg(n.attname::text ORDER BY k)"
            "  FROM generate_series(1, cardinality($2::text[])) k"
            "  JOIN pg_catalog.pg_attribute n ON n.attrelid = $1 AND n.attnum ="
            "  i.indkey[k - 1]) = $2::text[])"
            " FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0"
            " AND NOT a.attisdropped AND a.attname = ANY ($2::text[])",
            PG_PARAMS(oid, pg_text_array(x->b.a, x->order.keys, x->order.key_count)), &r, e))
        return false;
    if (!pg_bool(&r, 0, 0))
        return is_no_key(x, "cannot be cut by this key: a column is missing or may be null", e);
    return pg_bool(&r, 0, 1) ||
           is_no_key(x, "cannot be cut by this key: no index begins with it", e);
}

static bool is_no_table(const struct backfill *x, const char *name, struct err *e)
{
    const struct work *w = x->spec->w;
    sql_error_at(e, ERR_DB, w->file, w->sql, x->s->offset, "table %s does not exist", name);
    (void)snprintf(e->sqlstate, sizeof e->sqlstate, "42P01");
    return false;
}

static bool find_table(struct backfill *x, struct err *e)
{
    struct pg_rows r;
    const PgQuery__RangeVar *target = backfill_target(x->s);
    if (!pg_query(x->b.session, x->b.a,
                  "SELECT c.oid, format('%I.%I', n.nspname, c.relname),"
                  " greatest(c.reltuples, 0)::bigint FROM pg_catalog.pg_class c"
                  " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                  " WHERE c.oid = to_regclass($1)",
                  PG_PARAMS(sql_name_text(x->b.a, tree_range(target))), &r, e))
        return false;
    if (r.n == 0)
        return is_no_table(x, sql_name_text(x->b.a, tree_range(target)), e);
    x->table = pg_value(&r, 0, 1);
    x->pace = (struct pace){ .table = pg_value(&r, 0, 0),
                             .replica_lag_ms = x->spec->w->o->replica_lag_ms };
    x->rows_guess = pg_int(&r, 0, 2);
    x->row = sql_quote(x->b.a, target->alias ? target->alias->aliasname : target->relname);
    return (x->order.key_count > 0 || primary_key(x, pg_value(&r, 0, 0), e)) &&
           key_is_usable(x, pg_value(&r, 0, 0), e);
}

/* Goes on behind the last batch of an earlier run. */
static bool read_cursor(struct backfill *x, const struct step_row *row, struct err *e)
{
    if (!row || !row->cursor)
        return true;
    json_auto_t *cursor = json_parse(str_of(row->cursor), "the cursor of a backfill", e);
    json_t *key = json_object_get(cursor, "key");
    if (!cursor)
        return false;
    if (json_array_size(key) != x->order.key_count)
        return err_set(e, ERR_BLOCKED, "the key of the backfill was changed after it began");
    x->cursor = ARENA_ARRAY(x->b.a, const char *, x->order.key_count);
    for (size_t i = 0; i < x->order.key_count; i++)
        x->cursor[i] = arena_strdup(x->b.a, json_string_value(json_array_get(key, i)));
    x->rows_done = row->rows_done;
    x->batch = json_int_or(cursor, "batch", x->batch);
    beside_say(&x->b, "%s: going on after %lld rows", x->b.what, (long long)x->rows_done);
    return true;
}

static bool begin(struct backfill *x, const struct alone_spec *spec, struct pg *db, struct arena *a,
                  struct err *e)
{
    struct sql_script script = { .file = spec->w->file, .text = spec->w->sql };
    x->spec = spec;
    x->s = &spec->step->v[0];
    x->b = (struct beside){ .db = db, .w = spec->w, .a = a };
    x->b.what = arena_printf(a, "step %d of %zu, backfill", spec->step->number, spec->steps);
    const struct directive *d = directive_find(&x->s->directives, DIRECTIVE_BACKFILL);
    struct step_begin row = { .step = spec->step, .keeps_progress = spec->row != NULL };
    if (!backfill_order_read(a, &script, d, &x->order, e) ||
        !beside_open(&x->b, spec->step, 0, e) || !find_table(x, e))
        return false;
    x->batch = x->order.batch;
    CLEANUP(strbuf) struct strbuf columns = strbuf_init(4096);
    for (size_t i = 0; i < x->order.key_count; i++) {
        x->quoted[i] = sql_quote(a, x->order.keys[i]);
        (void)strbuf_printf(&columns, "%s%s", i ? ", " : "", x->quoted[i]);
    }
    x->columns = str_dup(a, strbuf_str(&columns));
    if (where_of(x->s->text) == x->s->text.n)
        beside_say(&x->b,
                   "%s writes every row; a WHERE … IS DISTINCT FROM … spares those that are"
                   " right already",
                   x->b.what);
    return read_cursor(x, spec->row, e) && step_row_begin(spec->w, db, a, &row, e);
}

/* ---- one batch ---- */

/* The last of the next `batch` keys, and how many there are. */
static bool next_keys(const struct backfill *x, struct arena *a, const char **ret_last,
                      int64_t *ret_count, struct err *e)
{
    struct pg_rows r;
    CLEANUP(strbuf) struct strbuf sql = strbuf_init(65536);
    strbuf_adds(&sql, "SELECT count(*) OVER ()");
    for (size_t i = 0; i < x->order.key_count; i++)
        (void)strbuf_printf(&sql, ", %s::pg_catalog.text", x->quoted[i]);
    (void)strbuf_printf(&sql, " FROM (SELECT %s FROM %s", x->columns, x->table);
    if (x->cursor) {
        strbuf_adds(&sql, " WHERE ");
        add_comparison(&sql, x, NULL, ">", x->cursor);
    }
    (void)strbuf_printf(&sql, " ORDER BY %s LIMIT %lld) k ORDER BY ", x->columns,
                        (long long)x->batch);
    for (size_t i = 0; i < x->order.key_count; i++)
        (void)strbuf_printf(&sql, "%s%s DESC", i ? ", " : "", x->quoted[i]);
    strbuf_adds(&sql, " LIMIT 1");
    if (!pg_query(x->b.session, a, str_dup(a, strbuf_str(&sql)), PG_NONE, &r, e))
        return err_wrap(e, "read the next keys of %s", x->table);
    *ret_count = r.n ? pg_int(&r, 0, 0) : 0;
    for (size_t i = 0; r.n && i < x->order.key_count; i++)
        ret_last[i] = arena_strdup(x->b.a, pg_value(&r, 0, i + 1));
    return true;
}

/* The transaction of a batch, and what its last row write needs. */
struct batch_work {
    struct work w;
    struct backfill *x;
    const char **last;
    int64_t count;
    struct pg_rows took; /* one number, milliseconds */
};

static bool write_cursor(const struct work *w, struct pg *db, struct arena *a, struct err *e)
{
    struct batch_work *b = (struct batch_work *)(uintptr_t)w; /* its first member */
    json_t *key = json_array();
    for (size_t i = 0; i < b->x->order.key_count; i++)
        (void)json_array_append_new(key, json_string(b->last[i]));
    json_auto_t *cursor = json_pack("{s:o, s:I}", "key", key, "batch", (json_int_t)b->x->batch);
    struct step_place place = { .number = b->x->spec->step->number,
                                .cursor = json_text(a, cursor),
                                .rows_done = b->x->rows_done + b->count };
    return step_row_cursor(w, db, a, &place, e) &&
           pg_query_later(
               db, a,
               "SELECT (extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000)"
               "::bigint",
               PG_NONE, &b->took, e);
}

static bool run_batch(struct backfill *x, struct pg *db, struct arena *a, struct batch_work *b,
                      struct err *e)
{
    struct sql_statement statement = *x->s;
    statement.text = batch_sql(x, a, b->last);
    b->w = *x->spec->w;
    b->w.statements = &statement;
    b->w.statement_count = 1;
    b->w.settings = x->spec->step->settings;
    b->w.settings_count = x->spec->step->settings_count;
    b->w.is_last = false;
    b->w.write_rows = write_cursor;
    return FAULT_POINT("migrate.batch.before", e) && transaction_run(&b->w, db, a, e);
}

static void adapt(struct backfill *x, int64_t took_ms)
{
    if (took_ms < BATCH_MS_LEAST && x->batch < BACKFILL_ROWS_MOST / 2)
        x->batch *= 2;
    else if (took_ms > BATCH_MS_MOST && x->batch / 2 > BACKFILL_ROWS_LEAST)
        x->batch /= 2;
}

static void tell(struct backfill *x)
{
    int64_t now = clock_boot_ms();
    if (now - x->said_ms < SAY_MS)
        return;
    x->said_ms = now;
    if (x->rows_guess > x->rows_done)
        beside_say(&x->b, "%s: %lld of about %lld rows", x->b.what, (long long)x->rows_done,
                   (long long)x->rows_guess);
    else
        beside_say(&x->b, "%s: %lld rows", x->b.what, (long long)x->rows_done);
}

/* Lets others in, and waits for what a batch more would make worse. False when a signal asks to stop. */
static bool pause_after(struct backfill *x, int64_t took_ms, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *reason = NULL;
    bool may_go_on = clock_sleep_ms(took_ms / 5);
    for (;;) {
        if (!may_go_on || signals_stop_asked())
            return err_set(e, ERR_INTERRUPTED, "stopped during %s", x->b.what);
        pace_look(&x->pace, x->b.session, a, &reason);
        if (!reason)
            return true;
        beside_say(&x->b, "%s: pausing, %s", x->b.what, reason);
        may_go_on = clock_sleep_ms(PAUSE_MS);
    }
}

static bool run_batches(struct backfill *x, struct pg *db, struct err *e)
{
    for (;;) {
        CLEANUP(arena) struct arena *a = arena_new(0);
        struct batch_work b = { .x = x };
        b.last = ARENA_ARRAY(x->b.a, const char *, x->order.key_count);
        if (!next_keys(x, a, b.last, &b.count, e))
            return false;
        if (b.count == 0)
            return true;
        if (!run_batch(x, db, a, &b, e))
            return false;
        x->cursor = b.last;
        x->rows_done += b.count;
        int64_t took_ms = b.took.n ? pg_int(&b.took, 0, 0) : 0; /* none: the answer was lost */
        adapt(x, took_ms);
        tell(x);
        if (!pause_after(x, took_ms, e))
            return false;
    }
}

bool backfill_run(const struct alone_spec *spec, struct pg *db, struct arena *a, struct err *e)
{
    struct backfill x = { 0 };
    bool ok = begin(&x, spec, db, a, e) && run_batches(&x, db, e);
    beside_close(&x.b);
    return ok;
}
