/*
 * Walking a built site: first the names, then all bytes once, in two threads, for both digests.
 */
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "site/artefact_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MAX_DEPTH = 64,
    HASH_THREADS = 2,
};

struct walk {
    struct arena *arena;
    VEC(struct artefact_file) files;
};

/* Names the host's own clients leave at home. */
static bool is_skipped(const char *name, bool at_root)
{
    if (name[0] == '.')
        return !(at_root && streq(name, ".well-known"));
    return at_root && (starts_with(name, "__MACOSX") || streq(name, "node_modules") ||
                       streq(name, "bower_components"));
}

static bool check_name(const char *path, struct err *e)
{
    if (strpbrk(path, "#?"))
        err_set(e, ERR_CONFIG, "%s: the host refuses file names with # or ?", path);
    else if (!str_is_utf8(str_of(path)))
        err_set(e, ERR_CONFIG, "%s: the file name is not UTF-8", path);
    else
        return true;
    return err_hint(e, "rename the file, or keep it out of the published folder");
}

// NOLINTNEXTLINE(misc-no-recursion): MAX_DEPTH
static bool walk_dir(struct walk *w, const char *dir, const char *path, int depth, struct err *e)
{
    const char **names;
    size_t n;
    if (depth > MAX_DEPTH)
        return err_set(e, ERR_LIMIT, "%s: folders are nested more than %d deep", dir, MAX_DEPTH);
    if (!fs_list(w->arena, dir, &names, &n, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (is_skipped(names[i], depth == 0))
            continue;
        const char *source = fs_join(w->arena, dir, names[i]);
        const char *inside = arena_printf(w->arena, "%s/%s", path, names[i]);
        struct stat st;
        if (lstat(source, &st) != 0)
            return err_system(e, "look at %s", source);
        if (S_ISDIR(st.st_mode)) {
            if (!walk_dir(w, source, inside, depth + 1, e))
                return false;
        } else if (S_ISREG(st.st_mode)) {
            if (!check_name(inside, e))
                return false;
            if (w->files.n == LIMIT_SITE_FILES)
                return err_set(e, ERR_LIMIT, "the site has more than %d files", LIMIT_SITE_FILES);
            *vec_add(&w->files, w->arena) =
                (struct artefact_file){ .path = inside, .source = source };
        }
    }
    return true;
}

/* ---- digests ---- */

struct hashing {
    struct artefact_file *files;
    size_t n;
    atomic_size_t next;
    atomic_bool failed;
};

struct hasher {
    pthread_t thread;
    struct hashing *job;
    struct err e;
    bool ok;
};

static bool hash_file(struct artefact_file *f, struct err *e)
{
    CLEANUP(fd) int fd = open(f->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_system(e, "open %s", f->source);
    if (!hash_fd(fd, f->sha1, f->sha256, &f->bytes, e))
        return err_wrap(e, "read %s", f->source);
    if (f->bytes > LIMIT_SITE_FILE_BYTES)
        return err_set(e, ERR_LIMIT, "%s has %llu bytes; %zu are allowed", f->path,
                       (unsigned long long)f->bytes, LIMIT_SITE_FILE_BYTES);
    return true;
}

static void *hash_some(void *context)
{
    struct hasher *h = context;
    h->ok = true;
    for (size_t i; h->ok && (i = atomic_fetch_add(&h->job->next, 1)) < h->job->n;) {
        if (atomic_load(&h->job->failed))
            break;
        h->ok = hash_file(&h->job->files[i], &h->e);
        if (!h->ok)
            atomic_store(&h->job->failed, true);
    }
    return NULL;
}

/* The calling thread is one of the hashers; if no other can be started it does all. */
static bool hash_all(struct artefact_file *files, size_t n, struct err *e)
{
    struct hashing job = { .files = files, .n = n };
    struct hasher hashers[HASH_THREADS] = { 0 };
    bool started[HASH_THREADS] = { 0 };
    for (int i = 0; i < HASH_THREADS; i++) {
        hashers[i].job = &job;
        if (i > 0)
            started[i] = pthread_create(&hashers[i].thread, NULL, hash_some, &hashers[i]) == 0;
    }
    hash_some(&hashers[0]);
    bool ok = hashers[0].ok;
    if (!ok)
        *e = hashers[0].e;
    for (int i = 1; i < HASH_THREADS; i++) {
        if (!started[i])
            continue;
        (void)pthread_join(hashers[i].thread, NULL);
        if (ok && !hashers[i].ok) {
            ok = false;
            *e = hashers[i].e;
        }
    }
    return ok;
}

/* ---- the whole ---- */

/* The host reads these files and shows them to nobody, so their bytes must travel with the
 * manifest. */
static bool keep_hidden(struct arena *a, struct artefact *art, struct err *e)
{
    for (size_t i = 0; i < art->n_files; i++) {
        const char *path = art->files[i].path;
        struct str content;
        if (!artefact_is_hidden(path))
            continue;
        if (!fs_read(a, art->files[i].source, LIMIT_CONFIG_BYTES, &content, e))
            return false;
        artefact_put(a, art, path, content);
    }
    return true;
}

bool artefact_walk(struct arena *a, const char *dir, struct artefact *ret, struct err *e)
{
    struct walk w = { .arena = a };
    if (!walk_dir(&w, dir, "", 0, e)) {
        if (e->code == ERR_NOT_FOUND)
            err_set(e, ERR_CONFIG, "there is no folder %s", dir);
        return false;
    }
    if (w.files.n == 0)
        return err_set(e, ERR_CONFIG, "the folder %s has no file to publish", dir);
    if (!hash_all(w.files.v, w.files.n, e))
        return false;
    struct artefact art = { .files = w.files.v, .n_files = w.files.n };
    artefact_seal(&art);
    if (art.bytes > LIMIT_SITE_BYTES)
        return err_set(e, ERR_LIMIT, "the site has %llu bytes; %zu are allowed",
                       (unsigned long long)art.bytes, LIMIT_SITE_BYTES);
    if (!keep_hidden(a, &art, e))
        return false;
    *ret = art;
    return true;
}
