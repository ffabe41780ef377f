#ifndef MESSAGE_MESSAGE_H
#define MESSAGE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/names.h"
#include "ca/ca.h"
#include "ca/ext.h"

/*
 * pkiMessage <-> bytes (RFC 8894 section 3, RFC 5652).
 *
 * Messages are read by a bounded walk of our own (message/ber.h, ca/der.h)
 * and not by asn1t.h templates: the walk allocates nothing, so that a hostile
 * message costs its own length and no more; every cap of base/limits.h holds
 * before anything is built; and certificates, names, keys and signed
 * attributes stay the exact bytes that were signed, where a template would
 * decode them and encode them again.  Certificates, which are written and not
 * read, are made with templates (ca/tbs.c).
 */

enum message_type { /* RFC 8894 3.2.1.2; the numbers are the wire's */
	MSG_CERTREP = 3,
	MSG_RENEWALREQ = 17,
	MSG_PKCSREQ = 19,
	MSG_CERTPOLL = 20,
	MSG_GETCERT = 21,
	MSG_GETCRL = 22
};
enum pki_status { PKI_SUCCESS = 0, PKI_FAILURE = 2, PKI_PENDING = 3 };
enum failinfo { /* RFC 8894 3.2.1.4 */
	FAIL_BADALG = 0,
	FAIL_BADMESSAGECHECK = 1,
	FAIL_BADREQUEST = 2,
	FAIL_BADTIME = 3,
	FAIL_BADCERTID = 4,
	FAIL_NONE = -1
};
enum cipher {
	CIPHER_AES128,
	CIPHER_AES192,
	CIPHER_AES256,
	CIPHER_DES3,
	CIPHER_DES, /* under `legacy` alone */
	CIPHER__MAX
};

const char *message_type_name(long type); /* "PKCSReq"; "unknown" */
const char *failinfo_name(enum failinfo f);
const char *digest_name(enum digest d);
const char *cipher_name(enum cipher c);

/* What is admitted for old clients alone; each use is logged (C-104). */
enum weak {
	WEAK_MD5 = 1 << 0,  /* in the message or the CSR */
	WEAK_SHA1 = 1 << 1, /* the same */
	WEAK_DES = 1 << 2,
	WEAK_DES3 = 1 << 3,
	WEAK_KEY = 1 << 4 /* a signer's RSA key below MIN_SIGNER_RSA */
};
/* Appends the names of these bits, blanks between; false: memory is out. */
bool weak_names(unsigned weak, struct buf *out);

/*
 * Where the secret of a PasswordRecipientInfo comes from, before anything is
 * decrypted (C-95): what of the message is known by then goes in.
 */
struct secret_question {
	struct span subject; /* of the signer's certificate, Name DER */
	struct span txid;
	const uint8_t *key; /* SHA-256 of the signer's SPKI */
};
struct secret_answer {
	const struct ca *ca; /* whose request it then is; borrowed */
	const struct generation *gen;
};
struct secret_source {
	void *arg;
	/*
	 * OK: secret (the caller's, marked so) and out are filled.
	 * ERR_NOTFOUND: nobody's; the message is refused after the same work.
	 * ERR_REFUSED: there is no such secret here at all.
	 */
	enum err (*find)(void *arg, const struct secret_question *q,
	    struct buf *secret, struct secret_answer *out);
};

/*
 * Whether a signer's certificate is one of ours, which may ask for its own
 * renewal (C-77, C-122), before anything is decrypted; its signature on the
 * message was good.
 */
struct pkimsg;
struct signer_answer {
	bool renews;	     /* it is, and may */
	const struct ca *ca; /* then: whose it is; borrowed */
	unsigned generation; /* of that CA */
	enum failinfo fail;  /* it may not: refused with this, or FAIL_NONE */
	const char *why;     /* for the log: constant */
};
struct signer_source {
	void *arg;
	/* Only our own trouble is an error. */
	enum err (*find)(
	    void *arg, const struct pkimsg *msg, struct signer_answer *out);
};

/* What an alias admits; below it the answer is badAlg (C-160). */
struct message_policy {
	bool sha1;    /* SHA-1 in the message and the CSR */
	bool des3;    /* DES-EDE3-CBC */
	bool legacy;  /* MD5, single DES, small signer keys (C-100) */
	bool samekey; /* the signer's key must be the CSR's (C-74) */
	const struct secret_source *secrets; /* NULL: none (C-92) */
	const struct signer_source *signers; /* NULL: nobody renews */
	const char *const *ignore; /* of the names of a renewal: dn_within() */
	size_t nignore;
	int64_t now;   /* which certificates still open envelopes */
	int64_t grace; /* seconds that a former CA's does (C-130) */
};

/* What a PKCS#10 says; spans borrow from `der`. */
struct csr {
	struct buf der;	     /* exact bytes, secret: the challenge is inside */
	struct span subject; /* Name DER */
	struct span spki;
	struct span san; /* GeneralNames DER of a requested SAN, or empty */
	struct buf challenge;	 /* UTF-8, secret; empty: none or "" (C-111) */
	char digest[SHA256_HEX]; /* SHA-256 of der */
	struct extension asked[MAX_EXTENSIONS]; /* in order; no two equal */
	size_t nasked;
};

/* An opened pkiMessage.  Spans borrow from the bytes given to message_open(). */
struct pkimsg {
	/* from the signed attributes (C-55 to C-65) */
	long
	    type; /* enum message_type, or what the sender wrote; -1 unreadable */
	struct buf txid; /* transactionID, opaque, 1..MAX_TXID bytes */
	int txid_tag; /* ASN.1 string type as received, repeated in the reply */
	struct buf nonce;   /* senderNonce */
	enum digest digest; /* of the SignerInfo */
	/* the signer (C-73 to C-80) */
	struct buf signer_cert;	    /* DER */
	struct span signer_issuer;  /* borrow from signer_cert */
	struct span signer_serial;  /* INTEGER content bytes */
	struct span signer_subject; /* Name DER */
	struct span signer_spki;
	enum key_type signer_type; /* only an RSA key can be encrypted to */
	uint8_t signer_key[SHA256_LEN]; /* SHA-256 of signer_spki */
	bool self_signed;		/* names equal */
	bool renews; /* a certificate of ours, that may be renewed, signed */
	const struct ca *renews_ca; /* then: that issued it; borrowed */
	unsigned renews_generation; /* of that CA */
	/* the envelope (C-81 to C-91) */
	const struct ca *ca; /* the recipient's; borrowed; NULL: not ours */
	const struct generation *gen; /* of the CA, which issues */
	const struct generation *to;  /* whose key unwraps: gen, or an RA's */
	const struct generation *by;  /* whose key signs the reply */
	enum cipher cipher;
	bool enveloped; /* cipher and transport were read from an envelope */
	enum transport transport;
	unsigned weak; /* bits of enum weak: what was admitted and used */
	/* the content, for PKCSReq and RenewalReq */
	struct csr csr;
	/* the content, for GetCert and GetCRL: IssuerAndSerialNumber */
	struct buf content;	   /* DER; these spans borrow from it */
	struct span wanted_issuer; /* Name DER */
	struct span wanted_serial; /* INTEGER content bytes */
	/* the verdict: refused if fail != FAIL_NONE */
	enum failinfo fail;
	const char *reason; /* for the log; constant; never sent */
};

/*
 * Opens a message in this order (C-177): size and BER shape; SignedData, one
 * signer, attributes; algorithms; signature; recipient; unwrap; CSR, or
 * IssuerAndSerialNumber.  The envelope of a CertPoll is addressed, but stays
 * closed: its content says nothing that counts (C-132).  So does that of a
 * type that is not served.
 * `cas` are those the alias serves.
 *
 * OK: msg->txid and nonce are known, so a CertRep can be sent; msg->fail says
 *     whether and how it must be refused.  If an unknown recipient, msg->ca is NULL.
 * ERR_INPUT: not a message that can be answered: HTTP 400 (C-156, C-158);
 *     msg->reason says why.
 * ERR_CRYPTO, ERR_SYSTEM: our own trouble, logged: HTTP 503.
 * pkimsg_release() after each, also after an error.
 *
 * Everything behind the envelope, wrong key, wrong padding, unreadable
 * CSR, another key than the signer's, bad CSR signature, is one refusal after
 * the same work (DESIGN 5, C-168); the reason is for our log alone.  Of a
 * renewal, other names than the signer's take the place of another key: who
 * has some certificate of ours and signs a captured envelope again learns
 * nothing.  Of GetCert
 * and GetCRL it is no refusal: wanted_issuer is an empty Name then, which
 * nothing matches, so that the answer is that of what is not there.
 */
enum err message_open(const struct ca *const *cas, size_t ncas,
    const struct message_policy *policy, struct span der, struct pkimsg *msg);
void pkimsg_init(struct pkimsg *msg);
void pkimsg_release(struct pkimsg *msg);

/* What to answer. */
struct certrep {
	enum pki_status status;
	enum failinfo fail; /* with PKI_FAILURE */
	const char
	    *text; /* failInfoText, a constant without detail, or NULL (C-58) */
	const struct span *certs; /* with PKI_SUCCESS: DER, leaf first */
	size_t ncerts;
	struct span crl; /* with PKI_SUCCESS: DER, instead of certs (C-144) */
	const struct generation *gen; /* whose key signs */
	bool no_sha1; /* policy: SHA-1 requests get SHA-256 replies */
};

/*
 * The CertRep as DER ContentInfo: SUCCESS signed(enveloped(certs-only)) to
 * the signer's key; FAILURE and PENDING signed with eContent absent (C-90);
 * digest, cipher and key transport mirror the request (C-85, C-87, C-102);
 * fresh senderNonce (C-59), recipientNonce and transactionID byte-exact.
 * The SignerInfo names rsaEncryption (spec/clients.md) and carries the
 * signer's certificate in `certificates` (C-54).
 */
enum err message_seal(
    const struct pkimsg *msg, const struct certrep *rep, struct buf *out);

/* A degenerate certificates-only SignedData ContentInfo, order kept (C-148, C-150). */
enum err message_certs_only(
    const struct span *certs, size_t n, struct buf *out);

/*
 * The answer of GetNextCACert (C-39, C-40): a SignedData by the current CA's
 * key with SHA-256 (C-42), whose content is a certs-only SignedData of these
 * certificates; they stand in its own `certificates` too, where jscep looks.
 * The signer's certificate does not, and there are no SCEP attributes.
 */
enum err message_next(const struct generation *current,
    const struct span *certs, size_t n, struct buf *out);

/*
 * The CSR reader by itself, for tools and tests: ERR_INPUT if unreadable, with
 * its reason.  verified: its signature was good.
 */
enum err csr_read(
    struct span der, struct csr *out, bool *verified, const char **reason);
void csr_release(struct csr *csr);

#endif
