/*
 * The daemon behind `lockflight local`: one process per project that owns Postgres, PostgREST, the
 * functions' processes and the HTTP server, and obeys the control socket.
 */
#ifndef LOCKFLIGHT_LOCAL_DAEMON_H
#define LOCKFLIGHT_LOCAL_DAEMON_H

#include "base/arena.h"

struct daemon_spec {
    const char *state_dir;
    const char *run_dir;
    const char *project;
    int base_port; /* for the API; environments follow */
    int ready_fd;  /* "ok\n", or the error as text, is written here; -1: nobody waits */
};

/* Runs until it is told to stop (control "down", SIGTERM, SIGINT). ERR_CONFLICT if another daemon
 * has the state folder. As root it becomes the system user `lockflight` first. */
bool daemon_run(const struct daemon_spec *spec, struct err *e) MUST_USE;

#endif
