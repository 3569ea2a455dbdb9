/*
 * TOML as plain C: a tree of nodes that know their line and column. Parsed by toml++ in toml.cc,
 * the only C++ file of the program.
 */
#ifndef LOCKFLIGHT_CONFIG_TOML_H
#define LOCKFLIGHT_CONFIG_TOML_H

#include "base/arena.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum toml_kind {
    TOML_TABLE,
    TOML_ARRAY,
    TOML_TEXT,
    TOML_INTEGER,
    TOML_REAL,
    TOML_BOOL,
    TOML_DATE, /* dates and times, as `text` */
};

struct toml_node {
    enum toml_kind kind;
    const char *key; /* NULL for the root and for items of an array */
    int key_line;
    int key_column;
    int line; /* of the value, counted from 1 */
    int column;
    const char *text;
    int64_t integer;
    double real;
    bool boolean;
    struct toml_node *items; /* of a table or an array, in the order of the file */
    size_t n;
};

/* Parses one file. `name` stands in errors. ERR_CONFIG with line and column in `where`. */
bool toml_parse(struct arena *a, struct str text, const char *name, struct toml_node *ret,
                struct err *e) MUST_USE;

/* A member of a table; NULL if there is none or `table` is NULL or no table. */
const struct toml_node *toml_find(const struct toml_node *table, const char *key);

/* `over` laid on `base`, table by table and key by key; arrays and values
 * replace. Neither changes. */
struct toml_node toml_merge(struct arena *a, const struct toml_node *base,
                            const struct toml_node *over);

/* Compact JSON text of a node. */
char *toml_json(struct arena *a, const struct toml_node *node);

/* The same tables as TOML again: "[[name]]" and one line a key, for every item of the array. */
char *toml_table_array(struct arena *a, const char *name, const struct toml_node *array);

/* "text", "number", "table": for errors. */
const char *toml_kind_name(enum toml_kind kind);

#endif
