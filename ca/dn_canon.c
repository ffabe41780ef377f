#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ca/dn.h"
#include "ca/text.h"

/*
 * Names for comparison by bytes (RFC 5280 7.1): every string as UTF-8, ASCII
 * letters small, blanks at its ends gone and others one; the members of an
 * RDN sorted.
 */

static bool
blank(uint8_t c)
{
	return c < 0x80 && isspace(c) != 0;
}

/* ASCII alone, whatever the locale. */
static uint8_t
small(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* Words with one blank between. */
static bool
fold(struct span text, struct buf *out)
{
	bool good = true, gap = false;

	for (size_t i = 0; i < text.len && good; i++) {
		uint8_t c = text.p[i];

		if (blank(c)) {
			gap = out->len > 0;
			continue;
		}
		if (gap)
			good = buf_byte(out, ' ');
		gap = false;
		good = good && buf_byte(out, small(c));
	}
	return good;
}

/* Takes an attribute off the front of *set; what is no text stays as it is. */
static enum err
put_part(struct span *set, struct buf *out)
{
	struct buf text = BUF_INIT, folded = BUF_INIT, body = BUF_INIT;
	struct span attribute, oid;
	struct der value;
	enum err e = ERR_INPUT;
	bool good;

	if (!der_get(set, DER_SEQUENCE, &attribute) ||
	    !der_get(&attribute, DER_OID, &oid) ||
	    !der_next(&attribute, &value) || attribute.len > 0)
		goto out;
	good = der_put(&body, DER_OID, oid);
	if ((e = string_utf8(&value, &text)) == OK)
		good = good && fold(buf_span(&text), &folded) &&
		       der_put(&body, DER_UTF8, buf_span(&folded));
	else if (e == ERR_INPUT)
		good = good && buf_add(&body, value.whole.p, value.whole.len);
	else
		good = false;
	good = good && der_put(out, DER_SEQUENCE, buf_span(&body));
	e = good ? OK : ERR_SYSTEM;
out:
	buf_release(&text);
	buf_release(&folded);
	buf_release(&body);
	return e;
}

static int
by_bytes(const void *a, const void *b)
{
	const struct buf *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->data, y->data, n);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static enum err
put_rdn(struct span set, struct buf *out)
{
	struct buf part[MAX_NAME_PARTS], all = BUF_INIT;
	size_t n = 0;
	enum err e = set.len > 0 ? OK : ERR_INPUT;

	while (set.len > 0 && e == OK) {
		if (n == MAX_NAME_PARTS) {
			e = ERR_INPUT;
			break;
		}
		buf_init(&part[n]);
		e = put_part(&set, &part[n++]);
	}
	if (e == OK)
		qsort(part, n, sizeof(*part), by_bytes);
	for (size_t i = 0; i < n; i++) {
		if (e == OK && !buf_add(&all, part[i].data, part[i].len))
			e = ERR_SYSTEM;
		buf_release(&part[i]);
	}
	if (e == OK && !der_put(out, DER_SET, buf_span(&all)))
		e = ERR_SYSTEM;
	buf_release(&all);
	return e;
}

enum err
dn_canon(struct span der, struct buf *out)
{
	struct buf own = BUF_INIT;
	struct span rdns, set;
	enum err e = ERR_INPUT;

	if (!der_one(der, DER_SEQUENCE, &rdns))
		goto out;
	for (e = OK; rdns.len > 0 && e == OK;)
		e = der_get(&rdns, DER_SET, &set) ? put_rdn(set, &own) :
						    ERR_INPUT;
	if (e == OK && !der_put(out, DER_SEQUENCE, buf_span(&own)))
		e = ERR_SYSTEM;
out:
	buf_release(&own);
	return e;
}
