/*
 * Staging's bytes for production: several connections download what the target host lacks from the
 * permalink of the deploy that was proved. Nothing is believed: each body must have the SHA-256
 * that the attestation records.
 *
 * The other host may answer a path with a redirect to its pretty form; that is followed within the
 * same origin.
 */
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/vec.h"
#include "net/url.h"
#include "site/artefact_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    FETCH_THREADS = 6,
    MAX_REDIRECTS = 3,
    ERROR_PAGE_BYTES = 64 * 1024, /* what is not the file may be longer than the file */
};

struct fetching {
    const char *permalink;
    const char *dir;
    struct artefact_file **files;
    size_t n;
    atomic_size_t next;
    atomic_bool failed;
};

struct fetcher {
    pthread_t thread;
    struct fetching *job;
    struct err e;
    bool is_started;
    bool ok;
};

static bool differs(const struct artefact_file *f, const char *how, struct err *e)
{
    err_set(e, ERR_CONFLICT, "%s at the proved deploy is not what was proved: %s", f->path, how);
    return err_hint(e,
                    "deploy to the earlier environment again, so that its bytes are proved anew");
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static const char *redirect_target(struct arena *a, const char *permalink,
                                   const struct http_answer *answer)
{
    const char *location = http_find_header(answer, "location");
    if (!is_redirect(answer->status) || !location)
        return NULL;
    const char *target = url_resolve(a, permalink, location);
    return target && url_same_origin(a, permalink, target) ? target : NULL;
}

static bool download(struct http *h, struct arena *a, const struct fetching *job,
                     const struct artefact_file *f, struct str *ret, struct err *e)
{
    const char *url = url_join(a, job->permalink, url_encode_path(a, f->path));
    struct http_answer answer = { 0 };
    for (int i = 0; i <= MAX_REDIRECTS; i++) {
        struct http_request q = {
            .what = "site.fetch",
            .method = "GET",
            .path = url,
            .redirect_is_answer = true,
            .max_answer_bytes = f->bytes + ERROR_PAGE_BYTES,
        };
        if (!http_send(h, a, &q, &answer, e))
            return e->http_status == 404 ? differs(f, "it is not there", e) : false;
        if (answer.status == 200)
            break;
        url = redirect_target(a, job->permalink, &answer);
        if (!url)
            return differs(f, "it is redirected", e);
    }
    char hex[SHA256_HEX_BYTES];
    hash_hex(HASH_SHA256, answer.body, hex);
    if (answer.status != 200 || !streq(hex, f->sha256))
        return differs(f, "other bytes", e);
    *ret = answer.body;
    return true;
}

static bool fetch_one(struct http *h, struct fetching *job, struct artefact_file *f, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct str body = { 0 };
    if (!download(h, a, job, f, &body, e))
        return false;
    CLEANUP(fd)
    int fd = open(f->source, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_system(e, "create %s", f->source);
    return fs_write_all(fd, body, e) || err_wrap(e, "write %s", f->source);
}

static void *fetch_some(void *context)
{
    struct fetcher *worker = context;
    struct fetching *job = worker->job;
    CLEANUP(http) struct http *h = http_open(&(struct http_spec){ .name = "proved deploy" });
    worker->ok = true;
    for (size_t i; worker->ok && !atomic_load(&job->failed) &&
                   (i = atomic_fetch_add(&job->next, 1)) < job->n;) {
        worker->ok = fetch_one(h, job, job->files[i], &worker->e);
        if (!worker->ok)
            atomic_store(&job->failed, true);
    }
    return NULL;
}

static bool fetch_all(struct fetching *job, struct err *e)
{
    struct fetcher workers[FETCH_THREADS] = { 0 };
    for (size_t i = 0; i < FETCH_THREADS; i++) {
        workers[i].job = job;
        workers[i].ok = true;
        if (i > 0 && i < job->n)
            workers[i].is_started =
                pthread_create(&workers[i].thread, NULL, fetch_some, &workers[i]) == 0;
    }
    fetch_some(&workers[0]);
    bool ok = true;
    for (size_t i = 0; i < FETCH_THREADS; i++) {
        if (workers[i].is_started)
            (void)pthread_join(workers[i].thread, NULL);
        if (ok && !workers[i].ok) {
            ok = false;
            *e = workers[i].e;
        }
    }
    return ok;
}

static int by_text(const void *one, const void *other)
{
    const char *const *s = one, *const *t = other;
    return strcmp(*s, *t);
}

static int by_sha256(const void *one, const void *other)
{
    const struct artefact_file *const *f = one, *const *g = other;
    return strcmp((*f)->sha256, (*g)->sha256);
}

/* Equal contents are fetched once. */
static size_t without_twins(struct artefact_file **files, size_t n)
{
    size_t kept = 0;
    if (n > 0)
        qsort(files, n, sizeof *files, by_sha256); // NOLINT(bugprone-sizeof-expression)
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !streq(files[i]->sha256, files[i - 1]->sha256))
            files[kept++] = files[i];
    return kept;
}

bool artefact_fetch(struct arena *a, struct artefact *art, const struct artefact_fetch_spec *spec,
                    struct err *e)
{
    const char **required = ARENA_ARRAY(a, const char *, spec->n_required + 1);
    if (spec->n_required > 0)
        memcpy(required, spec->required, spec->n_required * sizeof *required);
    qsort(required, spec->n_required, sizeof *required, by_text);

    VEC(struct artefact_file *) missing = { 0 };
    for (size_t i = 0; i < art->n_files; i++) {
        struct artefact_file *f = &art->files[i];
        const char *sha1 = f->sha1;
        // NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers
        bool is_needed = bsearch(&sha1, required, spec->n_required, sizeof *required, by_text);
        if (!is_needed || f->source || f->content.p)
            continue;
        f->source = fs_join(a, spec->dir, f->sha256);
        // NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers
        *vec_add(&missing, a) = f;
    }
    missing.n = without_twins(missing.v, missing.n);
    struct fetching job = {
        .permalink = spec->permalink, .dir = spec->dir, .files = missing.v, .n = missing.n
    };
    return missing.n == 0 || fetch_all(&job, e) || err_wrap(e, "fetch from %s", spec->permalink);
}
