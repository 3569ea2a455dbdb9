/*
 * JSON written as it comes, for documents of many rows: nothing is built first. Compact, in the
 * order of the calls; the same bytes as json_text_in_order() gives for the same values.
 *
 *     struct json_writer w = { .file = stdout };
 *     json_write_open(&w, NULL, '{');
 *     json_write_int(&w, "v", 1);
 *     json_write_open(&w, "rows", '[');
 *     …
 *     json_write_close(&w, ']');
 *     json_write_close(&w, '}');
 *
 * Inside an array the key is NULL. Errors stay with the file: ferror().
 */
#ifndef LOCKFLIGHT_BASE_JSON_WRITE_H
#define LOCKFLIGHT_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_writer {
    FILE *file;
    bool needs_comma;
};

void json_write_open(struct json_writer *w, const char *key, char bracket);
void json_write_close(struct json_writer *w, char bracket);
void json_write_text(struct json_writer *w, const char *key, const char *value);
void json_write_int(struct json_writer *w, const char *key, int64_t value);
void json_write_bool(struct json_writer *w, const char *key, bool value);

#endif
