/*
 * Looking: see findings.h. Each function asks one thing and adds what is wrong with it.
 */
#include "command/doctor/findings.h"

#include "base/clock.h"
#include "base/fs.h"
#include "engine/plan.h"

#define CLOCK_SKEW_MS 5000 /* leases are measured in tens of seconds */
#define OLDEST_SERVER 140000

struct looking {
    struct findings *to;
    const struct config *config;
    const char *name;
};

static void add(struct looking *l, enum finding_severity severity, const char *id, const char *what,
                const char *why, const char *fix)
{
    *vec_add(&l->to->list, l->to->arena) =
        (struct finding){ severity, l->name, id, what, why, fix };
    l->to->errors += severity == FINDING_ERROR;
}

static void add_error(struct looking *l, const char *id, const struct err *e)
{
    struct arena *a = l->to->arena;
    const char *why = e->why[0] ? e->why : e->what;
    add(l, FINDING_ERROR, id, arena_strdup(a, e->what[0] ? e->what : why), arena_strdup(a, why),
        e->hint[0] ? arena_strdup(a, e->hint) : arena_printf(a, "lockflight doctor %s", l->name));
}

/* ---- the project ---- */

/* The function that `init` writes believes tokens that somebody has checked. */
static bool is_open_flags(const struct config *config, const struct config_function *f)
{
    return streq(f->slug, "flags") && f->is_enabled && !f->verify_jwt &&
           fs_exists(fs_join(config->arena, f->dir, "caller.ts"));
}

void findings_of_project(const struct config *config, struct findings *ret)
{
    struct looking l = { ret, config, "" };
    const struct config_env *production = config_env_find(config, "production");
    if (!config->test.run)
        add(&l, FINDING_WARNING, "no-tests", "there is no test stage",
            "nothing but the checks stops a release that is broken",
            "add to lockflight.toml: [test] run = \"npm test\"");
    if (production && production->requires_none)
        add(&l, FINDING_WARNING, "unprotected", "production requires no other environment",
            "content goes live that no staging has proved", "lockflight init --staging");
    for (size_t i = 0; i < config->supabase.functions_n; i++) {
        if (is_open_flags(config, &config->supabase.functions[i]))
            add(&l, FINDING_WARNING, "open-flags", "function flags runs with verify_jwt = false",
                "it believes tokens that nobody checks: anybody can say to be the service role",
                "in supabase/config.toml: [functions.flags] verify_jwt = true");
    }
    for (size_t i = 0; i < config->envs_n; i++) {
        const struct config_env *env = &config->envs[i];
        l.name = env->name;
        if (env->checks.backend.n == 0)
            add(&l, FINDING_WARNING, "no-backend-check", "the backend is not checked",
                "a broken function or migration is first met by a visitor",
                "add to lockflight.toml: checks = { backend = [\"health\"], … }");
        if (env->checks.site.n == 0)
            add(&l, FINDING_WARNING, "no-site-check", "the site is not checked",
                "a broken page is first met by a visitor",
                "add to lockflight.toml: checks = { site = [\"home\"], … }");
    }
}

/* ---- Netlify ---- */

static void look_at_site(struct looking *l, const struct target *t, const struct live *live)
{
    struct arena *a = l->to->arena;
    const struct netlify_site *site = &live->site;
    bool has_own_builds = site->repository[0] && !site->is_build_stopped;
    if (site->is_git_only)
        add(l, FINDING_ERROR, "git-only", "the site takes production deploys from git only",
            "the release's own deploy would be refused",
            "allow API deploys in the site's settings: Build & deploy");
    if (has_own_builds && !site->is_locked)
        add(l, FINDING_ERROR, "auto-publish",
            arena_printf(a, "Netlify builds %s by itself and publishes what it built",
                         site->repository),
            "each push goes live beside the release, without its backend",
            arena_printf(a,
                         "curl -X PATCH -H \"Authorization: Bearer $NETLIFY_AUTH_TOKEN\" -H "
                         "'content-type: application/json' -d "
                         "'{\"build_settings\":{\"stop_builds\":true}}' %s/sites/%s",
                         t->environment.netlify.api, site->id));
    else if (has_own_builds)
        add(l, FINDING_WARNING, "own-builds",
            arena_printf(a, "Netlify builds %s by itself", site->repository),
            "its variables, tokens among them, are visible to the build command",
            "stop builds in the site's settings, or use netlify-plugin-lockflight");
    if (live->has_release && site->published_id[0] && !site->is_locked)
        add(l, FINDING_WARNING, "unlocked", "the published deploy is not locked",
            "whoever deploys to the site next replaces the release",
            arena_printf(a,
                         "curl -X POST -H \"Authorization: Bearer $NETLIFY_AUTH_TOKEN\" "
                         "%s/deploys/%s/lock",
                         t->environment.netlify.api, site->published_id));
}

/* ---- Supabase ---- */

static void look_at_functions(struct looking *l, const struct target *t, const struct live *live)
{
    struct arena *a = l->to->arena;
    const struct supabase_config *c = &t->environment.supabase_config;
    for (size_t i = 0; i < c->functions_n; i++) {
        const struct config_function *f = &c->functions[i];
        const struct supabase_function *there = live_function(live, f->slug);
        if (!there || !f->is_enabled)
            continue;
        if (f->verify_jwt_given && f->verify_jwt != there->verify_jwt)
            add(l, FINDING_WARNING, "verify-jwt",
                arena_printf(a, "function %s runs with verify_jwt = %s, the project says %s",
                             f->slug, there->verify_jwt ? "true" : "false",
                             f->verify_jwt ? "true" : "false"),
                "the next release changes who may call it",
                arena_printf(a, "lockflight plan %s", l->name));
    }
}

/* Somebody else who would release what git has. */
static void look_at_branches(struct looking *l, const struct target *t)
{
    struct arena *a = l->to->arena;
    struct supabase_branch *branches;
    size_t n;
    struct err e = { 0 };
    if (!supabase_branches(t->supabase, a, &branches, &n, &e)) {
        if (e.code != ERR_NOT_FOUND &&
            e.code != ERR_AUTH) /* Branching is off, or not ours to see */
            add_error(l, "branching", &e);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!branches[i].is_default || !branches[i].git_branch[0])
            continue;
        add(l, FINDING_ERROR, "branching",
            arena_printf(a, "Supabase's git integration deploys branch %s to this project",
                         branches[i].git_branch),
            "each merge applies migrations and functions beside the release, and nothing undoes "
            "them",
            "take the repository off in the project's settings: Integrations, GitHub");
    }
}

/* ---- may the tokens write ---- */

/* Changes that cannot have an effect, asked for because a refusal tells: nothing of these names is
 * there. */
static void look_at_tokens(struct looking *l, const struct target *t)
{
    struct arena *a = l->to->arena;
    static const char absent[] = "lockflight-doctor-asks";
    static const char *const names[] = { "LOCKFLIGHT_DOCTOR_ASKS" };
    struct err e[3] = { 0 };
    bool ok[] = {
        netlify_restore(t->netlify, a, "000000000000000000000000", &e[0]),
        supabase_secrets_unset(t->supabase, a, names, 1, &e[1]),
        supabase_function_delete(t->supabase, a, absent, &e[2]),
    };
    static const struct {
        const char *what, *fix;
    } may_not[] = {
        { "the Netlify token may not publish deploys of this site",
          "use the token of a member of the site's team who may: NETLIFY_AUTH_TOKEN" },
        { "the Supabase token may not set secrets",
          "give the token edge_functions_secrets_write: SUPABASE_ACCESS_TOKEN" },
        { "the Supabase token may not deploy functions",
          "give the token edge_functions_write: SUPABASE_ACCESS_TOKEN" },
    };
    for (size_t i = 0; i < sizeof ok / sizeof ok[0]; i++) {
        if (!ok[i] && e[i].code == ERR_AUTH)
            add(l, FINDING_ERROR, "token-cannot-write", may_not[i].what,
                arena_strdup(a, e[i].why[0] ? e[i].why : e[i].what), may_not[i].fix);
    }
}

/* ---- the database ---- */

void findings_of_database(struct findings *ret, const char *environment,
                          const struct database_facts *facts, int64_t now_unix_ms)
{
    struct looking l = { ret, NULL, environment };
    struct arena *a = ret->arena;
    if (!facts->may_create_databases)
        add(&l, FINDING_WARNING, "no-createdb",
            arena_printf(a, "role %s may not create databases", facts->role),
            "pairs of migrations are not proved here, only where it may",
            arena_printf(a, "ALTER ROLE \"%s\" CREATEDB;", facts->role));
    if (!facts->is_monitor)
        add(&l, FINDING_WARNING, "no-monitor",
            arena_printf(a, "role %s is no pg_monitor", facts->role),
            "who is in the way of a migration is not seen",
            arena_printf(a, "GRANT pg_monitor TO \"%s\";", facts->role));
    int64_t skew = facts->clock_unix_ms - now_unix_ms;
    if (skew > CLOCK_SKEW_MS || skew < -CLOCK_SKEW_MS)
        add(&l, FINDING_WARNING, "clock",
            arena_printf(a, "this machine's clock and the server's are %s apart",
                         clock_duration(a, skew < 0 ? -skew : skew)),
            "times in the journal will not be in order", "timedatectl set-ntp true");
    if (facts->version < OLDEST_SERVER)
        add(&l, FINDING_ERROR, "server-version",
            arena_printf(a, "the server is PostgreSQL %d", facts->version / 10000),
            arena_printf(a, "%d is the oldest that migrations are applied to",
                         OLDEST_SERVER / 10000),
            "upgrade the project");
}

static void look_at_database(struct looking *l, struct target *t)
{
    struct pg_rows r;
    struct err e = { 0 };
    if (!pg_query(t->db, l->to->arena,
                  "SELECT r.rolcreatedb OR r.rolsuper,"
                  " r.rolsuper OR pg_catalog.pg_has_role(r.oid, 'pg_monitor', 'MEMBER'),"
                  " (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint, r.rolname"
                  " FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
                  PG_NONE, &r, &e) ||
        r.n == 0) {
        add_error(l, "database", &e);
        return;
    }
    struct database_facts facts = { .may_create_databases = pg_bool(&r, 0, 0),
                                    .is_monitor = pg_bool(&r, 0, 1),
                                    .clock_unix_ms = pg_int(&r, 0, 2),
                                    .role = pg_value(&r, 0, 3),
                                    .version = pg_server_version(t->db) };
    findings_of_database(l->to, l->name, &facts, clock_unix_ms());
}

/* ---- what a release would be asked ---- */

/* A gate that only waits for staging's turn is no finding. */
static void look_at_gates(struct looking *l, struct target *t, const struct live *live)
{
    struct arena *a = l->to->arena;
    CLEANUP(plan) struct plan plan = { 0 };
    struct err e = { 0 };
    struct plan_options options = { 0 };
    if (!plan_make(t, live, &options, &plan, &e)) {
        add_error(l, "plan", &e);
        return;
    }
    for (size_t i = 0; i < plan.gates_n; i++) {
        const struct plan_gate *gate = &plan.gates[i];
        if (gate->state != GATE_WAIT || streq(gate->name, plan.requires))
            continue;
        add(l, FINDING_ERROR, arena_strdup(a, gate->name), arena_strdup(a, gate->text),
            "the next release would stop here",
            gate->next ? arena_strdup(a, gate->next)
                       : arena_printf(a, "lockflight plan %s", l->name));
    }
    if (plan.drift.state == DRIFT_FOUND && !t->environment.requires)
        add(l, FINDING_WARNING, "drift", arena_strdup(a, drift_text(a, &plan.drift)),
            "the schema was changed outside Lockflight",
            arena_printf(a, "lockflight migration status %s --drift", l->name));
}

void findings_of_environment(const struct config *config, const char *name, struct findings *ret)
{
    struct looking l = { ret, config, name };
    CLEANUP(target) struct target t = { 0 };
    CLEANUP(live) struct live live = { 0 };
    struct err e = { 0 };
    if (!target_open(ret->arena, config, name, &t, &e)) {
        add_error(&l, e.code == ERR_AUTH ? "credentials" : "open", &e);
        return;
    }
    look_at_database(&l, &t);
    if (!live_read(&t, &live, &e)) {
        add_error(&l, "scopes", &e);
        return;
    }
    look_at_site(&l, &t, &live);
    look_at_functions(&l, &t, &live);
    look_at_branches(&l, &t);
    look_at_tokens(&l, &t);
    look_at_gates(&l, &t, &live);
}
