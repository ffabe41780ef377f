#include "message/attrs.h"

#include "base/limits.h"

#define PKCS9 "\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define SCEP  "\x60\x86\x48\x01\x86\xf8\x45\x01\x09"
#define OID(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

static const struct span oids[ATTR__MAX] = {
	[ATTR_CONTENT_TYPE] = OID(PKCS9 "\x03"),
	[ATTR_MESSAGE_DIGEST] = OID(PKCS9 "\x04"),
	[ATTR_MESSAGE_TYPE] = OID(SCEP "\x02"),
	[ATTR_PKI_STATUS] = OID(SCEP "\x03"),
	[ATTR_FAIL_INFO] = OID(SCEP "\x04"),
	[ATTR_SENDER_NONCE] = OID(SCEP "\x05"),
	[ATTR_RECIPIENT_NONCE] = OID(SCEP "\x06"),
	[ATTR_TRANSACTION_ID] = OID(SCEP "\x07"),
	[ATTR_FAIL_TEXT] = OID("\x2b\x06\x01\x05\x05\x07\x18\x01"),
};

struct span
attr_oid(enum attr a)
{
	return oids[a];
}

/* What was seen of one known attribute. */
struct found {
	size_t times;
	struct der value; /* the one value; tag 0 if there is not just one */
};

struct reader {
	struct span seen[MAX_ATTRIBUTES]; /* OIDs so far */
	size_t n;
	struct found found[ATTR__MAX];
	bool unclean;
};

static void
note(struct reader *r, struct span oid, struct span values)
{
	struct der value = { 0 };

	for (size_t i = 0; i < r->n; i++)
		if (span_eq(r->seen[i], oid))
			r->unclean = true;
	r->seen[r->n++] = oid;
	for (size_t a = 0; a < ATTR__MAX; a++) {
		if (!span_eq(oids[a], oid))
			continue;
		if (!der_next(&values, &value) || values.len > 0) {
			value.tag = 0;
			r->unclean = true;
		}
		r->found[a].times++;
		r->found[a].value = value;
	}
}

static bool
collect(struct span in, struct reader *r)
{
	struct span attr, oid, values;

	while (in.len > 0) {
		if (r->n == MAX_ATTRIBUTES ||
		    !der_get(&in, DER_SEQUENCE, &attr) ||
		    !der_get(&attr, DER_OID, &oid) ||
		    !der_one(attr, DER_SET, &values))
			return false;
		note(r, oid, values);
	}
	return true;
}

/* The one value of an attribute that stands once. */
static bool
only(const struct reader *r, enum attr a, struct der *out)
{
	if (r->found[a].times != 1 || r->found[a].value.tag == 0)
		return false;
	*out = r->found[a].value;
	return true;
}

static struct span
only_as(const struct reader *r, enum attr a, uint8_t tag)
{
	struct der d;

	return only(r, a, &d) && d.tag == tag ? d.body : span_of(NULL, 0);
}

/* Decimal text as the standard writes it: "019", "+19", " 19" are not (C-55). */
static long
type_of(const struct reader *r)
{
	struct der d;
	long type = 0;

	if (!only(r, ATTR_MESSAGE_TYPE, &d) ||
	    (d.tag != DER_PRINT && d.tag != DER_UTF8 && d.tag != DER_IA5) ||
	    d.body.len == 0 || d.body.len > 9 ||
	    (d.body.p[0] == '0' && d.body.len > 1))
		return -1;
	for (size_t i = 0; i < d.body.len; i++) {
		if (d.body.p[i] < '0' || d.body.p[i] > '9')
			return -1;
		type = type * 10 + (d.body.p[i] - '0');
	}
	return type;
}

/* One-byte string types; what they hold is opaque (C-71). */
static bool
txid_read(const struct reader *r, struct der *out)
{
	static const uint8_t tags[] = { DER_PRINT, DER_UTF8, DER_IA5, DER_T61,
		0x12 /* NumericString */, 0x1a /* VisibleString */ };

	if (!only(r, ATTR_TRANSACTION_ID, out) || out->body.len == 0 ||
	    out->body.len > MAX_TXID)
		return false;
	return memchr(tags, out->tag, sizeof(tags)) != NULL;
}

enum err
attrs_read(struct span body, struct attrs *out, const char **why)
{
	struct reader r = { .n = 0 };

	*out = (struct attrs){ .type = -1 };
	*why = "the signed attributes are unreadable";
	if (!collect(body, &r))
		return ERR_INPUT;
	*why = "no transactionID that can be answered";
	if (!txid_read(&r, &out->txid))
		return ERR_INPUT;
	out->nonce = only_as(&r, ATTR_SENDER_NONCE, DER_OCTETS);
	*why = "no senderNonce that can be answered";
	if (out->nonce.len < MIN_NONCE || out->nonce.len > MAX_NONCE)
		return ERR_INPUT;
	out->answers = only_as(&r, ATTR_RECIPIENT_NONCE, DER_OCTETS);
	out->content_type = only_as(&r, ATTR_CONTENT_TYPE, DER_OID);
	out->digest = only_as(&r, ATTR_MESSAGE_DIGEST, DER_OCTETS);
	out->type = type_of(&r);
	out->unclean = r.unclean;
	*why = NULL;
	return OK;
}
