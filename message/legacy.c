#include "message/legacy.h"

#include <openssl/provider.h>

#include "base/log.h"

/*
 * Loading any provider by hand ends the silent loading of the default one,
 * so that is loaded by hand too, and first.
 */
bool
legacy_load(void)
{
	static bool tried, loaded;

	if (tried)
		return loaded;
	tried = true;
	loaded = OSSL_PROVIDER_load(NULL, "default") != NULL &&
		 OSSL_PROVIDER_load(NULL, "legacy") != NULL;
	if (!loaded)
		log_openssl("OpenSSL's legacy provider cannot be loaded, so "
			    "single DES cannot be served; its module "
			    "legacy.so comes with OpenSSL, and "
			    "OPENSSL_MODULES names another folder");
	return loaded;
}
