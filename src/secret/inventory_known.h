/*
 * Names of variables that a place has by itself: given by the platform, the bundler or the build
 * image, so nobody declares them.
 */
#ifndef LOCKFLIGHT_SECRET_INVENTORY_KNOWN_H
#define LOCKFLIGHT_SECRET_INVENTORY_KNOWN_H

#include "secret/inventory.h"

/* Who gives it ("Supabase", "Netlify", "the bundler"); NULL: nobody does. */
const char *inventory_given(enum use_place place, const char *name);

#endif
