/*
 * Functions that may not be used; included by the compiler in every C file (meson: -include). Each
 * has a better one in base/.
 */
#ifndef LOCKFLIGHT_BASE_BANNED_H
#define LOCKFLIGHT_BASE_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef alloca
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol system popen gmtime        \
    localtime alloca

#endif
