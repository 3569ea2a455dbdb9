/*
 * supabase/config.toml and the folders of functions.
 *
 * As the Supabase CLI does: [remotes.<name>] is laid over the whole file key by key, a whole
 * "env(NAME)" is replaced, and a function exists if it is declared or has a folder with index.ts.
 */
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "config/dotenv.h"
#include "config/read.h"
#include "config/vendor.h"

#include <stdlib.h>

struct declared_list {
    struct config_function *v;
    size_t n;
};

struct remote_list {
    struct config_remote *v;
    size_t n;
};

/* The file's tables that are not laid out like struct supabase_config. */
struct supabase_file {
    struct supabase_config config;
    struct declared_list functions;
    struct remote_list remotes;
};

// clang-format off
static const struct key function_keys[] = {
    { "enabled",      KEY_BOOL,  KEY_AT(config_function, is_enabled), .otherwise = "true" },
    { "verify_jwt",   KEY_BOOL,  KEY_AT(config_function, verify_jwt), .otherwise = "true" },
    { "import_map",   KEY_PATH,  KEY_AT(config_function, import_map) },
    { "entrypoint",   KEY_PATH,  KEY_AT(config_function, entrypoint) },
    { "static_files", KEY_TEXTS, KEY_AT(config_function, static_files) },
    { 0 },
};

static const struct key remote_keys[] = {
    { "project_id", KEY_TEXT, KEY_AT(config_remote, project_id) },
    { 0 },
};

static const struct key api_keys[] = {
    { "schemas",           KEY_TEXTS, KEY_AT(supabase_file, config.api_schemas) },
    { "extra_search_path", KEY_TEXTS, KEY_AT(supabase_file, config.api_extra_search_path) },
    { "max_rows",          KEY_INT,   KEY_AT(supabase_file, config.api_max_rows), .otherwise = "1000" },
    { 0 },
};

static const struct key migrations_keys[] = {
    { "enabled", KEY_BOOL, KEY_AT(supabase_file, config.migrations_enabled), .otherwise = "true" },
    { 0 },
};

static const struct key seed_keys[] = {
    { "enabled",   KEY_BOOL,  KEY_AT(supabase_file, config.seed.is_enabled), .otherwise = "true" },
    { "sql_paths", KEY_TEXTS, KEY_AT(supabase_file, config.seed.sql_paths) },
    { 0 },
};

static const struct key db_keys[] = {
    { "migrations", KEY_TABLE, 0, .keys = migrations_keys },
    { "seed",       KEY_TABLE, 0, .keys = seed_keys },
    { 0 },
};

static const struct key edge_keys[] = {
    { "secrets", KEY_PAIRS, KEY_AT(supabase_file, config.secrets) },
    { 0 },
};

static const struct key supabase_file_keys[] = {
    { "project_id",   KEY_TEXT,  KEY_AT(supabase_file, config.project_id) },
    { "api",          KEY_TABLE, 0, .keys = api_keys },
    { "db",           KEY_TABLE, 0, .keys = db_keys },
    { "edge_runtime", KEY_TABLE, 0, .keys = edge_keys },
    { "functions",    KEY_NAMED, KEY_AT(supabase_file, functions), .keys = function_keys, .item_bytes = sizeof(struct config_function) },
    { 0 },
};

static const struct key remotes_keys[] = {
    { "remotes", KEY_NAMED, KEY_AT(supabase_file, remotes), .keys = remote_keys, .item_bytes = sizeof(struct config_remote) },
    { 0 },
};
// clang-format on

static struct text_array texts(struct arena *a, const char *one, const char *two)
{
    struct text_array list = { ARENA_ARRAY(a, const char *, 2), 0 };
    list.v[list.n++] = one;
    if (two)
        list.v[list.n++] = two;
    return list;
}

/* The import map the CLI would choose. */
static const char *find_import_map(struct arena *a, const struct config *c, const char *dir)
{
    static const char *const names[] = { "deno.json", "deno.jsonc", "import_map.json" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *path = fs_join(a, dir, names[i]);
        if (fs_exists(path))
            return path;
    }
    const char *shared = fs_join(a, c->paths.functions, "import_map.json");
    return fs_exists(shared) ? shared : NULL;
}

static void complete_function(const struct config *c, const struct origins *origins,
                              struct config_function *f)
{
    struct arena *a = c->arena;
    f->dir = fs_join(a, c->paths.functions, f->slug);
    f->verify_jwt_given = origin_get(origins, &f->verify_jwt).kind == ORIGIN_FILE;
    if (!f->entrypoint)
        f->entrypoint = fs_join(a, f->dir, "index.ts");
    if (!f->import_map)
        f->import_map = find_import_map(a, c, f->dir);
}

static bool is_slug(const char *name)
{
    if (!((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z')))
        return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] ==
           '\0';
}

static bool is_declared(const struct declared_list *list, const char *slug)
{
    for (size_t i = 0; i < list->n; i++) {
        if (streq(list->v[i].slug, slug))
            return true;
    }
    return false;
}

static int by_slug(const void *a, const void *b)
{
    return strcmp(((const struct config_function *)a)->slug,
                  ((const struct config_function *)b)->slug);
}

/* Names of folders that are functions and are not declared. */
static bool add_folders(const struct config *c, const struct declared_list *declared,
                        struct config_function *all, size_t *n, struct err *e)
{
    const char **names = NULL;
    size_t count = 0;
    if (!fs_is_dir(c->paths.functions))
        return true;
    if (!fs_list(c->arena, c->paths.functions, &names, &count, e))
        return err_wrap(e, "list the functions");
    for (size_t i = 0; i < count; i++) {
        const char *dir = fs_join(c->arena, c->paths.functions, names[i]);
        bool is_function = is_slug(names[i]) && fs_exists(fs_join(c->arena, dir, "index.ts"));
        if (!is_function || is_declared(declared, names[i]))
            continue;
        if (*n >= LIMIT_FUNCTIONS)
            return err_set(e, ERR_LIMIT, "more than %d functions", LIMIT_FUNCTIONS);
        all[(*n)++] =
            (struct config_function){ .slug = names[i], .is_enabled = true, .verify_jwt = true };
    }
    return true;
}

/* Sorting moves the items, so what was known about their fields moves along. */
static bool collect_functions(const struct config *c, struct origins *origins,
                              const struct declared_list *declared, struct supabase_config *to,
                              struct err *e)
{
    if (declared->n > LIMIT_FUNCTIONS)
        return err_set(e, ERR_LIMIT, "more than %d functions", LIMIT_FUNCTIONS);
    struct config_function *all = ARENA_ARRAY(c->arena, struct config_function, LIMIT_FUNCTIONS);
    size_t n = declared->n;
    for (size_t i = 0; i < n; i++)
        all[i] = declared->v[i];
    if (!add_folders(c, declared, all, &n, e))
        return false;
    qsort(all, n, sizeof *all, by_slug);
    for (size_t i = 0; i < declared->n; i++) {
        const struct config_function *found =
            bsearch(&declared->v[i], all, n, sizeof *all, by_slug);
        origins_copied(origins, &declared->v[i], found, sizeof *found);
    }
    for (size_t i = 0; i < n; i++)
        complete_function(c, origins, &all[i]);
    to->functions = all;
    to->functions_n = n;
    return true;
}

/* An unresolved env(NAME) is left out of the secrets, as the CLI does. */
static void drop_unresolved(struct pair_array *secrets)
{
    size_t kept = 0;
    for (size_t i = 0; i < secrets->n; i++) {
        if (!starts_with(secrets->v[i].value, "env("))
            secrets->v[kept++] = secrets->v[i];
    }
    secrets->n = kept;
}

static struct reader reader_of(const struct config *c, struct origins *origins, const char *file)
{
    return (struct reader){
        .arena = c->arena,
        .origins = origins,
        .file = config_shown_path(c, file),
        .dir = c->paths.supabase,
        .resolve = dotenv_resolve,
        .context = dotenv_load(c->arena, c->paths.supabase, c->dir),
    };
}

static bool read_config_toml(struct reader *r, const char *file, const char *remote,
                             struct supabase_file *to, struct err *e)
{
    struct toml_node root = { .kind = TOML_TABLE };
    if (fs_exists(file) && !read_file(r, file, &root, e))
        return false;
    const struct toml_node *over = remote ? toml_find(toml_find(&root, "remotes"), remote) : NULL;
    if (over && over->kind == TOML_TABLE)
        root = toml_merge(r->arena, &root, over);
    return read_table(r, &root, supabase_file_keys, "", to, e);
}

bool supabase_config_load(const struct config *c, struct origins *origins, const char *remote,
                          struct supabase_config *ret, struct err *e)
{
    struct arena *a = c->arena;
    const char *file = fs_join(a, c->paths.supabase, "config.toml");
    struct reader r = reader_of(c, origins, file);
    /* in the arena, because origins remember addresses */
    struct supabase_file *read = ARENA_NEW(a, struct supabase_file);
    if (!read_config_toml(&r, file, remote, read, e))
        return false;
    struct supabase_config *s = &read->config;
    s->file = fs_exists(file) ? file : NULL;
    s->dir = c->paths.supabase;
    if (!s->api_schemas.v)
        s->api_schemas = texts(a, "public", "graphql_public");
    if (!s->api_extra_search_path.v)
        s->api_extra_search_path = texts(a, "public", "extensions");
    if (!s->seed.sql_paths.v)
        s->seed.sql_paths = texts(a, "./seed.sql", NULL);
    drop_unresolved(&s->secrets);
    if (!collect_functions(c, origins, &read->functions, s, e))
        return false;
    origins_copied(origins, s, ret, sizeof *ret);
    *ret = *s;
    return true;
}

bool supabase_remotes_load(const struct config *c, struct origins *origins,
                           struct config_remote **ret, size_t *ret_n, struct err *e)
{
    const char *file = fs_join(c->arena, c->paths.supabase, "config.toml");
    struct reader r = reader_of(c, origins, file);
    struct toml_node root = { .kind = TOML_TABLE };
    struct supabase_file *read = ARENA_NEW(c->arena, struct supabase_file);
    if (fs_exists(file) && !read_file(&r, file, &root, e))
        return false;
    if (!read_table(&r, &root, remotes_keys, "", read, e))
        return false;
    *ret = read->remotes.v;
    *ret_n = read->remotes.n;
    return true;
}
