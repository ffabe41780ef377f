#include "ca/der.h"

#include "base/limits.h"
#include "base/time.h"

bool
der_next(struct span *in, struct der *out)
{
	const uint8_t *p = in->p;
	size_t left = in->len, len, n;

	if (left < 2 || (p[0] & 0x1f) == 0x1f)
		return false;
	len = p[1];
	n = 2;
	if (len == 0x80 || len > 0x84)
		return false; /* indefinite, or absurd */
	if (len > 0x80) {
		size_t bytes = len - 0x80;

		if (left < 2 + bytes)
			return false;
		for (len = 0; n < 2 + bytes; n++)
			len = len << 8 | p[n];
	}
	if (len > left - n)
		return false;
	out->tag = p[0];
	out->body = span_of(p + n, len);
	out->whole = span_of(p, n + len);
	in->p += n + len;
	in->len -= n + len;
	return true;
}

bool
der_get(struct span *in, uint8_t tag, struct span *body)
{
	struct span rest = *in;
	struct der d;

	if (!der_next(&rest, &d) || d.tag != tag)
		return false;
	*body = d.body;
	*in = rest;
	return true;
}

bool
der_one(struct span der, uint8_t tag, struct span *body)
{
	return der_get(&der, tag, body) && der.len == 0;
}

/* Bytes of tag and length in DER, for a body of this size. */
static size_t
head_size(size_t body)
{
	size_t n = 2;

	if (body >= 0x80)
		for (; body > 0; body >>= 8)
			n++;
	return n;
}

bool
der_strict(struct span der)
{
	struct span left[MAX_DEPTH + 1] = { der }; /* at each depth */
	size_t depth = 0;
	struct der d;

	if (der.len == 0)
		return false;
	for (;;) {
		while (left[depth].len == 0) {
			if (depth == 0)
				return true;
			depth--;
		}
		if (!der_next(&left[depth], &d) ||
		    d.whole.len - d.body.len != head_size(d.body.len) ||
		    (depth == 0 && left[0].len > 0))
			return false;
		if ((d.tag & DER_CONSTRUCTED) == 0)
			continue;
		if (depth == MAX_DEPTH)
			return false;
		left[++depth] = d.body;
	}
}

uint8_t
der_tag(struct span in)
{
	return in.len > 0 ? in.p[0] : 0;
}

bool
der_put(struct buf *out, uint8_t tag, struct span body)
{
	uint8_t head[6] = { tag };
	size_t n = 1, shift;

	if (body.len < 0x80) {
		head[n++] = (uint8_t)body.len;
	} else {
		for (shift = 24; body.len >> shift == 0; shift -= 8)
			;
		head[n++] = (uint8_t)(0x81 + shift / 8);
		for (shift += 8; shift > 0; shift -= 8)
			head[n++] = (uint8_t)(body.len >> (shift - 8));
	}
	return buf_reserve(out, n + body.len) && buf_add(out, head, n) &&
	       buf_add(out, body.p, body.len);
}

static bool
digits(const uint8_t *p, size_t n, int *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*out = *out * 10 + (p[i] - '0');
	}
	return true;
}

int64_t
der_time(const struct der *d)
{
	size_t year = d->tag == DER_TIME ? 4 : 2;
	const uint8_t *p = d->body.p;
	struct date t = { 0 };

	if (d->tag != DER_TIME && d->tag != DER_UTCTIME)
		return 0;
	if (d->body.len < year + 9 || p[d->body.len - 1] != 'Z' ||
	    !digits(p, year, &t.year) || !digits(p + year, 2, &t.month) ||
	    !digits(p + year + 2, 2, &t.day) ||
	    !digits(p + year + 4, 2, &t.hour) ||
	    !digits(p + year + 6, 2, &t.minute))
		return 0;
	if (d->body.len == year + 11 && !digits(p + year + 8, 2, &t.second))
		return 0;
	if (year == 2)
		t.year += t.year < 50 ? 2000 : 1900;
	if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31 ||
	    t.hour > 23 || t.minute > 59 || t.second > 60)
		return 0;
	return time_join(&t);
}
