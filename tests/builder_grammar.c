/*
 * Every field of a pkiMessage, wrong in every way: a good message is taken
 * apart as a tree of elements, one of them is changed, and what was signed or
 * encrypted around it is signed and encrypted again, as an attacker with a
 * key of his own would.  builder_fields.c says what the answer may be.
 */
#include "builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_DEEP 24
#define MOST_KIDS 64
#define LOTS	  70000 /* bytes: oversized, but under the cap of a body */

/* Which element: the number of the child on each level. */
struct path {
	int step[MOST_DEEP];
	int n;
};

/* One element and its content; rest is what stands behind it. */
struct element {
	unsigned tag;
	struct bytes whole, body, rest;
};

static struct element
element(struct bytes in)
{
	struct element e = { in.p[0], in, in, NOTHING };
	size_t head = 2, len = in.p[1];

	if (len >= 0x80) {
		head = 2 + (len & 0x7f);
		len = 0;
		for (size_t i = 2; i < head; i++)
			len = len << 8 | in.p[i];
	}
	e.body = (struct bytes){ in.p + head, len };
	e.whole.n = head + len;
	e.rest = (struct bytes){ in.p + head + len, in.n - head - len };
	return e;
}

static size_t
children(struct bytes body, struct bytes kid[MOST_KIDS])
{
	size_t n = 0;

	while (body.n > 0) {
		struct element e = element(body);

		if (n == MOST_KIDS)
			die("too many children");
		kid[n++] = e.whole;
		body = e.rest;
	}
	return n;
}

/* ---- the ways of being wrong --------------------------------------------- */

static struct bytes
missing(struct element e)
{
	(void)e;
	return NOTHING;
}

static struct bytes
doubled(struct element e)
{
	return JOIN(e.whole, e.whole);
}

/* Another type with the same content. */
static struct bytes
other_type(struct element e)
{
	static const struct {
		unsigned from, to;
	} swap[] = { { 0x30, 0x31 }, { 0x31, 0x30 }, { 0x02, 0x04 },
		{ 0x04, 0x02 }, { 0xa0, 0xa7 } };

	for (size_t i = 0; i < sizeof(swap) / sizeof(*swap); i++)
		if (swap[i].from == e.tag)
			return tlv(swap[i].to, e.body);
	return tlv((e.tag & 0x20) ? 0xa9 : 0x0a, e.body);
}

static struct bytes
null_instead(struct element e)
{
	(void)e;
	return tlv(0x05, NOTHING);
}

static struct bytes
truncated(struct element e)
{
	e.body.n -= e.body.n > 0;
	return tlv(e.tag, e.body);
}

static struct bytes
emptied(struct element e)
{
	return tlv(e.tag, NOTHING);
}

static struct bytes
oversized(struct element e)
{
	struct bytes lots = { hold(LOTS), LOTS };

	memset(lots.p, 'A', lots.n);
	if (e.tag & 0x20)
		lots = tlv(0x04, lots);
	return tlv(e.tag, JOIN(e.body, lots));
}

static struct bytes
trailing(struct element e)
{
	return tlv(e.tag, JOIN(e.body, number(4711)));
}

static struct bytes
flipped(struct element e)
{
	struct bytes b = JOIN(e.body);

	if (b.n > 0)
		b.p[b.n - 1] ^= 0x01;
	return tlv(e.tag, b);
}

static struct bytes
wrapped(struct element e)
{
	return tlv(0x30, e.whole);
}

static struct bytes
open_length(struct element e)
{
	return tlv_ber((e.tag & 0x20) != 0, e.tag, e.body);
}

/* A length that reaches one byte behind what is there. */
static struct bytes
lying_length(struct element e)
{
	struct bytes b = tlv(e.tag, JOIN(e.body, noise(1)));

	b.n--;
	return b;
}

/* Four bytes of length where one would do: BER, but not DER. */
static struct bytes
long_length(struct element e)
{
	unsigned char head[6] = { (unsigned char)e.tag, 0x84,
		(unsigned char)(e.body.n >> 24),
		(unsigned char)(e.body.n >> 16), (unsigned char)(e.body.n >> 8),
		(unsigned char)e.body.n };

	return JOIN(raw(head, sizeof(head)), e.body);
}

static const struct way {
	const char *name;
	struct bytes (*make)(struct element e);
} ways[] = {
	{ "missing", missing },
	{ "doubled", doubled },
	{ "type", other_type },
	{ "null", null_instead },
	{ "truncated", truncated },
	{ "empty", emptied },
	{ "oversized", oversized },
	{ "trailing", trailing },
	{ "flipped", flipped },
	{ "wrapped", wrapped },
	{ "open", open_length },
	{ "lying", lying_length },
	{ "long", long_length },
};
#define WAYS (sizeof(ways) / sizeof(*ways))

/* ---- the tree -------------------------------------------------------------- */

/* der with the element at the path replaced by what make() says. */
static struct bytes /* NOLINTNEXTLINE(misc-no-recursion): MOST_DEEP levels */
change(struct bytes der, const int *step, int n,
    struct bytes (*make)(struct element e))
{
	struct element e = element(der);
	struct bytes kid[MOST_KIDS];
	size_t kids;

	if (n == 0)
		return make(e);
	kids = children(e.body, kid);
	if ((size_t)step[0] >= kids)
		die("no such element");
	kid[step[0]] = change(kid[step[0]], step + 1, n - 1, make);
	return tlv(e.tag, join(kid, kids));
}

static struct bytes
at(struct bytes der, const int *step, int n)
{
	struct bytes kid[MOST_KIDS];

	for (int i = 0; i < n; i++) {
		if ((size_t)step[i] >= children(element(der).body, kid))
			die("no such element");
		der = kid[step[i]];
	}
	return der;
}

/* What change() puts in where a part was made anew. */
static struct bytes put_in;

static struct bytes
given(struct element e)
{
	(void)e;
	return put_in;
}

static struct bytes
replace(struct bytes der, const int *step, int n, struct bytes with)
{
	put_in = with;
	return change(der, step, n, given);
}

/* ---- the parts of a message ------------------------------------------------- */

/* Where things stand in ContentInfo { oid, [0] SignedData }. */
static const int at_content[] = { 1, 0, 2, 1, 0 };
static const int at_attrs[] = { 1, 0, 4, 0, 3 };
static const int at_signature[] = { 1, 0, 4, 0, 5 };
#define LEN(a) ((int)(sizeof(a) / sizeof(*(a))))

struct grammar {
	struct plan *p;
	struct bytes csr, content, message;
};

static struct bytes
whole_of(const struct grammar *g)
{
	return g->message;
}

static struct bytes
whole_close(const struct grammar *g, struct bytes changed)
{
	(void)g;
	return changed;
}

static struct bytes
attrs_of(const struct grammar *g)
{
	return at(g->message, at_attrs, LEN(at_attrs));
}

/* Signed anew, as the attacker's own key can. */
static struct bytes
attrs_close(const struct grammar *g, struct bytes changed)
{
	struct bytes m = g->message, set = JOIN(changed);

	if (set.n > 0) {
		set.p[0] = 0x31;
		m = replace(m, at_signature, LEN(at_signature),
		    tlv(0x04,
			key_sign(g->p->signer, g->p->digest, false, set)));
	}
	return replace(m, at_attrs, LEN(at_attrs), changed);
}

static struct bytes
envelope_of(const struct grammar *g)
{
	return g->content;
}

static struct bytes
envelope_close(const struct grammar *g, struct bytes changed)
{
	struct plan p = *g->p;

	p.content = CONTENT_CLEAR;
	return message_build(&p, changed);
}

static struct bytes
inside_of(const struct grammar *g)
{
	return g->csr;
}

static struct bytes
inside_close(const struct grammar *g, struct bytes changed)
{
	return message_build(g->p, changed);
}

static struct bytes
info_of(const struct grammar *g)
{
	return element(element(g->csr).body).whole;
}

static struct bytes
info_close(const struct grammar *g, struct bytes changed)
{
	struct bytes kid[MOST_KIDS];
	struct bytes sig = key_sign(g->p->key, "SHA256", false, changed);

	if (children(element(g->csr).body, kid) != 3)
		die("not a CSR");
	return message_build(g->p, SEQ(changed, kid[1], bit_string(sig)));
}

static const struct region {
	const char *name;
	struct bytes (*of)(const struct grammar *g);
	struct bytes (*close)(const struct grammar *g, struct bytes changed);
	const int *skip; /* a part that is a region of its own, or NULL */
	int nskip;
	bool csr; /* looked at in a message that carries a CSR alone */
} regions[] = {
	{ "message", whole_of, whole_close, at_content, LEN(at_content), true },
	{ "attributes", attrs_of, attrs_close, NULL, 0, true },
	{ "envelope", envelope_of, envelope_close, NULL, 0, true },
	{ "content", inside_of, inside_close, NULL, 0, false },
	{ "csr", info_of, info_close, NULL, 0, true },
};

/* ---- the walk --------------------------------------------------------------- */

struct walk {
	struct grammar g;
	const struct region *region;
	struct bytes base;
	int port;
	unsigned tried, wrong;
	const char *type;
};

static bool
is_path(const struct path *path, const int *step, int n)
{
	return path->n == n &&
	       memcmp(path->step, step, (size_t)n * sizeof(*step)) == 0;
}

static bool
has_csr(const struct plan *p)
{
	return strcmp(p->type, "19") == 0;
}

static bool
is_skipped(const struct walk *w, const struct path *path)
{
	if (w->region->skip != NULL &&
	    is_path(path, w->region->skip, w->region->nskip))
		return true;
	/* the attributes are a region of their own too, as is the CSR's info */
	if (strcmp(w->region->name, "message") == 0)
		return is_path(path, at_attrs, LEN(at_attrs));
	return strcmp(w->region->name, "content") == 0 && has_csr(w->g.p) &&
	       path->n == 1 && path->step[0] == 0;
}

static void
path_text(const struct path *path, char *to, size_t len)
{
	size_t used = 0;

	snprintf(to, len, ".");
	for (int i = 0; i < path->n && used < len; i++)
		used += (size_t)snprintf(
		    to + used, len - used, "%s%d", i ? "." : "", path->step[i]);
}

/* In a child: the answers to one element, changed in each way. */
static void
ask(const struct walk *w, const struct path *path, int to)
{
	for (size_t i = 0; i < WAYS; i++) {
		struct bytes changed =
		    change(w->base, path->step, path->n, ways[i].make);
		char c = post_letter(
		    w->port, w->region->close(&w->g, changed), w->g.p->ca);

		if (write(to, &c, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/* One element in a process of its own, so that its memory ends with it. */
static void
answers(const struct walk *w, const struct path *path, char got[WAYS])
{
	int ends[2], status = 0;
	size_t n = 0;
	pid_t pid;

	fflush(stdout);
	if (pipe(ends) != 0 || (pid = fork()) < 0)
		die("fork");
	if (pid == 0)
		ask(w, path, ends[1]);
	close(ends[1]);
	while (n < WAYS && read(ends[0], got + n, 1) == 1)
		n++;
	close(ends[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0 || n != WAYS)
		die("who asks for answers died");
}

static void
try_all(struct walk *w, const struct path *path)
{
	char where[MOST_DEEP * 4], got[WAYS];

	path_text(path, where, sizeof(where));
	answers(w, path, got);
	for (size_t i = 0; i < WAYS; i++) {
		char wanted =
		    field_answer(w->type, w->region->name, where, ways[i].name);

		w->tried++;
		w->wrong += got[i] != wanted;
		if (got[i] != wanted)
			printf("%s %s %s (%s) %s: %c, not %c\n", w->type,
			    w->region->name, where,
			    field_name(w->type, w->region->name, where),
			    ways[i].name, got[i], wanted);
	}
}

static void /* NOLINTNEXTLINE(misc-no-recursion): the same tree */
visit(struct walk *w, struct bytes der, struct path *path)
{
	struct element e = element(der);
	struct bytes kid[MOST_KIDS];
	size_t kids;

	if (is_skipped(w, path))
		return;
	try_all(w, path);
	if ((e.tag & 0x20) == 0 || path->n == MOST_DEEP)
		return;
	kids = children(e.body, kid);
	for (size_t i = 0; i < kids; i++) {
		path->step[path->n++] = (int)i;
		visit(w, kid[i], path);
		path->n--;
	}
}

/*
 * content: the CSR or what else the message carries.  Prints a line for each
 * variant that is answered otherwise than it must be, and returns how many.
 */
unsigned
grammar_walk(struct plan *p, const char *type, struct bytes content, int port,
    unsigned *tried)
{
	struct walk w = { .g = { p, content, envelope_build(p, content),
			      NOTHING },
		.port = port,
		.type = type };

	w.g.message = envelope_close(&w.g, w.g.content);
	for (size_t i = 0; i < sizeof(regions) / sizeof(*regions); i++) {
		struct path path = { .n = 0 };

		w.region = &regions[i];
		if (w.region->csr && !has_csr(p))
			continue;
		w.base = w.region->of(&w.g);
		visit(&w, w.base, &path);
	}
	*tried = w.tried;
	return w.wrong;
}
