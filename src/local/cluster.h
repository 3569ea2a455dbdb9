/*
 * The platform's own Postgres: Debian's postgresql-15 with a data folder, a unix socket and a port
 * of its own. Superuser is supabase_admin, who exists only on the socket; everybody else is
 * `postgres` with a password (SCRAM on 127.0.0.1).
 *
 * TEMPLATE   Every database is a clone of lockflight_template, which holds the prelude (provider/prelude/).
 *            When the prelude of a newer program differs, the template is built anew; databases
 *            that exist are left alone until `local reset`.
 *
 * CALLS      cluster_start → cluster_database … → cluster_stop. Thread-safe after cluster_start.
 */
#ifndef LOCKFLIGHT_LOCAL_CLUSTER_H
#define LOCKFLIGHT_LOCAL_CLUSTER_H

#include "local/child.h"
#include "local/sql.h"

struct cluster;

struct cluster_spec {
    struct supervisor *supervisor;
    const char *state_dir;
    const char *run_dir; /* socket */
    const char *log_path;
    const char *password; /* of role postgres */
    int port;             /* to try first */
};

/* Makes the cluster if there is none, waits for a predecessor that still stops, starts it, and
 * returns when it answers and the template is current. */
bool cluster_start(const struct cluster_spec *spec, struct cluster **ret, struct err *e) MUST_USE;

/* Fast stop. Accepts NULL. */
void cluster_stop(struct cluster *c);

int cluster_port(const struct cluster *c);
pid_t cluster_pid(const struct cluster *c);
bool cluster_is_running(struct cluster *c);

/* Starts it again if it has died by itself. */
bool cluster_revive(struct cluster *c, struct err *e) MUST_USE;

/* Makes a database owned by postgres if it is missing. */
bool cluster_database(struct cluster *c, const char *name, struct err *e) MUST_USE;

/* Drops it, whoever is connected, and makes it again. */
bool cluster_database_reset(struct cluster *c, const char *name, struct err *e) MUST_USE;

/* A connection over the socket. `user` is supabase_admin or postgres. */
bool cluster_connect(const struct cluster *c, const char *database, const char *user,
                     const char *act_as, struct sql **ret, struct err *e) MUST_USE;

#endif
