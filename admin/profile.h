#ifndef ADMIN_PROFILE_H
#define ADMIN_PROFILE_H

#include "admin/admin.h"
#include "ca/profile.h"

/* What the files of the noun `profile` share: profile.c, profile_try.c. */

/*
 * Reads and parses the profile that counts under a name; the caller owns
 * *out.  ERR_NOTFOUND and ERR_REFUSED (its file is broken) were said.
 */
enum err profile_load(
    const struct command *cmd, const char *name, struct profile **out);

/*
 * Is there one, as the file `where` says?  ERR_INPUT (logged) if not; NULL is
 * good.
 */
enum err profile_named(
    const struct command *cmd, const char *where, const char *name);

/* The names of all profiles, built in or of the home, sorted; each once. */
enum err profile_each(const struct command *cmd,
    enum err (*each)(const char *name, void *arg), void *arg);

/* A request from a file, DER or PEM; what is no PEM is taken for DER. */
enum err csr_bytes(struct span file, struct buf *der);

enum err run_profile_try(struct command *cmd);

#endif
