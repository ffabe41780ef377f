#include <ctype.h>

#include "ca/attr.h"
#include "ca/dn.h"
#include "ca/text.h"

/*
 * One name inside another, attribute by attribute.  Each becomes a key, type
 * and value as RFC 5280 7.1 compares them (string type, case and blanks do
 * not count), and keys are looked for in a list: nothing is decoded twice,
 * however long the names are.
 */

static bool
is_blank(uint8_t c)
{
	return c < 0x80 && isspace(c);
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* UTF-8 with ASCII folded, no blanks at the ends, one inside. */
static bool
put_folded(struct span utf8, struct buf *out)
{
	const size_t start = out->len;
	bool blank = false;

	for (size_t i = 0; i < utf8.len; i++) {
		uint8_t c = utf8.p[i];

		if (is_blank(c)) {
			blank = out->len > start;
			continue;
		}
		if ((blank && !buf_byte(out, ' ')) || !buf_byte(out, lower(c)))
			return false;
		blank = false;
	}
	return true;
}

/* Appends an element that is the same for equal attributes. */
static enum err
put_key(struct span oid, const struct der *value, struct buf *out)
{
	struct buf utf8 = BUF_INIT, body = BUF_INIT;
	enum err e;

	if (!der_put(&body, DER_OID, oid)) {
		e = ERR_SYSTEM;
		goto out;
	}
	e = string_utf8(value, &utf8);
	if (e == ERR_INPUT) /* no string: its very bytes */
		e = buf_add(&body, value->whole.p, value->whole.len) ?
			OK :
			ERR_SYSTEM;
	else if (e == OK && !put_folded(buf_span(&utf8), &body))
		e = ERR_SYSTEM;
	if (e == OK && !der_put(out, DER_SEQUENCE, buf_span(&body)))
		e = ERR_SYSTEM;
out:
	buf_release(&utf8);
	buf_release(&body);
	return e;
}

static enum err
key_each(bool first, struct span oid, const struct der *value, void *arg)
{
	(void)first;
	return put_key(oid, value, arg);
}

static bool
has_key(struct span keys, struct span key)
{
	struct der d;

	while (der_next(&keys, &d))
		if (span_eq(d.whole, key))
			return true;
	return false;
}

struct part {
	struct span whole; /* keys */
	const char *const *ignore;
	size_t n;
	struct {
		unsigned said, missing;
	} plain, ignored; /* attributes that count, and the others */
};

static bool
is_ignored(const struct part *p, struct span oid)
{
	struct attr_type type;

	for (size_t i = 0; i < p->n; i++)
		if (attr_type_read(p->ignore[i], &type) &&
		    span_eq(oid, span_of(type.oid, type.oid_len)))
			return true;
	return false;
}

static enum err
part_each(bool first, struct span oid, const struct der *value, void *arg)
{
	struct part *p = arg;
	struct buf key = BUF_INIT;
	bool missing;
	enum err e;

	(void)first;
	e = put_key(oid, value, &key);
	missing = e == OK && !has_key(p->whole, buf_span(&key));
	if (is_ignored(p, oid)) {
		p->ignored.said++;
		p->ignored.missing += missing;
	} else {
		p->plain.said++;
		p->plain.missing += missing;
	}
	buf_release(&key);
	return e;
}

enum err
dn_within(struct span part, struct span whole, const char *const *ignore,
    size_t n, bool *yes)
{
	struct buf keys = BUF_INIT;
	struct part p = { .ignore = ignore, .n = n };
	enum err e;

	*yes = false;
	e = dn_each(whole, key_each, &keys);
	p.whole = buf_span(&keys);
	if (e == OK)
		e = dn_each(part, part_each, &p);
	if (e == OK && p.plain.said > 0)
		*yes = p.plain.missing == 0;
	else if (e == OK)
		*yes = p.ignored.missing == 0 &&
		       (p.ignored.said > 0 || p.whole.len == 0);
	buf_release(&keys);
	return e == ERR_INPUT ? OK : e;
}
