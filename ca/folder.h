#ifndef CA_FOLDER_H
#define CA_FOLDER_H

#include "base/buf.h"
#include "base/err.h"
#include "ca/key.h"

/*
 * Where the generations of a CA stand: ca/<escaped name>.  ERR_INPUT
 * (silent): no CA can have this name.
 */
enum err ca_path(const char *name, struct buf *path);

/*
 * May a new CA be called so?  No comma, double quote or control character, no
 * blank first or last, not "." or "..".
 */
bool ca_name_ok(const char *name);

/* OK: the name can be used.  ERR_EXISTS; ERR_INPUT (logged): no name. */
enum err ca_vacant(int home, const char *name);

/*
 * Writes generation 1 of a new CA: all of it under a temporary name, fsynced
 * file by file, then renamed.  ERR_EXISTS: the name is taken.
 */
enum err ca_store(int home, const char *name, const struct key *key,
    struct span cert, const struct buf *chain, size_t nchain);

#endif
