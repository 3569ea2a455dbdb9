/*
 * Reading tokens: see js_token.h.
 *
 * A stack of frames says what the text around us is. Code is read in frames of brackets, the rest
 * (a template, a tag, what stands between tags) has a loop of its own. No recursion: the depth of
 * the stack costs memory only.
 *
 * A slash begins a regular expression, and "<" an element, where a value cannot just have ended;
 * `after_value` is that. It is exact but for the two cases in which JavaScript itself needs the
 * grammar: after ")" we remember which word stood before "(", after "}" what stood before "{".
 */
#include "secret/js_token.h"

#include "base/limits.h"
#include "base/vec.h"

enum {
    /* How far we look for the end of what may be an element, in all: longer files have their doubtful
     * ones read as types. */
    CLOSING_SEARCH_BYTES = 64 * 1024 * 1024,
    MAX_TAG_BYTES = 128,
};

enum frame_kind {
    FRAME_ROUND,
    FRAME_SQUARE,
    FRAME_BRACE,
    FRAME_SUBSTITUTION, /* ${ of a template */
    FRAME_JSX_VALUE,    /* { of an element */
    FRAME_TEMPLATE,
    FRAME_TAG,      /* from < to > */
    FRAME_CHILDREN, /* from > to </ */
};

struct frame {
    enum frame_kind kind;
    bool is_value; /* what it makes is a value: (a + b), { a: 1 } */
};

struct reader {
    struct arena *a;
    struct str s;
    size_t i;
    enum js_dialect dialect;
    bool after_value;
    size_t search_left;
    VEC(struct frame) stack;
    VEC(struct js_token) tokens;
    VEC(struct js_note) notes;
};

/* ---- characters ---- */

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           (unsigned char)c >= 128;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return is_name_start(c) || is_digit(c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static char peek(const struct reader *r, size_t ahead)
{
    return (char)(r->i + ahead < r->s.n ? r->s.p[r->i + ahead] : '\0');
}

static bool looks_at(const struct reader *r, const char *text)
{
    size_t n = strlen(text);
    return r->i + n <= r->s.n && memcmp(r->s.p + r->i, text, n) == 0;
}

/* ---- frames and tokens ---- */

static void push(struct reader *r, enum frame_kind kind, bool is_value)
{
    *vec_add(&r->stack, r->a) = (struct frame){ kind, is_value };
}

static struct frame *top(struct reader *r)
{
    return r->stack.n > 0 ? &r->stack.v[r->stack.n - 1] : NULL;
}

static void emit(struct reader *r, enum js_kind kind, size_t at, size_t n, bool is_value)
{
    *vec_add(&r->tokens, r->a) = (struct js_token){ kind, { r->s.p + at, n } };
    r->after_value = is_value;
}

static bool last_is(const struct reader *r, const char *text)
{
    return r->tokens.n > 0 && r->tokens.v[r->tokens.n - 1].kind != JS_STRING &&
           str_is(r->tokens.v[r->tokens.n - 1].text, text);
}

static bool is_one_of(struct str s, const char *const *words)
{
    for (; *words; words++)
        if (str_is(s, *words))
            return true;
    return false;
}

/* ---- comments, strings, templates ---- */

static void take_note(struct reader *r, size_t from, size_t to)
{
    static const char mark[] = "lockflight:";
    const char *at = memmem(r->s.p + from, to - from, mark, sizeof mark - 1);
    if (!at)
        return;
    const char *begin = at + sizeof mark - 1, *end = r->s.p + to;
    const char *line_end = memchr(begin, '\n', (size_t)(end - begin));
    struct str text = { begin, (size_t)((line_end ? line_end : end) - begin) };
    *vec_add(&r->notes, r->a) = (struct js_note){ str_trim(text), r->s.p + from };
}

static void skip_comment(struct reader *r)
{
    size_t from = r->i;
    bool is_line = r->s.p[r->i + 1] == '/';
    const char *end =
        memmem(r->s.p + r->i + 2, r->s.n - r->i - 2, is_line ? "\n" : "*/", is_line ? 1 : 2);
    size_t to = end ? (size_t)(end - r->s.p) : r->s.n;
    r->i = end && !is_line ? to + 2 : to;
    take_note(r, from, to);
}

/* A quote without its partner on the line is a sign like any other. */
static void read_string(struct reader *r)
{
    char quote = r->s.p[r->i];
    for (size_t j = r->i + 1; j < r->s.n && r->s.p[j] != '\n'; j++) {
        if (r->s.p[j] == '\\') {
            j++;
        } else if (r->s.p[j] == quote) {
            emit(r, JS_STRING, r->i + 1, j - r->i - 1, true);
            r->i = j + 1;
            return;
        }
    }
    emit(r, JS_PUNCT, r->i, 1, false);
    r->i++;
}

/* Where the constant part that begins at `i` ends: at "`", at "${" or with the text. */
static size_t chunk_end(const struct reader *r, size_t i)
{
    for (; i < r->s.n && r->s.p[i] != '`'; i++) {
        if (r->s.p[i] == '\\')
            i++;
        else if (r->s.p[i] == '$' && i + 1 < r->s.n && r->s.p[i + 1] == '{')
            break;
    }
    return i < r->s.n ? i : r->s.n;
}

static void begin_template(struct reader *r)
{
    size_t end = chunk_end(r, r->i + 1);
    if (end < r->s.n && r->s.p[end] == '`') {
        emit(r, JS_STRING, r->i + 1, end - r->i - 1, true);
        r->i = end + 1;
        return;
    }
    emit(r, JS_PUNCT, r->i, 1, false);
    push(r, FRAME_TEMPLATE, true);
    r->i++;
}

static void read_template(struct reader *r)
{
    size_t end = chunk_end(r, r->i);
    if (end > r->i)
        emit(r, JS_CHUNK, r->i, end - r->i, false);
    r->i = end;
    if (end == r->s.n)
        return;
    if (r->s.p[end] == '`') {
        emit(r, JS_PUNCT, end, 1, true);
        r->stack.n--;
        r->i++;
        return;
    }
    emit(r, JS_PUNCT, end + 1, 1, false);
    push(r, FRAME_SUBSTITUTION, false);
    r->i += 2;
}

/* ---- elements ---- */

/* Does a tag with this name end somewhere behind? A type parameter has no end. */
static bool is_closed_later(struct reader *r, struct str name)
{
    char wanted[MAX_TAG_BYTES + 4] = "</";
    if (name.n > MAX_TAG_BYTES)
        return false;
    memcpy(wanted + 2, name.p, name.n);
    size_t rest = r->s.n - r->i;
    if (rest > r->search_left)
        return false;
    const char *at = memmem(r->s.p + r->i, rest, wanted, name.n + 2);
    r->search_left -= at ? (size_t)(at - (r->s.p + r->i)) : rest;
    return at != NULL;
}

/* At "<" where a value may begin. In TypeScript <T,>(x), <T extends U>(x) and <T>(x) are functions. */
static bool is_element(struct reader *r)
{
    if (r->dialect == JS_TYPED)
        return false;
    size_t i = r->i + 1;
    while (i < r->s.n && (is_name(r->s.p[i]) || strchr("-.:", r->s.p[i])))
        i++;
    struct str name = { r->s.p + r->i + 1, i - r->i - 1 };
    if (name.n > 0 && !is_name_start(name.p[0]))
        return false;
    if (i < r->s.n && r->s.p[i] == '>')
        return is_closed_later(r, name);
    if (name.n == 0 || r->dialect != JS_TYPED_X)
        return name.n > 0;
    while (i < r->s.n && is_blank(r->s.p[i]))
        i++;
    struct str rest = { r->s.p + i, r->s.n - i };
    return !str_is(name, "const") && !str_starts(rest, ",") && !str_starts(rest, "extends ") &&
           !str_starts(rest, "=");
}

/* The element on top of the stack is whole. */
static void end_element(struct reader *r)
{
    r->stack.n--;
    const struct frame *outer = top(r);
    if (!outer || (outer->kind != FRAME_CHILDREN && outer->kind != FRAME_TAG))
        emit(r, JS_JSX, r->i > 0 ? r->i - 1 : 0, 1, true);
}

static void begin_element(struct reader *r)
{
    emit(r, JS_JSX, r->i, 1, false);
    push(r, FRAME_TAG, true);
    r->i++;
}

/* <Table<Row> …>: the arguments of a type, or an element as the value of an attribute. */
static void read_angle(struct reader *r)
{
    size_t before = r->i;
    while (before > 0 && is_blank(r->s.p[before - 1]))
        before--;
    if (before > 0 && r->s.p[before - 1] == '=') {
        begin_element(r);
        return;
    }
    int depth = 0;
    for (; r->i < r->s.n; r->i++) {
        depth += r->s.p[r->i] == '<';
        depth -= r->s.p[r->i] == '>';
        if (depth == 0)
            break;
    }
    r->i += r->i < r->s.n;
}

static void begin_value(struct reader *r)
{
    emit(r, JS_PUNCT, r->i, 1, false);
    push(r, FRAME_JSX_VALUE, false);
    r->i++;
}

static void read_tag(struct reader *r)
{
    char c = r->s.p[r->i];
    if (c == '/' && peek(r, 1) == '>') {
        r->i += 2;
        end_element(r);
    } else if (c == '>') {
        top(r)->kind = FRAME_CHILDREN;
        r->i++;
    } else if (c == '/' && (peek(r, 1) == '/' || peek(r, 1) == '*')) {
        skip_comment(r);
    } else if (c == '"' || c == '\'') {
        const char *end = memchr(r->s.p + r->i + 1, c, r->s.n - r->i - 1);
        r->i = end ? (size_t)(end - r->s.p) + 1 : r->s.n;
    } else if (c == '{') {
        begin_value(r);
    } else if (c == '<') {
        read_angle(r);
    } else {
        r->i++;
    }
}

static void read_children(struct reader *r)
{
    while (r->i < r->s.n && r->s.p[r->i] != '{' && r->s.p[r->i] != '<')
        r->i++;
    if (r->i == r->s.n)
        return;
    if (r->s.p[r->i] == '{') {
        begin_value(r);
    } else if (peek(r, 1) == '/') {
        const char *end = memchr(r->s.p + r->i, '>', r->s.n - r->i);
        r->i = end ? (size_t)(end - r->s.p) + 1 : r->s.n;
        end_element(r);
    } else {
        push(r, FRAME_TAG, true);
        r->i++;
    }
}

/* ---- code ---- */

static void read_name(struct reader *r)
{
    /* Words after which a value begins. Behind a dot they are names. */
    static const char *const before_value[] = { "return",     "typeof", "case",  "in",    "of",
                                                "new",        "delete", "void",  "throw", "do",
                                                "instanceof", "else",   "await", "yield", "default",
                                                "extends",    NULL };
    size_t from = r->i++;
    while (r->i < r->s.n && is_name(r->s.p[r->i]))
        r->i++;
    struct str word = { r->s.p + from, r->i - from };
    bool is_member = last_is(r, ".") || last_is(r, "?.");
    emit(r, JS_NAME, from, word.n, is_member || !is_one_of(word, before_value));
}

static void read_number(struct reader *r)
{
    size_t from = r->i++;
    while (r->i < r->s.n) {
        char c = r->s.p[r->i], before = r->s.p[r->i - 1];
        bool is_sign = (c == '+' || c == '-') && (before == 'e' || before == 'E') &&
                       !(from + 1 < r->s.n && (r->s.p[from + 1] | 32) == 'x');
        if (!is_name(c) && c != '.' && !is_sign)
            break;
        r->i++;
    }
    emit(r, JS_NUMBER, from, r->i - from, true);
}

/* A regular expression ends on its line; what does not, is a division. */
static bool read_regex(struct reader *r)
{
    bool in_class = false;
    for (size_t j = r->i + 1; j < r->s.n && r->s.p[j] != '\n'; j++) {
        char c = r->s.p[j];
        if (c == '\\') {
            j++;
        } else if (c == '[') {
            in_class = true;
        } else if (c == ']') {
            in_class = false;
        } else if (c == '/' && !in_class) {
            size_t from = r->i;
            for (r->i = j + 1; r->i < r->s.n && is_name(r->s.p[r->i]);)
                r->i++;
            emit(r, JS_REGEX, from, r->i - from, true);
            return true;
        }
    }
    return false;
}

/* "{" opens statements, or an object? Told by what stands before it. */
static bool opens_object(const struct reader *r)
{
    if (r->tokens.n == 0 || r->after_value)
        return false;
    const struct js_token *t = &r->tokens.v[r->tokens.n - 1];
    static const char *const before_block[] = { ";", "{", "}", "=>", ")", "do", "else", NULL };
    return !is_one_of(t->text, before_block);
}

static void open_bracket(struct reader *r, char c)
{
    static const char *const before_condition[] = { "if", "while", "for", "with", NULL };
    if (c == '(') {
        bool is_condition = r->tokens.n > 0 && r->tokens.v[r->tokens.n - 1].kind == JS_NAME &&
                            is_one_of(r->tokens.v[r->tokens.n - 1].text, before_condition) &&
                            !(r->tokens.n > 1 && str_is(r->tokens.v[r->tokens.n - 2].text, "."));
        push(r, FRAME_ROUND, !is_condition);
    } else if (c == '[') {
        push(r, FRAME_SQUARE, true);
    } else {
        push(r, FRAME_BRACE, opens_object(r));
    }
    emit(r, JS_PUNCT, r->i++, 1, false);
}

/* Brackets that do not match close what is open, up to the text around them. */
static void close_bracket(struct reader *r, char c)
{
    const struct frame *f = top(r);
    bool is_value = c != '}' && (!f || f->is_value);
    if (c == '}' && f && f->kind == FRAME_BRACE)
        is_value = f->is_value;
    bool is_ours = f && (f->kind == FRAME_ROUND || f->kind == FRAME_SQUARE ||
                         f->kind == FRAME_BRACE || c == '}');
    if (is_ours)
        r->stack.n--;
    emit(r, JS_PUNCT, r->i++, 1, is_value);
}

static void read_punct(struct reader *r)
{
    static const char *const longer[] = { "...", "===", "!==", "=>", "==", "!=", "++",
                                          "--",  "&&",  "||",  "??", "<<", NULL };
    if (looks_at(r, "?.") && !is_digit(peek(r, 2))) {
        emit(r, JS_PUNCT, r->i, 2, false);
        r->i += 2;
        return;
    }
    size_t n = 1;
    for (const char *const *p = longer; *p && n == 1; p++)
        if (looks_at(r, *p))
            n = strlen(*p);
    char c = r->s.p[r->i];
    bool keeps = n == 2 && (c == '+' || c == '-'); /* a++ stays a value */
    keeps |= n == 1 && c == '!';                   /* so does a! */
    emit(r, JS_PUNCT, r->i, n, keeps && r->after_value);
    r->i += n;
}

static void read_code(struct reader *r)
{
    char c = r->s.p[r->i];
    if (is_blank(c))
        r->i++;
    else if (c == '/' && (peek(r, 1) == '/' || peek(r, 1) == '*'))
        skip_comment(r);
    else if (c == '/' && !r->after_value && read_regex(r))
        return;
    else if (c == '"' || c == '\'')
        read_string(r);
    else if (c == '`')
        begin_template(r);
    else if (is_name_start(c) || (c == '#' && is_name_start(peek(r, 1))))
        read_name(r);
    else if (is_digit(c) || (c == '.' && is_digit(peek(r, 1))))
        read_number(r);
    else if (c == '<' && !r->after_value && is_element(r))
        begin_element(r);
    else if (c == '(' || c == '[' || c == '{')
        open_bracket(r, c);
    else if (c == ')' || c == ']' || c == '}')
        close_bracket(r, c);
    else
        read_punct(r);
}

struct js_text js_tokens(struct arena *a, struct str source, enum js_dialect dialect)
{
    struct reader r = {
        .a = a, .s = source, .dialect = dialect, .search_left = CLOSING_SEARCH_BYTES
    };
    if (str_starts(source, "#!"))
        while (r.i < source.n && source.p[r.i] != '\n')
            r.i++;
    while (r.i < source.n) {
        const struct frame *f = top(&r);
        if (f && f->kind == FRAME_TEMPLATE)
            read_template(&r);
        else if (f && f->kind == FRAME_TAG)
            read_tag(&r);
        else if (f && f->kind == FRAME_CHILDREN)
            read_children(&r);
        else
            read_code(&r);
    }
    return (struct js_text){ r.tokens.v, r.tokens.n, r.notes.v, r.notes.n };
}

void js_place(struct str source, const char *at, int *ret_line, int *ret_column)
{
    int line = 1, column = 1;
    for (const char *p = source.p; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else {
            column += ((unsigned char)*p & 0xc0) != 0x80;
        }
    }
    *ret_line = line;
    *ret_column = column;
}
