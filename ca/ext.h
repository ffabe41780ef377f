#ifndef CA_EXT_H
#define CA_EXT_H

#include <stdbool.h>

#include "base/buf.h"

/* One X.509 extension, as asked for or as it goes into a certificate. */
struct extension {
	struct span oid; /* content bytes of the OBJECT IDENTIFIER */
	bool critical;
	struct span value; /* what the OCTET STRING holds */
};

/*
 * Why an extension with this OID is never taken from a request, whatever a
 * profile says (C-117, C-178): a constant sentence, or NULL if it may be.
 */
const char *extension_denied(struct span oid);

/* The same for what it holds: one DER element of at most MAX_COPIED bytes. */
const char *extension_bad_value(const struct extension *ext);

/* Content bytes of OIDs that have a meaning of their own here. */
#define OID_KEY_USAGE  DER_BYTES("\x55\x1d\x0f")
#define OID_EKU	       DER_BYTES("\x55\x1d\x25")
#define OID_SAN	       DER_BYTES("\x55\x1d\x11")
#define OID_ANY_POLICY DER_BYTES("\x55\x1d\x20\x00")
#define OID_SID	       DER_BYTES("\x2b\x06\x01\x04\x01\x82\x37\x19\x02")

#endif
