#ifndef ADMIN_OWNER_H
#define ADMIN_OWNER_H

#include "base/owner.h"

/* For `init` as root: gives a fresh home, held open, to user and becomes it. */
enum err owner_give(const char *home_path, int home, const char *user);

/*
 * May this user work in the home at all?  Asked before it is opened, so that
 * the answer is what to type, not "Permission denied".  OK for a home that is
 * not there.
 */
enum err owner_check(const char *home_path);

#endif
