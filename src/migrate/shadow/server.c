/*
 * The server under the shadows: see inside.h.
 *
 * A shadow's name carries who made it: lockflight_shadow_<machine>_<process>_<time>_<random>. The
 * machine is a digest of its boot, its host name and its process namespace, so a process number is
 * only ever looked up where it means something. A shadow of another machine is left over when it is
 * old and nobody is connected to it.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "migrate/shadow/inside.h"
#include "migrate/sql/statement.h"
#include "provider/prelude.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define STRANGER_AGE_S 3600  /* another machine's shadow without a connection may still be wanted */
#define OWN_AGE_S      86400 /* a process number can come back; no run takes a day */

/* ---- names ---- */

static const char *machine(struct arena *a)
{
    char host[256] = "", space[64] = "", hex[SHA256_HEX_BYTES];
    struct str boot = { 0 };
    struct err ignored;
    (void)gethostname(host, sizeof host - 1);
    (void)!fs_read(a, "/proc/sys/kernel/random/boot_id", 256, &boot, &ignored);
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    if (n > 0)
        space[n] = '\0';
    hash_hex(HASH_SHA256, str_of(arena_printf(a, "%.*s %s %s", STR_FMT(boot), host, space)), hex);
    return arena_strndup(a, hex, 8);
}

char *shadow_name(struct arena *a)
{
    return arena_printf(a, SHADOW_PREFIX "%s_%d_%08llx_%s", machine(a), (int)getpid(),
                        (unsigned long long)(clock_unix_ms() / 1000), random_hex(a, 3));
}

static bool process_lives(pid_t pid)
{
    return kill(pid, 0) == 0 || errno != ESRCH;
}

/* Is it a shadow, and one that nobody can be using any more? */
static bool is_left_over(const char *name, const char *here, bool is_connected)
{
    struct str rest = str_of(name + strlen(SHADOW_PREFIX));
    struct str where = str_cut(&rest, '_'), process = str_cut(&rest, '_');
    struct str made = str_cut(&rest, '_');
    uint64_t pid = 0;
    char hex[17] = "";
    if (where.n != 8 || !str_to_u64(process, &pid) || pid == 0 || pid > INT32_MAX || made.n == 0 ||
        made.n > 16 || rest.n == 0)
        return false;
    memcpy(hex, made.p, made.n);
    if (hex[strspn(hex, "0123456789abcdef")])
        return false;
    uint64_t made_s = strtoull(hex, NULL, 16);
    int64_t age_s = clock_unix_ms() / 1000 - (int64_t)made_s;
    if (str_is(where, here))
        return pid != (uint64_t)getpid() && (!process_lives((pid_t)pid) || age_s > OWN_AGE_S);
    return !is_connected && age_s > STRANGER_AGE_S;
}

/* ---- statements about databases ---- */

bool shadow_admin(struct shadow_server *v, const char *sql, struct err *e)
{
    return pg_exec(v->admin, sql, PG_NONE, NULL, e);
}

void shadow_drop(struct shadow_server *v, const char *name)
{
    struct err why = { 0 }; /* the next run drops it */
    if (!shadow_admin(v, arena_printf(v->a, "DROP DATABASE IF EXISTS \"%s\" WITH (FORCE)", name),
                      &why))
        log_event("shadow.leftover", "%s: %s", name, why.why);
}

static bool may_not_create(struct shadow_server *v, struct err *e)
{
    if (e->code != ERR_DB || !streq(e->sqlstate, "42501"))
        return err_wrap(e, "make a scratch database");
    err_set(e, ERR_AUTH, "role %s may not create databases on %s", v->user, pg_where(v->admin));
    return err_hint(e, "ALTER ROLE %s CREATEDB, or give the URL of a server where it may", v->user);
}

bool shadow_create(struct shadow_server *v, const char *name, const char *template_name,
                   struct err *e)
{
    struct arena *a = v->a;
    if (!shadow_admin(
            v, arena_printf(a, "CREATE DATABASE \"%s\" TEMPLATE \"%s\"", name, template_name), e))
        return may_not_create(v, e);
    static const char *const settings[] = { "synchronous_commit = off", "jit = off",
                                            "statement_timeout = '10min'",
                                            "search_path = \"$user\", public, extensions" };
    size_t wanted = v->has_prelude && !v->platform_template ? 4 : 3;
    bool ok = true;
    for (size_t i = 0; ok && i < wanted; i++)
        ok = shadow_admin(v, arena_printf(a, "ALTER DATABASE \"%s\" SET %s", name, settings[i]), e);
    if (!ok)
        shadow_drop(v, name);
    return ok;
}

bool shadow_connect(const struct shadow_server *v, const char *name, struct pg **ret, struct err *e)
{
    struct pg_spec spec = { .url = v->url, .database = name, .purpose = "shadow" };
    return pg_open(&spec, ret, e) &&
           pg_exec(*ret,
                   "SELECT pg_catalog.set_config('synchronous_commit', 'off', false),"
                   " pg_catalog.set_config('jit', 'off', false)",
                   PG_NONE, NULL, e);
}

/* ---- what a database begins with ---- */

/* Words that only migrations of a Supabase project use. */
static bool speaks_of_supabase(const struct migration_set *set)
{
    static const char *const words[] = {
        "authenticated", "service_role", "anon",    "auth.", "storage.", "supabase", "vault.",
        "extensions",    "realtime",     "graphql", "cron.", "net.http", NULL
    };
    for (size_t i = 0; set && i < set->n; i++)
        for (const char *const *w = words; *w; w++)
            if (memmem(set->v[i].sql.p, set->v[i].sql.n, *w, strlen(*w)))
                return true;
    return false;
}

/* Needs to be done once per server; a role that may not is told only if something misses it. */
static bool make_roles(struct shadow_server *v, struct err *e)
{
    struct err why = { 0 };
    if (shadow_admin(v, prelude_stand_in_roles_sql, &why))
        return true;
    if (why.code != ERR_DB) {
        *e = why;
        return false;
    }
    v->lacks = arena_printf(
        v->a, "%s has not all of Supabase's roles, and role %s may not create them (%s)",
        pg_where(v->admin), v->user, why.why);
    return true;
}

/* One statement of the prelude. A schema that may not be given to its owner is made all the same. */
static bool fill_one(struct shadow_server *v, struct pg *db, struct str text, struct err *why)
{
    char *sql = str_dup(v->a, text);
    if (pg_run(db, sql, NULL, why))
        return true;
    char *owner =
        strncasecmp(sql, "create schema", 13) == 0 ? strstr(sql, " authorization ") : NULL;
    if (!owner || why->code != ERR_DB)
        return false;
    *owner = '\0';
    return pg_run(db, sql, NULL, why);
}

bool shadow_fill(struct shadow_server *v, struct pg *db, struct err *e)
{
    struct statement *s = NULL;
    size_t n = 0, refused = 0;
    if (!v->has_prelude || v->platform_template)
        return true;
    if (!pg_exec(db, "RESET search_path", PG_NONE, NULL, e))
        return false;
    statement_split(v->a, str_of(prelude_database_sql), &s, &n);
    for (size_t i = 0; i < n; i++) {
        struct err why = { 0 };
        if (fill_one(v, db, s[i].text, &why))
            continue;
        if (why.code != ERR_DB) {
            *e = why;
            return err_wrap(e, "build what a Supabase project has");
        }
        log_event("shadow.refused", "%.*s: %s", (int)(s[i].text.n > 80 ? 80 : s[i].text.n),
                  s[i].text.p, why.why);
        refused++;
    }
    if (refused > 0 && !v->lacks)
        v->lacks = arena_printf(v->a,
                                "%zu of %zu statements that prepare it like a Supabase project "
                                "were refused to role %s",
                                refused, n, v->user);
    return pg_session_reset(db, e);
}

static bool look(struct shadow_server *v, const struct migration_set *set, struct err *e)
{
    struct pg_rows r;
    if (!pg_query(v->admin, v->a,
                  "SELECT current_user,"
                  " (SELECT coalesce(shobj_description(oid, 'pg_database'), 'unknown')"
                  "  FROM pg_database WHERE datname = $1 AND datistemplate),"
                  " (SELECT count(*) FROM pg_roles WHERE rolname IN ('anon', 'authenticated',"
                  "  'service_role')) = 3",
                  PG_PARAMS(PRELUDE_TEMPLATE), &r, e))
        return false;
    v->user = pg_value(&r, 0, 0);
    v->platform_template = pg_value(&r, 0, 1);
    v->has_prelude = v->platform_template || pg_bool(&r, 0, 2) || speaks_of_supabase(set);
    return !v->has_prelude || v->platform_template || make_roles(v, e);
}

static bool sweep(struct shadow_server *v, struct err *e)
{
    struct pg_rows r;
    const char *here = machine(v->a);
    if (!pg_query(v->admin, v->a,
                  "SELECT datname, EXISTS (SELECT FROM pg_stat_activity s WHERE s.datid = d.oid)"
                  " FROM pg_database d WHERE datname LIKE 'lockflight\\_shadow\\_%'"
                  " AND pg_has_role(datdba, 'USAGE')",
                  PG_NONE, &r, e))
        return false;
    for (size_t i = 0; i < r.n; i++)
        if (is_left_over(pg_value(&r, i, 0), here, pg_bool(&r, i, 1)))
            shadow_drop(v, pg_value(&r, i, 0));
    return true;
}

bool shadow_server_open(const char *url, const struct migration_set *set, struct arena *a,
                        struct shadow_server *ret, struct err *e)
{
    *ret = (struct shadow_server){ .a = a, .url = url };
    struct pg_spec spec = { .url = url, .purpose = "shadow" };
    if (!pg_open(&spec, &ret->admin, e) || !look(ret, set, e) || !sweep(ret, e)) {
        pg_close(ret->admin);
        ret->admin = NULL;
        return err_wrap(e, "look at the server for scratch databases");
    }
    return true;
}
