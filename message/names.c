#include "message/alg.h"

static const struct {
	long type;
	const char *name;
} types[] = {
	{ MSG_CERTREP, "CertRep" },
	{ MSG_RENEWALREQ, "RenewalReq" },
	{ MSG_PKCSREQ, "PKCSReq" },
	{ MSG_CERTPOLL, "CertPoll" },
	{ MSG_GETCERT, "GetCert" },
	{ MSG_GETCRL, "GetCRL" },
};

const char *
message_type_name(long type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].type == type)
			return types[i].name;
	return "unknown";
}

const char *
failinfo_name(enum failinfo f)
{
	static const char *const name[] = {
		[FAIL_BADALG] = "badAlg",
		[FAIL_BADMESSAGECHECK] = "badMessageCheck",
		[FAIL_BADREQUEST] = "badRequest",
		[FAIL_BADTIME] = "badTime",
		[FAIL_BADCERTID] = "badCertId",
	};

	return f >= FAIL_BADALG && f <= FAIL_BADCERTID ? name[f] : "none";
}

const char *
digest_name(enum digest d)
{
	static const char *const name[DIGEST__MAX] = {
		[DIGEST_MD5] = "MD5",
		[DIGEST_SHA1] = "SHA-1",
		[DIGEST_SHA256] = "SHA-256",
		[DIGEST_SHA384] = "SHA-384",
		[DIGEST_SHA512] = "SHA-512",
	};

	return d >= 0 && d < DIGEST__MAX ? name[d] : "unknown";
}

bool
weak_names(unsigned weak, struct buf *out)
{
	static const struct {
		enum weak bit;
		const char *name;
	} names[] = {
		{ WEAK_MD5, "MD5" },
		{ WEAK_SHA1, "SHA-1" },
		{ WEAK_DES, "DES-CBC" },
		{ WEAK_DES3, "DES-EDE3-CBC" },
		{ WEAK_KEY, "small-key" },
	};
	bool good = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if ((weak & names[i].bit) != 0)
			good = good && (out->len == 0 || buf_byte(out, ' ')) &&
			       buf_str(out, names[i].name);
	return good;
}

const char *
cipher_name(enum cipher c)
{
	return c >= 0 && c < CIPHER__MAX ? cipher_of(c)->name : "unknown";
}
