#include "ca/profile.h"

#include <openssl/x509v3.h>
#include <strings.h>

#include "ca/attr.h"

/*
 * A leaf's key usages; keyCertSign and cRLSign are a CA's and have no word
 * here (C-178).
 */
static const struct {
	const char *name;
	unsigned bit;
} usages[] = {
	{ "digitalSignature", KU_DIGITAL_SIGNATURE },
	{ "nonRepudiation", KU_NON_REPUDIATION },
	{ "keyEncipherment", KU_KEY_ENCIPHERMENT },
	{ "dataEncipherment", KU_DATA_ENCIPHERMENT },
	{ "keyAgreement", KU_KEY_AGREEMENT },
	{ "contentCommitment", KU_NON_REPUDIATION },
};

struct word {
	const char *name, *oid;
};
static const struct word ekus[] = {
	{ "serverAuth", "1.3.6.1.5.5.7.3.1" },
	{ "clientAuth", "1.3.6.1.5.5.7.3.2" },
	{ "codeSigning", "1.3.6.1.5.5.7.3.3" },
	{ "emailProtection", "1.3.6.1.5.5.7.3.4" },
	{ "ipsecEndSystem", "1.3.6.1.5.5.7.3.5" },
	{ "ipsecTunnel", "1.3.6.1.5.5.7.3.6" },
	{ "ipsecUser", "1.3.6.1.5.5.7.3.7" },
	{ "timeStamping", "1.3.6.1.5.5.7.3.8" },
	{ "OCSPSigning", "1.3.6.1.5.5.7.3.9" },
	{ "ipsecIKE", "1.3.6.1.5.5.7.3.17" },
	{ "ikeIntermediate", "1.3.6.1.5.5.8.2.2" },
	{ "pkinitClient", "1.3.6.1.5.2.3.4" },
	{ "smartcardLogon", "1.3.6.1.4.1.311.20.2.2" },
	{ "anyExtendedKeyUsage", "2.5.29.37.0" },
};
static const struct word copies[] = {
	{ "sid", "1.3.6.1.4.1.311.25.2" },
	{ "tlsFeature", "1.3.6.1.5.5.7.1.24" },
};
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

bool
usage_read(const char *word, unsigned *bit)
{
	for (size_t i = 0; i < COUNT(usages); i++) {
		if (strcasecmp(usages[i].name, word) == 0) {
			*bit = usages[i].bit;
			return true;
		}
	}
	return false;
}

enum err
usage_text(unsigned bits, struct buf *out)
{
	for (size_t i = 0; i < COUNT(usages); i++) {
		if ((bits & usages[i].bit) == 0)
			continue;
		bits &= ~usages[i].bit;
		if (!buf_printf(
			out, "%s%s", out->len > 0 ? ", " : "", usages[i].name))
			return ERR_SYSTEM;
	}
	return OK;
}

/* A word of the table, or a dotted OID as it is. */
static const char *
find(const struct word *words, size_t n, const char *word)
{
	uint8_t oid[MAX_OID];
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (strcasecmp(words[i].name, word) == 0)
			return words[i].oid;
	return oid_read(word, oid, &len) ? word : NULL;
}

const char *
eku_read(const char *word)
{
	return find(ekus, COUNT(ekus), word);
}

const char *
copy_read(const char *word)
{
	return find(copies, COUNT(copies), word);
}

const char *
eku_name(const char *oid)
{
	for (size_t i = 0; i < COUNT(ekus); i++)
		if (strcasecmp(ekus[i].oid, oid) == 0)
			return ekus[i].name;
	return oid;
}
