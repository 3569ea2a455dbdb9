/*
 * ORDER OF A FIRST START   initdb into <state>/pg.new, access rules, rename to <state>/pg; start;
 *                          roles; template. Each step is recognised when it is already done, so
 *                          kill -9 between any two is harmless.
 */
#include "local/cluster.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "provider/prelude.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define READY_TIMEOUT_MS 30000 /* recovery after a crash is 0.3 s; a slow disk may take longer */
#define STOP_TIMEOUT_MS  15000
#define PORTS_TRIED      200
#define STARTS_TRIED     5 /* somebody else may take a port between looking and binding */
#define TEMPLATE         PRELUDE_TEMPLATE

struct cluster {
    struct arena *arena;
    struct supervisor *supervisor;
    struct child *child;
    const char *bin_dir;
    const char *data_dir;
    const char *run_dir;
    const char *log_path;
    const char *password;
    int port;
};

static const char *bin(struct arena *a, const char *bin_dir, const char *program)
{
    return arena_printf(a, "%s/%s", bin_dir, program);
}

static bool find_binaries(struct cluster *c, struct err *e)
{
    const char *chosen = env_value("LOCKFLIGHT_PG_BIN");
    c->bin_dir = arena_strdup(c->arena, chosen ? chosen : "/usr/lib/postgresql/15/bin");
    if (fs_exists(bin(c->arena, c->bin_dir, "postgres")))
        return true;
    err_set(e, ERR_NOT_FOUND, "no PostgreSQL 15 in %s", c->bin_dir);
    return err_hint(e, "apt-get install postgresql-15");
}

/* ---- Making it ------------------------------------------------------------------------------- */

static bool write_rules(struct arena *a, const char *dir, struct err *e)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char buffer[4096];
    if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) != 0 || !found)
        return err_set(e, ERR_IO, "user %u has no name", (unsigned)geteuid());
    const char *me = found->pw_name;
    static const char hba[] =
        "# Written by lockflight. The socket's folder is closed to other users.\n"
        "local all all peer map=platform\n"
        "host  all all 127.0.0.1/32 scram-sha-256\n";
    const char *ident =
        arena_printf(a,
                     "platform %s supabase_admin\nplatform %s postgres\nplatform %s authenticator\n"
                     "platform root supabase_admin\nplatform root postgres\n",
                     me, me, me);
    return fs_replace(fs_join(a, dir, "pg_hba.conf"), STR(hba), 0600, e) &&
           fs_replace(fs_join(a, dir, "pg_ident.conf"), str_of(ident), 0600, e);
}

static bool make(struct cluster *c, const char *state_dir, struct err *e)
{
    struct arena *a = c->arena;
    if (fs_exists(fs_join(a, c->data_dir, "PG_VERSION")))
        return true;
    const char *fresh = fs_join(a, state_dir, "pg.new");
    if (!fs_remove_tree(fresh, e))
        return false;
    struct proc_spec initdb = {
        .argv = (const char *[]){ bin(a, c->bin_dir, "initdb"), "-D", fresh, "-U", "supabase_admin",
                                  "-E", "UTF8", "--locale=C.UTF-8", "--auth-local=peer",
                                  "--auth-host=scram-sha-256", "--no-instructions", NULL },
        .cwd = "/",
        .env = (const char *[]){ "PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL },
        .timeout_ms = 120000,
        .merge_stderr = true,
    };
    struct proc_result result;
    if (!proc_run(a, &initdb, &result, e))
        return err_wrap(e, "make the Postgres cluster");
    if (result.exit_status != 0) {
        struct str last = str_trim(result.out);
        return err_set(e, ERR_DB, "initdb failed: %.*s", STR_FMT(last));
    }
    if (!write_rules(a, fresh, e))
        return false;
    if (rename(fresh, c->data_dir) != 0)
        return err_system(e, "rename %s", fresh);
    return true;
}

/* ---- Starting it ----------------------------------------------------------------------------- */

static bool port_is_free(int port)
{
    CLEANUP(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int yes = 1;
    return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
           bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
}

static bool choose_port(struct cluster *c, struct err *e)
{
    int first = c->port;
    for (; c->port < first + PORTS_TRIED && c->port < 65536; c->port++)
        if (port_is_free(c->port))
            return true;
    return err_set(e, ERR_CONFLICT, "no free port from %d to %d", first, c->port - 1);
}

/* The process that postmaster.pid names, if it is a Postgres of this data folder; else 0. */
static pid_t predecessor(struct cluster *c)
{
    struct arena *scratch = arena_new(1 * MIB);
    struct err ignored;
    struct str text;
    uint64_t pid = 0;
    pid_t found = 0;
    if (fs_read(scratch, fs_join(scratch, c->data_dir, "postmaster.pid"), 4096, &text, &ignored)) {
        struct str first = str_trim(str_cut(&text, '\n'));
        char cwd[4096];
        ssize_t n = -1;
        if (str_to_u64(first, &pid) && pid > 1 && pid < INT32_MAX)
            n = readlink(arena_printf(scratch, "/proc/%d/cwd", (int)pid), cwd, sizeof cwd - 1);
        const char *real = fs_real_path(scratch, c->data_dir);
        if (n > 0 && real) {
            cwd[n] = '\0';
            found = streq(cwd, real) ? (pid_t)pid : 0;
        }
    }
    arena_free(scratch);
    return found;
}

/* A daemon that was killed leaves a Postgres that is stopping, or a file that names nobody. */
static bool wait_for_predecessor(struct cluster *c, struct err *e)
{
    int64_t deadline = clock_boot_ms() + STOP_TIMEOUT_MS;
    pid_t pid;
    while ((pid = predecessor(c)) != 0) {
        int64_t left = deadline - clock_boot_ms();
        if (left < -5000)
            return err_set(e, ERR_TIMEOUT, "an old Postgres, process %d, does not stop", (int)pid);
        (void)kill(pid, left > STOP_TIMEOUT_MS - 5000 ? SIGINT : SIGQUIT);
        (void)clock_sleep_ms(30);
    }
    (void)unlink(fs_join(c->arena, c->data_dir, "postmaster.pid"));
    return true;
}

static bool launch(struct cluster *c, struct err *e)
{
    struct arena *a = c->arena;
    struct child_spec spec = {
        .name = "postgres",
        .argv = (const char *[]){ bin(a, c->bin_dir, "postgres"),
                                  "-D",
                                  c->data_dir,
                                  "-k",
                                  c->run_dir,
                                  "-p",
                                  arena_printf(a, "%d", c->port),
                                  "-c",
                                  "listen_addresses=127.0.0.1",
                                  "-c",
                                  "unix_socket_permissions=0700",
                                  "-c",
                                  "shared_buffers=32MB",
                                  "-c",
                                  "max_connections=80",
                                  "-c",
                                  "max_wal_size=256MB",
                                  "-c",
                                  "jit=off",
                                  "-c",
                                  "wal_level=logical",
                                  "-c",
                                  "shared_preload_libraries=pg_stat_statements",
                                  "-c",
                                  "password_encryption=scram-sha-256",
                                  "-c",
                                  "log_line_prefix=%m [%p] %d ",
                                  "-c",
                                  "timezone=UTC",
                                  "-c",
                                  "log_timezone=UTC",
                                  NULL },
        .env = (const char *[]){ "PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL },
        .log_path = c->log_path,
        .death_signal = SIGINT, /* fast stop: it writes a checkpoint and goes */
    };
    child_free(c->child);
    c->child = NULL;
    return child_start(c->supervisor, &spec, &c->child, e);
}

bool cluster_connect(const struct cluster *c, const char *database, const char *user,
                     const char *act_as, struct sql **ret, struct err *e)
{
    return sql_open(&(struct sql_spec){ .socket_dir = c->run_dir,
                                        .port = c->port,
                                        .database = database,
                                        .user = user,
                                        .act_as = act_as },
                    ret, e);
}

static bool wait_until_ready(struct cluster *c, struct err *e)
{
    int64_t deadline = clock_boot_ms() + READY_TIMEOUT_MS;
    for (;;) {
        struct sql *db = NULL;
        bool ok = cluster_connect(c, "template1", "supabase_admin", NULL, &db, e);
        sql_close(db);
        if (ok)
            return true;
        if (!child_is_running(c->child)) {
            err_set(e, ERR_DB, "Postgres ended with status %d", child_exit_status(c->child));
            return err_hint(e, "lockflight local logs postgres");
        }
        if (clock_boot_ms() > deadline)
            return err_wrap(e, "wait for Postgres");
        (void)clock_sleep_ms(20);
    }
}

static bool start_somewhere(struct cluster *c, struct err *e)
{
    for (int i = 0; i < STARTS_TRIED; i++, c->port++) {
        if (!choose_port(c, e) || !launch(c, e))
            return false;
        if (wait_until_ready(c, e))
            return true;
        if (child_is_running(c->child) || port_is_free(c->port))
            return false; /* the port was not the reason */
    }
    return false;
}

/* ---- The template ---------------------------------------------------------------------------- */

static bool exists(struct sql *db, const char *database, bool *ret, struct err *e)
{
    json_auto_t *rows = NULL;
    if (!sql_query(db, "select 1 from pg_database where datname = $1", SQL_PARAMS(database), &rows,
                   e))
        return false;
    *ret = json_array_size(rows) > 0;
    return true;
}

static bool template_is_current(struct sql *db, const char *digest, bool *ret, struct err *e)
{
    json_auto_t *rows = NULL;
    if (!sql_query(db,
                   "select 1 from pg_database d join pg_shdescription s on s.objoid = d.oid"
                   " and s.classoid = 'pg_database'::regclass"
                   " where d.datname = '" TEMPLATE "' and s.description = $1",
                   SQL_PARAMS(digest), &rows, e))
        return false;
    *ret = json_array_size(rows) > 0;
    return true;
}

static bool fill_template(struct cluster *c, struct err *e)
{
    CLEANUP(sql) struct sql *db = NULL;
    return cluster_connect(c, TEMPLATE "_new", "supabase_admin", NULL, &db, e) &&
           sql_run(db, prelude_database_sql, e);
}

static bool build_template(struct cluster *c, struct sql *admin, struct err *e)
{
    char digest[SHA256_HEX_BYTES];
    bool is_current = false;
    hash_hex(HASH_SHA256, str_of(prelude_database_sql), digest);
    if (!template_is_current(admin, digest, &is_current, e))
        return false;
    if (is_current)
        return true;
    const char *finish = arena_printf(c->arena,
                                      "alter database " TEMPLATE " with is_template true;"
                                      "comment on database " TEMPLATE " is '%s'",
                                      digest);
    return (sql_run(admin, "drop database if exists " TEMPLATE "_new with (force)", e) &&
            sql_run(admin, "create database " TEMPLATE "_new template template0", e) &&
            fill_template(c, e) &&
            sql_run(admin,
                    "update pg_database set datistemplate = false where datname = '" TEMPLATE "'",
                    e) &&
            sql_run(admin, "drop database if exists " TEMPLATE " with (force)", e) &&
            sql_run(admin, "alter database " TEMPLATE "_new rename to " TEMPLATE, e) &&
            sql_run(admin, finish, e)) ||
           err_wrap(e, "prepare the template database");
}

static bool prepare(struct cluster *c, struct err *e)
{
    CLEANUP(sql) struct sql *admin = NULL;
    if (!cluster_connect(c, "template1", "supabase_admin", NULL, &admin, e) ||
        !sql_run(admin, prelude_roles_sql, e))
        return err_wrap(e, "prepare roles");
    const char *password = arena_printf(c->arena, "alter role postgres password %s",
                                        sql_literal(admin, c->arena, c->password));
    return sql_run(admin, password, e) && build_template(c, admin, e);
}

/* ---- Public ---------------------------------------------------------------------------------- */

bool cluster_start(const struct cluster_spec *spec, struct cluster **ret, struct err *e)
{
    struct arena *a = arena_new(0);
    struct cluster *c = ARENA_NEW(a, struct cluster);
    *c = (struct cluster){
        .arena = a,
        .supervisor = spec->supervisor,
        .data_dir = fs_join(a, spec->state_dir, "pg"),
        .run_dir = arena_strdup(a, spec->run_dir),
        .log_path = arena_strdup(a, spec->log_path),
        .password = arena_strdup(a, spec->password),
        .port = spec->port,
    };
    if (!find_binaries(c, e) || !make(c, spec->state_dir, e) || !wait_for_predecessor(c, e) ||
        !start_somewhere(c, e) || !prepare(c, e)) {
        cluster_stop(c);
        return false;
    }
    *ret = c;
    return true;
}

void cluster_stop(struct cluster *c)
{
    if (!c)
        return;
    if (c->child) {
        child_stop(c->child, SIGINT, STOP_TIMEOUT_MS);
        child_free(c->child);
    }
    arena_free(c->arena);
}

int cluster_port(const struct cluster *c)
{
    return c->port;
}

pid_t cluster_pid(const struct cluster *c)
{
    return child_pid(c->child);
}

bool cluster_is_running(struct cluster *c)
{
    return child_is_running(c->child);
}

bool cluster_revive(struct cluster *c, struct err *e)
{
    return child_is_running(c->child) ||
           (wait_for_predecessor(c, e) && launch(c, e) && wait_until_ready(c, e));
}

bool cluster_database(struct cluster *c, const char *name, struct err *e)
{
    CLEANUP(sql) struct sql *admin = NULL;
    bool found = false;
    if (!cluster_connect(c, "template1", "supabase_admin", NULL, &admin, e) ||
        !exists(admin, name, &found, e))
        return err_wrap(e, "database %s", name);
    if (found)
        return true;
    struct arena *scratch = arena_new(1 * MIB);
    const char *sql =
        arena_printf(scratch, "create database %s template " TEMPLATE " owner postgres",
                     sql_identifier(admin, scratch, name));
    bool ok = sql_run(admin, sql, e);
    arena_free(scratch);
    return ok || err_wrap(e, "create database %s", name);
}

bool cluster_database_reset(struct cluster *c, const char *name, struct err *e)
{
    CLEANUP(sql) struct sql *admin = NULL;
    if (!cluster_connect(c, "template1", "supabase_admin", NULL, &admin, e))
        return false;
    struct arena *scratch = arena_new(1 * MIB);
    const char *sql = arena_printf(scratch, "drop database if exists %s with (force)",
                                   sql_identifier(admin, scratch, name));
    bool ok = sql_run(admin, sql, e);
    arena_free(scratch);
    return ok ? cluster_database(c, name, e) : err_wrap(e, "drop database %s", name);
}
