/* The flag store on a real server: who may write what, what is remembered, what is refused. */
#include "base/limits.h"
#include "flag/store_fixture.h"

#include <string.h>

/* ---- definitions ---- */

static void a_new_flag_is_off_unless_its_definition_says_otherwise(void **state)
{
    struct fixture *f = *state;
    struct flag_row financial = get(f, "financial");
    assert_string_equal(financial.default_variant, "off");
    assert_true(financial.serves_off_to_all);
    assert_int_equal(financial.version, 1);
    assert_string_equal(financial.value_type, "boolean");
    assert_string_equal(financial.expires_on, "2027-06-01");
    assert_string_equal(financial.missing, "[]");
    struct flag_row crm = get(f, "crm");
    assert_string_equal(crm.default_variant, "on");
    assert_string_equal(crm.owner, "sales");
    assert_false(crm.serves_off_to_all);
}

static void a_second_definition_changes_no_state_and_nothing_if_it_is_equal(void **state)
{
    struct fixture *f = *state;
    assert_ok(set(f, "financial", 1, "{'default_variant':'on'}"), &f->e);
    const char *before = ask(f, "SELECT lockflight.flag_version()");
    assert_ok(define(f, "{'key':'financial','exposure':'db','expires':'2027-06-01'}", NULL), &f->e);
    assert_string_equal(ask(f, "SELECT lockflight.flag_version()"), before);
    assert_ok(define(f, "{'key':'financial','exposure':'db','initial':'off','owner':'x'}", NULL),
              &f->e);
    assert_string_equal(get(f, "financial").default_variant, "on");
    assert_string_equal(get(f, "financial").owner, "x");
    assert_null(get(f, "financial").expires_on);
    assert_string_equal(ask(f, "SELECT new->>'owner' || action FROM lockflight.flag_audit"
                               " ORDER BY seq DESC LIMIT 1"),
                        "xdefine");
}

static void a_definition_that_breaks_the_state_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *definition;
        enum err_code code;
        const char *says;
    } cases[] = {
        { "{'key':'crm','variants':{'on':'yes','off':'no'}}", ERR_BLOCKED, "cannot become string" },
        { "{'key':'crm','variants':{'new':true,'off':false}}", ERR_BLOCKED, "its state uses it" },
        { "{'key':'crm','variants':{'on':true,'off':'no'}}", ERR_DATA, "boolean and string" },
        { "{'key':'crm','off':'gone'}", ERR_DATA, "\"gone\" is not among its variants" },
        { "{'key':'crm','colour':'red'}", ERR_DATA, "no field \"colour\"" },
        { "{'key':'1crm'}", ERR_DATA, "a key is a letter" },
        { "{'key':'crm','needs':{'tables':[]}}", ERR_DATA, "needs has lists" },
        { "{'key':'crm','requires':[{'flag':'nope','variant':'on'}]}", ERR_DATA, "\"nope\"" },
        { "{'key':'crm','requires':[{'flag':'financial','variant':'maybe'}]}", ERR_DATA,
          "has no such variant" },
        { "{'key':'crm','requires':[{'flag':'crm','variant':'on'}]}", ERR_DATA, "crm → crm" },
        { "[{'key':'a','requires':[{'flag':'b','variant':'on'}]},"
          " {'key':'b','requires':[{'flag':'a','variant':'on'}]}]",
          ERR_DATA, "in a circle" },
        { "{'key':'new','initial':'maybe'}", ERR_DATA, "initial variant \"maybe\"" },
        { "{'key':'crm','expires':'2027-02-30'}", ERR_DATA, "2027-02-30" },
        { "{'key':'crm','exposure':'moon'}", ERR_DATA, "flag_exposure_check" },
    };
    const char *before = ask(f, "SELECT max(seq) FROM lockflight.flag_audit");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(define(f, cases[i].definition, NULL), &f->e, cases[i].code);
        if (!strstr(f->e.why, cases[i].says))
            fail_msg("%s: %s, not %s", cases[i].definition, f->e.why, cases[i].says);
    }
    assert_string_equal(ask(f, "SELECT max(seq) FROM lockflight.flag_audit"), before);
}

static void a_variant_that_a_rule_a_schedule_or_another_flag_uses_cannot_go(void **state)
{
    struct fixture *f = *state;
    assert_ok(define(f, "{'key':'c','variants':{'a':'1','b':'2','d':'3','off':'0'}}", NULL), &f->e);
    assert_ok(define(f, "{'key':'e','requires':[{'flag':'c','variant':'d'}]}", NULL), &f->e);
    assert_ok(set(f, "c", 1, "{'targeting':{'fractional':[['a',1],['off',1]]}}"), &f->e);
    json_auto_t *p = json_of(f, "{'default_variant':'b'}");
    int64_t id;
    assert_ok(flag_store_schedule_add(f->db, "c", 1900000000000, p, &ana, &id, &f->e), &f->e);
    static const struct {
        const char *variants;
        const char *says;
    } cases[] = {
        { "{'b':'2','d':'3','off':'0'}", "\"a\" cannot go, its rule uses it" },
        { "{'a':'1','d':'3','off':'0'}", "\"b\" cannot go, schedule" },
        { "{'a':'1','b':'2','off':'0'}", "\"d\" cannot go, flag e uses it" },
    };
    for (size_t i = 0; i < 3; i++) {
        assert_fails(
            define(f, arena_printf(f->a, "{'key':'c','variants':%s}", cases[i].variants), NULL),
            &f->e, ERR_BLOCKED);
        assert_non_null(strstr(f->e.why, cases[i].says));
    }
}

static void a_required_or_published_flag_cannot_be_archived_and_an_archived_one_comes_back(
    void **state)
{
    struct fixture *f = *state;
    assert_ok(define(f, "{'key':'sub','requires':[{'flag':'crm','variant':'on'}]}", NULL), &f->e);
    assert_fails(flag_store_archive(f->db, "crm", &ana, &f->e), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "required by flag sub"));
    struct flag_manifest m = { .deploy_id = "d1", .flags = "{\"sub\":[\"on\"]}" };
    assert_ok(flag_store_manifest_put(f->db, &m, &f->e), &f->e);
    assert_fails(flag_store_archive(f->db, "sub", &ana, &f->e), &f->e, ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "deploy d1"));
    for (int i = 0; i < FLAG_MANIFESTS_KEPT; i++) {
        m = (struct flag_manifest){ .deploy_id = arena_printf(f->a, "n%d", i), .flags = "{}" };
        assert_ok(flag_store_manifest_put(f->db, &m, &f->e), &f->e);
    }
    assert_ok(flag_store_archive(f->db, "sub", &ana, &f->e), &f->e);
    assert_fails(set(f, "sub", FLAG_ANY_VERSION, "{'killed':true}"), &f->e, ERR_BLOCKED);
    assert_string_equal(ask(f, "SELECT lockflight.flag_snapshot()->'document'->'flags' ? 'sub'"),
                        "f");
    assert_ok(define(f, "{'key':'sub'}", NULL), &f->e);
    assert_ok(set(f, "sub", FLAG_ANY_VERSION, "{'killed':true}"), &f->e);
}

/* ---- states ---- */

static void a_change_is_refused_when_somebody_was_faster_and_says_who(void **state)
{
    struct fixture *f = *state;
    assert_ok(set(f, "financial", 1, "{'default_variant':'on'}"), &f->e);
    assert_fails(set_as(f, &ben, "financial", 1, "{'killed':true}"), &f->e, ERR_CONFLICT);
    assert_non_null(strstr(f->e.why, "flag financial is at version 2, not 1; last changed by"
                                     " ana@laptop (cli) at 20"));
    assert_non_null(strstr(f->e.why, ": because"));
    assert_string_equal(f->e.hint, "lockflight flags show financial");
    assert_false(get(f, "financial").is_killed);
    assert_ok(set_as(f, &ben, "financial", FLAG_ANY_VERSION, "{'killed':true}"), &f->e);
}

static void a_change_that_changes_nothing_writes_nothing(void **state)
{
    struct fixture *f = *state;
    const char *before =
        ask(f, "SELECT (lockflight.flag_version(), max(seq))::text FROM lockflight.flag_audit");
    json_auto_t *same = json_of(f, "{'default_variant':'on','enabled':true,'targeting':{}}");
    int64_t version = 0;
    assert_ok(flag_store_set(f->db, "crm", same, 1, &ana, &version, &f->e), &f->e);
    assert_int_equal(version, 1);
    assert_string_equal(
        ask(f, "SELECT (lockflight.flag_version(), max(seq))::text FROM lockflight.flag_audit"),
        before);
}

static void what_is_not_a_change_of_a_state_is_refused_and_says_what_it_may_be(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *patch;
        const char *says;
    } cases[] = {
        { "{'colour':1}", "no field \"colour\"; there are enabled, killed, default_variant" },
        { "{'enabled':'yes'}", "enabled is true or false" },
        { "{'killed':null}", "killed is true or false" },
        { "{'default_variant':'maybe'}", "no variant \"maybe\"; it has on, off" },
        { "{'default_variant':1}", "no variant 1" },
        { "{'targeting':'on'}", "a rule is an object with one operator" },
        { "{'targeting':{'if':[],'in':[]}}", "a rule is an object with one operator" },
        { "{'targeting':{'if':[{'$ref':'staff'},'on','off']}}", "no segment \"staff\"" },
        { "{'bucketing':3}", "bucketing is 2" },
        { "{'version':3}", "no field \"version\"" },
        { "[]", "an object of fields" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(set(f, "crm", 1, cases[i].patch), &f->e, ERR_DATA);
        if (!strstr(f->e.why, cases[i].says))
            fail_msg("%s: %s, not %s", cases[i].patch, f->e.why, cases[i].says);
    }
    assert_fails(set(f, "crn", 1, "{}"), &f->e, ERR_NOT_FOUND);
    const struct flag_author nobody = { " ", "cli", NULL }, stray = { "ana", "mail", NULL };
    assert_fails(set_as(f, &nobody, "crm", 1, "{'killed':true}"), &f->e, ERR_DATA);
    assert_fails(set_as(f, &stray, "crm", 1, "{'killed':true}"), &f->e, ERR_DATA);
    struct flag_row row;
    assert_fails(flag_store_get(f->db, f->a, "financal", &row, &f->e), &f->e, ERR_NOT_FOUND);
    assert_string_equal(f->e.hint, "did you mean financial?");
}

/* A rule of some length, in JSON of the test's kind. */
static const char *long_rule(struct fixture *f, size_t n, char letter)
{
    char *text = arena_alloc(f->a, n + 1);
    memset(text, letter, n);
    return arena_printf(f->a, "{'targeting':{'if':[{'in':[{'var':'x'},['%s']]},'on','off']}}",
                        text);
}

static void what_no_reader_would_take_is_refused_and_the_brake_works_all_the_same(void **state)
{
    struct fixture *f = *state;
    assert_fails(set(f, "crm", 1, long_rule(f, 70000, 'a')), &f->e, ERR_LIMIT);
    assert_non_null(strstr(f->e.why, "at most 65536"));
    size_t made = 0;
    while (made < 30) {
        const char *key = arena_printf(f->a, "f%zu", made);
        assert_ok(define(f, arena_printf(f->a, "{'key':'%s'}", key), NULL), &f->e);
        if (!set(f, key, 1, long_rule(f, 65000, 'a')))
            break;
        made++;
    }
    assert_int_equal(made, 16);
    assert_int_equal(f->e.code, ERR_LIMIT);
    assert_non_null(strstr(f->e.why, "all flags together"));
    const char *whole = ask(f, "SELECT lockflight.flag_snapshot()->'document'");
    assert_true(strlen(whole) < LIMIT_FLAG_DOCUMENT_BYTES);
    assert_ok(set(f, "f0", 2, "{'killed':true}"), &f->e);
    const struct flag_author wordy = { "ana", "cli", long_rule(f, 2000, 'b') };
    assert_fails(set_as(f, &wordy, "f0", 3, "{'killed':false}"), &f->e, ERR_LIMIT);
    char owner[300] = { 0 };
    memset(owner, 'c', 201);
    assert_fails(define(f, arena_printf(f->a, "{'key':'x','owner':'%s'}", owner), NULL), &f->e,
                 ERR_LIMIT);
}

static void a_kill_serves_off_and_keeps_what_was(void **state)
{
    struct fixture *f = *state;
    assert_ok(set(f, "crm", 1, "{'targeting':{'fractional':[['on',25],['off',75]]}}"), &f->e);
    assert_ok(set(f, "crm", 2, "{'killed':true}"), &f->e);
    struct flag_stored s;
    assert_ok(flag_store_snapshot(f->db, f->a, 0, &s, &f->e), &f->e);
    json_auto_t *x = json_parse(str_of(s.text), "the snapshot", &f->e);
    json_t *crm = json_object_get(json_object_get(json_object_get(x, "document"), "flags"), "crm");
    assert_null(json_object_get(crm, "targeting"));
    assert_string_equal(json_text_or(crm, "defaultVariant", ""), "off");
    assert_true(json_bool_or(json_object_get(crm, "metadata"), "killed", false));
    assert_int_equal(json_int_or(x, "v", 0), s.version);
    assert_true(get(f, "crm").is_killed);
    assert_non_null(get(f, "crm").targeting);
    assert_ok(set(f, "crm", 3, "{'killed':false}"), &f->e);
    assert_string_equal(get(f, "crm").targeting, "{\"fractional\": [[\"on\", 25], [\"off\", 75]]}");
    assert_string_equal(ask(f, "SELECT string_agg(action, ' ' ORDER BY seq) FROM"
                               " lockflight.flag_audit WHERE flag_key = 'crm'"),
                        "create set kill unkill");
}

/* ---- what it needs ---- */

static void begin_release(struct fixture *f, const char *id, const char *name)
{
    assert_ok(
        pg_exec(f->db,
                "INSERT INTO lockflight.releases (id, target, name, kind, actor, state, epoch)"
                " VALUES ($1, 'prod', $2, 'deploy', 'ana', 'forward', 1)",
                PG_PARAMS(id, name), NULL, &f->e),
        &f->e);
}

static void a_flag_cannot_be_on_before_what_it_needs_is_live(void **state)
{
    struct fixture *f = *state;
    const char *first = "00000000-0000-4000-8000-000000000001";
    const char *second = "00000000-0000-4000-8000-000000000002";
    static const char definition[] =
        "{'key':'chat','initial':'on','needs':{'migrations':['20260126090000'],"
        "'functions':['whatsapp'],'release':true}}";
    begin_release(f, first, "r1");
    assert_ok(define(f, definition, first), &f->e);
    struct flag_row row = get(f, "chat");
    assert_string_equal(row.default_variant, "off");
    assert_string_equal(row.missing, "[\"migration 20260126090000 is not applied\", \"function "
                                     "whatsapp is not live\", \"release r1 is not finished "
                                     "(forward)\"]");
    static const char *const on[] = { "{'default_variant':'on'}",
                                      "{'targeting':{'fractional':[['on',1],['off',99]]}}",
                                      "{'targeting':{'if':[{'in':[{'var':'targetingKey'},['a']]},"
                                      "'on','off']}}" };
    for (size_t i = 0; i < 3; i++) {
        assert_fails(set(f, "chat", 1, on[i]), &f->e, ERR_BLOCKED);
        assert_non_null(strstr(f->e.why, "cannot be on yet: migration 20260126090000"));
    }
    assert_ok(set(f, "chat", 1, "{'killed':true,'default_variant':'on'}"), &f->e);
    assert_fails(set(f, "chat", 2, "{'killed':false}"), &f->e, ERR_BLOCKED);

    /* the first release fails, a second one brings it */
    run(f, "UPDATE lockflight.releases SET state = 'rolled_back', finished_at = now()");
    begin_release(f, second, "r2");
    assert_ok(define(f, definition, second), &f->e);
    run(f, "CREATE SCHEMA supabase_migrations");
    run(f, "CREATE TABLE supabase_migrations.schema_migrations AS SELECT '20260126090000'::text AS"
           " version");
    assert_string_equal(
        get(f, "chat").missing,
        "[\"function whatsapp is not live\", \"release r2 is not finished (forward)\"]");
    run(f, "UPDATE lockflight.releases SET state = 'committed', finished_at = clock_timestamp(),"
           " manifest = '{\"functions\":{\"whatsapp\":{}}}' WHERE name = 'r2'");
    assert_string_equal(get(f, "chat").missing, "[]");
    assert_ok(set(f, "chat", 2, "{'killed':false}"), &f->e);

    /* a rollback to before it takes the content away again; off is always possible */
    run(f, "INSERT INTO lockflight.releases (id, target, name, kind, restores, actor, state, epoch,"
           " finished_at) VALUES (gen_random_uuid(), 'prod', 'r3', 'rollback', "
           "'00000000-0000-4000-8000-000000000001', 'ana', 'committed', 2, clock_timestamp())");
    assert_string_equal(get(f, "chat").missing, "[\"function whatsapp is not live\", \"release r2 "
                                                "was rolled back to r1\"]");
    assert_fails(set(f, "chat", 3, "{'bucketing':2,'targeting':{'fractional':[['on',1]]}}"), &f->e,
                 ERR_BLOCKED);
    assert_ok(set(f, "chat", 3, "{'killed':true}"), &f->e);
}

static void what_a_flag_begins_with_waits_for_its_release_whoever_dies_on_the_way(void **state)
{
    struct fixture *f = *state;
    const char *first = "00000000-0000-4000-8000-000000000001";
    const char *second = "00000000-0000-4000-8000-000000000002";
    static const char definition[] = "{'key':'chat','initial':'on','needs':{'release':true}}";
    begin_release(f, first, "r1");
    assert_ok(define(f, definition, first), &f->e);
    assert_string_equal(get(f, "chat").default_variant, "off");

    /* the first release fails; the flag is there when a second one defines it again */
    run(f, "UPDATE lockflight.releases SET state = 'rolled_back', finished_at = now()");
    assert_string_equal(get(f, "chat").default_variant, "off");
    begin_release(f, second, "r2");
    assert_ok(define(f, definition, second), &f->e);
    assert_string_equal(get(f, "chat").default_variant, "off");

    /* the record of the release is all that is needed: nobody writes after it */
    run(f, "UPDATE lockflight.releases SET state = 'committed', finished_at = clock_timestamp()"
           " WHERE name = 'r2'");
    assert_string_equal(get(f, "chat").default_variant, "on");
    assert_string_equal(ask(f, "SELECT default_variant FROM lockflight.flag_state"
                               " WHERE flag_key = 'chat'"),
                        "off");
    assert_ok(set(f, "crm", FLAG_ANY_VERSION, "{'enabled':false}"), &f->e);
    assert_string_equal(ask(f, "SELECT default_variant FROM lockflight.flag_state"
                               " WHERE flag_key = 'chat'"),
                        "on");
}

/* ---- the audit ---- */

static void the_audit_cannot_be_changed_by_its_owner_either(void **state)
{
    struct fixture *f = *state;
    static const char *const attempts[] = { "UPDATE lockflight.flag_audit SET actor = 'nobody'",
                                            "DELETE FROM lockflight.flag_audit WHERE false",
                                            "TRUNCATE lockflight.flag_audit" };
    const char *before = ask(f, "SELECT md5(string_agg(x::text, '')) FROM lockflight.flag_audit x");
    for (size_t i = 0; i < 3; i++) {
        assert_fails(pg_run(f->db, attempts[i], NULL, &f->e), &f->e, ERR_DB);
        assert_string_equal(f->e.sqlstate, "42501");
    }
    assert_string_equal(ask(f, "SELECT md5(string_agg(x::text, '')) FROM lockflight.flag_audit x"),
                        before);
}

static void history_comes_in_pages_newest_first_and_an_entry_can_be_gone_back_to(void **state)
{
    struct fixture *f = *state;
    for (int i = 1; i <= 7; i++)
        assert_ok(set(f, "crm", i, i % 2 ? "{'enabled':false}" : "{'enabled':true}"), &f->e);
    assert_ok(set(f, "crm", 8, "{'targeting':{'fractional':[['on',1],['off',1]]}}"), &f->e);
    struct flag_audit *page;
    size_t n;
    assert_ok(flag_store_history(f->db, f->a, "crm", 0, 5, &page, &n, &f->e), &f->e);
    assert_int_equal(n, 5);
    assert_string_equal(page[0].actor, "ana@laptop");
    assert_string_equal(page[0].reason, "because");
    assert_string_equal(page[0].object, "flag crm");
    int64_t newest = page[0].seq;
    assert_ok(flag_store_history(f->db, f->a, "crm", page[4].seq, 5, &page, &n, &f->e), &f->e);
    assert_int_equal(n, 4);
    assert_string_equal(page[3].action, "create");

    struct flag_audit entry;
    json_t *patch = NULL;
    assert_ok(flag_store_revert(f->db, f->a, newest - 1, &entry, &patch, &f->e), &f->e);
    assert_string_equal(json_text(f->a, patch), "{\"enabled\":true,\"targeting\":null}");
    json_decref(patch);
    assert_ok(flag_store_revert(f->db, f->a, newest, &entry, &patch, &f->e), &f->e);
    int64_t version;
    assert_ok(flag_store_set(f->db, entry.key, patch, 9, &ben, &version, &f->e), &f->e);
    json_decref(patch);
    assert_null(get(f, "crm").targeting);
    assert_fails(flag_store_revert(f->db, f->a, page[3].seq, &entry, &patch, &f->e), &f->e,
                 ERR_DATA);
    assert_fails(flag_store_revert(f->db, f->a, 999, &entry, &patch, &f->e), &f->e, ERR_NOT_FOUND);
}

/* ---- segments, attributes, usage ---- */

static void a_segment_has_versions_and_stays_while_a_rule_uses_it(void **state)
{
    struct fixture *f = *state;
    json_auto_t *rule = json_of(f, "{'ends_with':[{'var':'email'},'@studio.example']}");
    json_auto_t *nested = json_of(f, "{'!':[{'$ref':'staff'}]}");
    int64_t version;
    assert_ok(flag_store_segment_set(f->db, "staff", rule, 0, &ana, &version, &f->e), &f->e);
    assert_int_equal(version, 1);
    assert_fails(flag_store_segment_set(f->db, "staff", nested, 0, &ben, &version, &f->e), &f->e,
                 ERR_CONFLICT);
    assert_non_null(strstr(f->e.why, "ana@laptop"));
    assert_fails(flag_store_segment_set(f->db, "staff", nested, 1, &ben, &version, &f->e), &f->e,
                 ERR_DATA);
    assert_ok(set(f, "crm", 1, "{'targeting':{'if':[{'$ref':'staff'},'on','off']}}"), &f->e);
    assert_string_equal(ask(f, "SELECT lockflight.flag_snapshot()->'document'->'$evaluators'"),
                        "{\"staff\": {\"ends_with\": [{\"var\": \"email\"}, "
                        "\"@studio.example\"]}}");
    assert_fails(flag_store_segment_set(f->db, "staff", NULL, 1, &ana, &version, &f->e), &f->e,
                 ERR_BLOCKED);
    assert_non_null(strstr(f->e.why, "used by flag crm"));
    assert_ok(set(f, "crm", 2, "{'targeting':null}"), &f->e);
    assert_ok(flag_store_segment_set(f->db, "staff", NULL, 1, &ana, &version, &f->e), &f->e);
    struct flag_segment *list;
    size_t n;
    assert_ok(flag_store_segments(f->db, f->a, &list, &n, &f->e), &f->e);
    assert_int_equal(n, 0);
}

static void attributes_say_what_a_context_may_hold(void **state)
{
    struct fixture *f = *state;
    struct flag_attribute plan = { "plan", "string", true }, bad = { "plan", "colour", true };
    assert_ok(flag_store_attribute_set(f->db, &plan, &ana, &f->e), &f->e);
    assert_fails(flag_store_attribute_set(f->db, &bad, &ana, &f->e), &f->e, ERR_DATA);
    assert_string_equal(ask(f, "SELECT lockflight.flag_snapshot()->'attributes'"),
                        "{\"plan\": {\"type\": \"string\", \"trusted\": true}}");
    const char *version = ask(f, "SELECT lockflight.flag_version()");
    assert_ok(flag_store_attribute_set(f->db, &plan, &ana, &f->e), &f->e);
    assert_string_equal(ask(f, "SELECT lockflight.flag_version()"), version);
    plan.type = NULL;
    assert_ok(flag_store_attribute_set(f->db, &plan, &ana, &f->e), &f->e);
    struct flag_attribute *list;
    size_t n;
    assert_ok(flag_store_attributes(f->db, f->a, &list, &n, &f->e), &f->e);
    assert_int_equal(n, 0);
}

static void usage_adds_up_and_knows_only_flags_and_their_variants(void **state)
{
    struct fixture *f = *state;
    const struct flag_use batch[] = {
        { "crm", "on", 3 }, { "crm", "", 1 },   { "nope", "on", 9 },
        { "crm", "x", 9 },  { "crm", "on", 4 },
    };
    for (int i = 0; i < 2; i++)
        assert_ok(flag_store_usage_add(f->db, batch, 5, &f->e), &f->e);
    struct flag_use *sums;
    size_t n;
    assert_ok(flag_store_usage(f->db, f->a, 30, &sums, &n, &f->e), &f->e);
    assert_int_equal(n, 2);
    assert_string_equal(sums[0].variant, "");
    assert_int_equal(sums[0].n, 2);
    assert_int_equal(sums[1].n, 14);
}

static void a_database_without_the_schema_has_no_flags(void **state)
{
    struct fixture *f = *state;
    run(f, "DROP SCHEMA lockflight CASCADE");
    struct flag_stored s;
    struct flag_rows rows;
    assert_ok(flag_store_snapshot(f->db, f->a, 0, &s, &f->e), &f->e);
    json_auto_t *x = json_parse(str_of(s.text), "the snapshot", &f->e);
    assert_true(json_is_object(json_object_get(x, "document")));
    assert_ok(flag_store_list(f->db, f->a, true, &rows, &f->e), &f->e);
    assert_int_equal(rows.n, 0);
    assert_fails(set(f, "crm", 1, "{}"), &f->e, ERR_NOT_FOUND);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_new_flag_is_off_unless_its_definition_says_otherwise),
        T(a_second_definition_changes_no_state_and_nothing_if_it_is_equal),
        T(a_definition_that_breaks_the_state_is_refused),
        T(a_variant_that_a_rule_a_schedule_or_another_flag_uses_cannot_go),
        T(a_required_or_published_flag_cannot_be_archived_and_an_archived_one_comes_back),
        T(a_change_is_refused_when_somebody_was_faster_and_says_who),
        T(a_change_that_changes_nothing_writes_nothing),
        T(what_is_not_a_change_of_a_state_is_refused_and_says_what_it_may_be),
        T(what_no_reader_would_take_is_refused_and_the_brake_works_all_the_same),
        T(a_kill_serves_off_and_keeps_what_was),
        T(a_flag_cannot_be_on_before_what_it_needs_is_live),
        T(what_a_flag_begins_with_waits_for_its_release_whoever_dies_on_the_way),
        T(the_audit_cannot_be_changed_by_its_owner_either),
        T(history_comes_in_pages_newest_first_and_an_entry_can_be_gone_back_to),
        T(a_segment_has_versions_and_stays_while_a_rule_uses_it),
        T(attributes_say_what_a_context_may_hold),
        T(usage_adds_up_and_knows_only_flags_and_their_variants),
        T(a_database_without_the_schema_has_no_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
