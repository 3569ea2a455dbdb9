/*
 * Flag first: when a check that names a module is red after the new code is there, that module's
 * flag is switched off before anything is rolled back, and the checks are asked again.
 *
 *     green      the release stays, without the module; it is said everywhere and has an exit status
 *     still red  the flag is put back as it was, and the way back goes as if nothing had been tried
 *
 * POLICY   [env.<name>] flag_off = "offer": a person at the terminal is asked, elsewhere the command
 *          is named; "do": it is done; "never".
 *
 * CRASH    The flag's write and the journal's "done" are one transaction. A release that is resumed
 *          finds by its steps what it has switched off, and puts it back if it goes the way back. A
 *          flag that somebody else has had in hand since is left alone.
 */
#ifndef LOCKFLIGHT_ENGINE_MITIGATE_H
#define LOCKFLIGHT_ENGINE_MITIGATE_H

#include "engine/phase.h"
#include "engine/verify.h"

/* Notes which check was red, and makes it the error of a phase. Returns false. */
bool mitigate_note(struct release *r, const struct verify_result *red, struct err *e);

/* True: the flag of the red check is off now, and the phase may be asked again. False: there is no
 * such flag, it is off already, policy or person says no, or it could not be switched; *e stays the
 * check's. */
bool mitigate(struct release *r, const struct phase *p, const struct err *e);

/* Everything that mitigate() has switched off becomes as it was. What cannot be put back is said. */
void mitigate_undo(struct release *r);

/* "financial, because check hello was red: …" of a release that stays without it; NULL: nothing is
 * switched off. */
const char *mitigate_text(struct release *r);

/* The same as the end of a release that succeeded: ERR_MITIGATED. True: nothing is switched off. */
bool mitigate_end(struct release *r, struct err *e) MUST_USE;

#endif
