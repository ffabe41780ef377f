#ifndef ADMIN_EJBCA_H
#define ADMIN_EJBCA_H

#include "admin/admin.h"

/*
 * EJBCA's spelling of what our own verbs do, for those whose scripts and
 * fingers know it: `config scep`, `ra` and more verbs of `ca`.  The tables
 * name EJBCA's options first and ours second, so that the function of our own
 * verb finds them; words without an option are values in the order of the
 * table, as EJBCA takes them (NAMES_OPTIONS).
 *
 *	ejbca_config.c, _update.c, _upload.c, _keys.c	aliases
 *	ejbca_properties.c				EJBCA's files
 *	ejbca_ra.c, ejbca_status.c			entities
 *	ejbca_ca.c					CAs and CRLs
 *	ejbca_instead.c					what is not here
 */

/*
 * What to do here instead of a command of EJBCA's that is not here, or NULL;
 * verb may be NULL.
 */
const char *ejbca_instead(const char *noun, const char *verb);

#define EJBCA_END                                \
	{                                        \
		NULL, NULL, OPT_FLAG, NULL, NULL \
	}

/* ---- keys of an alias ---------------------------------------------------- */

enum ejbca_form {
	EJBCA_TEXT,
	EJBCA_BOOL,   /* true in any case, and everything else is false */
	EJBCA_MODE,   /* ra in any case, and everything else is ca */
	EJBCA_CREATE, /* of old files: true is ra */
	EJBCA_SECRET, /* empty and none: no check; shown as hidden */
	EJBCA_HIDDEN, /* a secret that has no none; shown as hidden */
	EJBCA_INTUNE, /* true in any case: the judge is Intune */
	EJBCA__MAX
};

struct ejbca_key {
	const char *name;	   /* EJBCA's, without the alias */
	const char *section, *key; /* ours */
	const char *fallback;	   /* what EJBCA takes where it is absent */
	enum ejbca_form form;
	bool ra; /* means something in RA mode only */
};
extern const struct ejbca_key ejbca_keys[]; /* ends with name NULL */
#define EJBCA_KEYS 32			    /* no more rows than this */

/* Exactly so spelled; NULL: none, ejbca_key_near() is the most like it. */
const struct ejbca_key *ejbca_key_find(const char *name);
const char *ejbca_key_near(const char *name);

/* EJBCA's value as ours, appended; ERR_REFUSED (said): it cannot be. */
enum err ejbca_value(
    const struct ejbca_key *key, const char *theirs, struct buf *ours);

/* Ours as EJBCA's, for people: a secret is `hidden`. */
const char *ejbca_shown(const struct ejbca_key *key, const char *ours);

/* What a key of EJBCA's is in our file, as EJBCA would show it. */
struct ini;
const char *ejbca_present(const struct ini *ini, const struct ejbca_key *key);

/* A key of Intune's section; does that section count in our file? */
bool ejbca_is_intune(const struct ejbca_key *key);
bool ejbca_has_intune(const struct ini *ini);

/* Puts [section] key = value into text; value NULL takes the key away. */
enum err ejbca_put(
    struct buf *text, const char *section, const char *key, const char *value);

/* Names of CAs for `cas`, appended: all that are here; ERR_REFUSED (said). */
enum err ejbca_all_cas(const struct command *cmd, struct buf *out);

/* ERR_NOTFOUND, ERR_EXISTS (said in EJBCA's words), or OK. */
enum err ejbca_alias_known(const struct command *cmd, const char *name);
enum err ejbca_alias_new(const struct command *cmd, const char *name);

enum err ejbca_run_updatealias(struct command *cmd);
enum err ejbca_run_uploadfile(struct command *cmd);

/* ---- lines of a properties file ------------------------------------------ */

/*
 * `key=value` as Java's Properties reads it: comments with # and !, `=`, `:`
 * or blanks between, \ before a special character, \uXXXX, \ at the end of a
 * line that goes on.  Bytes stay as they are.
 */
struct property {
	struct buf key, value; /* value is secret */
	int line;
};

/*
 * The next one; *rest shrinks.  False at the end, and (logged) where memory
 * is out.  Begin with PROPERTY_INIT; line is that of its end.
 */
#define PROPERTY_INIT                   \
	{                               \
		BUF_INIT, BUF_SECRET, 0 \
	}
bool property_next(struct span *rest, struct property *p);
void property_release(struct property *p);

/* ---- entities ------------------------------------------------------------- */

enum err ejbca_run_setstatus(struct command *cmd);
enum err ejbca_run_find(struct command *cmd);
enum err ejbca_run_list(struct command *cmd);
enum err ejbca_run_listnew(struct command *cmd);

/* Is the option given?  Else it was typed wrong. */
enum err ejbca_want(struct command *cmd, const char *option);

#endif
