/*
 * Migrations as other tools keep them, read for adoption.
 *
 *     20260101_x.sql with `-- migrate:up` and `-- migrate:down`              dbmate
 *                    with `-- +migrate Up`, `-- +goose Up` and … Down        sql-migrate, goose
 *     1_x.up.sql and 1_x.down.sql                                            golang-migrate
 *     20260101_x.sql without any of these                                    Supabase, and others
 *
 * A marker is a comment line of its own; what stands before the first one belongs to no direction,
 * and may only be comments. Everything else keeps its bytes. Versions stay the texts they are.
 */
#ifndef LOCKFLIGHT_MIGRATE_FOREIGN_H
#define LOCKFLIGHT_MIGRATE_FOREIGN_H

#include "base/arena.h"
#include "base/str.h"

struct foreign_migration {
    const char *version, *name;
    const char *file; /* where it was found */
    struct str up, down;
    bool has_down; /* with at least one statement in it */
};

struct foreign_set {
    struct foreign_migration *v; /* in order of version, bytewise */
    size_t n;
    const char **skipped; /* sentences: files with other names */
    size_t skipped_count;
};

/* ERR_NOT_FOUND without the folder; ERR_CONFIG for one version twice, a way back without its way
 * there, or statements before the first marker. */
bool foreign_read(struct arena *a, const char *dir, struct foreign_set *ret, struct err *e) MUST_USE;

#endif
