#ifndef MESSAGE_ATTRS_H
#define MESSAGE_ATTRS_H

#include "ca/der.h"
#include "message/message.h"

/*
 * Signed attributes (C-55 to C-66).  Those that the protocol knows must have
 * one value and stand once; no attribute stands twice.
 */
enum attr {
	ATTR_CONTENT_TYPE,
	ATTR_MESSAGE_DIGEST,
	ATTR_MESSAGE_TYPE,
	ATTR_PKI_STATUS,
	ATTR_FAIL_INFO,
	ATTR_SENDER_NONCE,
	ATTR_RECIPIENT_NONCE,
	ATTR_TRANSACTION_ID,
	ATTR_FAIL_TEXT,
	ATTR__MAX
};
struct span attr_oid(enum attr a);

struct attrs {
	struct span content_type; /* OID content; empty: absent or doubled */
	struct span digest;	  /* the same */
	long type;		  /* -1: absent, doubled or unreadable */
	struct der txid;
	struct span nonce;
	struct span answers; /* recipientNonce; empty: absent */
	bool unclean;	     /* something stands twice or has two values */
};
/*
 * body: what [0] holds.  ERR_INPUT: unreadable, or no transactionID or no
 * senderNonce to answer with (C-158); *why says which.
 */
enum err attrs_read(struct span body, struct attrs *out, const char **why);

#endif
