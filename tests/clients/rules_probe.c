/*
 * Says what our rules do, for comparison with the vendor's own parsers and matcher (rules.bats).
 *
 *     rules_probe redirects FILE    reads "path?query" lines, prints "status[!] target" or "-" for
 * each rules_probe headers FILE      reads paths, prints "name: value|…" in order of names, or "-"
 */
#include "base/fs.h"
#include "base/limits.h"
#include "local/headers.h"
#include "local/redirects.h"
#include "net/server/request.h"

#include <stdio.h>
#include <stdlib.h>

static void print_redirect(const struct redirects *rules, struct arena *a, char *line)
{
    char *query = strchr(line, '?');
    if (query)
        *query++ = '\0';
    const char *path = NULL;
    if (!url_path_decode(a, line, &path)) {
        printf("-\n");
        return;
    }
    struct redirect_request q = { .scheme = "http",
                                  .host = "site.test",
                                  .path = path,
                                  .query = query ? query : "",
                                  .country = NULL,
                                  .language = "en" };
    char *target = NULL;
    const struct redirect_rule *rule = redirects_match(rules, a, &q, &target);
    if (rule)
        printf("%d%s %s\n", rule->status, rule->is_forced ? "!" : "", target);
    else
        printf("-\n");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct text_pair *)a)->name, ((const struct text_pair *)b)->name);
}

static void print_headers(const struct header_rules *rules, struct arena *a, const char *path)
{
    size_t n = 0;
    const struct text_pair *all = headers_match(rules, a, path, &n);
    struct text_pair *sorted = ARENA_ARRAY(a, struct text_pair, n + 1);
    for (size_t i = 0; i < n; i++)
        sorted[i] = all[i];
    qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 0; i < n; i++)
        printf("%s%s: %s", i ? "|" : "", sorted[i].name, sorted[i].value);
    printf("%s\n", n ? "" : "-");
}

int main(int argc, char **argv)
{
    struct arena *a = arena_new(0);
    struct err e = { 0 };
    struct str text = { 0 };
    if (argc < 3 || !fs_read(a, argv[2], LIMIT_RULES_BYTES, &text, &e)) {
        (void)fprintf(stderr, "rules_probe redirects|headers FILE: %s\n", e.why);
        return 2;
    }
    struct redirects redirects = { 0 };
    struct header_rules headers = { 0 };
    redirects_add_text(a, &redirects, text);
    redirects_finish(&redirects);
    headers_add_text(a, &headers, text);
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (streq(argv[1], "redirects"))
            print_redirect(&redirects, a, line);
        else
            print_headers(&headers, a, line);
    }
    arena_free(a);
    return 0;
}
