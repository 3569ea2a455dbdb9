#include "local/seed.h"

#include "base/fs.h"
#include "base/limits.h"
#include "local/sql.h"

#include <glob.h>

static void glob_cleanup(glob_t *g)
{
    globfree(g);
}

static bool run_file(struct arena *a, struct sql *db, const char *path, struct err *e)
{
    struct str text;
    if (!fs_read(a, path, LIMIT_SQL_FILE_BYTES, &text, e))
        return false;
    return sql_run(db, str_dup(a, text), e) || err_wrap(e, "%s", path);
}

static bool run_pattern(struct arena *a, struct sql *db, const char *pattern, size_t *files,
                        struct err *e)
{
    __attribute__((cleanup(glob_cleanup))) glob_t found = { 0 };
    int rc = glob(pattern, 0, NULL, &found); /* one thread. NOLINT(concurrency-mt-unsafe) */
    if (rc == GLOB_NOMATCH)
        return true; /* as the vendor's client: a missing seed is no error */
    if (rc != 0)
        return err_set(e, ERR_IO, "look for %s", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++, (*files)++)
        if (!run_file(a, db, found.gl_pathv[i], e))
            return false;
    return true;
}

bool seed_run(struct arena *a, const char *database_url, const struct supabase_config *config,
              size_t *ret_files, struct err *e)
{
    static const char *const usual[] = { "seed.sql" };
    struct text_array paths = config->seed.sql_paths;
    size_t files = 0;
    CLEANUP(sql) struct sql *db = NULL;
    if (!config->dir || !config->seed.is_enabled) {
        *ret_files = 0;
        return true;
    }
    size_t n = paths.n ? paths.n : 1;
    if (!sql_open_url(database_url, &db, e))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!run_pattern(a, db, fs_join(a, config->dir, paths.n ? paths.v[i] : usual[i]), &files,
                         e))
            return false;
    *ret_files = files;
    return true;
}
