#include "builder.h"

#include <string.h>

#define ID_DATA	    "1.2.840.113549.1.7.1"
#define ID_SIGNED   "1.2.840.113549.1.7.2"
#define CONTENTTYPE "1.2.840.113549.1.9.3"
#define DIGEST	    "1.2.840.113549.1.9.4"
#define TIME	    "1.2.840.113549.1.9.5"
#define SCEP_TYPE   "2.16.840.1.113733.1.9.2"
#define SCEP_STATUS "2.16.840.1.113733.1.9.3"
#define SCEP_NONCE  "2.16.840.1.113733.1.9.5"
#define SCEP_REPLY  "2.16.840.1.113733.1.9.6"
#define SCEP_TXID   "2.16.840.1.113733.1.9.7"
#define MOST_ATTRS  80
#define BIG	    46000 /* bytes of an attribute: 60 KiB in base64 */
#define DEPTH	    200
#define DEEPER	    10000

static const struct {
	const char *name, *oid;
} digests[] = {
	{ "MD5", "1.2.840.113549.2.5" },
	{ "SHA1", "1.3.14.3.2.26" },
	{ "SHA224", "2.16.840.1.101.3.4.2.4" },
	{ "SHA256", "2.16.840.1.101.3.4.2.1" },
	{ "SHA384", "2.16.840.1.101.3.4.2.2" },
	{ "SHA512", "2.16.840.1.101.3.4.2.3" },
};

const char *
digest_oid(const char *name)
{
	for (size_t i = 0; i < sizeof(digests) / sizeof(*digests); i++)
		if (strcmp(digests[i].name, name) == 0)
			return digests[i].oid;
	die("no such --digest");
}

static struct bytes
digest_of(const char *name, struct bytes data)
{
	struct bytes b = { hold(EVP_MAX_MD_SIZE), 0 };

	if (EVP_Q_digest(NULL, name, NULL, data.p, data.n, b.p, &b.n) != 1)
		die(name);
	return b;
}

/* Signed attributes, and those that stand behind the signature. */
struct attrs {
	struct bytes signed_[MOST_ATTRS], unsigned_[MOST_ATTRS];
	size_t n, m;
};

static void
add(struct attrs *a, const char *dotted, struct bytes values)
{
	if (a->n == MOST_ATTRS)
		die("too many attributes");
	a->signed_[a->n++] = SEQ(oid(dotted), tlv(0x31, values));
}

static void
add_flawed(struct attrs *a, const char *dotted, struct bytes value, int flaw)
{
	switch (flaw) {
	case ATTR_MISSING:
		return;
	case ATTR_DOUBLED:
		add(a, dotted, value);
		break;
	case ATTR_TWO_VALUES:
		value = JOIN(value, value);
		break;
	case ATTR_NO_VALUE:
		value = NOTHING;
		break;
	case ATTR_UNSIGNED:
		a->unsigned_[a->m++] = SEQ(oid(dotted), tlv(0x31, value));
		return;
	case ATTR_WRONG_KIND:
		value = number(19);
		break;
	default:
		break;
	}
	add(a, dotted, value);
}

static struct bytes
nest(size_t depth)
{
	struct bytes b = NOTHING;

	for (size_t i = 0; i < depth; i++)
		b = tlv(0x30, b);
	return b;
}

/* Attributes that say nothing to a server. */
static void
add_extra(struct attrs *a, int extra)
{
	struct bytes when = tlv(0x17, text("700101000000Z"));

	if (extra == EXTRA_HARMLESS) {
		add(a, TIME, when);
		add(a, SCEP_STATUS, tlv(0x13, text("0")));
		add(a, SCEP_REPLY, tlv(0x04, noise(16)));
		add(a, "1.2.840.113549.1.9.25.3", tlv(0x04, noise(16)));
	} else if (extra == EXTRA_DOUBLED) {
		add(a, TIME, when);
		add(a, TIME, when);
	} else if (extra == EXTRA_MANY) {
		for (long i = 0; i < 60; i++) {
			struct bytes own = oid("1.2.840.113549.1.9.25.3.1");

			own.p[own.n - 1] = (unsigned char)(1 + i);
			a->signed_[a->n++] = SEQ(own, tlv(0x31, number(i)));
		}
	} else if (extra == EXTRA_BIG) {
		add(a, "1.2.840.113549.1.9.25.3", tlv(0x04, noise(BIG)));
	} else if (extra == EXTRA_TIME) {
		add(a, TIME, tlv(0x17, text("930301000000Z")));
	} else if (extra == EXTRA_NONCE) {
		add(a, "1.2.840.113549.1.9.25.3", tlv(0x04, noise(16)));
	} else if (extra == EXTRA_DEEP) {
		add(a, "1.2.840.113549.1.9.25.3", nest(DEPTH));
	}
}

static void
attributes(const struct plan *p, struct bytes content, struct attrs *a)
{
	struct bytes digest = digest_of(p->digest, content);
	struct bytes txid = p->txid, nonce = p->nonce;

	if (p->digest_wrong)
		digest.p[0] ^= 0x01;
	if (p->txid_bytes > 0) {
		txid.p = hold((size_t)p->txid_bytes);
		txid.n = (size_t)p->txid_bytes;
		memset(txid.p, 'A', txid.n);
	}
	a->n = a->m = 0;
	add_flawed(a, CONTENTTYPE, oid(ID_DATA), p->attr[ATTR_CONTENT_TYPE]);
	add_flawed(a, DIGEST, tlv(0x04, digest), p->attr[ATTR_DIGEST]);
	add_flawed(a, SCEP_TYPE, tlv(0x13, text(p->type)), p->attr[ATTR_TYPE]);
	add_flawed(a, SCEP_NONCE, tlv(0x04, nonce), p->attr[ATTR_NONCE]);
	add_flawed(a, SCEP_TXID, tlv(0x13, txid), p->attr[ATTR_TXID]);
	add_extra(a, p->extra);
}

static struct bytes
signature_alg(const struct plan *p)
{
	if (p->signature_oid != NULL)
		return algorithm(p->signature_oid);
	if (EVP_PKEY_is_a(p->signer, "RSA") && p->o->pss == NULL)
		return algorithm("1.2.840.113549.1.1.1");
	return key_sign_alg(p->signer, p->digest, p->o->pss != NULL);
}

static struct bytes
signer_info(const struct plan *p, struct bytes content)
{
	struct attrs *a = (struct attrs *)hold(sizeof(*a));
	struct bytes sent, as_signed, sid, sig, behind = NOTHING;

	attributes(p, content, a);
	sent = tlv(0xa0, join(a->signed_, a->n));
	as_signed = tlv(0x31, join(a->signed_, a->n));
	if (p->order != ORDER_AS_SIGNED)
		as_signed = set_of(0x31, a->signed_, a->n);
	if (p->order == ORDER_SORTED)
		sent = tlv(0xa0, join(a->signed_, a->n));
	if (p->no_attrs) {
		sent = NOTHING;
		as_signed = content;
	}
	sig = key_sign(p->signer, p->digest, p->o->pss != NULL, as_signed);
	if (p->signer_key == KEY_HUGE)
		sig = noise(2048);
	if (p->signature_wrong)
		sig.p[sig.n / 2] ^= 0x01;
	sid = p->by_ski ? tlv(0x80, p->ski) : SEQ(p->issuer, p->serial);
	if (a->m > 0)
		behind = tlv(0xa1, join(a->unsigned_, a->m));
	return SEQ(number(p->by_ski ? 3 : 1), sid,
	    algorithm(digest_oid(p->digest)), sent, signature_alg(p),
	    octets(p->pieces, 0x04, sig), behind);
}

static struct bytes
ca_cert(const struct plan *p)
{
	unsigned char *der = NULL;
	int n = i2d_X509(p->ca, &der);

	return take(der, n);
}

static struct bytes
certificates(const struct plan *p)
{
	struct bytes all = p->cert, other = ca_cert(p);

	if (p->certs == CERTS_NONE)
		return NOTHING;
	if (p->certs == CERTS_OTHER)
		all = other;
	else if (p->certs == CERTS_SHUFFLED)
		all = JOIN(other, p->cert, other);
	else if (p->certs == CERTS_MANY)
		for (int i = 0; i < 24; i++)
			all = JOIN(all, other);
	return tlv(0xa0, all);
}

/* OCTET STRINGs inside OCTET STRINGs. */
static struct bytes
deep_octets(struct bytes content, int depth)
{
	struct bytes b = tlv(0x04, content);

	while (depth-- > 0)
		b = tlv_ber(true, 0x24, b);
	return b;
}

static struct bytes
signed_data(const struct plan *p, struct bytes content)
{
	struct bytes algs = algorithm(digest_oid(p->digest));
	struct bytes signers = NOTHING, encap, data;

	if (p->no_digest_algs)
		algs = NOTHING;
	for (int i = 0; i < p->signers; i++)
		signers = JOIN(signers, signer_info(p, content));
	encap = p->deep_content ? deep_octets(content, p->deep_content) :
				  octets(p->ber, 0x04, content);
	encap = tlv_ber(
	    p->ber, 0x30, JOIN(oid(ID_DATA), tlv_ber(p->ber, 0xa0, encap)));
	data = JOIN(number(p->version), tlv(0x31, algs), encap, certificates(p),
	    tlv(0x31, signers));
	data = tlv_ber(p->ber, 0xa0, tlv_ber(p->ber, 0x30, data));
	return tlv_ber(p->ber, 0x30, JOIN(oid(ID_SIGNED), data));
}

static struct bytes
end(struct bytes m, int tail)
{
	if (tail == TAIL_CRLF)
		return JOIN(m, text("\r\n"));
	if (tail == TAIL_NOISE)
		return JOIN(m, noise(20));
	if (tail == TAIL_TWICE)
		return JOIN(m, m);
	if (tail == TAIL_CUT)
		m.n -= 20;
	return m;
}

struct bytes
message_build(const struct plan *p, struct bytes csr)
{
	struct bytes content, m, open = text("\x30\x80");

	if (p->whole == WHOLE_EMPTY)
		return NOTHING;
	if (p->whole == WHOLE_NOISE)
		return noise(1500);
	if (p->whole == WHOLE_DEEP) {
		m.n = (size_t)2 * DEEPER;
		m.p = hold(m.n);
		for (size_t i = 0; i < m.n; i += 2)
			memcpy(m.p + i, open.p, 2);
		return m;
	}
	content = p->content == CONTENT_CLEAR ? csr : envelope_build(p, csr);
	if (p->o->envelope != NULL)
		content = read_file(p->o->envelope);
	m = p->whole == WHOLE_ENVELOPE ? content : signed_data(p, content);
	return end(m, p->tail);
}
