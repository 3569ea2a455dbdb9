/*
 * The sources of a frontend in a folder: what a person wrote and a bundler reads. What is installed,
 * built, or only for tests is left out.
 *
 * LEFT OUT    names that begin with a dot; node_modules and folders that hold what was built; folders
 *             and files of tests, stories and declarations (*.test.*, *.d.ts); `skip`.
 */
#ifndef LOCKFLIGHT_SECRET_SOURCE_TREE_H
#define LOCKFLIGHT_SECRET_SOURCE_TREE_H

#include "secret/inventory.h"

struct source_tree {
    const char *project_dir; /* paths in the inventory are relative to it */
    const char *dir;         /* absolute; one that is missing has no sources */
    const char *const *skip; /* absolute folders and files, NULL-terminated */
    const char *const
        *ignore; /* patterns relative to the project, "src/gen/" and all below, "src/x.js" */
    size_t n_ignore;
    enum use_place place; /* USE_FRONTEND: configuration files of the bundler are USE_BUILD */
};

/* Reads every source of the tree into the inventory. ERR_LIMIT: too large, too many or too deep. */
bool source_tree_add(struct arena *a, struct inventory *inv, const struct source_tree *tree,
                     struct err *e) MUST_USE;

/* Names that a file like .env gives to the build, NULL-terminated; a missing file gives none. */
const char *const *source_dotenv_names(struct arena *a, const char *path);

#endif
