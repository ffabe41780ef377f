#include "builder.h"

#include <stdio.h>
#include <string.h>

/*
 * Everything that no client makes, each with the answer that it must get:
 * an HTTP status, a failInfo (C-155 to C-163), or ok for what is only odd and
 * must be served.  `builder --list-breaks` prints the table, and
 * t0220-hostile.t walks it.
 */
struct flaw {
	const char *name;
	const char *answer; /* 400, badAlg, badMessageCheck, badRequest, ok */
	const char *what;
	size_t at; /* of an int in struct plan, or of a text */
	int value;
	const char *text; /* NULL: an int */
};

#define AT(field) offsetof(struct plan, field)
#define N(name, answer, what, f, v)                \
	{                                          \
		name, answer, what, AT(f), v, NULL \
	}
#define T(name, answer, what, f, t)             \
	{                                       \
		name, answer, what, AT(f), 0, t \
	}

static const struct flaw flaws[] = {
	/* shape (C-45, C-52, C-91, C-156) */
	N("empty", "400", "no bytes at all", whole, WHOLE_EMPTY),
	N("noise", "400", "random bytes", whole, WHOLE_NOISE),
	N("deep-nest", "400", "10000 open SEQUENCEs", whole, WHOLE_DEEP),
	N("bare-envelope", "400", "EnvelopedData, not signed", whole,
	    WHOLE_ENVELOPE),
	N("truncated", "400", "the last 20 bytes are missing", tail, TAIL_CUT),
	N("trailing", "400", "20 bytes behind the message", tail, TAIL_NOISE),
	N("twice", "400", "the message, and again", tail, TAIL_TWICE),
	N("crlf", "ok", "CR LF behind the message", tail, TAIL_CRLF),
	N("no-signer", "400", "no SignerInfo", signers, 0),
	N("two-signers", "400", "two SignerInfos", signers, 2),
	N("no-attributes", "400", "no signed attributes", no_attrs, 1),
	N("deep-octets", "400", "OCTET STRINGs in OCTET STRINGs, 500 deep",
	    deep_content, 500),
	N("deep-attribute", "400", "an attribute with 200 levels", extra,
	    EXTRA_DEEP),
	N("many-attributes", "400", "60 further attributes", extra, EXTRA_MANY),
	N("big-attribute", "ok", "an attribute of 46000 bytes", extra,
	    EXTRA_BIG),
	N("many-certs", "400", "25 certificates", certs, CERTS_MANY),
	N("pieces", "ok", "signature, encrypted key and IV in pieces", pieces,
	    1),
	N("version-0", "400", "SignedData version 0", version, 0),
	N("version-3", "ok", "SignedData version 3", version, 3),
	/* attributes (C-47, C-55 to C-66, C-71, C-158, C-159) */
	N("txid-missing", "400", "no transactionID", attr[ATTR_TXID],
	    ATTR_MISSING),
	N("txid-doubled", "400", "transactionID twice", attr[ATTR_TXID],
	    ATTR_DOUBLED),
	N("txid-two-values", "400", "transactionID with two values",
	    attr[ATTR_TXID], ATTR_TWO_VALUES),
	N("txid-no-value", "400", "transactionID without value",
	    attr[ATTR_TXID], ATTR_NO_VALUE),
	N("txid-unsigned", "400", "transactionID not signed", attr[ATTR_TXID],
	    ATTR_UNSIGNED),
	N("txid-integer", "400", "transactionID an INTEGER", attr[ATTR_TXID],
	    ATTR_WRONG_KIND),
	N("nonce-missing", "400", "no senderNonce", attr[ATTR_NONCE],
	    ATTR_MISSING),
	N("nonce-doubled", "400", "senderNonce twice", attr[ATTR_NONCE],
	    ATTR_DOUBLED),
	N("nonce-two-values", "400", "senderNonce with two values",
	    attr[ATTR_NONCE], ATTR_TWO_VALUES),
	N("nonce-no-value", "400", "senderNonce without value",
	    attr[ATTR_NONCE], ATTR_NO_VALUE),
	N("nonce-unsigned", "400", "senderNonce not signed", attr[ATTR_NONCE],
	    ATTR_UNSIGNED),
	N("nonce-integer", "400", "senderNonce an INTEGER", attr[ATTR_NONCE],
	    ATTR_WRONG_KIND),
	N("nonce-8", "ok", "senderNonce of 8 bytes, as Apple's", nonce_bytes,
	    8),
	N("nonce-64", "ok", "senderNonce of 64 bytes", nonce_bytes, 64),
	N("nonce-2000", "400", "senderNonce of 2000 bytes", nonce_bytes, 2000),
	N("type-missing", "badRequest", "no messageType", attr[ATTR_TYPE],
	    ATTR_MISSING),
	N("type-doubled", "badRequest", "messageType twice", attr[ATTR_TYPE],
	    ATTR_DOUBLED),
	N("type-two-values", "badRequest", "messageType with two values",
	    attr[ATTR_TYPE], ATTR_TWO_VALUES),
	N("type-no-value", "badRequest", "messageType without value",
	    attr[ATTR_TYPE], ATTR_NO_VALUE),
	N("type-unsigned", "badRequest", "messageType not signed",
	    attr[ATTR_TYPE], ATTR_UNSIGNED),
	N("type-integer", "badRequest", "messageType an INTEGER",
	    attr[ATTR_TYPE], ATTR_WRONG_KIND),
	N("contenttype-missing", "badMessageCheck", "no contentType",
	    attr[ATTR_CONTENT_TYPE], ATTR_MISSING),
	N("contenttype-doubled", "badMessageCheck", "contentType twice",
	    attr[ATTR_CONTENT_TYPE], ATTR_DOUBLED),
	N("contenttype-two-values", "badMessageCheck",
	    "contentType with two values", attr[ATTR_CONTENT_TYPE],
	    ATTR_TWO_VALUES),
	N("contenttype-unsigned", "badMessageCheck", "contentType not signed",
	    attr[ATTR_CONTENT_TYPE], ATTR_UNSIGNED),
	N("digest-missing", "badMessageCheck", "no messageDigest",
	    attr[ATTR_DIGEST], ATTR_MISSING),
	N("digest-doubled", "badMessageCheck", "messageDigest twice",
	    attr[ATTR_DIGEST], ATTR_DOUBLED),
	N("digest-two-values", "badMessageCheck",
	    "messageDigest with two values", attr[ATTR_DIGEST],
	    ATTR_TWO_VALUES),
	N("digest-unsigned", "badMessageCheck", "messageDigest not signed",
	    attr[ATTR_DIGEST], ATTR_UNSIGNED),
	N("digest-integer", "badMessageCheck", "messageDigest an INTEGER",
	    attr[ATTR_DIGEST], ATTR_WRONG_KIND),
	N("extra-doubled", "badRequest", "signingTime twice", extra,
	    EXTRA_DOUBLED),
	N("extra", "ok",
	    "signingTime of 1970, pkiStatus, recipientNonce, "
	    "randomNonce",
	    extra, EXTRA_HARMLESS),
	N("txid-255", "ok", "transactionID of 255 bytes", txid_bytes, 255),
	N("txid-10000", "400", "transactionID of 10000 bytes", txid_bytes,
	    10000),
	T("txid-path", "ok", "transactionID ../../x", txid_text, "../../x"),
	T("txid-quotes", "ok", "transactionID with quotes", txid_text,
	    "'\"`;$(id)<b>&,%41\\"),
	T("txid-newline", "ok", "transactionID with a line of its own",
	    txid_text, "a\nlevel=error msg=forged"),
	T("txid-nul", "ok", "transactionID with a NUL", txid_text, "a\\x00b"),
	T("txid-base64", "ok", "transactionID of micromdm", txid_text,
	    "9z+/AbC4D3E=="),
	T("txid-blank", "ok", "transactionID of sscep", txid_text,
	    "SSCEP transactionId"),
	/* message types (C-132, C-142, C-144, C-162) */
	T("type-0", "badRequest", "messageType 0", type, "0"),
	T("type-3", "badRequest", "a CertRep", type, "3"),
	T("type-17", "badMessageCheck", "a RenewalReq, self-signed", type,
	    "17"),
	T("type-18", "badRequest", "an UpdateReq", type, "18"),
	T("type-20", "badCertId", "a CertPoll of nothing", type, "20"),
	T("type-21", "badCertId", "a GetCert of a CSR", type, "21"),
	T("type-22", "badCertId", "a GetCRL of a CSR", type, "22"),
	T("type-99", "badRequest", "messageType 99", type, "99"),
	T("type-019", "badRequest", "messageType 019", type, "019"),
	T("type-plus", "badRequest", "messageType +19", type, "+19"),
	T("type-blank", "badRequest", "messageType 19 and a blank", type,
	    "19 "),
	T("type-word", "badRequest", "messageType PKCSReq", type, "PKCSReq"),
	T("type-empty", "badRequest", "messageType without text", type, ""),
	/* signature (C-46 to C-51, C-73 to C-80, C-159, C-177) */
	N("wrong-digest", "badMessageCheck", "messageDigest of other bytes",
	    digest_wrong, 1),
	N("bad-signature", "badMessageCheck", "a bit of the signature",
	    signature_wrong, 1),
	N("no-cert", "badMessageCheck", "no certificates", certs, CERTS_NONE),
	N("other-cert", "badMessageCheck", "only the CA's certificate", certs,
	    CERTS_OTHER),
	N("shuffled-certs", "ok", "others around the signer's", certs,
	    CERTS_SHUFFLED),
	N("unsorted", "ok", "attributes neither sorted nor signed so", order,
	    ORDER_AS_SIGNED),
	N("unsorted-sent", "ok", "attributes signed sorted, sent unsorted",
	    order, ORDER_SIGNED_SORTED),
	N("no-digest-algs", "ok", "empty digestAlgorithms", no_digest_algs, 1),
	N("ski-signer", "ok", "signer named by key identifier", by_ski, 1),
	T("combined-oid", "ok", "sha256WithRSAEncryption", signature_oid,
	    "1.2.840.113549.1.1.11"),
	T("signature-alg-other", "badAlg", "sha1WithRSA beside SHA-256",
	    signature_oid, "1.2.840.113549.1.1.5"),
	T("signature-alg-unknown", "badAlg", "an unknown signatureAlgorithm",
	    signature_oid, "1.2.840.113549.1.1.99"),
	T("md5", "badAlg", "message signed with MD5", digest, "MD5"),
	T("sha224", "badAlg", "message signed with SHA-224", digest, "SHA224"),
	N("signer-huge", "badAlg", "signer's modulus of 16384 bits", signer_key,
	    KEY_HUGE),
	N("signer-e-huge", "badAlg", "signer's exponent of 2000 bits",
	    signer_key, KEY_E_HUGE),
	N("signer-e-1", "badMessageCheck", "signer's exponent 1", signer_key,
	    KEY_E_ONE),
	N("signer-512", "badRequest", "signer's key of 512 bits", signer_key,
	    KEY_SMALL),
	N("signer-ec", "badRequest", "signer's key on P-256, not the CSR's",
	    signer_key, KEY_EC),
	N("signer-other", "badRequest", "signer's key is not the CSR's",
	    signer_key, KEY_OTHER),
	N("cert-v1", "ok", "signer's certificate version 1", cert_v1, 1),
	N("cert-expired", "ok", "signer's certificate of 1970", cert_old, 1),
	N("cert-aki", "ok", "critical AKI, as Windows", cert_aki, 1),
	N("serial-negative", "ok", "negative serial", serial_form,
	    SERIAL_NEGATIVE),
	N("serial-long", "ok", "serial of 32 bytes, as PIX", serial_form,
	    SERIAL_LONG),
	N("serial-zero", "ok", "serial 0, as sscep", serial_form, SERIAL_ZERO),
	/* envelope (C-81 to C-90, C-98, C-160, C-161, C-168, C-170) */
	N("recipient-other", "badRequest", "for somebody else", recipient,
	    TO_OTHER),
	N("recipient-none", "badRequest", "no recipient", recipient, TO_NOBODY),
	N("recipient-twice", "badRequest", "two recipients, both us", recipient,
	    TO_US_TWICE),
	N("recipient-second", "ok", "we are the second recipient", recipient,
	    TO_US_SECOND),
	N("recipient-many", "badRequest", "13 recipients", recipient, TO_MANY),
	N("recipient-ski", "ok", "we are named by key identifier", recipient,
	    TO_US_BY_SKI),
	N("recipient-password", "badAlg", "a password recipient", recipient,
	    TO_PASSWORD),
	T("transport-unknown", "badAlg", "an unknown key transport",
	    transport_oid, "1.2.840.113549.1.1.99"),
	N("oaep-mixed", "badAlg", "OAEP by SHA-256, its mask by SHA-1",
	    oaep_mixed, 1),
	T("cipher-rc4", "badAlg", "RC4", cipher, "rc4"),
	T("cipher-unknown", "badAlg", "an unknown cipher", cipher, "unknown"),
	T("cipher-des", "badAlg", "single DES", cipher, "des"),
	N("env-version-2", "ok", "EnvelopedData version 2", env_version, 2),
	N("env-version-3", "ok", "EnvelopedData version 3", env_version, 3),
	N("cleartext", "badRequest", "the CSR without an envelope", content,
	    CONTENT_CLEAR),
	N("content-noise", "badRequest", "random bytes in the envelope",
	    content, CONTENT_NOISE),
	N("content-none", "badRequest", "nothing in the envelope", content,
	    CONTENT_NONE),
	N("content-absent", "badRequest", "no encryptedContent", content,
	    CONTENT_ABSENT),
	N("content-trailing", "badRequest", "bytes behind the CSR", content,
	    CONTENT_TRAILING),
	N("pad-zero", "badRequest", "last byte of the padding 0", pad,
	    PAD_ZERO),
	N("pad-long", "badRequest", "padding longer than a block", pad,
	    PAD_LONG),
	N("pad-uneven", "badRequest", "padding bytes that differ", pad,
	    PAD_UNEVEN),
	N("cek-short", "badRequest", "content key a byte short", cek_more, -1),
	N("cek-long", "badRequest", "content key a byte long", cek_more, 1),
	N("iv-long", "badRequest", "IV longer than a block", iv_more, 4),
	N("flip-first", "badRequest", "a bit of the first block", flip,
	    FLIP_FIRST),
	N("flip-middle", "badRequest", "a bit of a block in the middle", flip,
	    FLIP_MIDDLE),
	N("flip-last", "badRequest", "a bit of the last block", flip,
	    FLIP_LAST),
	N("flip-iv", "badRequest", "a bit of the IV", flip, FLIP_IV),
	N("flip-key", "badRequest", "a bit of the encrypted key", block,
	    BLOCK_FLIPPED),
	N("key-other", "badRequest", "content key for another's key", block,
	    BLOCK_OTHER_KEY),
	N("block-type-1", "badRequest", "PKCS#1 block type 1", block,
	    BLOCK_TYPE1),
	N("block-no-zero", "badRequest", "PKCS#1 block without separator",
	    block, BLOCK_NO_ZERO),
	N("block-early-zero", "badRequest", "PKCS#1 padding of 3 bytes", block,
	    BLOCK_EARLY_ZERO),
	N("block-short", "badRequest", "encrypted key of 100 bytes", block,
	    BLOCK_SHORT),
	N("block-cut", "badRequest", "encrypted key 20 bytes short", block,
	    BLOCK_CUT),
	N("block-large", "badRequest", "encrypted key above the modulus", block,
	    BLOCK_LARGE),
	/* PKCS#10 (C-106 to C-117, C-161, C-163, C-178, C-195) */
	N("csr-bad-signature", "badRequest", "a bit of the CSR's signature",
	    csr_unsigned, 1),
	N("csr-two-challenges", "badRequest", "challengePassword twice",
	    challenge_form, CHALLENGE_TWO),
	N("csr-two-values", "badRequest", "challengePassword with two values",
	    challenge_form, CHALLENGE_TWO_VALUES),
	N("csr-integer", "badRequest", "challengePassword an INTEGER",
	    challenge_form, CHALLENGE_INTEGER),
	N("csr-long-challenge", "badRequest", "challengePassword of 300",
	    challenge_form, CHALLENGE_LONG),
	N("csr-no-challenge", "badRequest", "no challengePassword",
	    challenge_form, CHALLENGE_NONE),
	N("csr-no-attributes", "badRequest", "no attributes [0]",
	    challenge_form, CHALLENGE_NO_ATTRS),
	T("csr-empty-challenge", "badRequest", "empty challengePassword",
	    challenge, ""),
	T("csr-wrong-challenge", "badRequest", "another challengePassword",
	    challenge, "not the right one"),
	N("csr-version-1", "ok", "CSR version 1", csr_version, 1),
	N("csr-version-2", "ok", "CSR version 2, as Apple's", csr_version, 2),
	N("csr-version-9", "badRequest", "CSR version 9", csr_version, 9),
	N("csr-ber", "ok", "CSR of indefinite length", csr_ber, 1),
	T("csr-md5", "badAlg", "CSR signed with MD5", csr_digest, "MD5"),
	T("csr-sha1", "ok", "CSR signed with SHA-1", csr_digest, "SHA1"),
	N("csr-huge-key", "badRequest", "CSR's modulus of 16384 bits", csr_key,
	    KEY_HUGE),
	N("csr-key-other", "badRequest", "CSR for a key that did not sign it",
	    csr_key, KEY_NOBODYS),
	N("csr-e-1", "badRequest", "CSR's exponent 1", csr_key, KEY_E_ONE),
	/* names that must not come into a certificate */
	N("csr-subject-oid-open", "badRequest", "an OID that does not end",
	    subject_form, SUBJECT_OID_OPEN),
	N("csr-subject-oid-padded", "badRequest", "an OID with a leading 0x80",
	    subject_form, SUBJECT_OID_PADDED),
	N("csr-subject-oid-empty", "badRequest", "an OID without bytes",
	    subject_form, SUBJECT_OID_EMPTY),
	N("csr-subject-oid-long", "badRequest", "an OID of 300 bytes",
	    subject_form, SUBJECT_OID_LONG),
	N("csr-subject-boolean", "badRequest", "an empty BOOLEAN as value",
	    subject_form, SUBJECT_BOOLEAN),
	N("csr-subject-nul", "badRequest", "a PrintableString of 00 ff",
	    subject_form, SUBJECT_NUL),
	N("csr-subject-utf8", "badRequest", "a UTF8String cut in a letter",
	    subject_form, SUBJECT_UTF8),
	N("csr-subject-length", "badRequest", "a length of one byte too many",
	    subject_form, SUBJECT_LENGTH),
	N("csr-subject-empty-set", "badRequest", "an RDN without attributes",
	    subject_form, SUBJECT_EMPTY_SET),
	N("csr-subject-many", "badRequest", "70 further attributes",
	    subject_form, SUBJECT_MANY),
	N("csr-subject-huge", "badRequest", "an O of 120000 bytes",
	    subject_form, SUBJECT_HUGE),
	N("csr-san-nul", "badRequest", "a NUL in a dNSName", san_form, SAN_NUL),
	N("csr-san-address", "badRequest", "an iPAddress of 5 bytes", san_form,
	    SAN_ADDRESS),
	N("csr-san-unknown", "badRequest", "an x400Address", san_form,
	    SAN_UNKNOWN),
	N("csr-san-length", "badRequest", "a length of one byte too many",
	    san_form, SAN_LENGTH),
	N("csr-san-name", "badRequest", "a directoryName with a BOOLEAN",
	    san_form, SAN_NAME),
	N("csr-san-many", "badRequest", "101 names", san_form, SAN_MANY),
	N("csr-san-two", "badRequest", "two different subjectAltNames",
	    san_form, SAN_TWO),
	N("csr-san-huge", "badRequest", "a dNSName of 17000 bytes", san_form,
	    SAN_HUGE),
	N("csr-ca-rights", "ok", "asks for CA:TRUE, keyCertSign, an EKU",
	    csr_ca, 1),
};
#define FLAWS (sizeof(flaws) / sizeof(*flaws))

static void
apply(struct plan *p, const struct flaw *f)
{
	if (f->text != NULL)
		memcpy((char *)p + f->at, &f->text, sizeof(f->text));
	else
		memcpy((char *)p + f->at, &f->value, sizeof(f->value));
}

static const struct flaw *
find(const char *name, size_t len)
{
	for (size_t i = 0; i < FLAWS; i++)
		if (strlen(flaws[i].name) == len &&
		    strncmp(flaws[i].name, name, len) == 0)
			return &flaws[i];
	die("no such --break; --list-breaks names them");
}

void
flaws_apply(struct plan *p, const char *names)
{
	while (*names != '\0') {
		size_t len = strcspn(names, ",");

		apply(p, find(names, len));
		names += len;
		names += *names == ',';
	}
}

int
flaws_list(void)
{
	for (size_t i = 0; i < FLAWS; i++)
		printf("%s\t%s\t%s\n", flaws[i].name, flaws[i].answer,
		    flaws[i].what);
	return 0;
}
