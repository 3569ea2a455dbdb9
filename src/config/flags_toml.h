/*
 * lockflight.flags.toml: definitions of feature flags, the attributes that rules may ask for, and
 * the segments an environment begins with.
 *
 *     [attributes]
 *     plan = { type = "string", trusted = true }
 *     app = "version"
 *     [flag.financial]
 *     description = "Invoices and payments"
 *     exposure = "client"
 *     initial = { staging = "on" }
 *     [segment.staff]
 *     rule = '{"ends_with":[{"var":"email"},"@studio.example"]}'
 *
 * The file is part of what a release is made from; what is switched on is not in it.
 */
#ifndef LOCKFLIGHT_CONFIG_FLAGS_TOML_H
#define LOCKFLIGHT_CONFIG_FLAGS_TOML_H

#include "config/read.h"

/* Every key of the file: for reading, errors and the manual page. */
extern const struct key flags_keys[];

/* Reads c->paths.flags into c->flags and fills in what follows from what was written. A missing
 * file is no flags, unless lockflight.toml names it. */
bool flags_toml_load(struct config *c, struct origins *origins, struct err *e) MUST_USE;

/* Rules that span keys: types, variants, names of other flags, circles, limits. ERR_CONFIG with
 * place and remedy. */
bool flags_validate(const struct config *c, struct err *e) MUST_USE;

#endif
