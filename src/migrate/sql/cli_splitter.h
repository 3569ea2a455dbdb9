/*
 * How the Supabase CLI (3.1) cuts a file into the texts of its history column, reproduced so that a
 * history that we write equals the one it would have written. Checked against the program itself:
 * tests/unit/migrate/test_statement.c.
 *
 * RULES    A semicolon ends a statement unless it stands inside: '…' (quotes doubled), E'…'
 *          (backslash escapes), "…", -- to the end of the line, nested comments, $tag$…$tag$,
 *          parentheses, or BEGIN ATOMIC … END (with CASE … END inside). A backslash outside of
 *          these protects the next character. White space around a statement is removed, with
 *          everything JavaScript's trim() takes for it; empty ones are dropped. Comments belong to
 *          the statement that follows; comments at the end are one by themselves.
 */
#ifndef LOCKFLIGHT_MIGRATE_CLI_SPLITTER_H
#define LOCKFLIGHT_MIGRATE_CLI_SPLITTER_H

#include "base/arena.h"
#include "base/str.h"

/* Bytes of one blank at the start, in the sense of JavaScript; 0 if there is none. */
size_t cli_blank_bytes(const char *p, size_t n);

/* Slices of `sql`, in order. */
void cli_split(struct arena *a, struct str sql, struct str **ret, size_t *ret_count);

#endif
