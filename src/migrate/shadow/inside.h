/*
 * What the files of this folder share. Nobody outside includes it.
 *
 *   server.c    the server: who we are there, what a database begins with, names, what is left over
 *   template.c  the kept databases: found, built, cloned, thrown away
 *   replay.c    running a file
 *   shadow.c    the public functions
 */
#ifndef LOCKFLIGHT_MIGRATE_SHADOW_INSIDE_H
#define LOCKFLIGHT_MIGRATE_SHADOW_INSIDE_H

#include "base/vec.h"
#include "migrate/shadow/shadow.h"

#define SHADOW_PREFIX   "lockflight_shadow_"
#define TEMPLATE_PREFIX SHADOW_PREFIX "t_"

struct shadow_server {
    struct arena *a;
    const char *url;
    struct pg *admin; /* connected to the database of the URL */
    const char *user;
    const char
        *platform_template; /* digest of the local platform's template; NULL: there is none */
    bool has_prelude;       /* begin with what a Supabase project has */
    const char *lacks;      /* NULL, or why that could not be built in, for hints */
};

/* Connects, looks, and drops what dead runs have left. */
bool shadow_server_open(const char *url, const struct migration_set *set, struct arena *a,
                        struct shadow_server *ret, struct err *e) MUST_USE;

/* A name that no other run can choose. */
char *shadow_name(struct arena *a);

/* One statement about databases ("CREATE DATABASE …"), outside any transaction. */
bool shadow_admin(struct shadow_server *v, const char *sql, struct err *e) MUST_USE;

/* Creates a database, with the settings that make it quick. */
bool shadow_create(struct shadow_server *v, const char *name, const char *template_name,
                   struct err *e) MUST_USE;
void shadow_drop(struct shadow_server *v, const char *name);

bool shadow_connect(const struct shadow_server *v, const char *name, struct pg **ret,
                    struct err *e) MUST_USE;

/* Sentences about what had to be left out. */
struct shadow_notes {
    struct arena *a; /* where they live */
    VEC(const char *) list;
    VEC(const char *) extensions; /* names */
};

/* Runs what a database begins with, statement by statement, without those the server refuses. */
bool shadow_fill(struct shadow_server *v, struct pg *db, struct err *e) MUST_USE;

bool replay_script(struct pg *db, const char *file, struct str sql, struct shadow_notes *notes,
                   struct err *e) MUST_USE;
bool replay_inside(struct pg *db, const char *file, struct str sql, struct shadow_notes *notes,
                   struct err *e) MUST_USE;

/* Makes a database `name` with the first n migrations of the set in it, from a template that is found
 * or built. */
bool template_clone(struct shadow_server *v, const struct migration_set *set, size_t n,
                    const char *name, struct shadow_notes *ret_notes, struct err *e) MUST_USE;

#endif
