#include "builder.h"

#include <string.h>

/*
 * What each field of a pkiMessage, wrong in each way, is answered with: a
 * letter for each of ways[], as post_letter() has them.
 *
 *	4  HTTP 400: what has no transactionID or nonce, or no shape
 *	M  badMessageCheck: signature, digest, signer's certificate
 *	A  badAlg: an algorithm that is not known, or not admitted
 *	R  badRequest: all that lies behind the envelope, and its own shape
 *	C  badCertId: a well-formed question for what is not there
 *	S  SUCCESS: BER where DER is not demanded; fields that are not looked at
 *	   (C-51, C-76: all of a self-signed certificate but key, issuer and
 *	   serial; versions; names that the entity's record overrides)
 */
static const char *const ways[] = { "missing", "doubled", "type", "null",
	"truncated", "empty", "oversized", "trailing", "flipped", "wrapped",
	"open", "lying", "long" };
#define WAYS (sizeof(ways) / sizeof(*ways))

/* A field by its place in the tree: the number of the child on each level. */
static const struct field {
	const char *type, *region, *path;
	const char *answers; /* in the order of ways[] */
	const char *name;    /* for people */
} fields[] = {
	/* clang-format off */
	{ "PKCSReq", "message", ".", "44444444M4S4S", "ContentInfo" },
	{ "PKCSReq", "message", "0", "4444444444S4S", "contentType" },
	{ "PKCSReq", "message", "1", "44444444M4S4S", "content [0]" },
	{ "PKCSReq", "message", "1.0", "44444444M4S4S", "SignedData" },
	{ "PKCSReq", "message", "1.0.0", "4444444444S4S", "version" },
	{ "PKCSReq", "message", "1.0.1", "44444SSS44S4S", "digestAlgorithms" },
	{ "PKCSReq", "message", "1.0.1.0", "SSSS4SSS4SS4S", "in digestAlgorithms" },
	{ "PKCSReq", "message", "1.0.1.0.0", "SSSSSSSSSSS4S", "in digestAlgorithms" },
	{ "PKCSReq", "message", "1.0.1.0.1", "SSSSSSSSSSS4S", "in digestAlgorithms" },
	{ "PKCSReq", "message", "1.0.2", "44444444M4S4S", "encapContentInfo" },
	{ "PKCSReq", "message", "1.0.2.0", "4444MMMMM4S4S", "eContentType" },
	{ "PKCSReq", "message", "1.0.2.1", "M4444444M4S4S", "eContent [0]" },
	{ "PKCSReq", "message", "1.0.3", "M4444MSSS4S4S", "certificates [0]" },
	{ "PKCSReq", "message", "1.0.3.0", "MSMM4MMMSMS4S", "Certificate" },
	{ "PKCSReq", "message", "1.0.3.0.0", "MMMM4MSSSMS4S", "tbsCertificate" },
	{ "PKCSReq", "message", "1.0.3.0.0.0", "SMMM4SSSSMS4S", "version [0]" },
	{ "PKCSReq", "message", "1.0.3.0.0.0.0", "SSSSSSSSSSS4S", "version" },
	{ "PKCSReq", "message", "1.0.3.0.0.1", "MMMMMMMMMMSMS", "serialNumber" },
	{ "PKCSReq", "message", "1.0.3.0.0.2", "MMMM4SSS4SS4S", "signature" },
	{ "PKCSReq", "message", "1.0.3.0.0.2.0", "SSSSSSSSSSS4S", "in signature" },
	{ "PKCSReq", "message", "1.0.3.0.0.2.1", "SSSSSSSSSSS4S", "in signature" },
	{ "PKCSReq", "message", "1.0.3.0.0.3", "MMMM4MMMMMS4S", "issuer" },
	{ "PKCSReq", "message", "1.0.3.0.0.3.0", "MMMM4MMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.3.0.0.3.0.0", "MMMM4MMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.3.0.0.3.0.0.0", "MMMMMMMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.3.0.0.3.0.0.1", "MMMMMMMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.3.0.0.3.1", "MMMM4MMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.3.0.0.3.1.0", "MMMM4MMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.3.0.0.3.1.0.0", "MMMMMMMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.3.0.0.3.1.0.1", "MMMMMMMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.3.0.0.4", "MMMM4SSSSSS4S", "validity" },
	{ "PKCSReq", "message", "1.0.3.0.0.4.0", "SSSSSSSSSSS4S", "in validity" },
	{ "PKCSReq", "message", "1.0.3.0.0.4.1", "SSSSSSSSSSS4S", "in validity" },
	{ "PKCSReq", "message", "1.0.3.0.0.5", "MMMM4SSSSSS4S", "subject" },
	{ "PKCSReq", "message", "1.0.3.0.0.5.0", "SSSS4SSSSSS4S", "in subject" },
	{ "PKCSReq", "message", "1.0.3.0.0.5.0.0", "SSSS4SSSSSS4S", "in subject" },
	{ "PKCSReq", "message", "1.0.3.0.0.5.0.0.0", "SSSSSSSSSSS4S", "in subject" },
	{ "PKCSReq", "message", "1.0.3.0.0.5.0.0.1", "SSSSSSSSSSS4S", "in subject" },
	{ "PKCSReq", "message", "1.0.3.0.0.5.1", "SSSS4SSSSSS4S", "in subject" },
	{ "PKCSReq", "message", "1.0.3.0.0.5.1.0", "SSSS4SSSSSS4S", "in subject" },
	{ "PKCSReq", "message", "1.0.3.0.0.5.1.0.0", "SSSSSSSSSSS4S", "in subject" },
	{ "PKCSReq", "message", "1.0.3.0.0.5.1.0.1", "SSSSSSSSSSS4S", "in subject" },
	{ "PKCSReq", "message", "1.0.3.0.0.6", "MSMM4MMMMMS4S", "subjectPublicKeyInfo" },
	{ "PKCSReq", "message", "1.0.3.0.0.6.0", "MMMM4MMM4MS4S", "its algorithm" },
	{ "PKCSReq", "message", "1.0.3.0.0.6.0.0", "MMMMAAAAAMS4S", "in its algorithm" },
	{ "PKCSReq", "message", "1.0.3.0.0.6.0.1", "SMMSSSMMSMS4S", "in its algorithm" },
	{ "PKCSReq", "message", "1.0.3.0.0.6.1", "MMMMMMMMMMS4S", "its key" },
	{ "PKCSReq", "message", "1.0.3.0.0.7", "SSSS4SSSSSS4S", "extensions [3]" },
	{ "PKCSReq", "message", "1.0.3.0.0.7.0", "SSSS4SSSSSS4S", "in extensions [3]" },
	{ "PKCSReq", "message", "1.0.3.0.0.7.0.0", "SSSS4SSSSSS4S", "in extensions [3]" },
	{ "PKCSReq", "message", "1.0.3.0.0.7.0.0.0", "SSSSSSSSSSS4S", "in extensions [3]" },
	{ "PKCSReq", "message", "1.0.3.0.0.7.0.0.1", "SSSSSSSSSSS4S", "in extensions [3]" },
	{ "PKCSReq", "message", "1.0.3.0.1", "MMMM4SSS4SS4S", "signatureAlgorithm" },
	{ "PKCSReq", "message", "1.0.3.0.1.0", "SSSSSSSSSSS4S", "in signatureAlgorithm" },
	{ "PKCSReq", "message", "1.0.3.0.1.1", "SSSSSSSSSSS4S", "in signatureAlgorithm" },
	{ "PKCSReq", "message", "1.0.3.0.2", "MMMMSSSSSMS4S", "signatureValue" },
	{ "PKCSReq", "message", "1.0.4", "44444444M4S4S", "signerInfos" },
	{ "PKCSReq", "message", "1.0.4.0", "44444444M4S4S", "SignerInfo" },
	{ "PKCSReq", "message", "1.0.4.0.0", "4444444444S4S", "version" },
	{ "PKCSReq", "message", "1.0.4.0.1", "44444444M4S4S", "sid" },
	{ "PKCSReq", "message", "1.0.4.0.1.0", "44444MMMMMS4S", "issuer" },
	{ "PKCSReq", "message", "1.0.4.0.1.0.0", "MMMM4MMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.4.0.1.0.0.0", "MMMM4MMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.4.0.1.0.0.0.0", "MMMMMMMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.4.0.1.0.0.0.1", "MMMMMMMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.4.0.1.0.1", "MMMM4MMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.4.0.1.0.1.0", "MMMM4MMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.4.0.1.0.1.0.0", "MMMMMMMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.4.0.1.0.1.0.1", "MMMMMMMMMMS4S", "in issuer" },
	{ "PKCSReq", "message", "1.0.4.0.1.1", "4444M4MMM4S4S", "serialNumber" },
	{ "PKCSReq", "message", "1.0.4.0.2", "4444444444S4S", "digestAlgorithm" },
	{ "PKCSReq", "message", "1.0.4.0.2.0", "4444AAAAA4S4S", "in digestAlgorithm" },
	{ "PKCSReq", "message", "1.0.4.0.2.1", "S4ASSSAASAS4S", "in digestAlgorithm" },
	{ "PKCSReq", "message", "1.0.4.0.4", "4444444444S4S", "signatureAlgorithm" },
	{ "PKCSReq", "message", "1.0.4.0.4.0", "4444AAAAA4S4S", "in signatureAlgorithm" },
	{ "PKCSReq", "message", "1.0.4.0.4.1", "S4ASSSAASAS4S", "in signatureAlgorithm" },
	{ "PKCSReq", "message", "1.0.4.0.5", "4444MMMMM4S4S", "signature" },
	{ "PKCSReq", "attributes", ".", "44444444S4M4S", "signedAttrs [0]" },
	{ "PKCSReq", "attributes", "0", "RR444444R4M4S", "messageType" },
	{ "PKCSReq", "attributes", "0.0", "4444RRRRR4S4S", "messageType: type" },
	{ "PKCSReq", "attributes", "0.1", "44444RRRR4M4S", "messageType: values" },
	{ "PKCSReq", "attributes", "0.1.0", "RRRRRRRRRRS4S", "messageType: value" },
	{ "PKCSReq", "attributes", "1", "MM444444M4M4S", "contentType" },
	{ "PKCSReq", "attributes", "1.0", "4444MMMMM4S4S", "contentType: type" },
	{ "PKCSReq", "attributes", "1.1", "44444MMMM4M4S", "contentType: values" },
	{ "PKCSReq", "attributes", "1.1.0", "MMMMMMMMMMS4S", "contentType: value" },
	{ "PKCSReq", "attributes", "2", "44444444S4M4S", "senderNonce" },
	{ "PKCSReq", "attributes", "2.0", "4444444444S4S", "senderNonce: type" },
	{ "PKCSReq", "attributes", "2.1", "44444444S4M4S", "senderNonce: values" },
	{ "PKCSReq", "attributes", "2.1.0", "4444S44SS4S4S", "senderNonce: value" },
	{ "PKCSReq", "attributes", "3", "MM444444M4M4S", "messageDigest" },
	{ "PKCSReq", "attributes", "3.0", "4444MMMMM4S4S", "messageDigest: type" },
	{ "PKCSReq", "attributes", "3.1", "44444MMMM4M4S", "messageDigest: values" },
	{ "PKCSReq", "attributes", "3.1.0", "MMMMMMMMMMS4S", "messageDigest: value" },
	{ "PKCSReq", "attributes", "4", "44444444S4M4S", "transactionID" },
	{ "PKCSReq", "attributes", "4.0", "4444444444S4S", "transactionID: type" },
	{ "PKCSReq", "attributes", "4.1", "44444444S4M4S", "transactionID: values" },
	{ "PKCSReq", "attributes", "4.1.0", "4444S44SS4S4S", "transactionID: value" },
	{ "PKCSReq", "envelope", ".", "RRRRRRRRRRSRS", "ContentInfo" },
	{ "PKCSReq", "envelope", "0", "RRRRRRRRRRSRS", "contentType" },
	{ "PKCSReq", "envelope", "1", "RRRRRRRRRRSRS", "content [0]" },
	{ "PKCSReq", "envelope", "1.0", "RRRRRRRRRRSRS", "EnvelopedData" },
	{ "PKCSReq", "envelope", "1.0.0", "RRRRRRRRSRSRS", "version" },
	{ "PKCSReq", "envelope", "1.0.1", "RRRRRRSSRRSRS", "recipientInfos" },
	{ "PKCSReq", "envelope", "1.0.1.0", "RRRRRRRRRRSRS", "KeyTransRecipientInfo" },
	{ "PKCSReq", "envelope", "1.0.1.0.0", "RRRRRRRRSRSRS", "version" },
	{ "PKCSReq", "envelope", "1.0.1.0.1", "RRRRRRRRRRSRS", "rid" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0", "RRRRRRRRRRSRS", "issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.0", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.0.0", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.0.0.0", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.0.0.1", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.1", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.1.0", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.1.0.0", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.1.0.1", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.2", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.2.0", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.2.0.0", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.0.2.0.1", "RRRRRRRRRRSRS", "in issuer" },
	{ "PKCSReq", "envelope", "1.0.1.0.1.1", "RRRRRRRRRRSRS", "serialNumber" },
	{ "PKCSReq", "envelope", "1.0.1.0.2", "RRRRRRRRRRSRS", "keyEncryptionAlgorithm" },
	{ "PKCSReq", "envelope", "1.0.1.0.2.0", "RRRRAAAAARSRS", "in keyEncryptionAlgorithm" },
	{ "PKCSReq", "envelope", "1.0.1.0.2.1", "SRSSSSSSSSSRS", "in keyEncryptionAlgorithm" },
	{ "PKCSReq", "envelope", "1.0.1.0.3", "RRRRRRRRRRSRS", "encryptedKey" },
	{ "PKCSReq", "envelope", "1.0.2", "RRRRRRRRRRSRS", "encryptedContentInfo" },
	{ "PKCSReq", "envelope", "1.0.2.0", "RRRRSSSSSRSRS", "contentType" },
	{ "PKCSReq", "envelope", "1.0.2.1", "RRRRRRRRRRSRS", "contentEncryptionAlgorithm" },
	{ "PKCSReq", "envelope", "1.0.2.1.0", "RRRRAAAAARSRS", "in contentEncryptionAlgorithm" },
	{ "PKCSReq", "envelope", "1.0.2.1.1", "RRRRRRRRRRSRS", "in contentEncryptionAlgorithm" },
	{ "PKCSReq", "envelope", "1.0.2.2", "RRRRRRRRRRSRS", "encryptedContent [0]" },
	{ "PKCSReq", "content", ".", "RRRRRRRRRRSRS", "what is encrypted" },
	{ "PKCSReq", "content", "1", "RRRRRRRRRRSRS", "signatureAlgorithm" },
	{ "PKCSReq", "content", "1.0", "RRRRRRRRRRSRS", "its OID" },
	{ "PKCSReq", "content", "1.1", "SRRSSSRRSRSRS", "its parameters" },
	{ "PKCSReq", "content", "2", "RRRRRRRRRRSRS", "signature" },
	{ "PKCSReq", "csr", ".", "RRRRRRRRSRRRS", "certificationRequestInfo" },
	{ "PKCSReq", "csr", "0", "RRRRRRRRSRSRS", "version" },
	{ "PKCSReq", "csr", "1", "RRRRRRRRSRRRS", "subject" },
	{ "PKCSReq", "csr", "1.0", "RSRRRRRRRRRRS", "in subject" },
	{ "PKCSReq", "csr", "1.0.0", "RSRRRRRRRRRRS", "in subject" },
	{ "PKCSReq", "csr", "1.0.0.0", "RRRRRRRRRRSRS", "in subject" },
	{ "PKCSReq", "csr", "1.0.0.1", "RRRRRRRRRRSRS", "in subject" },
	{ "PKCSReq", "csr", "1.1", "SSRRRRRRSRRRS", "in subject" },
	{ "PKCSReq", "csr", "1.1.0", "RSRRRRRRSRRRS", "in subject" },
	{ "PKCSReq", "csr", "1.1.0.0", "RRRRSSRSSRSRS", "in subject" },
	{ "PKCSReq", "csr", "1.1.0.1", "RRSSSSRSSSSRS", "in subject" },
	{ "PKCSReq", "csr", "2", "RRRRRRRRRRRRR", "subjectPKInfo" },
	{ "PKCSReq", "csr", "2.0", "RRRRRRRRRRRRR", "its algorithm" },
	{ "PKCSReq", "csr", "2.0.0", "RRRRRRRRRRSRR", "in its algorithm" },
	{ "PKCSReq", "csr", "2.0.1", "SRRSSSRRSRSRR", "in its algorithm" },
	{ "PKCSReq", "csr", "2.1", "RRRRRRRRRRSRR", "its key" },
	{ "PKCSReq", "csr", "3", "RRRRRRRRSRRRS", "attributes [0]" },
	{ "PKCSReq", "csr", "3.0", "RRRRRRRRRRRRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.0.0", "RRRRRRRRRRSRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.0.1", "RRRRRRRRRRRRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.0.1.0", "RRRRRRRRRRSRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.1", "SSRRRRRRSRRRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.1.0", "RRRRSSSSSRSRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.1.1", "RRRRRRRRSRRRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.1.1.0", "RRRRRSRRSRRRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.1.1.0.0", "SSRRRRRRSRRRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.1.1.0.0.0", "RRRRSSSSSRSRS", "in attributes [0]" },
	{ "PKCSReq", "csr", "3.1.1.0.0.1", "RRRRRRRRSRSRS", "in attributes [0]" },
	{ "GetCert", "content", ".", "CCCCCCCCCCCCC", "what is encrypted" },
	{ "GetCert", "content", "0", "CCCCCCCCCCCCC", "issuer" },
	{ "GetCert", "content", "0.0", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.0.0", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.0.0.0", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.0.0.1", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.1", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.1.0", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.1.0.0", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.1.0.1", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.2", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.2.0", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.2.0.0", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "0.2.0.1", "CCCCCCCCCCCCC", "in issuer" },
	{ "GetCert", "content", "1", "CCCCCCCCCCCCC", "serialNumber" },
	{ "GetCRL", "content", ".", "CCCCCCCCSCSCS", "what is encrypted" },
	{ "GetCRL", "content", "0", "CCCCCCCCCCSCC", "issuer" },
	{ "GetCRL", "content", "0.0", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.0.0", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.0.0.0", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.0.0.1", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.1", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.1.0", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.1.0.0", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.1.0.1", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.2", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.2.0", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.2.0.0", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "0.2.0.1", "CCCCCCCCCCSCC", "in issuer" },
	{ "GetCRL", "content", "1", "CCCCSCCSSCSCS", "serialNumber" },
	/* clang-format on */
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

static const struct field *
find(const char *type, const char *region, const char *path)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (strcmp(fields[i].type, type) == 0 &&
		    strcmp(fields[i].region, region) == 0 &&
		    strcmp(fields[i].path, path) == 0)
			return &fields[i];
	die("a field that the table does not have");
}

const char *
field_name(const char *type, const char *region, const char *path)
{
	return find(type, region, path)->name;
}

char
field_answer(
    const char *type, const char *region, const char *path, const char *way)
{
	const struct field *f = find(type, region, path);

	for (size_t i = 0; i < WAYS; i++)
		if (strcmp(ways[i], way) == 0)
			return f->answers[i];
	die("a way that the table does not have");
}
