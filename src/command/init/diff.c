/*
 * Longest common subsequence of lines, after what is equal at both ends was set aside.
 */
#include "command/init/diff.h"

#include "base/vec.h"

#define CONTEXT_LINES 3

typedef VEC(struct str) lines;
typedef VEC(struct diff_line) diff_lines;

/* One line of the edit script, before it is cut into hunks. */
struct edit {
    char mark; /* ' ', '-', '+' */
    struct str text;
};
typedef VEC(struct edit) edits;

/* With their ends: so a last line without one is another line than the same one with it. */
static lines split(struct arena *a, struct str text)
{
    lines to = { 0 };
    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = end ? (size_t)(end - text.p) + 1 : text.n;
        *vec_add(&to, a) = (struct str){ text.p, n };
        text = (struct str){ text.p + n, text.n - n };
    }
    return to;
}

static void put(edits *to, struct arena *a, char mark, struct str text)
{
    *vec_add(to, a) = (struct edit){ mark, text };
}

/* Walks the table of lengths: [p][q] is that of the common subsequence of x[p…] and y[q…]. */
static void align(struct arena *a, const struct str *x, size_t n, const struct str *y, size_t m,
                  edits *to, size_t *ret_i, size_t *ret_j)
{
    size_t i = 0, j = 0, width = m + 1;
    unsigned short *table = ARENA_ARRAY(a, unsigned short, (n + 1) * width);
    for (size_t p = n; p-- > 0;) {
        for (size_t q = m; q-- > 0;) {
            unsigned short down = table[(p + 1) * width + q], right = table[p * width + q + 1];
            unsigned short better = down > right ? down : right;
            table[p * width + q] =
                str_eq(x[p], y[q]) ? (unsigned short)(table[(p + 1) * width + q + 1] + 1) : better;
        }
    }
    while (i < n && j < m) {
        if (str_eq(x[i], y[j])) {
            put(to, a, ' ', x[i++]);
            j++;
        } else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) {
            put(to, a, '-', x[i++]);
        } else {
            put(to, a, '+', y[j++]);
        }
    }
    *ret_i = i;
    *ret_j = j;
}

static void middle(struct arena *a, const struct str *x, size_t n, const struct str *y, size_t m,
                   edits *to)
{
    size_t i = 0, j = 0;
    if (n <= DIFF_LINES_MAX && m <= DIFF_LINES_MAX)
        align(a, x, n, y, m, to, &i, &j);
    while (i < n)
        put(to, a, '-', x[i++]);
    while (j < m)
        put(to, a, '+', y[j++]);
}

static edits compare(struct arena *a, const lines *x, const lines *y)
{
    edits to = { 0 };
    size_t head = 0, tail = 0;
    while (head < x->n && head < y->n && str_eq(x->v[head], y->v[head]))
        put(&to, a, ' ', x->v[head++]);
    while (tail < x->n - head && tail < y->n - head &&
           str_eq(x->v[x->n - 1 - tail], y->v[y->n - 1 - tail]))
        tail++;
    middle(a, x->v + head, x->n - head - tail, y->v + head, y->n - head - tail, &to);
    for (size_t i = x->n - tail; i < x->n; i++)
        put(&to, a, ' ', x->v[i]);
    return to;
}

/* ---- hunks ---- */

static void say(diff_lines *to, struct arena *a, enum diff_kind kind, const char *text)
{
    *vec_add(to, a) = (struct diff_line){ kind, str_of(text) };
}

static const char *range(struct arena *a, size_t first, size_t count)
{
    if (count == 1)
        return arena_printf(a, "%zu", first);
    return arena_printf(a, "%zu,%zu", count == 0 ? first - 1 : first, count);
}

/* How far a hunk that begins with the change at `from` reaches: to where twice the context is
 * equal. */
static size_t hunk_end(const edits *all, size_t from)
{
    size_t last = from;
    for (size_t i = from; i < all->n && i - last <= (size_t)2 * CONTEXT_LINES; i++) {
        if (all->v[i].mark != ' ')
            last = i;
    }
    size_t end = last + 1 + CONTEXT_LINES;
    return end < all->n ? end : all->n;
}

static void add_line(diff_lines *to, struct arena *a, const struct edit *edit)
{
    enum diff_kind kind = edit->mark == ' '   ? DIFF_SAME
                          : edit->mark == '-' ? DIFF_REMOVED
                                              : DIFF_ADDED;
    bool is_ended = str_ends(edit->text, "\n");
    struct str text = { edit->text.p, edit->text.n - is_ended };
    say(to, a, kind, arena_printf(a, "%c%.*s", edit->mark, STR_FMT(text)));
    if (!is_ended)
        say(to, a, DIFF_NOTE, "\\ No newline at end of file");
}

static void add_hunks(diff_lines *to, struct arena *a, const edits *all)
{
    size_t old_line = 1, new_line = 1, i = 0;
    while (i < all->n) {
        size_t change = i;
        while (change < all->n && all->v[change].mark == ' ')
            change++;
        if (change == all->n)
            return;
        size_t start = change - i > CONTEXT_LINES ? change - CONTEXT_LINES : i;
        old_line += start - i;
        new_line += start - i;
        size_t end = hunk_end(all, change), removed = 0, added = 0;
        for (size_t k = start; k < end; k++) {
            removed += all->v[k].mark != '+';
            added += all->v[k].mark != '-';
        }
        say(to, a, DIFF_HUNK,
            arena_printf(a, "@@ -%s +%s @@", range(a, old_line, removed),
                         range(a, new_line, added)));
        for (size_t k = start; k < end; k++) {
            old_line += all->v[k].mark != '+';
            new_line += all->v[k].mark != '-';
            add_line(to, a, &all->v[k]);
        }
        i = end;
    }
}

void diff_unified(struct arena *a, const char *path, bool is_new, struct str before,
                  struct str after, struct diff_line **ret, size_t *ret_count)
{
    diff_lines to = { 0 };
    *ret = NULL;
    *ret_count = 0;
    if (str_eq(before, after))
        return;
    lines x = split(a, before), y = split(a, after);
    edits all = compare(a, &x, &y);
    say(&to, a, DIFF_HEAD, is_new ? "--- /dev/null" : arena_printf(a, "--- a/%s", path));
    say(&to, a, DIFF_HEAD, arena_printf(a, "+++ b/%s", path));
    add_hunks(&to, a, &all);
    *ret = to.v;
    *ret_count = to.n;
}
