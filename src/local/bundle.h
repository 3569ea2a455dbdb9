/*
 * The sources of Edge Functions on disk, one folder per content:
 *
 *     <state>/projects/<ref>/bundles/<digest>/
 *         src/…             the files, by their paths
 *         import_map.json   the function's map laid over the platform's
 *         deno.lock         the versions that were found at deploy
 *         manifest.json     entrypoint, import map, list of files
 *
 * The digest is SHA-256 over a canonical list of paths and contents; it is what the API shows as
 * ezbr_sha256. A folder appears by one rename, complete, and is never changed.
 */
#ifndef LOCKFLIGHT_LOCAL_BUNDLE_H
#define LOCKFLIGHT_LOCAL_BUNDLE_H

#include "base/hash.h"
#include "net/multipart.h"

#include <jansson.h>

/* Where Deno and its helpers are. */
struct bundle_tools {
    const char *deno;     /* program */
    const char *deno_dir; /* its cache */
    const char *edge_dir; /* preload.js and friends */
};

/* Writes Deno's helper scripts. Once per start of the platform. */
bool bundle_tools_prepare(const char *state_dir, struct arena *a, struct bundle_tools *ret,
                          struct err *e) MUST_USE;

/* What a deploy sends: files with their paths as names, and the part "metadata". */
struct bundle_source {
    const struct multipart_part *files;
    size_t n;
    const json_t *metadata;
};

/* Keeps the files and resolves every import, so that running needs no network. `metadata` is the
 * part of that name: entrypoint_path, import_map_path. ERR_DATA with Deno's words if it does not
 * compile. */
bool bundle_keep(const struct bundle_tools *tools, struct arena *a, const char *project_dir,
                 const struct bundle_source *source, char ret_digest[SHA256_HEX_BYTES],
                 struct err *e) MUST_USE;

bool bundle_exists(struct arena *a, const char *project_dir, const char *digest);
char *bundle_dir(struct arena *a, const char *project_dir, const char *digest);

/* Its manifest; the caller owns it. */
bool bundle_manifest(struct arena *a, const char *project_dir, const char *digest, json_t **ret,
                     struct err *e) MUST_USE;

/* A file of a bundle by its path. */
bool bundle_file(struct arena *a, const char *project_dir, const char *digest, const char *path,
                 struct str *ret, struct err *e) MUST_USE;

/* Arguments that find modules the same way at deploy and at run: written to argv[n…], returns the
 * new n. */
size_t bundle_arguments(struct arena *a, const char *dir, const json_t *manifest, const char **argv,
                        size_t n);

#endif
