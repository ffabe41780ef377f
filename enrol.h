#ifndef ENROL_H
#define ENROL_H

#include "aliases/alias.h"
#include "ca/profile.h"
#include "judge/judge.h"
#include "message/message.h"
#include "store/code.h"
#include "store/entity.h"
#include "store/waiting.h"
#include "store/store.h"
#include "store/transaction.h"

/*
 * May this message have a certificate?  And granting it.  Opens no file:
 * asks judge, store and ca.
 */
enum verdict {
	VERDICT_GRANT,	/* every check passed; enrol_grant() issues */
	VERDICT_ASK,	/* the same, but people have to say yes */
	VERDICT_ISSUED, /* enrol_grant() has: outcome holds the certificate */
	VERDICT_KEPT,	/* issued before: outcome holds it */
	VERDICT_WAIT,	/* a person has to say yes: PENDING, durable */
	VERDICT_FOUND,	/* GetCert, GetCRL: outcome or crl holds it */
	VERDICT_REFUSE, /* fail and reason say why */
	VERDICT__MAX
};

/* What enrolment asks; all borrowed. */
struct enrol {
	const struct store *store;
	struct profiles *profiles;
	const char *baseurl; /* of the site, for URLs; NULL: none */
	const char *remote;  /* who asks; NULL: unknown */
	int home;	     /* descriptor, for files that an alias names */
	/*
	 * The judge of an external RA has said yes already, and wants this
	 * (queue.h); NULL: the alias's own judge is asked.
	 */
	const struct overrides *vouched;
};

/* What buys the certificate (STORE.md, A grant, 2). */
enum payment {
	PAY_CODE,     /* a redemption of d->code */
	PAY_SECRET,   /* RA mode: the alias's judge, and d->code if it is set */
	PAY_JUDGE,    /* CA mode: the same, another's yes than the entity's */
	PAY_RENEWAL,  /* the certificate in d->old */
	PAY_APPROVAL, /* people's yes to d->waiting */
	PAY__MAX
};

struct decision {
	enum verdict verdict;
	const struct alias *alias; /* borrowed */
	enum failinfo fail;
	const char *reason; /* for the log: constant */
	char *username;	    /* from the request, for log and audit; owned */
	unsigned attempt;   /* the one to grant */
	struct transaction transaction; /* borrows from alias and message */
	struct entity entity;		/* owned */
	enum payment pay;
	struct code code;      /* owned; what pays, if its id is set */
	struct overrides over; /* owned: what the judge wants instead */
	bool judged;	       /* the judge has said yes to this message */
	/*
	 * PKCS#10 DER as received, owned, secret: of a request that its judge
	 * is told of, where this message brings none (an external RA's poll)
	 */
	struct buf received;
	struct outcome old;	 /* of a renewal: the signer's certificate */
	char *renews;		 /* "<ca>/<generation>/<serial>" of it; owned */
	struct waiting waiting;	 /* waiting, or approved (PAY_APPROVAL) */
	struct buf subject;	 /* Name DER of the certificate to be */
	struct buf subject_text; /* the same for people */
	struct buf san;		 /* GeneralNames DER or empty */
	/* borrowed until the next profiles_find() */
	const struct profile *profile;
	const char *field;   /* which a profile's rule refuses; as profile */
	unsigned enrolments; /* an entity may have so many; 0: any number */
	bool unique_subject; /* what enrol_unique_claim() has to claim */
	bool unique_key;
	bool same_key; /* a renewal that may keep its entity's own key */
	struct outcome
	    outcome;	/* with KEPT, or after enrol_grant(): the certificate */
	struct buf crl; /* with FOUND: the answer of GetCRL, DER */
};
void decision_init(struct decision *d);
void decision_release(struct decision *d);

/*
 * The username that a subject (Name DER) speaks for: its CN, cut at the
 * first space unless the alias says otherwise, else serialNumber, else
 * unstructuredName, cut the same way (ejbca-behaviour 3.6).  *out is malloc'd,
 * and stays NULL where there is none.
 */
enum err enrol_username(
    const struct alias *alias, struct span subject, char **out);

/* Makes d a refusal; OK, for `return refuse(...)`.  reason is constant. */
enum err decision_refuse(
    struct decision *d, enum failinfo fail, const char *reason);

/* ERR_SYSTEM, ERR_BUSY, ERR_CRYPTO: our own trouble, logged (HTTP 503). */
enum err enrol_decide(const struct enrol *in, const struct alias *alias,
    const struct pkimsg *msg, int64_t now, struct decision *d);

/*
 * Its last checks alone: names, profile, key and extensions under the record
 * d->entity, for `scep profile try`.  alias may be NULL.
 */
enum err enrol_look(const struct enrol *in, const struct alias *alias,
    const struct pkimsg *msg, int64_t now, struct decision *d);

/* The certificate to be, for ca_issue() and profile_shape(). */
struct leaf enrol_leaf(
    const struct enrol *in, const struct pkimsg *msg, const struct decision *d);

/*
 * With GRANT: pays, signs, links (STORE.md, A grant): afterwards d->outcome is
 * durable.  A refusal that only paying can find (the code was used meanwhile)
 * turns d->verdict into VERDICT_REFUSE.  With ASK: the request is durable, and
 * waits.
 */
enum err enrol_grant(const struct enrol *in, const struct pkimsg *msg,
    const char *remote, int64_t now, struct decision *d);

/*
 * The gate that every answer passes on its way out (DESIGN 4; enrol_release.c):
 * may this certificate leave, issued now, sent again, polled for or fetched?
 * The outcome is durable under both its names then (STORE.md I1), and a judge
 * that holds it has acknowledged it.  Of one that was revoked before that it is
 * not told any more: d becomes a refusal.  An error, logged: not now (503).
 */
enum err enrol_release(const struct enrol *in, const struct pkimsg *msg,
    int64_t now, struct decision *d);

/*
 * GetCertInitial (enrol_poll.c): what became of the transaction that this
 * message, by its transactionID and its signer's key, belongs to (C-132).  One
 * that people have said yes to is issued, if it was not yet.
 */
enum err enrol_poll(const struct enrol *in, const struct alias *alias,
    const struct pkimsg *msg, int64_t now, struct decision *d);

#endif
