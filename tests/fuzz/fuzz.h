/*
 * Fuzz targets: one function each that takes any bytes and asserts what must hold for all of them.
 *
 * TWICE    Every target is built two ways. With gcc and the sanitizers of the test build, driver.c
 *          runs the corpus and a fixed number of seeded mutations of it: a test like any other.
 *          With clang (`make fuzz T=60`), libFuzzer searches for as long as it is given. What it
 *          finds is repaired and its input joins corpus/<target>/.
 *
 * INPUT    A file of the corpus is text where the format is text. A target that takes several
 *          things takes them as sections, divided by a line "---".
 */
#ifndef LOCKFLIGHT_FUZZ_H
#define LOCKFLIGHT_FUZZ_H

#include "base/cleanup.h"
#include "base/limits.h"
#include "base/str.h"

#include <assert.h>
#include <stdint.h>
#include <unistd.h>

/* An input of a few kilobytes that needs more than this has found an amplification. */
#define FUZZ_ARENA_BYTES (64 * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct str fuzz_input(const uint8_t *data, size_t size)
{
    return (struct str){ size ? (const char *)data : "", size };
}

/* Cuts the first section off. Without another "---" the rest is empty, not absent. */
static inline struct str fuzz_section(struct str *rest)
{
    static const char mark[] = "\n---\n";
    const char *at = rest->n ? memmem(rest->p, rest->n, mark, sizeof mark - 1) : NULL;
    struct str section = { rest->p, at ? (size_t)(at - rest->p) : rest->n };
    size_t taken = at ? section.n + sizeof mark - 1 : rest->n;
    *rest = (struct str){ rest->p + taken, rest->n - taken };
    return section;
}

/* Where targets that need files make them: in memory, where the machine offers that. */
static inline const char *fuzz_tmp(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

/* The first line of a section, for headers and paths. */
static inline struct str fuzz_line(struct str *rest)
{
    struct str line = str_cut(rest, '\n');
    if (!rest->p)
        *rest = (struct str){ "", 0 };
    return line;
}

/* True if the slice lies inside the text, and thus owns no byte of anything else. */
static inline bool fuzz_is_within(struct str slice, struct str text)
{
    return slice.p >= text.p && slice.p + slice.n <= text.p + text.n;
}

/* True if one of the segments between slashes is "..". */
static inline bool fuzz_climbs(const char *path)
{
    struct str rest = str_of(path);
    while (rest.p) {
        if (str_is(str_cut(&rest, '/'), ".."))
            return true;
    }
    return false;
}

/* True if there is a byte that would end a header line. */
static inline bool fuzz_has_line_end(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

#endif
