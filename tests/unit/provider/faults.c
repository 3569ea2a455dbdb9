#include "provider/faults.h"

#include "assert_ok.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/limits.h"
#include "fake/peer.h"

#include <stdlib.h>
#include <string.h>

enum fault {
    NO_SUCH_HOST,
    REFUSED,
    CONNECT_TIMEOUT,
    TLS_FAILS,
    RESET_BEFORE_SEND,
    RESET_AFTER_DONE,
    RESET_AFTER_NOT_DONE,
    STATUS_500,
    STATUS_502_DONE,
    STATUS_429_TELLS_WAIT,
    STATUS_429,
    DRIPS,
    CUT,
    MALFORMED,
    HTML,
    APPLIED_TWICE,
    APPLIED_LATE,
    N_FAULTS,
};

enum {
    FAILS = 1 << 0,    /* cleanly: nothing has happened */
    SUCCEEDS = 1 << 1, /* and it has happened */
    UNKNOWN = 1 << 2,
    CONFLICT = 1 << 3, /* somebody else's, to be adopted */
    EITHER = FAILS | SUCCEEDS,
    ASKED_WAIT_S = 7,
    LATE_MS = 10000,
    DRAIN_MS = 35000, /* how long a release waits before it asks what became of a lost call */
    IMPATIENT_MS = 10,
    PATIENT_MS = 200,
};

struct fault_row {
    const char *name;
    int of_reads; /* the right outcomes, by effect */
    int of_idempotent;
    int of_mutating;
    int done; /* after ERR_UNKNOWN_OUTCOME: has it happened? -1: either */
};

/* clang-format off */
static const struct fault_row faults[N_FAULTS] = {
    [NO_SUCH_HOST]          = { "no such host",                FAILS,    FAILS,    FAILS,              0 },
    [REFUSED]               = { "connection refused",          FAILS,    FAILS,    FAILS,              0 },
    [CONNECT_TIMEOUT]       = { "connect timeout",             FAILS,    FAILS,    FAILS,              0 },
    [TLS_FAILS]             = { "TLS fails",                   FAILS,    FAILS,    FAILS,              0 },
    [RESET_BEFORE_SEND]     = { "reset before it is sent",     FAILS,    FAILS,    FAILS | UNKNOWN,    0 },
    [RESET_AFTER_DONE]      = { "reset after it is done",      SUCCEEDS, SUCCEEDS, UNKNOWN,            1 },
    [RESET_AFTER_NOT_DONE]  = { "reset, and it is not done",   SUCCEEDS, SUCCEEDS, UNKNOWN,            0 },
    [STATUS_500]            = { "500",                         SUCCEEDS, SUCCEEDS, FAILS,              0 },
    [STATUS_502_DONE]       = { "502, and it is done",         SUCCEEDS, SUCCEEDS, UNKNOWN,            1 },
    [STATUS_429_TELLS_WAIT] = { "429 with Retry-After",        SUCCEEDS, SUCCEEDS, SUCCEEDS,           1 },
    [STATUS_429]            = { "429 without",                 SUCCEEDS, SUCCEEDS, SUCCEEDS,           1 },
    [DRIPS]                 = { "slower than the deadline",    SUCCEEDS, SUCCEEDS, UNKNOWN,            1 },
    [CUT]                   = { "truncated body",              SUCCEEDS, SUCCEEDS, UNKNOWN,            1 },
    [MALFORMED]             = { "malformed JSON",              FAILS,    EITHER,   UNKNOWN,            1 },
    [HTML]                  = { "200 with HTML",               FAILS,    EITHER,   UNKNOWN,            0 },
    [APPLIED_TWICE]         = { "applied twice",               SUCCEEDS, SUCCEEDS, SUCCEEDS | CONFLICT, 1 },
    [APPLIED_LATE]          = { "applied 10 s late",           SUCCEEDS, SUCCEEDS, UNKNOWN,            1 },
};
/* clang-format on */

/* One cell while it is played. The peer's thread and ours take turns: one asks, one answers. */
struct cell {
    const struct client *client;
    const struct endpoint *row;
    enum fault fault;
    struct cast cast;
    int64_t now_ms;
    int64_t longest_wait_ms;
    int64_t late_ms; /* when a late effect lands; 0: none */
    bool was_played;
    int things; /* 1: it has happened; more: there are that many */
};

static size_t cells_played;

/* ---- the peer -------------------------------------------------------------------------------- */

static void apply(struct cell *c)
{
    c->things = c->row->twice.body ? c->things + 1 : 1;
}

static void land_late_effect(struct cell *c)
{
    if (c->late_ms && c->now_ms >= c->late_ms) {
        apply(c);
        c->late_ms = 0;
    }
}

static struct peer_step as_step(const struct stage *s)
{
    return (struct peer_step){ .status = s->status, .body = s->body, .headers = s->headers };
}

/* Something to cut or spoil, where the good answer is empty. */
static struct peer_step with_body(struct peer_step s)
{
    if (s.body && *s.body)
        return s;
    s.status = 200;
    s.body = "{\"message\":\"ok\"}";
    return s;
}

static struct peer_step play(struct cell *c)
{
    struct peer_step good = as_step(&c->row->request);
    bool is_first = !c->was_played;
    c->was_played = true;
    if (!is_first) {
        apply(c);
        return good;
    }
    switch (c->fault) {
    case RESET_AFTER_DONE:
        apply(c);
        return (struct peer_step){ .act = PEER_RESET };
    case RESET_AFTER_NOT_DONE:
        return (struct peer_step){ .act = PEER_RESET };
    case APPLIED_LATE:
        c->late_ms = c->now_ms + LATE_MS;
        return (struct peer_step){ .act = PEER_RESET };
    case STATUS_500:
        return (struct peer_step){ .status = 500, .body = "{\"message\":\"oops\"}" };
    case STATUS_502_DONE:
        apply(c);
        return (struct peer_step){ .status = 502, .body = "Bad Gateway" };
    case STATUS_429_TELLS_WAIT:
        return (struct peer_step){ .status = 429, .headers = "Retry-After: 7\r\n" };
    case STATUS_429:
        return (struct peer_step){ .status = 429 };
    case DRIPS:
        apply(c);
        return (struct peer_step){ .act = PEER_DRIP };
    case CUT:
        apply(c);
        good = with_body(good);
        good.act = PEER_CUT;
        return good;
    case MALFORMED:
        apply(c);
        return (struct peer_step){ .body = "{\"id\":\"d1\",\"state\":" };
    case HTML:
        return (struct peer_step){ .headers = "Content-Type: text/html\r\n",
                                   .body = "<html>Please log in to the airport</html>" };
    case APPLIED_TWICE:
        apply(c);
        apply(c);
        return good;
    case NO_SUCH_HOST:
    case REFUSED:
    case CONNECT_TIMEOUT:
    case TLS_FAILS:
    case RESET_BEFORE_SEND:
    case N_FAULTS:
        break;
    }
    return good;
}

static bool is_line(const struct peer_request *r, const char *line)
{
    return line && strncmp(r->line, line, strlen(line)) == 0;
}

static struct peer_step answer(void *context, const struct peer_request *r)
{
    struct cell *c = context;
    const struct endpoint *row = c->row;
    land_late_effect(c);
    if (is_line(r, row->request.line))
        return play(c);
    if (is_line(r, row->take_away)) {
        c->things--;
        return (struct peer_step){ .body = "{\"id\":1}" };
    }
    if (is_line(r, row->question))
        return as_step(c->things == 0 ? &row->before : c->things == 1 ? &row->after : &row->twice);
    for (const struct stage *s = c->client->aside; s->line; s++)
        if (is_line(r, s->line))
            return as_step(s);
    return (struct peer_step){ .status = 404, .body = "{\"message\":\"not in this play\"}" };
}

/* ---- our side -------------------------------------------------------------------------------- */

static bool no_time(void *context, int64_t ms, struct err *e)
{
    struct cell *c = context;
    (void)e;
    c->now_ms += ms;
    c->longest_wait_ms = ms > c->longest_wait_ms ? ms : c->longest_wait_ms;
    return true;
}

/* Where the client is sent to. */
static const char *address_of(struct cell *c, struct peer *p, struct bad_peer_server **ret_bad)
{
    struct arena *a = c->cast.a;
    const char *path = c->client->base_path;
    switch (c->fault) {
    case NO_SUCH_HOST: /* a label of 64 bytes is refused by the resolver without a question */
        return arena_printf(a, "https://%s.invalid%s",
                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                            path);
    case REFUSED:
        return arena_printf(a, "%s%s", peer_nowhere(), path);
    case CONNECT_TIMEOUT:
        *ret_bad = bad_peer_start(BAD_PEER_FULL);
        return arena_printf(a, "http://127.0.0.1:%d%s", bad_peer_port(*ret_bad), path);
    case TLS_FAILS:
        *ret_bad = bad_peer_start(BAD_PEER_BABBLES);
        return arena_printf(a, "https://127.0.0.1:%d%s", bad_peer_port(*ret_bad), path);
    case RESET_BEFORE_SEND:
        *ret_bad = bad_peer_start(BAD_PEER_RESETS);
        return arena_printf(a, "http://127.0.0.1:%d%s", bad_peer_port(*ret_bad), path);
    case RESET_AFTER_DONE:
    case RESET_AFTER_NOT_DONE:
    case STATUS_500:
    case STATUS_502_DONE:
    case STATUS_429_TELLS_WAIT:
    case STATUS_429:
    case DRIPS:
    case CUT:
    case MALFORMED:
    case HTML:
    case APPLIED_TWICE:
    case APPLIED_LATE:
    case N_FAULTS:
        break;
    }
    return arena_printf(a, "%s%s", peer_url(p), path);
}

static bool open_at(struct cell *c, const char *address, struct err *e)
{
    if (!c->client->open(&c->cast, address, e))
        return false;
    http_set_waiter(c->client->http(&c->cast), no_time, c);
    if (c->was_played) /* a client with its usual patience */
        return true;
    if (c->fault == CONNECT_TIMEOUT)
        http_set_patience(c->client->http(&c->cast), IMPATIENT_MS);
    if (c->fault == DRIPS)
        http_set_patience(c->client->http(&c->cast), PATIENT_MS);
    return true;
}

static int right_outcomes(const struct cell *c)
{
    const struct fault_row *f = &faults[c->fault];
    switch (c->row->effect) {
    case HTTP_READ:
        return f->of_reads;
    case HTTP_IDEMPOTENT:
        return f->of_idempotent;
    case HTTP_MUTATING:
        return f->of_mutating;
    }
    return 0;
}

static int outcome_of(bool ok, const struct err *e)
{
    if (ok)
        return SUCCEEDS;
    return e->code == ERR_UNKNOWN_OUTCOME ? UNKNOWN : e->code == ERR_CONFLICT ? CONFLICT : FAILS;
}

/* The network is well again: asks what became of it, and compares with what the peer knows. */
static void check_effect(struct cell *c, int outcome, struct peer *p)
{
    struct err e = { 0 };
    bool is_done = false;
    const struct fault_row *f = &faults[c->fault];
    c->client->close(&c->cast);
    c->was_played = true; /* nothing goes wrong any more */
    assert_ok(open_at(c, arena_printf(c->cast.a, "%s%s", peer_url(p), c->client->base_path), &e),
              &e);
    c->now_ms += DRAIN_MS;
    land_late_effect(c);
    assert_ok(c->row->is_done(&c->cast, &is_done, &e), &e);
    assert_int_equal(is_done, c->things > 0);
    if (c->things > 1)
        fail_msg("the effect is there %d times", c->things);
    if (outcome == SUCCEEDS || outcome == CONFLICT)
        assert_int_equal(c->things, 1);
    if (outcome == FAILS)
        assert_int_equal(c->things, 0);
    if (outcome == UNKNOWN)
        assert_int_equal(c->things, f->done);
}

static void play_cell(const struct client *client, const struct endpoint *row, enum fault fault)
{
    struct cell c = { .client = client, .row = row, .fault = fault };
    struct err e = { 0 };
    struct bad_peer_server *bad = NULL;
    c.cast.a = arena_new(0);
    struct peer *p = peer_start_with(answer, &c);
    assert_ok(open_at(&c, address_of(&c, p, &bad), &e), &e);

    int outcome = outcome_of(row->call(&c.cast, &e), &e);
    if (!(outcome & right_outcomes(&c)))
        fail_msg("%s, %s: %s: %s", row->what, faults[fault].name,
                 outcome == SUCCEEDS ? "succeeds" : err_name(e.code), e.why);
    if (fault == STATUS_429_TELLS_WAIT)
        assert_int_equal(c.longest_wait_ms / 1000, ASKED_WAIT_S);
    if (fault > RESET_BEFORE_SEND)
        assert_true(c.was_played);
    if (row->effect == HTTP_MUTATING)
        check_effect(&c, outcome, p);

    client->close(&c.cast);
    peer_stop(p);
    if (bad)
        bad_peer_stop(bad);
    arena_free(c.cast.a);
    cells_played++;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static const struct client *tested;

static void keeps_every_promise(void **state)
{
    const struct endpoint *row = *state;
    for (enum fault f = 0; f < N_FAULTS; f++)
        play_cell(tested, row, f);
}

/* Does a row play this endpoint? */
static bool is_in_the_table(const char *what, size_t n)
{
    for (size_t i = 0; i < tested->n_rows; i++)
        if (strlen(tested->rows[i].what) == n && strncmp(tested->rows[i].what, what, n) == 0)
            return true;
    return false;
}

/* An endpoint's name in the source: "netlify.restore" in quotes. */
static void no_endpoint_of_the_source_is_missing(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e;
    const char **files = NULL;
    size_t n = 0;
    const char *begin = arena_printf(a, "\"%s.", tested->vendor);
    assert_ok(fs_list(a, "src/provider", &files, &n, &e), &e);
    for (size_t i = 0; i < n; i++) {
        struct str text;
        if (!starts_with(files[i], tested->vendor) || !ends_with(files[i], ".c"))
            continue;
        assert_ok(fs_read(a, fs_join(a, "src/provider", files[i]), 1 * MIB, &text, &e), &e);
        const char *source = str_dup(a, text);
        for (const char *at = source; (at = strstr(at, begin)); at++) {
            size_t bytes = strcspn(at + 1, "\"");
            if (!is_in_the_table(at + 1, bytes))
                fail_msg("%s: %.*s is in no row", files[i], (int)bytes, at + 1);
        }
    }
}

int faults_run(const struct client *client)
{
    struct CMUnitTest *tests = calloc(client->n_rows + 1, sizeof *tests);
    if (!tests)
        return 1;
    tested = client;
    for (size_t i = 0; i < client->n_rows; i++) {
        union {
            const void *in;
            void *out;
        } row = { &client->rows[i] }; /* cmocka's states are not const */
        tests[i] = (struct CMUnitTest){ client->rows[i].request.line, keeps_every_promise, NULL,
                                        NULL, row.out };
    }
    tests[client->n_rows] =
        (struct CMUnitTest)cmocka_unit_test(no_endpoint_of_the_source_is_missing);
    int failed = _cmocka_run_group_tests(client->vendor, tests, client->n_rows + 1, NULL, NULL);
    printf("# %s: %zu endpoints × %d faults = %zu cells\n", client->vendor, client->n_rows,
           N_FAULTS, cells_played);
    free(tests);
    return failed;
}
