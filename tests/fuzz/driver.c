/*
 * A fuzz target as a test: first every file of its corpus, then a fixed number of mutations of
 * them, the same on every machine for the same seed.
 *
 *     fuzz_<target> NAME CORPUS_DIR [MUTATIONS [SEED]]
 *
 * Prints TAP. When an input ends the program, the input is left in fuzz-failure-NAME in the current
 * folder; add it to the corpus together with the repair. An input that takes longer than
 * HANG_SECONDS counts as a hang.
 */
#include "fuzz.h"

#include "base/fs.h"
#include "base/vec.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MUTATIONS      2000
#define SEED           20260101
#define HANG_SECONDS   20
#define INPUT_BYTES    ((size_t)4 * KIB)
#define MAX_STEPS      6
#define CORPUS_FILE    (1 * MIB)
#define FAILURE_PREFIX "fuzz-failure-"

/* Of the sanitizer's runtime; absent in a build without. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

struct corpus {
    VEC(struct str) files;
};

static const uint8_t *current;
static size_t current_bytes;
static char failure_path[256];

/* Only what a signal handler may do. */
static void keep_input(void)
{
    int fd = open(failure_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    bool kept = write(fd, current, current_bytes) == (ssize_t)current_bytes;
    static const char words[] = "# the input that did this is in ";
    kept &= write(STDERR_FILENO, words, sizeof words - 1) > 0;
    kept &= write(STDERR_FILENO, failure_path, strlen(failure_path)) > 0;
    kept &= write(STDERR_FILENO, "\n", 1) > 0;
    (void)kept;
    (void)close(fd);
}

static void on_signal(int number)
{
    keep_input();
    _exit(128 + number);
}

/* From a block of exactly its size, so that a byte too far is noticed. */
static void run(const uint8_t *bytes, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact)
        memory_exhausted(n);
    memcpy(exact, bytes, n);
    current = exact;
    current_bytes = n;
    (void)alarm(HANG_SECONDS);
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

/* ---- Mutations ------------------------------------------------------------------------------- */

static uint64_t state;

static size_t below(size_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return limit ? (size_t)((state >> 11) % limit) : 0;
}

/* What parsers trip over. */
static const char *const tokens[] = {
    "\r\n",
    "\n",
    "\r",
    "---",
    "..",
    "/",
    "//",
    "/../",
    "%2e",
    "%00",
    "%",
    "*",
    ":",
    ":splat",
    "\"",
    "'",
    "\\",
    "{",
    "}",
    "[",
    "]",
    "[[",
    ",",
    ";",
    "=",
    "#",
    "--",
    "/*",
    "*/",
    "$$",
    "$a$",
    "0",
    "-1",
    "18446744073709551615",
    "9223372036854775808",
    "1e309",
    "\xff",
    "\xc3",
    "\xe2\x82",
    "\xef\xbb\xbf",
    "null",
    "true",
    "GET ",
    "HTTP/1.1",
    "Host: a",
    "Transfer-Encoding: chunked",
    "Content-Length: 5",
    "bytes=",
    "import ",
    "from \"",
    "BEGIN",
    "END;",
    "e'",
    "${",
    "`",
    "\t",
};

static void replace(uint8_t *p, size_t *n, size_t at, size_t cut, const void *with, size_t with_n)
{
    if (*n - cut + with_n > INPUT_BYTES)
        return;
    memmove(p + at + with_n, p + at + cut, *n - at - cut);
    memcpy(p + at, with, with_n);
    *n = *n - cut + with_n;
}

/* One change to the n bytes at p, which has room for INPUT_BYTES. */
static void mutate(uint8_t *p, size_t *n, const struct corpus *c)
{
    static uint8_t copy[INPUT_BYTES];
    size_t at = below(*n + 1);
    size_t span = below(*n - at + 1);
    span = span > 64 && below(4) ? below(64) : span;
    const char *token = tokens[below(sizeof tokens / sizeof *tokens)];
    struct str other = c->files.v[below(c->files.n)];
    size_t from = below(other.n + 1);
    size_t take = below(other.n - from + 1);
    switch (below(7)) {
    case 0: /* a bit */
        if (at < *n)
            p[at] ^= (uint8_t)(1U << below(8));
        break;
    case 1: /* a byte */
        if (at < *n)
            p[at] = (uint8_t)below(256);
        break;
    case 2: /* less */
        replace(p, n, at, span, "", 0);
        break;
    case 3: /* again */
        memcpy(copy, p + at, span);
        replace(p, n, at, 0, copy, span);
        break;
    case 4: /* a word */
        replace(p, n, at, 0, token, strlen(token));
        break;
    case 5: /* a word instead */
        replace(p, n, at, span < 8 ? span : 8, token, strlen(token));
        break;
    default: /* a piece of another file */
        replace(p, n, at, span, other.p + from, take);
        break;
    }
}

static void run_mutations(const struct corpus *c, size_t count)
{
    static uint8_t buffer[INPUT_BYTES];
    for (size_t i = 0; i < count; i++) {
        struct str from = c->files.v[below(c->files.n)];
        size_t n = from.n < INPUT_BYTES ? from.n : INPUT_BYTES;
        memcpy(buffer, from.p, n);
        for (size_t steps = 1 + below(MAX_STEPS); steps > 0; steps--)
            mutate(buffer, &n, c);
        run(buffer, n);
    }
}

/* ---- The test -------------------------------------------------------------------------------- */

static void read_corpus(struct arena *a, const char *dir, struct corpus *c)
{
    struct err e;
    const char **names = NULL;
    size_t n = 0;
    if (!fs_list(a, dir, &names, &n, &e)) {
        printf("Bail out! %s: %s\n", dir, e.why);
        exit(1);
    }
    for (size_t i = 0; i < n; i++) {
        struct str text;
        if (!fs_read(a, fs_join(a, dir, names[i]), CORPUS_FILE, &text, &e)) {
            printf("Bail out! %s: %s\n", names[i], e.why);
            exit(1);
        }
        *vec_add(&c->files, a) = text;
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: %s NAME CORPUS_DIR [MUTATIONS [SEED]]\n", argv[0]);
        return 2;
    }
    uint64_t mutations = MUTATIONS, seed = SEED;
    if ((argc > 3 && !str_to_u64(str_of(argv[3]), &mutations)) ||
        (argc > 4 && !str_to_u64(str_of(argv[4]), &seed)))
        return 2;
    (void)snprintf(failure_path, sizeof failure_path, FAILURE_PREFIX "%s", argv[1]);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_input);
    (void)signal(SIGABRT, on_signal);
    (void)signal(SIGALRM, on_signal);
    setvbuf(stdout, NULL, _IOLBF, 0);

    CLEANUP(arena) struct arena *a = arena_new(0);
    struct corpus corpus = { 0 };
    read_corpus(a, argv[2], &corpus);
    printf("1..2\n");
    for (size_t i = 0; i < corpus.files.n; i++)
        run((const uint8_t *)corpus.files.v[i].p, corpus.files.v[i].n);
    printf("%sok 1 - %s holds for the %zu inputs of its corpus\n", corpus.files.n ? "" : "not ",
           argv[1], corpus.files.n);
    if (corpus.files.n == 0)
        return 1;
    state = seed ? seed : 1;
    run_mutations(&corpus, mutations);
    printf("ok 2 - %s holds for %llu mutations of them (seed %llu)\n", argv[1],
           (unsigned long long)mutations, (unsigned long long)seed);
    return 0;
}
