#ifndef CA_DER_H
#define CA_DER_H

#include "base/buf.h"

/*
 * A bounds-checked walk over DER, for what is looked at without decoding all
 * of it (certificates of strangers, keys, names), and its writing half.
 * Definite lengths of at most four bytes and one-byte tags only.
 */
#define DER_BOOLEAN	0x01
#define DER_INTEGER	0x02
#define DER_BITS	0x03
#define DER_OCTETS	0x04
#define DER_NULL	0x05
#define DER_OID		0x06
#define DER_UTF8	0x0c
#define DER_PRINT	0x13
#define DER_T61		0x14
#define DER_IA5		0x16
#define DER_UTCTIME	0x17
#define DER_TIME	0x18
#define DER_BMP		0x1e
#define DER_SEQUENCE	0x30
#define DER_SET		0x31
#define DER_CONSTRUCTED 0x20 /* bit */
#define DER_CONTEXT	0x80 /* [n] primitive is 0x80 + n, ... */
#define DER_NESTED	0xa0 /* ... constructed is 0xa0 + n */

struct der {
	uint8_t tag;
	struct span body;
	struct span whole; /* with tag and length */
};

/* Takes the next element off the front of *in; false leaves *in alone. */
bool der_next(struct span *in, struct der *out);

/* The same, if it has this tag; body alone. */
bool der_get(struct span *in, uint8_t tag, struct span *body);

/* Is der one element with this tag and nothing behind? */
bool der_one(struct span der, uint8_t tag, struct span *body);

/*
 * Is der one element, every length in it, down to MAX_DEPTH, as short as it
 * can be?
 */
bool der_strict(struct span der);

/* The next tag; 0 at the end. */
uint8_t der_tag(struct span in);

/* Appends tag, length and body; false: memory is out. */
bool der_put(struct buf *out, uint8_t tag, struct span body);

/* UTCTime or GeneralizedTime in Z, seconds optional; 0 if unreadable. */
int64_t der_time(const struct der *d);

/* Borrowed content bytes of a constant, for OIDs: DER_BYTES("\x55\x04") */
#define DER_BYTES(s) ((struct span){ (const uint8_t *)(s), sizeof(s) - 1 })

#endif
