/*
 * Judging names and values: see public_name.h.
 */
#include "secret/public_name.h"

#include <math.h>

enum {
    RANDOM_FROM_BYTES = 40, /* shorter ones are ids, hashes of versions, keys of maps */
};

#define RANDOM_FROM_BITS 4.5 /* for each character; hexadecimal digits cannot have more than 4 */

const char *public_prefix(const char *name)
{
    static const char *const prefixes[] = {
        "VITE_",        "PUBLIC_",        "NEXT_PUBLIC_",     "REACT_APP_",
        "NUXT_PUBLIC_", "GATSBY_",        "EXPO_PUBLIC_",     "VUE_APP_",
        "NG_APP_",      "PARCEL_PUBLIC_", "SNOWPACK_PUBLIC_", "RSPACK_PUBLIC_",
        "STORYBOOK_",   "PLASMO_PUBLIC_", "SANITY_STUDIO_",
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (starts_with(name, prefixes[i]))
            return prefixes[i];
    return NULL;
}

/* Does the name have these words, whole, at its end or, if not `at_end`, anywhere? */
static bool has_words(const char *name, const char *words, bool at_end)
{
    size_t n = strlen(words);
    for (const char *p = strstr(name, words); p; p = strstr(p + 1, words)) {
        bool begins = p == name || p[-1] == '_';
        bool ends = p[n] == '\0' || (!at_end && p[n] == '_');
        if (begins && ends)
            return true;
    }
    return false;
}

static size_t without_age(const char *name)
{
    static const char *const ages[] = { "_PREVIOUS", "_OLD",        "_NEXT", "_NEW",  "_PROD",
                                        "_STAGING",  "_PRODUCTION", "_DEV",  "_TEST", "_LIVE" };
    for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++)
        if (ends_with(name, ages[i]))
            return strlen(name) - strlen(ages[i]);
    return strlen(name);
}

const char *secret_word(const char *name)
{
    static const char *const published[] = { "ANON",       "ANON_KEY", "PUBLISHABLE",
                                             "PUBLIC_KEY", "SITE_KEY", "SITEKEY",
                                             "MAPBOX",     "POSTHOG",  "ANALYTICS" };
    static const char *const last[] = {
        "SECRET",     "SECRETS",      "TOKEN",          "PASSWORD",    "PASSWD",
        "PASSPHRASE", "CREDENTIAL",   "CREDENTIALS",    "SECRET_KEY",  "PRIVATE_KEY",
        "ACCESS_KEY", "SIGNING_KEY",  "ENCRYPTION_KEY", "SERVICE_KEY", "ADMIN_KEY",
        "MASTER_KEY", "DATABASE_URL", "DB_URL",         "JWT_KEY"
    };
    static const char *const pairs[] = { "SERVICE_ACCOUNT", "APP_SECRET",     "CLIENT_SECRET",
                                         "API_SECRET",      "WEBHOOK_SECRET", "ACCESS_TOKEN",
                                         "BOT_TOKEN",       "AUTH_TOKEN" };
    char upper[256];
    size_t n = without_age(name);
    if (n >= sizeof upper)
        return NULL;
    for (size_t i = 0; i < n; i++)
        upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
    upper[n] = '\0';
    const char *prefix = public_prefix(upper);
    const char *rest = prefix ? upper + strlen(prefix) : upper;
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++)
        if (has_words(rest, published[i], false))
            return NULL;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (has_words(rest, pairs[i], true))
            return pairs[i];
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
        if (has_words(rest, last[i], true))
            return last[i];
    return has_words(rest, "SERVICE_ROLE", false) ? "SERVICE_ROLE" : NULL;
}

bool looks_random(struct str value)
{
    static const char *const known[] = { "eyJ",   "pk_",  "pk.",      "sb_publishable_",
                                         "http",  "AIza", "https://", "phc_",
                                         "G-",    "GTM-", "/",        "{",
                                         "data:", "sha" };
    size_t count[256] = { 0 };
    if (value.n < RANDOM_FROM_BYTES)
        return false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_starts(value, known[i]))
            return false;
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c <= ' ' || c >= 127)
            return false;
        count[c]++;
    }
    double bits = 0;
    for (size_t i = 0; i < 256; i++) {
        double share = (double)count[i] / (double)value.n;
        bits -= count[i] ? share * log2(share) : 0;
    }
    return bits >= RANDOM_FROM_BITS;
}
