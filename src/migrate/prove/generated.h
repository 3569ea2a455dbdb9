/*
 * A reverse script that is generated and proved in one go. Where the proof sees more loss than the
 * generator thought of (a value written through a wider type that no longer fits), the script is made
 * to say so, and proved as it then reads. A script never promises more than was seen.
 */
#ifndef LOCKFLIGHT_MIGRATE_GENERATED_H
#define LOCKFLIGHT_MIGRATE_GENERATED_H

#include "migrate/prove/proof.h"
#include "migrate/reverse/generate.h"

/* `s` stands before m and is as before afterwards. A script that does not prove is refused with the
 * reason and becomes the draft; the proof says more. With a refusal of the generator's there is no
 * proof: *ret_proof is left empty. Otherwise the proof is of ret_script->sql, whatever m has on disk. */
bool generated_prove(struct shadow *s, struct arena *a, const struct migration *m,
                     struct reverse_script *ret_script, struct proof *ret_proof,
                     struct err *e) MUST_USE;

#endif
