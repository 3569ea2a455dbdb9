/*
 * Numbers as JavaScript has them: printed and read the way every other engine of the same rules does.
 */
#ifndef LOCKFLIGHT_FLAG_NUMBER_H
#define LOCKFLIGHT_FLAG_NUMBER_H

#include "base/str.h"

#define NUMBER_TEXT_BYTES 32 /* the longest is -1.2345678901234567e-300, with its zero */
#define NUMBER_WHOLE_MAX  9007199254740991.0 /* beyond it whole numbers are not exact */

/* What String(x) gives: the fewest digits that read back as the same number. Returns its length. */
size_t number_print(double x, char ret[NUMBER_TEXT_BYTES]);

/* What Number(text) gives: blanks around are ignored, "" is 0, hexadecimal is read, anything else is
 * NaN. So is a text of more than 512 bytes. */
double number_read(struct str text);

/* The length in bytes of the blank (of JavaScript's) at the start of n bytes; 0 if there is none. */
size_t number_blank(const char *p, size_t n);

#endif
