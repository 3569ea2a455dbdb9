/*
 * The order in which a request finds its answer on a site:
 *
 *     1. the first redirect rule that fits, if it is forced
 *     2. a file, by the rules for pretty URLs
 *     3. a fingerprinted file of a deploy that was live in the last day (old pages keep working)
 *     4. the redirect rule, if one fits
 *     5. 404.html, else a plain 404
 */
#include "local/sites_store.h"
#include "local/static.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#define HOPS_MAX 5

struct serving {
    struct sites *sites;
    struct site *site;
    const struct view *view;
    struct request *r;
};

/* ---- 2: files -------------------------------------------------------------------------------- */

struct found {
    const struct view_file *file;
    const char *redirect; /* 301 to this encoded path instead; NULL: serve the file */
};

static const struct view_file *find_with(const struct serving *sv, const char *stem, size_t n,
                                         const char *const *endings)
{
    for (; *endings; endings++) {
        const char *path = arena_printf(sv->r->arena, "%.*s%s", (int)n, stem, *endings);
        const struct view_file *f = view_find(sv->view, path);
        if (f)
            return f;
    }
    return NULL;
}

static const char *const page_endings[] = { ".html", ".htm", NULL };
static const char *const index_endings[] = { "/index.html", "/index.htm", NULL };

static struct found find_with_slash(const struct serving *sv, const char *path, size_t n)
{
    size_t stem = n - 1;
    const struct view_file *page = stem > 0 ? find_with(sv, path, stem, page_endings) : NULL;
    if (page && sv->view->has_pretty_urls) {
        size_t raw = strlen(sv->r->raw_path);
        return (struct found){ page, arena_strndup(sv->r->arena, sv->r->raw_path, raw - 1) };
    }
    return (struct found){ page ? page : find_with(sv, path, stem, index_endings), NULL };
}

static struct found find_without_slash(const struct serving *sv, const char *path, size_t n)
{
    const struct view_file *page = find_with(sv, path, n, page_endings);
    if (page)
        return (struct found){ page, NULL };
    const struct view_file *index = find_with(sv, path, n, index_endings);
    if (index && sv->view->has_pretty_urls)
        return (struct found){ index, arena_printf(sv->r->arena, "%s/", sv->r->raw_path) };
    return (struct found){ index, NULL };
}

static struct found find_file(const struct serving *sv, const char *path)
{
    const struct view_file *exact = view_find(sv->view, path);
    size_t n = strlen(path);
    if (exact || n > LIMIT_PATH_BYTES)
        return (struct found){ exact, NULL };
    return path[n - 1] == '/' ? find_with_slash(sv, path, n) : find_without_slash(sv, path, n);
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void respond_redirect(struct request *r, int status, const char *target)
{
    response_header(r, "Location", target);
    response_header(r, "Cache-Control", "public, max-age=0, must-revalidate");
    respond_text(r, status, arena_printf(r->arena, "Redirecting to %s\n", target));
}

static bool is_reading(const struct request *r)
{
    return r->method == METHOD_GET || r->method == METHOD_HEAD;
}

static void respond_not_found(const struct serving *sv, int status)
{
    struct request *r = sv->r;
    const struct view_file *page = status == 404 ? view_find(sv->view, "/404.html") : NULL;
    if (page && is_reading(r)) {
        static_respond(r, sv->sites->blobs, sv->view, r->path, page, 404);
        return;
    }
    response_header(r, "Cache-Control", "no-store");
    respond_text(r, status, status == 404 ? "Not Found\n" : "\n");
}

static void respond_wrong_method(struct request *r)
{
    response_header(r, "Allow", "GET, HEAD");
    respond_text(r, 405, "Only GET and HEAD are possible here\n");
}

/* ---- 4: redirect rules ----------------------------------------------------------------------- */

static void pass_on(const struct serving *sv, int port, const char *target,
                    const struct redirect_rule *rule)
{
    struct request *r = sv->r;
    const char *hops_text = request_header(r, "x-lockflight-hops");
    long hops = hops_text ? strtol(hops_text, NULL, 10) : 0;
    if (hops >= HOPS_MAX) {
        respond_error(r, 508, "the redirect rule \"%s\" leads back to itself", rule->from);
        return;
    }
    struct upstream_slot *slot = sites_loopback(sv->sites, port);
    struct upstream *u = slot ? upstream_slot_enter(slot) : NULL;
    if (!u) {
        respond_error(
            r, 502,
            "the redirect rule \"%s\" passes on to %s; the local platform passes on only to its "
            "own ports on this machine",
            rule->from, rule->to);
        return;
    }
    struct header *set = ARENA_ARRAY(r->arena, struct header, rule->header_count + 1);
    for (size_t i = 0; i < rule->header_count; i++)
        set[i] = (struct header){ .name = rule->headers[i].name, .value = rule->headers[i].value };
    set[rule->header_count] = (struct header){
        .name = "X-Lockflight-Hops",
        .value = arena_printf(r->arena, "%ld", hops + 1),
    };
    struct proxy_spec spec = { .target = target, .set = set, .set_count = rule->header_count + 1 };
    request_proxy(r, u, &spec);
}

/* Splits "http://127.0.0.1:4601/x" into a port of this machine and a path; port 0 if it is
 * elsewhere. */
static int loopback_port(struct request *r, const char *url, const char **ret_target)
{
    const char *host = strstr(url, "://") + 3;
    size_t n = strcspn(host, "/?#");
    const char *rest = host + n;
    const char *name = arena_strndup(r->arena, host, strcspn(host, ":/?#"));
    *ret_target = *rest == '/' ? rest : arena_printf(r->arena, "/%s", rest);
    bool is_here =
        streq(name, "127.0.0.1") || streq(name, "localhost") || ends_with(name, ".localhost");
    const char *colon = memchr(host, ':', n);
    if (!is_here || !starts_with(url, "http://"))
        return 0;
    uint64_t port = 0;
    struct str digits = { colon ? colon + 1 : "80", colon ? n - (size_t)(colon + 1 - host) : 2 };
    return str_to_u64(digits, &port) && port < 65536 ? (int)port : 0;
}

/* Parts of the platform that share the site's port. */
static bool is_platform_path(const char *path)
{
    return starts_with(path, "/functions/v1/") || starts_with(path, "/rest/v1/") ||
           starts_with(path, "/auth/v1/") || starts_with(path, "/ofrep/");
}

static void serve_target(const struct serving *sv, const struct redirect_rule *rule,
                         const char *target)
{
    struct request *r = sv->r;
    const char *path = NULL;
    char *raw = arena_strndup(r->arena, target, strcspn(target, "?#"));
    if (is_platform_path(raw) && rule->status == 200) {
        pass_on(sv, r->port, target, rule);
        return;
    }
    if (!url_path_decode(r->arena, raw, &path)) {
        respond_not_found(sv, 404);
        return;
    }
    struct found found = find_file(sv, path);
    if (!found.file)
        respond_not_found(sv, rule->status >= 400 ? rule->status : 404);
    else if (!is_reading(r))
        respond_wrong_method(r);
    else
        static_respond(r, sv->sites->blobs, sv->view, r->path, found.file, rule->status);
}

static void apply(const struct serving *sv, const struct redirect_rule *rule, const char *target)
{
    bool is_url = *target != '/';
    if (rule->status >= 300 && rule->status < 400) {
        respond_redirect(sv->r, rule->status, target);
    } else if (is_url && rule->status == 200) {
        const char *path = NULL;
        int port = loopback_port(sv->r, target, &path);
        pass_on(sv, port, path, rule);
    } else if (is_url) {
        respond_not_found(sv, rule->status >= 400 ? rule->status : 404);
    } else {
        serve_target(sv, rule, target);
    }
}

/* What rules may look at besides the path. */
static const struct redirect_rule *find_rule(const struct serving *sv, char **ret_target)
{
    struct request *r = sv->r;
    const char *cookies = request_header(r, "cookie");
    const char *country = cookie_value(r->arena, cookies, "nf_country");
    const char *language = cookie_value(r->arena, cookies, "nf_lang");
    const char *accepted = request_header(r, "accept-language");
    if (!country)
        country = request_header(r, "x-country");
    if (!language)
        language = request_header(r, "x-language");
    if (!language)
        language = accepted && strlen(accepted) >= 2 ? arena_strndup(r->arena, accepted, 2) : "en";
    struct redirect_request q = {
        .scheme = "http",
        .host = r->host,
        .path = r->path,
        .query = r->query,
        .country = country,
        .language = language,
        .cookies = cookies,
    };
    return redirects_match(&sv->view->redirects, r->arena, &q, ret_target);
}

/* ---- Basic-Auth ------------------------------------------------------------------------------ */

static bool is_let_in(struct request *r, const char *users)
{
    const char *given = request_header(r, "authorization");
    if (!given || strncasecmp(given, "basic ", 6) != 0)
        return false;
    struct str pair = { 0 };
    if (!base64_decode(r->arena, str_trim(str_of(given + 6)), &pair))
        return false;
    struct str rest = str_of(users);
    while (rest.p) {
        struct str user = str_trim(str_cut(&rest, ' '));
        if (user.n > 0 && str_eq_secret(user, pair))
            return true;
    }
    return false;
}

/* True if the request may go on; else 401 has been given. */
static bool pass_basic_auth(const struct serving *sv)
{
    size_t count = 0;
    const struct text_pair *own =
        headers_match(&sv->view->headers, sv->r->arena, sv->r->path, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(own[i].name, "basic-auth") == 0 && !is_let_in(sv->r, own[i].value)) {
            response_header(sv->r, "WWW-Authenticate", "Basic realm=\"site\"");
            respond_text(sv->r, 401, "Unauthorized\n");
            return false;
        }
    }
    return true;
}

/* ---- The order ------------------------------------------------------------------------------- */

static void respond_found(const struct serving *sv, const struct found *found)
{
    struct request *r = sv->r;
    if (!is_reading(r)) {
        respond_wrong_method(r);
    } else if (found->redirect) {
        const char *mark = *r->query ? "?" : "";
        respond_redirect(r, 301, arena_printf(r->arena, "%s%s%s", found->redirect, mark, r->query));
    } else {
        static_respond(r, sv->sites->blobs, sv->view, r->path, found->file, 200);
    }
}

static bool serve_retired(const struct serving *sv)
{
    struct view *old = NULL;
    const struct view_file *f = site_retired_file(sv->sites, sv->site, sv->r->path, &old);
    if (!f)
        return false;
    request_on_end(sv->r, view_unref, old);
    static_respond(sv->r, sv->sites->blobs, old, sv->r->path, f, 200);
    return true;
}

void serve_view(struct sites *s, struct site *site, const struct view *v, bool is_permalink,
                struct request *r)
{
    struct serving sv = { s, site, v, r };
    if (is_permalink)
        response_header(r, "X-Robots-Tag", "noindex");
    if (v->headers.has_basic_auth && !pass_basic_auth(&sv))
        return;
    char *target = NULL;
    const struct redirect_rule *rule = find_rule(&sv, &target);
    if (rule && rule->is_forced) {
        apply(&sv, rule, target);
        return;
    }
    struct found found = find_file(&sv, r->path);
    if (found.file)
        respond_found(&sv, &found);
    else if (!is_permalink && is_reading(r) && serve_retired(&sv))
        return;
    else if (rule)
        apply(&sv, rule, target);
    else
        respond_not_found(&sv, 404);
}
