/*
 * How long the leak gate takes for a folder: bench/leaks DIR. Ten made-up secrets are looked for, and
 * every pattern. Tells what is found, since a folder of published libraries shows false alarms.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "site/site_scan.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    struct artefact site;
    struct err e = { 0 };
    if (argc < 2 || !artefact_walk(a, argv[1], &site, &e)) {
        (void)fprintf(stderr, "bench/leaks DIR: %s\n", e.why);
        return 2;
    }
    struct site_forbidden forbidden[10];
    for (size_t i = 0; i < 10; i++)
        forbidden[i] = (struct site_forbidden){ arena_printf(a, "SECRET_%zu", i),
                                                str_of(random_hex(a, 20)), true, NULL };
    const struct site_scan_spec spec = { .forbidden = forbidden, .n_forbidden = 10 };
    int64_t began = clock_boot_ms();
    bool is_clean = site_scan(&site, &spec, &e);
    int64_t took = clock_boot_ms() - began;
    printf("%zu files, %.1f MB: %lld ms; %s%s%s\n", site.n_files, (double)site.bytes / 1e6,
           (long long)took, is_clean ? "clean" : e.why, is_clean ? "" : " at ",
           is_clean ? "" : e.where);
    return 0;
}
