#include "migrate/apply/locks.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/strbuf.h"

#define TIMEOUT_LEAST_MS  50   /* shorter ones starve on any table that is used */
#define OLD_MS            100  /* a transaction open for longer is not expected to end soon */
#define LOOK_PAUSE_MS     50   /* and up to as much again, at random */
#define PAUSE_FIRST_MS    50   /* after a miss; doubles, give or take half */
#define PAUSE_MOST_MS     2000 /* */
#define MISSES_TO_DOUBLE  5
#define TELL_FIRST_MS     2000
#define TELL_AGAIN_MS     10000
#define DEADLOCK_SLACK_MS 200 /* from the server's noticing us to the vacuum's end */
#define TRANSACTIONS_SEEN 128
#define END_AGAIN_MS      1000 /* whoever was cancelled has so long to roll back */

struct lock_target {
    const char *oid;
    const char *name; /* quoted, with its schema */
    enum sql_lock_level level;
    bool is_lockable; /* LOCK TABLE takes just this lock, and we may */
};

/* A transaction that held a lock in our way when we looked. */
struct seen {
    char transaction[32];
    int64_t first_boot_ms;
    int64_t age_ms;        /* when it was last there */
    int64_t ended_boot_ms; /* when we last made it give up; 0: never */
};

struct locks {
    struct locks_spec spec;
    struct arena *arena;
    struct lock_target *v;
    size_t n;
    const char *relations, *modes; /* what conflicts, as two array literals */
    const char *const *sql;
    size_t sql_count;
    int deadlock_ms;
    int timeout_ms;
    bool outwaits_vacuum; /* the next attempt only */
    int misses, misses_at_this_timeout;
    int64_t began_boot_ms, told_boot_ms, clear_boot_ms;
    int64_t blocked_ms;
    struct seen seen[TRANSACTIONS_SEEN]; /* a ring */
    size_t seen_count;
};

extern const char lock_target_sql[];

/* ---- which relations ---- */

static bool find_targets(struct locks *l, struct pg *db, struct err *e)
{
    struct arena *a = l->arena;
    size_t n = l->spec.wanted_count;
    const char **schemas = ARENA_ARRAY(a, const char *, n + 1);
    const char **names = ARENA_ARRAY(a, const char *, n + 1);
    const char **reaches = ARENA_ARRAY(a, const char *, n + 1);
    const char **levels = ARENA_ARRAY(a, const char *, n + 1);
    const char **parts = ARENA_ARRAY(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct sql_lock *w = &l->spec.wanted[i];
        schemas[i] = w->name.schema ? w->name.schema : "";
        names[i] = w->name.name ? w->name.name : "";
        reaches[i] = sql_reach_name(w->reach);
        levels[i] = arena_printf(a, "%d", (int)w->level);
        parts[i] = w->part ? w->part : "";
    }
    struct pg_rows r;
    if (!pg_query(db, a, lock_target_sql,
                  PG_PARAMS(pg_text_array(a, schemas, n), pg_text_array(a, names, n),
                            pg_text_array(a, reaches, n), pg_text_array(a, levels, n),
                            pg_text_array(a, parts, n)),
                  &r, e))
        return err_wrap(e, "find the tables to lock");
    l->v = ARENA_ARRAY(a, struct lock_target, r.n + 1);
    l->n = r.n;
    for (size_t i = 0; i < r.n; i++)
        l->v[i] = (struct lock_target){ .oid = pg_value(&r, i, 0),
                                        .name = pg_value(&r, i, 1),
                                        .level = (enum sql_lock_level)pg_int(&r, i, 2),
                                        .is_lockable = pg_bool(&r, i, 3) };
    l->deadlock_ms = r.n ? (int)pg_int(&r, 0, 4) : 0;
    return true;
}

static void list_conflicts(struct locks *l)
{
    struct arena *a = l->arena;
    const char **relations = ARENA_ARRAY(a, const char *, l->n *SQL_ACCESS_EXCLUSIVE + 1);
    const char **modes = ARENA_ARRAY(a, const char *, l->n *SQL_ACCESS_EXCLUSIVE + 1);
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        for (int m = SQL_ACCESS_SHARE; m <= SQL_ACCESS_EXCLUSIVE; m++)
            if (sql_lock_conflicts(l->v[i].level, (enum sql_lock_level)m)) {
                relations[n] = l->v[i].oid;
                modes[n++] = sql_lock_pg_name((enum sql_lock_level)m);
            }
    l->relations = pg_text_array(a, relations, n);
    l->modes = pg_text_array(a, modes, n);
}

/* Neighbours in the order that want the same mode share a statement. */
static void write_sql(struct locks *l)
{
    struct arena *a = l->arena;
    const char **sql = ARENA_ARRAY(a, const char *, l->n + 1);
    const char *open = NULL;
    enum sql_lock_level level = SQL_NO_LOCK;
    for (size_t i = 0; i <= l->n; i++) {
        const struct lock_target *t = &l->v[i];
        bool is_end = i == l->n;
        if (!is_end && (!t->is_lockable || t->level == SQL_NO_LOCK))
            continue;
        if (open && !is_end && t->level == level) {
            open = arena_printf(a, "%s, ONLY %s", open, t->name);
            continue;
        }
        if (open)
            sql[l->sql_count++] = arena_printf(a, "%s IN %s MODE", open, sql_lock_name(level));
        if (!is_end) {
            open = arena_printf(a, "LOCK TABLE ONLY %s", t->name);
            level = t->level;
        }
    }
    l->sql = sql;
}

bool locks_open(struct pg *db, struct arena *a, const struct locks_spec *spec, struct locks **ret,
                struct err *e)
{
    struct locks *l = ARENA_NEW(a, struct locks);
    *l = (struct locks){ .spec = *spec, .arena = a, .began_boot_ms = clock_boot_ms() };
    l->timeout_ms = spec->budget_ms < TIMEOUT_LEAST_MS ? spec->budget_ms : TIMEOUT_LEAST_MS;
    l->v = ARENA_ARRAY(a, struct lock_target, 1);
    if (spec->wanted_count > 0 && !find_targets(l, db, e))
        return false;
    list_conflicts(l);
    write_sql(l);
    *ret = l;
    return true;
}

size_t locks_count(const struct locks *l)
{
    return l->n;
}

const char *locks_name(const struct locks *l, size_t i)
{
    return l->v[i].name;
}

enum sql_lock_level locks_level(const struct locks *l, size_t i)
{
    return l->v[i].level;
}

/* ---- what is usual here ---- */

static struct seen *seen_of(struct locks *l, const struct blocker *b)
{
    size_t known = l->seen_count < TRANSACTIONS_SEEN ? l->seen_count : TRANSACTIONS_SEEN;
    for (size_t i = 0; i < known; i++)
        if (streq(l->seen[i].transaction, b->transaction))
            return &l->seen[i];
    struct seen *s = &l->seen[l->seen_count++ % TRANSACTIONS_SEEN];
    *s = (struct seen){ .first_boot_ms = clock_boot_ms() };
    (void)snprintf(s->transaction, sizeof s->transaction, "%s", b->transaction);
    return s;
}

/* How long this transaction has been open: as the server says, or as long as we have watched. */
static int64_t watch(struct locks *l, const struct blocker *b)
{
    struct seen *s = seen_of(l, b);
    int64_t watched_ms = clock_boot_ms() - s->first_boot_ms;
    s->age_ms = b->age_ms > watched_ms ? b->age_ms : watched_ms;
    return s->age_ms;
}

static int by_size(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

/* One and a half times what all but one in a hundred of the usual transactions took. Those older
 * than the budget are what we step aside for, not what is usual. */
static void adapt_timeout(struct locks *l)
{
    int64_t ages[TRANSACTIONS_SEEN];
    size_t n = 0, known = l->seen_count < TRANSACTIONS_SEEN ? l->seen_count : TRANSACTIONS_SEEN;
    for (size_t i = 0; i < known; i++)
        if (l->seen[i].age_ms <= l->spec.budget_ms)
            ages[n++] = l->seen[i].age_ms;
    if (n == 0)
        return;
    qsort(ages, n, sizeof *ages, by_size);
    int64_t wanted = ages[(n - 1) * 99 / 100] * 3 / 2;
    if (wanted > l->spec.budget_ms)
        wanted = l->spec.budget_ms;
    if (wanted > l->timeout_ms)
        l->timeout_ms = (int)wanted;
}

/* ---- saying so ---- */

static void tell(struct locks *l, const struct blocker *b)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    int64_t now = clock_boot_ms();
    bool is_due = l->told_boot_ms ? now - l->told_boot_ms >= TELL_AGAIN_MS
                                  : now - l->began_boot_ms >= TELL_FIRST_MS;
    if (!is_due || !l->spec.tell)
        return;
    l->told_boot_ms = now;
    const char *who = b ? blocker_text(a, b) : "who is in the way cannot be seen";
    l->spec.tell(l->spec.context, arena_printf(a, "%s waits for a lock (%d attempts): %s",
                                               l->spec.file, l->misses, who));
}

static bool patience_is_over(const struct locks *l)
{
    return clock_boot_ms() - l->began_boot_ms >= l->spec.wait_ms;
}

static bool give_up(const struct locks *l, const struct blocker *b, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *server = l->misses && e->why[0] ? arena_strdup(a, e->why) : NULL;
    const char *where = l->misses ? arena_strdup(a, e->where) : "";
    const char *waited = clock_duration(a, clock_boot_ms() - l->began_boot_ms);
    const char *attempts = arena_printf(a, "%d attempt%s", l->misses, l->misses == 1 ? "" : "s");
    if (b)
        err_set(e, ERR_BLOCKED, "no lock within %s (%s): %s", waited, attempts, blocker_text(a, b));
    else
        err_set(e, ERR_BLOCKED, "no lock within %s (%s): %s", waited, attempts,
                server ? server : "the server did not say why");
    err_where(e, "%s", where);
    return err_hint(e, "%s", b ? blocker_hint(a, b) : "try again later, or raise schema.lock_wait");
}

static bool stopped(struct err *e)
{
    return err_set(e, ERR_INTERRUPTED, "stopped while waiting for a lock; nothing was changed");
}

/* ---- looking ---- */

/* Only vacuums are in the way. True: the next attempt may begin. */
static bool get_past_vacuum(struct locks *l, struct pg *db, const struct blockers *b)
{
    int patient_ms = l->deadlock_ms + DEADLOCK_SLACK_MS;
    for (size_t i = 0; i < b->n; i++)
        if (b->v[i].kind != BLOCKER_AUTOVACUUM)
            return false;
    bool are_cancelled = true;
    for (size_t i = 0; i < b->n; i++)
        are_cancelled = are_cancelled && blocker_cancel_vacuum(db, &b->v[i]);
    if (are_cancelled) {
        log_event("locks.autovacuum_cancelled", "pid %d on %s", b->v[0].pid, b->v[0].relation);
        return false; /* look again: it ends in a moment */
    }
    l->outwaits_vacuum = l->deadlock_ms > 0 && patient_ms <= l->spec.budget_ms;
    return l->outwaits_vacuum;
}

/* Those that a person wanted ended; each is named. What we may not end is waited for. */
static void end_old(struct locks *l, struct pg *db, struct arena *a, const struct blockers *old)
{
    for (size_t i = 0; l->spec.end_older_ms > 0 && i < old->n; i++) {
        const struct blocker *b = &old->v[i];
        struct seen *s = seen_of(l, b);
        struct err not_permitted = { 0 };
        const char *done = NULL;
        int64_t now = clock_boot_ms();
        if (b->kind != BLOCKER_SESSION || b->age_ms < l->spec.end_older_ms ||
            (s->ended_boot_ms && now - s->ended_boot_ms < END_AGAIN_MS))
            continue;
        bool ok = blocker_end(db, b->pid, l->spec.end_older_ms, s->ended_boot_ms != 0, &done,
                              &not_permitted);
        if (l->spec.tell && done)
            l->spec.tell(l->spec.context,
                         arena_printf(a, "%s %s %s", l->spec.file, done, blocker_text(a, b)));
        else if (l->spec.tell && !ok && s->ended_boot_ms == 0)
            l->spec.tell(l->spec.context, arena_printf(a, "%s may not end %s: %s", l->spec.file,
                                                       blocker_text(a, b), not_permitted.why));
        if (done || !ok)
            s->ended_boot_ms = now;
    }
}

/* One look. *ret_old: the worst of those who are not expected to end soon, or NULL. */
static bool look(struct locks *l, struct pg *db, struct arena *a, struct blockers *ret,
                 const struct blocker **ret_old, struct err *e)
{
    int64_t old_ms = l->timeout_ms > OLD_MS ? l->timeout_ms : OLD_MS;
    struct blockers b, old = { 0 };
    if (!blockers_look(db, a, l->relations, l->modes, &b, e))
        return false;
    old.v = ARENA_ARRAY(a, struct blocker, b.n + 1);
    for (size_t i = 0; i < b.n; i++) {
        int64_t age_ms = watch(l, &b.v[i]);
        if (age_ms > old_ms || b.v[i].kind != BLOCKER_SESSION)
            old.v[old.n++] = b.v[i];
    }
    adapt_timeout(l);
    *ret = old;
    *ret_old = old.n ? &old.v[0] : NULL;
    return true;
}

bool locks_wait(struct locks *l, struct pg *db, struct err *e)
{
    int64_t began = clock_boot_ms();
    l->outwaits_vacuum = false;
    while (l->n > 0) {
        CLEANUP(arena) struct arena *a = arena_new(0);
        struct blockers old;
        const struct blocker *worst;
        if (!look(l, db, a, &old, &worst, e))
            return false;
        if (!worst || get_past_vacuum(l, db, &old))
            break;
        if (patience_is_over(l))
            return give_up(l, worst, e);
        end_old(l, db, a, &old);
        tell(l, worst);
        if (!clock_sleep_ms(LOOK_PAUSE_MS + (int)random_below(LOOK_PAUSE_MS)))
            return stopped(e);
    }
    l->clear_boot_ms = clock_boot_ms();
    l->blocked_ms += l->clear_boot_ms - began;
    return true;
}

/* ---- attempts ---- */

int locks_timeout_ms(const struct locks *l)
{
    return l->outwaits_vacuum ? l->deadlock_ms + DEADLOCK_SLACK_MS : l->timeout_ms;
}

const char *const *locks_sql(const struct locks *l, size_t *ret_count)
{
    *ret_count = l->sql_count;
    return l->sql;
}

static void lengthen_timeout(struct locks *l)
{
    if (++l->misses_at_this_timeout < MISSES_TO_DOUBLE)
        return;
    l->misses_at_this_timeout = 0;
    l->timeout_ms *= 2;
    if (l->timeout_ms > l->spec.budget_ms)
        l->timeout_ms = l->spec.budget_ms;
}

/* Whoever stood in the way may be gone again by now; then the oldest open transaction is named. */
static const struct blocker *who_is_it(struct locks *l, struct pg *db, struct arena *a)
{
    struct err unseen; /* a courtesy */
    struct blockers *b = ARENA_NEW(a, struct blockers);
    if (l->n > 0 && blockers_look(db, a, l->relations, l->modes, b, &unseen) && b->n > 0)
        return &b->v[0];
    return blockers_guess(db, a, b, &unseen) && b->n > 0 ? &b->v[0] : NULL;
}

bool locks_missed(struct locks *l, struct pg *db, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    l->misses++;
    lengthen_timeout(l);
    const struct blocker *b = who_is_it(l, db, a);
    if (patience_is_over(l))
        return give_up(l, b, e);
    tell(l, b);
    int doublings = l->misses < 7 ? l->misses - 1 : 6;
    int pause_ms = PAUSE_FIRST_MS << doublings;
    if (pause_ms > PAUSE_MOST_MS)
        pause_ms = PAUSE_MOST_MS;
    if (!clock_sleep_ms(pause_ms / 2 + (int)random_below((uint32_t)pause_ms)))
        return stopped(e);
    l->blocked_ms += clock_boot_ms() - l->clear_boot_ms;
    return true;
}

void locks_held(const struct locks *l, int64_t held_ms)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    const struct lock_target *worst = NULL;
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].level >= SQL_SHARE && (!worst || l->v[i].level > worst->level))
            worst = &l->v[i];
    if (!worst || held_ms <= l->spec.budget_ms || !l->spec.tell)
        return;
    l->spec.tell(l->spec.context,
                 arena_printf(a, "%s held %s on %s for %s; the budget is %s: whoever came waited",
                              l->spec.file, sql_lock_name(worst->level), worst->name,
                              clock_duration(a, held_ms), clock_duration(a, l->spec.budget_ms)));
}

int locks_attempts(const struct locks *l)
{
    return l->misses + 1;
}

int64_t locks_blocked_ms(const struct locks *l)
{
    return l->blocked_ms;
}
