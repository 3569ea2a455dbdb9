/*
 * A folder of migrations: the first section is a file's name, the second its text, the third that
 * of its reverse script.
 */
#include "migrate/migration.h"

#include "fuzz.h"

#include "base/fs.h"

#include <stdio.h>
#include <stdlib.h>

static char dir[64];

static void remove_all(void)
{
    struct err e;
    if (!fs_remove_tree(dir, &e))
        (void)fprintf(stderr, "# %s stays: %s\n", dir, e.why);
}

static void empty(struct arena *a, const char *folder)
{
    struct err e;
    if (!dir[0]) {
        (void)snprintf(dir, sizeof dir, "%s/lockflight-fuzz.XXXXXX", fuzz_tmp());
        assert(mkdtemp(dir));
        (void)atexit(remove_all);
    }
    const char *path = fs_join(a, dir, folder);
    if (fs_is_dir(path))
        assert(fs_remove_tree(path, &e));
    assert(fs_mkdirs(path, 0700, &e));
}

static bool put(const char *folder, const char *name, struct str content, struct arena *a)
{
    FILE *f = fopen(fs_join(a, fs_join(a, dir, folder), name), "we");
    if (!f)
        return false;
    assert(fwrite(content.p, 1, content.n, f) == content.n);
    assert(fclose(f) == 0);
    return true;
}

static void check(const struct migration_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct migration *m = &set->v[i];
        assert(m->version[strspn(m->version, "0123456789")] == '\0');
        assert(str_is_utf8(m->sql) && strlen(m->sha256) == SHA256_HEX_BYTES - 1);
        assert(migration_find(set, m->version) == m);
        assert(m->has_reverse == (m->reverse_sha256 != NULL));
        assert(i == 0 || strcmp(set->v[i - 1].version, m->version) < 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena) struct arena *a = arena_new(FUZZ_ARENA_BYTES);
    struct str rest = fuzz_input(data, size);
    const char *name = str_dup(a, fuzz_section(&rest));
    if (!*name || strchr(name, '/') || streq(name, ".") || streq(name, "..") || strlen(name) > 200)
        return 0;
    empty(a, "migrations");
    empty(a, "rollbacks");
    struct str sql = fuzz_section(&rest);
    if (!put("migrations", name, sql, a) || (rest.n > 0 && !put("rollbacks", name, rest, a)))
        return 0;
    struct migration_set set = { 0 };
    struct err e = { 0 };
    if (migration_read(a, fs_join(a, dir, "migrations"), fs_join(a, dir, "rollbacks"), &set, &e))
        check(&set);
    else
        assert((e.code == ERR_CONFIG || e.code == ERR_LIMIT) && e.why[0]);
    return 0;
}
