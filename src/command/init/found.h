/*
 * What is there before Lockflight comes: the vendors' files, who links them, how the app is built and
 * tested, where its CI runs. Reads files of the project and asks git; nothing is sent anywhere, and
 * of .env files only the names are kept.
 *
 * CALLS    found_project → draft_files (draft.h)
 *
 * A file that is there and cannot be read as what it is gives one error that names it; a file that is
 * missing is a field that stays NULL.
 */
#ifndef LOCKFLIGHT_COMMAND_INIT_FOUND_H
#define LOCKFLIGHT_COMMAND_INIT_FOUND_H

#include "config/config.h"
#include "migrate/migration.h"

enum found_ci {
    FOUND_CI_UNKNOWN,
    FOUND_CI_GITHUB,
    FOUND_CI_GITLAB,
    FOUND_CI_NONE, /* only as an answer */
};

/* A name that the app reads from its environment, and the first place where. */
struct found_variable {
    const char *name;
    const char *where; /* "supabase/functions/pay/index.ts:12" or ".env" */
    bool in_functions; /* an Edge Function reads it */
    bool in_frontend;  /* the bundler puts it into the site */
    bool looks_secret; /* by its name */
};

/* How JavaScript packages are installed; by the lockfile. */
struct found_manager {
    const char *name;    /* "npm", "pnpm", "yarn", "bun"; NULL: no package.json */
    const char *file;    /* "package-lock.json"; NULL: none */
    const char *install; /* "npm ci" */
    const char *run;     /* "npm run" */
    const char *exec;    /* "npx" */
};

struct found {
    struct arena *arena;
    const char *dir;     /* the project: absolute */
    const char *project; /* a name for it: a-z, 0-9 and - */

    struct config config; /* only dir, paths, netlify, supabase and remotes are filled */
    const char *site;     /* Netlify site id it is linked to; NULL */
    const char *site_from;
    const char *ref; /* Supabase project it is linked to; NULL */
    const char *ref_from;
    bool has_health;          /* a function `health` that needs no key */
    bool tells_release;       /* and it reads LOCKFLIGHT_RELEASE */
    bool reads_runtime;       /* the frontend reads /_lockflight/env.js */
    const char *root_element; /* id of the element that the app is put into, from index.html */
    struct migration_set migrations;

    struct found_manager manager;
    const char *build;     /* "npm run build"; only where netlify.toml does not say */
    const char *publish;   /* where that leaves the site, as the framework has it */
    const char *framework; /* "vite"; NULL: none known */
    const char *test;      /* "npm test"; NULL: there is none */

    bool has_git;
    const char *branch; /* the one that is released */
    enum found_ci ci;
    const char *ci_from;              /* ".github/workflows", "remote origin" */
    const char *workflow;             /* a file that calls lockflight already; NULL */
    bool has_gitlab_file;             /* .gitlab-ci.yml is there */
    struct text_array dotenv;         /* files */
    struct found_variable *variables; /* sorted by name */
    size_t variables_n;
};

/* The folder that is meant: the nearest one from here upwards, within the repository, that has
 * lockflight.toml, netlify.toml or supabase/; else here if there is a package.json or index.html.
 * ERR_CONFIG if there is nothing to release, with the folders below that look like it. */
bool found_dir(struct arena *a, const char **ret, struct err *e) MUST_USE;

bool found_project(struct arena *a, const char *dir, struct found *ret, struct err *e) MUST_USE;

/* ---- parts of found_project, one file each ---- */

bool found_package(struct found *f, struct err *e) MUST_USE;
bool found_git(struct found *f, struct err *e) MUST_USE;
bool found_variables(struct found *f, struct err *e) MUST_USE;

/* By its name alone: TOKEN, SECRET, PASSWORD, KEY … */
bool found_looks_secret(const char *name);

/* VITE_, NEXT_PUBLIC_ …: what bundlers put into the site. */
bool found_is_public(const char *name);

/* A text file of the project; *ret is empty and true is returned if there is none. */
bool found_text(const struct found *f, const char *path, struct str *ret, struct err *e) MUST_USE;

#endif
