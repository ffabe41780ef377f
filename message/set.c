#include "message/set.h"

#include "base/log.h"

/* X.690 11.6: as octet strings, the shorter one padded with zeros. */
static int
compare(const void *x, const void *y)
{
	const struct span *a = x, *b = y;
	int c = memcmp(a->p, b->p, a->len < b->len ? a->len : b->len);

	return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

enum err
set_sort(struct span elements, size_t max, struct buf *out)
{
	struct span *list = calloc(max, sizeof(*list));
	struct buf body = BUF_INIT;
	struct der d;
	size_t n = 0;
	enum err e = ERR_SYSTEM;

	if (list == NULL) {
		log_error("out of memory");
		goto out;
	}
	for (; elements.len > 0; list[n++] = d.whole)
		if (n == max || !der_next(&elements, &d)) {
			e = ERR_INPUT;
			goto out;
		}
	qsort(list, n, sizeof(*list), compare);
	for (size_t i = 0; i < n; i++)
		if (!buf_add(&body, list[i].p, list[i].len))
			goto out;
	if (der_put(out, DER_SET, buf_span(&body)))
		e = OK;
out:
	buf_release(&body);
	free(list);
	return e;
}

bool
der_wrap(struct buf *b, uint8_t tag)
{
	struct buf whole = { .secret = b->secret };

	if (!der_put(&whole, tag, buf_span(b))) {
		buf_release(&whole);
		return false;
	}
	buf_release(b);
	*b = whole;
	return true;
}
