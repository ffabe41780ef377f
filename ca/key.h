#ifndef CA_KEY_H
#define CA_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ca/ext.h"

/*
 * The only door to a private key (DESIGN 6).  It speaks bytes: no OpenSSL
 * type crosses it, so that a process or an HSM can stand behind it later.
 */
struct key; /* one opened private key */

enum key_type { KEY_RSA, KEY_EC, KEY_EDDSA, KEY__MAX };
enum digest {
	DIGEST_MD5,
	DIGEST_SHA1,
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST__MAX
};
enum transport {
	TRANSPORT_V15,
	TRANSPORT_OAEP_SHA1,
	TRANSPORT_OAEP_SHA256,
	TRANSPORT__MAX
};

/*
 * Opens a PEM key (PKCS#8 or traditional) with a passphrase or none; `where`
 * is for messages.
 */
enum err key_read(const char *where, struct span pem, struct span passphrase,
    struct key **out);
/* Key, certificate (PEM) and further certificates (PEM) of a PKCS#12. */
enum err key_pkcs12(struct span der, struct span passphrase, struct key **out,
    struct buf *cert, struct buf *chain);
/*
 * PKCS#8 PEM, for the file of a generation alone; encrypted unless the
 * passphrase is empty; pem becomes secret.
 */
enum err key_pem(
    const struct key *key, struct span passphrase, struct buf *pem);
/*
 * Key and certificates as PKCS#12, for `ca export` alone; out becomes secret.
 */
struct pkcs12 {
	const char *name; /* friendlyName */
	struct span cert; /* DER */
	const struct buf *chain;
	size_t nchain;
	struct span passphrase;
};
enum err key_export(
    const struct key *key, const struct pkcs12 *in, struct buf *out);
/*
 * The public half alone, for a CA whose key is on another host: what wants
 * the private one answers ERR_REFUSED (logged).  ERR_REFUSED, ERR_INPUT
 * (logged): no key that a CA can have.
 */
enum err key_public(const char *where, struct span spki, struct key **out);
/* Is it such a one? */
bool key_elsewhere(const struct key *key);
/* OK, or ERR_REFUSED (logged): the private half is on another host. */
enum err key_here(const struct key *key);
void key_close(struct key *key);
enum key_type key_type(const struct key *key);
unsigned key_bits(const struct key *key);

/* The public half as SubjectPublicKeyInfo (DER). */
enum err key_spki(const struct key *key, struct buf *spki);

/* Is spki (DER) this key's public half? */
bool key_fits(const struct key *key, struct span spki);

/*
 * The content key of a KeyTransRecipientInfo.  Never fails for a bad block
 * (uniform failure, DESIGN 5, C-168): then out is len bytes of
 * HMAC-SHA256(secret derived from the key, block).  len is 16, 24 or 32.
 * Only our own trouble (ERR_CRYPTO) is an error.
 */
enum err key_unwrap(struct key *key, enum transport how, struct span block,
    size_t len, uint8_t *out);

/*
 * Signs the attributes of a CertRep: der is the DER SET OF Attribute.
 * ERR_REFUSED for what does not start with 0x31 or has no messageType of 3:
 * this key's signature on anything else is a certificate or CRL made here.
 */
enum err key_sign_attrs(struct key *key, enum digest digest, struct span der,
    struct buf *signature);

/*
 * Signs the attributes of a GetNextCACert answer (C-40): der is the SET OF
 * contentType id-data and messageDigest, once each, and nothing else, so that
 * it can never be taken for a CertRep.  ERR_REFUSED for all else.
 */
enum err key_sign_next(struct key *key, enum digest digest, struct span der,
    struct buf *signature);

/*
 * Signs the attributes of a letter between an external RA and its CA
 * (message/letter.h): der is a DER SET OF Attribute with one messageType, of
 * 101 to 104, which no message of SCEP has.  ERR_REFUSED for all else.
 */
enum err key_sign_letter(struct key *key, enum digest digest, struct span der,
    struct buf *signature);

/* One certificate policy (RFC 5280 4.2.1.4). */
struct policy {
	const char *oid; /* dotted; never anyPolicy */
	const char *cps; /* URI, or NULL */
};

/* Microsoft's certificate template, by OID and by name; NULL: left out. */
struct mstemplate {
	const char *oid;       /* 1.3.6.1.4.1.311.21.7 */
	uint32_t major, minor; /* of it */
	const char *name;      /* 1.3.6.1.4.1.311.20.2; ASCII */
};

/* Everything a leaf certificate needs; all spans are DER, borrowed. */
struct issue {
	struct span issuer;    /* the CA's subject, byte for byte (C-185) */
	struct span authority; /* the CA's subjectKeyIdentifier, raw */
	struct span subject;   /* Name; may be empty RDNSequence if san */
	struct span spki; /* SubjectPublicKeyInfo, copied unmodified (C-195) */
	struct span san;  /* GeneralNames, or empty */
	struct span serial; /* raw positive big-endian, at most 20 bytes */
	int64_t not_before, not_after;
	unsigned usage; /* keyUsage bits; never certificate or CRL signing */
	const char *const *eku;	 /* dotted OIDs, NULL-terminated, or NULL */
	const char *transaction; /* its name, for a key process's own log */
	/* URIs, each list NULL-terminated, or NULL (C-192) */
	const char *const *crl;	    /* of the CRL distribution point */
	const char *const *issuers; /* caIssuers of authorityInfoAccess */
	const char *const *ocsp;
	const struct policy *policy;
	size_t npolicies;
	const struct mstemplate *template; /* or NULL */
	/* of the request: each at most once, not critical, none denied */
	const struct extension *copied;
	size_t ncopied;
};

/*
 * Builds the TBSCertificate itself, from these fields and nothing else, and
 * signs it with SHA-256 (or the curve's own digest).  ERR_REFUSED for CA
 * rights, a serial or times out of order, an extension that is never copied
 * (ca/ext.h), anyPolicy.
 */
enum err key_issue(struct key *key, const struct issue *in, struct buf *der);

/* One revoked certificate of a CRL (RFC 5280 5.3); spans are borrowed. */
struct crl_entry {
	struct span serial; /* raw positive big-endian, at most 20 bytes */
	int64_t date;	    /* revocationDate */
	unsigned reason;    /* CRLReason; 0, unspecified, is left out (C-200) */
};
struct crl_header {
	struct span issuer;    /* the CA's subject, byte for byte (C-197) */
	struct span authority; /* the CA's subjectKeyIdentifier, raw (C-198) */
	uint64_t number;
	int64_t this_update, next_update;
	/*
	 * The entries, one at a time, in any order: next(arg, out) answers OK,
	 * or ERR_NOTFOUND behind the last; anything else ends the signing.
	 */
	enum err (*next)(void *arg, struct crl_entry *out);
	void *arg;
};

/*
 * Builds the TBSCertList itself, from these fields and nothing else, and
 * signs it as key_issue() does.  ERR_REFUSED (logged) for a reason, serial or
 * time that no CRL can have.
 */
enum err key_sign_crl(
    struct key *key, const struct crl_header *in, struct buf *der);

/*
 * An RA certificate: as key_issue(), but keyEncipherment, digitalSignature or
 * both are all that it may say: no names beside the subject, no EKU.
 */
enum err key_ra(struct key *key, const struct issue *in, struct buf *der);

/*
 * A new key: "rsa:2048" to "rsa:8192", "ec:P-256", "ec:P-384"; PKCS#8 PEM
 * (secret).
 */
enum err key_generate(const char *kind, struct buf *pem);

/* The kind of key_generate() that a key is of, or is nearest to. */
#define KEY_KIND_TEXT 16
void key_kind(const struct key *key, char out[KEY_KIND_TEXT]);

/*
 * A self-signed CA certificate of this key: a random
 * serial, CA:TRUE, subjectKeyIdentifier (C-196).
 */
struct root {
	struct span subject; /* Name DER */
	struct span ski; /* subjectKeyIdentifier; empty: of the key (C-188) */
	int64_t not_before, not_after;
	unsigned usage; /* keyUsage bits */
	int pathlen;	/* pathLenConstraint, -1: none (C-196) */
};
enum err key_root(struct key *key, const struct root *in, struct buf *der);

/* A CA certificate under this key's CA; never asked for by a request. */
struct subca {
	struct span issuer, authority; /* the CA's subject and key identifier */
	struct span subject, spki;
	struct span ski; /* subjectKeyIdentifier; empty: of the key (C-188) */
	int64_t not_before, not_after;
	unsigned usage; /* keyUsage bits */
	int pathlen;	/* pathLenConstraint, -1: none (C-196) */
	/* URIs, each list NULL-terminated, or NULL (C-192) */
	const char *const *crl, *const *issuers;
};
enum err key_subca(struct key *key, const struct subca *in, struct buf *der);

/*
 * A PKCS#10 request (PEM) for a certificate of this key: keyUsage is asked
 * for, and with keyCertSign in it CA:TRUE.
 */
enum err key_csr(
    struct key *key, struct span subject, unsigned usage, struct buf *pem);

#endif
