#ifndef CA_CALLED_H
#define CA_CALLED_H

#include "ca/ca.h"

/* What a CA is called, and the rest of its ca.ini (called.c). */
#define CA_INI "ca.ini"

/*
 * Fills ca's names and what the optional ca.ini in its folder (path) says.
 * ERR_INPUT: a key that there is not, or a bad value; logged with file and
 * line.  Released by ca_names_release(), also after an error.
 */
enum err ca_ini_read(
    int home, const char *path, const char *called, struct ca *ca);
void ca_names_release(struct ca *ca);

#endif
