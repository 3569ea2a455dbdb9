/*
 * What the tests of migrations in steps share: a database with lockflight's schema, one migration
 * with its reverse script, and runners in processes of their own that can be killed.
 */
#ifndef LOCKFLIGHT_TESTS_STEPS_FIXTURE_H
#define LOCKFLIGHT_TESTS_STEPS_FIXTURE_H

#include "pair_fixture.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/signals.h"
#include "migrate/apply/apply.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct steps_fixture {
    struct arena *a;
    char *url;
    struct pg *db, *other;
    struct migration m;
    struct migrate_options o;
    char said[65536];
    int records;
    struct err e;
};

static inline bool record(void *context, struct pg *db, const char *version, struct err *e)
{
    struct steps_fixture *f = context;
    f->records++;
    return pg_in_transaction(db) || err_set(e, ERR_INTERNAL, "%s", version);
}

static inline void listen(void *context, const char *sentence)
{
    struct steps_fixture *f = context;
    size_t n = strlen(f->said);
    (void)snprintf(f->said + n, sizeof f->said - n, "%s\n", sentence);
}

static inline void steps_connect_all(struct steps_fixture *f)
{
    pg_close(f->db);
    pg_close(f->other);
    pair_connect(f->url, &f->db, &f->other);
}

static inline void begin_database(struct steps_fixture *f)
{
    pg_close(f->db);
    pg_close(f->other);
    f->url = pair_open(f->a, &f->db, &f->other);
}

static inline int steps_setup(void **state)
{
    struct steps_fixture *f = calloc(1, sizeof *f);
    f->a = arena_new(0);
    begin_database(f);
    f->o = (struct migrate_options){ .applied_by = "ana",
                                     .lock_timeout_ms = 200,
                                     .record = record,
                                     .on_wait = listen,
                                     .on_progress = listen,
                                     .context = f };
    *state = f;
    return 0;
}

static inline int steps_teardown(void **state)
{
    struct steps_fixture *f = *state;
    pg_close(f->db);
    pg_close(f->other);
    arena_free(f->a);
    free(f);
    return 0;
}

static inline void steps_use(struct steps_fixture *f, const char *up, const char *down)
{
    f->m = (struct migration){ .version = "7",
                               .name = "steps",
                               .file = "7_steps.sql",
                               .sql = str_of(up),
                               .sha256 = "00",
                               .reverse_file = "down/7_steps.sql",
                               .has_reverse = down != NULL,
                               .reverse_sql = str_of(down),
                               .reverse_sha256 = down ? "11" : NULL };
}

static inline bool steps_apply(struct steps_fixture *f)
{
    f->said[0] = '\0';
    return migration_apply(f->db, f->a, &f->m, &f->o, &f->e);
}

static inline bool steps_back(struct steps_fixture *f, enum history_state from)
{
    struct history_row row = { .version = f->m.version,
                               .name = "steps",
                               .state = from,
                               .is_ours = true,
                               .reverse_sql = str_dup(f->a, f->m.reverse_sql) };
    struct migration_state s = { .status = MIGRATION_APPLIED, .file = &f->m, .row = &row };
    f->said[0] = '\0';
    return migration_reverse(f->db, f->a, &s, &f->o, &f->e);
}

static inline bool steps_reverse(struct steps_fixture *f)
{
    return steps_back(f, HISTORY_APPLIED);
}

/* Of a migration that was not wholly applied. */
static inline bool steps_take_back(struct steps_fixture *f)
{
    return steps_back(f, HISTORY_APPLYING);
}

static inline const char *steps_ask(struct steps_fixture *f, const char *sql)
{
    return pair_ask(f->other, f->a, sql);
}

static inline void steps_sql(struct steps_fixture *f, const char *text)
{
    pair_run(f->other, text);
}

static inline void steps_people(struct steps_fixture *f)
{
    steps_sql(f, "CREATE TABLE public.people (id int PRIMARY KEY, email text, phone text)");
    steps_sql(f, "INSERT INTO public.people SELECT i, 'p' || i || '@example.org', '0' || i"
                 " FROM generate_series(1, 3000) i");
}

static inline void steps_disconnect(struct steps_fixture *f)
{
    pg_close(f->db);
    pg_close(f->other);
    f->db = f->other = NULL;
}

typedef bool steps_direction(struct steps_fixture *f);

/* Runs in a child. `fault` NULL: undisturbed. Returns the child. */
static inline pid_t steps_start(struct steps_fixture *f, steps_direction *run, const char *fault,
                                const char *list)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    signals_install();
    if (fault)
        (void)setenv("LOCKFLIGHT_FAULT", fault, 1);
    if (list)
        (void)setenv("LOCKFLIGHT_FAULT_LIST", list, 1);
    f->db = NULL; /* the parent's, shared by a descriptor: not ours to close or use */
    bool ok =
        pg_open(&(struct pg_spec){ .url = f->url, .purpose = "runner" }, &f->db, &f->e) && run(f);
    _exit(ok ? 0 : f->e.code == ERR_INTERRUPTED ? 9 : 1);
}

static inline int steps_end_of(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Every passage of every fault point, as "name:nth". */
static inline const char **steps_passages(struct steps_fixture *f, steps_direction *run,
                                          size_t *ret_count)
{
    char list[] = "/tmp/lockflight-points-XXXXXX";
    CLEANUP(fd) int fd = mkstemp(list);
    struct str points;
    assert_true(fd >= 0);
    assert_int_equal(steps_end_of(steps_start(f, run, NULL, list)), 0);
    assert_ok(fs_read(f->a, list, 65536, &points, &f->e), &f->e);
    (void)unlink(list);
    const char **v = ARENA_ARRAY(f->a, const char *, points.n + 1);
    struct str left = points, before = { points.p, 0 };
    while (left.n > 0) {
        struct str point = str_cut(&left, '\n');
        int nth = 1;
        for (struct str r = before; r.n > 0;)
            nth += str_eq(str_cut(&r, '\n'), point);
        before.n = (size_t)(left.p - points.p);
        v[(*ret_count)++] = arena_printf(f->a, "%.*s:%d", STR_FMT(point), nth);
    }
    return v;
}

/* The lease's takeover: no session of the old runner but that of a step alone. */
static inline void steps_take_over(struct steps_fixture *f)
{
    (void)steps_ask(f, "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                       " WHERE application_name = 'lockflight runner'");
}

#endif
