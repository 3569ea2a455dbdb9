#include "local/tail.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/vec.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_BYTES      ((off_t)512 * 1024) /* how far back the last lines are looked for */
#define FOLLOW_EVERY_MS 200

struct part {
    const char *name;
    const char *path;
    off_t at; /* read so far */
};

static void print_lines(const struct tail_spec *spec, const char *name, struct str text)
{
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        (void)fprintf(spec->out, "%s | %.*s\n", name, STR_FMT(line));
    }
}

/* What was written since `at`, up to the last whole line. */
static bool print_new(struct arena *scratch, const struct tail_spec *spec, struct part *p)
{
    struct stat st;
    CLEANUP(fd) int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == p->at)
        return false;
    if (st.st_size < p->at)
        p->at = 0; /* it was rotated */
    size_t wanted = (size_t)(st.st_size - p->at < TAIL_BYTES ? st.st_size - p->at : TAIL_BYTES);
    char *buffer = arena_alloc(scratch, wanted);
    ssize_t n = pread(fd, buffer, wanted, p->at);
    while (n > 0 && buffer[n - 1] != '\n')
        n--;
    if (n <= 0)
        return false;
    print_lines(spec, p->name, (struct str){ buffer, (size_t)n });
    p->at += n;
    return true;
}

static struct str last_lines(struct str text, int lines)
{
    size_t i = text.n;
    while (i > 0) {
        if (text.p[i - 1] == '\n' && i != text.n && lines-- == 1)
            break;
        i--;
    }
    return (struct str){ text.p + i, text.n - i };
}

static void print_last(struct arena *scratch, const struct tail_spec *spec, struct part *p)
{
    struct stat st;
    CLEANUP(fd) int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    off_t from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
    size_t size = (size_t)(st.st_size - from);
    char *buffer = arena_alloc(scratch, size + 1);
    ssize_t n = pread(fd, buffer, size, from);
    if (n > 0)
        print_lines(spec, p->name, last_lines((struct str){ buffer, (size_t)n }, spec->lines));
    p->at = st.st_size;
}

static bool is_shown(const struct tail_spec *spec, const char *name)
{
    if (!ends_with(name, ".log"))
        return false;
    return *spec->prefix ? starts_with(name, spec->prefix) : !streq(name, "trace.log");
}

bool tail(struct arena *a, const struct tail_spec *spec, struct err *e)
{
    const char **names = NULL;
    size_t n = 0;
    VEC(struct part) parts = { 0 };
    if (!fs_list(a, spec->dir, &names, &n, e) && e->code != ERR_NOT_FOUND)
        return false;
    for (size_t i = 0; i < n; i++)
        if (is_shown(spec, names[i]))
            *vec_add(&parts, a) = (struct part){
                .name = arena_strndup(a, names[i], strlen(names[i]) - strlen(".log")),
                .path = fs_join(a, spec->dir, names[i]),
            };
    if (!parts.n)
        return err_set(e, ERR_NOT_FOUND, "no log of \"%s\" in %s", spec->prefix, spec->dir);
    struct arena *scratch = arena_new(0);
    for (size_t i = 0; i < parts.n; i++)
        print_last(scratch, spec, &parts.v[i]);
    while (spec->follow && clock_sleep_ms(FOLLOW_EVERY_MS)) {
        arena_reset(scratch);
        for (size_t i = 0; i < parts.n; i++)
            (void)print_new(scratch, spec, &parts.v[i]);
        (void)fflush(spec->out);
    }
    arena_free(scratch);
    return true;
}
