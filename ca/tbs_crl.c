#include "ca/tbs.h"

#include <openssl/x509.h>

#include "base/log.h"
#include "base/time.h"
#include "ca/der.h"

#define MAX_SERIAL     20 /* octets, RFC 5280 4.1.2.2 */
#define DER_ENUMERATED 0x0a
#define REASON_UNUSED  7
#define REASON_REMOVE  8 /* of delta CRLs alone */
#define REASON_LAST    10
#define UTCTIME_ENDS   2050 /* the first year of GeneralizedTime (C-186) */
#define MAX_TBS	       ((size_t)1 << 30)

static enum err
refuse(const char *why)
{
	log_error("no CRL is signed: %s", why);
	return ERR_REFUSED;
}

/* INTEGER of a positive number, however many zeros it begins with. */
static bool
put_number(struct buf *out, struct span n)
{
	uint8_t bytes[MAX_SERIAL + 1] = { 0 };

	while (n.len > 1 && n.p[0] == 0)
		n = span_of(n.p + 1, n.len - 1);
	if (n.len == 0 || n.len > MAX_SERIAL)
		return false;
	if ((n.p[0] & 0x80) == 0)
		return der_put(out, DER_INTEGER, n);
	for (size_t i = 0; i < n.len; i++)
		bytes[i + 1] = n.p[i];
	return der_put(out, DER_INTEGER, span_of(bytes, n.len + 1));
}

/* RFC 5280 5.1.2.4: UTCTime through 2049, then GeneralizedTime (C-197). */
static bool
put_time(struct buf *out, int64_t t)
{
	char text[32];
	struct date d;
	int n;

	time_split(t, &d);
	if (d.year >= 1950 && d.year < UTCTIME_ENDS)
		n = snprintf(text, sizeof(text), "%02d%02d%02d%02d%02d%02dZ",
		    d.year % 100, d.month, d.day, d.hour, d.minute, d.second);
	else
		n = snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ",
		    d.year, d.month, d.day, d.hour, d.minute, d.second);
	return der_put(out,
	    d.year >= 1950 && d.year < UTCTIME_ENDS ? DER_UTCTIME : DER_TIME,
	    span_of(text, (size_t)n));
}

/* One extension, not critical; 2.5.29.<last>. */
static bool
put_extension(struct buf *out, uint8_t last, struct span value)
{
	const uint8_t oid[] = { 0x55, 0x1d, last };
	struct buf body = BUF_INIT;
	bool ok;

	ok = der_put(&body, DER_OID, span_of(oid, sizeof(oid))) &&
	     der_put(&body, DER_OCTETS, value) &&
	     der_put(out, DER_SEQUENCE, buf_span(&body));
	buf_release(&body);
	return ok;
}

/* reasonCode (C-200): of what has a reason that says something. */
static bool
put_reason(struct buf *out, unsigned reason)
{
	const uint8_t code[] = { DER_ENUMERATED, 1, (uint8_t)reason };
	struct buf list = BUF_INIT;
	bool ok;

	if (reason == 0)
		return true;
	ok = put_extension(&list, 21, span_of(code, sizeof(code))) &&
	     der_put(out, DER_SEQUENCE, buf_span(&list));
	buf_release(&list);
	return ok;
}

static enum err
put_entry(struct buf *out, struct buf *scratch, const struct crl_entry *entry)
{
	if (entry->reason > REASON_LAST || entry->reason == REASON_UNUSED ||
	    entry->reason == REASON_REMOVE)
		return refuse("a reason that a full CRL cannot have");
	if (entry->serial.len == 0 || entry->serial.len > MAX_SERIAL)
		return refuse("a serial that is not 1 to 20 bytes");
	buf_clear(scratch);
	return put_number(scratch, entry->serial) &&
		       put_time(scratch, entry->date) &&
		       put_reason(scratch, entry->reason) &&
		       der_put(out, DER_SEQUENCE, buf_span(scratch)) ?
		   OK :
		   ERR_SYSTEM;
}

/* revokedCertificates; none at all where nothing is revoked (C-199). */
static enum err
put_entries(struct buf *out, const struct crl_header *in)
{
	struct buf list = BUF_INIT, scratch = BUF_INIT;
	struct crl_entry entry;
	enum err e;

	while ((e = in->next(in->arg, &entry)) == OK) {
		if ((e = put_entry(&list, &scratch, &entry)) != OK)
			break;
		if (list.len > MAX_TBS) {
			e = refuse("it would be over a gigabyte");
			break;
		}
	}
	if (e == ERR_NOTFOUND)
		e = list.len == 0 ||
			    der_put(out, DER_SEQUENCE, buf_span(&list)) ?
			OK :
			ERR_SYSTEM;
	buf_release(&list);
	buf_release(&scratch);
	return e;
}

/* authorityKeyIdentifier, by the key alone, and cRLNumber (C-198). */
static bool
put_extensions(struct buf *out, const struct crl_header *in)
{
	struct buf id = BUF_INIT, aki = BUF_INIT, n = BUF_INIT;
	struct buf list = BUF_INIT, all = BUF_INIT;
	uint8_t number[8];
	bool ok;

	for (size_t i = 0; i < sizeof(number); i++)
		number[i] = (uint8_t)(in->number >> (8 * (7 - i)));
	ok = der_put(&id, DER_CONTEXT, in->authority) &&
	     der_put(&aki, DER_SEQUENCE, buf_span(&id)) &&
	     put_number(&n, span_of(number, sizeof(number))) &&
	     put_extension(&list, 35, buf_span(&aki)) &&
	     put_extension(&list, 20, buf_span(&n)) &&
	     der_put(&all, DER_SEQUENCE, buf_span(&list)) &&
	     der_put(out, DER_NESTED, buf_span(&all));
	buf_release(&id);
	buf_release(&aki);
	buf_release(&n);
	buf_release(&list);
	buf_release(&all);
	return ok;
}

/* RSA's parameters are NULL, ECDSA's are absent (C-184). */
static bool
put_algorithm(struct buf *out, int nid)
{
	int type =
	    nid == NID_sha256WithRSAEncryption ? V_ASN1_NULL : V_ASN1_UNDEF;
	X509_ALGOR *alg = X509_ALGOR_new();
	unsigned char *der = NULL;
	int len = 0;
	bool ok = false;

	if (alg != NULL &&
	    X509_ALGOR_set0(alg, OBJ_nid2obj(nid), type, NULL) == 1)
		len = i2d_X509_ALGOR(alg, &der);
	if (len > 0)
		ok = buf_add(out, der, (size_t)len);
	else
		log_openssl("building a CRL");
	OPENSSL_free(der);
	X509_ALGOR_free(alg);
	return ok;
}

static enum err
check(const struct crl_header *in)
{
	struct span body;

	if (!der_one(in->issuer, DER_SEQUENCE, &body) || body.len == 0)
		return refuse("the CA has no name");
	if (in->authority.len == 0)
		return refuse("no identifier of the CA's key");
	if (in->next_update <= in->this_update)
		return refuse("nextUpdate is not behind thisUpdate");
	return OK;
}

enum err
tbs_crl(const struct crl_header *in, int sig_nid, struct buf *tbs)
{
	static const uint8_t v2[] = { DER_INTEGER, 1, 1 };
	struct buf body = BUF_INIT;
	enum err e;

	if ((e = check(in)) != OK)
		return e;
	if (!buf_add(&body, v2, sizeof(v2)) || !put_algorithm(&body, sig_nid) ||
	    !buf_add(&body, in->issuer.p, in->issuer.len) ||
	    !put_time(&body, in->this_update) ||
	    !put_time(&body, in->next_update))
		e = ERR_SYSTEM;
	if (e == OK)
		e = put_entries(&body, in);
	if (e == OK && (!put_extensions(&body, in) ||
			   !der_put(tbs, DER_SEQUENCE, buf_span(&body))))
		e = ERR_SYSTEM;
	buf_release(&body);
	return e;
}
