/*
 * A built site as a list of files with digests: walked from a folder, or read back from a journal
 * or an attestation, and handed to the host.
 *
 * DIGEST  artefact.digest is SHA-256 over "path NUL sha256 LF" of every file but the
 *         per-environment ones (below), sorted by path bytes. Two builds with equal digests are the
 *         same bytes for every visitor.
 *
 * FILES   Regular files only; symbolic links are not followed and not sent. Names that begin with
 *         "." are skipped but for a .well-known folder at the root; __MACOSX and, at the root,
 *         node_modules and bower_components are skipped. A name with "#" or "?", or that is not
 *         UTF-8, refuses the whole site, because the host would.
 *
 * HIDDEN  _redirects and _headers at the root travel like every file, but no host serves them; so
 *         their contents are kept, and written into the manifest's JSON.
 */
#ifndef LOCKFLIGHT_SITE_ARTEFACT_H
#define LOCKFLIGHT_SITE_ARTEFACT_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"
#include "provider/netlify.h"

#include <jansson.h>

#define ARTEFACT_ENV_PATH        "/_lockflight/env.js"
#define ARTEFACT_WELL_KNOWN_PATH "/.well-known/lockflight.json"

struct artefact_file {
    const char *path; /* "/index.html", not encoded */
    char sha1[SHA1_HEX_BYTES];
    char sha256[SHA256_HEX_BYTES];
    uint64_t bytes;
    const char *source; /* where to read it; NULL if it is not on this machine */
    struct str content; /* when source is NULL: generated and hidden files; p == NULL if not here */
};

struct artefact {
    struct artefact_file *files; /* sorted by path */
    size_t n_files;
    uint64_t bytes;
    char digest[SHA256_HEX_BYTES];
};

/* Walks and hashes a folder, in two threads, each file read once. ERR_CONFIG: no folder, no file, a
 * refused name; ERR_LIMIT: LIMIT_SITE_FILES, LIMIT_SITE_FILE_BYTES, LIMIT_SITE_BYTES. */
bool artefact_walk(struct arena *a, const char *dir, struct artefact *ret, struct err *e) MUST_USE;

/* Adds or replaces a generated file and keeps the order; the digest follows unless it is
 * per-environment. */
void artefact_put(struct arena *a, struct artefact *art, const char *path, struct str content);

/* True for the two files that differ between environments and stand outside the digest. */
bool artefact_is_per_environment(const char *path);

/* A copy without the per-environment files: what an attestation records. */
struct artefact artefact_common(struct arena *a, const struct artefact *art);

/* By path; NULL if there is none. */
const struct artefact_file *artefact_find(const struct artefact *art, const char *path);

/* The manifest {"v":1,"digest":…,"files":[{"path","sha1","sha256","bytes","content"?}]}; hidden
 * files carry their content in base64, others do not. The caller owns the value. Reading checks
 * every field and the digest: ERR_DATA. */
bool artefact_to_json(struct arena *a, const struct artefact *art, json_t **ret,
                      struct err *e) MUST_USE;
bool artefact_from_json(struct arena *a, const json_t *value, struct artefact *ret,
                        struct err *e) MUST_USE;

/* As netlify_deploy_sync and netlify_deploy_upload take them, in the same order. */
struct netlify_file *artefact_netlify_files(struct arena *a, const struct artefact *art);

/* Staging's bytes for production: downloads into `dir` those of the `required` contents that are
 * not on this machine, from the permalink of the deploy that was proved, and sets their `source`.
 * Each is checked against its SHA-256; a difference is ERR_CONFLICT that names the file, and the
 * site must then be rebuilt. */
struct artefact_fetch_spec {
    const char *permalink;
    const char *dir;             /* exists, private */
    const char *const *required; /* SHA-1 */
    size_t n_required;
};
bool artefact_fetch(struct arena *a, struct artefact *art, const struct artefact_fetch_spec *spec,
                    struct err *e) MUST_USE;

#endif
