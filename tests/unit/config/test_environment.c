/*
 * Environments: credentials, precedence, the local platform, and the vendors' files.
 */
#include "project.h"

#include "config/local_state.h"

static const char hosted[] =
    "[env.staging]\nnetlify = \"shop-staging\"\nsupabase = \"remote:staging\"\n";
static const char local[] = "[env.staging]\nplatform = \"local\"\n";

static void write_vendor_files(struct project *p)
{
    write_file(p, "netlify.toml",
               "[build]\nbase = \"web\"\ncommand = \"npm run build\"\npublish = \"dist\"\n"
               "[context.production]\ncommand = \"npm run build:prod\"\n"
               "[context.production.environment]\nMODE = \"live\"\n"
               "[[redirects]]\nfrom = \"/*\"\nto = \"/index.html\"\nstatus = 200\n"
               "[[headers]]\nfor = \"/*\"\n[headers.values]\nX-Q = 'say \"hi\"'\n");
    write_file(
        p, "supabase/config.toml",
        "project_id = \"shop\"\n[functions.hook]\nverify_jwt = true\n"
        "[functions.off]\nenabled = false\n"
        "[edge_runtime.secrets]\nSET = \"env(LF_TEST_SET)\"\nUNSET = \"env(LF_TEST_UNSET)\"\n"
        "[remotes.staging]\nproject_id = \"abcdefghijklmnopqrst\"\n"
        "[remotes.staging.functions.hook]\nverify_jwt = false\n");
    write_file(p, "supabase/functions/zeta/index.ts", "");
    write_file(p, "supabase/functions/hook/index.ts", "");
    write_file(p, "supabase/functions/_shared/index.ts", "");
    write_file(p, "supabase/functions/empty/readme.md", "");
}

static void netlify_toml_is_read_as_the_production_context(void **state)
{
    struct project *p = *state;
    write_vendor_files(p);
    write_project(p, "");
    assert_ok(load(p), &p->e);
    const struct netlify_config *n = &p->config.netlify;
    assert_string_equal(n->command, "npm run build:prod");
    assert_string_equal(n->publish, fs_join(p->arena, p->config.dir, "web/dist"));
    assert_string_equal(n->environment.v[0].value, "live");
    assert_string_equal(n->rules_toml, "[[redirects]]\n\"from\" = \"/*\"\n"
                                       "\"to\" = \"/index.html\"\n\"status\" = 200\n"
                                       "[[headers]]\n\"for\" = \"/*\"\n"
                                       "\"values\" = {\"X-Q\" = \"say \\\"hi\\\"\"}\n");
    assert_string_equal(config_where(&p->config, &n->command), "netlify.toml:6:11");
}

static void functions_are_what_is_declared_and_what_has_a_folder(void **state)
{
    struct project *p = *state;
    write_vendor_files(p);
    write_project(p, "");
    assert_ok(load(p), &p->e);
    const struct supabase_config *s = &p->config.supabase;
    assert_int_equal(s->functions_n, 3);
    assert_string_equal(s->functions[0].slug, "hook");
    assert_true(s->functions[0].verify_jwt && s->functions[0].verify_jwt_given);
    assert_string_equal(s->functions[1].slug, "off");
    assert_false(s->functions[1].is_enabled);
    assert_string_equal(s->functions[2].slug, "zeta");
    assert_true(s->functions[2].verify_jwt && !s->functions[2].verify_jwt_given);
}

static void a_missing_environment_variable_leaves_the_secret_out(void **state)
{
    struct project *p = *state;
    write_vendor_files(p);
    write_file(p, "supabase/.env", "# note\nexport LF_TEST_SET=\"from file\"\n");
    write_project(p, "");
    assert_ok(load(p), &p->e);
    assert_int_equal(p->config.supabase.secrets.n, 1);
    assert_string_equal(p->config.supabase.secrets.v[0].value, "from file");
}

static void a_remote_is_laid_over_for_its_environment(void **state)
{
    struct project *p = *state;
    struct environment env;
    write_vendor_files(p);
    write_project(p, hosted);
    (void)setenv("LOCKFLIGHT_STAGING_DATABASE_URL", "postgresql://u:p%40ss-word@db/x", 1);
    (void)setenv("LOCKFLIGHT_STAGING_NETLIFY_TOKEN", "nfp_own", 1);
    (void)setenv("NETLIFY_AUTH_TOKEN", "nfp_vendor", 1);
    (void)setenv("SUPABASE_ACCESS_TOKEN", "sbp_vendor", 1);
    assert_ok(load(p), &p->e);
    assert_ok(config_environment(&p->config, "staging", &env, &p->e), &p->e);
    assert_string_equal(env.supabase.ref, "abcdefghijklmnopqrst");
    assert_string_equal(env.supabase.url, "https://abcdefghijklmnopqrst.supabase.co");
    assert_string_equal(env.netlify.api, "https://api.netlify.com/api/v1");
    assert_string_equal(env.netlify.token, "nfp_own");
    assert_string_equal(env.supabase.token, "sbp_vendor");
    assert_string_equal(config_where(&p->config, &env.supabase.token),
                        "SUPABASE_ACCESS_TOKEN (environment)");
    assert_false(env.supabase_config.functions[0].verify_jwt);
    assert_true(p->config.supabase.functions[0].verify_jwt);
    (void)unsetenv("LOCKFLIGHT_STAGING_DATABASE_URL");
    (void)unsetenv("LOCKFLIGHT_STAGING_NETLIFY_TOKEN");
}

static void every_missing_credential_is_named_at_once(void **state)
{
    struct project *p = *state;
    struct environment env;
    write_vendor_files(p);
    write_project(p, hosted);
    assert_ok(load(p), &p->e);
    assert_fails(config_environment(&p->config, "staging", &env, &p->e), &p->e, ERR_AUTH);
    assert_string_equal(
        p->e.why, "staging needs credentials in the environment: LOCKFLIGHT_STAGING_DATABASE_URL, "
                  "LOCKFLIGHT_STAGING_NETLIFY_TOKEN (or NETLIFY_AUTH_TOKEN), "
                  "LOCKFLIGHT_STAGING_SUPABASE_TOKEN (or SUPABASE_ACCESS_TOKEN)");
    assert_string_equal(p->e.hint, "export LOCKFLIGHT_STAGING_DATABASE_URL=…");
}

static void who_speaks_to_the_database_only_needs_no_token(void **state)
{
    struct project *p = *state;
    struct environment env;
    write_vendor_files(p);
    write_project(p, hosted);
    assert_ok(load(p), &p->e);
    assert_fails(config_environment_database(&p->config, "staging", &env, &p->e), &p->e, ERR_AUTH);
    assert_string_equal(p->e.why, "staging needs credentials in the environment: "
                                  "LOCKFLIGHT_STAGING_DATABASE_URL");
    assert_int_equal(setenv("LOCKFLIGHT_STAGING_DATABASE_URL", "postgresql://h/db", 1), 0);
    assert_ok(config_environment_database(&p->config, "staging", &env, &p->e), &p->e);
    assert_string_equal(env.database_url, "postgresql://h/db");
    assert_string_equal(env.name, "staging");
    (void)unsetenv("LOCKFLIGHT_STAGING_DATABASE_URL");
}

static void an_unknown_environment_gets_the_nearest_name(void **state)
{
    struct project *p = *state;
    struct environment env;
    write_project(p, local);
    assert_ok(load(p), &p->e);
    assert_fails(config_environment(&p->config, "stagin", &env, &p->e), &p->e, ERR_USAGE);
    assert_non_null(strstr(p->e.why, "did you mean staging?"));
}

static void a_local_environment_without_a_platform_says_how_to_start_it(void **state)
{
    struct project *p = *state;
    struct environment env;
    write_project(p, local);
    assert_ok(load(p), &p->e);
    assert_fails(config_environment(&p->config, "staging", &env, &p->e), &p->e, ERR_BLOCKED);
    assert_string_equal(p->e.hint, "lockflight local up");
}

static void a_local_environment_takes_everything_from_the_platform(void **state)
{
    struct project *p = *state;
    struct environment env;
    struct local_environment one = {
        .name = "staging",
        .port = 4601,
        .url = "http://127.0.0.1:4601",
        .site_id = "site-1",
        .site_name = "shop-staging",
        .project_ref = "aaaaaaaaaaaaaaaaaaaa",
        .database = "postgresql://postgres:local-password@127.0.0.1:54620/shop_staging",
        .jwt_secret = "a-jwt-secret",
        .anon_key = "anon",
        .service_role_key = "service-role",
    };
    struct local_platform platform = {
        .project = "shop",
        .api = "http://127.0.0.1:4600",
        .netlify_api = "http://127.0.0.1:4600/api/v1",
        .supabase_api = "http://127.0.0.1:4600",
        .netlify_token = "nfp_local",
        .supabase_token = "sbp_local",
        .pg_socket_dir = "/tmp/x",
        .pg_port = 54620,
        .pid = 1,
        .environments = &one,
        .environments_n = 1,
    };
    write_project(p, local);
    (void)setenv("NETLIFY_AUTH_TOKEN", "nfp_of_the_hosted_account", 1);
    assert_ok(load(p), &p->e);
    char *dir = local_state_dir(p->arena, "shop", p->dir);
    assert_ok(fs_mkdirs(dir, 0700, &p->e), &p->e);
    assert_ok(local_platform_write(p->arena, dir, &platform, &p->e), &p->e);
    assert_ok(config_environment(&p->config, "staging", &env, &p->e), &p->e);
    assert_string_equal(env.netlify.token, "nfp_local");
    assert_string_equal(env.netlify.site, "site-1");
    assert_string_equal(env.supabase.ref, "aaaaaaaaaaaaaaaaaaaa");
    assert_string_equal(env.functions_url, "http://127.0.0.1:4601/functions/v1");
    assert_string_equal(env.database_url, one.database);
    assert_string_equal(env.supabase.anon_key, "anon");
    assert_string_equal(config_where(&p->config, &env.netlify.token), "local platform");
}

static void a_long_state_folder_keeps_its_sockets_elsewhere(void **state)
{
    struct project *p = *state;
    assert_string_equal(local_run_dir(p->arena, "/var/lib/lf"), "/var/lib/lf/run");
    char *run =
        local_run_dir(p->arena, "/a/very/long/folder/that/would/not/leave/room/for/a/socket/name");
    assert_true(strlen(run) < 60 && starts_with(run, "/tmp/lockflight-"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(netlify_toml_is_read_as_the_production_context,
                                        project_setup, project_teardown),
        cmocka_unit_test_setup_teardown(functions_are_what_is_declared_and_what_has_a_folder,
                                        project_setup, project_teardown),
        cmocka_unit_test_setup_teardown(a_missing_environment_variable_leaves_the_secret_out,
                                        project_setup, project_teardown),
        cmocka_unit_test_setup_teardown(a_remote_is_laid_over_for_its_environment, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(every_missing_credential_is_named_at_once, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(who_speaks_to_the_database_only_needs_no_token,
                                        project_setup, project_teardown),
        cmocka_unit_test_setup_teardown(an_unknown_environment_gets_the_nearest_name, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(a_local_environment_without_a_platform_says_how_to_start_it,
                                        project_setup, project_teardown),
        cmocka_unit_test_setup_teardown(a_local_environment_takes_everything_from_the_platform,
                                        project_setup, project_teardown),
        cmocka_unit_test_setup_teardown(a_long_state_folder_keeps_its_sockets_elsewhere,
                                        project_setup, project_teardown),
    };
    return cmocka_run_group_tests_name("environments", tests, NULL, NULL);
}
