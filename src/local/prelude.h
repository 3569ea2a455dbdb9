/*
 * What a Supabase project's database has before the first migration: prelude/, embedded at build
 * time. Both are scripts for the superuser.
 */
#ifndef LOCKFLIGHT_LOCAL_PRELUDE_H
#define LOCKFLIGHT_LOCAL_PRELUDE_H

extern const char prelude_roles_sql[];    /* 10_roles.sql: for the cluster; may be run again */
extern const char prelude_database_sql[]; /* the rest: for an empty database */

#endif
