#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "base/utf8.h"
#include "ca/attr.h"
#include "ca/dn.h"
#include "ca/ext.h"
#include "ca/pubkey.h"
#include "ca/san.h"
#include "ca/text.h"
#include "judge/web.h"

/*
 * What a web service is told of a request.  The members of
 * x509CertificateRequest are those that step-ca makes of a CSR, so that hooks
 * which look at them find them; a list that has nothing is null there, and
 * what cannot be read is left out: it still stands in `raw`.
 */

struct parts {
	struct span subject, spki; /* of a CSR; DER */
};

static bool
sayable(struct span text)
{
	return (text.len == 0 || memchr(text.p, '\0', text.len) == NULL) &&
	       utf8_valid(text);
}

/* An empty text is left out, as step-ca does. */
static enum err
put_some(struct json *in, const char *name, struct span text)
{
	return text.len > 0 ? json_put_text(in, name, text) : OK;
}

static enum err
put_base64(struct json *in, const char *name, struct span bytes)
{
	struct buf text = BUF_SECRET;
	enum err e = ERR_SYSTEM;

	if (base64_put(&text, bytes))
		e = json_put_text(in, name, buf_span(&text));
	buf_release(&text);
	return e;
}

static bool
split(struct span csr, struct parts *p)
{
	struct span request, info;
	struct der version, subject, spki;

	if (!der_one(csr, DER_SEQUENCE, &request) ||
	    !der_get(&request, DER_SEQUENCE, &info) ||
	    !der_next(&info, &version) || !der_next(&info, &subject) ||
	    !der_next(&info, &spki))
		return false;
	p->subject = subject.whole;
	p->spki = spki.whole;
	return true;
}

/* ---- subject -------------------------------------------------------------- */

/* Go's names of attributes; several of a kind are a list, or are refused. */
static const struct {
	const char *ours, *name;
	bool list;
	const char *several;
} types[] = {
	{ "C", "country", true, NULL },
	{ "O", "organization", true, NULL },
	{ "OU", "organizationalUnit", true, NULL },
	{ "L", "locality", true, NULL },
	{ "ST", "province", true, NULL },
	{ "STREET", "streetAddress", true, NULL },
	{ "POSTALCODE", "postalCode", true, NULL },
	{ "SN", "serialNumber", false,
	    "several serialNumbers, of which the service would see one" },
	{ "CN", "commonName", false,
	    "several commonNames, of which the service would see one" },
};
#define TYPES (sizeof(types) / sizeof(*types))

struct naming {
	struct json *subject;
	size_t at;	   /* of types[]; TYPES: all others */
	struct json *list; /* once there is one */
	struct buf last;   /* of a kind that has one value */
};

static size_t
type_at(struct span oid)
{
	const char *ours = attr_name(oid);
	size_t at = 0;

	while (at < TYPES &&
	       (ours == NULL || strcasecmp(types[at].ours, ours) != 0))
		at++;
	return at;
}

/* What has no dotted number that we can write (oid_text()) is left out. */
static enum err
put_extra(struct naming *n, struct span oid, struct span value)
{
	struct buf dotted = BUF_INIT;
	struct json *one;
	enum err e = oid_text(oid, &dotted);

	if (e == OK) {
		if (n->list == NULL)
			n->list = json_put_array(n->subject, "extraNames");
		one = json_put_object(n->list, NULL);
		e = json_put_text(one, "type", buf_span(&dotted));
		if (e == OK)
			e = json_put_text(one, "value", value);
	}
	buf_release(&dotted);
	return e == ERR_INPUT ? OK : e;
}

static enum err
name_value(struct naming *n, struct span oid, struct span value)
{
	if (n->at == TYPES)
		return put_extra(n, oid, value);
	if (!types[n->at].list) {
		buf_clear(&n->last);
		return buf_add(&n->last, value.p, value.len) ? OK : ERR_SYSTEM;
	}
	if (n->list == NULL)
		n->list = json_put_array(n->subject, types[n->at].name);
	return json_put_text(n->list, NULL, value);
}

static enum err
name_each(bool first, struct span oid, const struct der *value, void *arg)
{
	struct naming *n = arg;
	struct buf text = BUF_INIT;
	enum err e = OK;

	(void)first;
	if (type_at(oid) == n->at && string_utf8(value, &text) == OK &&
	    sayable(buf_span(&text)))
		e = name_value(n, oid, buf_span(&text));
	buf_release(&text);
	return e;
}

static enum err
put_subject(struct json *in, struct span der)
{
	struct json *subject = json_put_object(in, "subject");
	enum err e = subject != NULL ? OK : ERR_SYSTEM;

	for (size_t at = 0; e == OK && at <= TYPES; at++) {
		struct naming n = { .subject = subject, .at = at };

		e = dn_each(der, name_each, &n);
		if (e == ERR_INPUT)
			e = OK;
		if (e == OK && at < TYPES)
			e = put_some(
			    subject, types[at].name, buf_span(&n.last));
		buf_release(&n.last);
	}
	return e;
}

static enum err
count_each(bool first, struct span oid, const struct der *value, void *arg)
{
	unsigned *n = arg;

	(void)first;
	(void)value;
	n[type_at(oid)]++;
	return OK;
}

/*
 * Where step-ca has room for one value it also certifies one; we would
 * certify those too that the service never saw.
 */
static enum err
find_several(struct span subject, const char **why)
{
	unsigned n[TYPES + 1] = { 0 };
	enum err e = dn_each(subject, count_each, n);

	for (size_t i = 0; i < TYPES; i++)
		if (!types[i].list && n[i] > 1)
			*why = types[i].several;
	return e == ERR_INPUT ? OK : e;
}

/* ---- extensions ----------------------------------------------------------- */

static const struct {
	const char *ours, *name;
} kinds[] = {
	{ "dNSName", "dnsNames" },
	{ "rfc822Name", "emailAddresses" },
	{ "iPAddress", "ipAddresses" },
	{ "uri", "uris" },
};

struct listing {
	struct json *in, *list;
	const char *ours, *name;
};

static enum err
san_one(const char *kind, struct span value, void *arg)
{
	struct listing *l = arg;

	if (strcasecmp(kind, l->ours) != 0 || !sayable(value))
		return OK;
	if (l->list == NULL)
		l->list = json_put_array(l->in, l->name);
	return json_put_text(l->list, NULL, value);
}

static enum err
put_sans(struct json *in, struct span san)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct listing l = { in, NULL, kinds[i].ours, kinds[i].name };

		if (san.len > 0)
			e = san_each(san, san_one, &l);
		if (e == OK && l.list == NULL)
			e = json_put_null(in, l.name);
	}
	return e == OK ? json_put_null(in, "sans") : e;
}

/* As put_extra(). */
static enum err
put_extension(struct listing *l, const struct extension *ext)
{
	struct buf dotted = BUF_INIT;
	struct json *one;
	enum err e = oid_text(ext->oid, &dotted);

	if (e == OK) {
		if (l->list == NULL)
			l->list = json_put_array(l->in, l->name);
		one = json_put_object(l->list, NULL);
		if ((e = json_put_text(one, "id", buf_span(&dotted))) == OK &&
		    (e = json_put_bool(one, "critical", ext->critical)) == OK)
			e = put_base64(one, "value", ext->value);
	}
	buf_release(&dotted);
	return e == ERR_INPUT ? OK : e;
}

/*
 * As enrolment found them, in whichever attributes they stand: what is told
 * is what may be certified.
 */
static enum err
put_extensions(struct json *in, const struct judge_case *c)
{
	struct listing l = { .in = in, .name = "extensions" };
	enum err e = OK;

	for (size_t i = 0; e == OK && i < c->nasked; i++)
		e = put_extension(&l, &c->asked[i]);
	return e == OK && l.list == NULL ? json_put_null(in, l.name) : e;
}

/* ---- all of it ------------------------------------------------------------ */

/* As Go has them; "0" is what it says of a type that it does not know. */
static const char *
algorithm_of(struct span spki)
{
	static const char *const names[KEY__MAX] = { "RSA", "ECDSA",
		"Ed25519" };
	enum key_type type = KEY__MAX;
	unsigned bits;

	return pubkey_look(spki, &type, &bits) == OK && type < KEY__MAX ?
		   names[type] :
		   "0";
}

static enum err
put_request(struct json *in, const struct judge_case *c)
{
	struct parts p = { .subject = { NULL, 0 } };
	enum err e;

	if (!split(c->csr, &p))
		return put_base64(in, "raw", c->csr);
	if ((e = json_put_number(in, "version", 0)) != OK ||
	    (e = put_subject(in, p.subject)) != OK ||
	    (e = put_base64(in, "rawSubject", p.subject)) != OK ||
	    (e = put_sans(in, c->altname)) != OK ||
	    (e = put_extensions(in, c)) != OK ||
	    (e = json_put_str(in, "signatureAlgorithm", "")) != OK ||
	    (e = put_base64(in, "publicKey", p.spki)) != OK ||
	    (e = json_put_str(
		 in, "publicKeyAlgorithm", algorithm_of(p.spki))) != OK)
		return e;
	return put_base64(in, "raw", c->csr);
}

/* NULL, or why it cannot be told of. */
static enum err
find_fault(const struct judge_case *c, const char **why)
{
	*why = NULL;
	if (!sayable(c->challenge))
		*why = "the challengePassword is no text";
	else if (!sayable(c->txid))
		*why = "the transactionID is no text";
	return *why == NULL ? find_several(c->name, why) : OK;
}

enum err
web_ask(const struct judge_case *c, struct buf *out, const char **why)
{
	char now[TIME_TEXT];
	struct json *j;
	enum err e = find_fault(c, why);

	if (e != OK || *why != NULL)
		return e != OK ? e : ERR_INPUT;
	time_text(c->now, now);
	j = json_new();
	if ((e = json_put_str(j, "timestamp", now)) == OK &&
	    (e = json_put_str(j, "provisionerName", c->alias->name)) == OK &&
	    (e = put_request(
		 json_put_object(j, "x509CertificateRequest"), c)) == OK &&
	    (e = put_some(j, "scepChallenge", c->challenge)) == OK &&
	    (e = put_some(j, "scepTransactionID", c->txid)) == OK)
		e = json_print(j, out);
	json_free(j);
	if (e == ERR_INPUT)
		log_error("alias %s: JSON cannot say what is in the request",
		    c->alias->name);
	return e == ERR_INPUT ? ERR_SYSTEM : e;
}
