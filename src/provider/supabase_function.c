/*
 * Supabase Edge Functions: bundle without activating, activate all at once, read back, delete.
 *
 * Bundling changes nothing that runs, so it is repeated freely; the one PUT that activates is the
 * only moment a visitor can notice. Versions only rise, so "is it ours" is decided by the bundle's
 * hash, not by the number.
 */
#include "base/cleanup.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/vec.h"
#include "net/multipart.h"
#include "net/url.h"
#include "provider/supabase_inside.h"

#include <assert.h>
#include <string.h>

enum {
    BUNDLE_DEADLINE_MS = 120000
};

/* ---- a function as JSON ---- */

json_t *supabase_function_to_json(const struct supabase_function *f)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I, s:b, s:b}", "id", f->id, "slug", f->slug,
                          "name", f->name, "status", f->status, "version", (json_int_t)f->version,
                          "verify_jwt", f->verify_jwt, "import_map", f->import_map);
    if (*f->entrypoint_path)
        json_object_set_new(o, "entrypoint_path", json_string(f->entrypoint_path));
    if (*f->import_map_path)
        json_object_set_new(o, "import_map_path", json_string(f->import_map_path));
    if (*f->ezbr_sha256)
        json_object_set_new(o, "ezbr_sha256", json_string(f->ezbr_sha256));
    if (f->created_at_ms > 0)
        json_object_set_new(o, "created_at", json_integer(f->created_at_ms));
    return o;
}

bool supabase_function_from_json(struct arena *a, const json_t *value,
                                 struct supabase_function *ret, struct err *e)
{
    struct fields f = fields_of(a, value, "function", e);
    struct supabase_function function = {
        .id = field_id(&f, "id"),
        .slug = field_id(&f, "slug"),
        .name = field_need_text(&f, "name"),
        .status = field_id(&f, "status"),
        .version = field_count(&f, "version"),
        .verify_jwt = field_flag(&f, "verify_jwt", true),
        .import_map = field_flag(&f, "import_map", false),
        .entrypoint_path = field_text(&f, "entrypoint_path"),
        .import_map_path = field_text(&f, "import_map_path"),
        .ezbr_sha256 = field_text(&f, "ezbr_sha256"),
        .created_at_ms = field_number(&f, "created_at", 0),
        .updated_at_ms = field_number(&f, "updated_at", 0),
    };
    if (fields_ok(&f))
        *ret = function;
    return fields_ok(&f);
}

static bool read_list(struct arena *a, const json_t *list, struct supabase_function **ret,
                      size_t *ret_count, struct err *e)
{
    if (!answer_is_list(list, "functions", e))
        return false;
    VEC(struct supabase_function) functions = { 0 };
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
        if (!supabase_function_from_json(a, item, vec_add(&functions, a), e))
            return false;
    *ret = functions.v;
    *ret_count = functions.n;
    return true;
}

/* ---- list and read ---- */

bool supabase_functions(struct supabase *s, struct arena *a, struct supabase_function **ret,
                        size_t *ret_count, struct err *e)
{
    struct http_request q = {
        .what = "supabase.functions",
        .method = "GET",
        .path = supabase_path(s, a, "/functions"),
    };
    json_auto_t *list = NULL;
    if (!http_json(s->http, a, &q, &list, NULL, e) ||
        !http_checked(s->http, read_list(a, list, ret, ret_count, e), e))
        return err_wrap(e, "list the functions of project %s", s->ref);
    return true;
}

bool supabase_function_get(struct supabase *s, struct arena *a, const char *slug,
                           struct supabase_function *ret, struct err *e)
{
    struct http_request q = {
        .what = "supabase.function_get",
        .method = "GET",
        .path = supabase_path(s, a, arena_printf(a, "/functions/%s", url_encode(a, slug))),
    };
    json_auto_t *value = NULL;
    if (!http_json(s->http, a, &q, &value, NULL, e) ||
        !http_checked(s->http, supabase_function_from_json(a, value, ret, e), e))
        return err_wrap(e, "read function %s", slug);
    if (!streq(ret->slug, slug))
        return err_set(e, ERR_DATA, "read function %s: the host answered with function %s", slug,
                       ret->slug);
    return true;
}

/* ---- deploy ---- */

static struct str deploy_body(struct arena *a, const struct function_source *source,
                              const char **ret_content_type)
{
    json_auto_t *patterns = json_array();
    for (size_t i = 0; i < source->n_static_patterns; i++)
        json_array_append_new(patterns, json_string(source->static_patterns[i]));
    json_auto_t *metadata =
        json_pack("{s:s, s:s, s:O, s:b, s:s}", "entrypoint_path", source->entrypoint_path,
                  "import_map_path", source->import_map_path, "static_patterns", patterns,
                  "verify_jwt", source->verify_jwt, "name", source->slug);
    struct multipart_part *parts = ARENA_ARRAY(a, struct multipart_part, source->n_files + 1);
    for (size_t i = 0; i < source->n_files; i++)
        parts[i] = (struct multipart_part){
            .name = "file",
            .filename = source->files[i].path,
            .content_type = "application/octet-stream",
            .body = source->files[i].content,
        };
    parts[source->n_files] = (struct multipart_part){
        .name = "metadata",
        .body = str_of(json_text_in_order(a, metadata)),
    };
    return multipart_build(a, parts, source->n_files + 1, ret_content_type);
}

static bool is_of(const struct supabase_function *f, const char *slug, struct err *e)
{
    return streq(f->slug, slug) ||
           err_set(e, ERR_DATA, "the host answered with function %s", f->slug);
}

bool supabase_function_deploy(struct supabase *s, struct arena *a,
                              const struct function_source *source, bool bundle_only,
                              struct supabase_function *ret, struct err *e)
{
    CLEANUP(arena) struct arena *scratch = arena_new(0);
    const char *rest = arena_printf(a, "/functions/deploy?slug=%s%s", url_encode(a, source->slug),
                                    bundle_only ? "&bundleOnly=true" : "");
    struct http_request q = {
        .what = bundle_only ? "supabase.function_bundle" : "supabase.function_deploy",
        .method = "POST",
        .path = supabase_path(s, a, rest),
        .effect = bundle_only ? HTTP_IDEMPOTENT : HTTP_MUTATING,
        .deadline_ms = bundle_only ? BUNDLE_DEADLINE_MS : 0,
    };
    q.body = deploy_body(scratch, source, &q.content_type);
    json_auto_t *value = NULL;
    if (!http_json(s->http, scratch, &q, &value, NULL, e))
        return err_wrap(e, "%s function %s", bundle_only ? "bundle" : "deploy", source->slug);
    bool ok = supabase_function_from_json(a, value, ret, e) && is_of(ret, source->slug, e);
    if (!http_checked(s->http, ok, e)) {
        if (!bundle_only)
            err_recode(e, ERR_UNKNOWN_OUTCOME);
        return err_wrap(e, "deploy function %s", source->slug);
    }
    return true;
}

/* Is `f` among `now`, running the bundle we asked for? */
static bool is_running(const struct supabase_function *f, const struct supabase_function *now,
                       size_t n_now)
{
    for (size_t i = 0; i < n_now; i++)
        if (streq(now[i].slug, f->slug))
            return *f->ezbr_sha256 && *now[i].ezbr_sha256
                       ? streq(now[i].ezbr_sha256, f->ezbr_sha256)
                       : now[i].version >= f->version;
    return false;
}

bool supabase_functions_activate(struct supabase *s, struct arena *a,
                                 const struct supabase_function *functions, size_t n, struct err *e)
{
    if (n == 0)
        return true;
    json_auto_t *body = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(body, supabase_function_to_json(&functions[i]));
    struct http_request q = {
        .what = "supabase.functions_activate",
        .method = "PUT",
        .path = supabase_path(s, a, "/functions"),
        .effect = HTTP_MUTATING,
        .json = body,
    };
    json_auto_t *value = NULL;
    struct supabase_function *now = NULL;
    size_t n_now = 0;
    if (!http_json(s->http, a, &q, &value, NULL, e))
        return err_wrap(e, "activate %zu functions", n);
    bool ok = read_list(a, json_object_get(value, "functions"), &now, &n_now, e);
    if (!supabase_unreadable(s, ok, e))
        return err_wrap(e, "activate %zu functions", n);
    for (size_t i = 0; i < n; i++)
        if (!is_running(&functions[i], now, n_now))
            return err_set(e, ERR_UNKNOWN_OUTCOME,
                           "activate %zu functions: the answer does not show %s as asked", n,
                           functions[i].slug);
    return true;
}

bool supabase_function_delete(struct supabase *s, struct arena *a, const char *slug, struct err *e)
{
    struct http_request q = {
        .what = "supabase.function_delete",
        .method = "DELETE",
        .path = supabase_path(s, a, arena_printf(a, "/functions/%s", url_encode(a, slug))),
        .effect = HTTP_MUTATING,
    };
    if (http_done(s->http, a, &q, e) || e->code == ERR_NOT_FOUND)
        return true;
    return err_wrap(e, "delete function %s", slug);
}

/* ---- the live source ---- */

/* Servers answer paths as they stored them: "file:///…/supabase/functions/a/index.ts",
 * "/supabase/…", "source/index.ts". Ours are relative to the project; NULL if the path leads out of
 * it. */
static const char *project_path(struct arena *a, const char *path)
{
    const char *inside = strstr(path, "supabase/functions/");
    if (inside)
        path = inside;
    else if (starts_with(path, "file://"))
        path += strlen("file://");
    while (*path == '/' || starts_with(path, "./"))
        path += *path == '/' ? 1 : 2;
    struct str rest = str_of(path);
    while (rest.p)
        if (str_is(str_cut(&rest, '/'), ".."))
            return NULL;
    return *path ? arena_strdup(a, path) : NULL;
}

static bool has_file(const struct function_source *s, const char *path)
{
    assert(s->n_files == 0 || s->files);
    for (size_t i = 0; i < s->n_files; i++)
        if (streq(s->files[i].path, path))
            return true;
    return false;
}

static bool is_code(const char *path)
{
    static const char *const ends[] = { ".ts",  ".tsx", ".mts",  ".js",
                                        ".jsx", ".mjs", ".json", ".jsonc" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(path, ends[i]))
            return true;
    return false;
}

/* Parts → files and the entrypoint that the metadata part names. */
static bool read_parts(struct arena *a, const struct multipart_part *parts, size_t n,
                       struct function_source *s, struct err *e)
{
    struct function_file *files = ARENA_ARRAY(a, struct function_file, n + 1);
    s->static_patterns = ARENA_ARRAY(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (!parts[i].filename && !parts[i].path && streq(parts[i].name, "metadata")) {
            json_auto_t *metadata = json_parse(parts[i].body, "function metadata", e);
            if (!metadata)
                return false;
            const char *entry = json_text_or(metadata, "deno2_entrypoint_path", "");
            s->entrypoint_path = *entry ? project_path(a, entry) : NULL;
            continue;
        }
        const char *given = parts[i].path ? parts[i].path : parts[i].filename;
        if (!given)
            continue;
        const char *path = project_path(a, given);
        if (!path)
            return err_set(e, ERR_DATA, "the server sends a file outside the project: %s", given);
        files[s->n_files++] = (struct function_file){ .path = path, .content = parts[i].body };
        if (!is_code(path)) /* which patterns brought it is not told: name it */
            s->static_patterns[s->n_static_patterns++] = path;
    }
    s->files = files;
    return true;
}

bool supabase_function_source(struct supabase *s, struct arena *a, const char *slug,
                              struct function_source *ret, struct err *e)
{
    struct supabase_function f = { 0 };
    if (!supabase_function_get(s, a, slug, &f, e))
        return false;
    assert(f.entrypoint_path && f.import_map_path);
    const struct http_header accept = { "Accept", "multipart/form-data" };
    struct http_request q = {
        .what = "supabase.function_body",
        .method = "GET",
        .path = supabase_path(s, a, arena_printf(a, "/functions/%s/body", url_encode(a, slug))),
        .headers = &accept,
        .n_headers = 1,
        .max_answer_bytes = 2 * LIMIT_FUNCTION_BYTES,
    };
    struct http_answer answer = { 0 };
    struct multipart_part *parts = NULL;
    size_t n_parts = 0;
    struct function_source source = { .slug = arena_strdup(a, slug), .verify_jwt = f.verify_jwt };
    if (!http_send(s->http, a, &q, &answer, e) ||
        !multipart_parse(a, http_find_header(&answer, "content-type"), answer.body, &parts,
                         &n_parts, e) ||
        !read_parts(a, parts, n_parts, &source, e))
        return err_wrap(e, "read the source of function %s", slug);

    if (!source.entrypoint_path)
        source.entrypoint_path = project_path(a, f.entrypoint_path);
    if (!source.entrypoint_path || !has_file(&source, source.entrypoint_path))
        return err_set(e, ERR_DATA,
                       "read the source of function %s: its entrypoint is not among the files",
                       slug);
    const char *map = project_path(a, f.import_map_path);
    source.import_map_path = map && has_file(&source, map) ? map : "";
    function_source_seal(a, &source);
    *ret = source;
    return true;
}
