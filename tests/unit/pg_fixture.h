/*
 * A private PostgreSQL for unit tests: one cluster per test program, made in a temporary folder
 * when the first test asks, reachable by its unix socket only, without fsync, and gone when the
 * program ends, however it ends.
 *
 * As root the server runs as "nobody", because PostgreSQL refuses to run as root.
 */
#ifndef LOCKFLIGHT_TESTS_PG_FIXTURE_H
#define LOCKFLIGHT_TESTS_PG_FIXTURE_H

#include "base/arena.h"

/* Before the first database: a server of version 18, which tools/install-deps puts beside ours. */
void pg_fixture_newest(void);

/* Makes a new, empty database and returns its URL. Ends the test program if that is not possible.
 * */
char *pg_fixture_database(struct arena *a);

/* A streaming replica of it, up to the end of the test program: the URL of its database postgres. */
char *pg_fixture_replica(struct arena *a);

/* Stops the server with "immediate" and starts it again, as a crash would. */
void pg_fixture_crash(void);

#endif
