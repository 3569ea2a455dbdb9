/*
 * The load test: visitors read a site and a function without pause while both are replaced hundreds
 * of times.
 *
 *   lf_load --api PORT --site-port PORT --netlify-token T --site ID --supabase-token T --ref REF
 *           [--connections 64] [--publishes 500] [--rollbacks 100] [--switches 100] [--pause-ms 5]
 *
 * VISITORS  Each connection asks for the page, then for the script that the page names by hash,
 *           then for the function, over and over on one keep-alive connection, with a short pause
 *           for thought: without it the test would measure who gets the two cores, not whether a
 *           switch is noticed.
 * DRIVERS   One thread publishes and rolls back through the Netlify API, one replaces the function
 *           through the Supabase API, as the vendors' clients do.
 * COUNTED   failed: any status but 200, a reset, a cut or stalled answer, an answer later than 1 s.
 *           mixed: a body that is not, byte for byte, one of the versions that could be live
 *           between sending the request and having the answer; a page whose script is gone.
 *
 * What could be live is known from a history: `started` counts the changes asked for,
 * `acknowledged` those answered. A request sent when n were acknowledged and answered when m were
 * started may show version n, n+1 … m and no other.
 */
#include "drive.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct tally {
    const char *what;
    _Atomic int64_t requests, failed, mixed, slowest_ns;
};

static struct tally pages = { .what = "page" }, scripts = { .what = "script" },
                    calls = { .what = "function" };
static atomic_bool stop;
static atomic_int complaints;

/* The first few are told in full; the counts tell the rest. */
__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    if (atomic_fetch_add(&complaints, 1) >= 20)
        return;
    va_list args;
    va_start(args, format);
    char line[600];
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    printf("# %s\n", line);
}

static bool ask(struct wire *w, struct tally *t, const char *path, struct answer *a)
{
    const char *why = wire_request(w, "GET", path, "", NULL, 0, a);
    t->requests++;
    if (why) {
        t->failed++;
        complain("%s %s: %s", t->what, path, why);
        return false;
    }
    int64_t slowest = t->slowest_ns;
    while (a->took_ns > slowest &&
           !atomic_compare_exchange_weak(&t->slowest_ns, &slowest, a->took_ns))
        ;
    if (a->status != 200) {
        bool is_gone = t == &scripts && a->status == 404;
        (*(is_gone ? &t->mixed : &t->failed))++;
        complain("%s %s: status %d: %.200s", t->what, path, a->status, a->body);
        return false;
    }
    if (a->took_ns > LATE_NS) {
        t->failed++;
        complain("%s %s: answered after %" PRId64 " ms", t->what, path, a->took_ns / 1000000);
    }
    return true;
}

/* Whether the body is exactly one of the versions that could be live; tells which. */
static bool is_live(struct tally *t, struct history *h, body_of *expected, int from,
                    const struct answer *a, int *ret_version)
{
    static _Thread_local char want[WIRE_BODY_MAX];
    int to = h->started;
    for (int i = from; i <= to; i++) {
        size_t n = expected(h->version[i], want, sizeof want);
        if (n == a->body_bytes && memcmp(want, a->body, n) == 0) {
            *ret_version = h->version[i];
            return true;
        }
    }
    t->mixed++;
    complain("%s: changes %d to %d could be live (versions %d to %d), got %zu bytes: %.60s",
             t->what, from, to, h->version[from], h->version[to], a->body_bytes, a->body);
    return false;
}

static void visit_site(struct wire *w, struct history *h)
{
    struct answer a;
    int version, from = h->acknowledged;
    if (!ask(w, &pages, "/", &a) || !is_live(&pages, h, page_body, from, &a, &version))
        return;
    char path[64], want[WIRE_BODY_MAX];
    snprintf(path, sizeof path, SCRIPT_PATH, version);
    if (!ask(w, &scripts, path, &a))
        return;
    size_t n = script_body(version, want, sizeof want);
    if (n != a.body_bytes || memcmp(want, a.body, n) != 0) {
        scripts.mixed++;
        complain("script %s: not its own bytes", path);
    }
}

static void *visitor(void *argument)
{
    struct drive *d = argument;
    struct wire w;
    if (!wire_init(&w, d->site_port))
        abort();
    while (!stop) {
        nanosleep(&(struct timespec){ .tv_nsec = d->pause_ms * 1000000L }, NULL);
        visit_site(&w, &d->site_history);
        struct answer a;
        int version, from = d->function_history.acknowledged;
        if (d->switches && ask(&w, &calls, "/functions/v1/" FUNCTION_SLUG, &a))
            is_live(&calls, &d->function_history, function_body, from, &a, &version);
    }
    wire_done(&w);
    return NULL;
}

static int64_t report(const struct tally *t, double seconds)
{
    printf("# %-9s %9" PRId64 " requests %7.0f/s %4" PRId64 " failed %4" PRId64
           " mixed   slowest %" PRId64 " ms\n",
           t->what, t->requests, (double)t->requests / seconds, t->failed, t->mixed,
           t->slowest_ns / 1000000);
    return t->failed + t->mixed;
}

static int run(struct drive *d, int connections)
{
    if (!drive_first(d))
        return 2;
    pthread_t threads[512], site, functions;
    int64_t began = now_ns();
    for (int i = 0; i < connections; i++)
        pthread_create(&threads[i], NULL, visitor, d);
    pthread_create(&site, NULL, drive_site, d);
    pthread_create(&functions, NULL, drive_functions, d);
    pthread_join(site, NULL);
    pthread_join(functions, NULL);
    stop = true;
    for (int i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    double seconds = (double)(now_ns() - began) / 1e9;

    printf(
        "# %d publishes, %d rollbacks, %d function switches in %.1f s while %d connections read\n",
        d->published, d->rolled_back, d->switched, seconds, connections);
    int64_t bad = report(&pages, seconds) + report(&scripts, seconds) + report(&calls, seconds);
    if (d->trouble[0])
        printf("# driver: %s\n", d->trouble);
    bool is_complete = d->published == d->publishes && d->rolled_back == d->rollbacks &&
                       d->switched == d->switches;
    printf("# %" PRId64 " requests, %" PRId64 " failed or mixed\n",
           pages.requests + scripts.requests + calls.requests, bad);
    return bad == 0 && is_complete && !d->trouble[0] ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct drive d = { .publishes = 500, .rollbacks = 100, .switches = 100, .pause_ms = 5 };
    int connections = 64;
    const struct {
        const char *name;
        int *number;
        const char **text;
    } options[] = {
        { "--api", &d.api_port, NULL },
        { "--site-port", &d.site_port, NULL },
        { "--connections", &connections, NULL },
        { "--publishes", &d.publishes, NULL },
        { "--rollbacks", &d.rollbacks, NULL },
        { "--switches", &d.switches, NULL },
        { "--pause-ms", &d.pause_ms, NULL },
        { "--netlify-token", NULL, &d.netlify_token },
        { "--supabase-token", NULL, &d.supabase_token },
        { "--site", NULL, &d.site },
        { "--ref", NULL, &d.ref },
    };
    for (int i = 1; i + 1 < argc; i += 2)
        for (size_t k = 0; k < sizeof options / sizeof *options; k++)
            if (strcmp(argv[i], options[k].name) == 0) {
                if (options[k].number)
                    *options[k].number = (int)strtol(argv[i + 1], NULL, 10);
                else
                    *options[k].text = argv[i + 1];
            }
    if (!d.api_port || !d.site_port || !d.netlify_token || !d.site || connections < 1 ||
        connections > 512 || (d.switches && (!d.supabase_token || !d.ref)) ||
        d.publishes + d.rollbacks + 2 > CHANGES_MAX || d.switches + 2 > CHANGES_MAX) {
        fputs("usage: see the head of lf_load.c\n", stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    return run(&d, connections);
}
