#include "ca/san.h"

#include <arpa/inet.h>
#include <strings.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "ca/attr.h"
#include "ca/dn.h"
#include "ca/san_rule.h"
#include "ca/text.h"

#define OID_UPN	 "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03"
#define OID_GUID "\x2b\x06\x01\x04\x01\x82\x37\x19\x01"

/*
 * One kind of general name (RFC 5280 4.2.1.6).  read: text to the content of
 * the tag; write: content to text; look: is the content well-formed?
 * ERR_INPUT is silent, the caller knows the words.
 */
struct form {
	const char *name; /* the first of a kind is the one we write */
	uint8_t tag;
	const char *oid; /* of an otherName; none has a NUL */
	enum err (*read)(const char *text, struct buf *body);
	enum err (*write)(struct span body, struct buf *text);
	const char *(*rule)(struct span body); /* what is wrong; or NULL */
};

/* dNSName, rfc822Name and URI are bytes; the rules of each are its own. */
static enum err
copy_text(const char *text, struct buf *body)
{
	return buf_str(body, text) ? OK : ERR_SYSTEM;
}

static bool
seen(struct span s, uint8_t low)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < low || s.p[i] > 0x7e)
			return false;
	return s.len > 0;
}

/* IA5, nothing that is not seen (C-194). */
static enum err
write_ia5(struct span body, struct buf *text)
{
	if (!seen(body, 0x21))
		return ERR_INPUT;
	return buf_add(text, body.p, body.len) ? OK : ERR_SYSTEM;
}

/* A mailbox may have a quoted blank. */
static enum err
write_mail(struct span body, struct buf *text)
{
	if (!seen(body, 0x20))
		return ERR_INPUT;
	return buf_add(text, body.p, body.len) ? OK : ERR_SYSTEM;
}

static enum err
read_ip(const char *text, struct buf *body)
{
	uint8_t address[16];
	size_t len = 0;

	if (inet_pton(AF_INET, text, address) == 1)
		len = 4;
	else if (inet_pton(AF_INET6, text, address) == 1)
		len = 16;
	if (len == 0)
		return ERR_INPUT;
	return buf_add(body, address, len) ? OK : ERR_SYSTEM;
}

static enum err
write_ip(struct span body, struct buf *text)
{
	char shown[INET6_ADDRSTRLEN];

	if ((body.len != 4 && body.len != 16) ||
	    inet_ntop(body.len == 4 ? AF_INET : AF_INET6, body.p, shown,
		sizeof(shown)) == NULL)
		return ERR_INPUT;
	return buf_str(text, shown) ? OK : ERR_SYSTEM;
}

static enum err
read_dn(const char *text, struct buf *body)
{
	return *text == '\0' ? ERR_INPUT : dn_parse(text, body);
}

static enum err
write_dn(struct span body, struct buf *text)
{
	const char *why = NULL;
	enum err e = dn_check(body, &why);

	if (e == OK && dn_empty(body))
		e = ERR_INPUT;
	return e == OK ? dn_text(body, text) : e;
}

static enum err
read_oid(const char *text, struct buf *body)
{
	uint8_t oid[MAX_OID];
	size_t len = 0;

	if (!oid_read(text, oid, &len))
		return ERR_INPUT;
	return buf_add(body, oid, len) ? OK : ERR_SYSTEM;
}

/* Inside the [0] of an otherName: UTF8String. */
static enum err
read_upn(const char *text, struct buf *body)
{
	struct span s = span_of(text, strlen(text));

	if (s.len == 0 || !utf8_valid(s))
		return ERR_INPUT;
	return der_put(body, DER_UTF8, s) ? OK : ERR_SYSTEM;
}

static enum err
write_upn(struct span body, struct buf *text)
{
	struct der d;

	if (!der_next(&body, &d) || body.len > 0 || d.body.len == 0)
		return ERR_INPUT;
	return string_utf8(&d, text);
}

/* Sixteen bytes as they stand; dashes are for people. */
static enum err
read_guid(const char *text, struct buf *body)
{
	struct buf digits = BUF_INIT, bytes = BUF_INIT;
	enum err e = ERR_SYSTEM;

	for (; *text != '\0'; text++)
		if (*text != '-' && !buf_byte(&digits, (uint8_t)*text))
			goto out;
	e = ERR_INPUT;
	if (hex_read(buf_cstr(&digits), &bytes) == OK && bytes.len == 16)
		e = der_put(body, DER_OCTETS, buf_span(&bytes)) ? OK :
								  ERR_SYSTEM;
out:
	buf_release(&digits);
	buf_release(&bytes);
	return e;
}

static enum err
write_guid(struct span body, struct buf *text)
{
	struct span bytes;

	if (!der_one(body, DER_OCTETS, &bytes) || bytes.len != 16)
		return ERR_INPUT;
	return buf_hex(text, bytes.p, bytes.len) ? OK : ERR_SYSTEM;
}

/* Any other otherName: its OID, ':', the hex digits of its value. */
static enum err
read_other(const char *text, struct buf *body)
{
	const char *colon = strchr(text, ':');
	struct buf oid = BUF_INIT, value = BUF_INIT;
	uint8_t bytes[MAX_OID];
	struct span rest;
	struct der d;
	size_t len = 0;
	enum err e = ERR_INPUT;

	if (colon == NULL)
		return e;
	if (!buf_add(&oid, text, (size_t)(colon - text))) {
		e = ERR_SYSTEM;
		goto out;
	}
	if (!oid_read(buf_cstr(&oid), bytes, &len) ||
	    hex_read(colon + 1, &value) != OK)
		goto out;
	rest = buf_span(&value);
	if (!der_next(&rest, &d) || rest.len > 0)
		goto out;
	e = der_put(body, DER_OID, span_of(bytes, len)) &&
		    der_put(body, DER_NESTED, buf_span(&value)) ?
		OK :
		ERR_SYSTEM;
out:
	buf_release(&oid);
	buf_release(&value);
	return e;
}

static enum err
write_other(struct span body, struct buf *text)
{
	struct span oid, value;
	enum err e;

	if (!der_get(&body, DER_OID, &oid) ||
	    !der_one(body, DER_NESTED, &value) || value.len == 0)
		return ERR_INPUT;
	if ((e = oid_text(oid, text)) != OK)
		return e;
	return buf_byte(text, ':') && buf_hex(text, value.p, value.len) ?
		   OK :
		   ERR_SYSTEM;
}

static const struct form forms[] = {
	{ "dNSName", 0x82, NULL, copy_text, write_ia5, san_dns_wrong },
	{ "dns", 0x82, NULL, copy_text, write_ia5, san_dns_wrong },
	{ "iPAddress", 0x87, NULL, read_ip, write_ip, NULL },
	{ "ip", 0x87, NULL, read_ip, write_ip, NULL },
	{ "rfc822Name", 0x81, NULL, copy_text, write_mail, san_mail_wrong },
	{ "email", 0x81, NULL, copy_text, write_mail, san_mail_wrong },
	{ "uri", 0x86, NULL, copy_text, write_ia5, san_uri_wrong },
	{ "uniformResourceIdentifier", 0x86, NULL, copy_text, write_ia5,
	    san_uri_wrong },
	{ "upn", 0xa0, OID_UPN, read_upn, write_upn, NULL },
	{ "guid", 0xa0, OID_GUID, read_guid, write_guid, NULL },
	{ "otherName", 0xa0, NULL, read_other, write_other, NULL },
	{ "directoryName", 0xa4, NULL, read_dn, write_dn, NULL },
	{ "registeredID", 0x88, NULL, read_oid, oid_text, NULL },
};
#define FORMS (sizeof(forms) / sizeof(*forms))

/* The log escapes what it shows, so nothing is escaped here. */
static enum err
wrong(const char *shown, const char *what)
{
	log_error("alternative name \"%.200s\": %s", shown, what);
	return ERR_INPUT;
}

static enum err
wrong_value(const char *name, const char *value, const char *what)
{
	log_error("alternative name \"%s=%.200s\": %s", name, value, what);
	return ERR_INPUT;
}

/* A name inside a name has said what is wrong with it. */
static bool
logs_itself(const struct form *f)
{
	return f->read == read_dn;
}

/* One name as DER. */
static enum err
put_name(const char *name, const char *value, struct buf *out)
{
	static const char cannot[] = "such a value it cannot have";
	struct buf body = BUF_INIT, other = BUF_INIT;
	const struct form *f = NULL;
	const char *what;
	bool good = true;
	enum err e;

	for (size_t i = 0; f == NULL && i < FORMS; i++)
		if (strcasecmp(forms[i].name, name) == 0)
			f = &forms[i];
	if (f == NULL)
		return wrong_value(name, value,
		    "the kinds are dNSName, iPAddress, rfc822Name, uri, upn, "
		    "guid, directoryName, registeredID, otherName");
	what = *value == '\0' ? "an empty value" : cannot;
	e = *value == '\0' ? ERR_INPUT : f->read(value, &body);
	if (e == OK && f->rule != NULL &&
	    (what = f->rule(buf_span(&body))) != NULL)
		e = ERR_INPUT;
	if (e == ERR_INPUT && !(logs_itself(f) && *value != '\0'))
		(void)wrong_value(name, value, what);
	if (e != OK)
		goto out;
	if (f->oid != NULL)
		good =
		    der_put(&other, DER_OID, span_of(f->oid, strlen(f->oid))) &&
		    der_put(&other, DER_NESTED, buf_span(&body));
	if (!good ||
	    !der_put(out, f->tag, buf_span(f->oid != NULL ? &other : &body)))
		e = ERR_SYSTEM;
out:
	buf_release(&body);
	buf_release(&other);
	return e;
}

/* Takes `name=value` off the text, undoing '\,' and '\\'. */
static enum err
take_one(const char **text, struct buf *name, struct buf *value)
{
	const char *p = *text;
	size_t n;

	p += strspn(p, " ");
	n = strcspn(p, "=,");
	if (p[n] != '=')
		return wrong(p, "here name=value must stand; a ',' inside "
				"a value is written '\\,'");
	if (!buf_add(name, p, n))
		return ERR_SYSTEM;
	p += n + 1;
	p += strspn(p, " ");
	for (; *p != '\0' && *p != ','; p++) {
		if (*p == '\\' && *++p != ',' && *p != '\\')
			return wrong_value(buf_cstr(name), buf_cstr(value),
			    "behind '\\' stands ',' or '\\'");
		if (!buf_byte(value, (uint8_t)*p))
			return ERR_SYSTEM;
	}
	while (value->len > 0 && value->data[value->len - 1] == ' ')
		value->data[--value->len] = '\0';
	if (*p == ',' && p[1 + strspn(p + 1, " ")] == '\0')
		return wrong_value(buf_cstr(name), buf_cstr(value),
		    "nothing behind the last ','");
	*text = *p == ',' ? p + 1 : p;
	return OK;
}

enum err
san_parse(const char *text, struct buf *der)
{
	struct buf list = BUF_INIT, name = BUF_INIT, value = BUF_INIT;
	enum err e = ERR_INPUT;
	size_t n = 0;

	if (strlen(text) > MAX_DN_TEXT)
		return wrong(text, "too long");
	if (text[strspn(text, " ")] == '\0')
		return wrong(text, "nothing in it");
	while (*text != '\0') {
		buf_clear(&name);
		buf_clear(&value);
		e = n++ < MAX_SAN ? take_one(&text, &name, &value) :
				    wrong(text, "too many names");
		if (e == OK)
			e = put_name(buf_cstr(&name), buf_cstr(&value), &list);
		if (e != OK)
			goto out;
	}
	e = der_put(der, DER_SEQUENCE, buf_span(&list)) ? OK : ERR_SYSTEM;
out:
	buf_release(&list);
	buf_release(&name);
	buf_release(&value);
	return e;
}

/* Which form a general name has, and what stands inside. */
static const struct form *
form_of(const struct der *d, struct span *body)
{
	struct span rest, oid, value;

	for (size_t i = 0; i < FORMS; i++) {
		*body = d->body;
		if (forms[i].tag != d->tag)
			continue;
		if (forms[i].oid == NULL)
			return &forms[i];
		rest = d->body;
		if (der_get(&rest, DER_OID, &oid) &&
		    der_one(rest, DER_NESTED, &value) &&
		    span_eq(oid, span_of(forms[i].oid, strlen(forms[i].oid)))) {
			*body = value;
			return &forms[i];
		}
	}
	return NULL;
}

/* Walks the names; each() may be NULL, and rules minds those of the values. */
static enum err
walk(struct span der, bool rules,
    enum err (*each)(const char *kind, struct span value, void *arg), void *arg)
{
	struct buf value = BUF_INIT;
	struct span list, body;
	struct der d;
	size_t n = 0;
	enum err e = ERR_INPUT;

	if (der.len > MAX_SAN_DER || !der_strict(der) ||
	    !der_one(der, DER_SEQUENCE, &list) || list.len == 0)
		return e;
	for (; list.len > 0; n++) {
		const struct form *f;

		e = ERR_INPUT;
		if (n == MAX_SAN || !der_next(&list, &d) ||
		    (f = form_of(&d, &body)) == NULL)
			break;
		buf_clear(&value);
		if ((e = f->write(body, &value)) == OK && value.len == 0)
			e = ERR_INPUT;
		if (e == OK && rules && f->rule != NULL &&
		    f->rule(body) != NULL)
			e = ERR_INPUT;
		if (e == OK && each != NULL)
			e = each(f->name, buf_span(&value), arg);
		if (e != OK)
			break;
	}
	buf_release(&value);
	return e;
}

enum err
san_each(struct span der,
    enum err (*each)(const char *kind, struct span value, void *arg), void *arg)
{
	return walk(der, false, each, arg);
}

const char *
san_kind_at(size_t i)
{
	size_t n = 0;

	for (size_t k = 0; k < FORMS; k++) {
		/* another name of the kind before it */
		if (k > 0 && forms[k].tag == forms[k - 1].tag &&
		    forms[k].oid == forms[k - 1].oid)
			continue;
		if (n++ == i)
			return forms[k].name;
	}
	return NULL;
}

static bool
put_value(struct buf *text, struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (((value.p[i] == ',' || value.p[i] == '\\') &&
			!buf_byte(text, '\\')) ||
		    !buf_byte(text, value.p[i]))
			return false;
	return true;
}

static enum err
text_each(const char *kind, struct span value, void *arg)
{
	struct buf *text = arg;

	if ((text->len > 0 && !buf_str(text, ", ")) || !buf_str(text, kind) ||
	    !buf_byte(text, '=') || !put_value(text, value))
		return ERR_SYSTEM;
	return OK;
}

enum err
san_text(struct span der, struct buf *text)
{
	struct buf own = BUF_INIT;
	enum err e = walk(der, false, text_each, &own);

	if (e == OK && !buf_add(text, own.data, own.len))
		e = ERR_SYSTEM;
	buf_release(&own);
	return e;
}

enum err
san_check(struct span der)
{
	return walk(der, false, NULL, NULL);
}

enum err
san_issuable(struct span der)
{
	return walk(der, true, NULL, NULL);
}
