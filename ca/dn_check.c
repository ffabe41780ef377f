#include <string.h>

#include "base/limits.h"
#include "ca/attr.h"
#include "ca/dn.h"
#include "ca/text.h"

/*
 * What may stand in a certificate that we sign.  ca/dn.c shows whatever a
 * stranger's certificate has; here only what every reader can read passes.
 */

/* X.690 8.19: groups of seven bits, none begins with 0x80, the last ends. */
static bool
oid_good(struct span oid)
{
	bool begin = true;

	if (oid.len == 0 || oid.len > MAX_OID)
		return false;
	for (size_t i = 0; i < oid.len; i++) {
		if (begin && oid.p[i] == 0x80)
			return false;
		begin = (oid.p[i] & 0x80) == 0;
	}
	return begin;
}

/*
 * Text of some string type, without a NUL, which would end it early for a C
 * program.  Letters that PrintableString does not have ('@', '*') are let
 * through: devices send them and everybody reads them.
 */
static enum err
value_check(const struct der *value, const char **why)
{
	struct buf utf8 = BUF_INIT;
	enum err e = string_utf8(value, &utf8);

	if (e == OK && utf8.len > 0 &&
	    memchr(utf8.data, '\0', utf8.len) != NULL)
		e = ERR_INPUT;
	if (e == ERR_INPUT)
		*why = "the subject has a value that is not text";
	buf_release(&utf8);
	return e;
}

/* Type and value; the shape around them is known to be DER. */
static enum err
attribute_check(struct span *set, const char **why)
{
	struct span attribute, oid;
	struct der value;

	*why = "the subject is no Name";
	if (!der_get(set, DER_SEQUENCE, &attribute) ||
	    !der_get(&attribute, DER_OID, &oid) ||
	    !der_next(&attribute, &value) || attribute.len > 0)
		return ERR_INPUT;
	*why = "the subject has an OID that is none";
	return oid_good(oid) ? value_check(&value, why) : ERR_INPUT;
}

enum err
dn_check(struct span der, const char **why)
{
	struct span rdns, set;
	size_t n = 0;
	enum err e;

	*why = "the subject is too large";
	if (der.len > MAX_SUBJECT)
		return ERR_INPUT;
	*why = "the subject is no Name";
	if (!der_strict(der) || !der_one(der, DER_SEQUENCE, &rdns))
		return ERR_INPUT;
	while (rdns.len > 0) {
		*why = "the subject is no Name";
		if (!der_get(&rdns, DER_SET, &set) || set.len == 0)
			return ERR_INPUT;
		while (set.len > 0) {
			*why = "the subject has too many attributes";
			if (++n > MAX_NAME_PARTS)
				return ERR_INPUT;
			if ((e = attribute_check(&set, why)) != OK)
				return e;
		}
	}
	*why = NULL;
	return OK;
}
