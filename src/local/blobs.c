/*
 * The store of contents: see blobs.h.
 *
 * `lock` guards the table and the budget. A blob's own data is behind a small spin flag, so that
 * the loops, which take references on every request, do not meet each other on one lock.
 */
#include "local/blobs.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/limits.h"
#include "local/compress.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUCKETS    8192
#define DAY_S      ((int64_t)24 * 3600)
#define PATH_BYTES 512

struct blob {
    struct blob *next;
    char sha[SHA1_HEX_BYTES];
    uint64_t bytes;
    atomic_uint forms; /* bit per encoding */
    atomic_flag busy;  /* guards `data` */
    struct bytes *data[ENCODINGS];
    _Atomic(int64_t) used_ms;
};

struct blobs {
    char dir[PATH_BYTES];
    pthread_mutex_t lock;
    struct blob *table[BUCKETS];
    size_t memory_bytes; /* the budget */
    atomic_size_t loaded_bytes;
    atomic_uint temp_count;
    atomic_bool is_dirty; /* something was stored since the last sync */
};

static const char *const suffixes[ENCODINGS] = { "", ".gz", ".br" };

/* ---- Bytes and data -------------------------------------------------------------------------- */

void bytes_unref(void *p)
{
    struct bytes *bytes = p;
    if (bytes && atomic_fetch_sub(&bytes->refs, 1) == 1)
        free(bytes);
}

static void blob_lock(struct blob *blob)
{
    while (atomic_flag_test_and_set_explicit(&blob->busy, memory_order_acquire))
        ; /* held for a few instructions only */
}

static void blob_unlock(struct blob *blob)
{
    atomic_flag_clear_explicit(&blob->busy, memory_order_release);
}

struct bytes *blob_memory(struct blob *blob, enum encoding encoding)
{
    blob_lock(blob);
    struct bytes *data = blob->data[encoding];
    if (data)
        (void)atomic_fetch_add(&data->refs, 1);
    blob_unlock(blob);
    if (data)
        atomic_store_explicit(&blob->used_ms, clock_boot_ms(), memory_order_relaxed);
    return data;
}

uint64_t blob_bytes(const struct blob *blob)
{
    return blob->bytes;
}

const char *blob_sha(const struct blob *blob)
{
    return blob->sha;
}

bool blob_has(const struct blob *blob, enum encoding encoding)
{
    return atomic_load(&blob->forms) & (1U << encoding);
}

bool blob_is_small(const struct blob *blob)
{
    return blob->bytes <= LIMIT_BLOB_IN_MEMORY;
}

/* ---- Table ----------------------------------------------------------------------------------- */

static struct blob **bucket(struct blobs *b, const char *sha)
{
    char first[5] = { sha[0], sha[1], sha[2], sha[3], 0 };
    return &b->table[strtoul(first, NULL, 16) % BUCKETS];
}

struct blob *blobs_find(struct blobs *b, const char *sha)
{
    (void)pthread_mutex_lock(&b->lock);
    struct blob *blob = *bucket(b, sha);
    while (blob && strcmp(blob->sha, sha) != 0)
        blob = blob->next;
    (void)pthread_mutex_unlock(&b->lock);
    return blob;
}

static void add(struct blobs *b, const char *sha, uint64_t bytes, unsigned forms)
{
    (void)pthread_mutex_lock(&b->lock);
    struct blob **at = bucket(b, sha);
    struct blob *blob = *at;
    while (blob && strcmp(blob->sha, sha) != 0)
        blob = blob->next;
    if (!blob) {
        blob = calloc(1, sizeof *blob);
        if (!blob)
            memory_exhausted(sizeof *blob);
        (void)snprintf(blob->sha, sizeof blob->sha, "%s", sha);
        blob->next = *at;
        *at = blob;
    }
    if (forms & (1U << ENCODING_IDENTITY))
        blob->bytes = bytes;
    (void)atomic_fetch_or(&blob->forms, forms);
    (void)pthread_mutex_unlock(&b->lock);
}

static void form_path(const struct blobs *b, const char *sha, enum encoding encoding, char *ret)
{
    (void)snprintf(ret, PATH_BYTES + 64, "%s/%.2s/%s%s", b->dir, sha, sha, suffixes[encoding]);
}

/* ---- Open and close -------------------------------------------------------------------------- */

static bool is_sha(const char *s, size_t n)
{
    return n == SHA1_HEX_BYTES - 1 && strspn(s, "0123456789abcdef") >= n;
}

/* After a power cut a blob may be short or empty: then it is as good as not there. */
static bool is_whole(const char *path, const char *sha, struct err *e)
{
    CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char found[SHA1_HEX_BYTES];
    uint64_t n = 0;
    return fd >= 0 && hash_fd(fd, found, NULL, &n, e) && strcmp(found, sha) == 0;
}

static bool is_old(const struct stat *st)
{
    return clock_unix_ms() / 1000 - st->st_mtime > DAY_S;
}

static void scan_file(struct blobs *b, const char *path, const char *name, enum blob_use use,
                      const struct stat *st)
{
    char sha[SHA1_HEX_BYTES];
    struct err e;
    (void)snprintf(sha, sizeof sha, "%.40s", name);
    unsigned form = 0;
    while (form < ENCODINGS && strcmp(name + SHA1_HEX_BYTES - 1, suffixes[form]) != 0)
        form++;
    bool is_kept = form < ENCODINGS && (use != BLOB_UNUSED || !is_old(st));
    if (is_kept && use != BLOB_SERVED) /* a compressed form is made again when it is needed */
        is_kept = form == ENCODING_IDENTITY && is_whole(path, sha, &e);
    if (is_kept)
        add(b, sha, (uint64_t)st->st_size, 1U << form);
    else
        (void)unlink(path);
}

static void scan_folder(struct blobs *b, const char *folder, blob_use_fn use, void *context)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct err e;
    const char **names = NULL;
    size_t count = 0;
    if (!fs_list(a, folder, &names, &count, &e))
        return;
    for (size_t i = 0; i < count; i++) {
        const char *path = fs_join(a, folder, names[i]);
        struct stat st;
        if (!is_sha(names[i], strcspn(names[i], ".")) || stat(path, &st) != 0)
            continue;
        const char *sha = arena_strndup(a, names[i], SHA1_HEX_BYTES - 1);
        scan_file(b, path, names[i], use(context, sha), &st);
    }
}

bool blobs_open(const char *dir, size_t memory_bytes, blob_use_fn use, void *context,
                struct blobs **ret, struct err *e)
{
    struct blobs *b = calloc(1, sizeof *b);
    if (!b)
        memory_exhausted(sizeof *b);
    (void)pthread_mutex_init(&b->lock, NULL);
    b->memory_bytes = memory_bytes;
    *ret = b;
    if (snprintf(b->dir, sizeof b->dir, "%s", dir) >= (int)sizeof b->dir)
        return err_set(e, ERR_LIMIT, "path too long: %s", dir);
    char path[PATH_BYTES + 64];
    (void)snprintf(path, sizeof path, "%s/tmp", dir);
    if (!fs_remove_tree(path, e) || !fs_mkdirs(path, 0700, e))
        return false;
    for (unsigned i = 0; i < 256; i++) { /* a folder is made when it gets its first blob */
        (void)snprintf(path, sizeof path, "%s/%02x", dir, i);
        scan_folder(b, path, use, context);
    }
    return true;
}

void blobs_close(struct blobs *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (b->table[i]) {
            struct blob *blob = b->table[i];
            b->table[i] = blob->next;
            for (unsigned k = 0; k < ENCODINGS; k++)
                bytes_unref(blob->data[k]);
            free(blob);
        }
    }
    (void)pthread_mutex_destroy(&b->lock);
    free(b);
}

/* ---- Storing --------------------------------------------------------------------------------- */

bool blobs_temp(struct blobs *b, char ret_path[], size_t room, int *ret_fd, struct err *e)
{
    unsigned n = atomic_fetch_add(&b->temp_count, 1);
    if (snprintf(ret_path, room, "%s/tmp/%u", b->dir, n) >= (int)room)
        return err_set(e, ERR_LIMIT, "path too long: %s", b->dir);
    *ret_fd = open(ret_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *ret_fd >= 0 || err_system(e, "open %s", ret_path);
}

static bool move_in(const char *temp, const char *path, struct err *e)
{
    if (rename(temp, path) == 0)
        return true;
    char folder[PATH_BYTES + 64];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (errno != ENOENT || (mkdir(folder, 0700) != 0 && errno != EEXIST) || rename(temp, path) != 0)
        return err_system(e, "rename %s to %s", temp, path);
    return true;
}

bool blobs_adopt(struct blobs *b, const char *temp_path, const char *sha, uint64_t n, struct err *e)
{
    char path[PATH_BYTES + 64];
    form_path(b, sha, ENCODING_IDENTITY, path);
    if (!move_in(temp_path, path, e))
        return false;
    atomic_store(&b->is_dirty, true);
    add(b, sha, n, 1U << ENCODING_IDENTITY);
    return true;
}

/* Opens a file that must not exist, making its folder if it is the first one in it. */
static int create(const char *path)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = open(path, flags, 0600);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    char folder[PATH_BYTES + 64];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return -1;
    return open(path, flags, 0600);
}

/* Written under its own name: half a file is told from a whole one by its hash at the next start,
 * and while we run nobody looks at a name that is not in the table. */
static bool write_new(const char *path, struct str content, struct err *e)
{
    CLEANUP(fd) int fd = create(path);
    if (fd < 0)
        return err_system(e, "open %s", path);
    if (fs_write_all(fd, content, e))
        return true;
    (void)unlink(path);
    return err_wrap(e, "store %s", path);
}

/* Two uploads of one content may meet: the second takes the way over a temporary file. */
static bool write_beside(struct blobs *b, const char *path, struct str content, struct err *e)
{
    char temp[PATH_BYTES + 64];
    CLEANUP(fd) int fd = -1;
    if (!blobs_temp(b, temp, sizeof temp, &fd, e))
        return false;
    if (fs_write_all(fd, content, e) && move_in(temp, path, e))
        return true;
    (void)unlink(temp);
    return false;
}

bool blobs_put(struct blobs *b, const char *sha, struct str content, struct err *e)
{
    if (blobs_find(b, sha))
        return true;
    char path[PATH_BYTES + 64];
    form_path(b, sha, ENCODING_IDENTITY, path);
    if (!write_new(path, content, e) &&
        (e->sys_errno != EEXIST || !write_beside(b, path, content, e)))
        return false;
    atomic_store(&b->is_dirty, true);
    add(b, sha, content.n, 1U << ENCODING_IDENTITY);
    return true;
}

bool blobs_sync(struct blobs *b, struct err *e)
{
    if (!atomic_exchange(&b->is_dirty, false))
        return true;
    CLEANUP(fd) int fd = open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) != 0) {
        atomic_store(&b->is_dirty, true);
        return err_system(e, "sync %s", b->dir);
    }
    return true;
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static struct bytes *take_data(struct blob *blob, unsigned form)
{
    blob_lock(blob);
    struct bytes *data = blob->data[form];
    blob->data[form] = NULL;
    blob_unlock(blob);
    return data;
}

static void drop_data(struct blobs *b, struct blob *blob)
{
    for (unsigned k = 0; k < ENCODINGS; k++) {
        struct bytes *data = take_data(blob, k);
        if (data)
            (void)atomic_fetch_sub(&b->loaded_bytes, data->n);
        bytes_unref(data);
    }
}

/* Drops what was not used for the longest time until a quarter of the budget is free. Under lock.
 * */
static void evict(struct blobs *b)
{
    int64_t now_ms = clock_boot_ms();
    for (int64_t age_ms = 3600000; age_ms >= 0; age_ms = age_ms > 1000 ? age_ms / 8
                                                         : age_ms      ? 0
                                                                       : -1) {
        for (size_t i = 0; i < BUCKETS; i++) {
            for (struct blob *blob = b->table[i]; blob; blob = blob->next) {
                if (now_ms - atomic_load(&blob->used_ms) >= age_ms)
                    drop_data(b, blob);
            }
        }
        if (atomic_load(&b->loaded_bytes) <= b->memory_bytes / 4 * 3)
            return;
    }
}

static struct bytes *read_form(struct blobs *b, struct blob *blob, enum encoding encoding)
{
    uint64_t n = 0;
    CLEANUP(fd) int fd = blobs_file(b, blob, encoding, &n);
    if (fd < 0 || n > LIMIT_SITE_FILE_BYTES)
        return NULL;
    struct bytes *data = malloc(sizeof *data + n);
    if (!data)
        memory_exhausted(n);
    atomic_init(&data->refs, 1);
    data->n = n;
    size_t got = 0;
    while (got < n) {
        ssize_t r = pread(fd, data->p + got, n - got, (off_t)got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        got += (size_t)r;
    }
    if (got == n)
        return data;
    free(data);
    return NULL;
}

struct bytes *blobs_load(struct blobs *b, struct blob *blob, enum encoding encoding)
{
    struct bytes *data = blob_memory(blob, encoding);
    if (data)
        return data;
    data = read_form(b, blob, encoding);
    if (!data || !blob_is_small(blob))
        return data;
    atomic_store(&blob->used_ms, clock_boot_ms());
    blob_lock(blob);
    bool is_first = blob->data[encoding] == NULL;
    if (is_first) {
        (void)atomic_fetch_add(&data->refs, 1);
        blob->data[encoding] = data;
    }
    blob_unlock(blob);
    if (is_first && atomic_fetch_add(&b->loaded_bytes, data->n) + data->n > b->memory_bytes) {
        (void)pthread_mutex_lock(&b->lock);
        evict(b);
        (void)pthread_mutex_unlock(&b->lock);
    }
    return data;
}

int blobs_file(struct blobs *b, struct blob *blob, enum encoding encoding, uint64_t *ret_bytes)
{
    char path[PATH_BYTES + 64];
    form_path(b, blob->sha, encoding, path);
    CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return -1;
    *ret_bytes = (uint64_t)st.st_size;
    return fd_take(&fd);
}

/* ---- Compressed forms ------------------------------------------------------------------------ */

/* Not yet durable, so not yet under the name that is trusted after a restart. */
static void fresh_path(const struct blobs *b, const struct blob *blob, enum encoding encoding,
                       char *ret)
{
    form_path(b, blob->sha, encoding, ret);
    (void)strncat(ret, ".new", 5);
}

static void compress_form(struct blobs *b, struct blob *blob, enum encoding encoding,
                          const struct bytes *plain)
{
    struct str out = { 0 };
    struct err e;
    char path[PATH_BYTES + 64];
    bool made = encoding == ENCODING_GZIP ? compress_gzip(plain->p, plain->n, &out)
                                          : compress_brotli(plain->p, plain->n, &out);
    bool is_worth_it = made && out.n < plain->n / 10 * 9;
    fresh_path(b, blob, encoding, path);
    if (is_worth_it && write_new(path, out, &e))
        atomic_store(&b->is_dirty, true);
    compress_free(&out);
}

void blobs_compress(struct blobs *b, struct blob *blob)
{
    if (blob->bytes < LIMIT_COMPRESS_FROM || blob->bytes > LIMIT_COMPRESS_TO)
        return;
    if (blob_has(blob, ENCODING_GZIP) || blob_has(blob, ENCODING_BROTLI))
        return;
    struct bytes *plain = read_form(b, blob, ENCODING_IDENTITY);
    if (!plain)
        return;
    compress_form(b, blob, ENCODING_GZIP, plain);
    compress_form(b, blob, ENCODING_BROTLI, plain);
    bytes_unref(plain);
}

void blobs_compressed(struct blobs *b, struct blob *blob)
{
    for (unsigned form = ENCODING_GZIP; form < ENCODINGS; form++) {
        char fresh[PATH_BYTES + 64];
        char path[PATH_BYTES + 64];
        fresh_path(b, blob, form, fresh);
        form_path(b, blob->sha, form, path);
        if (!blob_has(blob, form) && rename(fresh, path) == 0)
            (void)atomic_fetch_or(&blob->forms, 1U << form);
    }
}
