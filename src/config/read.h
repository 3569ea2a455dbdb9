/*
 * Files into structs, by tables of keys. A row says a key's name, what it may hold, where it goes,
 * its default and what it is for; reading, the errors and the manual page come from the same rows.
 *
 *     static const struct key test_keys[] = {
 *         { "run",     KEY_TEXT, KEY_AT(config, test.run),        .summary = "…" },
 *         { "timeout", KEY_MS,   KEY_AT(config, test.timeout_ms), .otherwise = "15m" },
 *         { 0 },
 *     };
 */
#ifndef LOCKFLIGHT_CONFIG_READ_H
#define LOCKFLIGHT_CONFIG_READ_H

#include "config/origin.h"
#include "config/toml.h"

#define KEY_AT(type, field) offsetof(struct type, field)

enum key_kind {
    KEY_TEXT,   /* const char * */
    KEY_PATH,   /* const char *, made absolute from the folder of the file */
    KEY_BOOL,   /* bool */
    KEY_INT,    /* int64_t, not negative */
    KEY_MS,     /* int64_t, from "5m" */
    KEY_SHARE,  /* double 0..1, from "0.5%" */
    KEY_WORD,   /* an enum, by the place of the word in `words` */
    KEY_WORDS,  /* unsigned, one bit per word of the list */
    KEY_TEXTS,  /* struct text_array */
    KEY_PAIRS,  /* struct pair_array, from a table of texts */
    KEY_JSON,   /* const char *, any value as JSON text */
    KEY_CHOICE, /* const char *, one of `words` */
    KEY_DATE,   /* const char *, "2027-06-01" */
    KEY_JSONS,  /* struct pair_array, from a table of any values, each as JSON text */
    KEY_TABLE,  /* the rows in `keys`, offsets counted from `at` */
    KEY_NAMED,  /* one item per member: { T *v; size_t n; } at `at`; T begins with its name */
    KEY_LIST,   /* one item per table of a list: { T *v; size_t n; } at `at` */
    KEY_LATER,  /* understood, has no effect in this version: refused, never silently ignored */
};

struct key {
    const char *name;
    enum key_kind kind;
    size_t at;
    const char *words; /* KEY_WORD(S), KEY_CHOICE: "same|rebuild"; KEY_TABLE, KEY_NAMED: the key a
                        * plain text stands for */
    const char *otherwise;  /* default, as one would write it; NULL: none */
    const struct key *keys; /* KEY_TABLE, KEY_NAMED, KEY_LIST */
    size_t item_bytes;      /* KEY_NAMED, KEY_LIST */
    const char *summary;    /* for the manual; NULL in tables of files that are not ours */
};

struct reader {
    struct arena *arena;
    struct origins *origins;
    const char *file; /* as shown in errors */
    const char *dir;  /* of the file: paths are relative to it */
    bool is_strict;   /* unknown keys are errors, but for "x-…" */
    /* Replaces a text that is a whole "env(NAME)"; NULL: texts are taken as they are. */
    const char *(*resolve)(void *context, const char *text);
    void *context;
};

/* Reads a file of the project into a tree. ERR_NOT_FOUND if it does not exist. */
bool read_file(struct reader *r, const char *path, struct toml_node *ret, struct err *e) MUST_USE;

/* A tree into the struct at `base`. `path` names the table in errors ("" for the root). An absent
 * table gives the defaults; `table` may be NULL. */
bool read_table(struct reader *r, const struct toml_node *table, const struct key *keys,
                const char *path, void *base, struct err *e) MUST_USE;

#endif
