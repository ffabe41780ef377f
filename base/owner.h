#ifndef BASE_OWNER_H
#define BASE_OWNER_H

#include <sys/types.h>

#include "base/err.h"

/*
 * A home has one owner, and nothing in it ever belongs to another (DESIGN 8).
 */

/*
 * Before anything is touched: root becomes the owner of the opened home for
 * good (uid, gid, groups), the owner stays, anybody else gets ERR_REFUSED and
 * a line that says what to type.
 */
enum err owner_become(const char *home_path, int home);

/* Gives up root for good; pw's groups, or gid alone for an unknown uid. */
enum err owner_switch(uid_t uid, gid_t gid);

/* The one line for people who are neither owner nor root; ERR_REFUSED. */
enum err owner_refuse(const char *home_path, uid_t owner);

#endif
