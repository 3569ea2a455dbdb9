/*
 * Views: see view.h.
 */
#include "local/view.h"

#include "base/json.h"
#include "base/limits.h"

#include <stdatomic.h>
#include <stdlib.h>

static size_t hash_of(const char *path)
{
    size_t h = 14695981039346656037ULL; /* FNV-1a */
    for (; *path; path++)
        h = (h ^ (unsigned char)*path) * 1099511628211ULL;
    return h ^ (h >> 29);
}

bool view_is_hidden(const char *path)
{
    if (*path == '/')
        path++;
    return streq(path, "_redirects") || streq(path, "_headers") || streq(path, "netlify.toml") ||
           starts_with(path, ".netlify/");
}

static void add_file(struct view *v, const char *path, struct blob *blob)
{
    struct view_file *f = ARENA_NEW(v->arena, struct view_file);
    f->path = arena_printf(v->arena, "/%s", *path == '/' ? path + 1 : path);
    f->blob = blob;
    f->type = content_type_of(f->path, &f->is_compressible);
    size_t at = hash_of(f->path) & (v->buckets - 1);
    f->next = v->table[at];
    v->table[at] = f;
    v->count++;
}

const struct view_file *view_find(const struct view *v, const char *path)
{
    const struct view_file *f = v->table[hash_of(path) & (v->buckets - 1)];
    while (f && strcmp(f->path, path) != 0)
        f = f->next;
    return f;
}

/* ---- Rules ----------------------------------------------------------------------------------- */

/* The text of one of the site's own files; empty if it has none. */
static struct str config_text(struct view *v, struct blobs *blobs, const json_t *files,
                              const char *name)
{
    const char *sha = json_text_or(files, name, NULL);
    if (!sha)
        sha = json_text_or(files, arena_printf(v->arena, "/%s", name), NULL);
    struct blob *blob = sha ? blobs_find(blobs, sha) : NULL;
    if (!blob || blob_bytes(blob) > LIMIT_RULES_BYTES)
        return (struct str){ 0 };
    struct bytes *bytes = blobs_load(blobs, blob, ENCODING_IDENTITY);
    if (!bytes)
        return (struct str){ 0 };
    struct str text = { arena_strndup(v->arena, bytes->p, bytes->n), bytes->n };
    bytes_unref(bytes);
    return text;
}

static void read_rules(struct view *v, struct blobs *blobs, const json_t *files)
{
    redirects_add_text(v->arena, &v->redirects, config_text(v, blobs, files, "_redirects"));
    headers_add_text(v->arena, &v->headers, config_text(v, blobs, files, "_headers"));
    struct str toml = config_text(v, blobs, files, "netlify.toml");
    struct toml_node root;
    struct err e;
    if (toml.n > 0 && toml_parse(v->arena, toml, "netlify.toml", &root, &e)) {
        redirects_add_toml(v->arena, &v->redirects, &root);
        headers_add_toml(v->arena, &v->headers, &root);
        const struct toml_node *processing = toml_find(toml_find(&root, "build"), "processing");
        const struct toml_node *pretty = toml_find(toml_find(processing, "html"), "pretty_urls");
        if (pretty && pretty->kind == TOML_BOOL)
            v->has_pretty_urls = pretty->boolean;
    }
    redirects_finish(&v->redirects);
}

/* ---- Life ------------------------------------------------------------------------------------ */

bool view_new(struct blobs *blobs, const char *deploy_id, const json_t *files, struct view **ret,
              struct err *e)
{
    struct view *v = calloc(1, sizeof *v);
    if (!v)
        memory_exhausted(sizeof *v);
    atomic_init(&v->refs, 1);
    v->arena = arena_new(0);
    v->deploy_id = arena_strdup(v->arena, deploy_id);
    v->has_pretty_urls = true;
    v->buckets = 64;
    while (v->buckets < 2 * json_object_size(files))
        v->buckets *= 2;
    v->table = ARENA_ARRAY(v->arena, struct view_file *, v->buckets);
    json_t *all = (json_t *)(uintptr_t)files; /* jansson's iterator does not change it */
    const char *path;
    json_t *sha;
    json_object_foreach (all, path, sha) {
        struct blob *blob = blobs_find(blobs, json_string_value(sha));
        if (!blob) {
            view_unref(v);
            return err_set(e, ERR_DATA, "deploy %s: the content of %s is not stored", deploy_id,
                           path);
        }
        if (!view_is_hidden(path))
            add_file(v, path, blob);
    }
    read_rules(v, blobs, files);
    *ret = v;
    return true;
}

struct view *view_ref(struct view *v)
{
    if (v)
        (void)atomic_fetch_add(&v->refs, 1);
    return v;
}

void view_unref(void *p)
{
    struct view *v = p;
    if (!v || atomic_fetch_sub(&v->refs, 1) > 1)
        return;
    arena_free(v->arena);
    free(v);
}
