#include "message/message.h"

#include <openssl/evp.h>

#include "base/log.h"
#include "ca/pubkey.h"
#include "message/attrs.h"
#include "message/ber.h"
#include "message/csr.h"
#include "message/envelope.h"
#include "message/signed.h"

/* One message on its way through the steps below. */
struct opening {
	const struct ca *const *cas;
	size_t ncas;
	const struct message_policy *policy;
	struct span in;
	struct pkimsg *msg;
	struct ber outer; /* the message */
	struct ber inner; /* eContent, where the envelope is */
	struct signed_data sd;
	struct attrs attrs;
	struct envelope env;
	const char *env_wrong; /* why it cannot be read; NULL: it can */
	struct address address;
};

/* The one text for all that lies behind the envelope (C-161, C-168). */
static const char content_wrong[] = "the envelope's content is not good";

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

/* A refusal is a value: the caller goes on with OK. */
static enum err
refuse(struct opening *o, enum failinfo fail, const char *reason)
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
	envelope_address(&o->env, o->cas, o->ncas, &o->address);
	o->msg->ca = o->address.ca;
	o->msg->gen = o->address.gen;
	o->msg->to = o->address.gen;
	o->msg->by = o->address.gen;
	return OK;
}

/* C-100 to C-102, C-160 */
static enum err
check_digest(struct opening *o)
{
	const struct signer *s = &o->sd.signer;
	const struct sigalg *alg = sigalg_find(s->signature.oid);
	enum digest d;

	if (!digest_find(s->digest.oid, &d) || !alg_plain(&s->digest))
		return refuse(o, FAIL_BADALG, "digest is not supported");
	o->msg->digest = d;
	if (d == DIGEST_MD5)
		return refuse(o, FAIL_BADALG, "message is signed with MD5");
	if (d == DIGEST_SHA1 && !o->policy->sha1)
		return refuse(o, FAIL_BADALG, "message is signed with SHA-1");
	if (alg == NULL || alg->key != KEY_RSA || !alg_plain(&s->signature))
		return refuse(
		    o, FAIL_BADALG, "signature algorithm is not supported");
	if (alg->digest != DIGEST__MAX && alg->digest != d)
		return refuse(o, FAIL_BADALG,
		    "digest and signature algorithm disagree"); /* C-50 */
	return OK;
}

/* C-80, C-177: before OpenSSL computes with it. */
static enum err
check_key(struct opening *o)
{
	enum key_type type;
	unsigned bits;
	enum err e;

	if (o->msg->signer_spki.len == 0)
		return refuse(o, FAIL_BADMESSAGECHECK,
		    "the signer's certificate is not in the message");
	e = pubkey_look(o->msg->signer_spki, &type, &bits);
	if (e == ERR_INPUT)
		return refuse(
		    o, FAIL_BADMESSAGECHECK, "the signer's key is unreadable");
	if (e != OK || type != KEY_RSA)
		return refuse(
		    o, FAIL_BADALG, "the signer's key is not supported");
	if (bits < MIN_SIGNER_RSA)
		return refuse(
		    o, FAIL_BADREQUEST, "the signer's key is too small");
	return OK;
}

/* C-47, C-159 */
static enum err
check_message_digest(struct opening *o)
{
	const EVP_MD *md = digest_md(o->msg->digest);
	static const uint8_t no_bytes[1];
	struct span content = o->sd.content;
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!span_eq(o->attrs.content_type, oid_data) ||
	    !span_eq(o->sd.type, oid_data))
		return refuse(
		    o, FAIL_BADMESSAGECHECK, "contentType is not id-data");
	if (md == NULL || EVP_Digest(content.len > 0 ? content.p : no_bytes,
			      content.len, hash, &n, md, NULL) != 1) {
		log_openssl("%s of a message", digest_name(o->msg->digest));
		return ERR_CRYPTO;
	}
	if (!span_eq(o->attrs.digest, span_of(hash, n)))
		return refuse(o, FAIL_BADMESSAGECHECK,
		    "messageDigest is not the content's");
	return OK;
}

static enum err
check_signer(struct opening *o)
{
	bool good = false;
	enum err e;

	e = signer_verify(
	    &o->sd.signer, o->msg->signer_spki, o->msg->digest, &good);
	if (e == ERR_INPUT || e == ERR_REFUSED)
		good = false;
	else if (e != OK)
		return e;
	return good ? OK :
		      refuse(o, FAIL_BADMESSAGECHECK,
			  "the message's signature is wrong");
}

/* C-55, C-162; types that are not PKCSReq are the caller's to answer. */
static enum err
check_type(struct opening *o)
{
	if (o->msg->type < 0)
		return refuse(
		    o, FAIL_BADREQUEST, "no messageType that can be read");
	if (o->attrs.unclean)
		return refuse(
		    o, FAIL_BADREQUEST, "a signed attribute stands twice");
	if (o->msg->type == MSG_CERTREP)
		return refuse(o, FAIL_BADREQUEST, "a CertRep is no request");
	return OK;
}

/* C-83 to C-86, C-98 */
static enum err
check_envelope(struct opening *o)
{
	const struct cipher_kind *kind = cipher_find(o->env.cipher.oid);
	const struct address *to = &o->address;

	if (o->env_wrong != NULL)
		return refuse(o, FAIL_BADREQUEST, o->env_wrong);
	if (kind == NULL)
		return refuse(
		    o, FAIL_BADALG, "content cipher is not supported");
	if (kind->weak != NULL)
		return refuse(o, FAIL_BADALG, kind->weak);
	if (kind->id == CIPHER_DES3 && !o->policy->des3)
		return refuse(
		    o, FAIL_BADALG, "content is encrypted with triple DES");
	if (to->times == 0 && o->env.password)
		return refuse(
		    o, FAIL_BADALG, "password recipients are not supported");
	if (to->times == 0)
		return refuse(o, FAIL_BADREQUEST,
		    "the envelope is for no CA of this alias");
	if (to->times > 1)
		return refuse(
		    o, FAIL_BADREQUEST, "two recipients are ours"); /* C-168 */
	if (!transport_read(&to->recipient->transport, &o->msg->transport))
		return refuse(o, FAIL_BADALG, "key transport not supported");
	o->msg->cipher = kind->id;
	o->msg->enveloped = true;
	return OK;
}

/* The same key, however its parameters were written (C-74). */
static bool
same_key(struct span a, struct span b)
{
	struct span na, nb;

	return span_eq(a, b) ||
	       (pubkey_modulus(a, &na) == OK && pubkey_modulus(b, &nb) == OK &&
		   span_eq(na, nb));
}

/* Rules for a request whose signature was good: nothing secret is told. */
static enum err
judge_csr(struct opening *o, const struct csr_check *check)
{
	enum digest d = check->alg->digest;

	if (d == DIGEST_MD5)
		return refuse(o, FAIL_BADALG, "the CSR is signed with MD5");
	if (d == DIGEST_SHA1 && !o->policy->sha1)
		return refuse(o, FAIL_BADALG, "the CSR is signed with SHA-1");
	if (check->rule != NULL)
		return refuse(o, FAIL_BADREQUEST, check->rule);
	if (o->policy->samekey &&
	    !same_key(o->msg->csr.spki, o->msg->signer_spki))
		return refuse(
		    o, FAIL_BADREQUEST, "the signer's key is not the CSR's");
	return OK;
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
	struct unwrap how = { o->msg->to->key, o->msg->transport,
		o->msg->cipher, o->address.recipient->block };
	enum err e;

	*plain = (struct plain){ .bytes = BUF_SECRET };
	e = envelope_unwrap(
	    &o->env, &how, &plain->bytes, &plain->padded, &plain->len);
	return e == ERR_INPUT ? refuse(o, FAIL_BADREQUEST, content_wrong) : e;
}

/*
 * Uniform (DESIGN 5, C-168): whatever came out of the cipher is parsed, one
 * signature is checked, and only then the verdict is looked at, as a whole.
 */
static enum err
open_csr(struct opening *o)
{
	struct pkimsg *msg = o->msg;
	struct plain plain;
	struct csr_check check;
	const char *why;
	bool verified = false;
	unsigned fine;
	enum err e, scanned;

	if ((e = unwrap(o, &plain)) != OK || msg->fail != FAIL_NONE)
		goto out;
	scanned = csr_scan(buf_span(&plain.bytes), &msg->csr, &check, &why);
	if ((e = scanned) != OK && e != ERR_INPUT)
		goto out;
	e = csr_verify(&msg->csr, &check, scanned == OK, &verified);
	if (e != OK)
		goto out;
	fine = plain.padded & 1U & (unsigned)(scanned == OK) &
	       (unsigned)(check.used == plain.len) & (unsigned)verified;
	if (fine == 0) {
		csr_release(&msg->csr);
		e = refuse(o, FAIL_BADREQUEST, content_wrong);
	} else {
		e = judge_csr(o, &check);
	}
out:
	buf_release(&plain.bytes);
	return e;
}

/* IssuerAndSerialNumber (RFC 8894 3.3.4, RFC 5652 10.2.4). */
static bool
wanted_read(struct span der, struct pkimsg *msg)
{
	struct span seq;
	struct der issuer;

	if (!der_one(der, DER_SEQUENCE, &seq) || !der_next(&seq, &issuer) ||
	    issuer.tag != DER_SEQUENCE ||
	    !der_one(seq, DER_INTEGER, &msg->wanted_serial))
		return false;
	msg->wanted_issuer = issuer.whole;
	return msg->wanted_serial.len > 0;
}

/* As uniform as open_csr(): read first, judged afterwards. */
static enum err
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
	if (!readable || ber.used != plain.len || plain.padded == 0)
		e = refuse(o, FAIL_BADREQUEST, content_wrong);
out:
	ber_release(&ber);
	buf_release(&plain.bytes);
	return e;
}

/* Cheap ones first (C-177); each may end the walk with a refusal. */
#define MAX_STEPS 9
struct walk {
	long type;
	enum err (*step[MAX_STEPS + 1])(struct opening *o);
};
static const struct walk outside = { 0,
	{ read_outer, read_attributes, read_signer, read_envelope, check_digest,
	    check_key, check_message_digest, check_signer, check_type } };

/* Then, by message type; what is not listed is the caller's to refuse. */
static const struct walk inside[] = {
	{ MSG_PKCSREQ, { check_envelope, open_csr } },
	{ MSG_CERTPOLL, { check_envelope } },
	{ MSG_GETCERT, { check_envelope, open_wanted } },
	{ MSG_GETCRL, { check_envelope, open_wanted } },
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
		.msg = msg };
	enum err e;

	pkimsg_init(msg);
	e = run(&o, &outside);
	for (size_t i = 0; i < sizeof(inside) / sizeof(*inside); i++)
		if (e == OK && msg->type == inside[i].type)
			e = run(&o, &inside[i]);
	ber_release(&o.outer);
	ber_release(&o.inner);
	return e;
}
