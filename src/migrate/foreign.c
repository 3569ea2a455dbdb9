#include "migrate/foreign.h"

#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef VEC(struct foreign_migration) foreign_vec;

/* ---- markers ---- */

enum direction {
    NO_DIRECTION,
    UP,
    DOWN,
};

/* "-- migrate:up transaction:false", "-- +goose Down" */
static enum direction marker_of(struct str line)
{
    static const struct {
        const char *text;
        enum direction direction;
    } markers[] = {
        { "migrate:up", UP },      { "migrate:down", DOWN }, { "+migrate up", UP },
        { "+migrate down", DOWN }, { "+goose up", UP },      { "+goose down", DOWN },
    };
    struct str s = str_trim(line);
    if (!str_starts(s, "--"))
        return NO_DIRECTION;
    s = str_trim((struct str){ s.p + 2, s.n - 2 });
    for (size_t i = 0; i < sizeof markers / sizeof *markers; i++) {
        size_t n = strlen(markers[i].text);
        if (s.n >= n && strncasecmp(s.p, markers[i].text, n) == 0 &&
            (s.n == n || isspace((unsigned char)s.p[n])))
            return markers[i].direction;
    }
    return NO_DIRECTION;
}

static bool says_nothing(struct str text)
{
    while (text.n > 0) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.n > 0 && !str_starts(line, "--"))
            return false;
    }
    return true;
}

/* Cuts a file at its markers; without any, all of it is the way there. */
static bool cut(struct foreign_migration *m, struct str text, struct err *e)
{
    struct str rest = text, part = { text.p, 0 };
    enum direction at = NO_DIRECTION;
    bool is_marked = false;
    struct str found[3] = { { NULL, 0 } };
    while (rest.n > 0) {
        const char *began = rest.p;
        enum direction next = marker_of(str_cut(&rest, '\n'));
        if (next == NO_DIRECTION)
            continue;
        found[at] = (struct str){ part.p, (size_t)(began - part.p) };
        if (found[next].p)
            return err_set(e, ERR_CONFIG, "%s has two parts for one direction", m->file);
        at = next;
        part.p = rest.n > 0 ? rest.p : text.p + text.n;
        is_marked = true;
    }
    found[at] = (struct str){ part.p, (size_t)(text.p + text.n - part.p) };
    if (!is_marked) {
        m->up = text;
        return true;
    }
    if (!says_nothing(found[NO_DIRECTION])) {
        err_set(e, ERR_CONFIG, "%s has statements before its first marker", m->file);
        return err_hint(e, "put them below the line `-- migrate:up`");
    }
    m->up = found[UP];
    m->down = found[DOWN];
    m->has_down = !says_nothing(m->down);
    return true;
}

/* ---- files ---- */

/* "<digits>_<name>" before one of the endings. */
static bool parse_name(struct arena *a, const char *file, const char *ending,
                       struct foreign_migration *ret)
{
    size_t digits = strspn(file, "0123456789"), n = strlen(file), tail = strlen(ending);
    if (digits == 0 || file[digits] != '_' || !ends_with(file, ending) || digits + 1 + tail > n)
        return false;
    ret->version = arena_strndup(a, file, digits);
    ret->name = arena_strndup(a, file + digits + 1, n - digits - 1 - tail);
    return true;
}

static struct foreign_migration *find_version(foreign_vec *list, const char *version)
{
    for (size_t i = 0; i < list->n; i++)
        if (streq(list->v[i].version, version))
            return &list->v[i];
    return NULL;
}

static bool add_up(struct arena *a, foreign_vec *list, struct foreign_migration m, struct err *e)
{
    struct str text;
    struct foreign_migration *other = find_version(list, m.version);
    if (other)
        return err_set(e, ERR_CONFIG, "version %s is used by two files: %s and %s", m.version,
                       other->file, m.file);
    if (list->n == LIMIT_MIGRATIONS)
        return err_set(e, ERR_LIMIT, "more than %d migrations", LIMIT_MIGRATIONS);
    if (!fs_read(a, m.file, LIMIT_SQL_FILE_BYTES, &text, e) || !cut(&m, text, e))
        return false;
    *vec_add(list, a) = m;
    return true;
}

static bool add_down(struct arena *a, foreign_vec *list, const struct foreign_migration *m,
                     struct err *e)
{
    struct foreign_migration *up = find_version(list, m->version);
    if (!up)
        return err_set(e, ERR_CONFIG, "%s takes back what no file does: there is no %s_….up.sql",
                       m->file, m->version);
    if (!fs_read(a, m->file, LIMIT_SQL_FILE_BYTES, &up->down, e))
        return false;
    up->has_down = !says_nothing(up->down);
    return true;
}

static int by_version(const void *a, const void *b)
{
    const struct foreign_migration *x = a, *y = b;
    return strcmp(x->version, y->version);
}

bool foreign_read(struct arena *a, const char *dir, struct foreign_set *ret, struct err *e)
{
    const char **names = NULL;
    size_t n = 0;
    foreign_vec list = { 0 }, downs = { 0 };
    VEC(const char *) skipped = { 0 };
    if (!fs_list(a, dir, &names, &n, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct foreign_migration m = { .file = fs_join(a, dir, names[i]) };
        if (fs_is_dir(m.file) || names[i][0] == '.')
            continue;
        if (parse_name(a, names[i], ".down.sql", &m))
            *vec_add(&downs, a) = m;
        else if (!parse_name(a, names[i], ".up.sql", &m) && !parse_name(a, names[i], ".sql", &m))
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
            *vec_add(&skipped, a) =
                arena_printf(a, "%s: skipped, its name is not <digits>_<name>.sql", m.file);
        else if (!add_up(a, &list, m, e))
            return false;
    }
    for (size_t i = 0; i < downs.n; i++)
        if (!add_down(a, &list, &downs.v[i], e))
            return false;
    if (list.n > 1)
        qsort(list.v, list.n, sizeof *list.v, by_version);
    *ret = (struct foreign_set){
        .v = list.v, .n = list.n, .skipped = skipped.v, .skipped_count = skipped.n
    };
    return true;
}
