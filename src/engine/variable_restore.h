/*
 * Taking variables back: what the variables phase and a rollback through the schema share.
 *
 * IMAGE    { "NAME": { mark of variable_mark.h, or "digest": null, "value"?: text } }: what the host
 *          had before; the value only of a variable that is not secret. A host cannot be asked for
 *          a value, so a secret's old value must come from the secrets file, which keeps the ones
 *          before, or from its source again; the mark proves that it is the old one.
 */
#ifndef LOCKFLIGHT_ENGINE_VARIABLE_RESTORE_H
#define LOCKFLIGHT_ENGINE_VARIABLE_RESTORE_H

#include "base/json.h"
#include "engine/target.h"

/* Unsets what was added and gives the changed their old values. A value that cannot be had is
 * ERR_BLOCKED with the name, before anything is touched; or, with `keep_lost`, stays as it is and
 * is named in the text. */
bool variable_restore(struct target *t, json_t *image, bool keep_lost, const char **ret_text,
                      struct err *e) MUST_USE;

#endif
