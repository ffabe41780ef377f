#ifndef MESSAGE_LETTER_H
#define MESSAGE_LETTER_H

#include "message/envelope.h"

/*
 * Letters between an external RA and its CA (ejbca-behaviour 9): CMS, in the
 * form of a pkiMessage with types that SCEP does not know, so that neither can
 * be taken for the other.
 *
 *	request	 the RA signs, and encrypts to the CA
 *	result	 the CA signs: what became of one request
 *	news	 the CA signs: its CRL and its next certificate
 *	untold	 the RA signs, and encrypts to itself: a request as it came
 *
 * They are encrypted first and signed then, so that whoever gets one knows
 * whose it is before a private key of his touches it.  transactionID is the
 * letter's name, which must be the one that it came under; senderNonce its
 * nonce, recipientNonce of a result the request's.  The content is
 * SEQUENCE { text UTF8String, part OCTET STRING, OCTET STRING }.
 *
 * Letters are written by us alone: DER, SHA-256, and nothing else is read.
 */
enum letter_kind {
	LETTER_REQUEST = 101, /* the messageType */
	LETTER_RESULT = 102,
	LETTER_NEWS = 103,
	LETTER_UNTOLD = 104
};
#define LETTER_NONCE 16
#define LETTER_PARTS 2

struct letter {
	enum letter_kind kind;
	const char *name; /* 1 to MAX_TXID bytes */
	uint8_t nonce[LETTER_NONCE];
	struct span answers;		/* of a result: the request's nonce */
	struct span text;		/* a record (store/record.h) */
	struct span part[LETTER_PARTS]; /* may be empty */
};

/*
 * Signed by `by`; encrypted to `to`, of which certificate and RSA key are
 * used, unless that is NULL.  ERR_CRYPTO, ERR_REFUSED (logged): these keys
 * cannot.  Appends to out.
 */
enum err letter_seal(const struct letter *in, const struct generation *by,
    const struct generation *to, struct buf *out);

/* An opened letter; spans borrow from the bytes given, or from plain. */
struct letter_opened {
	enum letter_kind kind;
	struct span name, nonce, answers;
	struct span signer;  /* certificate DER: one of those asked for */
	struct span content; /* sealed still, or as signed */
	struct buf plain;    /* secret */
	struct span text, part[LETTER_PARTS];
};
void letter_release(struct letter_opened *o);

/*
 * Whose letter is it?  One of this kind, under this name, signed with a
 * certificate that is one of n, byte for byte, or, where keys are given, with
 * one of their keys: a CA may have a newer certificate for its key than is
 * known far away.  ERR_INPUT: no; *why says what.  Nothing was decrypted then.
 */
struct letter_rule {
	enum letter_kind kind;
	const char *name;	   /* NULL: any */
	const struct span *signer; /* certificates, DER */
	const struct span *key;	   /* SubjectPublicKeyInfo of each, or NULL */
	size_t n;
};
enum err letter_verify(struct span der, const struct letter_rule *rule,
    struct letter_opened *out, const char **why);
/* *why of one whose signer is none of those. */
extern const char letter_stranger[];

/*
 * After it: the content, decrypted by the key of one of these CAs where cas
 * is not NULL; *to is that generation then.  ERR_INPUT: *why.
 */
enum err letter_open(struct letter_opened *o, const struct ca *const *cas,
    size_t ncas, struct address *to, const char **why);

/* The same of one that its writer has encrypted to this key of his own. */
enum err letter_open_own(
    struct letter_opened *o, struct key *key, const char **why);

/* The content by itself, a plain function of bytes.  ERR_INPUT (silent). */
enum err letter_content(
    struct span der, struct span *text, struct span part[LETTER_PARTS]);

#endif
