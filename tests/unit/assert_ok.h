/*
 * Assertions on struct err for unit tests: print the whole story when they fail.
 */
#ifndef LOCKFLIGHT_TESTS_ASSERT_OK_H
#define LOCKFLIGHT_TESTS_ASSERT_OK_H

/* clang-format off: cmocka.h wants the four before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#include "base/err.h"

#define assert_ok(call, e)                                                                         \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s: %s (%s)", #call, (e)->what, (e)->why, (e)->where);                   \
    } while (0)

#define assert_fails(call, e, expected_code)                                                       \
    do {                                                                                           \
        assert_false(call);                                                                        \
        if ((e)->code != (expected_code))                                                          \
            fail_msg("%s: %s, expected %s: %s", #call, err_name((e)->code),                        \
                     err_name(expected_code), (e)->why);                                           \
    } while (0)

#endif
