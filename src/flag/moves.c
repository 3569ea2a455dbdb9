#include "flag/moves.h"

#include "base/str.h"
#include "base/vec.h"
#include "flag/state.h"

#define MAX_DEPTH 32

/* Buckets below `end`, from the end of the piece before. */
struct piece {
    uint64_t end;
    const char *variant; /* NULL: the code's default */
};

struct pieces {
    struct piece *v;
    size_t n, capacity;
    const json_t *key; /* the bucket key if it was divided; NULL: the usual one */
    bool is_divided;
};

struct side {
    const char *otherwise; /* what null means */
    int64_t bucketing;
};

struct comparison {
    struct arena *a;
    struct side from, to;
    const char *off;
    bool is_exact; /* no condition was passed */
    struct flag_moves best;
};

/* ---- one rule without conditions ---- */

static void add_piece(struct arena *a, struct pieces *p, uint64_t end, const char *variant)
{
    uint64_t begin = p->n > 0 ? p->v[p->n - 1].end : 0;
    if (end > begin)
        *vec_add(p, a) = (struct piece){ end, variant };
}

static bool weight_of(const json_t *entry, uint64_t *ret)
{
    const json_t *weight = json_array_get(entry, 1);
    size_t n = json_array_size(entry);
    if (!json_is_array(entry) || n < 1 || n > 2 || (weight && !json_is_integer(weight)))
        return false;
    json_int_t w = weight ? json_integer_value(weight) : 1;
    *ret = w > 0 ? (uint64_t)w : 0;
    return w <= 2147483647;
}

static bool divide(struct arena *a, const json_t *arguments, const struct side *side,
                   struct pieces *ret)
{
    size_t first = json_is_array(json_array_get(arguments, 0)) ? 0 : 1;
    size_t n = json_array_size(arguments);
    uint64_t total = 0, sum = 0, weight;
    for (size_t i = first; i < n; i++) {
        const json_t *variant = json_array_get(json_array_get(arguments, i), 0);
        if (!weight_of(json_array_get(arguments, i), &weight) ||
            !(json_is_string(variant) || json_is_null(variant)))
            return false;
        total += weight;
    }
    if (total == 0 || total > 2147483647)
        return false;
    for (size_t i = first; i < n; i++) {
        const json_t *entry = json_array_get(arguments, i);
        const char *variant = json_string_value(json_array_get(entry, 0));
        (void)weight_of(entry, &weight);
        sum += weight;
        uint64_t end = (sum * FLAG_BUCKETS + total - 1) / total; /* both below 2^63 */
        add_piece(a, ret, end, variant ? variant : side->otherwise);
    }
    ret->key = first ? json_array_get(arguments, 0) : NULL;
    ret->is_divided = true;
    return true;
}

static const json_t *operand_of(const json_t *rule, const char *op)
{
    bool is_it = json_is_object(rule) && json_object_size(rule) == 1;
    const json_t *operand = is_it ? json_object_get(rule, op) : NULL;
    return json_is_array(operand) ? operand : NULL;
}

static bool pieces_of(struct arena *a, const json_t *rule, const struct side *side,
                      struct pieces *ret)
{
    const json_t *arguments = operand_of(rule, "fractional");
    *ret = (struct pieces){ 0 };
    if (arguments)
        return divide(a, arguments, side, ret);
    if (rule && !json_is_null(rule) && !json_is_string(rule))
        return false;
    add_piece(a, ret, FLAG_BUCKETS,
              json_is_string(rule) ? json_string_value(rule) : side->otherwise);
    return true;
}

/* ---- two of them ---- */

static void count(struct comparison *c, struct flag_moves *m, const char *from, const char *to,
                  uint64_t buckets)
{
    struct {
        struct flag_move *v;
        size_t n, capacity;
    } grown = { m->v, m->n, m->n };
    m->moved += buckets;
    m->lost += streq(from, c->off) ? 0 : buckets;
    for (size_t i = 0; i < m->n; i++)
        if (streq(m->v[i].from, from) && streq(m->v[i].to, to)) {
            m->v[i].buckets += buckets;
            return;
        }
    *vec_add(&grown, c->a) = (struct flag_move){ from, to, buckets };
    m->v = grown.v;
    m->n = grown.n;
}

static bool not_comparable(struct comparison *c, const char *why)
{
    c->best.kind = FLAG_MOVES_UNKNOWN;
    c->best.why = why;
    return false;
}

static bool compare_pieces(struct comparison *c, const json_t *from_rule, const json_t *to_rule)
{
    struct pieces from, to;
    if (json_equal(from_rule, to_rule) && streq(c->from.otherwise, c->to.otherwise) &&
        c->from.bucketing == c->to.bucketing)
        return true;
    if (!pieces_of(c->a, from_rule, &c->from, &from) || !pieces_of(c->a, to_rule, &c->to, &to))
        return not_comparable(c, "the rules are not comparable");
    if (from.is_divided && to.is_divided) {
        bool same = (!from.key && !to.key) || json_equal(from.key, to.key);
        if (!same)
            return not_comparable(c, "another bucket key: users are divided anew");
        if (c->from.bucketing != c->to.bucketing)
            return not_comparable(c, "another bucketing generation: users are divided anew");
    }
    struct flag_moves m = { .kind = FLAG_MOVES_EXACT };
    uint64_t at = 0;
    for (size_t i = 0, j = 0; i < from.n && j < to.n;) {
        uint64_t end = from.v[i].end < to.v[j].end ? from.v[i].end : to.v[j].end;
        if (!streq(from.v[i].variant, to.v[j].variant))
            count(c, &m, from.v[i].variant, to.v[j].variant, end - at);
        at = end;
        i += from.v[i].end == at;
        j += to.v[j].end == at;
    }
    if (c->is_exact)
        c->best = m;
    c->best.moved = m.moved > c->best.moved ? m.moved : c->best.moved;
    c->best.lost = m.lost > c->best.lost ? m.lost : c->best.lost;
    return true;
}

static bool same_conditions(const json_t *a, const json_t *b)
{
    size_t n = json_array_size(a);
    if (n != json_array_size(b))
        return false;
    for (size_t i = 0; i + 1 < n; i += 2)
        if (!json_equal(json_array_get(a, i), json_array_get(b, i)))
            return false;
    return true;
}

/* Branch by branch; a rule without conditions is compared with every branch of the other. `depth`
 * counts down. */
// NOLINTNEXTLINE(misc-no-recursion): depth is limited
static bool compare(struct comparison *c, const json_t *from, const json_t *to, int depth)
{
    const json_t *from_if = operand_of(from, "if"), *to_if = operand_of(to, "if");
    if (!from_if && !to_if)
        return compare_pieces(c, from, to);
    if (depth == 0)
        return not_comparable(c, "the rules are too deep to compare");
    if (from_if && to_if && !same_conditions(from_if, to_if))
        return not_comparable(c, "the conditions differ");
    c->is_exact = false;
    const json_t *branches = from_if ? from_if : to_if;
    size_t n = json_array_size(branches);
    for (size_t i = 1; i <= n; i += 2) {
        size_t at = i < n ? i : n - 1; /* the last of an odd number is the else */
        bool is_absent = n % 2 == 0 && i > n - 1;
        const json_t *a = from_if ? (is_absent ? NULL : json_array_get(from_if, at)) : from;
        const json_t *b = to_if ? (is_absent ? NULL : json_array_get(to_if, at)) : to;
        if (!compare(c, a, b, depth - 1))
            return false;
    }
    return true;
}

/* ---- states ---- */

/* Held off, or disabled: one answer for everyone. */
static const json_t *effective(const json_t *state, const char *off, struct side *ret)
{
    *ret = (struct side){ json_string_value(json_object_get(state, "default_variant")),
                          json_integer_value(json_object_get(state, "bucketing")) };
    bool is_off = json_is_true(json_object_get(state, "killed"));
    bool is_disabled = json_is_false(json_object_get(state, "enabled"));
    if (is_off)
        ret->otherwise = off;
    if (is_disabled)
        ret->otherwise = NULL;
    return is_off || is_disabled ? NULL : flag_state_rule(state);
}

static void largest_first(struct flag_moves *m)
{
    for (size_t i = 1; i < m->n; i++)
        for (size_t j = i; j > 0 && m->v[j].buckets > m->v[j - 1].buckets; j--) {
            struct flag_move x = m->v[j];
            m->v[j] = m->v[j - 1];
            m->v[j - 1] = x;
        }
}

struct flag_moves flag_moves(struct arena *a, const json_t *from, const json_t *to, const char *off)
{
    struct comparison c = { .a = a, .off = off, .is_exact = true };
    const json_t *before = effective(from, off, &c.from), *after = effective(to, off, &c.to);
    if (!compare(&c, before, after, MAX_DEPTH))
        return (struct flag_moves){ .kind = FLAG_MOVES_UNKNOWN, .why = c.best.why };
    if (!c.is_exact)
        c.best.kind = FLAG_MOVES_AT_MOST;
    largest_first(&c.best);
    return c.best;
}

const char *flag_moves_words(struct arena *a, const struct flag_moves *m, const char *arrow)
{
    if (m->kind == FLAG_MOVES_UNKNOWN)
        return arena_printf(a, "whom it moves is not known: %s", m->why);
    if (m->moved == 0)
        return "nobody moves";
    const char *share = flag_percent(a, (double)m->moved, (double)FLAG_BUCKETS);
    if (m->kind == FLAG_MOVES_AT_MOST)
        return arena_printf(a, "at most %s of users move, depending on whom the conditions meet",
                            share);
    const char *text =
        m->moved == FLAG_BUCKETS ? "everyone moves" : arena_printf(a, "%s of users move", share);
    for (size_t i = 0; i < m->n && i < 3; i++)
        text = arena_printf(a, "%s%s %s%s%s", text, i == 0 ? ":" : ",",
                            m->v[i].from ? m->v[i].from : "the code's default", arrow,
                            m->v[i].to ? m->v[i].to : "the code's default");
    return text;
}
