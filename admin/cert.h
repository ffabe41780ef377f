#ifndef ADMIN_CERT_H
#define ADMIN_CERT_H

#include "admin/admin.h"
#include "store/revoked.h"
#include "store/transaction.h"

/* Shared by cert.c, revoke.c and cert_import.c. */

/*
 * Calls each(certificate, arg) for all that cmd->name[0] means: a serial
 * number, a fingerprint, a file, or an entity's name.  *found counts them.
 */
enum err cert_choose(struct command *cmd,
    enum err (*each)(const struct outcome *, void *arg), void *arg,
    unsigned *found);

/* The one line for a name that means none. */
enum err cert_none(const struct command *cmd);

/*
 * What the store says about a certificate's revocation; r->n is 0 where it
 * was never revoked.
 */
enum err cert_revocation(
    const struct command *cmd, const struct outcome *o, struct revocation *r);

/* Are --reason and --date words that can be read?  Else ERR_INPUT, said. */
enum err revoke_words(struct command *cmd);

/*
 * Revokes all of an entity that are neither revoked nor expired, each with
 * an audit line of its own.
 */
enum err revoke_entity(struct command *cmd, const char *username);

/* Lets all of an entity go that are held, each with a line of its own. */
enum err release_entity(struct command *cmd, const char *username);

/*
 * Revokes that serial number (hex) of a CA, also one of which the store has
 * no certificate, by --reason.
 */
struct ca;
enum err revoke_serial(
    struct command *cmd, const struct ca *ca, const char *serial);

enum err run_revoke(struct command *cmd);
enum err run_unrevoke(struct command *cmd);
enum err run_cert_import(struct command *cmd);

extern const struct option revoke_options[], unrevoke_options[],
    cert_import_options[];

#endif
