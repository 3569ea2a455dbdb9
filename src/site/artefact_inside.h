/*
 * What the files artefact*.c share. Included by them only.
 */
#ifndef LOCKFLIGHT_SITE_ARTEFACT_INSIDE_H
#define LOCKFLIGHT_SITE_ARTEFACT_INSIDE_H

#include "site/artefact.h"

/* Sorts, and computes bytes and digest again. */
void artefact_seal(struct artefact *art);

/* Read by the host, served to nobody. */
bool artefact_is_hidden(const char *path);

#endif
