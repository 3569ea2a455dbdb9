/*
 * The process's keys: see keyring.h.
 */
#include "secret/keyring.h"

#include "base/cleanup.h"
#include "base/env.h"
#include "base/fs.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#define VARIABLE   "LOCKFLIGHT_KEY"
#define OPERATIONS 3
#define MEMORY_KIB 65536 /* 64 MiB */
#define MEMORY_MAX 1048576
#define SALT       crypto_pwhash_SALTBYTES
#define NONCE      crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG        crypto_aead_xchacha20poly1305_ietf_ABYTES
#define LOCKED     (SALT + NONCE + KEY_BYTES + TAG)

static struct keyring keyring;
static bool is_found;    /* the keyring is complete */
static struct err wrong; /* with LOCKFLIGHT_KEY */
static keyring_ask asker;
static void *asker_context;

/* ---- the environment ---- */

static bool take_words(struct str text, struct err *e)
{
    while (text.n > 0) {
        size_t n = 0;
        while (n < text.n && !memchr(" ,\n\t", text.p[n], 4))
            n++;
        struct str word = { text.p, n };
        text = (struct str){ text.p + n, text.n - n };
        if (text.n > 0)
            text = (struct str){ text.p + 1, text.n - 1 };
        if (word.n == 0)
            continue;
        if (keyring.n == KEYRING_MAX)
            return err_set(e, ERR_LIMIT, VARIABLE " holds more than %d keys", KEYRING_MAX);
        if (!key_pair_parse(word, &keyring.v[keyring.n]))
            return err_set(e, ERR_AUTH, VARIABLE " holds something that is no key \"lfsk1_…\"");
        keyring.n++;
    }
    return true;
}

void keyring_take_environment(void)
{
    CLEANUP(secret) struct secret *text = NULL;
    if (!env_value(VARIABLE))
        return;
    text = secret_new_public(str_of(env_value(VARIABLE)));
    env_wipe(VARIABLE);
    is_found = true;
    keyring.from = VARIABLE;
    (void)take_words(secret_reveal(text), &wrong);
}

/* ---- the file ---- */

char *keyring_path(struct arena *a)
{
    const char *given = env_value("LOCKFLIGHT_KEY_FILE");
    const char *config = env_value("XDG_CONFIG_HOME");
    const char *home = env_value("HOME");
    if (given)
        return arena_strdup(a, given);
    if (config)
        return fs_join(a, config, "lockflight/key");
    return home ? fs_join(a, home, ".config/lockflight/key") : NULL;
}

/* Read without a buffer in between, into guarded memory. */
static bool read_guarded(const char *path, struct secret **ret, struct err *e)
{
    char bytes[4096];
    struct stat st;
    CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        enum err_code code = errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO;
        err_system(e, "open %s", path);
        return err_recode(e, code);
    }
    if (fstat(fd, &st) != 0)
        return err_system(e, "stat %s", path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0) {
        err_set(e, ERR_AUTH, "the key file %s can be read by others", path);
        return err_hint(e, "chmod 600 %s", path);
    }
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n < 0 || n == (ssize_t)sizeof bytes) {
        sodium_memzero(bytes, sizeof bytes);
        return n < 0 ? err_system(e, "read %s", path)
                     : err_set(e, ERR_LIMIT, "%s is no key file: it is too long", path);
    }
    *ret = secret_new_public((struct str){ bytes, (size_t)n });
    sodium_memzero(bytes, sizeof bytes);
    return true;
}

struct key_text {
    struct str name, public, secret;
};

static bool cut(struct str *rest, const char *word, struct str *ret)
{
    struct str line = str_cut(rest, '\n');
    size_t n = strlen(word);
    if (!str_starts(line, word))
        return false;
    *ret = (struct str){ line.p + n, line.n - n };
    return true;
}

static bool parse_file(const struct secret *text, const char *path, struct key_text *ret,
                       struct err *e)
{
    struct str rest = secret_reveal(text), version;
    if (cut(&rest, "#lockflight-key ", &version) && str_is(version, "1") &&
        cut(&rest, "#name ", &ret->name) && cut(&rest, "#public ", &ret->public) &&
        cut(&rest, "", &ret->secret) && ret->secret.n > 0)
        return true;
    return err_set(e, ERR_DATA, "%s is no key file of this version", path);
}

/* ---- passphrases ---- */

static bool derive(const struct secret *passphrase, const unsigned char *salt, uint64_t operations,
                   uint64_t memory_kib, unsigned char ret[KEY_BYTES], struct err *e)
{
    struct str phrase = secret_reveal(passphrase);
    if (crypto_pwhash(ret, KEY_BYTES, phrase.p, phrase.n, salt, operations,
                      (size_t)memory_kib * KIB, crypto_pwhash_ALG_ARGON2ID13) == 0)
        return true;
    return err_set(e, ERR_IO, "there is no memory for the passphrase: %llu MiB are needed",
                   (unsigned long long)memory_kib / 1024);
}

static bool lock(struct arena *a, const struct key_pair *pair, const struct secret *passphrase,
                 char **ret, struct err *e)
{
    unsigned char out[LOCKED], key[KEY_BYTES];
    randombytes_buf(out, SALT + NONCE);
    if (!derive(passphrase, out, OPERATIONS, MEMORY_KIB, key, e))
        return false;
    struct str plain = secret_reveal(pair->secret);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        out + SALT + NONCE, NULL, (const unsigned char *)plain.p, plain.n, pair->public.bytes,
        KEY_BYTES, NULL, out + SALT, key);
    sodium_memzero(key, sizeof key);
    *ret = arena_printf(a, "argon2id.%d.%d.%s", OPERATIONS, MEMORY_KIB,
                        base64_encode(a, (struct str){ (const char *)out, sizeof out }));
    return true;
}

static bool unlock(struct str text, const struct public_key *public, const struct secret *phrase,
                   struct key_pair *ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(0);
    unsigned char key[KEY_BYTES], plain[KEY_BYTES];
    uint64_t operations = 0, memory_kib = 0;
    struct str in, rest = text;
    if (!str_is(str_cut(&rest, '.'), "argon2id") || !str_to_u64(str_cut(&rest, '.'), &operations) ||
        !rest.p || !str_to_u64(str_cut(&rest, '.'), &memory_kib) || !rest.p ||
        memory_kib > MEMORY_MAX || memory_kib < 8 || operations < 1 || operations > 100 ||
        !base64_decode(a, rest, &in) || in.n != LOCKED)
        return err_set(e, ERR_DATA, "the key file's last line is neither lfsk1_… nor argon2id.…");
    const unsigned char *bytes = (const unsigned char *)in.p;
    if (!derive(phrase, bytes, operations, memory_kib, key, e))
        return false;
    bool ok = crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, bytes + SALT + NONCE,
                                                         KEY_BYTES + TAG, public->bytes, KEY_BYTES,
                                                         bytes + SALT, key) == 0;
    ok = ok && key_pair_from_bytes(plain, ret);
    sodium_memzero(key, sizeof key);
    sodium_memzero(plain, sizeof plain);
    return ok || err_set(e, ERR_AUTH, "the passphrase is not the one of this key");
}

static bool open_locked(const char *path, const struct key_text *text,
                        const struct public_key *public, struct key_pair *ret, struct err *e)
{
    CLEANUP(secret) struct secret *phrase = NULL;
    if (!asker)
        return err_set(e, ERR_AUTH, "the key has a passphrase, and nobody can be asked for it");
    return asker(asker_context, path, &phrase, e) && unlock(text->secret, public, phrase, ret, e);
}

static bool open_file(const char *path, struct key_pair *ret, struct arena *a,
                      const char **ret_name, struct err *e)
{
    CLEANUP(secret) struct secret *whole = NULL;
    struct key_text text;
    struct public_key public;
    if (!read_guarded(path, &whole, e) || !parse_file(whole, path, &text, e))
        return false;
    if (!key_public_parse(text.public, &public))
        return err_set(e, ERR_DATA, "%s: \"#public\" is no key \"lfpk1_…\"", path);
    if (!key_pair_parse(text.secret, ret) && !open_locked(path, &text, &public, ret, e))
        return err_wrap(e, "open the key %s", path);
    if (!key_public_equal(&ret->public, &public)) {
        key_pair_done(ret);
        return err_set(e, ERR_DATA, "%s: the secret key is not the one of \"#public\"", path);
    }
    *ret_name = str_dup(a, text.name);
    return true;
}

/* ---- the keyring ---- */

void keyring_ask_with(keyring_ask ask, void *context)
{
    asker = ask;
    asker_context = context;
}

bool keyring_get(const struct keyring **ret, struct err *e)
{
    static char from[LIMIT_PATH_BYTES], name[LIMIT_RECIPIENT_BYTES + 1];
    CLEANUP(arena) struct arena *a = arena_new(0);
    const char *path = keyring_path(a), *said = NULL;
    if (wrong.code != ERR_NONE) {
        *e = wrong;
        return false;
    }
    if (!is_found) {
        if (!path || !open_file(path, &keyring.v[0], a, &said, e)) {
            if (path && e->code != ERR_NOT_FOUND)
                return false;
            err_set(e, ERR_AUTH, "there is no key here to open secrets with");
            return err_hint(e, "lockflight vars key    (or LOCKFLIGHT_KEY=lfsk1_… for a job)");
        }
        (void)snprintf(from, sizeof from, "%s", path);
        (void)snprintf(name, sizeof name, "%s", said);
        keyring.from = from;
        keyring.name = name;
        keyring.n = 1;
        is_found = true;
    }
    *ret = &keyring;
    return true;
}

void keyring_forget(void)
{
    for (size_t i = 0; i < keyring.n; i++)
        key_pair_done(&keyring.v[i]);
    keyring = (struct keyring){ 0 };
    is_found = false;
    err_clear(&wrong);
}

bool keyring_describe(struct arena *a, const char *path, const char **ret_name,
                      struct public_key *ret, struct err *e)
{
    CLEANUP(secret) struct secret *whole = NULL;
    struct key_text text;
    if (!read_guarded(path, &whole, e) || !parse_file(whole, path, &text, e))
        return false;
    if (!key_public_parse(text.public, ret))
        return err_set(e, ERR_DATA, "%s: \"#public\" is no key \"lfpk1_…\"", path);
    *ret_name = str_dup(a, text.name);
    return true;
}

/* Never over another key: what that one opens would be lost. */
static bool write_new(const char *path, struct str text, struct err *e)
{
    CLEANUP(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return err_set(e, ERR_CONFLICT, "there is a key already: %s", path);
    if (fd < 0)
        return err_system(e, "make %s", path);
    if (!fs_write_all(fd, text, e))
        return err_wrap(e, "%s", path);
    return fsync(fd) == 0 || err_system(e, "sync %s", path);
}

bool keyring_create(struct arena *a, const char *path, const char *name,
                    const struct secret *passphrase, struct key_pair *ret, struct err *e)
{
    char text[1024];
    char *locked = NULL;
    const char *slash = strrchr(path, '/');
    if (slash && slash != path &&
        !fs_mkdirs(arena_strndup(a, path, (size_t)(slash - path)), 0700, e))
        return false;
    key_pair_new(ret);
    if (passphrase && !lock(a, ret, passphrase, &locked, e)) {
        key_pair_done(ret);
        return false;
    }
    CLEANUP(secret) struct secret *open = key_secret_text(ret);
    int n = snprintf(text, sizeof text, "#lockflight-key 1\n#name %s\n#public %s\n%s\n", name,
                     key_public_text(a, &ret->public), locked ? locked : secret_reveal(open).p);
    bool ok = write_new(path, (struct str){ text, (size_t)n }, e);
    sodium_memzero(text, sizeof text);
    if (!ok)
        key_pair_done(ret);
    return ok;
}
