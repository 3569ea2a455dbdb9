/*
 * Every key of lockflight.toml. The same rows read the file, name it in errors and make the manual
 * page lockflight.toml(5).
 */
#ifndef LOCKFLIGHT_CONFIG_KEYS_H
#define LOCKFLIGHT_CONFIG_KEYS_H

#include "config/read.h"

extern const struct key lockflight_keys[];

#endif
