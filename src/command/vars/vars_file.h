/*
 * What every verb of `lockflight vars` begins with: the project, and the secrets file of one
 * environment.
 *
 * CALLS      vars_file_open → vault_… of f.vault → vars_file_save. CLEANUP(vars_file).
 */
#ifndef LOCKFLIGHT_COMMAND_VARS_VARS_FILE_H
#define LOCKFLIGHT_COMMAND_VARS_VARS_FILE_H

#include "base/cleanup.h"
#include "cli/command.h"
#include "config/config.h"
#include "secret/vault.h"

enum vars_use {
    VARS_LOOK,   /* names and recipients: no key is needed */
    VARS_READ,   /* values */
    VARS_CHANGE, /* values; nobody else changes the file meanwhile */
    VARS_MAKE,   /* same, and a file that is not there is made, for our own key */
    VARS_ADD,    /* what needs no key, and changes the file */
};

struct vars_file {
    struct command_context *c;
    struct config config;
    const struct config_env *env;
    struct vault vault;
    bool is_new;
};

/* Zeroes `ret` first; vars_file_close may always follow. */
bool vars_file_open(struct command_context *c, const char *environment, enum vars_use use,
                    struct vars_file *ret, struct err *e) MUST_USE;
bool vars_file_save(struct vars_file *f, struct err *e) MUST_USE;
void vars_file_close(struct vars_file *f);

static inline void vars_file_cleanup(struct vars_file *f)
{
    vars_file_close(f);
}

/* A value that a person types, or that comes on standard input, without its last line end. Never an
 * argument: those are for all the machine to see. */
bool vars_value(struct command_context *c, const char *name, struct secret **ret,
                struct err *e) MUST_USE;

/* Who we are, as a recipient is called: what git and the job say, with - for what a name cannot have. */
const char *vars_own_name(struct command_context *c);

/* Asks for the passphrase of a key file: for keyring_ask_with; `context` is the command's. */
bool vars_passphrase(void *context, const char *file, struct secret **ret, struct err *e);

#endif
