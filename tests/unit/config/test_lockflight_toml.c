/*
 * lockflight.toml: what is read, where it came from, and where each error points.
 */
#include "project.h"

static void a_project_is_read_with_its_defaults(void **state)
{
    struct project *p = *state;
    write_project(p, "");
    assert_ok(load(p), &p->e);
    assert_string_equal(p->config.project, "shop");
    assert_int_equal(p->config.artefact, ARTEFACT_SAME);
    assert_int_equal(p->config.local_port, 4600);
    assert_int_equal(p->config.schema.lock_timeout_ms, 250);
    assert_string_equal(p->config.paths.reverse,
                        fs_join(p->arena, p->config.dir, "supabase/rollbacks"));
}

static void a_lock_timeout_that_starves_or_stalls_is_refused_with_its_place(void **state)
{
    struct project *p = *state;
    write_project(p, "[schema]\nlock_timeout = \"100ms\"\nlock_wait = \"2m\"\n");
    assert_ok(load(p), &p->e);
    assert_int_equal(p->config.schema.lock_timeout_ms, 100);
    assert_int_equal(p->config.schema.lock_wait_ms, 120000);
    write_project(p, "[schema]\nlock_timeout = \"10ms\"\n");
    assert_fails(load(p), &p->e, ERR_CONFIG);
    assert_non_null(strstr(p->e.where, "lockflight.toml:"));
    write_project(p, "[schema]\nlock_timeout = \"1m\"\n");
    assert_fails(load(p), &p->e, ERR_CONFIG);
    assert_non_null(strstr(p->e.hint, "schema.lock_wait"));
}

static void an_environment_keeps_its_checks_and_watch(void **state)
{
    struct project *p = *state;
    write_project(p, "[env.staging]\nplatform = \"local\"\nchecks = { backend = [\"h\"] }\n"
                     "watch = { site = \"10m\", max_error = \"0.5%\", min_requests = 50 }\n"
                     "[check.h]\nurl = \"{functions}/health\"\n"
                     "expect = { json = { ok = true } }\n");
    assert_ok(load(p), &p->e);
    const struct config_env *env = config_env_find(&p->config, "staging");
    assert_int_equal(env->platform, PLATFORM_LOCAL);
    assert_string_equal(env->checks.backend.v[0], "h");
    assert_int_equal(env->watch.site_ms, 600000);
    assert_int_equal(env->watch.backend_ms, 0);
    assert_true(env->watch.max_error > 0.0049 && env->watch.max_error < 0.0051);
    assert_string_equal(p->config.checks[0].expect.json, "{\"ok\":true}");
    assert_int_equal(p->config.checks[0].expect.status, 200);
}

static void every_value_knows_where_it_came_from(void **state)
{
    struct project *p = *state;
    write_project(p, "[env.staging]\nwatch = { site = \"10m\" }\n");
    assert_ok(load(p), &p->e);
    const struct config_env *env = config_env_find(&p->config, "staging");
    assert_string_equal(config_where(&p->config, &p->config.project), "lockflight.toml:2:11");
    assert_string_equal(config_where(&p->config, &env->watch.site_ms), "lockflight.toml:4:18");
    assert_string_equal(config_where(&p->config, &env->watch.backend_ms), "default");
}

struct refusal {
    const char *text;
    const char *where;
    const char *why;
};

// clang-format off
static const struct refusal refusals[] = {
    { "artefect = \"same\"\n", "lockflight.toml:3:1", "did you mean \"artefact\"" },
    { "[env.staging]\nplatfrom = \"local\"\n", "lockflight.toml:4:1", "unknown key \"platfrom\" in [env.staging]; did you mean \"platform\"" },
    { "[env.staging]\nwatch = { site = \"10m\", sit = \"1m\" }\n", "lockflight.toml:4:25", "unknown key \"sit\"" },
    { "[env.staging]\nplatform = \"cloud\"\n", "lockflight.toml:4:12", "must be \"hosted\" or \"local\", not \"cloud\"" },
    { "[env.staging]\nwatch = { site = 10 }\n", "lockflight.toml:4:18", "env.staging.watch.site must be a time" },
    { "[env.staging]\nwatch = { max_error = \"5\" }\n", "lockflight.toml:4:23", "must be a share" },
    { "[local]\nport = \"4600\"\n", "lockflight.toml:4:8", "whole number" },
    { "[local]\nport = 80\n", "lockflight.toml:4:8", "1024 to 65000" },
    { "[env.staging]\napprove = \"ana\"\n", "lockflight.toml:4:1", "env.staging.approve is not supported yet" },
    { "[env.staging]\nsoak = \"2h\"\n", "lockflight.toml:4:8", "requires no environment to rest in" },
    { "[freeze.weekend]\nwhen = \"Fri\"\n", "lockflight.toml:3:2", "freeze is not supported yet" },
    { "[env.production]\n", "lockflight.toml:3:6", "does not say which environment must prove" },
    { "[env.a]\nrequires = \"b\"\n[env.b]\nrequires = \"a\"\n", "lockflight.toml:4:12", "requires itself" },
    { "[env.a]\nrequires = \"z\"\n", "lockflight.toml:4:12", "\"z\", which is not declared" },
    { "[env.a]\nsupabase = \"abc\"\n[env.b]\nsupabase = \"abc\"\n", "lockflight.toml:6:12", "a and b have the same Supabase project abc" },
    { "[env.a]\nnetlify = \"s\"\n[env.b]\nnetlify = { site = \"s\" }\n", "lockflight.toml:6:20", "same Netlify site" },
    { "[env.a]\nsupabase = \"remote:x\"\n", "lockflight.toml:4:12", "no [remotes.x]" },
    { "[env.a]\ndatabase = \"postgresql://u:secret@h/d\"\n", "lockflight.toml:4:12", "holds a password" },
    { "[env.a]\ndatabase = \"mysql://h\"\n", "lockflight.toml:4:12", "must be a postgresql:// URL" },
    { "[env.a]\nchecks = { site = [\"home\", \"hone\"] }\n[check.home]\nurl = \"{site}/\"\n", "lockflight.toml:4:28", "there is no [check.hone]" },
    { "[check.c]\nurl = \"{site}/\"\nrun = \"true\"\n", "lockflight.toml:3:8", "either url or run" },
    { "[check.c]\nurl = \"{sight}/\"\n", "lockflight.toml:4:7", "{sight} is not known" },
    { "[check.c]\nurl = \"/\"\n", "lockflight.toml:4:7", "must begin with {site}" },
    { "[var.A]\nto = [\"supabase\"]\nvalue = \"1\"\nfrom = { s = \"env:X\" }\n[env.s]\n", "lockflight.toml:5:9", "two sources" },
    { "[var.A]\nvalue = \"1\"\n", "lockflight.toml:3:6", "does not say where it goes" },
    { "[var.A]\nto = [\"moon\"]\nvalue = \"1\"\n", "lockflight.toml:4:7", "a list of \"supabase\"" },
    { "[var.A]\nto = [\"supabase\"]\nsecret = true\nfrom = { s = \"hunter2\" }\n[env.s]\n", "lockflight.toml:6:14", "stands in the file" },
    { "[var.A]\nto = [\"runtime\"]\nsecret = true\nfrom = { s = \"env:X\" }\n[env.s]\n", "lockflight.toml:3:6", "would be published" },
    { "[var.VITE_A]\nto = [\"netlify:build\"]\nvalue = \"{supabase_url}\"\n", "lockflight.toml:3:6", "baked into the site" },
    { "[var.SUPABASE_A]\nto = [\"supabase\"]\nvalue = \"1\"\n", "lockflight.toml:3:6", "keeps names" },
    { "[var.A]\nto = [\"supabase\"]\nfrom = { nowhere = \"env:X\" }\n", "lockflight.toml:5:10", "\"nowhere\", which is not declared" },
    { "x = [\n", "lockflight.toml:3:7", "" },
    { "project = \"again\"\n", "lockflight.toml:3:11", "" },
};
// clang-format on

static void each_mistake_is_refused_at_its_place(void **state)
{
    struct project *p = *state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        write_project(p, refusals[i].text);
        assert_refused(p, refusals[i].where, refusals[i].why);
    }
}

static void a_key_that_begins_with_x_is_a_note(void **state)
{
    struct project *p = *state;
    write_project(p, "x-owner = \"ana\"\n[env.staging]\nx-soak = \"2h\"\n");
    assert_ok(load(p), &p->e);
}

static void production_may_say_that_it_requires_nothing(void **state)
{
    struct project *p = *state;
    write_project(p, "[env.production]\nrequires = \"none\"\n");
    assert_ok(load(p), &p->e);
    assert_true(p->config.envs[0].requires_none);
    assert_null(p->config.envs[0].requires);
}

static void a_newer_version_is_refused(void **state)
{
    struct project *p = *state;
    write_file(p, "lockflight.toml", "version = 2\nproject = \"a\"\n");
    assert_refused(p, "lockflight.toml:1:11", "version 2 is not known");
}

static void baked_values_are_allowed_when_every_environment_is_built(void **state)
{
    struct project *p = *state;
    write_project(p, "artefact = \"rebuild\"\n[var.VITE_A]\nto = [\"netlify:build\"]\n"
                     "value = \"{supabase_url}\"\n");
    assert_ok(load(p), &p->e);
}

static void the_file_is_found_from_a_folder_below_but_not_above_the_repository(void **state)
{
    struct project *p = *state;
    write_project(p, "");
    write_file(p, "inner/.git/HEAD", "");
    write_file(p, "apps/web/index.html", "");
    write_file(p, ".git/HEAD", "");
    char *before = fs_real_path(p->arena, ".");
    assert_int_equal(chdir(fs_join(p->arena, p->dir, "apps/web")), 0);
    assert_string_equal(config_find(p->arena, NULL), fs_join(p->arena, p->dir, "lockflight.toml"));
    assert_int_equal(chdir(fs_join(p->arena, p->dir, "inner")), 0);
    assert_null(config_find(p->arena, NULL));
    assert_int_equal(chdir(before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_project_is_read_with_its_defaults, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(
            a_lock_timeout_that_starves_or_stalls_is_refused_with_its_place, project_setup,
            project_teardown),
        cmocka_unit_test_setup_teardown(an_environment_keeps_its_checks_and_watch, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(every_value_knows_where_it_came_from, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(each_mistake_is_refused_at_its_place, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(a_key_that_begins_with_x_is_a_note, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(production_may_say_that_it_requires_nothing, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(a_newer_version_is_refused, project_setup,
                                        project_teardown),
        cmocka_unit_test_setup_teardown(baked_values_are_allowed_when_every_environment_is_built,
                                        project_setup, project_teardown),
        cmocka_unit_test_setup_teardown(
            the_file_is_found_from_a_folder_below_but_not_above_the_repository, project_setup,
            project_teardown),
    };
    return cmocka_run_group_tests_name("lockflight.toml", tests, NULL, NULL);
}
