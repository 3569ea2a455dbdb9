#include "local/bundle.h"

#include "base/env.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/proc.h"
#include "config/local_state.h"
#include "local/edge.h"
#include "local/import_map.h"

#include <string.h>
#include <sys/stat.h>

#define COMPILE_TIMEOUT_MS 120000 /* the first deploy may have to fetch from npm */

/* ---- Tools ----------------------------------------------------------------------------------- */

bool bundle_tools_prepare(const char *state_dir, struct arena *a, struct bundle_tools *ret,
                          struct err *e)
{
    char *deno = NULL;
    const char *edge = fs_join(a, state_dir, "edge");
    const char *cache = fs_join(a, state_dir, "deno");
    if (!local_deno(a, &deno, e) || !fs_mkdirs(edge, 0700, e) || !fs_mkdirs(cache, 0700, e) ||
        !fs_replace(fs_join(a, edge, "preload.js"), str_of(edge_preload_js), 0600, e) ||
        !fs_replace(fs_join(a, edge, "serve.js"), str_of(edge_serve_js), 0600, e) ||
        !fs_replace(fs_join(a, edge, "empty.js"), STR("export {};\n"), 0600, e))
        return err_wrap(e, "prepare Deno");
    *ret = (struct bundle_tools){ .deno = deno, .deno_dir = cache, .edge_dir = edge };
    return true;
}

/* ---- Checks and digest ----------------------------------------------------------------------- */

/* Relative, no empty, "." or ".." segment, no control byte or backslash. */
static bool path_is_safe(const char *path)
{
    size_t n = strlen(path);
    if (!n || n > 1024 || *path == '/' || path[n - 1] == '/' || !str_is_utf8(str_of(path)))
        return false;
    for (const char *c = path; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == '\\' || *c == 0x7f)
            return false;
    struct str rest = str_of(path);
    while (rest.p) {
        struct str segment = str_cut(&rest, '/');
        if (!segment.n || str_is(segment, ".") || str_is(segment, "..") || segment.n > 255)
            return false;
    }
    return true;
}

static int by_name(const void *left, const void *right)
{
    const struct multipart_part *a = left;
    const struct multipart_part *b = right;
    return strcmp(a->filename, b->filename);
}

static bool check_files(const struct multipart_part *files, size_t n, struct err *e)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += files[i].body.n;
        if (!path_is_safe(files[i].filename))
            return err_set(e, ERR_DATA, "Invalid file path: %.200s", files[i].filename);
        if (i && streq(files[i].filename, files[i - 1].filename))
            return err_set(e, ERR_DATA, "File sent twice: %.200s", files[i].filename);
    }
    return bytes <= LIMIT_FUNCTION_BYTES ||
           err_set(e, ERR_DATA, "Function is larger than %zu MB", LIMIT_FUNCTION_BYTES / MIB);
}

static const struct multipart_part *find(const struct multipart_part *files, size_t n,
                                         const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (streq(files[i].filename, path))
            return &files[i];
    return NULL;
}

/* "./supabase/…" and "file:///…/supabase/…" are read as what the files are called. */
static const char *plain_path(const char *path)
{
    if (starts_with(path, "file://")) {
        const char *at = strstr(path, "/supabase/");
        return at ? at + 1 : path;
    }
    return starts_with(path, "./") ? path + 2 : path;
}

static void digest_of(const struct multipart_part *files, size_t n, const char *entrypoint,
                      const char *import_map, char *ret)
{
    char content[SHA256_HEX_BYTES];
    struct hash *h = hash_new(HASH_SHA256);
    hash_add(h, entrypoint, strlen(entrypoint) + 1);
    hash_add(h, import_map, strlen(import_map) + 1);
    for (size_t i = 0; i < n; i++) {
        hash_hex(HASH_SHA256, files[i].body, content);
        hash_add(h, files[i].filename, strlen(files[i].filename) + 1);
        hash_add(h, content, sizeof content);
    }
    hash_finish(h, ret);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static bool write_files(struct arena *a, const char *dir, const struct multipart_part *files,
                        size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        char *path = arena_printf(a, "%s/src/%s", dir, files[i].filename);
        char *slash = strrchr(path, '/');
        *slash = '\0';
        if (!fs_mkdirs(path, 0700, e))
            return false;
        *slash = '/';
        if (!fs_replace(path, files[i].body, 0600, e))
            return false;
    }
    return true;
}

static bool own_map(struct arena *a, const struct multipart_part *files, size_t n, const char *path,
                    json_t **ret, struct err *e)
{
    const struct multipart_part *file = find(files, n, path);
    *ret = NULL;
    if (!*path)
        return true;
    if (!file)
        return err_set(e, ERR_DATA, "Import map path does not exist: %.200s", path);
    char *text = str_dup(a, file->body);
    import_map_strip_comments(text);
    *ret = json_parse(str_of(text), path, e);
    return *ret != NULL;
}

static bool write_map(const struct bundle_tools *tools, struct arena *a, const char *dir,
                      const struct bundle_source *source, const char *own_path, struct err *e)
{
    json_auto_t *own = NULL;
    json_auto_t *map = json_pack("{s:{}}", "imports");
    if (!own_map(a, source->files, source->n, own_path, &own, e))
        return false;
    for (size_t i = 0; i < source->n; i++)
        import_map_scan(json_object_get(map, "imports"), source->files[i].body, tools->edge_dir);
    if (own)
        import_map_lay_over(a, map, own, own_path, tools->edge_dir);
    return fs_replace(fs_join(a, dir, "import_map.json"), str_of(json_text(a, map)), 0600, e);
}

static json_t *manifest_of(const struct multipart_part *files, size_t n, const char *entrypoint,
                           const char *import_map)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_string(files[i].filename));
    return json_pack("{s:s, s:s, s:o}", "entrypoint", entrypoint, "import_map", import_map, "files",
                     list);
}

/* ---- Compiling ------------------------------------------------------------------------------- */

size_t bundle_arguments(struct arena *a, const char *dir, const json_t *manifest, const char **argv,
                        size_t n)
{
    const char *map = json_text_or(manifest, "import_map", "");
    bool is_config = ends_with(map, "/deno.json") || ends_with(map, "/deno.jsonc");
    argv[n++] = is_config ? arena_printf(a, "--config=%s/src/%s", dir, map) : "--no-config";
    argv[n++] = arena_printf(a, "--import-map=%s/import_map.json", dir);
    argv[n++] = arena_printf(a, "--lock=%s/deno.lock", dir);
    argv[n++] = "--node-modules-dir=none";
    return n;
}

/* Deno names our folders; the user knows the paths below them. */
static char *without_folder(struct arena *a, struct str text, const char *dir)
{
    const char *prefix = arena_printf(a, "file://%s/src/", dir);
    size_t n = strlen(prefix);
    char *clean = str_dup(a, text);
    for (char *at = strstr(clean, prefix); at; at = strstr(at, prefix))
        memmove(at, at + n, strlen(at + n) + 1);
    return clean;
}

static const char *passed(struct arena *a, const char *name)
{
    const char *value = env_value(name);
    return value ? arena_printf(a, "%s=%s", name, value) : "LOCKFLIGHT=1";
}

static bool compile(const struct bundle_tools *tools, struct arena *a, const char *dir,
                    const json_t *manifest, struct err *e)
{
    const char *argv[16] = { tools->deno, "cache", "--quiet" };
    size_t n = bundle_arguments(a, dir, manifest, argv, 3);
    argv[n++] = "--frozen=false";
    argv[n++] = arena_printf(a, "%s/src/%s", dir, json_text_or(manifest, "entrypoint", ""));
    struct proc_spec deno = {
        .argv = argv,
        .cwd = dir,
        .env = (const char *[]){ "PATH=/usr/bin:/bin", "NO_COLOR=1", "DENO_NO_UPDATE_CHECK=1",
                                 arena_printf(a, "DENO_DIR=%s", tools->deno_dir),
                                 passed(a, "HTTPS_PROXY"), passed(a, "HTTP_PROXY"),
                                 passed(a, "NO_PROXY"), passed(a, "https_proxy"),
                                 passed(a, "http_proxy"), passed(a, "no_proxy"),
                                 passed(a, "SSL_CERT_FILE"), passed(a, "NODE_EXTRA_CA_CERTS"),
                                 passed(a, "DENO_CERT"), passed(a, "DENO_TLS_CA_STORE"),
                                 passed(a, "NPM_CONFIG_REGISTRY"), NULL },
        .timeout_ms = COMPILE_TIMEOUT_MS,
        .max_output_bytes = 256 * KIB,
        .merge_stderr = true,
    };
    struct proc_result result;
    if (!proc_run(a, &deno, &result, e))
        return err_wrap(e, "compile the function");
    if (result.exit_status == 0)
        return true;
    return err_set(e, ERR_DATA, "Failed to bundle the function (reason: %s)",
                   without_folder(a, str_trim(result.out), dir));
}

/* ---- Public ---------------------------------------------------------------------------------- */

static bool build(const struct bundle_tools *tools, struct arena *a, const char *dir,
                  const struct bundle_source *source, const json_t *manifest, struct err *e)
{
    return write_files(a, dir, source->files, source->n, e) &&
           write_map(tools, a, dir, source, json_text_or(manifest, "import_map", ""), e) &&
           fs_replace(fs_join(a, dir, "manifest.json"), str_of(json_text(a, manifest)), 0600, e) &&
           compile(tools, a, dir, manifest, e);
}

/* Builds beside its place and moves it there. A second deploy of the same content may have been
 * faster: then its folder is as good. */
static bool put_in_place(const struct bundle_tools *tools, struct arena *a, const char *place,
                         const struct bundle_source *source, const json_t *manifest, struct err *e)
{
    struct err ignored;
    const char *slash = strrchr(place, '/');
    const char *dir =
        arena_printf(a, "%.*s/.new-%s", (int)(slash - place), place, random_hex(a, 8));
    bool ok = build(tools, a, dir, source, manifest, e);
    if (ok && rename(dir, place) != 0 && !fs_exists(fs_join(a, place, "manifest.json")))
        ok = err_system(e, "keep the function's files");
    (void)!fs_remove_tree(dir, &ignored);
    return ok;
}

bool bundle_keep(const struct bundle_tools *tools, struct arena *a, const char *project_dir,
                 const struct bundle_source *source, char ret_digest[SHA256_HEX_BYTES],
                 struct err *e)
{
    const char *entrypoint = plain_path(json_text_or(source->metadata, "entrypoint_path", ""));
    const char *import_map = plain_path(json_text_or(source->metadata, "import_map_path", ""));
    size_t n = source->n;
    struct multipart_part *files = ARENA_ARRAY(a, struct multipart_part, n + 1);
    char digest[SHA256_HEX_BYTES];
    if (n)
        memcpy(files, source->files, n * sizeof *files);
    qsort(files, n, sizeof *files, by_name);
    if (!check_files(files, n, e))
        return false;
    if (!*entrypoint || !find(files, n, entrypoint))
        return err_set(e, ERR_DATA, "Entrypoint path does not exist: %.200s", entrypoint);
    digest_of(files, n, entrypoint, import_map, digest);
    if (!bundle_exists(a, project_dir, digest)) {
        json_auto_t *manifest = manifest_of(files, n, entrypoint, import_map);
        const struct bundle_source sorted = { files, n, source->metadata };
        if (!put_in_place(tools, a, bundle_dir(a, project_dir, digest), &sorted, manifest, e))
            return false;
    }
    memcpy(ret_digest, digest, sizeof digest);
    return true;
}

static bool is_digest(const char *text)
{
    return strlen(text) == SHA256_HEX_BYTES - 1 && strspn(text, "0123456789abcdef") == strlen(text);
}

char *bundle_dir(struct arena *a, const char *project_dir, const char *digest)
{
    return arena_printf(a, "%s/bundles/%s", project_dir, digest);
}

bool bundle_exists(struct arena *a, const char *project_dir, const char *digest)
{
    return is_digest(digest) &&
           fs_exists(fs_join(a, bundle_dir(a, project_dir, digest), "manifest.json"));
}

bool bundle_manifest(struct arena *a, const char *project_dir, const char *digest, json_t **ret,
                     struct err *e)
{
    struct str text;
    if (!is_digest(digest))
        return err_set(e, ERR_NOT_FOUND, "Function deployment bundle not found");
    if (!fs_read(a, fs_join(a, bundle_dir(a, project_dir, digest), "manifest.json"),
                 LIMIT_JSON_BYTES, &text, e))
        return false;
    *ret = json_parse(text, "manifest.json", e);
    return *ret != NULL;
}

bool bundle_file(struct arena *a, const char *project_dir, const char *digest, const char *path,
                 struct str *ret, struct err *e)
{
    if (!is_digest(digest) || !path_is_safe(path))
        return err_set(e, ERR_NOT_FOUND, "no such file");
    return fs_read(a, arena_printf(a, "%s/src/%s", bundle_dir(a, project_dir, digest), path),
                   LIMIT_FUNCTION_BYTES, ret, e);
}
