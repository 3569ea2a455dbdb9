#include "command/migration/change.h"

#include "base/clock.h"
#include "cli/output.h"
#include "command/flight.h"
#include "migrate/apply/pipeline.h"
#include "migrate/prove/proof_record.h"

#define PROGRESS_MS 5000 /* lines about a long step come no faster */

static void other_runner(void *context, const char *sentence)
{
    const struct change *x = context;
    print_styled(&x->s->c->err, STYLE_WARN, "waiting: %s\n", sentence);
}

/* One exchange takes the lease and asks what every verb asks next. */
static bool ask(void *context, struct pg *db, struct err *e)
{
    struct change *x = context;
    struct arena *a = x->s->c->arena;
    return history_ask(db, a, &x->history, e) && pipeline_look_ask(db, a, &x->look, e) &&
           drift_ask(db, a, &x->kept, e);
}

bool change_open(struct session *s, const char *purpose, struct change *ret, struct err *e)
{
    return change_open_waiting(s, purpose, 0, ret, e);
}

/* Now it must be known what is to be done, and who does it. */
static bool connected(void *context, const char **ret_holder, struct err *e)
{
    struct session *s = ((struct change *)context)->s;
    if (!session_files_finish(s, e))
        return false;
    *ret_holder = s->actor ? s->actor : flight_actor(s->c);
    return true;
}

static bool take_lease(struct change *x, const char *purpose, int64_t wait_ms,
                       struct lease_taken *taken, struct err *e)
{
    struct session *s = x->s;
    if (!s->environment.database_url)
        return session_which_database(s, e);
    /* a database named by its URL says itself which lease is its own */
    struct lease_spec spec = {
        .url = s->environment.database_url,
        .target = s->environment.name,
        .target_is_guess = !s->has_environment,
        .connected = connected,
        .purpose = purpose,
        .wait_ms = wait_ms,
        .part = SCHEMA_FOR_MIGRATIONS,
        .on_wait = other_runner,
        .ask = ask,
        .context = x,
    };
    return lease_take(&spec, &x->lease, taken, e);
}

bool change_open_waiting(struct session *s, const char *purpose, int64_t wait_ms,
                         struct change *ret, struct err *e)
{
    struct lease_taken taken = { 0 };
    struct err unreadable;
    *ret = (struct change){ .s = s, .began_unix_ms = clock_unix_ms() };
    if (!take_lease(ret, purpose, wait_ms, &taken, e)) {
        if (!session_files_finish(s, &unreadable)) /* that comes first */
            *e = unreadable;
        return false;
    }
    session_found(s, change_db(ret), lease_target(ret->lease));
    if (!taken.open[0])
        return true;
    const char *name = s->environment.name;
    err_set(e, ERR_BLOCKED, "release %s of %s was interrupted and is open", taken.open, name);
    return err_hint(e, "lockflight resume %s, or lockflight rollback %s", name, name);
}

void change_close(struct change *x)
{
    if (x->lease)
        pg_rollback(change_db(x));
    lease_close(x->lease);
    x->lease = NULL;
}

/* A migration that speaks of our schema (its functions for flags) needs all of it. */
static bool complete_schema(struct change *x, struct err *e)
{
    static const char name[] = "lockflight.";
    for (size_t i = 0; i < x->s->set.n; i++) {
        struct str sql = x->s->set.v[i].sql;
        if (memmem(sql.p, sql.n, name, sizeof name - 1))
            return schema_ensure(change_db(x), e);
    }
    return true;
}

bool change_compare(struct change *x, struct err *e)
{
    struct session *s = x->s;
    if (!history_answer(change_db(x), s->c->arena, &x->history, &s->history, e) ||
        !complete_schema(x, e))
        return false;
    migration_plan(s->c->arena, &s->set, &s->history, &s->plan);
    return true;
}

bool change_begin(struct change *x, struct err *e)
{
    return pg_begin(change_db(x), e) && lease_fence(x->lease, change_db(x), e);
}

bool change_commit(struct change *x, struct err *e)
{
    return pg_commit(change_db(x), e);
}

int64_t change_began_unix_ms(const struct change *x)
{
    return x->began_unix_ms;
}

/* ---- the callbacks of migrate/apply/apply.h ---- */

static bool fence(void *context, struct pg *db, struct err *e)
{
    const struct change *x = context;
    return lease_fence(x->lease, db, e);
}

static bool before(void *context, struct pg *db, const struct migration *const *v, size_t n,
                   struct err *e)
{
    struct change *x = context;
    (void)v;
    (void)n;
    x->began_boot_ms = clock_boot_ms();
    /* while the connection stands, the fence in each transaction is the check */
    return pg_is_alive(db) || lease_check(x->lease, e);
}

static void applied(void *context, const struct migration *m)
{
    struct change *x = context;
    change_done(x->s->c, "apply", m->file, x->began_boot_ms);
    x->began_boot_ms = clock_boot_ms();
}

/* Why it does not simply go on: somebody is in the way, a statement is newer than we are. */
static void waits(void *context, const char *sentence)
{
    const struct change *x = context;
    print_styled(&x->s->c->err, STYLE_WARN, "%s\n", sentence);
}

static void progresses(void *context, const char *sentence)
{
    struct change *x = context;
    if (x->said_boot_ms > 0 && clock_boot_ms() - x->said_boot_ms < PROGRESS_MS)
        return;
    x->said_boot_ms = clock_boot_ms();
    print_styled(&x->s->c->err, STYLE_FAINT, "%s\n", sentence);
}

static bool record(struct change *x, const char *type, const char *version, struct err *e)
{
    json_auto_t *body = json_pack("{s:s}", "version", version);
    return journal_note(x->lease, type, body, e);
}

static bool record_applied(void *context, struct pg *db, const char *version, struct err *e)
{
    (void)db;
    return record(context, "migration.applied", version, e);
}

/* One event before and one behind what is sent in one exchange: an event for each would take longer
 * than the migrations. */
static bool record_run(void *context, struct pg *db, enum migrate_moment moment,
                       const struct migration *const *v, size_t n, struct err *e)
{
    struct change *x = context;
    json_t *versions = json_array();
    (void)db;
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(versions, json_string(v[i]->version));
    json_auto_t *body = json_pack("{s:o}", "versions", versions);
    return journal_note(
        x->lease, moment == MIGRATE_BEGINS ? "migration.applying" : "migration.applied", body, e);
}

static bool record_reversed(void *context, struct pg *db, const char *version, struct err *e)
{
    (void)db;
    return record(context, "migration.reversed", version, e);
}

struct migrate_options change_options(struct change *x, enum change_direction direction)
{
    const struct config *config = &x->s->config;
    return (struct migrate_options){
        MIGRATE_LIMITS(config),
        .applied_by = lease_holder(x->lease),
        .epoch = lease_epoch(x->lease),
        .fence = fence,
        .record = direction == CHANGE_APPLY ? record_applied : record_reversed,
        .record_run = direction == CHANGE_APPLY ? record_run : NULL,
        .before = before,
        .look = x->look,
        .on_applied = applied,
        .on_wait = waits,
        .on_progress = progresses,
        .on_unknown = waits,
        .context = x,
    };
}

/* ---- what the user reads ---- */

static bool keeps_catalogue(const struct change *x)
{
    return x->s->has_environment || x->wants_drift || drift_is_kept(&x->kept);
}

bool change_tell_drift(struct change *x, struct err *e)
{
    struct drift found;
    if (!keeps_catalogue(x))
        return true;
    if (!drift_look(change_db(x), x->s->c->arena, &found, e))
        return false;
    if (found.state != DRIFT_FOUND)
        return true;
    const char *what = drift_text(x->s->c->arena, &found);
    print_styled(&x->s->c->err, STYLE_WARN, "the schema was changed outside Lockflight: %s\n",
                 what);
    json_auto_t *body = json_pack("{s:s}", "changes", what);
    return journal_note(x->lease, "schema.drift", body, e);
}

bool change_keep_catalogue(struct change *x, struct err *e)
{
    return !keeps_catalogue(x) ||
           (proof_mark_applied(change_db(x), e) && drift_keep(change_db(x), x->s->c->arena, e));
}

void change_done(struct command_context *c, const char *what, const char *file,
                 int64_t started_boot_ms)
{
    print_styled(&c->err, STYLE_GOOD, "ok");
    print(&c->err, "  %s %s  %s\n", what, file,
          clock_duration(c->arena, clock_boot_ms() - started_boot_ms));
}

void change_answer(struct session *s, const char *what, const char *const *versions, size_t n)
{
    struct command_context *c = s->c;
    if (!c->wants_json) {
        print(&c->out, "%s %s on %s.\n",
              text_count(c->arena, (int64_t)n, "migration", "migrations"), what, s->where);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_string(versions[i]));
    print_json(c, json_pack("{s:s, s:I, s:o}", "environment", s->environment.name, what,
                            (json_int_t)n, "versions", list));
}
