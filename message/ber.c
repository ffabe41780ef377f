#include "message/ber.h"

#include "base/limits.h"
#include "base/log.h"
#include "ca/der.h"

#define CONSTRUCTED   0x20
#define OCTETS_NESTED (DER_OCTETS | CONSTRUCTED)

/* One element's header, where it stands and how deep. */
struct item {
	size_t at;    /* offset of its tag */
	size_t head;  /* bytes of tag and length */
	size_t len;   /* bytes of content; 0 while open */
	size_t depth; /* elements around it */
	uint8_t tag;
	bool open; /* indefinite length */
};

/* What a walk stands in. */
struct frame {
	size_t end;  /* content goes no further; for an open one the parent's */
	size_t node; /* number of the element */
	bool open;
};

struct walk {
	struct span in;
	size_t at;
	size_t count; /* elements so far */
	size_t depth; /* frames in use */
	struct frame frame[MAX_DEPTH];
	const char *why; /* what is wrong */
};

/* Tags of one byte, lengths of at most four. */
static bool
head_read(struct span in, size_t at, size_t limit, struct item *it)
{
	const uint8_t *p = in.p + at;
	size_t left = limit - at;

	if (left < 2 || p[0] == 0 || (p[0] & 0x1f) == 0x1f || p[1] > 0x84)
		return false;
	*it = (struct item){ .at = at, .head = 2, .len = p[1], .tag = p[0] };
	if (p[1] == 0x80) {
		it->open = true;
		it->len = 0;
		return (p[0] & CONSTRUCTED) != 0;
	}
	if (p[1] > 0x80) {
		it->head += p[1] - 0x80U;
		it->len = 0;
		if (left < it->head)
			return false;
		for (size_t i = 2; i < it->head; i++)
			it->len = it->len << 8 | p[i];
	}
	return it->len <= left - it->head;
}

/* Leaves the frames that end here, taking their end-of-contents along. */
static void
leave(struct walk *w)
{
	while (w->depth > 0) {
		const struct frame *f = &w->frame[w->depth - 1];
		const uint8_t *p = w->in.p + w->at;

		if (!f->open && w->at != f->end)
			break;
		if (f->open) {
			if (f->end - w->at < 2 || p[0] != 0 || p[1] != 0)
				break;
			w->at += 2;
		}
		w->depth--;
	}
}

/* The next element in order of bytes; false at the end or with w->why. */
static bool
walk_next(struct walk *w, struct item *it)
{
	size_t limit;

	if (w->count > 0) {
		leave(w);
		if (w->depth == 0)
			return false;
	}
	limit = w->depth > 0 ? w->frame[w->depth - 1].end : w->in.len;
	if (!head_read(w->in, w->at, limit, it))
		w->why = "not BER, or cut short";
	else if (w->count == MAX_ELEMENTS)
		w->why = "too many ASN.1 elements";
	else if ((it->tag & CONSTRUCTED) != 0 && w->depth == MAX_DEPTH)
		w->why = "ASN.1 nested too deep";
	if (w->why != NULL)
		return false;
	it->depth = w->depth;
	w->at += it->head;
	if ((it->tag & CONSTRUCTED) != 0)
		w->frame[w->depth++] =
		    (struct frame){ it->open ? limit : w->at + it->len,
			    w->count, it->open };
	else
		w->at += it->len;
	w->count++;
	return true;
}

/* An element on its way to definite lengths. */
struct node {
	struct item it;
	size_t parent; /* its number */
	size_t body;   /* bytes of the rewritten content */
	bool odd;      /* rewritten; otherwise copied */
	bool piece;    /* of a constructed OCTET STRING: content alone */
};

static bool
is_odd(const struct item *it)
{
	return it->open || it->tag == OCTETS_NESTED;
}

static size_t
head_size(size_t body)
{
	size_t n = 2;

	for (size_t left = body; body >= 0x80 && left > 0; left >>= 8)
		n++;
	return n;
}

static bool
head_write(struct buf *out, uint8_t tag, size_t body)
{
	size_t bytes = head_size(body) - 2;
	bool good = buf_byte(out, tag);

	if (bytes == 0)
		return good && buf_byte(out, (uint8_t)body);
	good = good && buf_byte(out, (uint8_t)(0x80 + bytes));
	for (size_t i = bytes; i-- > 0;)
		good = good && buf_byte(out, (uint8_t)(body >> (8 * i)));
	return good;
}

/* Lists all n elements; the walk is known to succeed. */
static enum err
nodes_list(struct span in, struct node *node, size_t n, const char **why)
{
	struct walk w = { .in = in };

	for (size_t i = 0; i < n && walk_next(&w, &node[i].it); i++) {
		const struct item *it = &node[i].it;

		node[i].odd = is_odd(it);
		/* w.frame[depth - 1] is still this element's parent */
		node[i].parent =
		    it->depth > 0 ? w.frame[it->depth - 1].node : 0;
		node[i].piece =
		    i > 0 && node[node[i].parent].it.tag == OCTETS_NESTED;
		if (node[i].piece && it->tag != DER_OCTETS &&
		    it->tag != OCTETS_NESTED) {
			*why = "not an OCTET STRING inside one";
			return ERR_INPUT;
		}
	}
	return OK;
}

/* From the last to the first, so that children come before their parent. */
static void
nodes_size(struct node *node, size_t n)
{
	for (size_t i = n; i-- > 1;) {
		struct node *me = &node[i], *parent = &node[me->parent];
		size_t total = me->it.head + me->it.len;

		if (me->piece)
			total = me->odd ? me->body : me->it.len;
		else if (me->odd)
			total = head_size(me->body) + me->body;
		parent->body += total;
		parent->odd = parent->odd || me->odd;
	}
}

static enum err
nodes_write(struct span in, const struct node *node, size_t n, struct buf *out)
{
	size_t i = 0;
	bool good = true;

	while (good && i < n) {
		const struct node *me = &node[i++];
		const struct item *it = &me->it;
		const uint8_t *p = in.p + it->at;

		if (!me->odd) {
			size_t skip = me->piece ? it->head : 0;

			good =
			    buf_add(out, p + skip, it->head + it->len - skip);
			while (i < n && node[i].it.depth > it->depth)
				i++;
		} else if (!me->piece) {
			good = head_write(out,
			    it->tag == OCTETS_NESTED ? DER_OCTETS : it->tag,
			    me->body);
		}
	}
	return good ? OK : ERR_SYSTEM;
}

static enum err
rewrite(struct span in, size_t n, struct ber *out, const char **why)
{
	struct node *node = calloc(n, sizeof(*node));
	enum err e;

	if (node == NULL) {
		log_error("out of memory");
		return ERR_SYSTEM;
	}
	if ((e = nodes_list(in, node, n, why)) != OK)
		goto out;
	nodes_size(node, n);
	/* rewritten lengths may be longer than 80 .. 00 00, never by much */
	if (!buf_reserve(&out->own, in.len + 4 * n))
		e = ERR_SYSTEM;
	else
		e = nodes_write(in, node, n, &out->own);
	out->der = buf_span(&out->own);
out:
	free(node);
	return e;
}

enum err
ber_read(struct span in, struct ber *out, const char **why)
{
	struct walk w = { .in = in };
	struct item it;
	bool odd = false;

	*out = (struct ber){ .own = BUF_SECRET };
	if (in.len == 0)
		w.why = "empty";
	while (w.why == NULL && walk_next(&w, &it))
		odd = odd || is_odd(&it);
	if (w.why != NULL) {
		*why = w.why;
		return ERR_INPUT;
	}
	out->used = w.at;
	out->der = span_of(in.p, w.at);
	return odd ? rewrite(out->der, w.count, out, why) : OK;
}

void
ber_release(struct ber *b)
{
	buf_release(&b->own);
	b->der = span_of(NULL, 0);
}

bool
ber_tail(struct span in, size_t used)
{
	if (in.len - used > 2)
		return false;
	for (size_t i = used; i < in.len; i++)
		if (in.p[i] != '\r' && in.p[i] != '\n')
			return false;
	return true;
}
