#ifndef CA_CA_H
#define CA_CA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ca/key.h"

/*
 * A CA is a folder ca/<escaped name>/ of generations <n>/ (from 1), each
 * immutable: cert.pem, key.pem (0400), chain.pem where it has issuers.  They
 * are written under a temporary name, fsynced and renamed into place.
 * Current = the highest n whose notBefore is not in the future (DESIGN 6).
 */
struct generation {
	unsigned n;
	struct buf cert;     /* DER */
	struct span subject; /* these spans borrow from cert */
	struct span issuer;
	struct span serial; /* content bytes of the INTEGER */
	struct span spki;
	struct span ski;    /* raw subjectKeyIdentifier; computed if absent */
	struct buf ski_own; /* where it was computed */
	int64_t not_before, not_after;
	unsigned usage;	   /* keyUsage bits, UINT32_MAX if absent */
	bool self_signed;  /* subject == issuer */
	struct buf *chain; /* DER of the issuers, nearest first; owned */
	size_t nchain;
	struct key *key; /* owned */
};
struct ca {
	char *name;
	struct generation *gen; /* by n, ascending */
	size_t ngen;
};

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

/* NULL only if none has begun. */
const struct generation *ca_current(const struct ca *ca, int64_t now);

/* Names of all CAs, sorted, each malloc'd. */
enum err ca_names(int home, char ***names, size_t *n);

/* What `ca create` asks for. */
struct ca_order {
	const char *name;
	const char *subject; /* DN text */
	const char *key;     /* "rsa:3072" */
	int64_t days;
};
/*
 * The certificate begins ten minutes before now.  ERR_EXISTS (silent): the
 * name is taken.  Everything else was logged.
 */
enum err ca_create(int home, const struct ca_order *order, int64_t now);

/*
 * What `ca import` brings, as file contents: PEM or DER certificate, PEM
 * key (passphrase may be empty), PEM chain; or a PKCS#12.  The key must fit
 * the certificate, and the certificate must be a CA's that has not expired.
 * The chain may be unsorted; what does not belong is dropped with a warning.
 * Errors as ca_create()'s.
 */
struct ca_import {
	const char *name;
	struct span cert, key, chain, pkcs12;
	struct span passphrase;
};
enum err ca_import(int home, const struct ca_import *in);

/*
 * Fills and issues a leaf certificate under a generation and a profile: picks
 * a random serial (C-183), cuts the validity (C-186), calls key_issue().
 * serial gets two lower-case digits a byte.  ERR_REFUSED (logged): the CA has
 * not begun or has expired, or profile_shape() refuses.
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
