/*
 * Files: see fs.h.
 */
#include "base/fs.h"

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

static bool read_all(int fd, char *into, size_t n, size_t *ret_read)
{
    size_t got = 0;
    while (got < n) {
        ssize_t r = read(fd, into + got, n - got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return false;
        if (r == 0)
            break;
        got += (size_t)r;
    }
    *ret_read = got;
    return true;
}

bool fs_read(struct arena *a, const char *path, size_t max_bytes, struct str *ret, struct err *e)
{
    CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        enum err_code code = errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
        err_system(e, "open %s", path);
        return err_recode(e, code);
    }
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_system(e, "stat %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_DATA, "%s is not a regular file", path);
    if ((uint64_t)st.st_size > max_bytes)
        return err_set(e, ERR_LIMIT, "%s has %lld bytes; at most %zu are read", path,
                       (long long)st.st_size, max_bytes);
    size_t n = (size_t)st.st_size;
    char *bytes = arena_alloc(a, n + 1);
    size_t got = 0;
    if (!read_all(fd, bytes, n, &got))
        return err_system(e, "read %s", path);
    *ret = (struct str){ bytes, got };
    return true;
}

bool fs_write_all(int fd, struct str content, struct err *e)
{
    while (content.n > 0) {
        ssize_t w = write(fd, content.p, content.n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return err_system(e, "write");
        content.p += w;
        content.n -= (size_t)w;
    }
    return true;
}

static bool dir_sync_parent(const char *path, struct err *e)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) : 1;
    (void)snprintf(dir, sizeof dir, "%.*s", n ? n : 1, slash ? path : ".");
    CLEANUP(fd) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_system(e, "open %s", dir);
    if (fsync(fd) != 0)
        return err_system(e, "sync %s", dir);
    return true;
}

static bool write_synced(const char *tmp, struct str content, mode_t mode, struct err *e)
{
    CLEANUP(fd) int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_system(e, "open %s", tmp);
    if (!fs_write_all(fd, content, e))
        return err_wrap(e, "%s", tmp);
    if (fsync(fd) != 0)
        return err_system(e, "sync %s", tmp);
    return true;
}

bool fs_replace(const char *path, struct str content, mode_t mode, struct err *e)
{
    char tmp[PATH_MAX];
    if (snprintf(tmp, sizeof tmp, "%s.%d.new", path, (int)getpid()) >= (int)sizeof tmp)
        return err_set(e, ERR_LIMIT, "path too long: %s", path);
    if (!write_synced(tmp, content, mode, e)) {
        (void)unlink(tmp);
        return err_wrap(e, "replace %s", path);
    }
    if (!FAULT_POINT("fs.replace.written", e))
        return false;
    if (rename(tmp, path) != 0) {
        err_system(e, "rename %s to %s", tmp, path);
        (void)unlink(tmp);
        return false;
    }
    return FAULT_POINT("fs.replace.renamed", e) && dir_sync_parent(path, e);
}

static bool mkdir_one(const char *path, mode_t mode, struct err *e)
{
    if (mkdir(path, mode) == 0)
        return true;
    if (errno == EEXIST && fs_is_dir(path))
        return true;
    return err_system(e, "make folder %s", path);
}

bool fs_mkdirs(const char *path, mode_t mode, struct err *e)
{
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return err_set(e, ERR_LIMIT, "path too long: %s", path);
    for (char *at = strchr(part + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (!fs_is_dir(part) && !mkdir_one(part, mode, e))
            return false;
        *at = '/';
    }
    return mkdir_one(part, mode, e);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

bool fs_remove_tree(const char *path, struct err *e)
{
    enum {
        OPEN_FOLDERS = 32
    };
    // NOLINTNEXTLINE(concurrency-mt-unsafe): changes no folder
    if (nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return true;
    return err_system(e, "remove %s", path);
}

bool fs_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool fs_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *fs_real_path(struct arena *a, const char *path)
{
    CLEANUP(mem) char *real = realpath(path, NULL);
    return real ? arena_strdup(a, real) : NULL;
}

char *fs_join(struct arena *a, const char *dir, const char *name)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    while (name[0] == '/')
        name++;
    return arena_printf(a, "%.*s%s%s", (int)n, dir, n == 1 && dir[0] == '/' ? "" : "/", name);
}

static int compare_names(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

bool fs_list(struct arena *a, const char *dir, const char ***ret_names, size_t *ret_count,
             struct err *e)
{
    CLEANUP(dir) DIR *d = opendir(dir);
    if (!d) {
        enum err_code code = errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
        err_system(e, "open folder %s", dir);
        return err_recode(e, code);
    }
    VEC(const char *) names = { 0 };
    errno = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's readdir is safe on a stream of one's own
    for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
        if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
            continue;
        *vec_add(&names, a) = arena_strdup(a, entry->d_name);
        errno = 0;
    }
    if (errno != 0)
        return err_system(e, "read folder %s", dir);
    if (names.n > 1)
        qsort(names.v, names.n, sizeof *names.v, compare_names);
    *ret_names = names.v;
    *ret_count = names.n;
    return true;
}
