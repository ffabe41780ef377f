#ifndef ADMIN_CERT_H
#define ADMIN_CERT_H

#include "admin/admin.h"
#include "store/revoked.h"
#include "store/transaction.h"

/*
 * What the files of the noun `cert` share: cert.c (the table), cert_choose.c
 * (which one is meant), cert_show.c (how one stands, and all of it),
 * cert_list.c, cert_import.c, revoke.c.
 */

/*
 * Calls each(certificate, arg) for all that cmd->name[0] means: a serial
 * number, a fingerprint, a file, or an entity's name.  *found counts them.
 */
enum err cert_choose(struct command *cmd,
    enum err (*each)(const struct outcome *, void *arg), void *arg,
    unsigned *found);

/* The one line for a name that means none. */
enum err cert_none(const struct command *cmd);

/* How a certificate stands at present. */
struct cert_standing {
	struct revocation revoked; /* n is 0: it never was */
	const char *awaits;	   /* who must know of it before it leaves, as
			       "intune"; NULL: nobody; borrowed of the outcome */
	const char *word; /* valid, unreleased, expired, held, revoked */
};

/*
 * "unreleased" is one that was issued and waits for its judge
 * (enrol_release.c); "held" is revoked for now, as CRLs have it.
 */
enum err cert_stands(const struct command *cmd, const struct outcome *o,
    struct cert_standing *out);

/* All of it as a JSON object. */
enum err cert_json(const struct command *cmd, const struct outcome *o);

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

enum err run_cert_list(struct command *cmd);
enum err run_cert_show(struct command *cmd);
enum err run_revoke(struct command *cmd);
enum err run_unrevoke(struct command *cmd);
enum err run_cert_import(struct command *cmd);

extern const struct option cert_list_options[], cert_show_options[],
    revoke_options[], unrevoke_options[], cert_import_options[];

#endif
