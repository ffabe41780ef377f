#ifndef MESSAGE_ALG_H
#define MESSAGE_ALG_H

#include <openssl/evp.h>

#include "ca/der.h"
#include "message/message.h"

/* AlgorithmIdentifiers and the OIDs of messages, as tables. */

/* Content types (RFC 5652 4, 5.1, 6.1) */
extern const struct span oid_data;
extern const struct span oid_signed;
extern const struct span oid_enveloped;

struct alg {
	struct span oid;
	struct span params; /* the whole parameter element, or empty */
};
/* Takes an AlgorithmIdentifier off the front of *in. */
bool alg_read(struct span *in, struct alg *out);
/* Absent or NULL: both are taken for algorithms without parameters (C-50). */
bool alg_plain(const struct alg *alg);

bool digest_find(struct span oid, enum digest *out);
struct span digest_oid(enum digest d);

/* Signature algorithms: what key they need and which digest they name. */
struct sigalg {
	struct span oid;
	enum key_type key;
	enum digest digest; /* DIGEST__MAX: named elsewhere, or none */
};
/* What the AlgorithmIdentifier of a signature says, parameters and all. */
struct scheme {
	enum key_type key;
	enum digest digest; /* as in struct sigalg */
	bool pss;	    /* RSASSA-PSS; else PKCS#1 v1.5 with an RSA key */
	unsigned salt;	    /* its salt, in bytes */
};
/* False: not supported. */
bool scheme_read(const struct alg *alg, struct scheme *out);
/* What a CertRep's SignerInfo says for a key of ours; NULL: impossible. */
const struct sigalg *sigalg_for(enum key_type key, enum digest digest);

/* Key transport (C-84). */
bool transport_read(const struct alg *alg, enum transport *out);
/* Appends the AlgorithmIdentifier. */
bool transport_write(enum transport how, struct buf *out);
/* The digest of OAEP and its MGF1; DIGEST__MAX for v1.5. */
enum digest transport_digest(enum transport how);

/* Content encryption (C-86). */
struct cipher_kind {
	struct span oid;
	const char *name;
	const char *never; /* why it is never served, or NULL: it is */
	enum cipher id;	   /* CIPHER__MAX where never */
	size_t key;	   /* bytes */
	size_t block;	   /* bytes, also of the IV */
};
const struct cipher_kind *cipher_find(struct span oid); /* NULL: unknown */
const struct cipher_kind *cipher_of(enum cipher id);
/*
 * Fetched once per process; NULL if not available, which with single DES was
 * logged: the first call for it loads OpenSSL's legacy provider.
 */
const EVP_CIPHER *cipher_evp(enum cipher id);

/*
 * The hash in [0] and that of the mask generation function MGF1 in [1],
 * taken off the front of the parameters of OAEP and PSS; absent is SHA-1
 * (RFC 8017 A.2).
 */
bool params_hash(struct span *in, enum digest *out);
bool params_mask(struct span *in, enum digest *out);

#endif
