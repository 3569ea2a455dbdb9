/*
 * Only the upload of a release, so that it can be measured against `netlify deploy --prod
 * --no-build`: walk and hash a folder, create a hidden deploy, one sync, send what the host lacks,
 * wait, publish. These are the calls of the draft and publish phases, in a process of its own as
 * the vendor's client is.
 *
 *   bench_upload API TOKEN SITE DIR
 */
#include "base/arena.h"
#include "base/cleanup.h"
#include "provider/netlify.h"
#include "site/artefact.h"

#include <stdio.h>

static bool upload(struct arena *a, char **argv, struct err *e)
{
    struct artefact art = { 0 };
    if (!artefact_walk(a, argv[4], &art, e))
        return false;
    CLEANUP(netlify) struct netlify *n = NULL;
    if (!netlify_open(&(struct netlify_spec){ .api = argv[1], .token = argv[2], .site = argv[3] },
                      &n, e))
        return false;

    struct netlify_file *files = arena_array(a, art.n_files, sizeof *files);
    for (size_t i = 0; i < art.n_files; i++)
        files[i] = (struct netlify_file){
            .path = art.files[i].path,
            .sha1 = art.files[i].sha1,
            .bytes = art.files[i].bytes,
            .source = art.files[i].source,
            .content = art.files[i].content,
        };
    struct netlify_deploy deploy = { 0 };
    if (!netlify_deploy_create(n, a, &(struct netlify_deploy_spec){ .title = "bench" }, &deploy, e))
        return false;
    const char *id = deploy.id;
    if (!netlify_deploy_sync(n, a, id, files, art.n_files, &deploy, e))
        return false;
    struct netlify_upload_spec spec = {
        .deploy_id = id,
        .files = files,
        .n_files = art.n_files,
        .required = deploy.required,
        .n_required = deploy.n_required,
    };
    size_t sent = deploy.n_required;
    if (sent > 0 && !netlify_deploy_upload(n, &spec, e))
        return false;
    if (!netlify_deploy_wait(n, a, id, 0, &deploy, e) || !netlify_restore(n, a, id, e))
        return false;
    printf("%zu files, %zu sent\n", art.n_files, sent);
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: bench_upload API TOKEN SITE DIR\n", stderr);
        return 2;
    }
    struct err e = { 0 };
    struct arena *a = arena_new(0);
    bool ok = upload(a, argv, &e);
    if (!ok)
        fprintf(stderr, "bench_upload: %s: %s\n", e.what, e.why);
    arena_free(a);
    return ok ? 0 : 1;
}
