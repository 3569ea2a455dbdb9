/*
 * What a Supabase project's database has before the first migration: prelude/, embedded at build
 * time. Written for the superuser of the local platform's cluster; on another server the scratch
 * databases run the same statements one by one and do without those that are refused there.
 */
#ifndef LOCKFLIGHT_PROVIDER_PRELUDE_H
#define LOCKFLIGHT_PROVIDER_PRELUDE_H

extern const char prelude_roles_sql[];    /* 10_roles.sql: for our cluster; may be run again */
extern const char prelude_database_sql[]; /* 20… to 70…: for an empty database */

/* For somebody else's cluster: only what is missing, and nobody is changed who exists. */
extern const char prelude_stand_in_roles_sql[];

/* The database of our cluster that holds the second, and is cloned for every environment. */
#define PRELUDE_TEMPLATE "lockflight_template"

#endif
