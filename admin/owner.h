#ifndef ADMIN_OWNER_H
#define ADMIN_OWNER_H

#include "base/err.h"

/*
 * DESIGN 8: the home has one owner.  Root becomes that user (uid, gid,
 * groups) for good; the owner stays; anybody else gets ERR_REFUSED and a line
 * with what to type.  new_owner (of --owner) may be NULL.
 */
enum err owner_become(const char *home_path, int home);
/* For `init` as root: gives a fresh home to user and becomes it. */
enum err owner_give(const char *home_path, const char *user);

#endif
