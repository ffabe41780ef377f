#ifndef CA_CA_H
#define CA_CA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "ca/key.h"

/*
 * A CA is a folder ca/<escaped name>/ of generations <n>/ (from 1), each
 * immutable: cert.pem, key.pem (0400), chain.pem where it has issuers.  They
 * are written under a temporary name, fsynced and renamed into place.
 * Current = the highest folder whose notBefore is not in the future (DESIGN
 * 6), so the next one becomes current by time, and nothing is written then.
 *
 * Certificates, revocations and CRLs belong to a key (C-202): they are filed
 * under n, which of several generations with one key (`ca renew`) is the
 * first one's.  So numbers of CRLs go on, and each CRL has all of its key.
 */
struct generation {
	unsigned n;	     /* of its key */
	unsigned folder;     /* its own; not n where n is an older one's */
	struct buf cert;     /* DER */
	struct span subject; /* these spans borrow from cert */
	struct span issuer;
	struct span serial; /* content bytes of the INTEGER */
	struct span spki;
	struct span ski;    /* raw subjectKeyIdentifier; computed if absent */
	struct buf ski_own; /* where it was computed */
	struct span aki;    /* raw authorityKeyIdentifier or empty */
	int64_t not_before, not_after;
	unsigned usage;	   /* keyUsage bits, UINT32_MAX if absent */
	int pathlen;	   /* pathLenConstraint, -1 if absent */
	bool self_signed;  /* subject == issuer */
	struct buf *chain; /* DER of the issuers, nearest first; owned */
	size_t nchain;
	struct key *key; /* owned; or the public half (key_elsewhere()) */
	bool sealed;	 /* the key's file is encrypted */
};

/*
 * An RA certificate is what clients encrypt to and whose signature they
 * check, in place of the CA's own: with one key for both, or two.  It is a
 * generation of its own, ca/<ca>/ra/<n>/: cert.pem, key.pem; where there are
 * two, they are for encryption, and sign.pem, sign-key.pem for signatures;
 * ra.ini in those that this CA made and renews by itself.
 */
struct ra {
	unsigned n;
	struct generation enc;	/* usage keyEncipherment; with one, both */
	struct generation sign; /* usage digitalSignature, if split */
	bool split;
	int64_t days; /* it was made for so many; 0: imported */
	unsigned gen; /* of the CA, that issued it; 0: none that is here */
};
#define RA_GRACE (30 * DAY) /* served so long after its end (C-83) */
#define RA_DAYS	 730
#define RA_KEY	 "rsa:2048"

/*
 * A CA that was renamed is known to the store by its first name for ever: no
 * record is moved, and hashes of that name stay true.  ca.ini in its folder
 * has its former names, oldest first, and all of them find it.
 */
struct ca {
	char *name;   /* the first: of rooms, transactions, outcomes */
	char *called; /* the present: of its folder, for people and URLs */
	char **former;
	size_t nformer;
	unsigned approval;	/* [approval] required = 0 */
	bool approval_renewals; /* [approval] renewals = no */
	struct generation *gen; /* by folder, ascending */
	size_t ngen;
	struct ra *ra; /* by n, ascending */
	size_t nra;
	unsigned ra_top; /* the highest number that is taken */
	bool ra_lost;	 /* some could not be loaded, and are left out */
};

/* Is this its present name, or one of its former ones? */
bool ca_called(const struct ca *ca, const char *name);

/*
 * The same question of a home: appends the present name of the CA that any
 * of its names means, and its first name; either may be NULL.  Loads no key.
 * ERR_NOTFOUND (silent): there is none.
 */
enum err ca_identify(
    int home, const char *name, struct buf *called, struct buf *first);

/*
 * CAs of one home, loaded once and kept; reloaded when a folder changes.
 * The answer of cas_find() is borrowed and lives until the next
 * cas_refresh() or cas_free().
 */
struct cas;
enum err cas_new(int home, struct cas **out);
void cas_free(struct cas *cas);
/* ERR_NOTFOUND: no such CA.  ERR_SYSTEM or ERR_CRYPTO: logged. */
enum err cas_find(struct cas *cas, const char *name, const struct ca **out);
/*
 * Forgets what it holds about changed folders: called at the start of a
 * request, when nobody borrows.
 */
void cas_refresh(struct cas *cas);

/*
 * Renews the CA's RA certificate if that is due: for whoever serves a
 * request, before anybody borrows this CA.  Several workers come to one
 * result, and true tells the one that made it.  A failure is a line in the
 * log; what is there goes on.  baseurl: of the site, or NULL.
 */
bool cas_tend(
    struct cas *cas, const char *name, const char *baseurl, int64_t now);

/* NULL only if none has begun. */
const struct generation *ca_current(const struct ca *ca, int64_t now);

/*
 * ca/rollover.c: generations in time.  The next one is the lowest ahead of
 * the current one; NULL: there is none (C-41).
 */
const struct generation *ca_next(const struct ca *ca, int64_t now);
/*
 * Is the key of number n still used?  That of the current generation and of
 * those ahead; a former one's for `grace` seconds after the next began
 * (C-130).
 */
bool ca_serves(const struct ca *ca, unsigned n, int64_t now, int64_t grace);
/*
 * The generation that issues for requests to the key of number n: its newest
 * certificate that holds, be it ahead; behind its end the current one.  NULL:
 * none has begun.
 */
const struct generation *ca_issuer(
    const struct ca *ca, unsigned n, int64_t now);
/* The number of its highest folder. */
unsigned ca_top(const struct ca *ca);
/* The newest certificate of the key of number n; NULL: none. */
const struct generation *ca_of_key(const struct ca *ca, unsigned n);

/*
 * The RA certificate for clients: the newest that is valid now, of the
 * current generation if there is one; NULL: there is none.
 */
const struct ra *ca_ra_current(const struct ca *ca, int64_t now);
/* The same, valid or not, but none of a generation ahead. */
const struct ra *ca_ra_newest(const struct ca *ca, int64_t now);
/* The newest that a generation issued; NULL: none. */
const struct ra *ca_ra_of(const struct ca *ca, unsigned n);
/* Valid, or not longer ended than RA_GRACE? */
bool ra_serves(const struct ra *ra, int64_t now);
/*
 * Does it open envelopes?  As ra_serves(), but no longer than its CA's key
 * serves (unless clients get it), and before its time where its generation is
 * ahead.
 */
bool ca_ra_serves(
    const struct ca *ca, const struct ra *ra, int64_t now, int64_t grace);
const struct generation *ra_signer(const struct ra *ra);
/* The generation that issues for requests to this RA; NULL: none has begun. */
const struct generation *ca_ra_issuer(
    const struct ca *ca, const struct ra *ra, int64_t now);
/*
 * Whose key signs what no envelope has named a key for: the RA's, else the
 * CA's; NULL: none has begun.
 */
const struct generation *ca_signer(const struct ca *ca, int64_t now);

/*
 * Is it time for a new one?  At two thirds of the life of one that we made,
 * or when the CA has a newer generation; not where a new one would not last
 * longer, and not in its first day.
 */
bool ca_ra_due(const struct ca *ca, int64_t now);

/* What `ca ra create` asks for. */
struct ra_order {
	bool split;	     /* two certificates */
	const char *key;     /* "rsa:2048" */
	int64_t days;	     /* cut to the CA's end */
	const char *subject; /* DN text; NULL: the CA's, and its CN with RA */
	bool encrypt;	     /* the key files */
	const char *baseurl; /* of the site, for URLs; NULL: none (C-192) */
};
/*
 * The next RA generation.  An order without key: as the newest one was made.
 * ERR_EXISTS (silent): somebody else has made it meanwhile.  ERR_REFUSED
 * (logged): the CA has expired, or the like.
 */
enum err ca_ra_renew(
    int home, const struct ca *ca, const struct ra_order *order, int64_t now);
/*
 * The same under the CA's next generation: it begins with that.  ERR_NOTFOUND
 * (silent): there is no next one.
 */
enum err ca_ra_ahead(
    int home, const struct ca *ca, const struct ra_order *order, int64_t now);

/*
 * The certificate of an RA elsewhere, which has the key: of this public key
 * (SubjectPublicKeyInfo) and subject (Name), for both uses.  order->days and
 * baseurl count.  ERR_REFUSED (logged): no RSA key, or the CA has expired.
 */
enum err ca_ra_sign(const struct ca *ca, const struct ra_order *order,
    struct span subject, struct span spki, int64_t now, struct buf *der);

/*
 * The other half of that: a key for an RA of this CA, kept in
 * ca/<ca>/ra-request/, and the PKCS#10 for it (PEM).  Asked again, the same
 * is written again.  ca_ra_install() brings the certificate; ERR_NOTFOUND
 * (silent): no key waits for one.
 */
enum err ca_ra_request(int home, const struct ca *ca,
    const struct ra_order *order, int64_t now, struct buf *csr);
enum err ca_ra_install(
    int home, const struct ca *ca, struct span cert, int64_t now);

/*
 * What `ca ra import` brings: for one certificate or for encryption, and for
 * signatures if there are two; each a PKCS#12, or PEM files.
 * ERR_REFUSED (logged): not issued by this CA, expired, and the like.
 */
struct ra_import {
	struct span cert, key, pkcs12;
	struct span sign_cert, sign_key, sign_pkcs12; /* empty: one for both */
	struct span passphrase;
	bool encrypt;
};
enum err ca_ra_import(
    int home, const struct ca *ca, const struct ra_import *in, int64_t now);

/*
 * What GetCACert returns, in order (C-32 to C-37): RA certificates, CA, its
 * issuers; never one twice, none that has expired or not begun, but the CA's
 * own in any case.  Borrowed; list has room for MAX_CERTS.
 */
struct cert_choice {
	bool chain;	 /* issuers too */
	bool root;	 /* a self-signed issuer too */
	bool root_first; /* the whole list backwards */
};
enum err ca_certs(const struct ca *ca, int64_t now,
    const struct cert_choice *how, struct span *list, size_t *n);

/*
 * What GetNextCACert returns, in order: the next CA, its issuers, its RA
 * certificates (C-40).  ERR_NOTFOUND (silent): there is no next one.
 */
enum err ca_next_certs(
    const struct ca *ca, int64_t now, struct span *list, size_t *n);

/*
 * What keyUsage lacks in the certificates that clients encrypt to and verify
 * with (C-35): tell(sentence, arg) for each, which names the clients that
 * fail and the cure.  Says how many there were.
 */
unsigned ca_lacks(const struct ca *ca, int64_t now,
    void (*tell)(const char *sentence, void *arg), void *arg);
/* The same for one certificate, for messages of an import. */
unsigned usage_lacks(const char *what, unsigned usage, unsigned wanted,
    void (*tell)(const char *sentence, void *arg), void *arg);

/* Names of all CAs, sorted, each malloc'd. */
enum err ca_names(int home, char ***names, size_t *n);

/* What `ca create` asks for. */
struct ca_order {
	const char *name;
	const char *subject; /* DN text */
	const char *key;     /* "rsa:3072" */
	int64_t days;
	const char *parent;  /* a CA that is here; NULL: a root of its own */
	bool encrypt;	     /* the key files */
	const char *baseurl; /* of the site, for URLs; NULL: none (C-192) */
};
/*
 * The certificate begins ten minutes before now.  A CA with an EC key gets
 * an RSA RA certificate with it, as clients cannot encrypt to it.
 * ERR_EXISTS (silent): the name is taken.  Everything else was logged.
 */
enum err ca_create(int home, const struct ca_order *order, int64_t now);

/*
 * A CA under an issuer elsewhere: the key is made and kept, and the PKCS#10
 * request for it appended to csr (PEM).  order->subject NULL: the one that
 * waits already, again.  ca_install() brings the answer.
 * ERR_NOTFOUND, ERR_EXISTS (silent): none waits, or one does.
 */
enum err ca_request(int home, const struct ca_order *order, struct buf *csr);

/*
 * What `ca import` brings, as file contents: PEM or DER certificate, PEM
 * key (passphrase may be empty), PEM chain; or a PKCS#12.  The key must fit
 * the certificate, and the certificate must be a CA's that has not expired.
 * With `elsewhere` no key comes, and this host can only be an external RA of
 * that CA; neither PKCS#12 nor passphrase count then.
 * The chain may be unsorted; what does not belong is dropped with a warning.
 * Errors as ca_create()'s.
 */
struct ca_import {
	const char *name;
	struct span cert, key, chain, pkcs12;
	struct span passphrase;
	bool encrypt;	/* the key files, with the site's passphrase */
	bool elsewhere; /* no key: it is on another host */
};
enum err ca_import(int home, const struct ca_import *in);

/*
 * Waits a request of `ca request --next` for its answer?  ERR_NOTFOUND: none
 * does.  What an install has left of one is cleared away.
 */
enum err ca_request_waits(int home, const struct ca *ca);

/*
 * The same for the next generation of a CA that is here: its subject is the
 * present one, its key of the present kind where key is NULL.  What waits
 * already is written again.  ERR_EXISTS (silent): there is a next one, or
 * one waits and a key is given.
 */
enum err ca_request_next(int home, const struct ca *ca, const char *key,
    bool encrypt, struct buf *csr);

/*
 * The answer to either: certificate (PEM or DER) and chain (PEM, also
 * behind the certificate in its file); issuers that are CAs here are found
 * by themselves.  Errors as ca_create()'s; ERR_NOTFOUND (silent): no CA of
 * this name waits.  A CA whose key is on another host takes another
 * certificate of its name at any time.
 */
enum err ca_install(
    int home, const char *name, struct span cert, struct span chain);

/*
 * ca_rollover(): the next generation, with a new key; its folder alone, the
 * RA follows by ca_ra_ahead().  ca_renew(): a new certificate for the present
 * key, at once, cut to the issuer's end.  0 and NULL in the order mean: as
 * the present one; the next one starts 30 days before the present one's end,
 * but a week from now at least, and at that end at the latest.
 * ERR_EXISTS (silent): there is a next one already.  ERR_REFUSED (logged):
 * the issuer is not here, or cannot.
 */
struct ca_again {
	const char *key; /* "rsa:3072"; of a rollover */
	int64_t start;	 /* of a rollover */
	int64_t days;
	bool encrypt;	     /* the key's file; one that is stays so */
	const char *baseurl; /* of the site, for URLs; NULL: none (C-192) */
};
enum err ca_rollover(
    int home, const struct ca *ca, const struct ca_again *order, int64_t now);
enum err ca_renew(
    int home, const struct ca *ca, const struct ca_again *order, int64_t now);

/*
 * Is the issuer of a generation a CA that is here, or itself?  *parent, with
 * ERR_NOTFOUND (silent) and for itself, is NULL; borrowed from cas.
 */
enum err ca_parent(int home, struct cas *cas, const struct generation *gen,
    const struct ca **parent);

/*
 * Another name: one rename of its folder, after ca.ini has the old one, so
 * that it is found by either whatever happens.  ERR_EXISTS (silent): the name
 * is taken; ERR_INPUT, ERR_REFUSED (logged): it cannot be used.
 */
enum err ca_rename(int home, const struct ca *ca, const char *to);

/* Key, certificate and chain of its present generation as PKCS#12. */
enum err ca_export(const struct generation *gen, const char *name,
    struct span passphrase, struct buf *p12);

/*
 * Fills and issues a leaf certificate under a generation and a profile: picks
 * a random serial (C-183), cuts the validity (C-186), calls key_issue().
 * serial gets two lower-case digits a byte.  ERR_REFUSED (logged): the CA has
 * expired, or profile_shape() refuses.  Under a generation that is ahead it
 * begins with that (C-129).
 */
struct leaf {
	struct span subject; /* Name DER */
	struct span spki;
	struct span san; /* GeneralNames DER or empty */
	const char *transaction;
	const char *ca;	     /* its name, for URLs; NULL: none with it */
	const char *baseurl; /* of the site, for URLs; NULL: none with it */
	const struct extension *asked; /* what the request asks for */
	size_t nasked;
	int64_t validity; /* seconds at most; 0: the profile's */
};
struct issued {
	struct buf der;
	char serial[41];
	int64_t not_before, not_after;
};
struct profile;
enum err ca_issue(const struct generation *gen, const struct profile *profile,
    const struct leaf *leaf, int64_t now, struct issued *out);
void issued_release(struct issued *i);

/* Digest of a DER certificate as upper-case hex with colons. */
enum fingerprint { FP_SHA256, FP_SHA1, FP_MD5 };
enum err fingerprint(struct span der, enum fingerprint kind, struct buf *text);

#endif
