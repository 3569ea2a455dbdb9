/*
 * Collecting a function: start at the entrypoint, follow imports breadth first, add import map and
 * static files.
 *
 * Every path is kept relative to the project. A file is read only if its real path lies inside the
 * project, so neither "../.." nor a symbolic link can carry a file of the machine into a bundle.
 */
#include "provider/function_source.h"

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/vec.h"
#include "provider/function_import.h"

#include <assert.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS_DIR "supabase/functions"

enum {
    MAX_DEPTH = 32
}; /* of folders below a static pattern */

struct collection {
    struct arena *arena;
    const char *project; /* real path */
    VEC(struct function_file) files;
    uint64_t bytes;
    json_t *map; /* NULL: none */
    const char *map_path;
    const char *scanning; /* the file whose imports are being read */
    struct err *e;
    bool failed;
};

/* ---- which folders are functions ---- */

static bool is_slug(const char *name)
{
    if (!((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z')))
        return false;
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return strspn(name, allowed) == strlen(name);
}

bool function_slugs(struct arena *a, const char *project_dir, const char ***ret_slugs,
                    size_t *ret_count, struct err *e)
{
    const char *dir = fs_join(a, project_dir, FUNCTIONS_DIR);
    const char **names;
    size_t count;
    if (!fs_list(a, dir, &names, &count, e)) {
        *ret_slugs = NULL;
        *ret_count = 0;
        return e->code == ERR_NOT_FOUND;
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (is_slug(names[i]) && fs_exists(arena_printf(a, "%s/%s/index.ts", dir, names[i])))
            names[kept++] = names[i];
    if (kept > LIMIT_FUNCTIONS)
        return err_set(e, ERR_LIMIT, "%s has more than %d functions", dir, LIMIT_FUNCTIONS);
    *ret_slugs = names;
    *ret_count = kept;
    return true;
}

/* ---- files ---- */

static const struct function_file *find_file(const struct collection *c, const char *path)
{
    for (size_t i = 0; i < c->files.n; i++)
        if (streq(c->files.v[i].path, path))
            return &c->files.v[i];
    return NULL;
}

/* Adds a file once. A missing one is ERR_NOT_FOUND. */
static bool add_file(struct collection *c, const char *path, struct err *e)
{
    if (find_file(c, path))
        return true;
    const char *real = fs_real_path(c->arena, fs_join(c->arena, c->project, path));
    if (!real)
        return err_set(e, ERR_NOT_FOUND, "%s does not exist", path);
    size_t n = strlen(c->project);
    if (strncmp(real, c->project, n) != 0 || real[n] != '/')
        return err_set(e, ERR_CONFIG, "%s leads out of the project, to %s", path, real);
    if (c->files.n == LIMIT_FUNCTION_FILES)
        return err_set(e, ERR_LIMIT, "a function has more than %d files", LIMIT_FUNCTION_FILES);
    struct str content;
    if (!fs_read(c->arena, real, LIMIT_FUNCTION_BYTES, &content, e))
        return false;
    c->bytes += content.n;
    if (c->bytes > LIMIT_FUNCTION_BYTES)
        return err_set(e, ERR_LIMIT, "a function's files have more than %zu bytes",
                       LIMIT_FUNCTION_BYTES);
    *vec_add(&c->files, c->arena) = (struct function_file){ .path = path, .content = content };
    return true;
}

static bool is_script(const char *path)
{
    static const char *const ends[] = { ".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(path, ends[i]))
            return true;
    return false;
}

static void on_import(void *context, struct str specifier)
{
    struct collection *c = context;
    char *path = function_resolve(c->arena, c->scanning, specifier, c->map, c->map_path);
    struct err problem;
    if (c->failed || !path || add_file(c, path, &problem))
        return;
    if (problem.code ==
        ERR_NOT_FOUND) /* perhaps not an import at all; if it is, the bundler names it */
        return;
    *c->e = problem;
    err_wrap(c->e, "imported by %s", c->scanning);
    c->failed = true;
}

/* Follows imports until no file is new. */
static bool add_imports(struct collection *c, struct err *e)
{
    c->e = e;
    for (size_t i = 0; i < c->files.n && !c->failed; i++) {
        struct function_file f = c->files.v[i];
        c->scanning = f.path;
        if (is_script(f.path))
            function_imports(f.content, on_import, c);
    }
    return !c->failed;
}

/* ---- import map ---- */

static bool read_map(struct collection *c, const char *path, struct err *e)
{
    if (!add_file(c, path, e))
        return false;
    const struct function_file *file = find_file(c, path);
    assert(file);
    json_t *map = function_jsonc(file->content, path, e);
    if (!map)
        return false;
    json_decref(c->map);
    c->map = map;
    c->map_path = path;
    return true;
}

/* deno.json without "imports" may name another file in "importMap". */
static bool follow_map(struct collection *c, struct err *e)
{
    const char *other = json_text_or(c->map, "importMap", "");
    if (!*other || json_object_get(c->map, "imports") || json_object_get(c->map, "scopes"))
        return true;
    const char *slash = strrchr(c->map_path, '/');
    const char *path = function_normal_path(
        c->arena, arena_printf(c->arena, "%.*s/%s", slash ? (int)(slash - c->map_path) : 0,
                               c->map_path, other));
    if (!path)
        return err_set(e, ERR_CONFIG, "%s: \"importMap\" leads out of the project", c->map_path);
    return read_map(c, path, e);
}

static bool add_map(struct collection *c, const char *slug,
                    const struct function_settings *settings, struct err *e)
{
    if (settings && settings->import_map && *settings->import_map) {
        const char *path = function_normal_path(
            c->arena, arena_printf(c->arena, "supabase/%s", settings->import_map));
        if (!path)
            return err_set(e, ERR_CONFIG, "import_map leads out of the project: %s",
                           settings->import_map);
        return read_map(c, path, e) && follow_map(c, e);
    }
    const char *candidates[] = {
        arena_printf(c->arena, FUNCTIONS_DIR "/%s/deno.json", slug),
        arena_printf(c->arena, FUNCTIONS_DIR "/%s/deno.jsonc", slug),
        arena_printf(c->arena, FUNCTIONS_DIR "/%s/import_map.json", slug),
        FUNCTIONS_DIR "/import_map.json",
    };
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
        if (fs_exists(fs_join(c->arena, c->project, candidates[i])))
            return read_map(c, candidates[i], e) && follow_map(c, e);
    return true;
}

/* ---- static files ---- */

/* One pattern segment against one name, "**" against any number of folders but at least one, as the
 * vendor's. */
// NOLINTNEXTLINE(misc-no-recursion): a pattern has few segments
static bool glob_matches(struct str pattern, struct str path)
{
    char part[NAME_MAX + 1], name[NAME_MAX + 1];
    while (pattern.p && path.p) {
        struct str segment = str_cut(&pattern, '/');
        if (str_is(segment, "**")) {
            while (path.p) {
                (void)str_cut(&path, '/');
                if (!pattern.p ? !path.p : (path.p && glob_matches(pattern, path)))
                    return true;
            }
            return false;
        }
        struct str got = str_cut(&path, '/');
        if (segment.n > NAME_MAX || got.n > NAME_MAX)
            return false;
        (void)snprintf(part, sizeof part, "%.*s", STR_FMT(segment));
        (void)snprintf(name, sizeof name, "%.*s", STR_FMT(got));
        if (fnmatch(part, name, FNM_PERIOD) != 0)
            return false;
    }
    return !pattern.p && !path.p;
}

// NOLINTNEXTLINE(misc-no-recursion): MAX_DEPTH
static bool add_matches(struct collection *c, const char *dir, const char *pattern, int depth,
                        struct err *e)
{
    const char **names;
    size_t count;
    if (depth > MAX_DEPTH)
        return err_set(e, ERR_LIMIT, "folders below %s are nested more than %d deep", pattern,
                       MAX_DEPTH);
    if (!fs_list(c->arena, fs_join(c->arena, c->project, dir), &names, &count, e))
        return e->code == ERR_NOT_FOUND;
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(c->arena, "%s/%s", dir, names[i]);
        if (fs_is_dir(fs_join(c->arena, c->project, path))) {
            if (names[i][0] != '.' && !add_matches(c, path, pattern, depth + 1, e))
                return false;
        } else if (glob_matches(str_of(pattern), str_of(path)) && !add_file(c, path, e)) {
            return false;
        }
    }
    return true;
}

static bool add_static(struct collection *c, const struct function_settings *settings,
                       struct function_source *s, struct err *e)
{
    size_t n = settings ? settings->n_static_files : 0;
    s->static_patterns = ARENA_ARRAY(c->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        const char *pattern = function_normal_path(
            c->arena, arena_printf(c->arena, "supabase/%s", settings->static_files[i]));
        if (!pattern)
            return err_set(e, ERR_CONFIG, "static_files leads out of the project: %s",
                           settings->static_files[i]);
        s->static_patterns[s->n_static_patterns++] = pattern;
        const char *wild = pattern + strcspn(pattern, "*?[");
        while (wild > pattern && *wild != '/')
            wild--;
        if (!add_matches(c, arena_strndup(c->arena, pattern, (size_t)(wild - pattern)), pattern, 0,
                         e))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool collect(struct collection *c, const struct function_settings *settings,
                    struct function_source *s, struct err *e)
{
    const char *entrypoint = settings && settings->entrypoint && *settings->entrypoint
                                 ? settings->entrypoint
                                 : arena_printf(c->arena, "functions/%s/index.ts", s->slug);
    s->entrypoint_path =
        function_normal_path(c->arena, arena_printf(c->arena, "supabase/%s", entrypoint));
    if (!s->entrypoint_path)
        return err_set(e, ERR_CONFIG, "entrypoint leads out of the project: %s", entrypoint);
    if (!add_file(c, s->entrypoint_path, e) || !add_map(c, s->slug, settings, e) ||
        !add_static(c, settings, s, e))
        return e->code == ERR_NOT_FOUND ? err_recode(e, ERR_CONFIG) : false;
    return add_imports(c, e);
}

bool function_source_collect(struct arena *a, const char *project_dir, const char *slug,
                             const struct function_settings *settings, struct function_source *ret,
                             struct err *e)
{
    struct collection c = { .arena = a, .project = fs_real_path(a, project_dir) };
    if (!c.project)
        return err_set(e, ERR_CONFIG, "there is no folder %s", project_dir);
    struct function_source s = { .slug = arena_strdup(a, slug),
                                 .verify_jwt = settings ? settings->verify_jwt : true };
    bool ok = collect(&c, settings, &s, e);
    json_decref(c.map);
    if (!ok)
        return err_wrap(e, "function %s", slug);
    s.import_map_path = c.map_path ? c.map_path : "";
    s.files = c.files.v;
    s.n_files = c.files.n;
    function_source_seal(a, &s);
    *ret = s;
    return true;
}

static int by_path(const void *one, const void *other)
{
    const struct function_file *f = one, *g = other;
    return strcmp(f->path, g->path);
}

void function_source_seal(struct arena *a, struct function_source *s)
{
    struct function_file *files = ARENA_ARRAY(a, struct function_file, s->n_files + 1);
    if (s->n_files > 0)
        memcpy(files, s->files, s->n_files * sizeof *files);
    qsort(files, s->n_files, sizeof *files, by_path);
    struct hash *h = hash_new(HASH_SHA256);
    const char *facts[] = { "lockflight function 1", s->slug, s->entrypoint_path,
                            s->import_map_path, s->verify_jwt ? "jwt" : "open" };
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        hash_add(h, facts[i], strlen(facts[i]) + 1);
    s->bytes = 0;
    for (size_t i = 0; i < s->n_files; i++) {
        hash_hex(HASH_SHA256, files[i].content, files[i].sha256);
        hash_add(h, files[i].path, strlen(files[i].path) + 1);
        hash_add(h, files[i].sha256, SHA256_HEX_BYTES);
        s->bytes += files[i].content.n;
    }
    hash_finish(h, s->digest);
    s->files = files;
}

json_t *function_source_to_json(const struct function_source *s)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    json_t *files = json_array(), *patterns = json_array();
    for (size_t i = 0; i < s->n_files; i++)
        json_array_append_new(files, json_pack("{s:s, s:s}", "path", s->files[i].path, "content",
                                               base64_encode(a, s->files[i].content)));
    for (size_t i = 0; i < s->n_static_patterns; i++)
        json_array_append_new(patterns, json_string(s->static_patterns[i]));
    return json_pack("{s:i, s:s, s:s, s:s, s:b, s:o, s:s, s:o}", "v", 1, "slug", s->slug,
                     "entrypoint_path", s->entrypoint_path, "import_map_path", s->import_map_path,
                     "verify_jwt", s->verify_jwt, "static_patterns", patterns, "digest", s->digest,
                     "files", files);
}

static bool read_files(struct arena *a, json_t *list, struct function_source *s, struct err *e)
{
    struct function_file *files = ARENA_ARRAY(a, struct function_file, json_array_size(list) + 1);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        const char *path, *content;
        if (!json_need_text(item, "path", "stored function", &path, e) ||
            !json_need_text(item, "content", "stored function", &content, e))
            return false;
        files[i].path = arena_strdup(a, path);
        if (!base64_decode(a, str_of(content), &files[i].content))
            return err_set(e, ERR_DATA, "stored function: %s is not base64", path);
    }
    s->files = files;
    s->n_files = json_array_size(list);
    return true;
}

bool function_source_from_json(struct arena *a, const json_t *value, struct function_source *ret,
                               struct err *e)
{
    const char *slug, *entry, *digest;
    json_t *files, *patterns;
    if (!json_need_text(value, "slug", "stored function", &slug, e) ||
        !json_need_text(value, "entrypoint_path", "stored function", &entry, e) ||
        !json_need_text(value, "digest", "stored function", &digest, e) ||
        !json_need_array(value, "files", "stored function", &files, e) ||
        !json_need_array(value, "static_patterns", "stored function", &patterns, e))
        return false;
    struct function_source s = {
        .slug = arena_strdup(a, slug),
        .entrypoint_path = arena_strdup(a, entry),
        .import_map_path = arena_strdup(a, json_text_or(value, "import_map_path", "")),
        .verify_jwt = json_bool_or(value, "verify_jwt", true),
        .static_patterns = ARENA_ARRAY(a, const char *, json_array_size(patterns) + 1),
    };
    size_t i;
    json_t *item;
    json_array_foreach (patterns, i, item)
        if (json_is_string(item))
            s.static_patterns[s.n_static_patterns++] = arena_strdup(a, json_string_value(item));
    if (!read_files(a, files, &s, e))
        return false;
    function_source_seal(a, &s);
    if (!streq(s.digest, digest))
        return err_set(e, ERR_DATA, "stored function %s does not match its own digest", slug);
    *ret = s;
    return true;
}
