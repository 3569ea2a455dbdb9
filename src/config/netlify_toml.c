/*
 * netlify.toml: what is built, how, and what is published.
 *
 * Netlify lays [context.production] over [build]; every environment of ours is the production
 * context of its own site, so that is the one context that counts.
 */
#include "base/fs.h"
#include "config/read.h"
#include "config/vendor.h"

/* Paths as written: publish and functions are relative to base. */
struct written {
    const char *base;
    const char *publish;
    const char *functions;
    const char *functions_directory;
    const char *command;
    struct pair_array environment;
    bool pretty_urls;
};

// clang-format off
static const struct key html_keys[] = {
    { "pretty_urls", KEY_BOOL, KEY_AT(written, pretty_urls), .otherwise = "true" },
    { 0 },
};

static const struct key processing_keys[] = {
    { "html", KEY_TABLE, 0, .keys = html_keys },
    { 0 },
};

static const struct key build_keys[] = {
    { "base",        KEY_TEXT,  KEY_AT(written, base) },
    { "command",     KEY_TEXT,  KEY_AT(written, command) },
    { "publish",     KEY_TEXT,  KEY_AT(written, publish) },
    { "functions",   KEY_TEXT,  KEY_AT(written, functions) },
    { "environment", KEY_PAIRS, KEY_AT(written, environment) },
    { "processing",  KEY_TABLE, 0, .keys = processing_keys },
    { 0 },
};

static const struct key functions_keys[] = {
    { "directory", KEY_TEXT, KEY_AT(written, functions_directory) },
    { 0 },
};

static const struct key netlify_file_keys[] = {
    { "functions", KEY_TABLE, 0, .keys = functions_keys },
    { 0 },
};
// clang-format on

static const char *below(struct arena *a, const char *dir, const char *path)
{
    while (path && starts_with(path, "./"))
        path += 2;
    if (!path || path[0] == '\0' || streq(path, "."))
        return dir;
    /* Netlify takes "/dist" as relative to the base, too */
    return fs_join(a, dir, path[0] == '/' ? path + 1 : path);
}

static struct toml_node build_node(struct arena *a, const struct toml_node *root)
{
    static const struct toml_node empty = { .kind = TOML_TABLE };
    const struct toml_node *build = toml_find(root, "build");
    const struct toml_node *production = toml_find(toml_find(root, "context"), "production");
    if (!production || production->kind != TOML_TABLE)
        return build ? *build : empty;
    return toml_merge(a, build && build->kind == TOML_TABLE ? build : &empty, production);
}

/* The rules travel with the deploy, as a netlify.toml that has nothing else in it. */
static const char *rules_text(struct arena *a, const struct toml_node *root)
{
    const char *redirects = toml_table_array(a, "redirects", toml_find(root, "redirects"));
    const char *headers = toml_table_array(a, "headers", toml_find(root, "headers"));
    return redirects[0] || headers[0] ? arena_printf(a, "%s%s", redirects, headers) : NULL;
}

bool netlify_config_load(struct config *c, struct origins *origins, struct netlify_config *ret,
                         struct err *e)
{
    const char *file = c->paths.netlify;
    *ret = (struct netlify_config){ .base = c->dir, .pretty_urls = true };
    if (!fs_exists(file))
        return true;
    struct reader r = {
        .arena = c->arena,
        .origins = origins,
        .file = config_shown_path(c, file),
        .dir = c->dir,
    };
    struct toml_node root;
    struct written *w = ARENA_NEW(c->arena, struct written); /* origins remember addresses */
    if (!read_file(&r, file, &root, e))
        return false;
    struct toml_node build = build_node(c->arena, &root);
    if (!read_table(&r, &build, build_keys, "build", w, e) ||
        !read_table(&r, &root, netlify_file_keys, "", w, e))
        return false;
    const char *functions = w->functions_directory ? w->functions_directory : w->functions;
    *ret = (struct netlify_config){
        .file = file,
        .base = below(c->arena, c->dir, w->base),
        .command = w->command,
        .environment = w->environment,
        .pretty_urls = w->pretty_urls,
        .rules_toml = rules_text(c->arena, &root),
    };
    ret->publish = w->publish ? below(c->arena, ret->base, w->publish) : NULL;
    ret->functions = functions ? below(c->arena, ret->base, functions) : NULL;
    origin_set(origins, &ret->command, origin_get(origins, &w->command));
    origin_set(origins, &ret->publish, origin_get(origins, &w->publish));
    return true;
}
