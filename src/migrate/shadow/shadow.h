/*
 * Scratch databases: a database like the one a migration will meet, for running it without anybody
 * being hurt. Made on a server where the caller may create databases; the database that the URL
 * names is only the door, nothing in it is read or written.
 *
 * BEGINNING  On the local platform's cluster a clone of its template, which has what a Supabase
 *            project has. Elsewhere an empty database, with the same things built in as far as that
 *            server lets us when it has Supabase's roles or when the migrations speak of them.
 *
 * TEMPLATES  The migrations before `upto` are replayed once and kept as a database nobody can
 *            connect to, named by a digest of everything that went into it; each shadow is a clone
 *            of it (tens of milliseconds). The ones used last are kept.
 *
 * NAMES      lockflight_shadow_…: the machine, the process, the time and a random part are in the
 *            name, so that concurrent runs cannot meet, and what a killed run left is dropped by the
 *            next one. Somebody else's living shadow is never touched.
 *
 * CALLS      shadow_open → shadow_db, shadow_run, shadow_advance … → shadow_close.
 */
#ifndef LOCKFLIGHT_MIGRATE_SHADOW_H
#define LOCKFLIGHT_MIGRATE_SHADOW_H

#include "migrate/migration.h"
#include "provider/pg.h"

struct shadow;

struct shadow_spec {
    const char *server_url;          /* any database of the server */
    const struct migration_set *set; /* NULL: no migrations */
    const char *upto; /* those before this version are replayed; NULL: all of the set */
};

/* Makes one and connects to it. ERR_AUTH if the role may not create databases; ERR_DB with file, line
 * and caret if an earlier migration does not run. Drop it with shadow_close. The arena must live as
 * long as the shadow. */
bool shadow_open(const struct shadow_spec *spec, struct arena *a, struct shadow **ret,
                 struct err *e) MUST_USE;

/* The connection, as the role of the URL. Settings are those of a fresh session, but that nothing is
 * compiled just in time and that commits do not wait for the disk. */
struct pg *shadow_db(const struct shadow *s);

/* For a second connection: pg_open with .url = server_url and .database = this. */
const char *shadow_database(const struct shadow *s);
const char *shadow_server_url(const struct shadow *s);

/* Runs one script for good, as a file of this name: in one transaction, or, where a statement cannot,
 * statement by statement. */
bool shadow_run(struct shadow *s, const char *file, struct str sql, struct err *e) MUST_USE;

/* Applies the next migration for good, so that one shadow can walk through a whole set. */
bool shadow_advance(struct shadow *s, const struct migration *m, struct err *e) MUST_USE;

/* The same, inside the caller's transaction: the statements only. */
bool shadow_run_inside(struct shadow *s, const char *file, struct str sql, struct err *e) MUST_USE;

/* A second shadow, equal to what this one is now. The connection of `s` is closed and opened again,
 * so nothing may be open in it. */
bool shadow_fork(struct shadow *s, struct shadow **ret, struct err *e) MUST_USE;

/* What is different from the real database, in sentences: extensions that this server lacks. */
const char *const *shadow_notes(const struct shadow *s, size_t *ret_count);

/* Disconnects and drops it, whoever else is connected. Accepts NULL. */
void shadow_close(struct shadow *s);

static inline void shadow_cleanup(struct shadow **s)
{
    shadow_close(*s);
}

#endif
