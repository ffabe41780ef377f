#include "builder.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>

/*
 * An envelope under a password, made by OpenSSL's CMS alone: its key is
 * wrapped with the content's cipher.
 */
struct bytes
password_envelope(const struct plan *p, struct bytes content)
{
	static const struct {
		const char *name;
		const EVP_CIPHER *(*evp)(void);
	} ciphers[] = {
		{ "aes128", EVP_aes_128_cbc },
		{ "aes192", EVP_aes_192_cbc },
		{ "aes256", EVP_aes_256_cbc },
		{ "des3", EVP_des_ede3_cbc },
	};
	const char *n = p->o->iterations;
	int iterations = n != NULL ? (int)strtol(n, NULL, 10) : -1;
	const EVP_CIPHER *evp = NULL;
	unsigned char *der = NULL;
	unsigned char *secret = (unsigned char *)OPENSSL_strdup(p->o->password);
	BIO *in = BIO_new_mem_buf(content.p, (int)content.n);
	CMS_ContentInfo *cms;
	int len;

	for (size_t i = 0; i < sizeof(ciphers) / sizeof(*ciphers); i++)
		if (strcmp(ciphers[i].name, p->cipher) == 0)
			evp = ciphers[i].evp();
	if (evp == NULL || in == NULL || secret == NULL)
		die("no such --cipher under a password");
	cms = CMS_encrypt(NULL, NULL, evp, CMS_BINARY | CMS_PARTIAL);
	if (cms == NULL ||
	    CMS_add0_recipient_password(cms, iterations, NID_undef, NID_undef,
		secret, -1, NULL) == NULL ||
	    CMS_final(cms, in, NULL, CMS_BINARY) != 1)
		die("an envelope under a password");
	len = i2d_CMS_ContentInfo(cms, &der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	return take(der, len);
}
