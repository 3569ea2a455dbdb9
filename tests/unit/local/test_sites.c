/*
 * The site host from outside: its API and what visitors get, over HTTP, with a store on disk that
 * is closed and opened again.
 */
#include "assert_ok.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "local/sites.h"
#include "net/server/server.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    char dir[64];
    struct server *server;
    struct sites *sites;
    struct site *site;
    int port;
    struct arena *arena;
    CURL *curl;
};

static struct fixture fx;

struct reply {
    long status;
    const char *head;
    const char *body;
};

/* ---- The platform ---------------------------------------------------------------------------- */

static void answer(struct request *r, void *context)
{
    (void)context;
    if (!netlify_api_serve(fx.sites, r))
        sites_serve(fx.sites, fx.site, r);
}

static void start(void)
{
    struct err e = { 0 };
    fx.server = server_new(&(struct server_spec){ .loops = 2, .workers = 2 });
    assert_ok(server_start(fx.server, &e), &e);
    assert_ok(sites_open(fx.dir, "secret-token", fx.server, &fx.sites, &e), &e);
    assert_ok(server_listen(fx.server, "127.0.0.1", 0, answer, NULL, &fx.port, &e), &e);
    struct site_spec spec = { .name = "shop", .port = fx.port };
    assert_ok(sites_ensure(fx.sites, &spec, &fx.site, &e), &e);
    fx.curl = curl_easy_init();
}

static void stop(void)
{
    curl_easy_cleanup(fx.curl);
    (void)server_drain(fx.server, 2000);
    server_free(fx.server);
    sites_close(fx.sites);
}

static void restart(void)
{
    stop();
    start();
}

/* ---- A client -------------------------------------------------------------------------------- */

static size_t take(char *p, size_t size, size_t n, void *into)
{
    return strbuf_add(into, p, size * n) ? size * n : 0;
}

static struct reply call(const char *method, const char *url, const char *body,
                         const char *const *headers)
{
    CLEANUP(strbuf) struct strbuf head = strbuf_init(1 * MIB);
    CLEANUP(strbuf) struct strbuf text = strbuf_init(8 * MIB);
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (; headers && *headers; headers++)
        list = curl_slist_append(list, *headers);
    curl_easy_reset(fx.curl);
    curl_easy_setopt(fx.curl, CURLOPT_URL, url);
    curl_easy_setopt(fx.curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(fx.curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(fx.curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(fx.curl, CURLOPT_HEADERFUNCTION, take);
    curl_easy_setopt(fx.curl, CURLOPT_HEADERDATA, &head);
    curl_easy_setopt(fx.curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(fx.curl, CURLOPT_WRITEDATA, &text);
    curl_easy_setopt(fx.curl, CURLOPT_TIMEOUT, 20L);
    if (streq(method, "HEAD"))
        curl_easy_setopt(fx.curl, CURLOPT_NOBODY, 1L);
    if (body) {
        curl_easy_setopt(fx.curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
        curl_easy_setopt(fx.curl, CURLOPT_POSTFIELDS, body);
    }
    CURLcode code = curl_easy_perform(fx.curl);
    curl_slist_free_all(list);
    if (code != CURLE_OK)
        fail_msg("%s %s: %s", method, url, curl_easy_strerror(code));
    struct reply reply = { .head = arena_strdup(fx.arena, strbuf_text(&head)),
                           .body = arena_strdup(fx.arena, strbuf_text(&text)) };
    curl_easy_getinfo(fx.curl, CURLINFO_RESPONSE_CODE, &reply.status);
    return reply;
}

static struct reply get(const char *path)
{
    return call("GET", arena_printf(fx.arena, "http://127.0.0.1:%d%s", fx.port, path), NULL, NULL);
}

static struct reply get_with(const char *path, const char *header)
{
    return call("GET", arena_printf(fx.arena, "http://127.0.0.1:%d%s", fx.port, path), NULL,
                (const char *const[]){ header, NULL });
}

static struct reply get_deploy_path(const char *id, const char *path)
{
    return get_with(path, arena_printf(fx.arena, "Host: %s--shop.localhost:%d", id, fx.port));
}

static struct reply api(const char *method, const char *path, const char *body)
{
    static const char *const headers[] = { "Authorization: Bearer secret-token", NULL };
    const char *url = arena_printf(fx.arena, "http://127.0.0.1:%d/api/v1%s", fx.port, path);
    return call(method, url, body, headers);
}

static struct reply api_site(const char *method, const char *rest, const char *body)
{
    return api(method, arena_printf(fx.arena, "/sites/%s%s", site_id(fx.site), rest), body);
}

static const char *field(struct reply reply, const char *key)
{
    struct err e = { 0 };
    json_auto_t *o = json_parse(str_of(reply.body), "reply", &e);
    const json_t *value = json_object_get(o, key);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (json_is_array(value))
        return arena_printf(fx.arena, "%zu", json_array_size(value));
    return arena_strdup(fx.arena, json_text_or(o, key, ""));
}

static const char *sha_of(const char *content)
{
    char *hex = arena_alloc(fx.arena, SHA1_HEX_BYTES);
    hash_hex(HASH_SHA1, str_of(content), hex);
    return hex;
}

/* Creates a deploy of {path, content} pairs and uploads everything. Returns its id. */
static const char *deploy(const char *options, const char *const *files)
{
    json_auto_t *manifest = json_object();
    for (const char *const *f = files; *f; f += 2)
        (void)json_object_set_new(manifest, f[0], json_string(sha_of(f[1])));
    struct reply made = api_site("POST", "/deploys", arena_printf(fx.arena, "{%s}", options));
    assert_int_equal(made.status, 200);
    const char *id = field(made, "id");
    struct reply digest = api_site(
        "PUT", arena_printf(fx.arena, "/deploys/%s", id),
        arena_printf(fx.arena, "{\"draft\":false,\"files\":%s}", json_text(fx.arena, manifest)));
    assert_int_equal(digest.status, 200);
    for (const char *const *f = files; *f; f += 2) {
        struct reply put =
            api("PUT", arena_printf(fx.arena, "/deploys/%s/files/%s", id, f[0]), f[1]);
        assert_int_equal(put.status, 200);
    }
    assert_string_equal(field(api("GET", arena_printf(fx.arena, "/deploys/%s", id), NULL), "state"),
                        "ready");
    return id;
}

static const char *const page_one[] = { "index.html", "<h1>one</h1>", NULL };
static const char *const page_two[] = { "index.html", "<h1>two</h1>", NULL };

/* ---- Publishing ------------------------------------------------------------------------------ */

static void a_production_deploy_goes_live_when_its_last_file_has_come(void **state)
{
    (void)state;
    const char *id = deploy("", page_one);
    assert_string_equal(get("/").body, "<h1>one</h1>");
    assert_non_null(strstr(api_site("GET", "", NULL).body, id));
}

static void a_draft_stays_hidden_although_the_digest_says_it_is_none(void **state)
{
    (void)state;
    (void)deploy("", page_one);
    const char *draft = deploy("\"draft\":true", page_two);
    assert_string_equal(get("/").body, "<h1>one</h1>");
    struct reply own = get_deploy_path(draft, "/");
    assert_string_equal(own.body, "<h1>two</h1>");
    assert_non_null(strstr(own.head, "X-Robots-Tag: noindex"));
    assert_null(strstr(get("/").head, "X-Robots-Tag"));
}

static void restoring_a_draft_publishes_it_and_drops_the_lock(void **state)
{
    (void)state;
    const char *one = deploy("", page_one);
    const char *draft = deploy("\"draft\":true", page_two);
    struct reply locked = api("POST", arena_printf(fx.arena, "/deploys/%s/lock", one), NULL);
    assert_string_equal(field(locked, "locked"), "true");
    struct reply restored =
        api_site("POST", arena_printf(fx.arena, "/deploys/%s/restore", draft), NULL);
    assert_int_equal(restored.status, 201);
    assert_string_equal(field(restored, "locked"), "false");
    assert_string_equal(get("/").body, "<h1>two</h1>");
}

static void a_locked_site_takes_deploys_but_does_not_publish_them(void **state)
{
    (void)state;
    const char *one = deploy("", page_one);
    (void)api("POST", arena_printf(fx.arena, "/deploys/%s/lock", one), NULL);
    (void)deploy("", page_two);
    assert_string_equal(get("/").body, "<h1>one</h1>");
    (void)api("POST", arena_printf(fx.arena, "/deploys/%s/unlock", one), NULL);
    assert_string_equal(get("/").body, "<h1>one</h1>");
}

static void rollback_brings_the_previous_deploy_back(void **state)
{
    (void)state;
    (void)deploy("", page_one);
    (void)deploy("", page_two);
    assert_int_equal(api_site("PUT", "/rollback", NULL).status, 204);
    assert_string_equal(get("/").body, "<h1>one</h1>");
}

static void the_published_deploy_cannot_be_deleted_but_others_can(void **state)
{
    (void)state;
    const char *one = deploy("", page_one);
    const char *draft = deploy("\"draft\":true", page_two);
    assert_int_equal(api("DELETE", arena_printf(fx.arena, "/deploys/%s", one), NULL).status, 422);
    assert_int_equal(api("DELETE", arena_printf(fx.arena, "/deploys/%s", draft), NULL).status, 204);
    assert_int_equal(get_deploy_path(draft, "/").status, 404);
}

static void cancelling_a_ready_deploy_leaves_it_ready(void **state)
{
    (void)state;
    const char *one = deploy("", page_one);
    struct reply r = api("POST", arena_printf(fx.arena, "/deploys/%s/cancel", one), NULL);
    assert_int_equal(r.status, 201);
    assert_string_equal(field(r, "state"), "ready");
    struct reply fresh = api_site("POST", "/deploys", "{}");
    const char *id = field(fresh, "id");
    r = api("POST", arena_printf(fx.arena, "/deploys/%s/cancel", id), NULL);
    assert_string_equal(field(r, "state"), "error");
    r = api_site("POST", arena_printf(fx.arena, "/deploys/%s/restore", id), NULL);
    assert_int_equal(r.status, 422);
}

static void what_was_acknowledged_is_there_after_a_restart(void **state)
{
    (void)state;
    (void)deploy("", page_one);
    const char *draft = deploy("\"draft\":true,\"title\":\"hidden\"", page_two);
    struct reply waiting =
        api_site("POST", "/deploys",
                 arena_printf(fx.arena, "{\"files\":{\"a\":\"%s\",\"b\":\"%s\"}}", sha_of("a"),
                              sha_of("b")));
    const char *id = field(waiting, "id");
    assert_int_equal(api("PUT", arena_printf(fx.arena, "/deploys/%s/files/a", id), "a").status,
                     200);
    restart();
    assert_string_equal(get("/").body, "<h1>one</h1>");
    assert_string_equal(get_deploy_path(draft, "/").body, "<h1>two</h1>");
    struct reply after = api("GET", arena_printf(fx.arena, "/deploys/%s", id), NULL);
    assert_string_equal(field(after, "required"), "1");
    assert_int_equal(api("PUT", arena_printf(fx.arena, "/deploys/%s/files/b", id), "b").status,
                     200);
    assert_string_equal(get("/b").body, "b");
}

/* ---- Uploads --------------------------------------------------------------------------------- */

static void contents_are_found_by_their_hash_not_by_their_path(void **state)
{
    (void)state;
    struct reply made =
        api_site("POST", "/deploys",
                 arena_printf(fx.arena, "{\"files\":{\"a$&b.txt\":\"%s\"}}", sha_of("x")));
    const char *id = field(made, "id");
    const char *wrong = arena_printf(fx.arena, "/deploys/%s/files/a%%7Bpath%%7Db.txt", id);
    assert_int_equal(api("PUT", wrong, "not x").status, 422);
    assert_int_equal(api("PUT", wrong, "x").status, 200);
    assert_int_equal(api("PUT", wrong, "x").status, 200);
    assert_string_equal(get("/a$&b.txt").body, "x");
}

static void paths_that_lead_out_are_refused_in_a_digest(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "../x", "a/../b", "..", ".", "a/./b", "a//b", "a/", "", "/", "//x", "a#b", "a?b", "/../x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *body =
            arena_printf(fx.arena, "{\"files\":{\"%s\":\"%s\"}}", bad[i], sha_of("x"));
        struct reply r = api_site("POST", "/deploys", body);
        if (r.status != 422)
            fail_msg("\"%s\": %ld %s", bad[i], r.status, r.body);
    }
    assert_int_equal(api_site("POST", "/deploys", "{\"files\":{\"a\":\"zz\"}}").status, 422);
    assert_int_equal(api_site("POST", "/deploys", "{\"files\":").status, 400);
}

static void nothing_outside_a_site_can_be_read(void **state)
{
    (void)state;
    (void)deploy("", (const char *const[]){ "index.html", "<h1>one</h1>", "_redirects", "/x /y",
                                            "_headers", "/x\n A: b", "netlify.toml", "[build]",
                                            ".netlify/secret", "s", NULL });
    static const char *const bad[] = {
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/..%2fetc/passwd",
        "/a/../../etc/passwd",
        "/%2e%2e%2fetc%2fpasswd",
        "/.%2e/x",
        "/etc/passwd",
        "//etc/passwd",
        "/%00",
        "/index.html%00.txt",
        "/_redirects",
        "/_headers",
        "/netlify.toml",
        "/.netlify/secret",
        "/%5fredirects",
        "/sites",
        "/blobs",
        "/..%5c..%5cx",
        "/index.html/",
        "/INDEX.HTML",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct reply r = get(bad[i]);
        if (r.status != 404 && r.status != 400)
            fail_msg("%s: %ld %s", bad[i], r.status, r.body);
    }
}

static void a_token_is_asked_for(void **state)
{
    (void)state;
    const char *url = arena_printf(fx.arena, "http://127.0.0.1:%d/api/v1/sites", fx.port);
    assert_int_equal(call("GET", url, NULL, NULL).status, 401);
    assert_int_equal(
        call("GET", url, NULL, (const char *const[]){ "Authorization: Bearer secret-tokem", NULL })
            .status,
        401);
    assert_non_null(strstr(api("GET", "/sites", NULL).head, "X-RateLimit-Remaining: "));
    assert_string_equal(get("/team/x/integrations/installations/meta/y").body, "[]");
}

static void a_site_without_a_port_is_served_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(api("POST", "/lockflight/sites", "{\"name\":\"other\"}").status, 201);
    assert_int_equal(api("POST", "/lockflight/sites", "{\"name\":\"other\"}").status, 422);
    assert_int_equal(api("POST", "/lockflight/sites", "{\"name\":\"Bad Name\"}").status, 422);
    const char *body =
        arena_printf(fx.arena, "{\"files\":{\"index.html\":\"%s\"}}", sha_of("other"));
    const char *id = field(api("POST", "/sites/other/deploys", body), "id");
    assert_int_equal(api("PUT", arena_printf(fx.arena, "/deploys/%s/files/x", id), "other").status,
                     200);
    assert_string_equal(get_with("/", "Host: other.localhost").body, "other");
    const char *own = arena_printf(fx.arena, "Host: %s--other.localhost", id);
    assert_string_equal(get_with("/", own).body, "other");
    assert_int_equal(api("DELETE", "/sites/other", NULL).status, 204);
    assert_string_not_equal(get_with("/", "Host: other.localhost").body, "other");
}

static void lists_come_in_pages_with_links(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        (void)api_site("POST", "/deploys", "{}");
    struct reply r = api_site("GET", "/deploys?page=1&per_page=2", NULL);
    assert_non_null(strstr(r.head, "rel=\"next\""));
    assert_non_null(strstr(r.head, "page=2&per_page=2"));
    assert_null(strstr(r.head, "rel=\"prev\""));
}

/* ---- What visitors get ----------------------------------------------------------------------- */

static const char *const small_site[] = {
    "index.html",
    "home",
    "file.html",
    "file",
    "folder/index.html",
    "folder",
    "both.html",
    "both",
    "both/index.html",
    "both index",
    "404.html",
    "not here",
    "forced.html",
    "forced",
    "app.css",
    "css",
    "_lockflight/env.js",
    "env",
    "_headers",
    "/*\n  X-All: 1\n/app.css\n  Cache-Control: max-age=5\n",
    "_redirects",
    "/old /new 302\n/app.css /forced.css\n/forced /else 301!\n/spa/* /index.html 200\n"
    "/gone /file.html 410\n/out/* https://example.com/:splat 200\n",
    NULL,
};

static void pages_have_pretty_addresses(void **state)
{
    (void)state;
    (void)deploy("", small_site);
    /* clang-format off */
    static const struct { const char *path; long status; const char *expected; } cases[] = {
        { "/",                  200, "home" },
        { "/index.html",        200, "home" },
        { "/file.html",         200, "file" },
        { "/file/",             301, "Location: /file\r" },
        { "/folder",            301, "Location: /folder/\r" },
        { "/folder?a=1",        301, "Location: /folder/?a=1\r" },
        { "/folder/",           200, "folder" },
        { "/folder/index.html", 200, "folder" },
        { "/both",              200, "both" },
        { "/both/",             301, "Location: /both\r" },
        { "/both/index.html",   200, "both index" },
        { "/none",              404, "not here" },
        { "/old",               302, "Location: /new\r" },
        { "/old?x=1",           302, "Location: /new?x=1\r" },
        { "/app.css",           200, "css" },
        { "/forced",             301, "Location: /else\r" },
        { "/spa/deep/er",       200, "home" },
        { "/gone",              410, "file" },
        { "/out/x",             502, "only to its own ports" },
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reply r = get(cases[i].path);
        bool found = strstr(r.body, cases[i].expected) || strstr(r.head, cases[i].expected);
        if (r.status != cases[i].status || !found)
            fail_msg("%s: %ld %s %s", cases[i].path, r.status, r.head, r.body);
    }
}

static void answers_carry_the_headers_of_the_site_and_good_defaults(void **state)
{
    (void)state;
    (void)deploy("", small_site);
    struct reply home = get("/");
    assert_non_null(strstr(home.head, "Cache-Control: public, max-age=0, must-revalidate\r"));
    assert_non_null(strstr(home.head, "X-All: 1\r"));
    assert_non_null(strstr(home.head, "Content-Type: text/html; charset=utf-8\r"));
    assert_non_null(strstr(home.head, arena_printf(fx.arena, "ETag: \"%s\"\r", sha_of("home"))));
    assert_non_null(strstr(get("/app.css").head, "Cache-Control: max-age=5\r"));
    assert_non_null(strstr(get("/_lockflight/env.js").head, "Cache-Control: no-store\r"));
    assert_non_null(strstr(get("/none").head, "X-All: 1\r"));
    struct reply head =
        call("HEAD", arena_printf(fx.arena, "http://127.0.0.1:%d/", fx.port), NULL, NULL);
    assert_non_null(strstr(head.head, "Content-Length: 4\r"));
    struct reply post =
        call("POST", arena_printf(fx.arena, "http://127.0.0.1:%d/", fx.port), "x", NULL);
    assert_int_equal(post.status, 405);
}

static void conditions_and_ranges_are_honoured(void **state)
{
    (void)state;
    (void)deploy("", small_site);
    const char *tag = arena_printf(fx.arena, "If-None-Match: \"%s\"", sha_of("home"));
    assert_int_equal(get_with("/", tag).status, 304);
    assert_int_equal(get_with("/", "If-None-Match: \"other\"").status, 200);
    struct reply part = get_with("/", "Range: bytes=1-2");
    assert_int_equal(part.status, 206);
    assert_string_equal(part.body, "om");
    assert_non_null(strstr(part.head, "Content-Range: bytes 1-2/4\r"));
    assert_int_equal(get_with("/", "Range: bytes=9-").status, 416);
}

static void an_old_page_still_finds_its_fingerprinted_files(void **state)
{
    (void)state;
    (void)deploy("", (const char *const[]){ "index.html", "1", "assets/app-BkH2x9fQ.js", "old js",
                                            "about.html", "about", "_redirects",
                                            "/* /index.html 200", NULL });
    (void)deploy("", (const char *const[]){ "index.html", "2", "assets/app-Zz91kkQa.js", "new js",
                                            "_redirects", "/* /index.html 200", NULL });
    assert_string_equal(get("/assets/app-BkH2x9fQ.js").body, "old js");
    assert_string_equal(get("/assets/app-Zz91kkQa.js").body, "new js");
    assert_string_equal(get("/about.html").body, "2");
    restart();
    assert_string_equal(get("/assets/app-BkH2x9fQ.js").body, "old js");
}

/* ---- Variables ------------------------------------------------------------------------------- */

static void secrets_can_be_written_but_not_read_back(void **state)
{
    (void)state;
    const char *env =
        arena_printf(fx.arena, "/accounts/lockflight/env?site_id=%s", site_id(fx.site));
    const char *one =
        arena_printf(fx.arena, "/accounts/lockflight/env/TOKEN?site_id=%s", site_id(fx.site));
    (void)api("DELETE", one, NULL);
    struct reply r = api("POST", env,
                         "[{\"key\":\"TOKEN\",\"is_secret\":true,\"scopes\":[\"functions\"],"
                         "\"values\":[{\"context\":\"production\",\"value\":\"hidden-value\"}]}]");
    assert_int_equal(r.status, 201);
    assert_null(strstr(r.body, "hidden-value"));
    assert_null(strstr(api("GET", env, NULL).body, "hidden-value"));
    r = api("POST", env,
            "[{\"key\":\"TOKEN\",\"is_secret\":true,\"values\":[{\"context\":\"all\",\"value\":"
            "\"x\"}]}]");
    assert_int_equal(r.status, 422);
    assert_int_equal(api("DELETE", one, NULL).status, 204);
    assert_int_equal(api("GET", one, NULL).status, 404);
}

static void changing_one_context_spreads_a_value_that_was_for_all(void **state)
{
    (void)state;
    const char *one = "/accounts/lockflight/env/COLOUR";
    (void)api("DELETE", one, NULL);
    (void)api("POST", "/accounts/lockflight/env",
              "[{\"key\":\"COLOUR\",\"scopes\":[\"post-processing\"],\"values\":[{\"context\":"
              "\"all\",\"value\":\"red\"}]}]");
    struct reply r = api("PATCH", one, "{\"context\":\"production\",\"value\":\"blue\"}");
    assert_int_equal(r.status, 201);
    assert_null(strstr(r.body, "\"all\""));
    assert_non_null(strstr(r.body, "blue"));
    assert_non_null(strstr(r.body, "post_processing"));
    assert_string_equal(field(r, "values"), "5");
    restart();
    assert_string_equal(field(api("GET", one, NULL), "values"), "5");
}

/* ---- Fixture --------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    fx.arena = arena_new(0);
    (void)snprintf(fx.dir, sizeof fx.dir, "/tmp/lft.sites.XXXXXX");
    assert_non_null(mkdtemp(fx.dir));
    start();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct err e = { 0 };
    stop();
    bool ok = fs_remove_tree(fx.dir, &e);
    arena_free(fx.arena);
    return ok ? 0 : 1;
}

int main(void)
{
#define ALONE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ALONE(a_production_deploy_goes_live_when_its_last_file_has_come),
        ALONE(a_draft_stays_hidden_although_the_digest_says_it_is_none),
        ALONE(restoring_a_draft_publishes_it_and_drops_the_lock),
        ALONE(a_locked_site_takes_deploys_but_does_not_publish_them),
        ALONE(rollback_brings_the_previous_deploy_back),
        ALONE(the_published_deploy_cannot_be_deleted_but_others_can),
        ALONE(cancelling_a_ready_deploy_leaves_it_ready),
        ALONE(what_was_acknowledged_is_there_after_a_restart),
        ALONE(contents_are_found_by_their_hash_not_by_their_path),
        ALONE(paths_that_lead_out_are_refused_in_a_digest),
        ALONE(nothing_outside_a_site_can_be_read),
        ALONE(a_token_is_asked_for),
        ALONE(a_site_without_a_port_is_served_by_its_name),
        ALONE(lists_come_in_pages_with_links),
        ALONE(pages_have_pretty_addresses),
        ALONE(answers_carry_the_headers_of_the_site_and_good_defaults),
        ALONE(conditions_and_ranges_are_honoured),
        ALONE(an_old_page_still_finds_its_fingerprinted_files),
        ALONE(secrets_can_be_written_but_not_read_back),
        ALONE(changing_one_context_spreads_a_value_that_was_for_all),
    };
    return cmocka_run_group_tests_name("sites", tests, NULL, NULL);
}
