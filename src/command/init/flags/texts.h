/*
 * What `init` writes for feature flags: the files of this folder, embedded at build time.
 */
#ifndef LOCKFLIGHT_COMMAND_INIT_FLAGS_TEXTS_H
#define LOCKFLIGHT_COMMAND_INIT_FLAGS_TEXTS_H

extern const char flags_caller_ts[];
extern const char flags_deno_json[];
extern const char flags_flag_set_ts[];
extern const char flags_handler_ts[];
extern const char flags_index_ts[];
extern const char flags_keeper_ts[];
extern const char flags_snapshot_ts[];
extern const char flags_snapshot_sql[];
extern const char flags_module_sql[];
extern const char flags_starter_toml[];

#endif
