/*
 * What a release is made from, and the digest that names it.
 *
 * FORMAT   SHA-256 over one line per file, sorted by path, "<mode> <blob id> <path>\n", then one
 *          line "variable <name>\n" per declared variable, sorted. The blob id is git's own,
 *          computed here from the bytes on disk, so a clean checkout, a dirty tree and a folder
 *          without git agree when their files do.
 *
 * FILES    Everything under the project that git does not ignore (without git: everything but dot
 *          folders, node_modules and the built site), except lockflight.toml and the encrypted
 *          values: what is released does not depend on how it is checked, nor on what other
 *          environments are told.
 */
#ifndef LOCKFLIGHT_ENGINE_SOURCE_H
#define LOCKFLIGHT_ENGINE_SOURCE_H

#include "base/str.h"

struct source_spec {
    const char *project_dir;
    const char *publish_dir; /* of the built site, relative to the project; left out unless git
                              * keeps it */
    const char *secrets_dir; /* relative to the project; left out */
    const char *const *variable_names; /* NULL-terminated */
};

struct source {
    const char *digest;  /* 64 hex */
    const char *release; /* "2026-03-14.9f3c1ab0": today and the digest's first 8 hex */
    const char *commit;  /* 40 hex, "" without git */
    const char *subject; /* of the commit; "" without git */
    const char *author;  /* same */
    const char *branch;  /* "" when detached or without git */
    bool is_dirty;       /* differs from the commit, or there is none */
    size_t files;
};

/* Reads and hashes the whole source. */
bool source_read(struct arena *a, const struct source_spec *spec, struct source *ret,
                 struct err *e) MUST_USE;

/* Does commit `newer` come after commit `older`, in this clone? False if one of them is not in it. */
bool source_comes_after(struct arena *a, const char *dir, const char *newer, const char *older);

/* The id git gives a file of these bytes. `ret_hex` has room for SHA1_HEX_BYTES. */
void source_blob_id(struct str content, char *ret_hex);

#endif
