/*
 * How long the catalogue's digest takes: `digest URL COUNT` prints the milliseconds of COUNT of them,
 * one a line, the first with its connection's cold caches (connecting is not counted).
 */
#include "base/cleanup.h"
#include "migrate/catalogue/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
    CLEANUP(pg) struct pg *db = NULL;
    struct err e = { 0 };
    char digest[SHA256_HEX_BYTES];
    if (argc != 3) {
        fprintf(stderr, "usage: digest URL COUNT\n");
        return 2;
    }
    if (!pg_open(&(struct pg_spec){ .url = argv[1], .purpose = "bench" }, &db, &e)) {
        fprintf(stderr, "digest: %s\n", e.why);
        return 1;
    }
    for (long i = strtol(argv[2], NULL, 10); i > 0; i--) {
        double began = now_ms();
        if (!catalogue_digest(db, digest, &e)) {
            fprintf(stderr, "digest: %s\n", e.why);
            return 1;
        }
        printf("%.1f\n", now_ms() - began);
    }
    return 0;
}
