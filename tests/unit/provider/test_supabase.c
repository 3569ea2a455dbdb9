/*
 * The Supabase client against a scripted peer.
 */
#include "assert_ok.h"

#include "fake/peer.h"
#include "provider/supabase.h"

#include <string.h>

#define REF    "abcdefghijklmnopqrst"
#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define PATH   "/v1/projects/" REF
#define FN(slug, version, hash)                                                                    \
    "{\"id\":\"11111111-2222-4333-8444-555555555555\",\"slug\":\"" slug "\",\"name\":\"" slug      \
    "\",\"status\":\"ACTIVE\",\"version\":" version ",\"ezbr_sha256\":\"" hash "\"}"

struct fixture {
    struct arena *a;
    struct supabase *s;
    struct peer *p;
    struct err e;
};

static bool no_wait(void *context, int64_t ms, struct err *e)
{
    (void)context, (void)ms, (void)e;
    return true;
}

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    f->a = arena_new(0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    supabase_close(f->s);
    if (f->p)
        peer_stop(f->p);
    arena_free(f->a);
    test_free(f);
    return 0;
}

static void talk(struct fixture *f, const struct peer_step *steps, size_t n)
{
    f->p = peer_start(steps, n);
    const struct supabase_spec spec = { .api = peer_url(f->p), .token = "sbp_token", .ref = REF };
    assert_ok(supabase_open(&spec, &f->s, &f->e), &f->e);
    http_set_waiter(supabase_http(f->s), no_wait, NULL);
}

#define TALK(f, ...)                                                                               \
    talk(f, (const struct peer_step[]){ __VA_ARGS__ },                                             \
         sizeof((const struct peer_step[]){ __VA_ARGS__ }) / sizeof(struct peer_step))

static struct function_source small_source(struct arena *a)
{
    struct function_file *files = ARENA_ARRAY(a, struct function_file, 2);
    files[0] = (struct function_file){ .path = "supabase/functions/health/index.ts",
                                       .content = STR("serve()") };
    files[1] = (struct function_file){ .path = "supabase/functions/_shared/db.ts",
                                       .content = STR("db()") };
    struct function_source s = {
        .slug = "health",
        .entrypoint_path = "supabase/functions/health/index.ts",
        .import_map_path = "",
        .verify_jwt = false,
        .files = files,
        .n_files = 2,
    };
    function_source_seal(a, &s);
    return s;
}

static void a_malformed_ref_is_refused_before_anything_is_sent(void **state)
{
    struct fixture *f = *state;
    const struct supabase_spec spec = { .api = "http://127.0.0.1:1", .ref = "../../organizations" };
    assert_fails(supabase_open(&spec, &f->s, &f->e), &f->e, ERR_CONFIG);
}

static void a_function_is_bundled_without_being_activated(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "POST " PATH "/functions/deploy?slug=health&bundleOnly=true ", .status = 503 },
         { "POST " PATH "/functions/deploy?slug=health&bundleOnly=true ",
           "{\"entrypoint_path\":\"supabase/functions/health/"
           "index.ts\",\"import_map_path\":\"\",\"static_patterns\":[],"
           "\"verify_jwt\":false,\"name\":\"health\"}",
           .status = 201, .body = FN("health", "4", "beef") });
    struct function_source source = small_source(f->a);
    struct supabase_function fn;
    assert_ok(supabase_function_deploy(f->s, f->a, &source, true, &fn, &f->e), &f->e);
    assert_int_equal(fn.version, 4);
    assert_string_equal(fn.ezbr_sha256, "beef");
    assert_true(fn.verify_jwt); /* the answer did not say */
}

static void a_deploy_that_activates_is_not_repeated(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "POST " PATH "/functions/deploy?slug=health ", .act = PEER_CLOSE });
    struct function_source source = small_source(f->a);
    struct supabase_function fn;
    assert_fails(supabase_function_deploy(f->s, f->a, &source, false, &fn, &f->e), &f->e,
                 ERR_UNKNOWN_OUTCOME);
}

static void activation_is_one_put_and_believed_only_if_the_answer_shows_the_bundles(void **state)
{
    struct fixture *f = *state;
    TALK(f,
         { "PUT " PATH "/functions ", "\"version\":4",
           .body = "{\"functions\":[" FN("health", "4", "beef") "]}" },
         { "PUT " PATH "/functions ", .body = "{\"functions\":[" FN("health", "3", "dead") "]}" },
         { "PUT " PATH "/functions ", .body = "{\"functions\":[]}" },
         { "PUT " PATH "/functions ", .body = "{}" });
    const struct supabase_function fn = {
        .id = "x",
        .slug = "health",
        .name = "health",
        .status = "ACTIVE",
        .version = 4,
        .entrypoint_path = "",
        .import_map_path = "",
        .ezbr_sha256 = "beef",
    };
    assert_ok(supabase_functions_activate(f->s, f->a, &fn, 1, &f->e), &f->e);
    for (int i = 0; i < 3; i++)
        assert_fails(supabase_functions_activate(f->s, f->a, &fn, 1, &f->e), &f->e,
                     ERR_UNKNOWN_OUTCOME);
}

static void the_live_source_comes_back_with_the_digest_of_what_was_deployed(void **state)
{
    struct fixture *f = *state;
    struct function_source source = small_source(f->a);
    const char *body =
        "--B\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n"
        "{\"deno2_entrypoint_path\":\"file:///srv/supabase/functions/health/index.ts\"}\r\n"
        "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"index.ts\"\r\n"
        "Supabase-Path: supabase/functions/health/index.ts\r\n\r\nserve()\r\n"
        "--B\r\nContent-Disposition: form-data; name=\"file\"; "
        "filename=\"supabase/functions/_shared/db.ts\"\r\n\r\n"
        "db()\r\n--B--\r\n";
    TALK(f,
         { "GET " PATH "/functions/health ",
           .body = "{\"id\":\"x\",\"slug\":\"health\",\"name\":\"health\",\"status\":\"ACTIVE\","
                   "\"version\":1,\"verify_jwt\":false}" },
         { "GET " PATH "/functions/health/body ", "Accept: multipart/form-data",
           .headers = "Content-Type: multipart/form-data; boundary=B\r\n", .body = body });
    struct function_source got;
    assert_ok(supabase_function_source(f->s, f->a, "health", &got, &f->e), &f->e);
    assert_string_equal(got.digest, source.digest);
    assert_string_equal(got.entrypoint_path, source.entrypoint_path);
}

static void a_source_that_leads_out_of_the_project_is_refused(void **state)
{
    struct fixture *f = *state;
    const char *body = "--B\r\nContent-Disposition: form-data; name=\"file\"; "
                       "filename=\"../../etc/passwd\"\r\n\r\nx\r\n--B--\r\n";
    TALK(f, { .body = FN("health", "1", "beef") },
         { .headers = "Content-Type: multipart/form-data; boundary=B\r\n", .body = body });
    struct function_source got;
    assert_fails(supabase_function_source(f->s, f->a, "health", &got, &f->e), &f->e, ERR_DATA);
}

static void a_stored_source_comes_back_whole_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    struct function_source source = small_source(f->a), back;
    json_auto_t *stored = function_source_to_json(&source);
    assert_ok(function_source_from_json(f->a, stored, &back, &f->e), &f->e);
    assert_string_equal(back.digest, source.digest);
    assert_int_equal(back.n_files, 2);
    json_object_set_new(json_array_get(json_object_get(stored, "files"), 0), "content",
                        json_string("YQ=="));
    assert_fails(function_source_from_json(f->a, stored, &back, &f->e), &f->e, ERR_DATA);
}

static void secrets_are_listed_set_and_unset(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "GET " PATH "/secrets ", .body = "[{\"name\":\"A\",\"value\":\"" DIGEST "\"}]" },
         { "POST " PATH "/secrets ", "[{\"name\":\"B\",\"value\":\"value of b\"}]", .status = 201 },
         { "DELETE " PATH "/secrets ", "[\"B\"]" });
    struct supabase_secret *list;
    size_t n;
    assert_ok(supabase_secrets(f->s, f->a, &list, &n, &f->e), &f->e);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].digest, DIGEST);
    const struct supabase_secret_value v = { "B", STR("value of b") };
    assert_ok(supabase_secrets_set(f->s, f->a, &v, 1, &f->e), &f->e);
    const char *names[] = { "B" };
    assert_ok(supabase_secrets_unset(f->s, f->a, names, 1, &f->e), &f->e);
}

static void secrets_the_vendor_would_refuse_are_refused_here(void **state)
{
    struct fixture *f = *state;
    talk(f, NULL, 0);
    const struct supabase_secret_value reserved = { "SUPABASE_URL", STR("x") };
    assert_fails(supabase_secrets_set(f->s, f->a, &reserved, 1, &f->e), &f->e, ERR_CONFIG);
    char *long_value = arena_alloc(f->a, 24577);
    memset(long_value, 'x', 24577);
    const struct supabase_secret_value large = { "A", { long_value, 24577 } };
    assert_fails(supabase_secrets_set(f->s, f->a, &large, 1, &f->e), &f->e, ERR_LIMIT);
}

static void an_error_that_echoes_a_value_does_not_show_it_wherever_it_is_cut(void **state)
{
    struct fixture *f = *state;
    const char *echoes[] = {
        "{\"message\":\"bad value: hunter2hunter2 hunter2hunter2\"}",
        "{\"message\":[\"bad value: hunter2hunter2\"]}",
        "{\"unknown\":\"hunter2hunter2\"}",
        "plain hunter2hunter2",
        arena_printf(f->a, "%295s hunter2hunter2", "."), /* the error keeps 300 bytes */
    };
    struct peer_step steps[5];
    for (size_t i = 0; i < 5; i++)
        steps[i] = (struct peer_step){ "POST", .status = 400, .body = echoes[i] };
    talk(f, steps, 5);
    const struct supabase_secret_value v = { "B", STR("hunter2hunter2") };
    for (size_t i = 0; i < 5; i++) {
        assert_fails(supabase_secrets_set(f->s, f->a, &v, 1, &f->e), &f->e, ERR_REMOTE);
        assert_null(strstr(f->e.why, "hun"));
    }
}

static void deleting_a_function_that_is_gone_is_success(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "DELETE " PATH "/functions/health ", .status = 404 });
    assert_ok(supabase_function_delete(f->s, f->a, "health", &f->e), &f->e);
}

static void keys_are_told_apart(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "GET " PATH "/api-keys?reveal=true ",
              .body = "[{\"name\":\"anon\",\"api_key\":\"ey1\",\"type\":\"legacy\"},{\"name\":"
                      "\"service_role\",\"api_key\":\"ey2-secret\"},"
                      "{\"name\":\"default\",\"type\":\"publishable\",\"api_key\":\"sb_publishable_"
                      "x\"},{\"name\":\"default\",\"type\":"
                      "\"secret\",\"api_key\":null}]" });
    struct supabase_api_keys keys;
    assert_ok(supabase_api_keys(f->s, f->a, &keys, &f->e), &f->e);
    assert_string_equal(keys.anon, "ey1");
    assert_string_equal(keys.service_role, "ey2-secret");
    assert_string_equal(keys.publishable, "sb_publishable_x");
}

static void an_unhealthy_service_is_named(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "GET " PATH "/health?services=db&services=rest ",
              .body = "[{\"name\":\"db\",\"healthy\":true},{\"name\":\"rest\",\"healthy\":false,"
                      "\"status\":\"UNHEALTHY\"}]" });
    assert_fails(supabase_health(f->s, f->a, "db,rest", &f->e), &f->e, ERR_CHECK);
    assert_non_null(strstr(f->e.why, "rest"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_malformed_ref_is_refused_before_anything_is_sent),
        T(a_function_is_bundled_without_being_activated),
        T(a_deploy_that_activates_is_not_repeated),
        T(activation_is_one_put_and_believed_only_if_the_answer_shows_the_bundles),
        T(the_live_source_comes_back_with_the_digest_of_what_was_deployed),
        T(a_source_that_leads_out_of_the_project_is_refused),
        T(a_stored_source_comes_back_whole_or_not_at_all),
        T(secrets_are_listed_set_and_unset),
        T(secrets_the_vendor_would_refuse_are_refused_here),
        T(an_error_that_echoes_a_value_does_not_show_it_wherever_it_is_cut),
        T(deleting_a_function_that_is_gone_is_success),
        T(keys_are_told_apart),
        T(an_unhealthy_service_is_named),
    };
    return cmocka_run_group_tests_name("supabase", tests, NULL, NULL);
}
