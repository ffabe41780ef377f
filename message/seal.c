#include "message/message.h"

#include "base/log.h"
#include "ca/pubkey.h"
#include "message/envelope.h"
#include "message/sealing.h"
#include "message/set.h"

static bool
put_version(struct buf *out)
{
	return der_put(out, DER_INTEGER, DER_BYTES("\x01"));
}

/* AlgorithmIdentifier; with NULL for digests and RSA. */
static bool
put_alg(struct buf *out, struct span oid, bool null)
{
	struct buf body = BUF_INIT;
	bool good = der_put(&body, DER_OID, oid) &&
		    (!null || der_put(&body, DER_NULL, span_of(NULL, 0))) &&
		    der_put(out, DER_SEQUENCE, buf_span(&body));

	buf_release(&body);
	return good;
}

/* ContentInfo around the body of a SignedData, which is used up. */
static bool
put_signed(struct buf *out, struct buf *body)
{
	struct buf info = BUF_INIT;
	bool good;

	good = der_wrap(body, DER_SEQUENCE) && der_wrap(body, DER_NESTED) &&
	       der_put(&info, DER_OID, oid_signed) &&
	       buf_add(&info, body->data, body->len) &&
	       der_put(out, DER_SEQUENCE, buf_span(&info));
	buf_release(&info);
	return good;
}

/* encapContentInfo; eContent is left out where there is nothing (C-90). */
static bool
put_encap(struct buf *out, struct span content)
{
	struct buf body = BUF_INIT, octets = BUF_INIT;
	bool good = der_put(&body, DER_OID, oid_data);

	if (content.len > 0)
		good = good && der_put(&octets, DER_OCTETS, content) &&
		       der_put(&body, DER_NESTED, buf_span(&octets));
	good = good && der_put(out, DER_SEQUENCE, buf_span(&body));
	buf_release(&body);
	buf_release(&octets);
	return good;
}

/* In the order given, not as DER would sort a SET OF (C-150). */
static bool
add_certs(struct buf *list, const struct span *certs, size_t n)
{
	bool good = true;

	for (size_t i = 0; good && i < n; i++)
		good = buf_add(list, certs[i].p, certs[i].len);
	return good;
}

/* Without content and signers; tag says what list holds (RFC 5652 5.1). */
static enum err
put_degenerate(uint8_t tag, struct span list, struct buf *out)
{
	struct buf body = BUF_INIT;
	const struct span none = { NULL, 0 };
	bool good;

	good = put_version(&body) && der_put(&body, DER_SET, none) &&
	       put_encap(&body, none) && der_put(&body, tag, list) &&
	       der_put(&body, DER_SET, none) && put_signed(out, &body);
	buf_release(&body);
	return good ? OK : ERR_SYSTEM;
}

enum err
message_certs_only(const struct span *certs, size_t n, struct buf *out)
{
	struct buf list = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (add_certs(&list, certs, n))
		e = put_degenerate(DER_NESTED, buf_span(&list), out);
	buf_release(&list);
	return e;
}

/* certs-only, or the CRL, for the signer alone, by what its request used (C-78, C-87). */
static enum err
make_content(struct sealing *s)
{
	const struct pkimsg *msg = s->msg;
	const struct certrep *rep = s->rep;
	struct wrap how = { .issuer = msg->signer_issuer,
		.serial = msg->signer_serial,
		.spki = msg->signer_spki,
		.transport = msg->transport,
		.cipher = msg->cipher };
	struct buf certs = BUF_INIT;
	enum err e;

	if (rep->status != PKI_SUCCESS)
		return OK;
	if (msg->signer_type != KEY_RSA) /* C-92 */
		how.secret = buf_span(&msg->csr.challenge);
	if (rep->crl.len > 0)
		e = put_degenerate(DER_NESTED + 1, rep->crl, &certs);
	else
		e = message_certs_only(rep->certs, rep->ncerts, &certs);
	if (e == OK)
		e = envelope_wrap(&how, buf_span(&certs), &s->content);
	buf_release(&certs);
	return e;
}

bool
sealing_attr(struct buf *out, enum attr type, int tag, struct span value)
{
	struct buf body = BUF_INIT, set = BUF_INIT;
	bool good = der_put(&set, (uint8_t)tag, value) &&
		    der_put(&body, DER_OID, attr_oid(type)) &&
		    der_put(&body, DER_SET, buf_span(&set)) &&
		    der_put(out, DER_SEQUENCE, buf_span(&body));

	buf_release(&body);
	buf_release(&set);
	return good;
}

static bool
put_digit(struct buf *out, enum attr type, int value)
{
	uint8_t text = (uint8_t)('0' + value);

	return sealing_attr(out, type, DER_PRINT, span_of(&text, 1));
}

/* failInfo and its text stand in a FAILURE and nowhere else (C-57, C-58). */
static bool
put_failure(struct buf *out, const struct certrep *rep)
{
	if (rep->status != PKI_FAILURE)
		return true;
	return put_digit(out, ATTR_FAIL_INFO, (int)rep->fail) &&
	       (rep->text == NULL ||
		   sealing_attr(out, ATTR_FAIL_TEXT, DER_UTF8,
		       span_of(rep->text, strlen(rep->text))));
}

enum err
sealing_cms_attrs(const struct sealing *s, struct buf *list)
{
	const EVP_MD *md = digest_md(s->digest);
	struct span content = buf_span(&s->content);
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	unsigned n = 0;

	if (md == NULL || EVP_Digest(content.len > 0 ? content.p : hash,
			      content.len, hash, &n, md, NULL) != 1) {
		log_openssl("%s of a reply", digest_name(s->digest));
		return ERR_CRYPTO;
	}
	if (sealing_attr(list, ATTR_CONTENT_TYPE, DER_OID, oid_data) &&
	    sealing_attr(
		list, ATTR_MESSAGE_DIGEST, DER_OCTETS, span_of(hash, n)))
		return OK;
	return ERR_SYSTEM;
}

/* C-55 to C-61; signingTime is left out (C-154). */
static enum err
make_attrs(struct sealing *s)
{
	const struct pkimsg *msg = s->msg;
	uint8_t nonce[NONCE_LEN];
	struct buf list = BUF_INIT;
	enum err e;

	if ((e = random_bytes(nonce, sizeof(nonce))) != OK)
		return e;
	if ((e = sealing_cms_attrs(s, &list)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (put_digit(&list, ATTR_MESSAGE_TYPE, MSG_CERTREP) &&
	    put_digit(&list, ATTR_PKI_STATUS, (int)s->rep->status) &&
	    put_failure(&list, s->rep) &&
	    sealing_attr(&list, ATTR_SENDER_NONCE, DER_OCTETS,
		span_of(nonce, sizeof(nonce))) &&
	    sealing_attr(&list, ATTR_RECIPIENT_NONCE, DER_OCTETS,
		buf_span(&msg->nonce)) &&
	    sealing_attr(&list, ATTR_TRANSACTION_ID, msg->txid_tag,
		buf_span(&msg->txid)))
		e = set_sort(buf_span(&list), MAX_ATTRIBUTES, &s->attrs);
out:
	buf_release(&list);
	return e;
}

enum err
sealing_sign(struct sealing *s, sealing_verb *sign)
{
	enum key_type type = key_type(s->by->key);

	s->alg = sigalg_for(type, s->digest);
	if (s->alg == NULL) {
		log_error("this CA's key cannot sign with %s",
		    digest_name(s->digest));
		return ERR_CRYPTO;
	}
	return sign(s->by->key, s->digest, buf_span(&s->attrs), &s->signature);
}

/* SignerInfo, version 1: issuer and serial (C-48). */
static bool
put_signer(struct buf *out, const struct sealing *s)
{
	const struct generation *gen = s->by;
	struct buf sid = BUF_INIT, body = BUF_INIT;
	bool good;

	good = buf_add(&sid, gen->issuer.p, gen->issuer.len) &&
	       der_put(&sid, DER_INTEGER, gen->serial) && put_version(&body) &&
	       der_put(&body, DER_SEQUENCE, buf_span(&sid)) &&
	       put_alg(&body, digest_oid(s->digest), true) &&
	       buf_byte(&body, DER_NESTED) && /* [0] for the SET's 0x31 */
	       buf_add(&body, s->attrs.data + 1, s->attrs.len - 1) &&
	       put_alg(&body, s->alg->oid, s->alg->key == KEY_RSA) &&
	       der_put(&body, DER_OCTETS, buf_span(&s->signature)) &&
	       der_put(out, DER_SEQUENCE, buf_span(&body));
	buf_release(&sid);
	buf_release(&body);
	return good;
}

enum err
sealing_assemble(const struct sealing *s, struct span certs, struct buf *out)
{
	struct buf body = BUF_INIT, algs = BUF_INIT, signer = BUF_INIT;
	bool good;

	good = put_version(&body) &&
	       put_alg(&algs, digest_oid(s->digest), true) &&
	       der_put(&body, DER_SET, buf_span(&algs)) &&
	       put_encap(&body, buf_span(&s->content)) &&
	       der_put(&body, DER_NESTED, certs) && put_signer(&signer, s) &&
	       der_put(&body, DER_SET, buf_span(&signer)) &&
	       put_signed(out, &body);
	buf_release(&body);
	buf_release(&algs);
	buf_release(&signer);
	return good ? OK : ERR_SYSTEM;
}

void
sealing_release(struct sealing *s)
{
	buf_release(&s->content);
	buf_release(&s->attrs);
	buf_release(&s->signature);
}

/*
 * The request's own digest, unless that is not admitted, or nothing that our
 * key signs with (C-102).
 */
static enum digest
reply_digest(const struct pkimsg *msg, const struct certrep *rep)
{
	if ((msg->digest == DIGEST_MD5 && (msg->weak & WEAK_MD5) == 0) ||
	    (msg->digest == DIGEST_SHA1 && rep->no_sha1) ||
	    sigalg_for(key_type(rep->gen->key), msg->digest) == NULL)
		return DIGEST_SHA256;
	return msg->digest;
}

enum err
message_seal(
    const struct pkimsg *msg, const struct certrep *rep, struct buf *out)
{
	struct sealing s = { .msg = msg,
		.rep = rep,
		.by = rep->gen,
		.digest = reply_digest(msg, rep) };
	enum err e;

	if ((e = make_content(&s)) == OK && (e = make_attrs(&s)) == OK &&
	    (e = sealing_sign(&s, key_sign_attrs)) == OK)
		e = sealing_assemble(&s, buf_span(&rep->gen->cert), out);
	sealing_release(&s);
	return e;
}

enum err
message_next(const struct generation *current, const struct span *certs,
    size_t n, struct buf *out)
{
	struct sealing s = { .by = current, .digest = DIGEST_SHA256 };
	struct buf list = BUF_INIT, attrs = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (add_certs(&list, certs, n) &&
	    (e = message_certs_only(certs, n, &s.content)) == OK &&
	    (e = sealing_cms_attrs(&s, &attrs)) == OK &&
	    (e = set_sort(buf_span(&attrs), MAX_ATTRIBUTES, &s.attrs)) == OK &&
	    (e = sealing_sign(&s, key_sign_next)) == OK)
		e = sealing_assemble(&s, buf_span(&list), out);
	sealing_release(&s);
	buf_release(&list);
	buf_release(&attrs);
	return e;
}
