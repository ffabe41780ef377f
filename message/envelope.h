#ifndef MESSAGE_ENVELOPE_H
#define MESSAGE_ENVELOPE_H

#include "message/alg.h"

/*
 * EnvelopedData as it was received (RFC 5652 6), and who it is for.  Spans
 * borrow from the bytes given.
 */
struct recipient {
	struct span issuer; /* Name DER; empty where it is named by ski */
	struct span serial; /* INTEGER content bytes */
	struct span ski;
	struct alg transport;
	struct span block; /* encryptedKey */
};
struct envelope {
	struct recipient recipient[MAX_RECIPIENTS];
	size_t n;	      /* KeyTransRecipientInfos */
	size_t passwords;     /* PasswordRecipientInfos */
	struct span password; /* what the first of them holds */
	struct alg cipher;    /* contentEncryptionAlgorithm */
	struct der content;   /* encryptedContent; tag 0 if absent */
};
/* der: a ContentInfo in definite lengths.  ERR_INPUT: *why says what. */
enum err envelope_read(struct span der, struct envelope *out, const char **why);

/* Whose certificate a recipient names: a CA's, or one of its RAs'. */
struct address {
	const struct ca *ca;
	const struct generation *gen; /* of the CA, which issues */
	const struct generation *to;  /* whose key unwraps */
	const struct generation *by;  /* whose key signs the reply (C-152) */
	const struct recipient *recipient;
	size_t times; /* recipients of ours; good is 1 */
};
/*
 * The first recipient that is ours; all NULL if none (C-83).  RA certificates
 * are, for a time, also after their end; a former generation and its RA for
 * `grace` seconds after the next began (C-130); the next one is (C-128).
 */
struct when {
	int64_t now, grace;
};
void envelope_address(const struct envelope *env, const struct ca *const *cas,
    size_t ncas, const struct when *when, struct address *out);

/*
 * A PasswordRecipientInfo with PBKDF2 and PWRI-KEK (RFC 5652 6.2.4, RFC 3211,
 * C-93, C-94).
 */
struct pwri {
	struct span salt;
	unsigned iterations;
	enum digest prf; /* HMAC with this digest */
	enum cipher kek; /* the cipher that wraps the content key, twice */
	struct span iv;	 /* of kek, a whole block */
	struct span wrapped;
};
/* body: inside [3].  False: *why says what is not supported. */
bool pwri_read(struct span body, struct pwri *out, const char **why);

/*
 * The content key of len bytes.  As key_unwrap() it never fails for a wrong
 * secret: a key derived from both stands in, and what was wrong is not told.
 * An empty secret is nobody's: the same work.
 */
enum err pwri_unwrap(
    const struct pwri *in, struct span secret, size_t len, uint8_t *key);

/* RecipientInfo with key of len bytes under the secret (C-93: our count). */
enum err pwri_wrap(enum cipher kek, struct span secret, const uint8_t *key,
    size_t len, struct buf *out);

/*
 * Opens the envelope with one recipient's key, or a password.  A bad block, a wrong key and
 * bad padding are no errors (DESIGN 5, C-168): plain (secret) then holds all
 * bytes that came out of the cipher and *good is 0.  *good is all ones and
 * *len the length without padding where the padding is right.  Neither may
 * be branched on before the content was looked at.
 * ERR_INPUT: visibly wrong without any key: IV, no content, no whole blocks.
 */
struct unwrap {
	enum cipher cipher;
	const struct pwri *pwri; /* NULL: by key */
	struct span secret;	 /* with pwri */
	struct key *key;	 /* these three by key */
	enum transport transport;
	struct span block;
};
enum err envelope_unwrap(const struct envelope *env, const struct unwrap *how,
    struct buf *plain, unsigned *good, size_t *len);

/*
 * EnvelopedData of content for one certificate's key, as ContentInfo; or,
 * where a secret is given, for whoever has that (C-92).
 */
struct wrap {
	struct span secret; /* empty: by key */
	struct span issuer; /* Name DER, as in the certificate (C-78) */
	struct span serial; /* INTEGER content bytes, as they came */
	struct span spki;
	enum transport transport;
	enum cipher cipher;
};
enum err envelope_wrap(
    const struct wrap *how, struct span content, struct buf *out);

#endif
