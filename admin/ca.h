#ifndef ADMIN_CA_H
#define ADMIN_CA_H

#include "admin/admin.h"
#include "aliases/alias.h"
#include "ca/ca.h"

/* Shared by the files of the noun ca and by EJBCA's spelling of it. */

/* The CA of that name, borrowed from *cas, which the caller frees. */
enum err ca_find(struct command *cmd, const char *name, struct cas **cas,
    const struct ca **out);

/*
 * --ca NAME of a list: any name of a CA that was renamed means all of its
 * records, whichever name they have.  Without the option all are meant.
 */
struct ca_filter {
	const char *name;
	struct cas *cas;
	const struct ca *ca; /* NULL: none that can be loaded */
};
enum err ca_filter_open(struct command *cmd, struct ca_filter *out);
bool ca_filter_lets(const struct ca_filter *f, const char *recorded);
void ca_filter_close(struct ca_filter *f);

/* The generation that issues now, or the first that will; NULL: none. */
const struct generation *ca_present(const struct ca *ca, int64_t now);

/* One certificate, as `show` prints it; its title says whose. */
struct shown {
	const char *title; /* "CA:" */
	const char *key;   /* the same for JSON: "name" */
	const char *name;
	const char *use;   /* of an RA certificate; NULL of a CA */
	bool renewed;	   /* an RA that is renewed by itself */
	unsigned ra;	   /* the generation of a CA's present RA, or 0 */
	const char *state; /* "current", "next", "former"; NULL of an RA */
};
enum err ca_show(
    struct command *cmd, const struct shown *what, const struct generation *g);

/* [site] baseurl of scep.ini in *site; NULL: it has none. */
enum err ca_baseurl(
    const struct command *cmd, struct site *site, const char **url);

/* The verbs of ca_next.c and ca_rename.c, with their options. */
enum err ca_run_rollover(struct command *cmd);
enum err ca_run_renew(struct command *cmd);
enum err ca_run_rename(struct command *cmd);
extern const struct option ca_rollover_options[], ca_renew_options[],
    ca_rename_options[];
/* Makes the RA of a next generation that stands, and tells of that. */
enum err ca_finish_next(struct command *cmd);
/* The newest generation of cmd's CA, and what the audit says of it. */
enum err ca_tell(struct command *cmd);
enum err ca_run_list(struct command *cmd);
enum err ca_run_show(struct command *cmd);
enum err ca_run_export(struct command *cmd);

/*
 * Makes the CA that is ordered, and tells of it; order->key NULL: the
 * default kind.
 */
enum err ca_run_order(struct command *cmd, struct ca_order *order);

/* The verbs of ca_make.c, with their options. */
enum err ca_run_create(struct command *cmd);
enum err ca_run_import(struct command *cmd);
enum err ca_run_request(struct command *cmd);
enum err ca_run_install(struct command *cmd);
extern const struct option ca_create_options[], ca_import_options[],
    ca_request_options[], ca_install_options[];

/* Rows that several tables of options have. */
#define CA_JSON                                                        \
	{                                                              \
		"json", NULL, OPT_FLAG, NULL, "one JSON object a line" \
	}
#define CA_NAME                                            \
	{                                                  \
		"name", "ca", OPT_OBJECT, "NAME", "the CA" \
	}
#define CA_ENCRYPT                                                             \
	{                                                                      \
		"encrypt-key", NULL, OPT_FLAG, NULL,                           \
		    "encrypt the key's file; SCEP_KEY_PASSPHRASE or scep.ini " \
		    "has the passphrase"                                       \
	}
#define CA_PASSPHRASE                                            \
	{                                                        \
		"passphrase", "pass", OPT_SECRET, "P",           \
		    "of the key or PKCS#12; - reads a line; ps " \
		    "shows P"                                    \
	}
#define CA_END                                   \
	{                                        \
		NULL, NULL, OPT_FLAG, NULL, NULL \
	}

#endif
