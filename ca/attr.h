#ifndef CA_ATTR_H
#define CA_ATTR_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Types of attributes in names: EJBCA's short names, and the string types
 * that RFC 5280 wants.
 */
#define MAX_OID 64 /* content bytes */

struct attr_type {
	uint8_t oid[MAX_OID];
	size_t oid_len;
	uint8_t tag; /* string type, if the value can be one */
	bool strict; /* no other type will do: C, DC, E */
};

/* A short name in any case, `1.2.3` or `OID.1.2.3`; false if unknown. */
bool attr_type_read(const char *name, struct attr_type *type);

/* The name that we write, NULL if there is none. */
const char *attr_name(struct span oid);

/*
 * Appends the value as the string type that fits; UTF8String where the usual
 * one cannot hold it.  ERR_INPUT: not UTF-8, a NUL, or what no such attribute
 * can have; *why is half a sentence then.
 */
enum err attr_encode(const struct attr_type *type, struct span utf8,
    struct buf *der, const char **why);

/* Dotted numbers and content bytes. */
enum err oid_text(struct span oid, struct buf *text);
bool oid_read(const char *text, uint8_t oid[MAX_OID], size_t *len);

#endif
