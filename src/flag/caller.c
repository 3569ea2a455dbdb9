#include "flag/caller.h"

#include "base/fs.h"
#include "base/json.h"
#include "base/limits.h"
#include "net/jwt.h"

#include <sys/stat.h>

#define TOKEN_BYTES_MIN   20
#define TOKENS_FILE_BYTES (64 * KIB)

/* ---- The token of a request ------------------------------------------------------------------ */

static bool is_server_token(const struct caller_rules *rules, const char *token)
{
    char hex[SHA256_HEX_BYTES];
    bool is_known = false;
    hash_hex(HASH_SHA256, str_of(token), hex);
    for (size_t i = 0; i < rules->tokens_n; i++) /* all of them, always */
        is_known |= str_eq_secret(str_of(hex), str_of(rules->tokens[i]));
    return is_known;
}

static int refuse(int status, const char *why, const char **ret_why)
{
    *ret_why = why;
    return status;
}

static int by_role(json_t *claims, struct flag_caller *ret, const char **ret_why)
{
    const char *role = json_text_or(claims, "role", "");
    const char *subject = json_text_or(claims, "sub", "");
    *ret = (struct flag_caller){ .kind = FLAG_CALLER_ANONYMOUS };
    if (streq(role, "anon"))
        return 0;
    if (streq(role, "service_role")) {
        ret->kind = FLAG_CALLER_SERVER;
        return 0;
    }
    if (!streq(role, "authenticated") || !*subject)
        return refuse(403, "the token's role may not ask for flags", ret_why);
    ret->kind = FLAG_CALLER_USER;
    ret->subject = subject;
    ret->app_metadata = json_object_get(claims, "app_metadata");
    return 0;
}

int caller_of(const struct caller_rules *rules, const char *token, int64_t now_unix_ms,
              struct flag_caller *ret, json_t **ret_claims, const char **ret_why)
{
    *ret = (struct flag_caller){ .kind = FLAG_CALLER_ANONYMOUS };
    *ret_claims = NULL;
    if (!token || (rules->anon_key && streq(token, rules->anon_key)))
        return 0;
    if (starts_with(token, "lf")) {
        if (!is_server_token(rules, token))
            return refuse(401, "the token is not known here", ret_why);
        ret->kind = FLAG_CALLER_SERVER;
        return 0;
    }
    if (!rules->jwt_secret)
        return refuse(401, "tokens of the project cannot be read here", ret_why);
    switch (jwt_verify(str_of(token), rules->jwt_secret, now_unix_ms, ret_claims)) {
    case JWT_GOOD:
        return by_role(*ret_claims, ret, ret_why);
    case JWT_EXPIRED:
        return refuse(401, "the token has expired", ret_why);
    case JWT_MALFORMED:
    case JWT_WRONG_ALGORITHM:
    case JWT_BAD_SIGNATURE:
        break;
    }
    return refuse(401, "the token is not valid", ret_why);
}

/* ---- The file of server tokens --------------------------------------------------------------- */

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!strchr("0123456789abcdef", s.p[i]))
            return false;
    }
    return true;
}

static bool take_line(struct str line, bool is_private, char ret[SHA256_HEX_BYTES], struct err *e)
{
    static const char mark[] = "sha256:";
    if (str_starts(line, mark)) {
        struct str hex = { line.p + sizeof mark - 1, line.n - (sizeof mark - 1) };
        if (hex.n != SHA256_HEX_BYTES - 1 || !is_hex(hex))
            return err_set(e, ERR_CONFIG, "sha256: is followed by 64 hex digits in lower case");
        memcpy(ret, hex.p, hex.n);
        return true;
    }
    if (!str_starts(line, "lf") || line.n < TOKEN_BYTES_MIN)
        return err_set(e, ERR_CONFIG,
                       "a server token begins with \"lf\" and has %d characters or more",
                       TOKEN_BYTES_MIN);
    if (!is_private) {
        err_set(e, ERR_CONFIG, "there is a token in clear, and others may read the file");
        return err_hint(e, "chmod 600 the file, or write sha256:<hex of it>");
    }
    hash_hex(HASH_SHA256, line, ret);
    return true;
}

bool caller_tokens_read(struct arena *a, const char *path, struct caller_rules *ret, struct err *e)
{
    struct str text;
    struct stat st;
    if (!fs_read(a, path, TOKENS_FILE_BYTES, &text, e))
        return false;
    bool is_private = stat(path, &st) == 0 && (st.st_mode & (S_IRGRP | S_IROTH)) == 0;
    char(*tokens)[SHA256_HEX_BYTES] = arena_array(a, LIMIT_FLAG_TOKENS, SHA256_HEX_BYTES);
    size_t n = 0;
    for (int number = 1; text.p; number++) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.n == 0 || line.p[0] == '#')
            continue;
        if (n == LIMIT_FLAG_TOKENS)
            return err_set(e, ERR_LIMIT, "%s: more than %d tokens", path, LIMIT_FLAG_TOKENS);
        if (!take_line(line, is_private, tokens[n++], e)) {
            (void)err_wrap(e, "read the server tokens");
            return err_where(e, "%s:%d", path, number);
        }
    }
    ret->tokens = tokens;
    ret->tokens_n = n;
    return true;
}
