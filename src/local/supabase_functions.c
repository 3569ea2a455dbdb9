/*
 * Functions and secrets in the management API. What is answered is on disk; and the processes serve
 * it already, unless it does not boot (functions.h).
 */
#include "base/json.h"
#include "base/limits.h"
#include "local/bundle.h"
#include "local/functions.h"
#include "local/supabase_inside.h"

#include <ctype.h>

static int status_of(const struct err *e)
{
    if (e->code == ERR_DATA)
        return 400;
    if (e->code == ERR_LIMIT)
        return 413;
    return e->code == ERR_NOT_FOUND ? 404 : 500;
}

static void refuse(struct request *r, const struct err *e)
{
    supabase_refuse(r, status_of(e), "%s", e->why);
}

static bool is_slug(const char *slug)
{
    size_t n = strlen(slug);
    bool ok = n > 0 && n < 100 && isalpha((unsigned char)slug[0]);
    for (size_t i = 0; i < n; i++)
        ok = ok && (isalnum((unsigned char)slug[i]) || slug[i] == '_' || slug[i] == '-');
    return ok;
}

static struct functions *functions_of(struct request *r, void *context)
{
    struct platform_environment *env = supabase_environment(r, context);
    return env ? env->functions : NULL;
}

/* ---- Reading --------------------------------------------------------------------------------- */

void functions_list_get(struct request *r, void *context)
{
    struct functions *f = functions_of(r, context);
    if (f)
        respond_json(r, 200, project_functions(functions_project(f)));
}

/* The function of :slug; NULL after having answered. */
static json_t *function_of(struct request *r, struct functions *f)
{
    json_t *function = f ? project_function(functions_project(f), request_param(r, "slug")) : NULL;
    if (f && !function)
        supabase_refuse(r, 404, "Function not found");
    return function;
}

void function_get(struct request *r, void *context)
{
    json_t *function = function_of(r, functions_of(r, context));
    if (function)
        respond_json(r, 200, function);
}

static bool gather(struct request *r, struct functions *f, const json_t *function,
                   struct multipart_part **ret, size_t *ret_n, struct err *e)
{
    const char *dir = project_dir(functions_project(f));
    const char *digest = json_text_or(function, "ezbr_sha256", "");
    json_auto_t *manifest = NULL;
    if (!bundle_manifest(r->arena, dir, digest, &manifest, e))
        return false;
    const json_t *files = json_object_get(manifest, "files");
    size_t n = 0;
    size_t i;
    json_t *path;
    struct multipart_part *parts =
        ARENA_ARRAY(r->arena, struct multipart_part, json_array_size(files) + 1);
    const char *head = json_text(r->arena, json_object_get(manifest, "entrypoint"));
    parts[n++] = (struct multipart_part){
        .name = "metadata",
        .body = str_of(arena_printf(r->arena, "{\"deno2_entrypoint_path\":%s}", head)),
    };
    json_array_foreach (files, i, path) {
        const char *name = arena_strdup(r->arena, json_string_value(path));
        parts[n] = (struct multipart_part){ .name = "file",
                                            .filename = name,
                                            .content_type = "application/octet-stream" };
        if (!bundle_file(r->arena, dir, digest, name, &parts[n].body, e))
            return false;
        n++;
    }
    *ret = parts;
    *ret_n = n;
    return true;
}

void function_body_get(struct request *r, void *context)
{
    struct err e;
    struct functions *f = functions_of(r, context);
    json_auto_t *function = function_of(r, f);
    struct multipart_part *parts = NULL;
    size_t n = 0;
    const char *accept = request_header(r, "Accept");
    const char *content_type = NULL;
    if (!function)
        return;
    if (!accept || !strstr(accept, "multipart/form-data")) {
        supabase_refuse(r, 406,
                        "The local platform keeps sources, not eszip: ask with "
                        "Accept: multipart/form-data");
        return;
    }
    if (!gather(r, f, function, &parts, &n, &e)) {
        refuse(r, &e);
        return;
    }
    struct str body = multipart_build(r->arena, parts, n, &content_type);
    respond(r, 200, content_type, body);
}

/* ---- Deploying ------------------------------------------------------------------------------- */

/* Takes the parts apart by name, never by position. */
static bool read_parts(struct request *r, struct multipart_part **ret_files, size_t *ret_n,
                       json_t **ret_metadata, struct err *e)
{
    struct multipart_part *parts = NULL;
    size_t n = 0;
    size_t files = 0;
    if (!multipart_parse(r->arena, request_header(r, "Content-Type"), r->body, &parts, &n, e))
        return false;
    struct str metadata = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (streq(parts[i].name, "metadata"))
            metadata = parts[i].body;
        else if (parts[i].filename)
            parts[files++] = parts[i];
    }
    if (!metadata.p)
        return err_set(e, ERR_DATA, "The part \"metadata\" is missing");
    if (files > LIMIT_FUNCTION_FILES)
        return err_set(e, ERR_DATA, "More than %d files", LIMIT_FUNCTION_FILES);
    *ret_files = parts;
    *ret_n = files;
    *ret_metadata = json_parse(metadata, "metadata", e);
    return *ret_metadata != NULL;
}

static json_t *members_of(const json_t *metadata, const char *digest)
{
    const char *import_map = json_text_or(metadata, "import_map_path", "");
    const char *name = json_text_or(metadata, "name", "");
    json_t *members = json_pack("{s:s, s:s, s:s, s:b}", "status", "ACTIVE", "ezbr_sha256", digest,
                                "entrypoint_path", json_text_or(metadata, "entrypoint_path", ""),
                                "import_map", *import_map != '\0');
    if (*import_map)
        (void)json_object_set_new(members, "import_map_path", json_string(import_map));
    if (*name)
        (void)json_object_set_new(members, "name", json_string(name));
    if (json_is_boolean(json_object_get(metadata, "verify_jwt")))
        (void)json_object_set(members, "verify_jwt", json_object_get(metadata, "verify_jwt"));
    return members;
}

static bool deploy(struct request *r, struct functions *f, const char *slug, json_t **ret,
                   struct err *e)
{
    struct multipart_part *files = NULL;
    size_t n = 0;
    json_auto_t *metadata = NULL;
    char digest[SHA256_HEX_BYTES];
    struct bundle_source source;
    struct project *project = functions_project(f);
    if (!is_slug(slug))
        return err_set(e, ERR_DATA, "Invalid function slug: %.100s", slug);
    if (!read_parts(r, &files, &n, &metadata, e))
        return false;
    source = (struct bundle_source){ files, n, metadata };
    if (!bundle_keep(functions_tools(f), r->arena, project_dir(project), &source, digest, e))
        return false;
    json_auto_t *members = members_of(metadata, digest);
    *ret = project_next_function(project, slug, members);
    return true;
}

void functions_deploy_post(struct request *r, void *context)
{
    struct err e;
    struct functions *f = functions_of(r, context);
    const char *slug = request_query(r, "slug");
    const char *bundle_only = request_query(r, "bundleOnly");
    json_t *next = NULL;
    json_auto_t *stored = NULL;
    if (!f)
        return;
    if (!deploy(r, f, slug ? slug : "", &next, &e)) {
        refuse(r, &e);
        return;
    }
    if (bundle_only && streq(bundle_only, "true")) {
        respond_json(r, 201, next);
        return;
    }
    json_auto_t *list = json_pack("[o]", next);
    if (!project_put_functions(functions_project(f), list, &stored, &e)) {
        refuse(r, &e);
        return;
    }
    functions_settle(f);
    respond_json(r, 201, json_incref(json_array_get(stored, 0)));
}

/* An element of a bulk update: types, and a bundle that is there. */
static bool check_element(struct request *r, struct functions *f, const json_t *one, struct err *e)
{
    static const char *const texts[] = {
        "id", "slug", "name", "entrypoint_path", "status", "ezbr_sha256", "import_map_path", NULL
    };
    const char *slug = json_text_or(one, "slug", "");
    if (!is_slug(slug))
        return err_set(e, ERR_DATA, "Invalid function slug: %.100s", slug);
    for (const char *const *key = texts; *key; key++) {
        const json_t *value = json_object_get(one, *key);
        if (value && !json_is_string(value) && !json_is_null(value))
            return err_set(e, ERR_DATA, "%s: %s must be a string", slug, *key);
    }
    if (!json_is_integer(json_object_get(one, "version")) || !*json_text_or(one, "id", ""))
        return err_set(e, ERR_DATA, "%s: id and version are required", slug);
    return bundle_exists(r->arena, project_dir(functions_project(f)),
                         json_text_or(one, "ezbr_sha256", "")) ||
           err_set(e, ERR_DATA,
                   "%s: no bundle with this ezbr_sha256; deploy it with bundleOnly first", slug);
}

void functions_put(struct request *r, void *context)
{
    struct err e;
    struct functions *f = functions_of(r, context);
    json_auto_t *list = f ? supabase_body(r, JSON_ARRAY) : NULL;
    json_t *stored = NULL;
    size_t i;
    json_t *one;
    bool ok = true;
    if (!list)
        return;
    json_array_foreach (list, i, one)
        ok = ok && check_element(r, f, one, &e);
    ok = ok && project_put_functions(functions_project(f), list, &stored, &e);
    if (!ok) {
        refuse(r, &e);
        return;
    }
    functions_settle(f);
    respond_json(r, 200, json_pack("{s:o}", "functions", stored));
}

void function_patch(struct request *r, void *context)
{
    struct err e;
    struct functions *f = functions_of(r, context);
    json_auto_t *function = function_of(r, f);
    json_auto_t *body = function ? supabase_body(r, JSON_OBJECT) : NULL;
    json_auto_t *stored = NULL;
    if (!body)
        return;
    if (json_object_get(body, "body")) {
        supabase_refuse(r, 400, "Sources are deployed with POST …/functions/deploy");
        return;
    }
    if (json_is_boolean(json_object_get(body, "verify_jwt")))
        (void)json_object_set(function, "verify_jwt", json_object_get(body, "verify_jwt"));
    if (json_is_string(json_object_get(body, "name")))
        (void)json_object_set(function, "name", json_object_get(body, "name"));
    (void)json_object_set_new(function, "version",
                              json_integer(json_int_or(function, "version", 0) + 1));
    json_auto_t *list = json_pack("[O]", function);
    if (!project_put_functions(functions_project(f), list, &stored, &e)) {
        refuse(r, &e);
        return;
    }
    functions_settle(f);
    respond_json(r, 200, json_incref(json_array_get(stored, 0)));
}

void function_delete(struct request *r, void *context)
{
    struct err e;
    struct functions *f = functions_of(r, context);
    bool found = false;
    if (!f)
        return;
    if (!project_delete_function(functions_project(f), request_param(r, "slug"), &found, &e))
        refuse(r, &e);
    else if (!found)
        supabase_refuse(r, 404, "Function not found");
    else {
        functions_settle(f);
        respond_json(r, 200, json_pack("{s:s}", "message", "ok"));
    }
}

/* ---- Secrets --------------------------------------------------------------------------------- */

void secrets_get(struct request *r, void *context)
{
    struct functions *f = functions_of(r, context);
    if (f)
        respond_json(r, 200, project_secret_digests(functions_project(f)));
}

static void change_secrets(struct request *r, void *context, int status,
                           bool (*change)(struct project *, const json_t *, struct err *))
{
    struct err e;
    struct functions *f = functions_of(r, context);
    json_auto_t *list = f ? supabase_body(r, JSON_ARRAY) : NULL;
    if (!list)
        return;
    if (!change(functions_project(f), list, &e)) {
        refuse(r, &e);
        return;
    }
    functions_secrets_changed(f);
    respond_empty(r, status);
}

void secrets_post(struct request *r, void *context)
{
    change_secrets(r, context, 201, project_set_secrets);
}

void secrets_delete(struct request *r, void *context)
{
    change_secrets(r, context, 200, project_unset_secrets);
}
