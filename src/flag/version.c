/*
 * Versions: see version.h.
 */
#include "flag/version.h"

#include "flag/run.h"

#define NUMBER_MAX 9007199254740991ULL
#define SHORT_DIGITS                                                                               \
    16 /* of a number in the short forms, beyond which flagd-core does not see it */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number without leading zero at *at. */
static bool number_at(struct str s, size_t *at, uint64_t *ret)
{
    size_t i = *at;
    uint64_t x = 0;
    for (; i < s.n && is_digit(s.p[i]); i++) {
        x = x * 10 + (uint64_t)(s.p[i] - '0');
        if (x > NUMBER_MAX)
            return false;
    }
    if (i == *at || (s.p[*at] == '0' && i > *at + 1))
        return false;
    *at = i;
    *ret = x;
    return true;
}

static bool is_identifier(struct str id, bool zeros_matter)
{
    bool all_digits = true;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
        if (!letter && !is_digit(c))
            return false;
        all_digits = all_digits && !letter;
    }
    return id.n && !(zeros_matter && all_digits && id.n > 1 && id.p[0] == '0');
}

/* Identifiers with points between them. */
static bool are_identifiers(struct str s, bool zeros_matter)
{
    while (s.p) {
        struct str id = str_cut(&s, '.');
        if (!is_identifier(id, zeros_matter))
            return false;
    }
    return true;
}

/* What stands behind the numbers: -alpha.1+build. */
static bool parse_rest(struct str rest, struct str *ret_before)
{
    *ret_before = (struct str){ "", 0 };
    if (!rest.n)
        return true;
    struct str build = rest;
    struct str before = str_cut(&build, '+');
    if (build.p && !are_identifiers(build, false))
        return false;
    if (!before.n)
        return true;
    *ret_before = (struct str){ before.p + 1, before.n - 1 };
    return before.p[0] == '-' && are_identifiers(*ret_before, true);
}

/* "7" or "7.1": digits, and at most one point between them. */
static bool is_short(struct str s)
{
    size_t points = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' && (i == 0 || i + 1 == s.n || points++))
            return false;
        if (s.p[i] != '.' && !is_digit(s.p[i]))
            return false;
    }
    return s.n > 0;
}

/* The first number that is not too long is the major one, and the next the minor one if it is not
 * either: "12345678901234567.3" is 3.0.0, and "3.12345678901234567" is so too. */
static bool parse_short(struct str s, struct version *ret)
{
    struct version v = { .before = { "", 0 } };
    struct str minor = s;
    struct str major = str_cut(&minor, '.');
    size_t i = 0;
    size_t k = 0;
    if (major.n > SHORT_DIGITS) {
        major = minor;
        minor = (struct str){ 0 };
    }
    if (major.n > SHORT_DIGITS || !number_at(major, &i, &v.major))
        return false;
    if (minor.n && minor.n <= SHORT_DIGITS && !number_at(minor, &k, &v.minor))
        return false;
    *ret = v;
    return true;
}

bool version_parse(struct str text, struct version *ret)
{
    struct str s = text;
    if (s.n && (s.p[0] == 'v' || s.p[0] == 'V'))
        s = (struct str){ s.p + 1, s.n - 1 };
    if (is_short(s))
        return parse_short(s, ret);
    struct version v = { .before = { "", 0 } };
    uint64_t *numbers[] = { &v.major, &v.minor, &v.patch };
    size_t at = 0;
    if (s.n > VERSION_BYTES_MAX)
        return false;
    for (size_t n = 0; n < 3; n++) {
        if ((n > 0 && (at == s.n || s.p[at++] != '.')) || !number_at(s, &at, numbers[n]))
            return false;
    }
    if (!parse_rest((struct str){ s.p + at, s.n - at }, &v.before))
        return false;
    *ret = v;
    return true;
}

/* ---- Order ----------------------------------------------------------------------------------- */

static bool is_number(struct str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!is_digit(id.p[i]))
            return false;
    return true;
}

static int compare_identifiers(struct str a, struct str b)
{
    bool a_number = is_number(a);
    bool b_number = is_number(b);
    if (a_number != b_number)
        return a_number ? -1 : 1;
    if (a_number && a.n != b.n) /* no leading zeros: the longer is the larger */
        return a.n < b.n ? -1 : 1;
    return str_compare(a, b);
}

static int compare_before(struct str a, struct str b)
{
    if (!a.n || !b.n) /* a version without is above its candidates */
        return (b.n != 0) - (a.n != 0);
    while (a.p && b.p) {
        struct str x = str_cut(&a, '.');
        struct str y = str_cut(&b, '.');
        int order = compare_identifiers(x, y);
        if (order)
            return order;
    }
    return (a.p != NULL) - (b.p != NULL);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int version_compare(const struct version *a, const struct version *b)
{
    int order = compare_numbers(a->major, b->major);
    if (!order)
        order = compare_numbers(a->minor, b->minor);
    if (!order)
        order = compare_numbers(a->patch, b->patch);
    return order ? order : compare_before(a->before, b->before);
}

/* ---- sem_ver --------------------------------------------------------------------------------- */

enum version_order version_order_of(struct str text)
{
    static const char *const names[] = {
        [VERSION_EQUAL] = "=",       [VERSION_UNEQUAL] = "!=",   [VERSION_LESS] = "<",
        [VERSION_LESS_EQUAL] = "<=", [VERSION_GREATER] = ">",    [VERSION_GREATER_EQUAL] = ">=",
        [VERSION_SAME_MAJOR] = "^",  [VERSION_SAME_MINOR] = "~",
    };
    for (int i = VERSION_EQUAL; i <= VERSION_SAME_MINOR; i++)
        if (str_is(text, names[i]))
            return (enum version_order)i;
    return VERSION_NONE;
}

bool version_holds(const struct version *a, enum version_order order, const struct version *b)
{
    switch (order) {
    case VERSION_SAME_MAJOR:
        return a->major == b->major;
    case VERSION_SAME_MINOR:
        return a->major == b->major && a->minor == b->minor;
    case VERSION_EQUAL:
        return version_compare(a, b) == 0;
    case VERSION_UNEQUAL:
        return version_compare(a, b) != 0;
    case VERSION_LESS:
        return version_compare(a, b) < 0;
    case VERSION_LESS_EQUAL:
        return version_compare(a, b) <= 0;
    case VERSION_GREATER:
        return version_compare(a, b) > 0;
    case VERSION_GREATER_EQUAL:
        return version_compare(a, b) >= 0;
    case VERSION_NONE:
        break;
    }
    return false;
}

struct value run_version_test(struct run *r, struct value left, const struct version_test *test)
{
    struct version a;
    struct str text;
    if (!run_text(r, left, &text))
        return value_of_kind(VALUE_RAISED);
    if (test->order == VERSION_NONE || !version_parse(text, &a))
        return value_of_kind(VALUE_NULL);
    return value_of_bool(version_holds(&a, test->order, &test->right));
}

struct value run_sem_ver(struct run *r, struct value operands)
{
    struct version_test test;
    struct str order;
    struct str right;
    if (operands.n != 3)
        return value_of_kind(VALUE_NULL);
    if (!run_text(r, value_item(operands, 1), &order) ||
        !run_text(r, value_item(operands, 2), &right))
        return value_of_kind(VALUE_RAISED);
    test.order = version_parse(right, &test.right) ? version_order_of(order) : VERSION_NONE;
    return run_version_test(r, value_item(operands, 0), &test);
}
