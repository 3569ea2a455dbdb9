/*
 * Seed files: `[db.seed] sql_paths` of supabase/config.toml, run in order as role postgres.
 */
#ifndef LOCKFLIGHT_LOCAL_SEED_H
#define LOCKFLIGHT_LOCAL_SEED_H

#include "config/config.h"

/* Each file is one transaction. A path may be a glob; files of one glob run in the order of their
 * names. Without sql_paths it is supabase/seed.sql, if that exists. */
bool seed_run(struct arena *a, const char *database_url, const struct supabase_config *config,
              size_t *ret_files, struct err *e) MUST_USE;

#endif
