#include "migrate/migration.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "migrate/sql/script.h"

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#define VERSION_DIGITS   14
#define LEGACY_INIT_LAST "20211209000000" /* the CLI leaves out older <version>_init.sql */

typedef VEC(struct migration) migration_vec;
typedef VEC(const char *) text_vec;

/* "supabase/migrations/x.sql" reads better than an absolute path when we are in the project. */
static const char *shown_dir(const char *dir)
{
    char cwd[LIMIT_PATH_BYTES];
    if (!getcwd(cwd, sizeof cwd - 1))
        return dir;
    size_t n = strlen(cwd);
    return strncmp(dir, cwd, n) == 0 && dir[n] == '/' && dir[n + 1] ? dir + n + 1 : dir;
}

static const char *shown_path(struct arena *a, const char *dir, const char *name)
{
    return fs_join(a, shown_dir(dir), name);
}

/* ^([0-9]+)_(.*)\.sql$ */
static bool parse_name(struct arena *a, const char *name, const char **ret_version,
                       const char **ret_name)
{
    size_t digits = strspn(name, "0123456789"), n = strlen(name);
    if (digits == 0 || name[digits] != '_' || !ends_with(name, ".sql") || digits + 1 > n - 4)
        return false;
    *ret_version = arena_strndup(a, name, digits);
    *ret_name = arena_strndup(a, name + digits + 1, n - digits - 5);
    return true;
}

/* ---- bytes ---- */

static bool read_sql(struct arena *a, const char *file, struct str *ret, const char **ret_sha256,
                     struct err *e)
{
    char sha256[SHA256_HEX_BYTES];
    if (!fs_read(a, file, LIMIT_SQL_FILE_BYTES, ret, e))
        return false;
    hash_hex(HASH_SHA256, *ret, sha256);
    *ret_sha256 = arena_strdup(a, sha256);
    if (!sql_text_check(file, *ret, e))
        return false;
    if (str_starts(*ret, "\xef\xbb\xbf"))
        *ret = (struct str){ ret->p + 3, ret->n - 3 };
    return true;
}

/* ---- the migrations folder ---- */

static int by_version_only(const void *a, const void *b)
{
    const struct migration *x = a, *y = b;
    return strcmp(x->version, y->version);
}

static int by_version(const void *a, const void *b)
{
    const struct migration *x = a, *y = b;
    int order = by_version_only(a, b);
    return order ? order : strcmp(x->file, y->file);
}

static bool is_legacy_init(const char *version, const char *name, bool is_first)
{
    return is_first && streq(name, "init") && strlen(version) == VERSION_DIGITS &&
           strcmp(version, LEGACY_INIT_LAST) < 0;
}

static bool read_migrations(struct arena *a, const char *dir, const char *reverse_dir,
                            migration_vec *list, text_vec *skipped, struct err *e)
{
    const char **names = NULL;
    size_t n = 0;
    if (!fs_list(a, dir, &names, &n, e))
        return e->code == ERR_NOT_FOUND; /* no folder, no migrations */
    dir = shown_dir(dir);
    reverse_dir = shown_dir(reverse_dir);
    for (size_t i = 0; i < n; i++) {
        struct migration m = { .file = fs_join(a, dir, names[i]) };
        if (fs_is_dir(m.file) || names[i][0] == '.')
            continue;
        if (!parse_name(a, names[i], &m.version, &m.name)) {
            *vec_add(skipped, a) =
                arena_printf(a, "%s: skipped, its name is not <digits>_<name>.sql", m.file);
            continue;
        }
        if (is_legacy_init(m.version, m.name, list->n == 0))
            continue;
        if (list->n == LIMIT_MIGRATIONS)
            return err_set(e, ERR_LIMIT, "more than %d migrations in %s", LIMIT_MIGRATIONS, dir);
        if (!read_sql(a, m.file, &m.sql, &m.sha256, e))
            return false;
        m.reverse_file = fs_join(a, reverse_dir, names[i]);
        *vec_add(list, a) = m;
    }
    if (list->n > 1)
        qsort(list->v, list->n, sizeof *list->v, by_version);
    return true;
}

static bool no_version_twice(const migration_vec *list, struct err *e)
{
    for (size_t i = 1; i < list->n; i++)
        if (streq(list->v[i - 1].version, list->v[i].version)) {
            err_set(e, ERR_CONFIG, "version %s is used by two migrations: %s and %s",
                    list->v[i].version, list->v[i - 1].file, list->v[i].file);
            return err_hint(e, "give the newer one a version of its own: git mv");
        }
    return true;
}

/* ---- the folder of reverse scripts ---- */

/* No version is there twice. */
static struct migration *find_by_name(migration_vec *list, const char *version, const char *name)
{
    struct migration wanted = { .version = version };
    struct migration *m =
        list->n ? bsearch(&wanted, list->v, list->n, sizeof *list->v, by_version_only) : NULL;
    return m && streq(m->name, name) ? m : NULL;
}

static bool read_reverses(struct arena *a, const char *dir, migration_vec *list, text_vec *skipped,
                          struct err *e)
{
    const char **names = NULL, *version = NULL, *name = NULL;
    size_t n = 0;
    if (!fs_list(a, dir, &names, &n, e))
        return e->code == ERR_NOT_FOUND;
    dir = shown_dir(dir);
    for (size_t i = 0; i < n; i++) {
        const char *file = fs_join(a, dir, names[i]);
        if (fs_is_dir(file) || names[i][0] == '.')
            continue;
        if (!parse_name(a, names[i], &version, &name)) {
            *vec_add(skipped, a) =
                arena_printf(a, "%s: skipped, its name is not <digits>_<name>.sql", file);
            continue;
        }
        struct migration *m = find_by_name(list, version, name);
        if (!m) {
            err_set(e, ERR_CONFIG,
                    "%s reverses no migration: there is no %s in the migrations folder", file,
                    names[i]);
            return err_hint(e, "name it as the migration it belongs to");
        }
        if (!read_sql(a, file, &m->reverse_sql, &m->reverse_sha256, e))
            return false;
        m->has_reverse = true;
    }
    return true;
}

bool migration_read(struct arena *a, const char *migrations_dir, const char *reverse_dir,
                    struct migration_set *ret, struct err *e)
{
    migration_vec list = { 0 };
    text_vec skipped = { 0 };
    if (!read_migrations(a, migrations_dir, reverse_dir, &list, &skipped, e) ||
        !no_version_twice(&list, e) || !read_reverses(a, reverse_dir, &list, &skipped, e))
        return err_wrap(e, "read migrations");
    err_clear(e);
    *ret = (struct migration_set){
        .v = list.v, .n = list.n, .skipped = skipped.v, .skipped_count = skipped.n
    };
    return true;
}

const struct migration *migration_find(const struct migration_set *set, const char *version)
{
    for (size_t i = 0; i < set->n; i++)
        if (streq(set->v[i].version, version))
            return &set->v[i];
    return NULL;
}

/* ---- a new one ---- */

static bool name_is_plain(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_' && *p != '-')
            return false;
    return *name && strlen(name) <= 128;
}

bool migration_create(struct arena *a, const char *migrations_dir, const char *reverse_dir,
                      const char *name, struct migration *ret, struct err *e)
{
    if (!name_is_plain(name))
        return err_set(e, ERR_USAGE,
                       "\"%s\" is no name for a migration: letters, digits, _ and - only", name);

    char version[VERSION_DIGITS + 1];
    size_t digits = 0;
    const char *now = clock_rfc3339(a, clock_unix_ms());
    for (const char *p = now; *p && digits < VERSION_DIGITS; p++)
        if (isdigit((unsigned char)*p))
            version[digits++] = *p;
    version[digits] = '\0';

    const char *file_name = arena_printf(a, "%s_%s.sql", version, name);
    const char *file = shown_path(a, migrations_dir, file_name);
    const char *reverse_file = shown_path(a, reverse_dir, file_name);
    if (fs_exists(file) || fs_exists(reverse_file))
        return err_set(e, ERR_CONFLICT, "%s exists already", file);
    struct str up = STR("-- What this migration does, and why.\n");
    struct str down = str_of(arena_printf(
        a,
        "-- Takes the migration of the same name back. `lockflight migration reverse %s --write`\n"
        "-- generates it; until then nothing here takes anything back.\n",
        version));
    if (!fs_mkdirs(migrations_dir, 0755, e) || !fs_mkdirs(reverse_dir, 0755, e) ||
        !fs_replace(file, up, 0644, e) || !fs_replace(reverse_file, down, 0644, e))
        return err_wrap(e, "create %s", file);
    *ret = (struct migration){ .file = file, .reverse_file = reverse_file, .has_reverse = true };
    return true;
}
