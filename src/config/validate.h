/*
 * What the rows of keys cannot say: values that must fit each other. Asked once, by config_load.
 */
#ifndef LOCKFLIGHT_CONFIG_VALIDATE_H
#define LOCKFLIGHT_CONFIG_VALIDATE_H

#include "config/config.h"

/* ERR_CONFIG for the first thing that is wrong, with its place in the file. */
bool config_validate(const struct config *c, struct err *e) MUST_USE;

#endif
