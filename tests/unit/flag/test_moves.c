/*
 * Whom a change moves: counts against hashing every bucket boundary by hand, and what is not
 * comparable.
 */
#include "assert_ok.h"

#include "base/json.h"
#include "base/str.h"
#include "flag/moves.h"
#include "flag/state.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* "on": for everyone. Anything that begins with "{" is a rule with the default off. */
static json_t *state_of(const char *text)
{
    bool is_rule = text[0] == '{';
    json_auto_t *raw = json_pack("{s:s, s:o}", "default_variant", is_rule ? "off" : text,
                                 "targeting", is_rule ? json_loads(text, 0, NULL) : json_null());
    return flag_state_of(raw);
}

static struct flag_moves moves(const char *from, const char *to)
{
    json_auto_t *a = state_of(from);
    json_auto_t *b = state_of(to);
    /* the texts must outlive the states */
    struct flag_moves m = flag_moves(arena, a, b, "off");
    for (size_t i = 0; i < m.n; i++) {
        m.v[i].from = m.v[i].from ? arena_strdup(arena, m.v[i].from) : NULL;
        m.v[i].to = m.v[i].to ? arena_strdup(arena, m.v[i].to) : NULL;
    }
    return m;
}

static const char *rule(int on, int off)
{
    return arena_printf(arena, "{\"fractional\":[[\"on\",%d],[\"off\",%d]]}", on, off);
}

static void on_for_a_quarter_moves_exactly_a_quarter_of_the_buckets(void **state)
{
    (void)state;
    struct flag_moves m = moves("off", rule(25, 75));
    assert_int_equal(m.kind, FLAG_MOVES_EXACT);
    assert_true(m.moved == FLAG_BUCKETS / 4);
    assert_true(m.lost == 0);
    assert_int_equal(m.n, 1);
    assert_string_equal(m.v[0].from, "off");
    assert_string_equal(m.v[0].to, "on");
    assert_string_equal(flag_moves_words(arena, &m, " -> "), "25 % of users move: off -> on");
}

/* The pieces of weights 7 of 100 begin where h * 100 >> 32 becomes 7, computed here bucket by bucket
 * around the boundary. */
static void a_boundary_is_the_first_bucket_that_the_hash_puts_behind_it(void **state)
{
    (void)state;
    for (uint64_t percent = 1; percent < 100; percent++) {
        struct flag_moves m = moves("off", rule((int)percent, 100 - (int)percent));
        assert_true(((m.moved - 1) * 100 >> 32) < percent);
        assert_true((m.moved * 100 >> 32) >= percent);
    }
}

static void a_growing_share_takes_nobody_out_and_a_smaller_one_does(void **state)
{
    (void)state;
    struct flag_moves up = moves(rule(5, 95), rule(25, 75));
    assert_true(up.lost == 0);
    assert_string_equal(flag_percent(arena, (double)up.moved, (double)FLAG_BUCKETS), "20 %");
    struct flag_moves down = moves(rule(25, 75), rule(5, 95));
    assert_true(down.moved == up.moved && down.lost == up.moved);
}

static void another_order_of_the_same_weights_moves_those_at_both_ends(void **state)
{
    (void)state;
    struct flag_moves m = moves(rule(25, 75), "{\"fractional\":[[\"off\",75],[\"on\",25]]}");
    assert_true(m.moved == FLAG_BUCKETS / 2);
    assert_true(m.lost == FLAG_BUCKETS / 4);
    assert_int_equal(m.n, 2);
}

static void the_same_share_of_a_finer_total_moves_nobody(void **state)
{
    (void)state;
    struct flag_moves m = moves(rule(7, 93), rule(7000, 93000));
    assert_int_equal(m.kind, FLAG_MOVES_EXACT);
    assert_true(m.moved == 0);
    assert_string_equal(flag_moves_words(arena, &m, " -> "), "nobody moves");
}

static void another_bucket_key_is_not_comparable(void **state)
{
    (void)state;
    struct flag_moves m = moves(
        rule(25, 75), "{\"fractional\":[{\"var\":\"targetingKey\"},[\"on\",25],[\"off\",75]]}");
    assert_int_equal(m.kind, FLAG_MOVES_UNKNOWN);
    assert_non_null(strstr(flag_moves_words(arena, &m, " -> "), "another bucket key"));
}

static void below_equal_conditions_the_worst_branch_counts(void **state)
{
    (void)state;
    struct flag_moves m =
        moves("{\"if\":[{\"$ref\":\"staff\"},\"on\",{\"fractional\":[[\"on\",5],[\"off\",95]]}]}",
              "{\"if\":[{\"$ref\":\"staff\"},\"on\",{\"fractional\":[[\"on\",10],[\"off\",90]]}]}");
    assert_int_equal(m.kind, FLAG_MOVES_AT_MOST);
    assert_string_equal(flag_percent(arena, (double)m.moved, (double)FLAG_BUCKETS), "5 %");
    m = moves("{\"if\":[{\"$ref\":\"staff\"},\"on\",\"off\"]}",
              "{\"if\":[{\"$ref\":\"crew\"},\"on\",\"off\"]}");
    assert_int_equal(m.kind, FLAG_MOVES_UNKNOWN);
    m = moves("{\"if\":[{\"$ref\":\"staff\"},\"on\"]}", "off");
    assert_int_equal(m.kind, FLAG_MOVES_AT_MOST);
    assert_true(m.lost == FLAG_BUCKETS);
}

static void switching_off_takes_it_from_those_who_had_it_and_from_nobody_else(void **state)
{
    (void)state;
    json_auto_t *from = state_of(rule(25, 75));
    json_auto_t *kill = json_pack("{s:b}", "killed", 1);
    json_auto_t *to = flag_state_patched(from, kill);
    struct flag_moves m = flag_moves(arena, from, to, "off");
    assert_int_equal(m.kind, FLAG_MOVES_EXACT);
    assert_true(m.moved == FLAG_BUCKETS / 4 && m.lost == m.moved);
}

static void weights_that_nothing_can_divide_by_are_not_comparable(void **state)
{
    (void)state;
    assert_int_equal(moves("off", rule(0, 0)).kind, FLAG_MOVES_UNKNOWN);
    assert_int_equal(moves("off", rule(2147483647, 2147483647)).kind, FLAG_MOVES_UNKNOWN);
    assert_int_equal(moves("off", "{\"fractional\":[[\"on\",1.5],[\"off\",1]]}").kind,
                     FLAG_MOVES_UNKNOWN);
    assert_int_equal(moves("off", rule(2147483646, 1)).kind, FLAG_MOVES_EXACT);
}

static void disabling_takes_every_variant_away(void **state)
{
    (void)state;
    json_auto_t *from = state_of("on");
    json_auto_t *disable = json_pack("{s:b}", "enabled", 0);
    json_auto_t *to = flag_state_patched(from, disable);
    struct flag_moves m = flag_moves(arena, from, to, "off");
    assert_true(m.moved == FLAG_BUCKETS && m.lost == FLAG_BUCKETS && !m.v[0].to);
    assert_string_equal(flag_moves_words(arena, &m, " -> "),
                        "everyone moves: on -> the code's default");
}

static void another_generation_of_hashing_divides_anew(void **state)
{
    (void)state;
    json_auto_t *from = state_of(rule(25, 75));
    json_auto_t *newer = json_pack("{s:i}", "bucketing", 3);
    json_auto_t *to = flag_state_patched(from, newer);
    assert_int_equal(flag_moves(arena, from, to, "off").kind, FLAG_MOVES_UNKNOWN);
}

/* {"if":[c,"on",{"if":[c,"on", … x]}]} */
static const char *nested(int depth, const char *innermost)
{
    const char *text = innermost;
    for (int i = 0; i < depth; i++)
        text = arena_printf(arena, "{\"if\":[{\"$ref\":\"c\"},\"on\",%s]}", text);
    return text;
}

static void what_cannot_be_told_is_said(void **state)
{
    (void)state;
    struct flag_moves m = moves(nested(3, "\"on\""), nested(3, "\"off\""));
    assert_string_equal(flag_moves_words(arena, &m, " -> "),
                        "at most 100 % of users move, depending on whom the conditions meet");
    assert_int_equal(moves(nested(40, "\"on\""), nested(40, "\"off\"")).kind, FLAG_MOVES_UNKNOWN);
    assert_int_equal(moves(nested(1, "\"on\""), nested(1, nested(1, "{\"cat\":[1]}"))).kind,
                     FLAG_MOVES_UNKNOWN);
    assert_int_equal(moves("{\"if\":[{\"$ref\":\"c\"},\"on\"]}", nested(2, "\"on\"")).kind,
                     FLAG_MOVES_UNKNOWN);
    assert_int_equal(moves("off", "{\"fractional\":[[{\"var\":\"x\"},1],[\"on\",1]]}").kind,
                     FLAG_MOVES_UNKNOWN);
    assert_int_equal(moves("off", "{\"fractional\":[[\"off\",1],[\"on\",1,1]]}").kind,
                     FLAG_MOVES_UNKNOWN);
}

/* ---- against counting by the formula itself ---- */

static uint64_t random_state = 1;

static unsigned chance(unsigned below)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(random_state >> 33) % below;
}

struct share {
    unsigned weight[4];
    unsigned n, total;
};

static struct share random_share(void)
{
    struct share s = { .n = 1 + chance(4) };
    for (unsigned i = 0; i < s.n; i++) {
        s.weight[i] = chance(3) ? chance(1 + chance(700)) : 0;
        s.total += s.weight[i];
    }
    if (s.total == 0)
        s.total = s.weight[0] = 1;
    return s;
}

static const char *share_rule(const struct share *s)
{
    const char *text = "";
    for (unsigned i = 0; i < s->n; i++)
        text = arena_printf(arena, "%s%s[\"v%u\",%u]", text, i ? "," : "", i % 3, s->weight[i]);
    return arena_printf(arena, "{\"fractional\":[%s]}", text);
}

/* flagd's own words: the first entry with bucket < running sum. */
static unsigned variant_at(const struct share *s, uint64_t hash)
{
    uint64_t bucket = hash * s->total >> 32, sum = 0;
    for (unsigned i = 0; i < s->n; i++) {
        sum += s->weight[i];
        if (bucket < sum)
            return i % 3;
    }
    return 99;
}

/* The first hash at or behind `from` whose variant is another one than at `from`, by halving. */
static uint64_t piece_end(const struct share *a, const struct share *b, uint64_t from)
{
    uint64_t bucket_a = from * a->total >> 32, bucket_b = from * b->total >> 32;
    uint64_t low = from, high = FLAG_BUCKETS; /* within one bucket of both nothing changes */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        bool same = middle * a->total >> 32 == bucket_a && middle * b->total >> 32 == bucket_b;
        *(same ? &low : &high) = middle;
    }
    return high;
}

static void random_shares_move_what_the_formula_moves(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct share a = random_share(), b = random_share();
        uint64_t moved = 0;
        for (uint64_t at = 0; at < FLAG_BUCKETS;) {
            uint64_t end = piece_end(&a, &b, at);
            moved += variant_at(&a, at) != variant_at(&b, at) ? end - at : 0;
            at = end;
        }
        struct flag_moves m = moves(share_rule(&a), share_rule(&b));
        assert_int_equal(m.kind, FLAG_MOVES_EXACT);
        if (m.moved != moved)
            fail_msg("%s -> %s moves %llu, not %llu", share_rule(&a), share_rule(&b),
                     (unsigned long long)moved, (unsigned long long)m.moved);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_for_a_quarter_moves_exactly_a_quarter_of_the_buckets),
        cmocka_unit_test(a_boundary_is_the_first_bucket_that_the_hash_puts_behind_it),
        cmocka_unit_test(a_growing_share_takes_nobody_out_and_a_smaller_one_does),
        cmocka_unit_test(another_order_of_the_same_weights_moves_those_at_both_ends),
        cmocka_unit_test(the_same_share_of_a_finer_total_moves_nobody),
        cmocka_unit_test(another_bucket_key_is_not_comparable),
        cmocka_unit_test(below_equal_conditions_the_worst_branch_counts),
        cmocka_unit_test(switching_off_takes_it_from_those_who_had_it_and_from_nobody_else),
        cmocka_unit_test(weights_that_nothing_can_divide_by_are_not_comparable),
        cmocka_unit_test(disabling_takes_every_variant_away),
        cmocka_unit_test(another_generation_of_hashing_divides_anew),
        cmocka_unit_test(what_cannot_be_told_is_said),
        cmocka_unit_test(random_shares_move_what_the_formula_moves),
    };
    return cmocka_run_group_tests_name("flag/moves", tests, setup, teardown);
}
