/*
 * The source of one Edge Function: which files belong to it, and the digest that stands for them.
 *
 * The same struct comes from the project folder (function_source_collect), from the server
 * (supabase_function_source) and from the store of before-images (function_source_from_json), and
 * goes to the server in one way (supabase_function_deploy); so putting an old function back is an
 * ordinary deploy.
 *
 * Files are those the vendor's CLI would send: import map, static files, entrypoint and what it
 * reaches by literal imports that are relative after import-map substitution and have an extension.
 * A file whose real path lies outside the project is refused here, where the CLI would send it.
 */
#ifndef LOCKFLIGHT_PROVIDER_FUNCTION_SOURCE_H
#define LOCKFLIGHT_PROVIDER_FUNCTION_SOURCE_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"

#include <jansson.h>

struct function_file {
    const char *path; /* relative to the project, "supabase/functions/health/index.ts" */
    struct str content;
    char sha256[SHA256_HEX_BYTES];
};

struct function_source {
    const char *slug;
    const char *entrypoint_path; /* relative to the project */
    const char *import_map_path; /* "" if there is none */
    bool verify_jwt;
    const char **static_patterns;
    size_t n_static_patterns;
    const struct function_file *files; /* sorted by path */
    size_t n_files;
    uint64_t bytes;
    char digest[SHA256_HEX_BYTES]; /* over sorted (path, sha256) and the fields above */
};

/* What supabase/config.toml says about a function; zeros mean "not said". Paths are relative to
 * supabase/. */
struct function_settings {
    const char *slug;
    const char *entrypoint;
    const char *import_map;
    const char *const *static_files;
    size_t n_static_files;
    bool verify_jwt; /* default true is the caller's to fill in */
};

/* Names of the folders under <project>/supabase/functions that are functions, sorted: slug pattern,
 * index.ts inside, no leading underscore. No folder is an empty list. */
bool function_slugs(struct arena *a, const char *project_dir, const char ***ret_slugs,
                    size_t *ret_count, struct err *e) MUST_USE;

/* Reads and digests one function. A missing entrypoint or import map is ERR_CONFIG, as is a file
 * that leads out of the project; over LIMIT_FUNCTION_BYTES or LIMIT_FUNCTION_FILES is ERR_LIMIT. An
 * imported file that does not exist is left out: the scan is textual, and the bundler will say it
 * better. `settings` may be NULL (verify_jwt is then true). */
bool function_source_collect(struct arena *a, const char *project_dir, const char *slug,
                             const struct function_settings *settings, struct function_source *ret,
                             struct err *e) MUST_USE;

/* Sorts the files, hashes them and fills bytes and digest: for sources that come from elsewhere. */
void function_source_seal(struct arena *a, struct function_source *s);

/* For the store of before-images; contents as base64. The caller owns the JSON value. */
json_t *function_source_to_json(const struct function_source *s);
bool function_source_from_json(struct arena *a, const json_t *value, struct function_source *ret,
                               struct err *e) MUST_USE;

#endif
