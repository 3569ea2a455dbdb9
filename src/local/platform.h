/*
 * The local platform as its daemon holds it: one struct for the whole, one per environment. What is
 * written once at start, or before an environment is published in `environments_n`, is read without
 * a lock; everything that changes belongs to the module it stands in.
 */
#ifndef LOCKFLIGHT_LOCAL_PLATFORM_H
#define LOCKFLIGHT_LOCAL_PLATFORM_H

#include "config/local_state.h"
#include "local/child.h"
#include "local/cluster.h"
#include "local/sites.h"
#include "net/server/server.h"

#include <stdatomic.h>

#define PLATFORM_ENVIRONMENTS_MAX 16 /* declared and created; each costs a PostgREST */
#define PLATFORM_SLOTS_MAX        64 /* with those that were deleted since the start */

struct platform;
struct rest;
struct functions;
struct auth;
struct flag_gate;
struct bundle_tools;
struct projects;

/* What `local up` tells about an environment. */
struct platform_settings {
    const char *api_schemas;           /* "public,graphql_public" */
    const char *api_extra_search_path; /* "public,extensions" */
    int api_max_rows;
};

struct platform_environment {
    struct platform *platform;
    struct local_environment id; /* names, port, keys: as in platform.json */
    struct platform_settings settings;
    const char *database; /* name inside the cluster */
    struct site *site;
    struct rest *rest;
    struct functions *functions;
    struct auth *auth;
    struct flag_gate *flags;
    atomic_bool is_ready;   /* all of the above is there */
    atomic_bool has_failed; /* a created one that could not be brought up; the next `up` retries */
    atomic_bool is_removed; /* kept, because a port's handler may hold it; serves nothing */
    const char *attached;   /* the declared environment that names this created one, or NULL */
    struct platform_environment *next_unready;
};

struct platform {
    struct arena *arena; /* the daemon's main thread only */
    const char *state_dir;
    const char *run_dir;
    const char *log_dir;
    struct local_platform id;      /* platform.json */
    const char *program;           /* which build this is: control_program */
    const char *database_password; /* of role postgres */
    int api_port;
    int64_t bound_logs_boot_ms; /* when log files are looked at next */
    struct supervisor *supervisor;
    struct cluster *cluster;
    struct server *server;
    struct sites *sites;
    const struct bundle_tools *tools; /* Deno */
    struct projects *projects;        /* orders to the main thread */
    struct platform_environment *environments[PLATFORM_SLOTS_MAX];
    atomic_size_t environments_n;
    struct platform_environment *unready; /* have a port, but could not be brought up */
};

/* The environment with that project ref, ready or not, or removed; NULL if there is none. Any
 * thread. */
struct platform_environment *platform_by_ref(struct platform *p, const char *ref);
struct platform_environment *platform_by_name(struct platform *p, const char *name);

#endif
