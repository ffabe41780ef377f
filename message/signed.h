#ifndef MESSAGE_SIGNED_H
#define MESSAGE_SIGNED_H

#include "ca/cert.h"
#include "message/alg.h"

/*
 * SignedData as it was received (RFC 5652 5), with exactly one SignerInfo
 * (C-45).  Spans borrow from the bytes given.
 */
struct signer {
	struct span issuer; /* Name DER; empty where it is named by ski */
	struct span serial; /* INTEGER content bytes */
	struct span ski;
	struct alg digest;
	struct span attrs; /* signedAttrs, with their [0] and length */
	struct alg signature;
	struct span value;
};
struct signed_data {
	struct span type;    /* eContentType, OID content */
	struct span content; /* eContent's octets; empty if absent */
	struct span certs;   /* what `certificates` holds */
	struct signer signer;
};
/* der: a ContentInfo in definite lengths.  ERR_INPUT: *why says what. */
enum err signed_read(
    struct span der, struct signed_data *out, const char **why);

/*
 * The signer's certificate, found by its sid and not by its position (C-49).
 * ERR_NOTFOUND: none.
 */
enum err signer_find(const struct signed_data *sd, struct cert_view *out);

/*
 * The SignerInfo's signature over its attributes under this key (C-46); how
 * has the digest that counts.
 */
enum err signer_verify(const struct signer *signer, struct span spki,
    const struct scheme *how, bool *good);

/*
 * One signature check.  ERR_INPUT and ERR_REFUSED (silent): pubkey_read()
 * will not have this key, or it is not of this type.  ERR_CRYPTO: ours.
 */
struct check {
	struct span spki;
	struct scheme how;
	struct span data;
	struct span signature;
};
enum err check_signature(const struct check *c, bool *good);

/* Certificates name each other: equal bytes, or equal by RFC 5280 7.1. */
bool issuer_eq(struct span a, struct span b);

#endif
