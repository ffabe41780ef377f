#ifndef MESSAGE_SEALING_H
#define MESSAGE_SEALING_H

#include "message/alg.h"
#include "message/attrs.h"

/*
 * Inside message_seal() and letter_seal(): a SignedData on its way.  First
 * the content, then sealing_cms_attrs() and further attributes as a SET OF,
 * sealing_sign(), sealing_assemble(); sealing_release() in any case.
 */
#define NONCE_LEN 16 /* RFC 8894 3.2.1.5 */

struct sealing {
	const struct pkimsg *msg;    /* of a CertRep; else NULL */
	const struct certrep *rep;   /* the same */
	const struct generation *by; /* whose key signs */
	enum digest digest;
	const struct sigalg *alg;
	struct buf content; /* the EnvelopedData, or empty (C-90) */
	struct buf attrs;   /* SET OF Attribute, as signed */
	struct buf signature;
};
void sealing_release(struct sealing *s);

/* Appends one attribute with one value; false: memory is out. */
bool sealing_attr(struct buf *out, enum attr type, int tag, struct span value);

/* Appends those that CMS itself wants (RFC 5652 11). */
enum err sealing_cms_attrs(const struct sealing *s, struct buf *list);

/* Each kind of answer has its own verb of the key's door. */
typedef enum err sealing_verb(struct key *key, enum digest digest,
    struct span der, struct buf *signature);
enum err sealing_sign(struct sealing *s, sealing_verb *sign);

/* Appends the ContentInfo; certs: what `certificates` holds. */
enum err sealing_assemble(
    const struct sealing *s, struct span certs, struct buf *out);

#endif
