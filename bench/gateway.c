/*
 * The site host alone, without Postgres, functions or a daemon around it, for measurements and
 * tests:
 *
 *     gateway STATE_DIR TOKEN PORT [SITE]
 *
 * serves the API and one site (named "bench" unless given) on one port until SIGTERM or end of
 * input. Prints the port and the site's id when it is ready.
 */
#include "base/signals.h"
#include "local/sites.h"
#include "net/server/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct gateway {
    struct sites *sites;
    struct site *site;
};

static void answer(struct request *r, void *context)
{
    struct gateway *g = context;
    if (!netlify_api_serve(g->sites, r))
        sites_serve(g->sites, g->site, r);
}

static bool run(struct gateway *g, struct server *s, char **argv, const char *name, struct err *e)
{
    int port = 0;
    uint64_t wanted = 0;
    if (!str_to_u64(str_of(argv[3]), &wanted) || wanted > 65535)
        return err_set(e, ERR_USAGE, "%s is no port", argv[3]);
    if (!server_start(s, e) || !sites_open(argv[1], argv[2], s, &g->sites, e) ||
        !server_listen(s, "127.0.0.1", (int)wanted, answer, g, &port, e))
        return false;
    struct site_spec spec = { .name = name, .port = port };
    if (!sites_ensure(g->sites, &spec, &g->site, e))
        return false;
    printf("%d %s\n", port, site_id(g->site));
    (void)fflush(stdout);
    char byte;
    while (!signals_stop_asked() && read(STDIN_FILENO, &byte, 1) > 0)
        ; /* only its end matters */
    return true;
}

int main(int argc, char **argv)
{
    struct gateway g = { 0 };
    struct err e = { 0 };
    if (argc < 4) {
        (void)fprintf(stderr, "usage: gateway STATE_DIR TOKEN PORT [SITE]\n");
        return 2;
    }
    signals_install();
    struct server *s = server_new(&(struct server_spec){ 0 });
    bool ok = run(&g, s, argv, argc > 4 ? argv[4] : "bench", &e);
    if (!ok)
        (void)fprintf(stderr, "gateway: %s: %s\n", e.what, e.why);
    (void)server_drain(s, 2000);
    server_free(s);
    sites_close(g.sites);
    return ok ? 0 : 1;
}
