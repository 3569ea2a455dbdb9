/*
 * Making projects and sites: the two clients' account calls against a scripted peer.
 */
#include "assert_ok.h"

#include "fake/peer.h"
#include "provider/netlify.h"
#include "provider/supabase.h"

#include <string.h>

#define REF "abcdefghijklmnopqrst"
#define PROJECT(name, status)                                                                      \
    "{\"id\":\"" REF "\",\"ref\":\"" REF "\",\"name\":\"" name                                     \
    "\",\"organization_slug\":\"acme\","                                                           \
    "\"region\":\"eu-central-1\",\"created_at\":\"2026-01-01T00:00:00Z\",\"status\":\"" status     \
    "\"}"
#define HEALTHY                                                                                    \
    "[{\"name\":\"db\",\"healthy\":true,\"status\":\"ACTIVE_HEALTHY\"},"                           \
    "{\"name\":\"rest\",\"healthy\":true,\"status\":\"ACTIVE_HEALTHY\"}]"
#define COMING_UP                                                                                  \
    "[{\"name\":\"db\",\"healthy\":true,\"status\":\"ACTIVE_HEALTHY\"},"                           \
    "{\"name\":\"rest\",\"healthy\":false,\"status\":\"COMING_UP\"}]"

struct fixture {
    struct arena *a;
    struct supabase *s;
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
    supabase_close(f->s);
    netlify_close(f->n);
    if (f->p)
        peer_stop(f->p);
    arena_free(f->a);
    test_free(f);
    return 0;
}

static void talk(struct fixture *f, const struct peer_step *steps, size_t n)
{
    f->p = peer_start(steps, n);
    const struct supabase_spec supabase = { .api = peer_url(f->p), .token = "sbp_token" };
    const struct netlify_spec netlify = { .api = arena_printf(f->a, "%s/api/v1", peer_url(f->p)),
                                          .token = "nfp_token" };
    assert_ok(supabase_open(&supabase, &f->s, &f->e), &f->e);
    assert_ok(netlify_open(&netlify, &f->n, &f->e), &f->e);
    http_set_waiter(supabase_http(f->s), no_wait, NULL);
    http_set_waiter(netlify_http(f->n), no_wait, NULL);
}

#define TALK(f, ...)                                                                               \
    talk(f, (const struct peer_step[]){ __VA_ARGS__ },                                             \
         sizeof((const struct peer_step[]){ __VA_ARGS__ }) / sizeof(struct peer_step))

static const struct supabase_project_spec shop = {
    .organization = "acme",
    .name = "shop-staging",
    .region = "eu-central-1",
    .password = "hunter2hunter2",
};

/* ---- Supabase -------------------------------------------------------------------------------- */

static void a_project_is_asked_for_with_what_the_vendor_requires(void **state)
{
    struct fixture *f = *state;
    TALK(f,
         { "GET /v1/organizations ", .body = "[{\"id\":\"1\",\"slug\":\"acme\",\"name\":\"A\"}]" },
         { "POST /v1/projects ",
           "{\"name\":\"shop-staging\",\"organization_slug\":\"acme\",\"region\":\"eu-central-1\","
           "\"db_pass\":\"hunter2hunter2\"}",
           .status = 201, .body = PROJECT("shop-staging", "COMING_UP") },
         { "GET /v1/projects ", .body = "[" PROJECT("shop-staging", "COMING_UP") "]" });
    struct supabase_organization *all = NULL;
    size_t n = 0;
    assert_ok(supabase_organizations(f->s, f->a, &all, &n, &f->e), &f->e);
    assert_int_equal(n, 1);
    assert_string_equal(all[0].slug, "acme");
    struct supabase_project made;
    assert_ok(supabase_project_create(f->s, f->a, &shop, &made, &f->e), &f->e);
    assert_string_equal(made.ref, REF);
    assert_string_equal(made.status, "COMING_UP");
}

static void a_lost_answer_to_making_a_project_is_unknown_and_its_name_is_found(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "POST /v1/projects ", .act = PEER_CLOSE },
         { "GET /v1/projects ", .body = "[" PROJECT("shop-staging", "ACTIVE_HEALTHY") "]" });
    struct supabase_project made, *all = NULL;
    size_t n = 0;
    assert_fails(supabase_project_create(f->s, f->a, &shop, &made, &f->e), &f->e,
                 ERR_UNKNOWN_OUTCOME);
    assert_ok(supabase_projects(f->s, f->a, &all, &n, &f->e), &f->e);
    assert_int_equal(n, 1);
    assert_string_equal(all[0].name, "shop-staging");
    assert_string_equal(all[0].organization, "acme");
}

static void an_answer_that_shows_another_project_is_not_believed(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "POST /v1/projects ", .status = 201, .body = PROJECT("other", "COMING_UP") },
         { "POST /v1/projects ", .status = 201, .body = "{\"name\":\"shop-staging\"}" });
    struct supabase_project made;
    for (int i = 0; i < 2; i++)
        assert_fails(supabase_project_create(f->s, f->a, &shop, &made, &f->e), &f->e,
                     ERR_UNKNOWN_OUTCOME);
}

static void a_plan_that_is_full_is_a_limit_and_the_password_is_in_no_error(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "POST /v1/projects ", .status = 402,
              .body = "{\"message\":\"2 projects allowed (hunter2hunter2)\"}" });
    struct supabase_project made;
    assert_fails(supabase_project_create(f->s, f->a, &shop, &made, &f->e), &f->e, ERR_LIMIT);
    assert_null(strstr(f->e.why, "hunter2"));
    assert_non_null(strstr(f->e.why, "2 projects allowed"));
}

static void waiting_for_a_project_ends_when_database_and_data_api_answer(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "GET /v1/projects/" REF " ", .body = PROJECT("s", "COMING_UP") },
         { "GET /v1/projects/" REF " ", .act = PEER_CLOSE },
         { "GET /v1/projects/" REF " ", .body = PROJECT("s", "ACTIVE_HEALTHY") },
         { "GET /v1/projects/" REF "/health?services=db&services=rest ", .body = COMING_UP },
         { "GET /v1/projects/" REF " ", .body = PROJECT("s", "ACTIVE_HEALTHY") },
         { "GET /v1/projects/" REF "/health?services=db&services=rest ", .body = HEALTHY },
         { "GET /v1/projects/" REF " ", .body = PROJECT("s", "ACTIVE_HEALTHY") });
    struct supabase_project up;
    assert_ok(supabase_use_project(f->s, REF, &f->e), &f->e);
    assert_ok(supabase_project_wait(f->s, f->a, 60000, &up, &f->e), &f->e);
    assert_string_equal(up.status, "ACTIVE_HEALTHY");
}

static void a_project_that_cannot_come_up_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "GET /v1/projects/" REF " ", .body = PROJECT("s", "INIT_FAILED") });
    struct supabase_project up;
    assert_ok(supabase_use_project(f->s, REF, &f->e), &f->e);
    assert_fails(supabase_project_wait(f->s, f->a, 60000, &up, &f->e), &f->e, ERR_REMOTE);
    assert_non_null(strstr(f->e.why, "INIT_FAILED"));
}

static void a_removed_project_is_not_found_and_removing_it_again_is_success(void **state)
{
    struct fixture *f = *state;
    const char *removed = "{\"message\":\"Resource has been removed\"}";
    TALK(
        f,
        { "DELETE /v1/projects/" REF " ", .body = "{\"id\":1,\"ref\":\"" REF "\",\"name\":\"s\"}" },
        { "DELETE /v1/projects/" REF " ", .status = 400, .body = removed },
        { "DELETE /v1/projects/" REF " ", .status = 404 },
        { "GET /v1/projects/" REF " ", .status = 400, .body = removed });
    for (int i = 0; i < 3; i++)
        assert_ok(supabase_project_delete(f->s, f->a, REF, &f->e), &f->e);
    struct supabase_project seen;
    assert_ok(supabase_use_project(f->s, REF, &f->e), &f->e);
    assert_fails(supabase_project(f->s, f->a, &seen, &f->e), &f->e, ERR_NOT_FOUND);
}

static void the_pooler_is_addressed_where_it_keeps_sessions(void **state)
{
    struct fixture *f = *state;
    TALK(f,
         { "GET /v1/projects/" REF "/config/database/pooler ",
           .body = "[{\"database_type\":\"READ_REPLICA\"},{\"database_type\":\"PRIMARY\","
                   "\"db_user\":\"postgres." REF "\",\"db_host\":\"pooler.example\","
                   "\"db_port\":6543,\"db_name\":\"postgres\"}]" },
         { "GET /v1/projects/" REF "/config/database/pooler ",
           .body = "[{\"db_user\":\"u\",\"db_host\":\"h\",\"db_name\":\"d\",\"db_port\":\"x\"}]" });
    struct supabase_pooler pooler;
    assert_ok(supabase_use_project(f->s, REF, &f->e), &f->e);
    assert_ok(supabase_pooler(f->s, f->a, &pooler, &f->e), &f->e);
    assert_string_equal(supabase_pooler_url(f->a, &pooler, "p@ss/word"),
                        "postgresql://postgres." REF ":p%40ss%2Fword@pooler.example:5432/postgres");
    assert_fails(supabase_pooler(f->s, f->a, &pooler, &f->e), &f->e, ERR_DATA);
}

/* ---- Netlify --------------------------------------------------------------------------------- */

static void a_site_is_made_in_a_team_and_found_by_its_whole_name(void **state)
{
    struct fixture *f = *state;
    TALK(f,
         { "GET /api/v1/accounts ", .body = "[{\"id\":\"1\",\"slug\":\"acme\",\"name\":\"A\"}]" },
         { "POST /api/v1/acme/sites ", "{\"name\":\"shop\"}", .status = 201,
           .body = "{\"id\":\"s1\",\"name\":\"shop\"}" },
         { "GET /api/v1/sites?name=shop&",
           .body = "[{\"id\":\"s0\",\"name\":\"shop-old\"},{\"id\":\"s1\",\"name\":\"shop\"}]" },
         { "GET /api/v1/sites?name=sho&", .body = "[{\"id\":\"s1\",\"name\":\"shop\"}]" });
    struct netlify_account *teams = NULL;
    struct netlify_site site;
    size_t n = 0;
    assert_ok(netlify_accounts(f->n, f->a, &teams, &n, &f->e), &f->e);
    assert_int_equal(n, 1);
    assert_ok(netlify_site_create(f->n, f->a, teams[0].slug, "shop", &site, &f->e), &f->e);
    assert_string_equal(site.id, "s1");
    assert_ok(netlify_site_find(f->n, f->a, "shop", &site, &f->e), &f->e);
    assert_string_equal(site.id, "s1");
    assert_ok(netlify_site_find(f->n, f->a, "sho", &site, &f->e), &f->e);
    assert_string_equal(site.id, "");
}

static void a_taken_name_is_a_conflict_and_another_name_is_not_believed(void **state)
{
    struct fixture *f = *state;
    TALK(
        f, { "POST /api/v1/sites ", .status = 422, .body = "{\"code\":422,\"message\":\"taken\"}" },
        { "POST /api/v1/sites ", .status = 201, .body = "{\"id\":\"s1\",\"name\":\"quiet-fox\"}" });
    struct netlify_site site;
    assert_fails(netlify_site_create(f->n, f->a, NULL, "shop", &site, &f->e), &f->e, ERR_CONFLICT);
    assert_fails(netlify_site_create(f->n, f->a, NULL, "shop", &site, &f->e), &f->e,
                 ERR_UNKNOWN_OUTCOME);
}

static void removing_a_site_twice_is_success(void **state)
{
    struct fixture *f = *state;
    TALK(f, { "DELETE /api/v1/sites/s1 ", .status = 204 },
         { "DELETE /api/v1/sites/s1 ", .status = 404 });
    for (int i = 0; i < 2; i++)
        assert_ok(netlify_site_delete(f->n, f->a, "s1", &f->e), &f->e);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_project_is_asked_for_with_what_the_vendor_requires),
        T(a_lost_answer_to_making_a_project_is_unknown_and_its_name_is_found),
        T(an_answer_that_shows_another_project_is_not_believed),
        T(a_plan_that_is_full_is_a_limit_and_the_password_is_in_no_error),
        T(waiting_for_a_project_ends_when_database_and_data_api_answer),
        T(a_project_that_cannot_come_up_is_not_waited_for),
        T(a_removed_project_is_not_found_and_removing_it_again_is_success),
        T(the_pooler_is_addressed_where_it_keeps_sessions),
        T(a_site_is_made_in_a_team_and_found_by_its_whole_name),
        T(a_taken_name_is_a_conflict_and_another_name_is_not_believed),
        T(removing_a_site_twice_is_success),
    };
    return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
