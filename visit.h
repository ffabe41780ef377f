#ifndef VISIT_H
#define VISIT_H

#include "aliases/alias.h"
#include "base/log.h"
#include "ca/ca.h"
#include "ca/profile.h"
#include "http.h"
#include "store/store.h"

/* What the operations of serve.c share: the house and one visit to it. */

/* What a worker holds from request to request. */
struct house {
	int home;
	bool open;	  /* all of the following are there */
	bool answered;	  /* a request has seen the present state */
	enum err trouble; /* why it is not open */
	struct store store;
	struct cas *cas;
	struct aliases *aliases;
	struct profiles *profiles;
	struct site site;
};

/* One request on its way; everything borrowed but what is said. */
struct visit {
	struct house *house;
	const struct request *request;
	const struct alias *alias;
	struct reply *reply;
	struct logline line; /* the request's line, written at its end */
	int64_t now;
};

/*
 * A short plain answer; the sentence is ours, never the client's words.  503
 * gets a Retry-After.
 */
enum err answer_text(struct reply *reply, int status, const char *text);

/* getca.c: the operations by GET that need no key but for rollover. */
enum err get_ca_caps(struct visit *v);
enum err get_ca_cert(struct visit *v);

/* pkioperation.c: a pkiMessage and its CertRep (DESIGN 4). */
enum err pki_operation(struct visit *v);

#endif
