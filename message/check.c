#include <openssl/evp.h>

#include "base/log.h"
#include "ca/pubkey.h"
#include "message/opening.h"

/* What was read, against what is supported and what the alias admits. */

/*
 * One weak algorithm: by which setting it is admitted, and what is said where
 * it is not.  Admitted ones are noted, for the log (C-104).
 */
struct weakness {
	enum weak bit;
	bool admitted;
	const char *reason;
};

static bool
admit(struct opening *o, const struct weakness *w, enum failinfo fail)
{
	if (!w->admitted) {
		(void)opening_refuse(o, fail, w->reason);
		return false;
	}
	o->msg->weak |= (unsigned)w->bit;
	return true;
}

#define BY_LEGACY "; `scep alias set NAME legacy yes` admits it"
#define BY_SHA1	  "; `scep alias set NAME sha1 yes` admits it"
#define BY_DES3	  "; `scep alias set NAME des3 yes` admits it"

/* C-100 to C-102, C-160 */
static bool
admit_digest(struct opening *o, enum digest d, bool csr)
{
	const struct weakness md5 = { WEAK_MD5, o->policy->legacy,
		csr ? "the CSR is signed with MD5" BY_LEGACY :
		      "the message is signed with MD5" BY_LEGACY };
	const struct weakness sha1 = { WEAK_SHA1, o->policy->sha1,
		csr ? "the CSR is signed with SHA-1" BY_SHA1 :
		      "the message is signed with SHA-1" BY_SHA1 };

	if (d == DIGEST_MD5)
		return admit(o, &md5, FAIL_BADALG);
	return d != DIGEST_SHA1 || admit(o, &sha1, FAIL_BADALG);
}

static bool
admit_cipher(struct opening *o, enum cipher c)
{
	const struct weakness des = { WEAK_DES, o->policy->legacy,
		"content is encrypted with single DES" BY_LEGACY };
	const struct weakness des3 = { WEAK_DES3, o->policy->des3,
		"content is encrypted with triple DES" BY_DES3 };

	if (c == CIPHER_DES)
		return admit(o, &des, FAIL_BADALG);
	return c != CIPHER_DES3 || admit(o, &des3, FAIL_BADALG);
}

enum err
check_digest(struct opening *o)
{
	const struct signer *s = &o->sd.signer;
	struct scheme how;
	enum digest d;

	if (!digest_find(s->digest.oid, &d) || !alg_plain(&s->digest))
		return opening_refuse(
		    o, FAIL_BADALG, "digest is not supported");
	o->msg->digest = d;
	if (!admit_digest(o, d, false))
		return OK;
	if (!scheme_read(&s->signature, &how))
		return opening_refuse(
		    o, FAIL_BADALG, "signature algorithm is not supported");
	if (how.digest != DIGEST__MAX && how.digest != d)
		return opening_refuse(o, FAIL_BADALG,
		    "digest and signature algorithm disagree"); /* C-50 */
	return OK;
}

/* C-80, C-177: before OpenSSL computes with it. */
enum err
check_key(struct opening *o)
{
	const struct weakness small = { WEAK_KEY, o->policy->legacy,
		"the signer's key is too small" BY_LEGACY };
	struct pkimsg *msg = o->msg;
	struct scheme how;
	unsigned bits;
	enum err e;

	if (msg->signer_spki.len == 0)
		return opening_refuse(o, FAIL_BADMESSAGECHECK,
		    "the signer's certificate is not in the message");
	e = pubkey_look(msg->signer_spki, &msg->signer_type, &bits);
	if (e == ERR_INPUT)
		return opening_refuse(
		    o, FAIL_BADMESSAGECHECK, "the signer's key is unreadable");
	if (e != OK)
		return opening_refuse(
		    o, FAIL_BADALG, "the signer's key is not supported");
	if (!scheme_read(&o->sd.signer.signature, &how) ||
	    how.key != msg->signer_type)
		return opening_refuse(o, FAIL_BADALG,
		    "the signature algorithm is not the signer's key's");
	if (msg->signer_type == KEY_RSA && bits < MIN_SIGNER_RSA)
		(void)admit(o, &small, FAIL_BADREQUEST);
	return OK;
}

/* C-47, C-159 */
enum err
check_message_digest(struct opening *o)
{
	const EVP_MD *md = digest_md(o->msg->digest);
	static const uint8_t no_bytes[1];
	struct span content = o->sd.content;
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!span_eq(o->attrs.content_type, oid_data) ||
	    !span_eq(o->sd.type, oid_data))
		return opening_refuse(
		    o, FAIL_BADMESSAGECHECK, "contentType is not id-data");
	if (md == NULL || EVP_Digest(content.len > 0 ? content.p : no_bytes,
			      content.len, hash, &n, md, NULL) != 1) {
		log_openssl("%s of a message", digest_name(o->msg->digest));
		return ERR_CRYPTO;
	}
	if (!span_eq(o->attrs.digest, span_of(hash, n)))
		return opening_refuse(o, FAIL_BADMESSAGECHECK,
		    "messageDigest is not the content's");
	return OK;
}

enum err
check_signature_of(struct opening *o)
{
	struct scheme how;
	bool good = false;
	enum err e = ERR_INPUT;

	if (scheme_read(&o->sd.signer.signature, &how)) {
		how.digest = o->msg->digest;
		e = signer_verify(
		    &o->sd.signer, o->msg->signer_spki, &how, &good);
	}
	if (e == ERR_INPUT || e == ERR_REFUSED)
		good = false;
	else if (e != OK)
		return e;
	return good ? OK :
		      opening_refuse(o, FAIL_BADMESSAGECHECK,
			  "the message's signature is wrong");
}

/* C-55, C-162; types that nobody serves are the caller's to answer. */
enum err
check_type(struct opening *o)
{
	if (o->msg->type < 0)
		return opening_refuse(
		    o, FAIL_BADREQUEST, "no messageType that can be read");
	if (o->attrs.unclean)
		return opening_refuse(
		    o, FAIL_BADREQUEST, "a signed attribute stands twice");
	if (o->msg->type == MSG_CERTREP)
		return opening_refuse(
		    o, FAIL_BADREQUEST, "a CertRep is no request");
	return OK;
}

/* C-83 to C-85: a key of ours. */
static enum err
check_transport(struct opening *o)
{
	const struct address *to = &o->address;

	if (to->times == 0)
		return opening_refuse(o, FAIL_BADREQUEST,
		    "the envelope is for no CA of this alias");
	if (to->times > 1) /* C-168 */
		return opening_refuse(
		    o, FAIL_BADREQUEST, "two recipients are ours");
	if (!transport_read(&to->recipient->transport, &o->msg->transport))
		return opening_refuse(
		    o, FAIL_BADALG, "key transport not supported");
	return OK;
}

/*
 * C-92 to C-95: a password of somebody's, who is looked for before anything
 * is derived from it.  Nobody's is decided with the rest, behind the
 * envelope, and costs the same.
 */
static enum err
check_password(struct opening *o)
{
	const struct secret_source *from = o->policy->secrets;
	const struct secret_question q = { o->msg->signer_subject,
		buf_span(&o->msg->txid), o->msg->signer_key };
	const char *why = NULL;
	enum err e = ERR_REFUSED;

	if (o->env.passwords > 1)
		return opening_refuse(
		    o, FAIL_BADALG, "more than one password recipient");
	if (!pwri_read(o->env.password, &o->pwri, &why))
		return opening_refuse(o, FAIL_BADALG, why);
	if (o->pwri.kek == CIPHER_DES ||
	    (o->pwri.kek == CIPHER_DES3 && !o->policy->des3))
		return opening_refuse(o, FAIL_BADALG,
		    "the content key is wrapped with a weak cipher");
	if (from != NULL)
		e = from->find(from->arg, &q, &o->secret, &o->who);
	if (e == ERR_REFUSED)
		return opening_refuse(o, FAIL_BADALG,
		    "enveloped under a password, and there is none here that "
		    "may be: `scep entity add --recoverable`, or in RA mode a "
		    "long authpwd");
	if (e != OK && e != ERR_NOTFOUND)
		return e;
	o->password = true;
	return OK;
}

/* C-81 to C-86, C-98 */
enum err
check_envelope(struct opening *o)
{
	const struct cipher_kind *kind = cipher_find(o->env.cipher.oid);

	if (o->env_wrong != NULL)
		return opening_refuse(o, FAIL_BADREQUEST, o->env_wrong);
	if (kind == NULL || kind->never != NULL)
		return opening_refuse(o, FAIL_BADALG,
		    kind ? kind->never : "content cipher is not supported");
	if (!admit_cipher(o, kind->id))
		return OK;
	o->msg->cipher = kind->id;
	o->msg->enveloped = true;
	if (kind->id == CIPHER_DES && cipher_evp(kind->id) == NULL)
		return ERR_CRYPTO; /* the provider is not there; logged */
	if (o->address.times == 0 && o->env.passwords > 0)
		return check_password(o);
	return check_transport(o);
}

/*
 * Only what carries its secret inside comes under a password: what answers
 * by "not there" would tell whoever signs a captured envelope again whether
 * it could be opened (C-99, C-168).
 */
enum err
check_known(struct opening *o)
{
	return o->password ? opening_refuse(o, FAIL_BADALG,
				 "this message cannot come under a password") :
			     OK;
}

enum err
check_reply(struct opening *o)
{
	if (o->msg->signer_type == KEY_RSA)
		return OK;
	return opening_refuse(o, FAIL_BADALG,
	    "the signer's key cannot encrypt, and this message carries no "
	    "secret that could");
}

/*
 * Type 17 says that it is a renewal, 19 may be one.  Whoever signs a captured
 * envelope again may not ask in this way whether a password opens it: those
 * are for requests that carry one.
 */
enum err
check_signer(struct opening *o)
{
	const struct signer_source *from = o->policy->signers;
	struct signer_answer answer = { .fail = FAIL_NONE };
	enum err e;

	if (from != NULL && (e = from->find(from->arg, o->msg, &answer)) != OK)
		return e;
	if (answer.fail != FAIL_NONE)
		return opening_refuse(o, answer.fail, answer.why);
	if (!answer.renews && o->msg->type == MSG_RENEWALREQ)
		return opening_refuse(o, FAIL_BADMESSAGECHECK,
		    "a renewal is signed with a certificate that was issued "
		    "here");
	o->msg->renews = answer.renews;
	o->msg->renews_ca = answer.ca;
	o->msg->renews_generation = answer.generation;
	return answer.renews ? check_known(o) : OK;
}

enum err
check_csr(struct opening *o, const struct csr_check *csr)
{
	struct pkimsg *msg = o->msg;
	/* no judge looks at a renewal's; 22 are 128 bits in base64 */
	const size_t least = msg->renews ? 22 : 1;

	if (!admit_digest(o, csr->how.digest, true))
		return OK;
	if (csr->rule != NULL)
		return opening_refuse(o, FAIL_BADREQUEST, csr->rule);
	if (msg->signer_type != KEY_RSA && msg->csr.challenge.len < least)
		return opening_refuse(o, FAIL_BADALG,
		    msg->renews ?
			"the signer's key cannot encrypt, and the renewal has "
			"no challengePassword of 22 or more bytes that could" :
			"the signer's key cannot encrypt, and the request has "
			"no challengePassword that could");
	return OK;
}
