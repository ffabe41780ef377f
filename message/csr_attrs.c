#include "message/csr.h"

#include "ca/san.h"
#include "ca/text.h"

#define OID(s)                                      \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
#define OID_CHALLENGE "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07"

/* What is collected on the way. */
struct wish {
	struct der challenge; /* tag 0: none */
	size_t challenges;
	struct span san; /* GeneralNames */
	size_t extensions;
	struct csr *csr; /* keeps them for the profile (C-117) */
	const char *rule;
};

/* C-110: a DirectoryString of any kind, one value, once in all. */
static bool
see_challenge(struct span value, struct wish *w)
{
	struct der d;

	if (!der_next(&value, &d) || value.len > 0 || ++w->challenges > 1)
		w->rule = "the challengePassword has not one value";
	else
		w->challenge = d;
	return true;
}

/* Windows asks twice for the same; two different ones are a riddle. */
static bool
see_san(struct span value, struct wish *w)
{
	struct span seq;

	if (w->san.len > 0 && !span_eq(w->san, value))
		w->rule = "two different subjectAltNames";
	else if (!der_one(value, DER_SEQUENCE, &seq))
		w->rule = "the subjectAltName is unreadable";
	else if (seq.len > 0)
		w->san = value;
	return true;
}

static bool see_extensions(struct span value, struct wish *w);

/* Everything else is for the profile, or ignored (C-109, C-117, C-178). */
struct kind {
	struct span oid;
	bool (*see)(struct span value, struct wish *w);
};
static const struct kind extensions[] = {
	{ OID("\x55\x1d\x11"), see_san },
	{ OID(OID_CHALLENGE), see_challenge },
};
static const struct kind attributes[] = {
	{ OID(OID_CHALLENGE), see_challenge },
	{ OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"), see_extensions },
	{ OID("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"), see_extensions },
	{ OID("\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x08"), see_extensions },
};
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static bool
see(const struct kind *kinds, size_t n, struct span oid, struct span value,
    struct wish *w)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq(kinds[i].oid, oid))
			return kinds[i].see(value, w);
	return true;
}

/* Windows asks twice; what is said twice counts once. */
static void
keep(struct csr *csr, const struct extension *ext)
{
	for (size_t i = 0; i < csr->nasked; i++)
		if (span_eq(csr->asked[i].oid, ext->oid) &&
		    span_eq(csr->asked[i].value, ext->value))
			return;
	csr->asked[csr->nasked++] = *ext;
}

static bool
see_extensions(struct span value, struct wish *w)
{
	struct span list, ext, critical;

	if (!der_one(value, DER_SEQUENCE, &list)) {
		w->rule = "the requested extensions have not one value";
		return true;
	}
	while (list.len > 0) {
		struct extension one = { .critical = false };

		if (!der_get(&list, DER_SEQUENCE, &ext) ||
		    !der_get(&ext, DER_OID, &one.oid))
			return false;
		if (der_get(&ext, DER_BOOLEAN, &critical))
			one.critical = critical.len > 0 && critical.p[0] != 0;
		if (!der_one(ext, DER_OCTETS, &one.value))
			return false;
		if (++w->extensions > MAX_EXTENSIONS) {
			w->rule = "too many extensions";
			continue;
		}
		keep(w->csr, &one);
		if (!see(extensions, COUNT(extensions), one.oid, one.value, w))
			return false;
	}
	return true;
}

static bool
collect(struct span in, struct wish *w)
{
	struct span attr, oid, values;
	size_t n = 0;

	while (in.len > 0) {
		if (!der_get(&in, DER_SEQUENCE, &attr) ||
		    !der_get(&attr, DER_OID, &oid) ||
		    !der_one(attr, DER_SET, &values))
			return false;
		if (++n > MAX_ATTRIBUTES)
			w->rule = "too many attributes";
		else if (!see(attributes, COUNT(attributes), oid, values, w))
			return false;
	}
	return true;
}

static size_t
characters(struct span utf8)
{
	size_t n = 0;

	for (size_t i = 0; i < utf8.len; i++)
		n += (utf8.p[i] & 0xc0) != 0x80;
	return n;
}

/* As UTF-8; the empty one is none (C-111). */
static enum err
challenge_take(const struct wish *w, struct csr *csr, const char **rule)
{
	struct buf *out = &csr->challenge;
	enum err e;

	if (w->challenges == 0)
		return OK;
	e = string_utf8(&w->challenge, out);
	if (e == ERR_INPUT) {
		*rule = "the challengePassword is not text";
		e = OK;
	} else if (e == OK && characters(buf_span(out)) > MAX_CHALLENGE) {
		*rule = "the challengePassword is too long";
	} else if (e == OK && out->len > 0 &&
		   memchr(out->data, '\0', out->len) != NULL) {
		*rule = "the challengePassword has a NUL";
	}
	return e;
}

enum err
csr_attributes(struct span in, struct csr *csr, struct csr_check *check)
{
	struct wish w = { .csr = csr };
	enum err e = OK;

	if (!collect(in, &w))
		return ERR_INPUT;
	if (w.rule == NULL)
		e = challenge_take(&w, csr, &w.rule);
	if (w.rule == NULL && w.san.len > 0 && san_check(w.san) != OK)
		w.rule = "the subjectAltName is not acceptable";
	csr->san = w.san;
	check->rule = w.rule;
	return e;
}
