#include "judge/intune.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/time.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "store/text.h"

/*
 * The judge: Intune made the challenge for one device and one profile, and
 * says whether a request is what it was made for.  It is told what became of
 * its yes, and a certificate leaves only when it has acknowledged that.
 */

#define MAX_DESCRIPTION 255 /* bytes */

/* Their number beside the failInfo of an answer (ejbca-behaviour 8). */
#define HRESULT_FAIL	0x20000100
#define HRESULT_UNKNOWN 0x20000001

/*
 * The codes of a request that will never do.  All others, "Unknown" and those
 * that are new, say nothing about the request: the client tries again.
 */
#define NO(code)                      \
	{                             \
		code, "Intune: " code \
	}
static const struct {
	const char *code, *reason;
} noes[] = {
	NO("CertificateRequestDecodingFailed"), NO("ChallengePasswordMissing"),
	NO("ChallengeDeserializationError"), NO("ChallengeDecryptionError"),
	NO("ChallengeDecodingError"), NO("ChallengeInvalidTimestamp"),
	NO("ChallengeExpired"), NO("SubjectNameMissing"),
	NO("SubjectNameMismatch"), NO("SubjectAltNameMissing"),
	NO("SubjectAltNameMismatch"), NO("KeyUsageMismatch"),
	NO("KeyLengthMismatch"), NO("EnhancedKeyUsageMissing"),
	NO("EnhancedKeyUsageMismatch"), NO("AadKeyIdentifierListMissing"),
	NO("RegisteredKeyMismatch"), NO("SigningCertThumbprintMismatch"),
	NO("ScepProfileNoLongerTargetedToTheClient"),
	NO("SignatureValidationFailed"),
	NO("BadCertificateRequestIdInChallenge"), NO("BadDeviceIdInChallenge"),
	NO("BadUserIdInChallenge"),
	NO("BadTenantIdInChallenge"), /* seen, and in no list */
};

enum ruling
intune_ruling(const char *code, const char **reason)
{
	*reason = NULL;
	if (strcmp(code, "Success") == 0)
		return RULING_YES;
	for (size_t i = 0; i < sizeof(noes) / sizeof(*noes); i++) {
		if (strcmp(code, noes[i].code) == 0) {
			*reason = noes[i].reason;
			return RULING_NO;
		}
	}
	return RULING_LATER;
}

struct span
intune_cut(const char *text)
{
	size_t len = strlen(text);

	if (len > MAX_DESCRIPTION) {
		len = MAX_DESCRIPTION;
		while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
			len--;
	}
	return span_of(text, len);
}

/* transactionId, certificateRequest, callerInfo: all three calls have them. */
static enum err
put_request(struct json *in, const struct judge_case *c)
{
	struct buf base64 = BUF_SECRET; /* the challenge is in it */
	enum err e;

	e = base64_put(&base64, c->csr) ? OK : ERR_SYSTEM;
	if (e == OK &&
	    (e = json_put_text(in, "transactionId", c->txid)) == OK &&
	    (e = json_put_text(in, "certificateRequest", buf_span(&base64))) ==
		OK)
		e = json_put_str(in, "callerInfo", INTUNE_CALLER);
	buf_release(&base64);
	return e;
}

static bool
holds(const char *text, struct span part)
{
	size_t len = strlen(text);

	for (size_t at = 0; part.len > 0 && at + part.len <= len; at++)
		if (memcmp(text + at, part.p, part.len) == 0)
			return true;
	return false;
}

/* Its own words, for people; a challenge that stands in them stays there. */
static void
log_code(const struct judge_case *c, const char *verb, const char *code,
    const struct json *answer)
{
	const char *text = "";
	struct span cut;

	(void)json_get0_text(answer, "errorDescription", &text);
	if (holds(text, c->challenge))
		text = "";
	cut = intune_cut(text);
	log_warn("alias %s: Intune answers %s with %.60s%s%.*s", c->alias->name,
	    verb, code, cut.len > 0 ? ": " : "", (int)cut.len,
	    (const char *)cut.p);
}

/* Sends it, and reads the one thing that counts. */
static enum err
ask_intune(const struct judge_case *c, const char *verb, const struct json *ask,
    enum ruling *ruling, const char **reason)
{
	struct json *answer = NULL;
	struct buf path = BUF_INIT;
	const char *code = NULL;
	struct intune in;
	enum err e;

	*ruling = RULING_LATER;
	e = intune_open(c->alias, c->home, c->now, &in);
	if (e == OK && !buf_printf(&path, "ScepActions/%s", verb))
		e = ERR_SYSTEM;
	if (e == OK)
		e = intune_call(
		    &in, INTUNE_SCEP, buf_cstr(&path), ask, &answer);
	if (e != OK)
		goto out;
	if (json_get0_text(answer, "code", &code) != OK)
		code = "no code";
	*ruling = intune_ruling(code, reason);
	if (*ruling != RULING_YES)
		log_code(c, verb, code, answer);
out:
	json_free(answer);
	intune_close(&in);
	buf_release(&path);
	return e;
}

/* JSON has no other bytes; printable ones are all that devices send. */
static bool
is_text(struct span txid)
{
	size_t at = 0, n;

	while (at < txid.len && (n = text_plain(txid, at)) > 0)
		at += n;
	return at == txid.len;
}

enum err
judge_intune(const struct judge_case *c, struct judgement *j)
{
	struct json *ask;
	enum err e;

	/* a stranger's knock is not passed on */
	if (c->challenge.len == 0 || !is_text(c->txid)) {
		j->reason = c->challenge.len == 0 ?
				"no challengePassword" :
				"a transactionID that is no text";
		return OK;
	}
	ask = json_new();
	e = put_request(json_put_object(ask, "request"), c);
	if (e == OK)
		e = ask_intune(
		    c, "validateRequest", ask, &j->ruling, &j->reason);
	json_free(ask);
	if (e == ERR_BUSY || e == ERR_INPUT) {
		j->ruling = RULING_LATER;
		return OK;
	}
	return e;
}

/* ---- what became of it ------------------------------------------------------ */

/* SHA-1, "ab cd ef ...". */
static enum err
put_thumbprint(struct json *out, struct span cert)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct buf text = BUF_INIT;
	size_t len = 0;
	bool ok = true;
	enum err e = ERR_SYSTEM;

	if (EVP_Q_digest(NULL, "SHA1", NULL, cert.p, cert.len, digest, &len) !=
	    1) {
		log_openssl("cannot make a SHA-1 thumbprint");
		return ERR_CRYPTO;
	}
	for (size_t i = 0; i < len && ok; i++)
		ok = buf_printf(&text, "%s%02x", i > 0 ? " " : "", digest[i]);
	if (ok)
		e = json_put_text(
		    out, "certificateThumbprint", buf_span(&text));
	buf_release(&text);
	return e;
}

enum err
intune_put_cert(struct json *out, struct span cert)
{
	struct buf issuer = BUF_INIT;
	char serial[CERT_SERIAL] = "", until[TIME_TEXT];
	struct cert_view v;
	enum err e = ERR_SYSTEM;

	if (cert_view(cert, &v) != OK || !cert_serial(v.serial, serial)) {
		log_error("a certificate of our own cannot be read");
		return e;
	}
	time_text(v.not_after, until);
	if ((e = dn_text(v.issuer, &issuer)) != OK ||
	    (e = put_thumbprint(out, cert)) != OK ||
	    (e = json_put_str(out, "certificateSerialNumber", serial)) != OK ||
	    (e = json_put_str(out, "certificateExpirationDateUtc", until)) !=
		OK ||
	    (e = json_put_text(out, "issuingCertificateAuthority",
		 buf_span(&issuer))) != OK ||
	    (e = json_put_text(out, "caConfiguration", buf_span(&issuer))) !=
		OK)
		goto out;
	e = json_put_text(out, "certificateAuthority", buf_span(&issuer));
out:
	buf_release(&issuer);
	return e;
}

static enum err
notify(const struct judge_case *c, const char *verb, const struct json *ask)
{
	enum ruling ruling = RULING_LATER;
	const char *reason = NULL;
	enum err e = ask_intune(c, verb, ask, &ruling, &reason);

	if (e == OK && ruling != RULING_YES)
		e = ERR_BUSY;
	return e;
}

enum err
intune_issued(const struct judge_case *c, struct span cert)
{
	struct json *ask = json_new();
	struct json *about = json_put_object(ask, "notification");
	enum err e;

	if ((e = put_request(about, c)) == OK &&
	    (e = intune_put_cert(about, cert)) == OK)
		e = notify(c, "successNotification", ask);
	if (e != OK)
		log_warn("alias %s: Intune has not acknowledged the "
			 "certificate, which stays here until it has",
		    c->alias->name);
	json_free(ask);
	return e == ERR_INPUT ? ERR_BUSY : e;
}

enum err
intune_refused(const struct judge_case *c, int fail, const char *why)
{
	struct json *ask = json_new();
	struct json *about = json_put_object(ask, "notification");
	int64_t number = fail < 0 ? HRESULT_UNKNOWN : HRESULT_FAIL + fail;
	enum err e;

	if ((e = put_request(about, c)) == OK &&
	    (e = json_put_number(about, "hResult", number)) == OK &&
	    (e = json_put_text(about, "errorDescription", intune_cut(why))) ==
		OK)
		e = notify(c, "failureNotification", ask);
	if (e != OK)
		log_warn("alias %s: Intune was not told why its request was "
			 "refused",
		    c->alias->name);
	json_free(ask);
	return e;
}
