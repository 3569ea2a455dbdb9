/*
 * A built site as a value: which files belong to it, what its digest depends on, the manifest there
 * and back, the files of our own, the scan, and taking proved bytes from another deploy.
 */
#include "assert_ok.h"

#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "fake/peer.h"
#include "site/env_file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct arena *a;
    struct err e;
    const char *dir;
};

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    f->a = arena_new(0);
    char dir[] = "/tmp/lockflight-site-XXXXXX";
    assert_non_null(mkdtemp(dir));
    f->dir = arena_strdup(f->a, dir);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    assert_ok(fs_remove_tree(f->dir, &f->e), &f->e);
    arena_free(f->a);
    test_free(f);
    return 0;
}

static void write_file(struct fixture *f, const char *path, const char *content)
{
    const char *whole = fs_join(f->a, f->dir, path), *slash = strrchr(whole, '/');
    assert_ok(fs_mkdirs(arena_strndup(f->a, whole, (size_t)(slash - whole)), 0700, &f->e), &f->e);
    assert_ok(fs_replace(whole, str_of(content), 0600, &f->e), &f->e);
}

static struct artefact walk(struct fixture *f)
{
    struct artefact art;
    assert_ok(artefact_walk(f->a, f->dir, &art, &f->e), &f->e);
    return art;
}

static void assert_paths(const struct artefact *art, const char *expected)
{
    char got[4096] = "";
    size_t n = 0;
    for (size_t i = 0; i < art->n_files; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, "%s ", art->files[i].path);
    assert_string_equal(got, expected);
}

static void only_what_the_host_would_take_is_walked_in_order(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {
        "index.html",
        "assets/app.js",
        "assets/.cache",
        ".env",
        ".git/config",
        ".well-known/security.txt",
        "a/.well-known/x",
        "node_modules/x.js",
        "docs/node_modules/kept.js",
        "__MACOSX/x",
        "ünder.txt",
        "a b.txt",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        write_file(f, paths[i], "x");
    assert_int_equal(symlink("/etc/passwd", fs_join(f->a, f->dir, "passwd")), 0);
    assert_int_equal(symlink("/etc", fs_join(f->a, f->dir, "etc")), 0);
    assert_int_equal(symlink("nowhere", fs_join(f->a, f->dir, "dangling")), 0);
    struct artefact art = walk(f);
    assert_paths(
        &art,
        "/.well-known/security.txt /a b.txt /assets/app.js /docs/node_modules/kept.js /index.html "
        "/ünder.txt ");
}

static void a_file_has_both_digests_and_its_size(void **state)
{
    struct fixture *f = *state;
    write_file(f, "abc", "abc");
    write_file(f, "empty", "");
    struct artefact art = walk(f);
    assert_string_equal(art.files[0].sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_string_equal(art.files[0].sha256,
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(art.files[0].bytes, 3);
    assert_string_equal(art.files[1].sha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_int_equal(art.bytes, 3);
}

static void names_the_host_refuses_refuse_the_site(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = { "a#b", "what?", "lat\xfcn" };
    struct artefact art;
    for (size_t i = 0; i < 3; i++) {
        write_file(f, bad[i], "x");
        assert_fails(artefact_walk(f->a, f->dir, &art, &f->e), &f->e, ERR_CONFIG);
        assert_int_equal(unlink(fs_join(f->a, f->dir, bad[i])), 0);
    }
    assert_fails(artefact_walk(f->a, f->dir, &art, &f->e), &f->e,
                 ERR_CONFIG); /* nothing to publish */
    assert_fails(artefact_walk(f->a, "/nonexistent", &art, &f->e), &f->e, ERR_CONFIG);
}

static void the_digest_is_of_names_and_bytes_and_not_of_the_environment(void **state)
{
    struct fixture *f = *state;
    write_file(f, "a", "1");
    write_file(f, "b", "2");
    struct artefact one = walk(f);
    struct artefact other = one;
    assert_ok(env_file_headers(f->a, &one, &f->e), &f->e);
    assert_ok(env_file_headers(f->a, &other, &f->e), &f->e);
    const struct env_value staging = { "SUPABASE_URL", "http://staging" },
                           production = { "SUPABASE_URL", "http://production" };
    env_file_put(f->a, &one, &(struct env_file_spec){ "staging", "r1", "s", &staging, 1, NULL });
    env_file_put(f->a, &other,
                 &(struct env_file_spec){ "production", "r2", "s", &production, 1, NULL });
    assert_string_equal(one.digest, other.digest);
    write_file(f, "b", "3");
    struct artefact changed = walk(f);
    assert_string_not_equal(walk(f).digest, artefact_common(f->a, &one).digest);
    assert_ok(env_file_headers(f->a, &changed, &f->e), &f->e);
    assert_string_not_equal(changed.digest, one.digest);
}

static void the_environment_file_is_a_script_and_is_never_cached(void **state)
{
    struct fixture *f = *state;
    write_file(f, "index.html", "x");
    write_file(f, "_headers", "/*\n  X-Frame-Options: DENY");
    struct artefact art = walk(f);
    assert_ok(env_file_headers(f->a, &art, &f->e), &f->e);
    assert_ok(env_file_headers(f->a, &art, &f->e), &f->e); /* once is enough */
    assert_string_equal(
        artefact_find(&art, "/_headers")->content.p,
        "/*\n  X-Frame-Options: DENY\n/_lockflight/env.js\n  Cache-Control: no-store\n");
    const struct env_value v = { "URL", "http://x/\"quoted\"" };
    json_auto_t *flags = json_pack("{s:b, s:s}", "crm", 1, "tone", "é");
    env_file_put(f->a, &art,
                 &(struct env_file_spec){ "staging", "2026-01-02.abcd", "cafe", &v, 1, flags });
    assert_string_equal(
        artefact_find(&art, ARTEFACT_ENV_PATH)->content.p,
        "globalThis.__LOCKFLIGHT__ = {\"environment\":\"staging\",\"release\":\"2026-01-02.abcd\","
        "\"values\":{\"URL\":\"http://x/"
        "\\\"quoted\\\"\"},\"flags\":{\"crm\":true,\"tone\":\"é\"}};\n");
    json_auto_t *known =
        json_parse(artefact_find(&art, ARTEFACT_WELL_KNOWN_PATH)->content, "test", &f->e);
    assert_string_equal(json_text_or(known, "artefact", ""), art.digest);
    assert_string_equal(json_text_or(known, "source", ""), "cafe");
}

static void the_manifest_comes_back_with_the_files_nobody_serves(void **state)
{
    struct fixture *f = *state;
    write_file(f, "index.html", "x");
    write_file(f, "_redirects", "/* /index.html 200\n");
    struct artefact art = walk(f), back;
    json_auto_t *manifest = NULL;
    assert_ok(artefact_to_json(f->a, &art, &manifest, &f->e), &f->e);
    assert_ok(artefact_from_json(f->a, manifest, &back, &f->e), &f->e);
    assert_string_equal(back.digest, art.digest);
    assert_string_equal(artefact_find(&back, "/_redirects")->content.p, "/* /index.html 200\n");
    assert_null(artefact_find(&back, "/index.html")->source);
    assert_null(artefact_find(&back, "/index.html")->content.p);
}

static void a_manifest_that_was_tampered_with_is_refused(void **state)
{
    struct fixture *f = *state;
    write_file(f, "index.html", "x");
    write_file(f, "_headers", "/*\n  A: b\n");
    struct artefact art = walk(f), back;
    static const struct {
        const char *key;
        const char *value;
    } changes[] = {
        { "path", "/../etc/passwd" }, { "path", "/index2.html" }, { "path", "/_headers" },
        { "sha256", "00" },           { "sha1", "zz" },           { "content", "eHg=" },
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        json_auto_t *manifest = NULL;
        assert_ok(artefact_to_json(f->a, &art, &manifest, &f->e), &f->e);
        json_t *file = json_array_get(json_object_get(manifest, "files"), 1);
        json_object_set_new(file, changes[i].key, json_string(changes[i].value));
        assert_fails(artefact_from_json(f->a, manifest, &back, &f->e), &f->e, ERR_DATA);
    }
    json_auto_t *without = NULL;
    assert_ok(artefact_to_json(f->a, &art, &without, &f->e), &f->e);
    json_object_del(json_array_get(json_object_get(without, "files"), 0), "content");
    assert_fails(artefact_from_json(f->a, without, &back, &f->e), &f->e, ERR_DATA);
}

/* ---- proved bytes ---- */

static struct peer_step serve_proved(void *context, const struct peer_request *r)
{
    const char *page = context;
    if (starts_with(r->line, "GET /about.html "))
        return (struct peer_step){ .status = 301, .headers = "Location: /about\r\n" };
    if (starts_with(r->line, "GET /about "))
        return (struct peer_step){ .body = page };
    if (starts_with(r->line, "GET /a%20b.txt "))
        return (struct peer_step){ .body = "spaces" };
    return (struct peer_step){ .status = 404, .body = "not here" };
}

static void proved_bytes_are_fetched_once_and_only_where_the_host_lacks_them(void **state)
{
    struct fixture *f = *state;
    write_file(f, "site/about.html", "about us");
    write_file(f, "site/twin.html", "about us");
    write_file(f, "site/a b.txt", "spaces");
    write_file(f, "site/not-needed.txt", "known there");
    write_file(f, "site/_redirects", "/x /y\n");
    struct artefact art, proved;
    assert_ok(artefact_walk(f->a, fs_join(f->a, f->dir, "site"), &art, &f->e), &f->e);
    json_auto_t *manifest = NULL;
    assert_ok(artefact_to_json(f->a, &art, &manifest, &f->e), &f->e);
    assert_ok(artefact_from_json(f->a, manifest, &proved, &f->e), &f->e);

    char page[] = "about us";
    struct peer *p = peer_start_with(serve_proved, page);
    const char *required[] = { artefact_find(&art, "/about.html")->sha1,
                               artefact_find(&art, "/a b.txt")->sha1,
                               artefact_find(&art, "/_redirects")->sha1 };
    assert_ok(fs_mkdirs(fs_join(f->a, f->dir, "fetched"), 0700, &f->e), &f->e);
    const struct artefact_fetch_spec spec = { peer_url(p), fs_join(f->a, f->dir, "fetched"),
                                              required, 3 };
    assert_ok(artefact_fetch(f->a, &proved, &spec, &f->e), &f->e);
    assert_int_equal(peer_count(p), 3); /* about.html, its redirect, a b.txt */
    struct str got;
    assert_ok(fs_read(f->a, artefact_find(&proved, "/twin.html")->source, 100, &got, &f->e), &f->e);
    assert_string_equal(got.p, "about us");
    assert_null(artefact_find(&proved, "/not-needed.txt")->source);
    peer_stop(p);
}

static void bytes_that_are_not_the_proved_ones_are_refused(void **state)
{
    struct fixture *f = *state;
    write_file(f, "site/about.html", "about us");
    struct artefact art;
    assert_ok(artefact_walk(f->a, fs_join(f->a, f->dir, "site"), &art, &f->e), &f->e);
    art.files[0].source = NULL;
    char page[] = "about them";
    struct peer *p = peer_start_with(serve_proved, page);
    const char *required[] = { art.files[0].sha1 };
    const struct artefact_fetch_spec spec = { peer_url(p), f->dir, required, 1 };
    assert_fails(artefact_fetch(f->a, &art, &spec, &f->e), &f->e, ERR_CONFLICT);
    assert_non_null(strstr(f->e.why, "/about.html"));
    peer_stop(p);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(only_what_the_host_would_take_is_walked_in_order),
        T(a_file_has_both_digests_and_its_size),
        T(names_the_host_refuses_refuse_the_site),
        T(the_digest_is_of_names_and_bytes_and_not_of_the_environment),
        T(the_environment_file_is_a_script_and_is_never_cached),
        T(the_manifest_comes_back_with_the_files_nobody_serves),
        T(a_manifest_that_was_tampered_with_is_refused),
        T(proved_bytes_are_fetched_once_and_only_where_the_host_lacks_them),
        T(bytes_that_are_not_the_proved_ones_are_refused),
    };
    return cmocka_run_group_tests_name("artefact", tests, NULL, NULL);
}
