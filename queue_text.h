#ifndef QUEUE_TEXT_H
#define QUEUE_TEXT_H

#include "message/letter.h"
#include "store/transaction.h"

/*
 * The text of letters: records, as the files of the store are (record.h).
 * Plain functions of bytes; shared by the files of queue*.c.
 */

/* Of a request; its parts are the CSR, and a renewal's old certificate. */
struct queue_request {
	char transaction[SHA256_HEX];
	unsigned attempt;
	char *alias, *ca; /* as the RA calls them */
	struct buf txid;
	char signer[SHA256_HEX]; /* SHA-256 of the signer's SPKI */
	bool renews;
	char *remote; /* or NULL */
	int64_t time;
	/* the RA's judge: who and what it is to be instead; or NULL */
	char *username, *subject, *san, *profile;
	bool no_san; /* san is "" */
	int64_t validity;
};
void queue_request_release(struct queue_request *r);
enum err queue_request_text(const struct queue_request *r, struct buf *out);
/* ERR_INPUT (logged): a line is missing or not what it must be. */
enum err queue_request_read(struct span text, struct queue_request *out);

/* Of a result; its first part is the certificate, if there is one. */
struct queue_result {
	bool issued;
	unsigned fail;		/* failInfo, if not */
	char *why;		/* the same, for people */
	char *entity, *profile; /* if issued */
	int64_t time;
};
void queue_result_release(struct queue_result *r);
enum err queue_result_text(const struct queue_result *r, struct buf *out);
enum err queue_result_read(struct span text, struct queue_result *out);

/* queue_take.c: a letter that the key of some generation of this CA signed, opened. */
enum err queue_verify(const struct ca *ca, const char *name,
    enum letter_kind kind, struct span der, struct letter_opened *out,
    const char **why);

/*
 * Of news; its parts are the CRL, and the answer of GetNextCACert or none.
 * certs: the CA's present certificate and its issuers, DER one behind the
 * other; empty where an older program has written them.
 */
struct queue_news {
	int64_t time;
	struct buf certs;
};
void queue_news_release(struct queue_news *n);
enum err queue_news_text(const struct queue_news *n, struct buf *out);
enum err queue_news_read(struct span text, struct queue_news *out);

#endif
