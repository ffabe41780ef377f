#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/*
 * Functions that this program does not use, made compile errors: unbounded
 * copies, hidden state, local time, number parsing without errors.  Included
 * on every compiler command line (Makefile), after the system's headers.
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* _FORTIFY_SOURCE makes macros of these with clang. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok
#pragma GCC poison atoi atol atoll atof gmtime localtime ctime asctime mktime
#pragma GCC poison tmpnam tempnam mktemp system popen srand

/* The name of arguments in OpenSSL's headers, so only the call is banned. */
#undef rand
#define rand() banned_use_random_bytes_instead

#endif
