/*
 * `lockflight migration prove`: runs pairs of scripts up, down and up again on a scratch database, and
 * says what that showed. Nothing that anybody uses is touched; the result is kept where a release will
 * ask for it.
 */
#include "base/cleanup.h"
#include "cli/output.h"
#include "command/flight.h"
#include "command/migration/migration.h"
#include "command/migration/proof_view.h"
#include "command/migration/session.h"
#include "engine/schema.h"
#include "migrate/prove/proof_record.h"
#include "migrate/prove/series.h"

struct prove_args {
    struct session_args session;
    struct text_list versions;
    const char *server_url;
    bool wants_all;
    bool write;
};

/* What the callbacks need, and what they gather. */
struct proving {
    struct command_context *c;
    struct pg *keep; /* where proofs are recorded; NULL: nowhere */
    const char *actor;
    json_t *list;
    size_t proven, failed;
};

/* ---- which ---- */

static bool choose_named(struct session *s, const struct text_list *versions,
                         const struct migration ***ret, size_t *ret_n, struct err *e)
{
    bool *is_wanted = ARENA_ARRAY(s->c->arena, bool, s->set.n + 1);
    for (size_t i = 0; i < versions->n; i++) {
        const struct migration *m = migration_find(&s->set, versions->v[i]);
        if (!m)
            return err_set(e, ERR_USAGE, "there is no migration %s in %s", versions->v[i],
                           s->config.paths.migrations);
        is_wanted[m - s->set.v] = true;
    }
    *ret = ARENA_ARRAY(s->c->arena, const struct migration *, s->set.n + 1);
    *ret_n = 0;
    for (size_t i = 0; i < s->set.n; i++)
        if (is_wanted[i])
            (*ret)[(*ret_n)++] = &s->set.v[i];
    return true;
}

static void choose_all(struct session *s, const struct migration ***ret, size_t *ret_n)
{
    *ret = ARENA_ARRAY(s->c->arena, const struct migration *, s->set.n + 1);
    for (size_t i = 0; i < s->set.n; i++)
        (*ret)[i] = &s->set.v[i];
    *ret_n = s->set.n;
}

/* Named versions; else what is pending in the environment; else every file. */
static bool choose(struct session *s, const struct prove_args *a, struct pg *db,
                   const struct migration ***ret, size_t *ret_n, struct err *e)
{
    if (a->versions.n > 0)
        return choose_named(s, &a->versions, ret, ret_n, e);
    if (!db || !s->has_environment || a->wants_all) {
        choose_all(s, ret, ret_n);
        return true;
    }
    if (!session_compare(s, db, e))
        return false;
    *ret = s->plan.pending;
    *ret_n = s->plan.pending_count;
    return true;
}

/* ---- telling ---- */

static bool take(void *context, const struct proof *p, struct err *e)
{
    struct proving *x = context;
    x->proven += p->is_proven;
    x->failed += !p->is_proven;
    if (x->c->wants_json)
        (void)json_array_append_new(x->list, proof_json(x->c->arena, p));
    else
        proof_view_people(x->c, p);
    return !p->is_proven || !x->keep || proof_record(x->keep, x->c->arena, p, x->actor, e);
}

static size_t tell_without(struct proving *x, const struct migration *const *v, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i]->has_reverse)
            continue;
        count++;
        if (x->c->wants_json)
            (void)json_array_append_new(x->list,
                                        json_pack("{s:s, s:s, s:b, s:s}", "version", v[i]->version,
                                                  "file", v[i]->file, "proven", 0, "reason",
                                                  "there is no reverse script"));
        else
            print(&x->c->out, "none   %s_%s  there is no %s\n", v[i]->version, v[i]->name,
                  v[i]->reverse_file);
    }
    return count;
}

/* ---- the whole ---- */

/* The environment's own database; without one, only if --write says so. A database that has a history
 * but no journal of ours is not given one in passing. */
static bool open_keep(const struct session *s, const struct prove_args *a, struct pg *db,
                      struct pg **ret, struct err *e)
{
    enum schema_presence schema;
    *ret = NULL;
    if (!db || !(s->has_environment || a->write))
        return true;
    if (!schema_look(db, &schema, e))
        return false;
    if (schema == SCHEMA_ABSENT_BESIDE_HISTORY && !a->write) {
        print_styled(&s->c->err, STYLE_WARN,
                     "not recorded: Lockflight has no journal in this database yet\n");
        return true;
    }
    *ret = db;
    return schema == SCHEMA_PRESENT || schema_ensure(db, e);
}

/* An environment's own server is of the version that counts; else any that we may use. */
static bool choose_server(const struct session *s, const struct prove_args *a, const char **ret,
                          struct err *e)
{
    *ret = a->server_url ? a->server_url : s->has_environment ? s->environment.database_url : NULL;
    return *ret || session_server(s, ret, e);
}

static bool finish(struct proving *x, size_t chosen, size_t without, struct err *e)
{
    size_t skipped = chosen - without - x->proven - x->failed;
    if (x->c->wants_json)
        print_json(x->c, json_pack("{s:I, s:I, s:I, s:o}", "proven", (json_int_t)x->proven,
                                   "failed", (json_int_t)x->failed, "without_reverse",
                                   (json_int_t)without, "proofs", x->list));
    else
        print(&x->c->out, "%zu of %zu proven%s.\n", x->proven, chosen,
              x->keep && x->proven ? ", and recorded" : "");
    if (x->proven == chosen)
        return true;
    if (x->c->wants_json) { /* the document has said it */
        answer_refuses(x->c);
        return true;
    }
    if (x->failed > 0)
        err_set(e, ERR_BLOCKED, "%zu of %zu pairs do not prove%s", x->failed, chosen,
                skipped ? "; what comes after them was not tried" : "");
    else
        err_set(e, ERR_BLOCKED, "%zu of %zu have no reverse script", without, chosen);
    return false;
}

static bool prove(struct command_context *c, void *args, struct err *e)
{
    struct prove_args *a = args;
    struct session s;
    CLEANUP(pg) struct pg *db = NULL;
    const struct migration **chosen = NULL;
    const char *server = NULL;
    size_t n = 0;
    struct proving x = { .c = c, .actor = flight_actor(c) };
    session_shift_version(c->arena, &a->session, &a->versions);
    if (!session_open(c, &a->session, &s, e) || !choose_server(&s, a, &server, e) ||
        (s.environment.database_url && !session_connect(&s, "prove", &db, e)) ||
        !choose(&s, a, db, &chosen, &n, e) || !open_keep(&s, a, db, &x.keep, e))
        return false;
    x.list = c->wants_json ? json_array() : NULL;
    size_t without = tell_without(&x, chosen, n);
    struct series_spec spec = { .server_url = server,
                                .set = &s.set,
                                .chosen = chosen,
                                .n = n,
                                .on_proof = take,
                                .context = &x };
    if (!series_prove(&spec, e)) {
        json_decref(x.list);
        return false;
    }
    return finish(&x, n, without, e);
}

static const struct option prove_options[] = {
    { "all", 0, OPT_FLAG, AT(prove_args, wants_all), NULL,
      "Every file, not only those that are pending" },
    { "write", 0, OPT_FLAG, AT(prove_args, write), NULL,
      "Record the proofs in the database of --database-url too" },
    { "server", 0, OPT_TEXT, AT(prove_args, server_url), "<url>",
      "Make the scratch databases on this server" },
    SESSION_OPTIONS(prove_args, session),
    { 0 },
};

static const struct argument prove_arguments[] = {
    SESSION_ARGUMENT(prove_args, session),
    { "version", ARG_MANY, COMPLETE_NOTHING, AT(prove_args, versions),
      "Versions to prove (default: those that are pending, or all files without an environment)" },
    { 0 },
};

const struct command cmd_migration_prove = {
    .name = "prove",
    .synopsis = "migration prove [environment] [version…]",
    .summary = "Run migrations and their reverse scripts on a scratch database and compare",
    .description =
        "Each pair runs up, down and up again, with synthetic rows; schema and rows are compared "
        "in "
        "between, and what differs is named. A pair is proven if it restores everything, or says "
        "truthfully what it cannot restore (-- loss: B, C or D). With an environment the proofs "
        "are "
        "recorded there: production asks for them. Ends with 5 if a pair is not proven.",
    .examples =
        "lockflight migration prove staging\nlockflight migration prove 20260314100500\n"
        "lockflight migration prove --migrations db/migrations --database-url env:DATABASE_URL",
    .group = GROUP_PREPARE,
    .offers = COMMAND_JSON,
    .options = prove_options,
    .arguments = prove_arguments,
    .args_size = sizeof(struct prove_args),
    .run = prove,
};
