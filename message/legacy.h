#ifndef MESSAGE_LEGACY_H
#define MESSAGE_LEGACY_H

#include <stdbool.h>

/*
 * Loads OpenSSL's legacy provider, where single DES lives, at the first call
 * and for the life of the process; nobody calls it but for an alias with
 * `legacy = yes` and a request that uses it.  False: it is not installed,
 * logged once.
 */
bool legacy_load(void);

#endif
