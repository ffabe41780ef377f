#include "builder.h"

#include <string.h>

#include <openssl/x509v3.h>

#define PKCS9_CHALLENGE	 "1.2.840.113549.1.9.7"
#define PKCS9_EXTENSIONS "1.2.840.113549.1.9.14"

static const struct kind {
	const char *name;
	unsigned tag;
	size_t width; /* bytes a character; 0: UTF-8 as it is */
} kinds[] = {
	{ "printable", 0x13, 1 },
	{ "utf8", 0x0c, 0 },
	{ "t61", 0x14, 1 },
	{ "ia5", 0x16, 1 },
	{ "bmp", 0x1e, 2 },
	{ "universal", 0x1c, 4 },
};

static struct bytes
string(const struct kind *k, struct bytes utf8)
{
	struct bytes b = { hold(utf8.n * 4), 0 };
	unsigned long c = 0;
	int used;

	if (k->width == 0)
		return tlv(k->tag, utf8);
	for (size_t at = 0; at < utf8.n; at += (size_t)used) {
		used = UTF8_getc(utf8.p + at, (int)(utf8.n - at), &c);
		if (used <= 0)
			die("challenge is not UTF-8");
		for (size_t i = k->width; i-- > 0;)
			b.p[b.n++] = (unsigned char)(c >> (8 * i));
	}
	return tlv(k->tag, b);
}

static struct bytes
challenge_value(const struct plan *p, const char *s)
{
	const char *name =
	    p->o->challenge_type ? p->o->challenge_type : "printable";
	struct bytes lots = { hold(300), 300 };

	if (p->challenge_form == CHALLENGE_INTEGER)
		return number(4711);
	memset(lots.p, 'x', lots.n);
	if (p->challenge_form == CHALLENGE_LONG)
		return tlv(0x13, lots);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return string(&kinds[i], text(s));
	die("no such --challenge-type");
}

static struct bytes
extension(const char *dotted, struct bytes value)
{
	return SEQ(oid(dotted), tlv(0x04, value));
}

/* "dns:a,ip:10.0.0.1,email:x@y,uri:z" */
static struct bytes
san(const char *wish)
{
	size_t len = strlen(wish) + 1;
	char *conf = (char *)hold(len);
	X509_EXTENSION *ext;
	const ASN1_OCTET_STRING *value;
	struct bytes b;

	memcpy(conf, wish, len);
	for (char *s = conf; s != NULL; s = strchr(s, ',')) {
		s += *s == ',';
		if (strncmp(s, "dns:", 4) == 0)
			memcpy(s, "DNS", 3);
		else if (strncmp(s, "ip:", 3) == 0)
			memcpy(s, "IP", 2);
		else if (strncmp(s, "uri:", 4) == 0)
			memcpy(s, "URI", 3);
	}
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, conf);
	if (ext == NULL)
		die(wish);
	value = X509_EXTENSION_get_data(ext);
	b = extension("2.5.29.17", raw(ASN1_STRING_get0_data(value),
				       (size_t)ASN1_STRING_length(value)));
	X509_EXTENSION_free(ext);
	return b;
}

static struct bytes
letters(size_t n)
{
	struct bytes b = { hold(n), n };

	memset(b.p, 'A', n);
	return b;
}

static struct bytes
repeat(struct bytes b, size_t times)
{
	struct bytes all = { hold(b.n * times), b.n * times };

	for (size_t i = 0; i < times; i++)
		memcpy(all.p + i * b.n, b.p, b.n);
	return all;
}

/* One byte of length more than there must be: 0x81 in front of it. */
static struct bytes
long_length(unsigned tag, struct bytes body)
{
	unsigned char head[3] = { (unsigned char)tag, 0x81,
		(unsigned char)body.n };

	return JOIN(raw(head, sizeof(head)), body);
}

static struct bytes
rdn(struct bytes type, struct bytes value)
{
	return SET(SEQ(type, value));
}

/* An RDN behind the CN that must not come into a certificate. */
static struct bytes
bad_rdn(int form)
{
	struct bytes x = tlv(0x0c, text("x")), o = oid("2.5.4.10");

	switch (form) {
	case SUBJECT_OID_OPEN:
		return rdn(tlv(0x06, raw("\x55\x80", 2)), x);
	case SUBJECT_OID_PADDED:
		return rdn(tlv(0x06, raw("\x55\x80\x04", 3)), x);
	case SUBJECT_OID_EMPTY:
		return rdn(tlv(0x06, NOTHING), x);
	case SUBJECT_OID_LONG:
		return rdn(tlv(0x06, letters(300)), x);
	case SUBJECT_BOOLEAN:
		return rdn(o, tlv(0x01, NOTHING));
	case SUBJECT_NUL:
		return rdn(o, tlv(0x13, raw("\0\xff", 2)));
	case SUBJECT_UTF8:
		return rdn(o, tlv(0x0c, raw("x\xc3", 2)));
	case SUBJECT_LENGTH:
		return rdn(o, long_length(0x0c, text("x")));
	case SUBJECT_EMPTY_SET:
		return tlv(0x31, NOTHING);
	case SUBJECT_MANY:
		return repeat(rdn(o, x), 70);
	case SUBJECT_HUGE:
		return rdn(o, tlv(0x0c, letters(120000)));
	default:
		return NOTHING;
	}
}

static struct bytes
subject(const struct plan *p)
{
	struct bytes name = name_der(p->o->subject);

	if (p->subject_form == SUBJECT_GOOD)
		return name;
	/* short enough for a length of one byte */
	return SEQ(raw(name.p + 2, name.n - 2), bad_rdn(p->subject_form));
}

static struct bytes
bad_san(int form)
{
	struct bytes a = tlv(0x82, text("a"));

	switch (form) {
	case SAN_NUL:
		return tlv(0x82, raw("a\0b", 3));
	case SAN_ADDRESS:
		return tlv(0x87, text("12345"));
	case SAN_UNKNOWN:
		return tlv(0xa3, tlv(0x05, NOTHING));
	case SAN_LENGTH:
		return long_length(0x82, text("a"));
	case SAN_NAME:
		return tlv(0xa4, SEQ(bad_rdn(SUBJECT_BOOLEAN)));
	case SAN_MANY:
		return repeat(a, 101);
	case SAN_HUGE:
		return tlv(0x82, letters(17000));
	default:
		return a;
	}
}

static struct bytes
bad_sans(int form)
{
	struct bytes wish = extension("2.5.29.17", SEQ(bad_san(form)));

	if (form == SAN_TWO)
		wish = JOIN(
		    wish, extension("2.5.29.17", SEQ(tlv(0x82, text("b")))));
	return wish;
}

/* "1.2.3=0500,!1.2.4=0500": any extensions, with ! critical. */
static struct bytes
any_extensions(const char *list)
{
	char *word = (char *)hold(strlen(list) + 1), *value, *next;
	struct bytes b = NOTHING, yes = tlv(0x01, raw("\xff", 1));

	memcpy(word, list, strlen(list) + 1);
	for (; word != NULL; word = next) {
		bool critical = *word == '!';

		if ((next = strchr(word, ',')) != NULL)
			*next++ = '\0';
		if ((value = strchr(word, '=')) == NULL)
			die(word);
		*value++ = '\0';
		b = JOIN(b, SEQ(oid(word + critical), critical ? yes : NOTHING,
				tlv(0x04, hex(value))));
	}
	return b;
}

/* What nobody may get by asking (C-178). */
static struct bytes
ca_rights(void)
{
	struct bytes yes = tlv(0x01, raw("\xff", 1));

	return JOIN(extension("2.5.29.19", SEQ(yes)),
	    extension("2.5.29.15", tlv(0x03, raw("\1\6", 2))),
	    extension("2.5.29.37", SEQ(oid("1.3.6.1.5.5.7.3.9"))));
}

static struct bytes
attribute(const char *dotted, struct bytes values)
{
	return SEQ(oid(dotted), tlv(0x31, values));
}

/* "1.2.3=0500,1.2.4=0500": further attributes, each with one value. */
static struct bytes
any_attributes(const char *list)
{
	char *word = (char *)hold(strlen(list) + 1), *value, *next;
	struct bytes b = NOTHING;

	memcpy(word, list, strlen(list) + 1);
	for (; word != NULL; word = next) {
		if ((next = strchr(word, ',')) != NULL)
			*next++ = '\0';
		if ((value = strchr(word, '=')) == NULL)
			die(word);
		*value++ = '\0';
		b = JOIN(b, attribute(word, hex(value)));
	}
	return b;
}

static struct bytes
attributes(const struct plan *p)
{
	struct bytes value = NOTHING, wish = NOTHING, two = NOTHING;
	struct bytes attrs = NOTHING;

	if (p->challenge != NULL && p->challenge_form != CHALLENGE_NONE)
		value = challenge_value(p, p->challenge);
	if (p->o->in_extension != NULL && value.n > 0) {
		wish = extension(PKCS9_CHALLENGE, value);
		value = NOTHING;
	}
	if (p->o->san != NULL)
		wish = JOIN(wish, san(p->o->san));
	if (p->san_form != SAN_GOOD)
		wish = JOIN(wish, bad_sans(p->san_form));
	if (p->o->extensions != NULL)
		wish = JOIN(wish, any_extensions(p->o->extensions));
	if (p->csr_ca)
		wish = JOIN(wish, ca_rights());
	if (value.n > 0) {
		if (p->challenge_form == CHALLENGE_TWO_VALUES)
			two = tlv(0x13, text("another"));
		attrs = attribute(PKCS9_CHALLENGE, JOIN(value, two));
		if (p->challenge_form == CHALLENGE_TWO)
			attrs = JOIN(attrs, attrs);
	}
	if (wish.n > 0)
		attrs =
		    JOIN(attrs, attribute(PKCS9_EXTENSIONS, tlv(0x30, wish)));
	if (p->o->attributes != NULL)
		attrs = JOIN(attrs, any_attributes(p->o->attributes));
	return attrs;
}

struct bytes
csr_build(const struct plan *p)
{
	struct bytes info, alg, sig;

	info = SEQ(number(p->csr_version), subject(p),
	    key_spki(p->key, p->csr_key),
	    p->challenge_form == CHALLENGE_NO_ATTRS ? NOTHING :
						      tlv(0xa0, attributes(p)));
	alg = key_sign_alg(p->key, p->csr_digest, p->o->pss != NULL);
	sig = key_sign(p->key, p->csr_digest, p->o->pss != NULL, info);
	if (p->csr_unsigned)
		sig.p[sig.n / 2] ^= 0x10;
	return tlv_ber(p->csr_ber, 0x30, JOIN(info, alg, bit_string(sig)));
}
