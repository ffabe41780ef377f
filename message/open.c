#include "message/opening.h"

/* The walk: which steps a message takes, and those that only read. */

void
pkimsg_init(struct pkimsg *msg)
{
	*msg = (struct pkimsg){ .type = -1,
		.digest = DIGEST_SHA256,
		.cipher = CIPHER_AES128,
		.transport = TRANSPORT_V15,
		.fail = FAIL_NONE };
	csr_init(&msg->csr);
}

void
pkimsg_release(struct pkimsg *msg)
{
	buf_release(&msg->txid);
	buf_release(&msg->nonce);
	buf_release(&msg->signer_cert);
	buf_release(&msg->content);
	csr_release(&msg->csr);
	pkimsg_init(msg);
}

enum err
opening_refuse(struct opening *o, enum failinfo fail, const char *reason)
{
	o->msg->fail = fail;
	o->msg->reason = reason;
	return OK;
}

static enum err
read_outer(struct opening *o)
{
	const char **why = &o->msg->reason;
	enum err e;

	*why = "larger than any message";
	if (o->in.len > MAX_BODY)
		return ERR_INPUT;
	if ((e = ber_read(o->in, &o->outer, why)) != OK)
		return e;
	*why = "bytes behind the message";
	if (!ber_tail(o->in, o->outer.used))
		return ERR_INPUT;
	return signed_read(o->outer.der, &o->sd, why);
}

static enum err
read_attributes(struct opening *o)
{
	struct pkimsg *msg = o->msg;
	struct attrs *a = &o->attrs;
	struct span in = o->sd.signer.attrs, body;
	enum err e;

	if (!der_one(in, DER_NESTED, &body))
		return ERR_INPUT;
	if ((e = attrs_read(body, a, &msg->reason)) != OK)
		return e;
	msg->type = a->type;
	msg->txid_tag = a->txid.tag;
	return buf_add(&msg->txid, a->txid.body.p, a->txid.body.len) &&
		       buf_add(&msg->nonce, a->nonce.p, a->nonce.len) ?
		   OK :
		   ERR_SYSTEM;
}

/* Its validity, usage and extensions are not looked at (C-76). */
static enum err
read_signer(struct opening *o)
{
	struct pkimsg *msg = o->msg;
	struct cert_view v;

	if (signer_find(&o->sd, &v) != OK)
		return OK; /* refused with the signature */
	if (!buf_add(&msg->signer_cert, v.der.p, v.der.len))
		return ERR_SYSTEM;
	if (cert_view(buf_span(&msg->signer_cert), &v) != OK)
		return ERR_SYSTEM;
	msg->signer_issuer = v.issuer;
	msg->signer_serial = v.serial;
	msg->signer_subject = v.subject;
	msg->signer_spki = v.spki;
	msg->self_signed = v.self_signed;
	return sha256(v.spki, msg->signer_key);
}

/*
 * Before anything is verified, and used for nothing then but to know which
 * of our keys answers; what is wrong with it is told later.
 */
static enum err
read_envelope(struct opening *o)
{
	const struct when when = { o->policy->now, o->policy->grace };
	enum err e;

	e = ber_read(o->sd.content, &o->inner, &o->env_wrong);
	if (e == OK && !ber_tail(o->sd.content, o->inner.used)) {
		o->env_wrong = "bytes behind the envelope";
		return OK;
	}
	if (e == OK)
		e = envelope_read(o->inner.der, &o->env, &o->env_wrong);
	if (e == ERR_INPUT)
		return OK;
	if (e != OK)
		return e;
	envelope_address(&o->env, o->cas, o->ncas, &when, &o->address);
	o->msg->ca = o->address.ca;
	o->msg->gen = o->address.gen;
	o->msg->to = o->address.to;
	o->msg->by = o->address.by;
	return OK;
}

/* Cheap ones first (C-177); each may end the walk with a refusal. */
#define MAX_STEPS 9
struct walk {
	long type;
	enum err (*step[MAX_STEPS + 1])(struct opening *o);
};
static const struct walk outside = { 0,
	{ read_outer, read_attributes, read_signer, read_envelope, check_digest,
	    check_key, check_message_digest, check_signature_of, check_type } };

/* Then, by message type; what is not listed is the caller's to refuse. */
static const struct walk inside[] = {
	{ MSG_PKCSREQ, { check_envelope, check_signer, open_csr } },
	{ MSG_RENEWALREQ, { check_envelope, check_signer, open_csr } },
	{ MSG_CERTPOLL, { check_envelope, check_reply, check_known } },
	{ MSG_GETCERT,
	    { check_envelope, check_reply, check_known, open_wanted } },
	{ MSG_GETCRL,
	    { check_envelope, check_reply, check_known, open_wanted } },
};

static enum err
run(struct opening *o, const struct walk *walk)
{
	enum err e = OK;

	for (size_t i = 0;
	     walk->step[i] != NULL && e == OK && o->msg->fail == FAIL_NONE; i++)
		e = walk->step[i](o);
	return e;
}

enum err
message_open(const struct ca *const *cas, size_t ncas,
    const struct message_policy *policy, struct span der, struct pkimsg *msg)
{
	struct opening o = { .cas = cas,
		.ncas = ncas,
		.policy = policy,
		.in = der,
		.msg = msg,
		.secret = BUF_SECRET };
	enum err e;

	pkimsg_init(msg);
	e = run(&o, &outside);
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		if (e == OK && msg->type == inside[i].type)
			e = run(&o, &inside[i]);
	ber_release(&o.outer);
	ber_release(&o.inner);
	buf_release(&o.secret);
	return e;
}
