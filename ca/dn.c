#include "ca/dn.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "ca/attr.h"
#include "ca/der.h"
#include "ca/text.h"

#define MAX_RDN 32 /* attributes of one RDN */

/* ---- text to DER ---- */

/* What is read, and where we are, for messages. */
struct reader {
	const char *text;
	const char *p;
};

/* The log escapes what it shows, so nothing is escaped here. */
static enum err
wrong(const struct reader *r, const char *what)
{
	log_error("name \"%.200s\": %s (at character %zu)", r->text, what,
	    (size_t)(r->p - r->text) + 1);
	return ERR_INPUT;
}

static void
skip_blanks(struct reader *r)
{
	while (*r->p == ' ')
		r->p++;
}

/* Up to '=': a short name or a dotted number. */
static enum err
read_type(struct reader *r, struct attr_type *type)
{
	struct buf word = BUF_INIT;
	enum err e = ERR_SYSTEM;
	size_t n;

	skip_blanks(r);
	n = strcspn(r->p, "=,+\\ ");
	if (!buf_add(&word, r->p, n))
		goto out;
	if (r->p[n + strspn(r->p + n, " ")] != '=')
		e = wrong(r, "here TYPE=value must stand; a ',' or '+' inside "
			     "a value is written '\\,' or '\\+'");
	else if (!attr_type_read(buf_cstr(&word), type))
		e = wrong(r, "no attribute has this name");
	else
		e = OK;
	if (e == OK)
		r->p = strchr(r->p, '=') + 1;
out:
	buf_release(&word);
	return e;
}

/* RFC 4514 2.4: a special character, or two hex digits, behind '\'. */
static enum err
read_escape(struct reader *r, struct buf *value)
{
	struct buf byte = BUF_INIT;
	char two[3] = { 0 };
	enum err e = OK;

	r->p++;
	if (*r->p != '\0' && strchr(" \"#+,;<=>\\", *r->p) != NULL)
		return buf_byte(value, (uint8_t)*r->p++) ? OK : ERR_SYSTEM;
	if (!isxdigit((unsigned char)r->p[0]) ||
	    !isxdigit((unsigned char)r->p[1]))
		return wrong(r, "behind '\\' stands one of ' \"#+,;<=>\\' or "
				"two hex digits");
	two[0] = *r->p++;
	two[1] = *r->p++;
	if (hex_read(two, &byte) != OK || !buf_add(value, byte.data, byte.len))
		e = ERR_SYSTEM;
	buf_release(&byte);
	return e;
}

/* Up to an unescaped ',' or '+'; blanks around it fall away. */
static enum err
read_value(struct reader *r, struct buf *value)
{
	size_t keep = 0; /* what must not be trimmed */
	enum err e;

	skip_blanks(r);
	while (*r->p != '\0' && *r->p != ',' && *r->p != '+') {
		if (*r->p == '"')
			return wrong(r, "no quotes here: write '\\' before "
					"special characters");
		if (*r->p == '\\') {
			if ((e = read_escape(r, value)) != OK)
				return e;
			keep = value->len;
			continue;
		}
		if (!buf_byte(value, (uint8_t)*r->p))
			return ERR_SYSTEM;
		if (*r->p++ != ' ')
			keep = value->len;
	}
	if (value->data != NULL)
		value->data[keep] = '\0';
	value->len = keep;
	return keep > 0 ? OK : wrong(r, "an empty value");
}

/* A string with a NUL inside would be another to a C program. */
static bool
has_nul(const struct der *d)
{
	struct buf utf8 = BUF_INIT;
	bool has;

	has = string_utf8(d, &utf8) == OK && utf8.len > 0 &&
	      memchr(utf8.data, 0, utf8.len) != NULL;
	buf_release(&utf8);
	return has;
}

/* '#' and the hex digits of any DER value. */
static enum err
read_hex(struct reader *r, struct buf *out)
{
	struct buf digits = BUF_INIT, value = BUF_INIT;
	struct span rest;
	struct der d;
	enum err e = ERR_SYSTEM;
	size_t n = strcspn(r->p + 1, ",+ ");

	if (!buf_add(&digits, r->p + 1, n))
		goto out;
	if (hex_read(buf_cstr(&digits), &value) != OK) {
		e = wrong(r, "behind '#' stand hex digits");
		goto out;
	}
	rest = buf_span(&value);
	if (!der_next(&rest, &d) || rest.len > 0) {
		e = wrong(r, "these hex digits are not one DER value");
	} else if (has_nul(&d)) {
		e = wrong(r, "a NUL in it");
	} else if (buf_add(out, value.data, value.len)) {
		r->p += n + 1;
		skip_blanks(r);
		e = OK;
	}
	if (e == OK && *r->p != '\0' && *r->p != ',' && *r->p != '+')
		e = wrong(r, "only ',' or '+' may follow here");
out:
	buf_release(&digits);
	buf_release(&value);
	return e;
}

/* AttributeTypeAndValue. */
static enum err
read_attribute(struct reader *r, struct buf *out)
{
	struct buf value = BUF_INIT, body = BUF_INIT;
	struct attr_type type = { .oid_len = 0 };
	const char *why;
	enum err e;

	if ((e = read_type(r, &type)) != OK)
		goto out;
	if (!der_put(&body, DER_OID, span_of(type.oid, type.oid_len))) {
		e = ERR_SYSTEM;
		goto out;
	}
	skip_blanks(r);
	if (*r->p == '#') {
		if ((e = read_hex(r, &body)) != OK)
			goto out;
	} else {
		if ((e = read_value(r, &value)) != OK)
			goto out;
		e = attr_encode(&type, buf_span(&value), &body, &why);
		if (e == ERR_INPUT)
			e = wrong(r, why);
		if (e != OK)
			goto out;
	}
	e = der_put(out, DER_SEQUENCE, buf_span(&body)) ? OK : ERR_SYSTEM;
out:
	buf_release(&value);
	buf_release(&body);
	return e;
}

/* DER sorts the members of a SET OF by their encoding. */
static int
by_bytes(const void *a, const void *b)
{
	const struct buf *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->data, y->data, n);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static enum err
read_rdn(struct reader *r, struct buf *out)
{
	struct buf part[MAX_RDN], set = BUF_INIT;
	size_t n = 0;
	enum err e;

	for (;;) {
		buf_init(&part[n]);
		e = read_attribute(r, &part[n++]);
		if (e != OK || *r->p != '+')
			break;
		if (n == MAX_RDN) {
			e = wrong(r, "too many parts joined by '+'");
			break;
		}
		r->p++;
	}
	if (e == OK) {
		qsort(part, n, sizeof(*part), by_bytes);
		e = ERR_SYSTEM;
		for (size_t i = 0; i < n; i++)
			if (!buf_add(&set, part[i].data, part[i].len))
				goto out;
		if (der_put(out, DER_SET, buf_span(&set)))
			e = OK;
	}
out:
	for (size_t i = 0; i < n; i++)
		buf_release(&part[i]);
	buf_release(&set);
	return e;
}

enum err
dn_parse(const char *text, struct buf *der)
{
	struct reader r = { text, text };
	struct buf rdns = BUF_INIT;
	enum err e = OK;

	if (strlen(text) > MAX_DN_TEXT) {
		log_error("a name of more than %d bytes", MAX_DN_TEXT);
		return ERR_TOOBIG;
	}
	skip_blanks(&r);
	while (*r.p != '\0') {
		if ((e = read_rdn(&r, &rdns)) != OK || *r.p == '\0')
			break;
		r.p++; /* the comma */
		if (r.p[strspn(r.p, " ")] == '\0') {
			e = wrong(&r, "nothing behind the last ','");
			break;
		}
	}
	if (e == OK && !der_put(der, DER_SEQUENCE, buf_span(&rdns)))
		e = ERR_SYSTEM;
	buf_release(&rdns);
	return e;
}

/* ---- DER to text ---- */

/* RFC 4514 2.4. */
static bool
put_escaped(struct buf *out, struct span utf8)
{
	for (size_t i = 0; i < utf8.len; i++) {
		uint8_t c = utf8.p[i];
		bool edge = (c == ' ' && (i == 0 || i == utf8.len - 1)) ||
			    (c == '#' && i == 0);
		bool good;

		if (c < 0x20 || c == 0x7f)
			good = buf_printf(out, "\\%02X", c);
		else if (edge || strchr("\"+,;<>\\", c) != NULL)
			good = buf_byte(out, '\\') && buf_byte(out, c);
		else
			good = buf_byte(out, c);
		if (!good)
			return false;
	}
	return true;
}

static enum err
put_attribute(struct buf *out, struct span oid, const struct der *value)
{
	const char *name = attr_name(oid);
	struct buf utf8 = BUF_INIT;
	enum err e;

	e = name == NULL ? ERR_INPUT : string_utf8(value, &utf8);
	if (e == OK && utf8.len > 0) {
		if (!buf_str(out, name) || !buf_byte(out, '=') ||
		    !put_escaped(out, buf_span(&utf8)))
			e = ERR_SYSTEM;
	} else if (e != ERR_SYSTEM && (e = oid_text(oid, out)) == OK) {
		if (!buf_str(out, "=#") ||
		    !buf_hex(out, value->whole.p, value->whole.len))
			e = ERR_SYSTEM;
	}
	buf_release(&utf8);
	return e;
}

enum err
dn_each(struct span der,
    enum err (*each)(
	bool first, struct span oid, const struct der *value, void *arg),
    void *arg)
{
	struct span rdns, set, attribute, oid;
	struct der value;
	enum err e;

	if (!der_one(der, DER_SEQUENCE, &rdns))
		return ERR_INPUT;
	while (rdns.len > 0) {
		bool first = true;

		if (!der_get(&rdns, DER_SET, &set) || set.len == 0)
			return ERR_INPUT;
		for (; set.len > 0; first = false) {
			if (!der_get(&set, DER_SEQUENCE, &attribute) ||
			    !der_get(&attribute, DER_OID, &oid) ||
			    !der_next(&attribute, &value) || attribute.len > 0)
				return ERR_INPUT;
			if ((e = each(first, oid, &value, arg)) != OK)
				return e;
		}
	}
	return OK;
}

static enum err
text_each(bool first, struct span oid, const struct der *value, void *arg)
{
	struct buf *text = arg;

	if (text->len > 0 && !buf_byte(text, first ? ',' : '+'))
		return ERR_SYSTEM;
	return put_attribute(text, oid, value);
}

enum err
dn_text(struct span der, struct buf *text)
{
	struct buf own = BUF_INIT;
	enum err e = dn_each(der, text_each, &own);

	if (e == OK && own.len > 0 && !buf_add(text, own.data, own.len))
		e = ERR_SYSTEM;
	buf_release(&own);
	return e;
}

/* ---- questions ---- */

struct wanted {
	struct attr_type type;
	struct buf *value;
	enum err found;
};

static enum err
value_each(bool first, struct span oid, const struct der *value, void *arg)
{
	struct wanted *w = arg;

	(void)first;
	if (w->found == ERR_NOTFOUND &&
	    span_eq(oid, span_of(w->type.oid, w->type.oid_len)))
		w->found = string_utf8(value, w->value);
	return w->found == ERR_SYSTEM ? ERR_SYSTEM : OK;
}

enum err
dn_value(struct span der, const char *name, struct buf *utf8)
{
	struct buf value = BUF_INIT;
	struct wanted w = { .value = &value, .found = ERR_NOTFOUND };
	enum err e = ERR_NOTFOUND;

	if (!attr_type_read(name, &w.type))
		return e;
	if ((e = dn_each(der, value_each, &w)) == OK)
		e = w.found;
	/* a NUL inside would name somebody else to a C program */
	if (e == OK && memchr(value.data, 0, value.len) != NULL)
		e = ERR_INPUT;
	if (e == OK && !buf_add(utf8, value.data, value.len))
		e = ERR_SYSTEM;
	buf_release(&value);
	return e;
}

/* OpenSSL compares names as RFC 5280 7.1 has it, folding ASCII alone. */
bool
dn_eq(struct span a, struct span b)
{
	const unsigned char *p = a.p, *q = b.p;
	X509_NAME *x = NULL, *y = NULL;
	bool equal;

	if (span_eq(a, b))
		return true;
	ERR_set_mark();
	x = d2i_X509_NAME(NULL, &p, (long)a.len);
	y = d2i_X509_NAME(NULL, &q, (long)b.len);
	equal = x != NULL && y != NULL && p == a.p + a.len &&
		q == b.p + b.len && X509_NAME_cmp(x, y) == 0;
	ERR_pop_to_mark();
	X509_NAME_free(x);
	X509_NAME_free(y);
	return equal;
}

bool
dn_empty(struct span der)
{
	struct span rdns;

	return !der_one(der, DER_SEQUENCE, &rdns) || rdns.len == 0;
}
