/*
 * Which variables have a value in an environment's secrets file: names only. The file's own reader
 * (secret/secrets_file.h) judges everything else when a value is needed.
 */
#ifndef LOCKFLIGHT_CONFIG_SECRET_NAMES_H
#define LOCKFLIGHT_CONFIG_SECRET_NAMES_H

#include "config/config.h"

/* Sets the fields secrets… of the environment. A missing file has no names. */
bool secret_names_load(const struct config *c, struct config_env *env, struct err *e) MUST_USE;

#endif
