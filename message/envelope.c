#include "message/envelope.h"

#include "message/signed.h"

/* A number of one byte; versions are 0, 2 and 3 (C-81). */
static bool
version_read(struct span *in)
{
	struct span v;

	return der_get(in, DER_INTEGER, &v) && v.len == 1 && v.p[0] <= 4;
}

/* KeyTransRecipientInfo, RFC 5652 6.2.1 */
static bool
recipient_read(struct span in, struct recipient *r)
{
	struct span seq;
	struct der name;

	*r = (struct recipient){ .issuer = { NULL, 0 } };
	if (!version_read(&in))
		return false;
	if (!der_get(&in, DER_CONTEXT, &r->ski)) {
		if (!der_get(&in, DER_SEQUENCE, &seq) ||
		    !der_next(&seq, &name) || name.tag != DER_SEQUENCE ||
		    !der_one(seq, DER_INTEGER, &r->serial) ||
		    r->serial.len == 0)
			return false;
		r->issuer = name.whole;
	} else if (r->ski.len == 0) {
		return false;
	}
	return alg_read(&in, &r->transport) &&
	       der_one(in, DER_OCTETS, &r->block);
}

static const char *
recipients_read(struct span in, struct envelope *env)
{
	size_t n = 0;
	struct der d;

	while (in.len > 0) {
		if (++n > MAX_RECIPIENTS)
			return "too many recipients";
		if (!der_next(&in, &d))
			return "a recipient is unreadable";
		if (d.tag == DER_NESTED + 3 && env->passwords++ == 0)
			env->password = d.body;
		if (d.tag == DER_SEQUENCE &&
		    !recipient_read(d.body, &env->recipient[env->n++]))
			return "a recipient is unreadable";
	}
	return n == 0 ? "no recipient" : NULL;
}

/* The contentType is not looked at: some write id-encryptedData (C-81). */
static bool
encrypted_read(struct span in, struct envelope *env)
{
	struct span type;

	if (!der_get(&in, DER_OID, &type) || !alg_read(&in, &env->cipher))
		return false;
	if (in.len == 0)
		return true;
	return der_next(&in, &env->content) && in.len == 0 &&
	       (env->content.tag == DER_CONTEXT ||
		   env->content.tag == DER_NESTED);
}

enum err
envelope_read(struct span der, struct envelope *out, const char **why)
{
	struct span seq, oid, in, skip, recipients, encrypted;

	*out = (struct envelope){ .n = 0 };
	*why = "the content is not enveloped"; /* cleartext too (C-98) */
	if (!der_one(der, DER_SEQUENCE, &seq) ||
	    !der_get(&seq, DER_OID, &oid) || !span_eq(oid, oid_enveloped))
		return ERR_INPUT;
	*why = "the EnvelopedData is unreadable";
	if (!der_one(seq, DER_NESTED, &in) || !der_one(in, DER_SEQUENCE, &in) ||
	    !version_read(&in))
		return ERR_INPUT;
	(void)der_get(&in, DER_NESTED, &skip); /* originatorInfo */
	if (!der_get(&in, DER_SET, &recipients) ||
	    !der_get(&in, DER_SEQUENCE, &encrypted) ||
	    !encrypted_read(encrypted, out))
		return ERR_INPUT;
	(void)der_get(&in, DER_NESTED + 1, &skip); /* unprotectedAttrs */
	if (in.len > 0)
		return ERR_INPUT;
	*why = recipients_read(recipients, out);
	return *why == NULL ? OK : ERR_INPUT;
}

static bool
is_ours(const struct recipient *r, const struct generation *gen)
{
	if (r->ski.len > 0)
		return span_eq(r->ski, gen->ski);
	return span_eq(r->serial, gen->serial) &&
	       issuer_eq(r->issuer, gen->issuer);
}

/* One recipient of ours more; the first is kept. */
static void
found(struct address *out, const struct address *one)
{
	size_t times = out->times;

	if (times == 0)
		*out = *one;
	out->times = times + 1;
}

/*
 * To the CA itself, if its key is here; of certificates with one key by any; a key that cannot
 * sign for RSA clients has its RA do it.  Behind its end another issues, but
 * the client is answered by the key that it used (C-130).
 */
static bool
look_at_ca(const struct ca *ca, const struct recipient *r,
    const struct when *when, struct address *out)
{
	for (size_t g = ca->ngen; g > 0; g--) {
		const struct generation *gen = &ca->gen[g - 1];
		struct address one = { ca, ca_issuer(ca, gen->n, when->now),
			gen, gen, r, 0 };

		if (!is_ours(r, gen) || key_elsewhere(gen->key) ||
		    !ca_serves(ca, gen->n, when->now, when->grace))
			continue;
		if (one.gen == NULL)
			one.gen = gen; /* none has begun */
		if (key_type(gen->key) != KEY_RSA)
			one.by = ca_signer(ca, when->now);
		found(out, &one);
		return true;
	}
	return false;
}

static void
look_in(const struct ca *ca, const struct recipient *r, const struct when *when,
    struct address *out)
{
	if (look_at_ca(ca, r, when, out))
		return;
	for (size_t i = 0; i < ca->nra; i++) {
		const struct ra *ra = &ca->ra[i];
		struct address one = { ca, ca_ra_issuer(ca, ra, when->now),
			&ra->enc, ra_signer(ra), r, 0 };

		if (!is_ours(r, &ra->enc) ||
		    !ca_ra_serves(ca, ra, when->now, when->grace) ||
		    one.gen == NULL)
			continue;
		found(out, &one);
		return;
	}
}

void
envelope_address(const struct envelope *env, const struct ca *const *cas,
    size_t ncas, const struct when *when, struct address *out)
{
	*out = (struct address){ .times = 0 };
	for (size_t i = 0; i < env->n; i++) {
		size_t times = out->times;

		/* one certificate may stand in two CAs: it counts once */
		for (size_t c = 0; c < ncas && out->times == times; c++)
			look_in(cas[c], &env->recipient[i], when, out);
	}
}
