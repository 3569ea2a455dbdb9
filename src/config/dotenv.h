/*
 * env(NAME) of supabase/config.toml: the process environment first, then the .env files in the
 * order the Supabase CLI asks them.
 */
#ifndef LOCKFLIGHT_CONFIG_DOTENV_H
#define LOCKFLIGHT_CONFIG_DOTENV_H

#include "base/arena.h"
#include "base/str.h"

struct dotenv;

/* Reads .env.<SUPABASE_ENV>.local, .env.local, .env.<SUPABASE_ENV> and .env of both folders; files
 * that are missing or cannot be read count as empty. */
struct dotenv *dotenv_load(struct arena *a, const char *supabase_dir, const char *project_dir);

/* One line of such a file: the name, and what stands behind the = with its quotes. False if it is a
 * comment, empty, or none. */
bool dotenv_line(struct str line, struct str *ret_name, struct str *ret_raw);

/* The value of a text that is a whole "env(NAME)" and whose NAME is set and not empty; else the
 * text itself. `dotenv` is a struct dotenv. */
const char *dotenv_resolve(void *dotenv, const char *text);

#endif
