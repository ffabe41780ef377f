#include "ca/attr.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <strings.h>

#include "ca/der.h"
#include "ca/text.h"

#define X520(last)   "\x55\x04" last
#define PKCS9(last)  "\x2a\x86\x48\x86\xf7\x0d\x01\x09" last
#define COSINE(last) "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01" last

/*
 * The first name of an OID is the one we write.  SN is serialNumber, as in
 * EJBCA and unlike OpenSSL (DESIGN 7).
 */
static const struct {
	const char *name;
	const char *oid; /* content bytes; none has a NUL */
	uint8_t tag;
	bool strict;
} attrs[] = {
	{ "CN", X520("\x03"), DER_UTF8, false },
	{ "SN", X520("\x05"), DER_PRINT, false },
	{ "SERIALNUMBER", X520("\x05"), DER_PRINT, false },
	{ "SURNAME", X520("\x04"), DER_UTF8, false },
	{ "GIVENNAME", X520("\x2a"), DER_UTF8, false },
	{ "INITIALS", X520("\x2b"), DER_UTF8, false },
	{ "T", X520("\x0c"), DER_UTF8, false },
	{ "TITLE", X520("\x0c"), DER_UTF8, false },
	{ "GENERATION", X520("\x2c"), DER_UTF8, false },
	{ "GENERATIONQUALIFIER", X520("\x2c"), DER_UTF8, false },
	{ "DNQUALIFIER", X520("\x2e"), DER_PRINT, false },
	{ "DN", X520("\x2e"), DER_PRINT, false },
	{ "PSEUDONYM", X520("\x41"), DER_UTF8, false },
	{ "NAME", X520("\x29"), DER_UTF8, false },
	{ "O", X520("\x0a"), DER_UTF8, false },
	{ "OU", X520("\x0b"), DER_UTF8, false },
	{ "C", X520("\x06"), DER_PRINT, true },
	{ "L", X520("\x07"), DER_UTF8, false },
	{ "ST", X520("\x08"), DER_UTF8, false },
	{ "S", X520("\x08"), DER_UTF8, false },
	{ "STREET", X520("\x09"), DER_UTF8, false },
	{ "POSTALCODE", X520("\x11"), DER_UTF8, false },
	{ "BUSINESSCATEGORY", X520("\x0f"), DER_UTF8, false },
	{ "TELEPHONENUMBER", X520("\x14"), DER_PRINT, false },
	{ "UID", COSINE("\x01"), DER_UTF8, false },
	{ "DC", COSINE("\x19"), DER_IA5, true },
	{ "E", PKCS9("\x01"), DER_IA5, true },
	{ "EMAIL", PKCS9("\x01"), DER_IA5, true },
	{ "EMAILADDRESS", PKCS9("\x01"), DER_IA5, true },
	{ "UNSTRUCTUREDNAME", PKCS9("\x02"), DER_IA5, false },
	{ "UNSTRUCTUREDADDRESS", PKCS9("\x08"), DER_UTF8, false },
};
#define ATTRS (sizeof(attrs) / sizeof(*attrs))

static struct span
oid_of(size_t i)
{
	return span_of(attrs[i].oid, strlen(attrs[i].oid));
}

bool
oid_read(const char *text, uint8_t oid[MAX_OID], size_t *len)
{
	int n;

	/* a2d_ASN1_OBJECT() takes blanks for dots, and two for one */
	if (strspn(text, "0123456789.") != strlen(text) ||
	    strstr(text, "..") != NULL)
		return false;
	ERR_set_mark();
	n = a2d_ASN1_OBJECT(NULL, 0, text, -1);
	if (n > 0 && n <= MAX_OID)
		n = a2d_ASN1_OBJECT(oid, MAX_OID, text, -1);
	ERR_pop_to_mark();
	if (n <= 0 || n > MAX_OID)
		return false;
	*len = (size_t)n;
	return true;
}

enum err
oid_text(struct span oid, struct buf *text)
{
	struct buf der = BUF_INIT;
	ASN1_OBJECT *obj = NULL;
	const unsigned char *p;
	char dotted[256];
	enum err e = ERR_SYSTEM;
	int n;

	if (!der_put(&der, DER_OID, oid))
		goto out;
	p = der.data;
	e = ERR_INPUT;
	ERR_set_mark();
	obj = d2i_ASN1_OBJECT(NULL, &p, (long)der.len);
	n = obj ? OBJ_obj2txt(dotted, sizeof(dotted), obj, 1) : 0;
	ERR_pop_to_mark();
	if (n > 0 && n < (int)sizeof(dotted))
		e = buf_str(text, dotted) ? OK : ERR_SYSTEM;
out:
	ASN1_OBJECT_free(obj);
	buf_release(&der);
	return e;
}

bool
attr_type_read(const char *name, struct attr_type *type)
{
	for (size_t i = 0; i < ATTRS; i++) {
		if (strcasecmp(attrs[i].name, name) != 0)
			continue;
		type->oid_len = oid_of(i).len;
		memcpy(type->oid, oid_of(i).p, type->oid_len);
		type->tag = attrs[i].tag;
		type->strict = attrs[i].strict;
		return true;
	}
	type->tag = DER_UTF8;
	type->strict = false;
	if (strncasecmp(name, "OID.", 4) == 0)
		name += 4;
	if (!oid_read(name, type->oid, &type->oid_len))
		return false;
	/* a dotted number of the table has the type of the table */
	for (size_t i = 0; i < ATTRS; i++) {
		if (span_eq(oid_of(i), span_of(type->oid, type->oid_len))) {
			type->tag = attrs[i].tag;
			type->strict = attrs[i].strict;
		}
	}
	return true;
}

const char *
attr_name(struct span oid)
{
	for (size_t i = 0; i < ATTRS; i++)
		if (span_eq(oid_of(i), oid))
			return attrs[i].name;
	return NULL;
}

/* X.680 41.4 */
static bool
printable(struct span s)
{
	static const char mark[] = " '()+,-./:=?";

	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] >= 0x80 ||
		    (!isalnum(s.p[i]) &&
			memchr(mark, s.p[i], sizeof(mark) - 1) == NULL))
			return false;
	return true;
}

static bool
ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == 0 || s.p[i] >= 0x80)
			return false;
	return true;
}

/* The countries' codes are letters (ISO 3166), and PrintableString. */
static const char *
value_wrong(const struct attr_type *type, struct span utf8, bool fits)
{
	if (!utf8_valid(utf8))
		return "not UTF-8";
	if (memchr(utf8.p, 0, utf8.len) != NULL)
		return "a NUL in it";
	if (!type->strict)
		return NULL;
	if (type->tag == DER_PRINT && (!fits || utf8.len != 2))
		return "C has two letters";
	return fits ? NULL : "E and DC have ASCII characters alone";
}

enum err
attr_encode(const struct attr_type *type, struct span utf8, struct buf *der,
    const char **why)
{
	bool fits = type->tag == DER_UTF8 ||
		    (type->tag == DER_PRINT && printable(utf8)) ||
		    (type->tag == DER_IA5 && ascii(utf8));

	if ((*why = value_wrong(type, utf8, fits)) != NULL)
		return ERR_INPUT;
	return der_put(der, fits ? type->tag : DER_UTF8, utf8) ? OK :
								 ERR_SYSTEM;
}
