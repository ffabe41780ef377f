#include "ca/ext.h"

#include <string.h>

#include "base/limits.h"
#include "ca/der.h"

/*
 * What only the CA says of a certificate.  id-ce is denied as a whole: of its
 * extensions keyUsage and extKeyUsage are narrowed, not copied, and the
 * subjectAltName has its own way; all others are rights, or pointers to the
 * CA's services.
 */
static const struct {
	struct span prefix;
	const char *why;
} denied[] = {
#define DENY(oid, why)                                                    \
	{                                                                 \
		{ (const uint8_t *)(oid), sizeof(oid) - 1 }, "it is " why \
	}
#define PKIX	  "\x2b\x06\x01\x05\x05\x07"
#define MICROSOFT "\x2b\x06\x01\x04\x01\x82\x37"
	DENY("\x55\x1d", "one of the standard extensions, the profile's alone"),
	DENY(PKIX "\x01\x01", "authorityInfoAccess, the profile's alone"),
	DENY(PKIX "\x01\x03", "a statement that only the CA makes (QC)"),
	DENY(PKIX "\x01\x0b", "subjectInfoAccess, which a CA has"),
	DENY(PKIX "\x01\x0e", "proxyCertInfo, a right to issue"),
	DENY(PKIX "\x30\x01\x05", "a right of OCSP responders"),
	DENY(MICROSOFT "\x15\x01", "a CA's version"),
	DENY(MICROSOFT "\x15\x02", "a CA's"),
	DENY(MICROSOFT "\x15\x07", "a template: mstemplate sets it"),
	DENY(MICROSOFT "\x14\x02", "a template: mstemplatename sets it"),
	DENY(MICROSOFT "\x15\x0a", "the application policies, a usage"),
	DENY(MICROSOFT "\x15\x0b", "a CA's policy mappings"),
	DENY(MICROSOFT "\x15\x0c", "a CA's policy constraints"),
	DENY("\x60\x86\x48\x01\x86\xf8\x42\x01", "Netscape's, with CA rights"),
	DENY("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04", "a log's or a CA's (CT)"),
	DENY("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07", "a secret"),
#undef DENY
};

const char *
extension_denied(struct span oid)
{
	for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++) {
		struct span prefix = denied[i].prefix;

		if (oid.len >= prefix.len &&
		    memcmp(oid.p, prefix.p, prefix.len) == 0)
			return denied[i].why;
	}
	return NULL;
}

const char *
extension_bad_value(const struct extension *ext)
{
	struct span rest = ext->value;
	struct der d;

	if (ext->value.len > MAX_COPIED)
		return "a requested extension is too large";
	if (!der_next(&rest, &d) || rest.len > 0)
		return "a requested extension is not DER";
	return NULL;
}
