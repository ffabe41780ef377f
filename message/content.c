#include "message/opening.h"

#include "ca/dn.h"
#include "ca/pubkey.h"

/* What stands behind the envelope. */

/*
 * The one text for all of it (C-161, C-168): badRequest, or badMessageCheck
 * for a renewal, as both its signatures are proofs then.  Under a password it is badAlg,
 * whatever was wrong, as it is for those who have none: so nobody learns
 * whose secret is recoverable.
 */
static const char content_wrong[] = "the envelope's content is not good";
static const char password_wrong[] =
    "no recoverable secret of the signer's name opens the envelope";

static enum err
refuse_content(struct opening *o, const char *reason)
{
	if (!o->password)
		return opening_refuse(o,
		    o->msg->renews ? FAIL_BADMESSAGECHECK : FAIL_BADREQUEST,
		    reason);
	/* not even by the key that signs the refusal */
	o->msg->ca = NULL;
	o->msg->gen = o->msg->to = o->msg->by = NULL;
	return opening_refuse(o, FAIL_BADALG, password_wrong);
}

/*
 * What came out of the cipher, whatever the key block and the padding were:
 * it is looked at whole, and only then padded and len count (C-168).
 */
struct plain {
	struct buf bytes;
	unsigned padded; /* all ones: the padding is right */
	size_t len;	 /* bytes without the padding */
};

static enum err
unwrap(struct opening *o, struct plain *plain)
{
	struct pkimsg *msg = o->msg;
	struct unwrap how = { .cipher = msg->cipher,
		.transport = msg->transport };
	enum err e;

	*plain = (struct plain){ .bytes = BUF_SECRET };
	if (o->password) {
		how.pwri = &o->pwri;
		how.secret = buf_span(&o->secret);
		msg->ca = o->who.ca;
		msg->gen = msg->to = o->who.gen;
		/* the signer of every other answer of this CA */
		msg->by =
		    o->who.ca ? ca_signer(o->who.ca, o->policy->now) : NULL;
	} else {
		how.key = msg->to->key;
		how.block = o->address.recipient->block;
	}
	e = envelope_unwrap(
	    &o->env, &how, &plain->bytes, &plain->padded, &plain->len);
	return e == ERR_INPUT ? refuse_content(o, content_wrong) : e;
}

/* What a request was found to be, bit by bit. */
struct finding {
	unsigned shape;	   /* padding, request, nothing behind it */
	unsigned same;	   /* its key is the signer's, where it must be */
	unsigned named;	   /* its names are the signer's, where they must be */
	unsigned verified; /* its signature is good */
};

/*
 * The answer is the same for all; our own log may say what an administrator
 * can mend.
 */
static const char *
reason_of(
    const struct finding *f, const struct csr_check *check, struct span spki)
{
	enum key_type type;
	unsigned bits;

	if (f->shape == 0)
		return content_wrong;
	if (f->same == 0)
		return "the signer's key is not the CSR's";
	if (f->named == 0)
		return "the CSR's subject is not the signer's; `renewalignore` "
		       "names what need not be";
	if (!check->supported || pubkey_look(spki, &type, &bits) != OK)
		return "the CSR's key or its signature algorithm is not "
		       "supported";
	return content_wrong;
}

/* Who signed the message, for csr_verify(). */
static struct csr_signer
signer_of(const struct opening *o)
{
	struct csr_signer by = { .spki = o->msg->signer_spki,
		.same = o->policy->samekey && !o->msg->renews };

	(void)scheme_read(&o->sd.signer.signature, &by.how); /* it was read */
	by.how.digest = o->msg->digest;
	return by;
}

/* May a renewal ask for this name?  Whatever was read, it is compared. */
static enum err
named(const struct opening *o, bool readable, unsigned *good)
{
	const struct pkimsg *msg = o->msg;
	struct span name = readable ? msg->csr.subject : msg->signer_subject;
	bool within = true;
	enum err e = OK;

	if (msg->renews)
		e = dn_within(name, msg->signer_subject, o->policy->ignore,
		    o->policy->nignore, &within);
	*good = (unsigned)within;
	return e;
}

/*
 * Whatever came out of the cipher is parsed, one signature is checked, and
 * only then the verdict is looked at, as a whole.
 */
enum err
open_csr(struct opening *o)
{
	struct pkimsg *msg = o->msg;
	struct csr_signer by = signer_of(o);
	struct plain plain;
	struct csr_check check;
	struct finding f;
	const char *why;
	bool verified = false;
	enum err e, scanned;

	if ((e = unwrap(o, &plain)) != OK || msg->fail != FAIL_NONE)
		goto out;
	scanned = csr_scan(buf_span(&plain.bytes), &msg->csr, &check, &why);
	if ((e = scanned) != OK && e != ERR_INPUT)
		goto out;
	e = csr_verify(&msg->csr, &check, scanned == OK, &by, &verified);
	if (e == OK)
		e = named(o, scanned == OK, &f.named);
	if (e != OK)
		goto out;
	f.shape = plain.padded & 1U & (unsigned)(scanned == OK) &
		  (unsigned)(check.used == plain.len);
	f.same = (unsigned)(!by.same | pubkey_same(msg->csr.spki, by.spki));
	f.verified = (unsigned)verified & (unsigned)(msg->gen != NULL);
	if ((f.shape & f.same & f.named & f.verified) == 0) {
		why = reason_of(&f, &check, msg->csr.spki);
		csr_release(&msg->csr);
		e = refuse_content(o, why);
	} else {
		e = check_csr(o, &check);
	}
out:
	buf_release(&plain.bytes);
	return e;
}

#define MAX_WANTED 21 /* bytes of a serial: 20, and a leading zero */

/* IssuerAndSerialNumber (RFC 8894 3.3.4, RFC 5652 10.2.4). */
static bool
wanted_read(struct span der, struct pkimsg *msg)
{
	struct span seq;
	struct der issuer;
	const char *why;

	if (!der_one(der, DER_SEQUENCE, &seq) || !der_next(&seq, &issuer) ||
	    issuer.tag != DER_SEQUENCE || issuer.body.len == 0 ||
	    !der_one(seq, DER_INTEGER, &msg->wanted_serial))
		return false;
	msg->wanted_issuer = issuer.whole;
	return msg->wanted_serial.len > 0 &&
	       msg->wanted_serial.len <= MAX_WANTED &&
	       dn_check(msg->wanted_issuer, &why) == OK;
}

/*
 * A question that cannot be read becomes one for nothing, so that it gets
 * the answer of what is not there, badCertId, by the same way: anybody may
 * sign a captured envelope again as a GetCert, and must not learn from the
 * answer what came out of it (C-168).
 */
enum err
open_wanted(struct opening *o)
{
	struct pkimsg *msg = o->msg;
	struct ber ber = { .used = 0 };
	struct plain plain;
	const char *why;
	bool readable;
	enum err e;

	if ((e = unwrap(o, &plain)) != OK || msg->fail != FAIL_NONE)
		goto out;
	e = ber_read(buf_span(&plain.bytes), &ber, &why);
	if (e != OK && e != ERR_INPUT)
		goto out;
	readable = e == OK;
	e = ERR_SYSTEM;
	if (!buf_add(&msg->content, ber.der.p, ber.der.len))
		goto out;
	readable = readable & wanted_read(buf_span(&msg->content), msg);
	e = OK;
	if (!readable || ber.used != plain.len || plain.padded == 0) {
		msg->wanted_issuer = DER_BYTES("\x30\x00");
		msg->wanted_serial = DER_BYTES("\x00");
	}
out:
	ber_release(&ber);
	buf_release(&plain.bytes);
	return e;
}
