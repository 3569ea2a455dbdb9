/*
 * Files: whole reads with a limit, atomic durable replacement, folders. Paths are plain C strings;
 * nothing here follows a pattern or a shell rule.
 */
#ifndef LOCKFLIGHT_BASE_FS_H
#define LOCKFLIGHT_BASE_FS_H

#include "base/arena.h"
#include "base/str.h"

#include <sys/types.h>

/* Reads a regular file of at most max_bytes. ERR_NOT_FOUND if it does not exist, ERR_LIMIT if
 * larger. */
bool fs_read(struct arena *a, const char *path, size_t max_bytes, struct str *ret,
             struct err *e) MUST_USE;

/* Replaces path by content: temporary file beside it, fsync, rename, fsync of the folder. After a
 * power cut the file is the old or the new one, whole. */
bool fs_replace(const char *path, struct str content, mode_t mode, struct err *e) MUST_USE;

/* Writes all bytes, through short writes and EINTR. */
bool fs_write_all(int fd, struct str content, struct err *e) MUST_USE;

/* Makes a folder and its missing parents. An existing folder is success. */
bool fs_mkdirs(const char *path, mode_t mode, struct err *e) MUST_USE;

/* Removes a tree without following symbolic links. A missing path is success. */
bool fs_remove_tree(const char *path, struct err *e) MUST_USE;

bool fs_exists(const char *path);
bool fs_is_dir(const char *path);

/* Absolute path without symbolic links; NULL if it does not exist. */
char *fs_real_path(struct arena *a, const char *path);

/* a/b with exactly one slash between. */
char *fs_join(struct arena *a, const char *dir, const char *name);

/* Sorted names of a folder's entries without . and .. ; ERR_NOT_FOUND if there is no folder. */
bool fs_list(struct arena *a, const char *dir, const char ***ret_names, size_t *ret_count,
             struct err *e) MUST_USE;

#endif
