/*
 * What a release may change about flags: the table, row by row, and what counts as "in use".
 */
#include "assert_ok.h"

#include "base/json.h"
#include "flag/definition.h"

#include <stdlib.h>

struct fixture {
    struct arena *arena;
    struct config_flag flag; /* as the file has it */
    struct flag_row row;     /* as the database has it */
    struct flag_schedule schedule;
    struct flag_manifest manifests[12];
    struct config_flags file;
    struct definition_database db;
    struct definition_plan plan;
    struct err e;
};

static struct text_pair colours[] = { { "red", "\"#f00\"" },
                                      { "blue", "\"#00f\"" },
                                      { "off", "\"\"" } };

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_new(0);
    f->flag = (struct config_flag){ .name = "colour",
                                    .description = "A colour",
                                    .owner = "design",
                                    .kind = "release",
                                    .exposure = "server",
                                    .type = "string",
                                    .variants = { colours, 3 },
                                    .off = "off" };
    f->row = (struct flag_row){ .key = "colour",
                                .value_type = "string",
                                .variants = "{\"red\":\"#f00\",\"blue\":\"#00f\",\"off\":\"\"}",
                                .off_variant = "off",
                                .exposure = "server",
                                .kind = "release",
                                .owner = "design",
                                .description = "A colour",
                                .requires = "[]",
                                .needs = "{}",
                                .created_by_release = "a1",
                                .is_enabled = true,
                                .default_variant = "off",
                                .version = 1 };
    f->file = (struct config_flags){ .file = "lockflight.flags.toml", .v = &f->flag, .n = 1 };
    f->db.rows = (struct flag_rows){ .v = &f->row, .n = 1 };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    free(f);
    return 0;
}

static void plan(struct fixture *f, enum flag_place place)
{
    assert_ok(definition_plan(f->arena, &f->file, &f->db, place, "there", &f->plan, &f->e), &f->e);
}

/* The moves of the only change, in the three places. */
static void assert_moves(struct fixture *f, enum definition_difference difference,
                         enum definition_move dev, enum definition_move staging,
                         enum definition_move production)
{
    const enum definition_move wanted[] = { dev, staging, production };
    for (int place = FLAG_PLACE_DEV; place <= FLAG_PLACE_PROTECTED; place++) {
        plan(f, (enum flag_place)place);
        assert_int_equal(f->plan.n, 1);
        assert_int_equal(f->plan.v[0].n, 1);
        assert_int_equal(f->plan.v[0].v[0].difference, difference);
        assert_int_equal(f->plan.v[0].v[0].move, wanted[place]);
    }
}

#define ASSERT_EVERYWHERE(difference, move) assert_moves(f, difference, move, move, move)

static void what_is_equal_is_left_alone(void **state)
{
    struct fixture *f = *state;
    plan(f, FLAG_PLACE_PROTECTED);
    assert_int_equal(f->plan.n, 0);
    assert_false(definition_has_work(&f->plan));
}

static void a_new_flag_is_created_with_its_first_variant_or_off(void **state)
{
    struct fixture *f = *state;
    f->db.rows.n = 0;
    ASSERT_EVERYWHERE(DIFFERENCE_NEW, DEFINE_CREATE);
    assert_string_equal(f->plan.v[0].initial, "off");
    f->flag.initial = (struct pair_array){ &(struct text_pair){ "there", "red" }, 1 };
    plan(f, FLAG_PLACE_STAGING);
    assert_string_equal(f->plan.v[0].initial, "red");
    assert_int_equal(f->plan.created, 1);
}

static void words_are_brought_up_to_date_everywhere(void **state)
{
    struct fixture *f = *state;
    f->flag.description = "The colour";
    f->flag.expires = "2027-06-01";
    f->flag.kind = "ops";
    ASSERT_EVERYWHERE(DIFFERENCE_WORDS, DEFINE_UPDATE);
    assert_string_equal(f->plan.v[0].v[0].text, "description, kind, expires");
}

static void requirements_and_needs_are_brought_up_to_date_everywhere(void **state)
{
    struct fixture *f = *state;
    struct config_flag_requires crm = { "crm", "on" };
    f->flag.requires.v = &crm;
    f->flag.requires.n = 1;
    ASSERT_EVERYWHERE(DIFFERENCE_LINKS, DEFINE_UPDATE);
    f->row.requires = "[{\"flag\":\"crm\",\"variant\":\"on\"}]";
    plan(f, FLAG_PLACE_DEV);
    assert_int_equal(f->plan.n, 0);
    f->flag.needs.functions = (struct text_array){ (const char *[]){ "whatsapp" }, 1 };
    plan(f, FLAG_PLACE_DEV);
    assert_string_equal(f->plan.v[0].v[0].text, "needs");
    f->row.needs = "{\"functions\":[\"whatsapp\"],\"release\":true}";
    plan(f, FLAG_PLACE_DEV);
    assert_int_equal(f->plan.n, 0);
}

static void a_flag_that_comes_back_loses_its_mark(void **state)
{
    struct fixture *f = *state;
    f->row.code_removed_unix_ms = 1;
    ASSERT_EVERYWHERE(DIFFERENCE_BACK, DEFINE_UPDATE);
}

static void a_flag_of_a_release_that_failed_belongs_to_the_next(void **state)
{
    struct fixture *f = *state;
    f->db.adrift = (struct text_array){ (const char *[]){ "colour" }, 1 };
    ASSERT_EVERYWHERE(DIFFERENCE_ADRIFT, DEFINE_UPDATE);
}

static void a_variant_is_added_everywhere(void **state)
{
    struct fixture *f = *state;
    f->row.variants = "{\"red\":\"#f00\",\"off\":\"\"}";
    ASSERT_EVERYWHERE(DIFFERENCE_VARIANT_ADDED, DEFINE_UPDATE);
    assert_string_equal(f->plan.v[0].v[0].text, "+ variant blue");
}

static void a_value_that_nobody_uses_may_change(void **state)
{
    struct fixture *f = *state;
    f->row.variants = "{\"red\":\"#e00\",\"blue\":\"#00f\",\"off\":\"\"}";
    ASSERT_EVERYWHERE(DIFFERENCE_VALUE_UNUSED, DEFINE_UPDATE);
}

static void a_value_in_use_changes_in_dev_only(void **state)
{
    struct fixture *f = *state;
    f->row.variants = "{\"red\":\"#e00\",\"blue\":\"#00f\",\"off\":\"\"}";
    f->row.default_variant = "red";
    assert_moves(f, DIFFERENCE_VALUE_USED, DEFINE_WARN, DEFINE_REFUSE, DEFINE_REFUSE);
    assert_string_equal(f->plan.v[0].v[0].text,
                        "variant red has another value, and its state serves it");
}

static void a_variant_that_nobody_uses_goes(void **state)
{
    struct fixture *f = *state;
    f->row.variants = "{\"red\":\"#f00\",\"blue\":\"#00f\",\"off\":\"\",\"green\":\"#0f0\"}";
    ASSERT_EVERYWHERE(DIFFERENCE_VARIANT_GONE, DEFINE_UPDATE);
}

static void a_variant_in_use_stays_in_dev_and_is_refused_elsewhere(void **state)
{
    struct fixture *f = *state;
    f->row.variants = "{\"red\":\"#f00\",\"blue\":\"#00f\",\"off\":\"\",\"green\":\"#0f0\"}";
    f->row.default_variant = "green";
    assert_moves(f, DIFFERENCE_VARIANT_GONE_USED, DEFINE_KEEP, DEFINE_REFUSE, DEFINE_REFUSE);
    plan(f, FLAG_PLACE_DEV);
    assert_false(definition_has_work(&f->plan)); /* nothing but what stays as it is */
    json_t *json = NULL;
    assert_ok(definition_json(&f->plan.v[0], NULL, &json, &f->e), &f->e);
    assert_string_equal(json_text_or(json_object_get(json, "variants"), "green", ""), "#0f0");
    json_decref(json);
}

static void another_type_is_another_flag(void **state)
{
    struct fixture *f = *state;
    f->flag.type = "boolean";
    ASSERT_EVERYWHERE(DIFFERENCE_TYPE, DEFINE_REFUSE);
    assert_int_equal(f->plan.refused, 1);
}

static void another_off_variant_is_confirmed_where_it_is_protected(void **state)
{
    struct fixture *f = *state;
    f->flag.off = "blue";
    assert_moves(f, DIFFERENCE_OFF, DEFINE_UPDATE, DEFINE_UPDATE, DEFINE_CONFIRM);
}

static void what_browsers_may_see_is_confirmed_where_it_counts(void **state)
{
    struct fixture *f = *state;
    f->flag.exposure = "client";
    assert_moves(f, DIFFERENCE_PUBLIC, DEFINE_UPDATE, DEFINE_CONFIRM, DEFINE_CONFIRM);
    f->flag.exposure = "server";
    f->row.exposure = "client";
    ASSERT_EVERYWHERE(DIFFERENCE_PRIVATE, DEFINE_WARN);
    f->row.exposure = "db";
    ASSERT_EVERYWHERE(DIFFERENCE_WORDS, DEFINE_UPDATE);
}

static void an_archived_flag_comes_back_as_it_was_and_is_said(void **state)
{
    struct fixture *f = *state;
    f->row.archived_unix_ms = 1;
    assert_moves(f, DIFFERENCE_ARCHIVED, DEFINE_WARN, DEFINE_WARN, DEFINE_CONFIRM);
}

static void a_flag_that_the_code_forgot_is_marked_and_one_made_by_hand_is_not(void **state)
{
    struct fixture *f = *state;
    f->file.n = 0;
    ASSERT_EVERYWHERE(DIFFERENCE_GONE, DEFINE_MARK_REMOVED);
    assert_false(definition_has_work(&f->plan)); /* the mark comes after the release is proved */
    f->row.code_removed_unix_ms = 1;
    plan(f, FLAG_PLACE_DEV);
    assert_int_equal(f->plan.n, 0);
    f->row.code_removed_unix_ms = 0;
    f->row.created_by_release = NULL;
    plan(f, FLAG_PLACE_DEV);
    assert_int_equal(f->plan.n, 0);
}

static const char *use(struct fixture *f, const char *variant)
{
    return definition_use(f->arena, &f->db, &f->row, variant);
}

static void a_variant_is_in_use_by_state_kill_rule_schedule_and_recent_deploys(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(use(f, "off"), "its state serves it");
    assert_null(use(f, "red"));
    f->row.targeting = "{\"if\":[{\"fractional\":[[\"red\",25],[\"off\",75]]},\"blueish\"]}";
    assert_string_equal(use(f, "red"), "its rule names it");
    assert_null(use(f, "blue"));
    f->row.targeting = NULL;
    f->row.default_variant = "red";
    f->row.is_killed = true;
    assert_string_equal(use(f, "off"), "it serves it while it is switched off");

    f->schedule = (struct flag_schedule){ .key = "colour",
                                          .run_at = "2027-01-01T00:00:00Z",
                                          .patch = "{\"default_variant\":\"blue\"}" };
    f->db.schedules = &f->schedule;
    f->db.schedules_n = 1;
    assert_string_equal(use(f, "blue"), "the schedule of 2027-01-01T00:00:00Z names it");
    f->schedule.key = "other";
    assert_null(use(f, "blue"));

    for (size_t i = 0; i < 12; i++)
        f->manifests[i] =
            (struct flag_manifest){ .deploy_id = "d", .flags = "{\"colour\":[\"red\"]}" };
    f->db.manifests = f->manifests;
    f->db.manifests_n = 12;
    f->manifests[10].flags = "{\"colour\":[\"blue\"]}";
    assert_null(use(f, "blue")); /* eleven deploys ago */
    f->manifests[9].flags = "{\"colour\":[\"blue\"]}";
    assert_non_null(strstr(use(f, "blue"), "one of the last 10"));
    f->manifests[0].flags = "{\"colour\":[\"blue\"]}";
    assert_string_equal(use(f, "blue"), "the code that is live knows it");
}

static void attributes_follow_the_file_and_segments_only_begin_with_it(void **state)
{
    struct fixture *f = *state;
    struct config_attribute wanted[] = { { "plan", "string", true }, { "seats", "number", false } };
    struct flag_attribute have[] = { { "plan", "string", false }, { "old", "string", false } };
    struct config_segment staff = { "staff", "{\"==\":[1,1]}" };
    f->file.attributes = wanted;
    f->file.attributes_n = 2;
    f->file.segments = &staff;
    f->file.segments_n = 1;
    f->db.attributes = have;
    f->db.attributes_n = 2;
    plan(f, FLAG_PLACE_PROTECTED);
    assert_int_equal(f->plan.extras_n, 4);
    assert_string_equal(f->plan.extras[0].attribute->name, "plan");
    assert_string_equal(f->plan.extras[1].attribute->name, "seats");
    assert_string_equal(f->plan.extras[2].gone, "old");
    assert_string_equal(f->plan.extras[3].segment->name, "staff");
    struct flag_segment there = { .name = "staff", .rule = "{\"==\":[1,2]}" };
    f->db.segments = &there;
    f->db.segments_n = 1;
    plan(f, FLAG_PLACE_PROTECTED);
    assert_int_equal(f->plan.extras_n, 3); /* another rule is the operators' */
}

static void a_definition_is_written_whole(void **state)
{
    struct fixture *f = *state;
    f->db.rows.n = 0;
    f->flag.needs.migrations = (struct text_array){ (const char *[]){ "2026" }, 1 };
    plan(f, FLAG_PLACE_DEV);
    json_t *json = NULL;
    assert_ok(definition_json(&f->plan.v[0], "c0ffee", &json, &f->e), &f->e);
    assert_string_equal(
        json_text(f->arena, json),
        "{\"code_rev\":\"c0ffee\",\"description\":\"A colour\",\"exposure\":\"server\",\"initial\":"
        "\"off\",\"key\":\"colour\",\"kind\":\"release\",\"needs\":{\"functions\":[],"
        "\"migrations\":"
        "[\"2026\"],\"release\":true},\"off\":\"off\",\"owner\":\"design\",\"requires\":[],"
        "\"variants\":{\"blue\":"
        "\"#00f\",\"off\":\"\",\"red\":\"#f00\"}}");
    json_decref(json);
}

static void an_environment_is_protected_by_what_it_requires(void **state)
{
    (void)state;
    struct config_env envs[] = { { .name = "dev" },
                                 { .name = "staging" },
                                 { .name = "production", .requires = "staging" },
                                 { .name = "eu", .requires = "staging" } };
    struct config c = { .envs = envs, .envs_n = 4 };
    assert_int_equal(definition_place(&c, &envs[0]), FLAG_PLACE_DEV);
    assert_int_equal(definition_place(&c, &envs[1]), FLAG_PLACE_STAGING);
    assert_int_equal(definition_place(&c, &envs[2]), FLAG_PLACE_PROTECTED);
    assert_int_equal(definition_place(&c, &envs[3]), FLAG_PLACE_PROTECTED);
    envs[2].requires = NULL;
    assert_int_equal(definition_place(&c, &envs[2]), FLAG_PLACE_PROTECTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_equal_is_left_alone),
        TEST(a_new_flag_is_created_with_its_first_variant_or_off),
        TEST(words_are_brought_up_to_date_everywhere),
        TEST(requirements_and_needs_are_brought_up_to_date_everywhere),
        TEST(a_flag_that_comes_back_loses_its_mark),
        TEST(a_flag_of_a_release_that_failed_belongs_to_the_next),
        TEST(a_variant_is_added_everywhere),
        TEST(a_value_that_nobody_uses_may_change),
        TEST(a_value_in_use_changes_in_dev_only),
        TEST(a_variant_that_nobody_uses_goes),
        TEST(a_variant_in_use_stays_in_dev_and_is_refused_elsewhere),
        TEST(another_type_is_another_flag),
        TEST(another_off_variant_is_confirmed_where_it_is_protected),
        TEST(what_browsers_may_see_is_confirmed_where_it_counts),
        TEST(an_archived_flag_comes_back_as_it_was_and_is_said),
        TEST(a_flag_that_the_code_forgot_is_marked_and_one_made_by_hand_is_not),
        TEST(a_variant_is_in_use_by_state_kill_rule_schedule_and_recent_deploys),
        TEST(attributes_follow_the_file_and_segments_only_begin_with_it),
        TEST(a_definition_is_written_whole),
        TEST(an_environment_is_protected_by_what_it_requires),
    };
    return cmocka_run_group_tests_name("definition", tests, NULL, NULL);
}
