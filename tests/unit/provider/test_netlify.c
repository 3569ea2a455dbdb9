/*
 * The Netlify client against a scripted peer: what it sends, and what it makes of the answers.
 */
#include "assert_ok.h"

#include "fake/peer.h"
#include "provider/netlify.h"

#include <string.h>

#define SITE "11111111-2222-4333-8444-555555555555"
#define PATH "/api/v1/sites/" SITE

struct fixture {
    struct arena *a;
    struct netlify *n;
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
    netlify_close(f->n);
    peer_stop(f->p);
    arena_free(f->a);
    test_free(f);
    return 0;
}

static void talk(struct fixture *f, const char *site, const struct peer_step *steps, size_t n)
{
    f->p = peer_start(steps, n);
    const struct netlify_spec spec = {
        .api = arena_printf(f->a, "%s/api/v1", peer_url(f->p)),
        .token = "nfp_token",
        .site = site,
    };
    assert_ok(netlify_open(&spec, &f->n, &f->e), &f->e);
    http_set_waiter(netlify_http(f->n), no_wait, NULL);
}

#define TALK(f, ...) TALK_TO(f, SITE, __VA_ARGS__)
#define TALK_TO(f, site, ...)                                                                      \
    talk(f, site, (const struct peer_step[]){ __VA_ARGS__ },                                       \
         sizeof((const struct peer_step[]){ __VA_ARGS__ }) / sizeof(struct peer_step))

static void the_site_says_what_is_live_and_whether_it_is_locked(void **state)
{
    struct fixture *f = *state;
    TALK(
        f,
        { "GET " PATH " ", "Bearer nfp_token",
          .body =
              "{\"id\":\"" SITE "\",\"name\":\"studio\",\"ssl_url\":\"https://"
              "studio.example\",\"account_slug\":\"team\","
              "\"published_deploy\":{\"id\":\"d1\",\"locked\":true,\"title\":\"lockflight x\"}}" });
    struct netlify_site site;
    assert_ok(netlify_site_get(f->n, f->a, &site, &f->e), &f->e);
    assert_string_equal(site.published_id, "d1");
    assert_true(site.is_locked);
    assert_string_equal(site.url, "https://studio.example");
}

static void a_site_without_a_live_deploy_has_an_empty_id(void **state)
{
    struct fixture *f = *state;
    TALK(f, { .body = "{\"id\":\"" SITE "\",\"published_deploy\":null}" });
    struct netlify_site site;
    assert_ok(netlify_site_get(f->n, f->a, &site, &f->e), &f->e);
    assert_string_equal(site.published_id, "");
    assert_false(site.is_locked);
}

static void a_site_given_by_name_is_looked_up_once(void **state)
{
    struct fixture *f = *state;
    TALK_TO(f, "studio", { "GET /api/v1/sites/studio ", .status = 404 },
            { "GET /api/v1/sites?name=studio&filter=all",
              .body = "[{\"id\":\"other\",\"name\":\"studio-2\"}]",
              .headers = "Link: </api/v1/sites?name=studio&filter=all&page=2>; rel=\"next\"\r\n" },
            { "GET /api/v1/sites?name=studio&filter=all&page=2",
              .body = "[{\"id\":\"" SITE "\",\"name\":\"studio\"}]" },
            { "GET " PATH "/deploys/d1 ", .body = "{\"id\":\"d1\",\"state\":\"ready\"}" },
            { "GET " PATH "/deploys/d2 ", .body = "{\"id\":\"d2\",\"state\":\"new\"}" });
    struct netlify_deploy d;
    assert_ok(netlify_deploy_get(f->n, f->a, "d1", &d, &f->e), &f->e);
    assert_int_equal(d.state, NETLIFY_READY);
    assert_ok(netlify_deploy_get(f->n, f->a, "d2", &d, &f->e), &f->e);
    assert_int_equal(d.state, NETLIFY_PENDING);
}

static void a_deploy_is_created_hidden_with_title_and_variables(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "POST " PATH "/deploys?title=lockflight%20r1 ",
              "{\"draft\":true,\"environment\":[{\"key\":\"A\",\"value\":\"one\",\"is_secret\":"
              "false,\"scopes\":"
              "[\"builds\",\"functions\"]}]}",
              .body = "{\"id\":\"d1\",\"state\":\"new\",\"deploy_ssl_url\":\"https://"
                      "d1--studio.example/\"}" });
    const struct netlify_variable v = { .name = "A", .value = "one" };
    struct netlify_deploy d;
    assert_ok(netlify_deploy_create(f->n, f->a,
                                    &(struct netlify_deploy_spec){ .title = "lockflight r1",
                                                                   .variables = &v,
                                                                   .n_variables = 1 },
                                    &d, &f->e),
              &f->e);
    assert_string_equal(d.id, "d1");
    assert_string_equal(d.permalink, "https://d1--studio.example");
}

static void a_lost_answer_to_create_is_unknown_and_the_title_finds_the_deploy(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "POST", .act = PEER_CLOSE },
         { "GET " PATH "/deploys?per_page=100 ",
           .body = "[{\"id\":\"d9\",\"state\":\"error\",\"title\":\"r1\"},{\"id\":\"d8\",\"state\":"
                   "\"new\",\"title\":\"r10\"}]",
           .headers = "Link: <" PATH "/deploys?page=2>; rel=\"next\"\r\n" },
         { "GET " PATH "/deploys?page=2 ",
           .body = "[{\"id\":\"d7\",\"state\":\"uploading\",\"title\":\"r1\"}]" });
    struct netlify_deploy d;
    assert_fails(netlify_deploy_create(f->n, f->a, &(struct netlify_deploy_spec){ .title = "r1" },
                                       &d, &f->e),
                 &f->e, ERR_UNKNOWN_OUTCOME);
    assert_ok(netlify_deploy_find(f->n, f->a, "r1", &d, &f->e), &f->e);
    assert_string_equal(d.id, "d7");
}

static void a_title_that_no_deploy_has_is_not_found_without_an_error(void **state)
{
    struct fixture *f = *state;
    TALK(f,
         { "GET", .body = "[]", .headers = "Link: <" PATH "/deploys?page=2>; rel=\"next\"\r\n" });
    struct netlify_deploy d;
    assert_ok(netlify_deploy_find(f->n, f->a, "r1", &d, &f->e), &f->e);
    assert_string_equal(d.id, "");
}

static void only_required_contents_are_uploaded_and_each_once(void **state)
{
    struct fixture *f = *state;
    TALK(f,
         { "PUT " PATH "/deploys/d1 ",
           "{\"files\":{\"a.txt\":\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\",\"b c.txt\":"
           "\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\",\"c.txt\":"
           "\"e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98\"},\"draft\":true,\"async\":false}",
           .body = "{\"id\":\"d1\",\"state\":\"uploading\",\"required\":["
                   "\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\","
                   "\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\"]}" },
         { "PUT /api/v1/deploys/d1/files/", "\r\nContent-Length: 1\r\n", .body = "{}" });
    const struct netlify_file files[] = {
        { .path = "/a.txt",
          .sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
          .bytes = 1,
          .content = STR("a") },
        { .path = "/b c.txt",
          .sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
          .bytes = 1,
          .content = STR("a") },
        { .path = "/c.txt",
          .sha1 = "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98",
          .bytes = 1,
          .content = STR("b") },
    };
    struct netlify_deploy d;
    assert_ok(netlify_deploy_sync(f->n, f->a, "d1", files, 3, &d, &f->e), &f->e);
    assert_int_equal(d.n_required, 2);
    const struct netlify_upload_spec spec = {
        "d1", files, 3, d.required, d.n_required, NULL, NULL
    };
    assert_ok(netlify_deploy_upload(f->n, &spec, &f->e), &f->e);
}

static void a_sync_answer_without_the_list_is_not_taken_for_an_empty_one(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "PUT", .body = "{\"id\":\"d1\",\"state\":\"uploading\"}" });
    const struct netlify_file file = { .path = "/a",
                                       .sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
                                       .content = STR("a") };
    struct netlify_deploy d;
    assert_fails(netlify_deploy_sync(f->n, f->a, "d1", &file, 1, &d, &f->e), &f->e, ERR_DATA);
}

static void the_host_may_not_ask_for_what_the_deploy_does_not_have(void **state)
{
    struct fixture *f = *state;
    talk(f, SITE, NULL, 0);
    const struct netlify_file file = { .path = "/a",
                                       .sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
                                       .content = STR("a") };
    const char *required[] = { "0000000000000000000000000000000000000000" };
    const struct netlify_upload_spec spec = { "d1", &file, 1, required, 1, NULL, NULL };
    assert_fails(netlify_deploy_upload(f->n, &spec, &f->e), &f->e, ERR_DATA);
}

static void waiting_goes_on_through_lost_polls_until_the_deploy_is_ready(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "GET", .body = "{\"id\":\"d1\",\"state\":\"uploaded\"}" }, { "GET", .status = 503 },
         { "GET", .body = "{\"id\":\"d1\",\"state\":\"something_new\"}" },
         { "GET",
           .body =
               "{\"id\":\"d1\",\"state\":\"ready\",\"links\":{\"permalink\":\"https://d1--x\"}}" });
    struct netlify_deploy d;
    assert_ok(netlify_deploy_wait(f->n, f->a, "d1", 0, &d, &f->e), &f->e);
    assert_string_equal(d.permalink, "https://d1--x");
}

static void a_deploy_that_fails_at_the_host_says_why(void **state)
{
    struct fixture *f = *state;
    TALK(f,
         { "GET", .body = "{\"id\":\"d1\",\"state\":\"error\",\"error_message\":\"no quota\"}" });
    struct netlify_deploy d;
    assert_fails(netlify_deploy_wait(f->n, f->a, "d1", 0, &d, &f->e), &f->e, ERR_REMOTE);
    assert_non_null(strstr(f->e.why, "no quota"));
}

static void restore_is_done_only_if_the_answer_shows_that_deploy(void **state)
{
    struct fixture *f = *state;
    TALK(f,
         { "POST " PATH "/deploys/d1/restore ", .status = 201,
           .body = "{\"id\":\"d1\",\"state\":\"ready\"}" },
         { "POST " PATH "/deploys/d1/restore ", .status = 201,
           .body = "{\"id\":\"d2\",\"state\":\"ready\"}" },
         { "POST " PATH "/deploys/d1/restore ", .status = 201, .body = "{}" });
    assert_ok(netlify_restore(f->n, f->a, "d1", &f->e), &f->e);
    assert_fails(netlify_restore(f->n, f->a, "d1", &f->e), &f->e, ERR_UNKNOWN_OUTCOME);
    assert_fails(netlify_restore(f->n, f->a, "d1", &f->e), &f->e, ERR_UNKNOWN_OUTCOME);
}

static void a_ready_deploy_is_never_cancelled(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "GET " PATH "/deploys/d1 ", .body = "{\"id\":\"d1\",\"state\":\"ready\"}" },
         { "GET " PATH "/deploys/d2 ", .body = "{\"id\":\"d2\",\"state\":\"uploading\"}" },
         { "POST /api/v1/deploys/d2/cancel ", "\r\nContent-Length: 0\r\n", .status = 201,
           .body = "{}" },
         { "GET " PATH "/deploys/d3 ", .status = 404 });
    assert_ok(netlify_deploy_cancel(f->n, f->a, "d1", &f->e), &f->e);
    assert_ok(netlify_deploy_cancel(f->n, f->a, "d2", &f->e), &f->e);
    assert_ok(netlify_deploy_cancel(f->n, f->a, "d3", &f->e), &f->e);
}

#define ENV_PATH "/api/v1/accounts/team/env"
#define ENV(name, secret, contexts)                                                                \
    "{\"key\":\"" name "\",\"scopes\":[\"builds\",\"post-processing\"],\"is_secret\":" secret      \
    ",\"values\":[" contexts "]}"
#define IN(context) "{\"id\":\"v1\",\"context\":\"" context "\",\"value\":\"\"}"
#define WITH_ACCOUNT                                                                               \
    {                                                                                              \
        "GET " PATH " ", .body = "{\"id\":\"" SITE "\",\"account_slug\":\"team\"}"                 \
    }

static void a_variable_is_created_or_replaced_and_a_secret_has_no_all_context(void **state)
{
    struct fixture *f = *state;
    TALK(f, WITH_ACCOUNT, { "GET " ENV_PATH "/A?site_id=" SITE " ", .status = 404 },
         { "POST " ENV_PATH "?site_id=" SITE " ", "\"context\":\"all\"", .status = 201,
           .body = "[" ENV("A", "false", IN("all")) "]" },
         { "GET " ENV_PATH "/A?site_id=" SITE " ", .body = "{}" },
         { "PUT " ENV_PATH "/A?site_id=" SITE " ",
           "[{\"context\":\"production\",\"value\":\"s3cret\"},{\"context\":\"deploy-preview\"",
           .body = ENV("A", "true",
                       IN("production") "," IN("deploy-preview") "," IN("branch-deploy")) },
         { "DELETE " ENV_PATH "/A?site_id=" SITE " ", .status = 404 });
    assert_ok(netlify_variable_set(f->n, f->a,
                                   &(struct netlify_variable){ .name = "A", .value = "v" }, &f->e),
              &f->e);
    assert_ok(netlify_variable_set(
                  f->n, f->a,
                  &(struct netlify_variable){ .name = "A", .value = "s3cret", .is_secret = true },
                  &f->e),
              &f->e);
    assert_ok(netlify_variable_delete(f->n, f->a, "A", &f->e), &f->e);
}

static void a_variable_is_believed_set_only_if_the_answer_shows_it(void **state)
{
    struct fixture *f = *state;
    TALK(f, WITH_ACCOUNT, { "GET", .body = "{}" }, { "PUT", .body = ENV("B", "false", IN("all")) },
         { "GET", .body = "{}" }, { "PUT", .body = ENV("A", "true", IN("all")) },
         { "GET", .body = "{}" }, { "PUT", .body = ENV("A", "false", IN("production")) });
    const struct netlify_env_value all = { .context = "all", .branch = "", .value = "v" };
    const struct netlify_env v = { .name = "A", .values = &all, .n_values = 1 };
    for (int i = 0; i < 3; i++)
        assert_fails(netlify_env_put(f->n, f->a, &v, &f->e), &f->e, ERR_UNKNOWN_OUTCOME);
    assert_non_null(strstr(f->e.why, "no value for context \"all\""));
}

static void variables_are_read_with_scopes_and_contexts_in_both_spellings(void **state)
{
    struct fixture *f = *state;
    TALK(f, WITH_ACCOUNT,
         { "GET " ENV_PATH "?site_id=" SITE " ",
           .body = "[" ENV("A", "false",
                           "{\"id\":\"1\",\"context\":\"branch\",\"context_parameter\":\"next\","
                           "\"value\":\"x\"}") "]" },
         { "GET " ENV_PATH "/A?site_id=" SITE " ",
           .body = "{\"key\":\"A\",\"scopes\":[\"rockets\"],\"values\":[]}" });
    struct netlify_env *all = NULL, one;
    size_t n = 0;
    assert_ok(netlify_envs(f->n, f->a, &all, &n, &f->e), &f->e);
    assert_int_equal(n, 1);
    assert_int_equal(all[0].scopes, NETLIFY_BUILDS | NETLIFY_POST_PROCESSING);
    assert_string_equal(all[0].values[0].branch, "next");
    assert_string_equal(all[0].values[0].value, "x");
    assert_fails(netlify_env_get(f->n, f->a, "A", &one, &f->e), &f->e, ERR_DATA);
    assert_non_null(strstr(f->e.why, "rockets"));
}

static void one_context_is_set_and_one_value_removed(void **state)
{
    struct fixture *f = *state;
    TALK(f, WITH_ACCOUNT,
         { "PATCH " ENV_PATH "/A?site_id=" SITE " ",
           "{\"context\":\"branch\",\"value\":\"v\",\"context_parameter\":\"next\"}", .status = 201,
           .body = ENV("A", "false", IN("branch")) },
         { "DELETE " ENV_PATH "/A/value/v%2F1?site_id=" SITE " ", .status = 204 });
    const struct netlify_env_value next = { .context = "branch", .branch = "next", .value = "v" };
    assert_ok(netlify_env_value_set(f->n, f->a, "A", &next, &f->e), &f->e);
    assert_ok(netlify_env_value_delete(f->n, f->a, "A", "v/1", &f->e), &f->e);
}

static void variables_the_host_would_refuse_are_refused_before_anything_is_sent(void **state)
{
    struct fixture *f = *state;
    talk(f, SITE, NULL, 0);
    const struct netlify_env_value all = { .context = "all", .branch = "", .value = "v" };
    const struct netlify_env_value nowhere = { .context = "branch", .branch = "", .value = "v" };
    const struct netlify_env refused[] = {
        { .name = "COMMIT_REF", .values = &all, .n_values = 1 },
        { .name = "INCOMING_HOOK_BODY", .values = &all, .n_values = 1 },
        { .name = "1A", .values = &all, .n_values = 1 },
        { .name = "A-B", .values = &all, .n_values = 1 },
        { .name = "A", .is_secret = true, .values = &all, .n_values = 1 },
        { .name = "A",
          .is_secret = true,
          .scopes = NETLIFY_POST_PROCESSING,
          .values = &nowhere,
          .n_values = 1 },
        { .name = "A", .values = &nowhere, .n_values = 1 },
        { .name = "A", .n_values = 0 },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_fails(netlify_env_put(f->n, f->a, &refused[i], &f->e), &f->e, ERR_CONFIG);
}

static void what_may_publish_besides_us_is_read_and_can_be_stopped(void **state)
{
    struct fixture *f = *state;
    const char *connected = "{\"id\":\"" SITE "\",\"prevent_non_git_prod_deploys\":true,"
                            "\"build_settings\":{\"repo_url\":\"https://git.example/a\","
                            "\"repo_branch\":\"main\",\"stop_builds\":false}}";
    const char *stopped = "{\"id\":\"" SITE "\",\"build_settings\":{\"repo_url\":\"r\"},"
                          "\"repo\":{\"stop_builds\":true}}";
    TALK(f, { "GET " PATH " ", .body = connected },
         { "PATCH " PATH " ",
           "{\"build_settings\":{\"stop_builds\":true},\"repo\":{\"stop_builds\":true}}",
           .body = stopped },
         { "GET " PATH " ", .body = stopped }, { "PATCH " PATH " ", .body = connected },
         { "GET " PATH " ", .body = connected });
    struct netlify_site site;
    assert_ok(netlify_site_get(f->n, f->a, &site, &f->e), &f->e);
    assert_string_equal(site.repository, "https://git.example/a");
    assert_string_equal(site.repository_branch, "main");
    assert_true(site.is_git_only);
    assert_false(site.is_build_stopped);
    assert_ok(netlify_site_stop_builds(f->n, f->a, true, &f->e), &f->e);
    assert_fails(netlify_site_stop_builds(f->n, f->a, true, &f->e), &f->e, ERR_REMOTE);
}

static void the_files_of_the_site_are_listed_with_their_digests(void **state)
{
    struct fixture *f = *state;
    TALK(f,
         { "GET " PATH "/files ",
           .body = "[{\"path\":\"/index.html\",\"sha\":\"abc\",\"size\":7}]" },
         { "GET " PATH "/files ", .body = "[{\"path\":\"/index.html\",\"sha\":\"abc\"}]" });
    struct netlify_site_file *files = NULL;
    size_t n = 0;
    assert_ok(netlify_site_files(f->n, f->a, &files, &n, &f->e), &f->e);
    assert_int_equal(n, 1);
    assert_int_equal(files[0].bytes, 7);
    assert_fails(netlify_site_files(f->n, f->a, &files, &n, &f->e), &f->e, ERR_DATA);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_site_says_what_is_live_and_whether_it_is_locked),
        T(a_site_without_a_live_deploy_has_an_empty_id),
        T(a_site_given_by_name_is_looked_up_once),
        T(a_deploy_is_created_hidden_with_title_and_variables),
        T(a_lost_answer_to_create_is_unknown_and_the_title_finds_the_deploy),
        T(a_title_that_no_deploy_has_is_not_found_without_an_error),
        T(only_required_contents_are_uploaded_and_each_once),
        T(a_sync_answer_without_the_list_is_not_taken_for_an_empty_one),
        T(the_host_may_not_ask_for_what_the_deploy_does_not_have),
        T(waiting_goes_on_through_lost_polls_until_the_deploy_is_ready),
        T(a_deploy_that_fails_at_the_host_says_why),
        T(restore_is_done_only_if_the_answer_shows_that_deploy),
        T(a_ready_deploy_is_never_cancelled),
        T(a_variable_is_believed_set_only_if_the_answer_shows_it),
        T(variables_are_read_with_scopes_and_contexts_in_both_spellings),
        T(one_context_is_set_and_one_value_removed),
        T(variables_the_host_would_refuse_are_refused_before_anything_is_sent),
        T(what_may_publish_besides_us_is_read_and_can_be_stopped),
        T(the_files_of_the_site_are_listed_with_their_digests),
        T(a_variable_is_created_or_replaced_and_a_secret_has_no_all_context),
    };
    return cmocka_run_group_tests_name("netlify", tests, NULL, NULL);
}
