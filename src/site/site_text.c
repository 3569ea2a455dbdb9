/*
 * Escapes and packed files: see site_text.h.
 *
 * The plain form is for searching only: what the escapes of JavaScript, JSON, addresses and HTML have
 * in common is taken away without asking which of them the text is. Wherever that is wrong, the text
 * as it stands has been searched before.
 */
#include "site/site_text.h"

#include "base/hash.h"
#include "base/limits.h"

#include <brotli/decode.h>
#include <ctype.h>
#define ZLIB_CONST
#include <zlib.h>

/* ---- escapes ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits of base 16 or 10 at `p`, at most `max`. How many there were; 0: none, or too many. */
static size_t read_number(const char *p, const char *end, int base, size_t max, uint32_t *ret)
{
    uint32_t value = 0;
    size_t n = 0;
    for (; p + n < end && n < max; n++) {
        int digit = hex_digit(p[n]);
        if (digit < 0 || digit >= base)
            break;
        value = value * (uint32_t)base + (uint32_t)digit;
    }
    *ret = value;
    return n;
}

static size_t put_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (c >> 18 & 7));
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* The pair of a high surrogate, \uDXXX, behind it. */
static size_t low_surrogate(const char *p, const char *end, uint32_t *high)
{
    uint32_t low;
    if (*high < 0xd800 || *high > 0xdbff || end - p < 6 || p[0] != '\\' || p[1] != 'u' ||
        read_number(p + 2, end, 16, 4, &low) != 4 || low < 0xdc00 || low > 0xdfff)
        return 0;
    *high = 0x10000 + ((*high - 0xd800) << 10) + (low - 0xdc00);
    return 6;
}

/* How many bytes the escape at `p` takes; what it means goes to out. */
static size_t read_backslash(const char *p, const char *end, char *out, size_t *ret_n)
{
    static const char from[] = "ntrbfv", to[] = "\n\t\r\b\f\v";
    if (end - p < 2)
        return 0;
    uint32_t value;
    if (p[1] == 'u' && end - p > 2 && p[2] == '{') {
        size_t n = read_number(p + 3, end, 16, 6, &value);
        if (n == 0 || p + 3 + n >= end || p[3 + n] != '}')
            return 0;
        *ret_n = put_utf8(value, out);
        return n + 4;
    }
    if (p[1] == 'u' || p[1] == 'x') {
        size_t digits = p[1] == 'u' ? 4 : 2;
        if (read_number(p + 2, end, 16, digits, &value) != digits)
            return 0;
        size_t more = low_surrogate(p + 2 + digits, end, &value);
        *ret_n = put_utf8(value, out);
        return 2 + digits + more;
    }
    const char *known = strchr(from, p[1]);
    out[0] = (char)(known && p[1] ? to[known - from] : p[1]);
    *ret_n = 1;
    return 2;
}

static size_t read_entity(const char *p, const char *end, char *out, size_t *ret_n)
{
    static const struct {
        const char *name;
        char c;
    } names[] = {
        { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' }
    };
    struct str rest = { p, (size_t)(end - p) };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!str_starts(rest, names[i].name))
            continue;
        out[0] = names[i].c;
        *ret_n = 1;
        return strlen(names[i].name);
    }
    if (rest.n < 4 || p[1] != '#')
        return 0;
    bool is_hex = (p[2] | 0x20) == 'x';
    const char *digits = p + (is_hex ? 3 : 2);
    uint32_t value;
    size_t n = read_number(digits, end, is_hex ? 16 : 10, 7, &value);
    if (n == 0 || digits + n >= end || digits[n] != ';')
        return 0;
    *ret_n = put_utf8(value, out);
    return (size_t)(digits - p) + n + 1;
}

/* One escape, or one byte that is none. */
static size_t read_one(const char *p, const char *end, char *out, size_t *ret_n)
{
    size_t taken = 0;
    uint32_t value;
    if (*p == '\\') {
        taken = read_backslash(p, end, out, ret_n);
    } else if (*p == '&') {
        taken = read_entity(p, end, out, ret_n);
    } else if (*p == '%' && end - p > 2 && read_number(p + 1, end, 16, 2, &value) == 2) {
        out[0] = (char)value;
        *ret_n = 1;
        taken = 3;
    }
    if (taken > 0)
        return taken;
    out[0] = *p;
    *ret_n = 1;
    return 1;
}

static bool may_escape(char c)
{
    return c == '\\' || c == '%' || c == '&';
}

bool site_text_plain(struct arena *a, struct str text, struct str *ret)
{
    const char *end = text.p + text.n;
    if (text.n == 0 || (!memchr(text.p, '\\', text.n) && !memchr(text.p, '%', text.n) &&
                        !memchr(text.p, '&', text.n)))
        return false;
    char *out = arena_alloc(a, text.n + 4);
    size_t n = 0;
    for (const char *p = text.p; p < end;) {
        size_t written = 1;
        if (may_escape(*p))
            p += read_one(p, end, out + n, &written);
        else
            out[n] = *p++;
        n += written;
    }
    if (n == text.n)
        return false;
    *ret = (struct str){ out, n };
    return true;
}

size_t site_text_origin(struct str text, size_t at)
{
    const char *p = text.p, *end = text.p + text.n;
    for (size_t n = 0; p < end;) {
        char out[4];
        size_t written;
        size_t taken = read_one(p, end, out, &written);
        if (n + written > at)
            break;
        n += written;
        p += taken;
    }
    return (size_t)(p - text.p);
}

/* ---- packed files ---- */

static bool too_large(const char *path, struct err *e)
{
    err_set(e, ERR_LIMIT, "the built file %s becomes larger than %zu bytes when it is unpacked",
            path, LIMIT_UNPACKED_BYTES);
    return err_hint(e, "leave it out of the published folder: the host compresses what it serves");
}

static bool unpack_gzip(struct arena *a, struct str bytes, bool *ret_fits, struct str *ret)
{
    z_stream z = { 0 };
    if (inflateInit2(&z, 15 + 32) != Z_OK) /* with the head of gzip */
        return false;
    size_t capacity = bytes.n * 4 + 1024, n = 0;
    char *out = arena_alloc(a, capacity);
    z.next_in = (const Bytef *)bytes.p;
    z.avail_in = (uInt)bytes.n;
    int state = Z_OK;
    while (state == Z_OK && n <= LIMIT_UNPACKED_BYTES) {
        if (n == capacity) {
            char *more = arena_alloc(a, capacity * 2);
            memcpy(more, out, n);
            out = more;
            capacity *= 2;
        }
        z.next_out = (Bytef *)out + n;
        z.avail_out = (uInt)(capacity - n);
        state = inflate(&z, Z_NO_FLUSH);
        n = capacity - z.avail_out;
        if (state == Z_BUF_ERROR && z.avail_out == 0)
            state = Z_OK;
    }
    (void)inflateEnd(&z);
    *ret_fits = n <= LIMIT_UNPACKED_BYTES;
    *ret = (struct str){ out, n };
    return n > 0; /* what is cut off or spoiled at its end has a beginning all the same */
}

static bool unpack_brotli(struct arena *a, struct str bytes, bool *ret_fits, struct str *ret)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    if (!state)
        memory_exhausted(0);
    size_t capacity = bytes.n * 4 + 1024, n = 0, in = bytes.n, left = capacity;
    char *out = arena_alloc(a, capacity);
    const uint8_t *next_in = (const uint8_t *)bytes.p;
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && n <= LIMIT_UNPACKED_BYTES) {
        if (left == 0) {
            char *more = arena_alloc(a, capacity * 2);
            memcpy(more, out, n);
            out = more;
            left = capacity;
            capacity *= 2;
        }
        uint8_t *next_out = (uint8_t *)out + n;
        result = BrotliDecoderDecompressStream(state, &in, &next_in, &left, &next_out, NULL);
        n = capacity - left;
    }
    BrotliDecoderDestroyInstance(state);
    *ret_fits = n <= LIMIT_UNPACKED_BYTES;
    *ret = (struct str){ out, n };
    return result == BROTLI_DECODER_RESULT_SUCCESS || !*ret_fits;
}

bool site_text_unpack(struct arena *a, const char *path, struct str bytes, bool *ret_is_packed,
                      struct str *ret, struct err *e)
{
    bool fits = true;
    *ret_is_packed = false;
    if (bytes.n < 2)
        return true;
    if (bytes.p[0] == '\x1f' && bytes.p[1] == '\x8b')
        *ret_is_packed = unpack_gzip(a, bytes, &fits, ret);
    else if (ends_with(path, ".br"))
        *ret_is_packed = unpack_brotli(a, bytes, &fits, ret);
    return fits || too_large(path, e);
}

/* ---- maps inside ---- */

bool site_text_inner(struct arena *a, struct str text, size_t *at, struct str *ret)
{
    static const char head[] = "sourceMappingURL=data:", mark[] = ";base64,";
    const char *end = text.p + text.n;
    while (*at < text.n) {
        const char *p = memmem(text.p + *at, text.n - *at, head, sizeof head - 1);
        if (!p)
            return false;
        *at = (size_t)(p - text.p) + sizeof head - 1;
        size_t near = (size_t)(end - p) < 128 ? (size_t)(end - p) : 128;
        const char *data = memmem(p, near, mark, sizeof mark - 1);
        if (!data)
            continue;
        data += sizeof mark - 1;
        size_t n = 0;
        while (data + n < end &&
               (isalnum((unsigned char)data[n]) || (data[n] && strchr("+/=", data[n]))))
            n++;
        *at = (size_t)(data - text.p) + n;
        if (base64_decode(a, (struct str){ data, n }, ret))
            return true;
    }
    return false;
}
