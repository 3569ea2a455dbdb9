/*
 * The table of patterns: see site_pattern.h.
 */
#include "site/site_pattern.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/json.h"

#include <ctype.h>

enum {
    MAX_JWT_BYTES = 8 * 1024,
    MIN_VARIETY = 8, /* different characters of a body; made-up ones repeat */
    NEAR_BYTES = 300,
    MIN_PEM_BYTES = 64,
};

/* ---- characters ---- */

static bool is_of(const char *class, char c)
{
    bool is_alnum = isalnum((unsigned char)c) != 0;
    if (streq(class, "hex"))
        return isxdigit((unsigned char)c) != 0;
    if (streq(class, "upper"))
        return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
    if (streq(class, "word"))
        return is_alnum || c == '_' || c == '-';
    if (streq(class, "sendgrid"))
        return is_alnum || c == '_' || c == '-' || c == '.';
    if (streq(class, "base64"))
        return is_alnum || c == '+' || c == '/' || c == '=';
    return is_alnum;
}

static size_t run_of(const char *class, struct str text, size_t at)
{
    size_t n = 0;
    while (at + n < text.n && is_of(class, text.p[at + n]))
        n++;
    return n;
}

/* "task-…" is no "sk-…". */
static bool begins_word(struct str text, size_t at)
{
    return at == 0 || !is_of("word", text.p[at - 1]);
}

static size_t variety(struct str s)
{
    bool seen[256] = { false };
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        n += !seen[(unsigned char)s.p[i]];
        seen[(unsigned char)s.p[i]] = true;
    }
    return n;
}

/* From a manual, or not filled in. */
static bool is_made_up(struct str body)
{
    static const char *const words[] = { "example", "xxxx", "your",    "placeholder",
                                         "....",    "****", "0000000", "abcdefghijkl" };
    char lower[128];
    size_t n = body.n < sizeof lower - 1 ? body.n : sizeof lower - 1;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)body.p[i]);
    lower[n] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(lower, words[i]))
            return true;
    return variety(body) < MIN_VARIETY;
}

/* ---- kinds ---- */

static bool is_token(struct str text, size_t at, const struct site_pattern *p)
{
    size_t from = at + strlen(p->prefix), n = run_of(p->of, text, from);
    return begins_word(text, at) && n >= p->min && n <= p->max &&
           !is_made_up((struct str){ text.p + from, n });
}

/* One segment of a JWT, decoded and parsed. */
static json_t *jwt_part(struct arena *a, struct str part)
{
    struct str bytes;
    struct err ignored = { 0 };
    return base64url_decode(a, part, &bytes) ? json_parse(bytes, "token", &ignored) : NULL;
}

/* Whatever project it is for: the role passes every policy of the database. */
static bool is_service_role(struct str text, size_t at, const struct site_pattern *p)
{
    (void)p;
    size_t head = run_of("word", text, at), from = at + head + 1;
    if (!begins_word(text, at) || at + head >= text.n || text.p[at + head] != '.' ||
        head > MAX_JWT_BYTES)
        return false;
    size_t body = run_of("word", text, from);
    if (body == 0 || body > MAX_JWT_BYTES || from + body >= text.n || text.p[from + body] != '.')
        return false;
    CLEANUP(arena) struct arena *a = arena_new(0);
    json_auto_t *claims = jwt_part(a, (struct str){ text.p + from, body });
    const char *role = json_text_or(claims, "role", "");
    return streq(role, "service_role") || streq(role, "supabase_admin");
}

/* The id of an AWS key is worth something together with its secret: 40 characters, near by. */
static bool is_aws_key(struct str text, size_t at, const struct site_pattern *p)
{
    if (!is_token(text, at, p))
        return false;
    size_t from = at > NEAR_BYTES ? at - NEAR_BYTES : 0;
    size_t to = at + NEAR_BYTES < text.n ? at + NEAR_BYTES : text.n;
    for (size_t i = from; i < to;) {
        size_t n = run_of("base64", text, i);
        if (n == 40 && variety((struct str){ text.p + i, n }) > 2 * (size_t)MIN_VARIETY)
            return true;
        i += n + 1;
    }
    return false;
}

/* Libraries have the first line of a key; a key has more. */
static bool is_private_key(struct str text, size_t at, const struct site_pattern *p)
{
    static const char end[] = "PRIVATE KEY-----";
    size_t i = at + strlen(p->prefix);
    struct str line = { text.p + i, text.n - i < 40 ? text.n - i : 40 };
    const char *mark = memmem(line.p, line.n, end, sizeof end - 1);
    if (!mark)
        return false;
    size_t body = 0;
    for (i = (size_t)(mark - text.p) + sizeof end - 1; i < text.n; i++) {
        char c = text.p[i];
        bool is_break =
            c == '\\' && i + 1 < text.n && (text.p[i + 1] == 'n' || text.p[i + 1] == 'r');
        if (is_of("base64", c))
            body++;
        else if (is_break)
            i++;
        else if (c != '\n' && c != '\r')
            break;
    }
    return body >= MIN_PEM_BYTES;
}

static bool has(struct str s, const char *part)
{
    return s.p && memmem(s.p, s.n, part, strlen(part)) != NULL;
}

static bool is_placeholder_password(struct str s)
{
    static const char *const words[] = { "password",   "pass", "secret", "postgres", "user",
                                         "mypassword", "pwd",  "root",   "example",  "test" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_is(s, words[i]))
            return true;
    return s.n < 4 || strchr("$<{[%*:", s.p[0]) || has(s, "${") || has(s, "YOUR") ||
           has(s, "xxx") || has(s, "password");
}

/* postgres://user:password@host */
static bool is_database_url(struct str text, size_t at, const struct site_pattern *p)
{
    size_t i = at + strlen(p->prefix), user = i;
    while (i < text.n && (is_of("word", text.p[i]) || text.p[i] == '.' || text.p[i] == '%'))
        i++;
    if (i == user || i >= text.n || text.p[i] != ':')
        return false;
    size_t from = ++i;
    while (i < text.n && (unsigned char)text.p[i] > ' ' && !strchr("@/\"'`<>\\", text.p[i]))
        i++;
    if (i >= text.n || text.p[i] != '@' || i == from)
        return false;
    struct str host = { text.p + i + 1, text.n - i - 1 };
    return !is_placeholder_password((struct str){ text.p + from, i - from }) &&
           !str_starts(host, "localhost") && !str_starts(host, "127.0.0.1") &&
           !str_starts(host, "example") && run_of("alnum", host, 0) > 0;
}

/* A token of Meta is long, and stands alone: in the middle of base64 its beginning occurs by chance. */
static bool is_meta_token(struct str text, size_t at, const struct site_pattern *p)
{
    static const char data[] = "base64,";
    if ((at > 0 && (is_of("base64", text.p[at - 1]) || strchr("_-", text.p[at - 1]))) ||
        (at >= sizeof data - 1 &&
         memcmp(text.p + at - (sizeof data - 1), data, sizeof data - 1) == 0))
        return false;
    size_t n = run_of("alnum", text, at + 3);
    bool ends = at + 3 + n >= text.n || !is_of("base64", text.p[at + 3 + n]);
    return ends && n >= p->min && n <= p->max &&
           variety((struct str){ text.p + at + 3, n }) > 3 * (size_t)MIN_VARIETY;
}

static bool is_openai_key(struct str text, size_t at, const struct site_pattern *p)
{
    static const char mark[] = "T3BlbkFJ"; /* "OpenAI", in base64, in the middle of each */
    size_t from = at + strlen(p->prefix), n = run_of("word", text, from);
    return begins_word(text, at) && n >= 40 && memmem(text.p + from, n, mark, sizeof mark - 1);
}

/* 123456789:AA… */
static bool is_telegram_token(struct str text, size_t at, const struct site_pattern *p)
{
    size_t digits = 0;
    while (digits < at && isdigit((unsigned char)text.p[at - 1 - digits]))
        digits++;
    size_t from = at + strlen(p->prefix), n = run_of("word", text, from);
    return digits >= 8 && digits <= 10 && n == 33 && !is_made_up((struct str){ text.p + from, n });
}

static bool is_service_account(struct str text, size_t at, const struct site_pattern *p)
{
    static const struct site_pattern key = { .prefix = "-----BEGIN " };
    size_t n = text.n - at < 4096 ? text.n - at : 4096, length = strlen(key.prefix);
    const char *begin = memmem(text.p + at, n, key.prefix, length);
    (void)p;
    return begin && is_private_key(text, (size_t)(begin - text.p), &key);
}

/* ---- the table ---- */

#define ASK(provider)                                                                              \
    "make a new one at " provider " and let this one expire: whoever saw the build has it"

// clang-format off
const struct site_pattern site_patterns[] = {
    { "supabase-service-role",  "eyJ",         "a service-role key of Supabase, which passes every policy", ASK("Supabase"), is_service_role, NULL, 0, 0 },
    { "supabase-secret-key",    "sb_secret_",  "a secret key of Supabase",       ASK("Supabase"),  is_token, "word",  20, 200 },
    { "supabase-access-token",  "sbp_",        "an access token of Supabase",    ASK("Supabase"),  is_token, "hex",   40, 40 },
    { "supabase-access-token",  "sbp_v0_",     "an access token of Supabase",    ASK("Supabase"),  is_token, "hex",   40, 40 },
    { "supabase-access-token",  "sbp_oauth_",  "an access token of Supabase",    ASK("Supabase"),  is_token, "hex",   40, 40 },
    { "netlify-token",          "nfp_",        "an access token of Netlify",     ASK("Netlify"),   is_token, "alnum", 32, 60 },
    { "netlify-token",          "nfc_",        "an access token of Netlify",     ASK("Netlify"),   is_token, "alnum", 32, 60 },
    { "netlify-token",          "nfo_",        "an access token of Netlify",     ASK("Netlify"),   is_token, "alnum", 32, 60 },
    { "netlify-token",          "nfu_",        "an access token of Netlify",     ASK("Netlify"),   is_token, "alnum", 32, 60 },
    { "github-token",           "ghp_",        "a token of GitHub",              ASK("GitHub"),    is_token, "alnum", 36, 255 },
    { "github-token",           "gho_",        "a token of GitHub",              ASK("GitHub"),    is_token, "alnum", 36, 255 },
    { "github-token",           "ghu_",        "a token of GitHub",              ASK("GitHub"),    is_token, "alnum", 36, 255 },
    { "github-token",           "ghs_",        "a token of GitHub",              ASK("GitHub"),    is_token, "alnum", 36, 255 },
    { "github-token",           "ghr_",        "a token of GitHub",              ASK("GitHub"),    is_token, "alnum", 36, 255 },
    { "github-token",           "github_pat_", "a token of GitHub",              ASK("GitHub"),    is_token, "word",  40, 255 },
    { "gitlab-token",           "glpat-",      "a token of GitLab",              ASK("GitLab"),    is_token, "word",  20, 64 },
    { "stripe-secret-key",      "sk_live_",    "a secret key of Stripe",         ASK("Stripe"),    is_token, "alnum", 16, 250 },
    { "stripe-secret-key",      "rk_live_",    "a restricted key of Stripe",     ASK("Stripe"),    is_token, "alnum", 16, 250 },
    { "stripe-webhook-secret",  "whsec_",      "a webhook secret",               ASK("Stripe"),    is_token, "base64", 24, 100 },
    { "aws-key",                "AKIA",        "a key of AWS with its secret",   ASK("AWS"),       is_aws_key, "upper", 16, 16 },
    { "aws-key",                "ASIA",        "a key of AWS with its secret",   ASK("AWS"),       is_aws_key, "upper", 16, 16 },
    { "google-service-account", "service_account", "a service account of Google with its private key", ASK("Google"), is_service_account, NULL, 0, 0 },
    { "google-client-secret",   "GOCSPX-",     "a client secret of Google",      ASK("Google"),    is_token, "word",  28, 28 },
    { "slack-token",            "xoxb-",       "a token of Slack",               ASK("Slack"),     is_token, "word",  20, 255 },
    { "slack-token",            "xoxp-",       "a token of Slack",               ASK("Slack"),     is_token, "word",  20, 255 },
    { "slack-token",            "xoxa-",       "a token of Slack",               ASK("Slack"),     is_token, "word",  20, 255 },
    { "slack-token",            "xoxr-",       "a token of Slack",               ASK("Slack"),     is_token, "word",  20, 255 },
    { "slack-token",            "xoxs-",       "a token of Slack",               ASK("Slack"),     is_token, "word",  20, 255 },
    { "slack-token",            "xapp-",       "a token of Slack",               ASK("Slack"),     is_token, "word",  20, 255 },
    { "slack-webhook",          "hooks.slack.com/services/T", "a webhook of Slack", ASK("Slack"), is_token, "base64", 30, 80 },
    { "anthropic-key",          "sk-ant-",     "a key of Anthropic",             ASK("Anthropic"), is_token, "word",  40, 255 },
    { "openai-key",             "sk-",         "a key of OpenAI",                ASK("OpenAI"),    is_openai_key, NULL, 0, 0 },
    { "meta-token",             "EAA",         "an access token of Meta (WhatsApp, Facebook)", ASK("Meta"), is_meta_token, "alnum", 90, 400 },
    { "sendgrid-key",           "SG.",         "a key of SendGrid",              ASK("SendGrid"),  is_token, "sendgrid", 66, 66 },
    { "telegram-token",         ":AA",         "a bot token of Telegram",        ASK("Telegram"),  is_telegram_token, NULL, 0, 0 },
    { "shopify-token",          "shpat_",      "a token of Shopify",             ASK("Shopify"),   is_token, "hex",   32, 32 },
    { "npm-token",              "npm_",        "a token of npm",                 ASK("npm"),       is_token, "alnum", 36, 36 },
    { "huggingface-token",      "hf_",         "a token of Hugging Face",        ASK("Hugging Face"), is_token, "alnum", 34, 40 },
    { "digitalocean-token",     "dop_v1_",     "a token of DigitalOcean",        ASK("DigitalOcean"), is_token, "hex", 64, 64 },
    { "lockflight-key",         "lfsk1_",      "an identity key of Lockflight",  "lockflight vars rotate <environment>, without its owner", is_token, "word", 40, 200 },
    { "private-key",            "-----BEGIN ", "a private key",                  "make a new pair: whoever saw the build has this one", is_private_key, NULL, 0, 0 },
    { "database-url",           "postgres://",   "a database address with its password", "change the password; a site asks an API, not the database", is_database_url, NULL, 0, 0 },
    { "database-url",           "postgresql://", "a database address with its password", "change the password; a site asks an API, not the database", is_database_url, NULL, 0, 0 },
    { "database-url",           "mysql://",      "a database address with its password", "change the password; a site asks an API, not the database", is_database_url, NULL, 0, 0 },
    { "database-url",           "mongodb+srv://", "a database address with its password", "change the password; a site asks an API, not the database", is_database_url, NULL, 0, 0 },
    { "database-url",           "mongodb://",    "a database address with its password", "change the password; a site asks an API, not the database", is_database_url, NULL, 0, 0 },
    { 0 },
};
// clang-format on

const struct site_pattern *site_pattern_find(struct str text)
{
    for (const struct site_pattern *p = site_patterns; p->name; p++) {
        size_t n = strlen(p->prefix);
        for (const char *at = text.p; text.n >= n;) {
            at = memmem(at, text.n - (size_t)(at - text.p), p->prefix, n);
            if (!at)
                break;
            if (p->is_it(text, (size_t)(at - text.p), p))
                return p;
            at++;
        }
    }
    return NULL;
}
