/* Tables of sources and what is found in them, for the tests of the inventory. */
#ifndef TESTS_UNIT_SECRET_INVENTORY_ROWS_H
#define TESTS_UNIT_SECRET_INVENTORY_ROWS_H

#include "assert_ok.h"

#include "base/cleanup.h"

struct row {
    const char *text, *expected;
};

/* What is found in one source, as text; each test has its own. */
static const char *found(struct arena *a, const char *path, const char *text);

static void expect_rows(const char *path, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(arena) struct arena *a = arena_new(0);
        const char *all = found(a, path, rows[i].text);
        if (!streq(all, rows[i].expected))
            fail_msg("%s\n    gives    %s\n    expected %s", rows[i].text, all, rows[i].expected);
    }
}
#define EXPECT(path, rows) expect_rows(path, rows, sizeof(rows) / sizeof(rows)[0])

#endif
