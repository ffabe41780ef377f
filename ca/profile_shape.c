#include "ca/profile.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "ca/attr.h"
#include "ca/der.h"
#include "ca/pubkey.h"
#include "ca/urls.h"

void
shape_init(struct shape *s)
{
	*s = (struct shape){ .usage = 0 };
}

void
shape_release(struct shape *s)
{
	for (size_t i = 0; i < s->ntext; i++)
		buf_release(&s->text[i]);
	shape_init(s);
}

/*
 * C-186: never longer than the CA's, never before it began; under one that is
 * ahead the validity counts from its beginning (C-129).  Who said yes may have
 * wanted less than the profile gives, never more.
 */
static const char *
shape_times(const struct profile *p, const struct generation *gen,
    const struct leaf *leaf, int64_t now, struct shape *out)
{
	int64_t begin = now > gen->not_before ? now : gen->not_before;
	int64_t end = p->validity > 0 ? begin + p->validity : p->until;

	if (end <= begin)
		return "the profile's validity has ended";
	if (leaf->validity > 0 && leaf->validity < end - begin)
		end = begin + leaf->validity;
	out->not_before = now - p->backdate;
	if (out->not_before < gen->not_before)
		out->not_before = gen->not_before;
	out->not_after = end < gen->not_after ? end : gen->not_after;
	return NULL;
}

/*
 * The one requested extension of a type, NULL if there is none.  Two that
 * differ are a riddle that we do not solve (C-178).
 */
static const char *
find_asked(
    const struct leaf *leaf, struct span oid, const struct extension **found)
{
	*found = NULL;
	for (size_t i = 0; i < leaf->nasked; i++) {
		if (!span_eq(leaf->asked[i].oid, oid))
			continue;
		if (*found != NULL)
			return "an extension is requested twice, differently";
		*found = &leaf->asked[i];
	}
	return NULL;
}

/* KU_* bits of a keyUsage's value; false: it is none. */
static bool
usage_bits(struct span value, unsigned *usage)
{
	struct span bits;

	if (!der_one(value, DER_BITS, &bits) || bits.len < 2 || bits.len > 3 ||
	    bits.p[0] > 7)
		return false;
	*usage = bits.p[1];
	if (bits.len == 3)
		*usage |= (unsigned)bits.p[2] << 8;
	return true;
}

/* A request can narrow what the profile gives, never widen it (C-117). */
static const char *
shape_usage(const struct profile *p, const struct leaf *leaf, struct shape *out)
{
	const struct extension *asked = NULL;
	enum key_type type = KEY_RSA;
	unsigned bits = 0, wish = 0;
	const char *why;

	if (pubkey_look(leaf->spki, &type, &bits) != OK)
		return "the key is malformed";
	out->usage = type == KEY_RSA ? p->usage_rsa : p->usage_ec;
	if (type == KEY_EDDSA) /* RFC 8410 5 */
		out->usage &= ~(unsigned)KU_KEY_AGREEMENT;
	if (out->usage == 0)
		return "the profile has no key usage for this type of key";
	if (!p->copy_usage)
		return NULL;
	if ((why = find_asked(leaf, OID_KEY_USAGE, &asked)) != NULL ||
	    asked == NULL)
		return why;
	if (!usage_bits(asked->value, &wish))
		return "the requested keyUsage is unreadable";
	out->usage &= wish;
	out->usage_asked = true;
	return out->usage != 0 ? NULL :
				 "no requested key usage is the profile's";
}

/* Is the OID, given in dots, in a SEQUENCE OF OBJECT IDENTIFIER? */
static bool
has_oid(struct span list, const char *dotted)
{
	uint8_t oid[MAX_OID];
	size_t len = 0;
	struct span one;

	if (!oid_read(dotted, oid, &len))
		return false;
	while (der_get(&list, DER_OID, &one))
		if (span_eq(one, span_of(oid, len)))
			return true;
	return false;
}

static const char *
shape_eku(const struct profile *p, const struct leaf *leaf, struct shape *out)
{
	const struct extension *asked = NULL;
	struct span list = { NULL, 0 };
	const char *why = NULL;
	size_t n = 0;

	if (p->copy_eku)
		why = find_asked(leaf, OID_EKU, &asked);
	if (why != NULL)
		return why;
	if (asked != NULL && !der_one(asked->value, DER_SEQUENCE, &list))
		return "the requested extKeyUsage is unreadable";
	for (size_t i = 0; p->eku[i] != NULL; i++)
		if (asked == NULL || has_oid(list, p->eku[i]))
			out->eku[n++] = p->eku[i];
	out->eku[n] = NULL;
	out->eku_asked = asked != NULL;
	if (asked != NULL && n == 0)
		return "no requested extended key usage is the profile's";
	return NULL;
}

/* A domain's "S-1-5-21-..." inside Microsoft's otherName, and nothing else. */
static bool
good_sid(struct span value)
{
	const struct span type =
	    DER_BYTES("\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01");
	struct span list, name, oid, inner, sid;

	if (!der_one(value, DER_SEQUENCE, &list) ||
	    !der_one(list, DER_NESTED, &name) ||
	    !der_get(&name, DER_OID, &oid) || !span_eq(oid, type) ||
	    !der_one(name, DER_NESTED, &inner) ||
	    !der_one(inner, DER_OCTETS, &sid) || sid.len < 5 ||
	    memcmp(sid.p, "S-1-", 4) != 0)
		return false;
	for (size_t i = 4; i < sid.len; i++)
		if ((sid.p[i] < '0' || sid.p[i] > '9') && sid.p[i] != '-')
			return false;
	return true;
}

/* What the profile copies, and the request asks for; never critical. */
static const char *
shape_copies(
    const struct profile *p, const struct leaf *leaf, struct shape *out)
{
	for (size_t i = 0; p->copy[i] != NULL; i++) {
		const struct extension *asked = NULL;
		uint8_t oid[MAX_OID];
		size_t len = 0;
		const char *why;

		if (!oid_read(p->copy[i], oid, &len))
			continue;
		why = find_asked(leaf, span_of(oid, len), &asked);
		if (why == NULL && asked != NULL)
			why = extension_bad_value(asked);
		if (why != NULL)
			return why;
		if (asked == NULL)
			continue;
		if (span_eq(asked->oid, OID_SID) && !good_sid(asked->value))
			return "the requested SID is malformed";
		out->copied[out->ncopied] = *asked;
		out->copied[out->ncopied++].critical = false;
	}
	return NULL;
}

static enum err
shape_urls(const struct profile *p, const struct generation *gen,
    const struct leaf *leaf, struct shape *out)
{
	const struct url_place at = { leaf->baseurl, leaf->ca, gen->n };

	for (size_t kind = 0; kind < URL__MAX; kind++) {
		size_t n = 0;

		for (size_t i = 0; p->url[kind][i] != NULL; i++) {
			struct buf *text = &out->text[out->ntext++];
			bool known = false;

			*text = (struct buf)BUF_INIT;
			if (!url_fill(p->url[kind][i], &at, text, &known))
				return ERR_SYSTEM;
			if (known)
				out->url[kind][n++] = buf_cstr(text);
		}
		out->url[kind][n] = NULL;
	}
	return OK;
}

enum err
profile_shape(const struct profile *p, const struct generation *gen,
    const struct leaf *leaf, int64_t now, struct shape *out, const char **why)
{
	shape_init(out);
	if ((*why = shape_times(p, gen, leaf, now, out)) != NULL ||
	    (*why = shape_usage(p, leaf, out)) != NULL ||
	    (*why = shape_eku(p, leaf, out)) != NULL ||
	    (*why = shape_copies(p, leaf, out)) != NULL)
		return ERR_REFUSED;
	return shape_urls(p, gen, leaf, out);
}
