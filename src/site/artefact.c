/*
 * The artefact as a value: order, digest, manifest. Walking a folder is in artefact_walk.c,
 * fetching from another deploy in artefact_fetch.c.
 *
 * INVARIANT  files are sorted by path bytes and paths are distinct; `digest` and `bytes` are those
 *            of the files. artefact_seal restores it after a change.
 */
#include "site/artefact.h"

#include "base/json.h"
#include "base/limits.h"
#include "site/artefact_inside.h"

#include <stdlib.h>
#include <string.h>

static int by_path(const void *one, const void *other)
{
    const struct artefact_file *f = one, *g = other;
    return strcmp(f->path, g->path);
}

bool artefact_is_per_environment(const char *path)
{
    return streq(path, ARTEFACT_ENV_PATH) || streq(path, ARTEFACT_WELL_KNOWN_PATH);
}

bool artefact_is_hidden(const char *path)
{
    return streq(path, "/_redirects") || streq(path, "/_headers") || streq(path, "/netlify.toml");
}

void artefact_seal(struct artefact *art)
{
    if (art->n_files > 0)
        qsort(art->files, art->n_files, sizeof *art->files, by_path);
    struct hash *h = hash_new(HASH_SHA256);
    art->bytes = 0;
    for (size_t i = 0; i < art->n_files; i++) {
        const struct artefact_file *f = &art->files[i];
        art->bytes += f->bytes;
        if (artefact_is_per_environment(f->path))
            continue;
        hash_add(h, f->path, strlen(f->path) + 1);
        hash_add(h, f->sha256, SHA256_HEX_BYTES - 1);
        hash_add(h, "\n", 1);
    }
    hash_finish(h, art->digest);
}

const struct artefact_file *artefact_find(const struct artefact *art, const char *path)
{
    const struct artefact_file key = { .path = path };
    return art->n_files > 0 ? bsearch(&key, art->files, art->n_files, sizeof key, by_path) : NULL;
}

static struct artefact_file file_of(struct arena *a, const char *path, struct str content)
{
    struct artefact_file f = {
        .path = arena_strdup(a, path),
        .bytes = content.n,
        .content = { arena_strndup(a, content.p ? content.p : "", content.n), content.n },
    };
    hash_hex(HASH_SHA1, f.content, f.sha1);
    hash_hex(HASH_SHA256, f.content, f.sha256);
    return f;
}

void artefact_put(struct arena *a, struct artefact *art, const char *path, struct str content)
{
    struct artefact_file f = file_of(a, path, content);
    const struct artefact_file *old = artefact_find(art, path);
    if (old) {
        art->files[old - art->files] = f;
    } else {
        struct artefact_file *files = ARENA_ARRAY(a, struct artefact_file, art->n_files + 1);
        if (art->n_files > 0)
            memcpy(files, art->files, art->n_files * sizeof *files);
        files[art->n_files++] = f;
        art->files = files;
    }
    artefact_seal(art);
}

struct artefact artefact_common(struct arena *a, const struct artefact *art)
{
    struct artefact copy = { .files = ARENA_ARRAY(a, struct artefact_file, art->n_files + 1) };
    for (size_t i = 0; i < art->n_files; i++)
        if (!artefact_is_per_environment(art->files[i].path))
            copy.files[copy.n_files++] = art->files[i];
    artefact_seal(&copy);
    return copy;
}

struct netlify_file *artefact_netlify_files(struct arena *a, const struct artefact *art)
{
    struct netlify_file *files = ARENA_ARRAY(a, struct netlify_file, art->n_files + 1);
    for (size_t i = 0; i < art->n_files; i++) {
        const struct artefact_file *f = &art->files[i];
        files[i] = (struct netlify_file){
            .path = f->path,
            .sha1 = f->sha1,
            .bytes = f->bytes,
            .source = f->source,
            .content = f->content,
        };
    }
    return files;
}

/* ---- manifest ---- */

bool artefact_to_json(struct arena *a, const struct artefact *art, json_t **ret, struct err *e)
{
    json_auto_t *files = json_array();
    for (size_t i = 0; i < art->n_files; i++) {
        const struct artefact_file *f = &art->files[i];
        json_t *o = json_pack("{s:s, s:s, s:s, s:I}", "path", f->path, "sha1", f->sha1, "sha256",
                              f->sha256, "bytes", (json_int_t)f->bytes);
        json_array_append_new(files, o);
        if (!artefact_is_hidden(f->path))
            continue;
        if (!f->content.p)
            return err_set(e, ERR_INTERNAL, "the content of %s is not at hand", f->path);
        json_object_set_new(o, "content", json_string(base64_encode(a, f->content)));
    }
    *ret = json_pack("{s:i, s:s, s:O}", "v", 1, "digest", art->digest, "files", files);
    return true;
}

static bool is_hex(const char *text, size_t n)
{
    return strlen(text) == n && strspn(text, "0123456789abcdef") == n;
}

/* A path that could have been walked: absolute, no empty, "." or ".." segment. */
static bool is_site_path(const char *path)
{
    struct str rest = str_of(path);
    if (rest.n < 2 || rest.n > LIMIT_PATH_BYTES || path[0] != '/')
        return false;
    (void)str_cut(&rest, '/');
    while (rest.p) {
        struct str part = str_cut(&rest, '/');
        if (part.n == 0 || str_is(part, ".") || str_is(part, ".."))
            return false;
    }
    return true;
}

static bool read_file(struct arena *a, const json_t *o, struct artefact_file *ret, struct err *e)
{
    const char *path, *sha1, *sha256;
    if (!json_need_text(o, "path", "manifest", &path, e) ||
        !json_need_text(o, "sha1", "manifest", &sha1, e) ||
        !json_need_text(o, "sha256", "manifest", &sha256, e))
        return false;
    int64_t bytes = json_int_or(o, "bytes", -1);
    if (!is_site_path(path) || !is_hex(sha1, SHA1_HEX_BYTES - 1) ||
        !is_hex(sha256, SHA256_HEX_BYTES - 1) || bytes < 0 ||
        (uint64_t)bytes > LIMIT_SITE_FILE_BYTES)
        return err_set(e, ERR_DATA, "manifest: malformed entry for %s", path);
    struct artefact_file f = { .path = arena_strdup(a, path), .bytes = (uint64_t)bytes };
    const char *content = json_text_or(o, "content", NULL);
    if (content) {
        struct str raw;
        if (!base64_decode(a, str_of(content), &raw))
            return err_set(e, ERR_DATA, "manifest: the content of %s is not base64", path);
        f = file_of(a, path, raw);
        if (!streq(f.sha256, sha256) || !streq(f.sha1, sha1))
            return err_set(e, ERR_DATA, "manifest: the content of %s does not match its digest",
                           path);
    }
    if (!content && artefact_is_hidden(path))
        return err_set(e, ERR_DATA, "manifest: the content of %s is missing", path);
    (void)snprintf(f.sha1, sizeof f.sha1, "%s", sha1);
    (void)snprintf(f.sha256, sizeof f.sha256, "%s", sha256);
    *ret = f;
    return true;
}

bool artefact_from_json(struct arena *a, const json_t *value, struct artefact *ret, struct err *e)
{
    const char *digest;
    json_t *files;
    if (!json_need_text(value, "digest", "manifest", &digest, e) ||
        !json_need_array(value, "files", "manifest", &files, e))
        return false;
    size_t n = json_array_size(files), i;
    if (n > LIMIT_SITE_FILES)
        return err_set(e, ERR_LIMIT, "manifest: %zu files, %d are allowed", n, LIMIT_SITE_FILES);
    struct artefact art = { .files = ARENA_ARRAY(a, struct artefact_file, n + 1), .n_files = n };
    json_t *item;
    json_array_foreach (files, i, item)
        if (!read_file(a, item, &art.files[i], e))
            return false;
    artefact_seal(&art);
    for (i = 1; i < n; i++)
        if (streq(art.files[i].path, art.files[i - 1].path))
            return err_set(e, ERR_DATA, "manifest: %s occurs twice", art.files[i].path);
    if (!streq(art.digest, digest))
        return err_set(e, ERR_DATA, "manifest: the files do not match the digest %.12s", digest);
    *ret = art;
    return true;
}
