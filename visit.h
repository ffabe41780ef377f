#ifndef VISIT_H
#define VISIT_H

#include "aliases/alias.h"
#include "base/log.h"
#include "ca/ca.h"
#include "ca/profile.h"
#include "crl.h"
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
 * gets a Retry-After; no cache may keep any of them (C-16).
 */
enum err answer_text(struct reply *reply, int status, const char *text);

/*
 * A CA for this visit: its RA certificate is renewed if that is due, and with
 * strictkeyusage its key usages must be what clients look for (C-35).
 * ERR_NOTFOUND: no such CA; ERR_SYSTEM and others were logged.  What another
 * call has given for the same name is no longer borrowed.
 */
enum err visit_ca(struct visit *v, const char *name, const struct ca **ca);

/* A line in the log for each key usage that clients will miss (C-35). */
void visit_warn(const struct visit *v, const struct ca *ca);

/* getca.c: the operations by GET that need no key but for rollover. */
enum err get_ca_caps(struct visit *v);
enum err get_ca_cert(struct visit *v);
enum err get_ca_cert_chain(struct visit *v);
enum err get_next_ca_cert(struct visit *v);

/* pkioperation.c: a pkiMessage and its CertRep (DESIGN 4). */
enum err pki_operation(struct visit *v);

/*
 * getcert.c: finds what GetCert or GetCRL asks for, among the n CAs that the
 * alias serves.
 */
struct pkimsg;
struct decision;
struct served {
	const struct ca **ca;
	size_t n;
	bool lacking; /* one more is named, but cannot be used now */
};
enum err get_cert(struct visit *v, const struct served *served,
    const struct pkimsg *msg, struct decision *d);
enum err get_crl(struct visit *v, const struct served *served,
    const struct pkimsg *msg, struct decision *d);

/* publish.c: a CRL or a CA certificate by GET, which needs no alias. */
struct document;
enum err publish(struct visit *v, const struct document *document);

#endif
