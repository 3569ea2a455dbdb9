/*
 * Numbers: see number.h. The digits come from printf and strtod, both exact in glibc: the first
 * precision whose text reads back as the number is the shortest, and the nearest of its length.
 */
#include "flag/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define READ_BYTES 512

/* The shortest digits of a finite positive x, and the place of the point behind the first `point` of
 * them. Returns how many. */
static int shortest(double x, char digits[20], int *ret_point)
{
    char text[40] = "0e0";
    for (int precision = 0; precision <= 16; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision, x);
        if (strtod(text, NULL) == x)
            break;
    }
    int n = 0;
    const char *p = text;
    for (; *p != 'e'; p++)
        if (*p != '.')
            digits[n++] = *p;
    *ret_point = (int)strtol(p + 1, NULL, 10) + 1;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

static size_t print_whole(uint64_t x, char *ret)
{
    char backwards[20];
    size_t n = 0;
    do
        backwards[n++] = (char)('0' + x % 10);
    while (x /= 10);
    for (size_t i = 0; i < n; i++)
        ret[i] = backwards[n - 1 - i];
    ret[n] = '\0';
    return n;
}

static size_t print_digits(const char *digits, int n, int point, char *ret)
{
    char *out = ret;
    if (point > 21 || point <= -6) { /* 1.5e+300 */
        *out++ = digits[0];
        if (n > 1) {
            *out++ = '.';
            memcpy(out, digits + 1, (size_t)n - 1);
            out += n - 1;
        }
        *out++ = 'e';
        *out++ = point > 0 ? '+' : '-';
        int exponent = point > 0 ? point - 1 : 1 - point;
        return (size_t)(out - ret) + print_whole((uint64_t)exponent, out);
    }
    if (point <= 0) { /* 0.0015 */
        *out++ = '0';
        *out++ = '.';
        for (int i = point; i < 0; i++)
            *out++ = '0';
    }
    for (int i = 0; i < n; i++) {
        if (i == point && i > 0)
            *out++ = '.';
        *out++ = digits[i];
    }
    for (int i = n; i < point; i++) /* 1500 */
        *out++ = '0';
    *out = '\0';
    return (size_t)(out - ret);
}

size_t number_print(double x, char ret[NUMBER_TEXT_BYTES])
{
    if (isnan(x) || isinf(x)) {
        const char *word = isnan(x) ? "NaN" : x > 0 ? "Infinity" : "-Infinity";
        memcpy(ret, word, strlen(word) + 1);
        return strlen(word);
    }
    size_t sign = x < 0;
    if (sign)
        *ret++ = '-';
    double size = fabs(x);
    if (size <= NUMBER_WHOLE_MAX && size == floor(size))
        return sign + print_whole((uint64_t)size, ret);
    char digits[20];
    int point;
    int n = shortest(size, digits, &point);
    return sign + print_digits(digits, n, point, ret);
}

size_t number_blank(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    if (n >= 1 && (u[0] == ' ' || (u[0] >= '\t' && u[0] <= '\r')))
        return 1;
    if (n >= 2 && u[0] == 0xC2 && u[1] == 0xA0)
        return 2;
    if (n < 3)
        return 0;
    unsigned point = (unsigned)(u[0] & 0x0F) << 12 | (unsigned)(u[1] & 0x3F) << 6 | (u[2] & 0x3F);
    if ((u[0] & 0xF0) != 0xE0)
        return 0;
    bool blank = point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
                 point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000 ||
                 point == 0xFEFF;
    return blank ? 3 : 0;
}

static struct str trimmed(struct str s)
{
    for (size_t n; (n = number_blank(s.p, s.n)) > 0;)
        s = (struct str){ s.p + n, s.n - n };
    for (bool more = true; more && s.n;) {
        more = false;
        for (size_t n = 1; n <= 3 && n <= s.n && !more; n++)
            if (number_blank(s.p + s.n - n, n) == n) {
                s.n -= n;
                more = true;
            }
    }
    return s;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 99;
}

static double read_base(struct str s, int base)
{
    if (!s.n)
        return NAN;
    double x = 0;
    for (size_t i = 0; i < s.n; i++) {
        int d = digit_of(s.p[i]);
        if (d >= base)
            return NAN;
        x = x * base + d;
    }
    return x;
}

static size_t digits_at(struct str s, size_t i)
{
    size_t n = 0;
    while (i + n < s.n && s.p[i + n] >= '0' && s.p[i + n] <= '9')
        n++;
    return n;
}

/* Digits, a point, an exponent, and nothing else. */
static bool is_decimal(struct str s)
{
    size_t i = s.n && (s.p[0] == '+' || s.p[0] == '-');
    size_t before = digits_at(s, i);
    size_t after = 0;
    i += before;
    if (i < s.n && s.p[i] == '.') {
        after = digits_at(s, i + 1);
        i += 1 + after;
    }
    if (before + after == 0)
        return false;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
        size_t n = digits_at(s, i);
        if (!n)
            return false;
        i += n;
    }
    return i == s.n;
}

double number_read(struct str text)
{
    struct str s = trimmed(text);
    if (!s.n)
        return 0;
    if (str_is(s, "Infinity") || str_is(s, "+Infinity"))
        return INFINITY;
    if (str_is(s, "-Infinity"))
        return -INFINITY;
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X'))
        return read_base((struct str){ s.p + 2, s.n - 2 }, 16);
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'o' || s.p[1] == 'O'))
        return read_base((struct str){ s.p + 2, s.n - 2 }, 8);
    if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'b' || s.p[1] == 'B'))
        return read_base((struct str){ s.p + 2, s.n - 2 }, 2);
    char copy[READ_BYTES];
    if (s.n >= sizeof copy || !is_decimal(s))
        return NAN;
    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return strtod(copy, NULL);
}
