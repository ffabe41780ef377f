#include <string.h>

#include "aliases/alias.h"

/* What aliases/example.ini and scep-alias(5) tell at length. */
const struct alias_key alias_keys[] = {
	{ "scep", "operationmode", NULL,
	    "ca: registered entities enrol with their codes; ra: requests "
	    "with the alias's secret make entities; proxy: everything is "
	    "passed on; externalra: a CA elsewhere fetches the requests; must "
	    "be written out" },
	{ "scep", "cas", NULL,
	    "names of the CAs that this alias serves, separated by commas; "
	    "must be written out, but in RA mode" },
	{ "scep", "defaultca", "the first of cas",
	    "the CA of GetCACert and GetCACaps where the client names none "
	    "that is known" },
	{ "scep", "includeca", "no",
	    "put the issuing CA's certificate behind the issued one" },
	{ "scep", "sha1", "yes", "admit SHA-1 in messages and requests" },
	{ "scep", "des3", "yes", "admit triple DES for message content" },
	{ "scep", "legacy", "no",
	    "admit MD5, single DES and signer keys from 512 bits, for clients "
	    "of twenty years ago" },
	{ "scep", "cutusername", "yes",
	    "the username ends at the first space of the request's CN; CA "
	    "mode" },
	{ "scep", "samekey", "yes",
	    "the message's signer and the request must have the same key" },
	{ "scep", "returncachainingetcacert", "yes",
	    "GetCACert returns the CA's issuers too" },
	{ "scep", "chainorder", "issuer-first",
	    "issuer-first or root-first: the order of GetCACert" },
	{ "scep", "chainroot", "yes",
	    "GetCACert returns a self-signed issuer too" },
	{ "scep", "strictkeyusage", "no",
	    "serve no CA or RA certificate without the key usages of SCEP" },
	{ "scep", "profile", "ENDUSER",
	    "certificate profile of entities that name none; CA mode" },
	{ "scep", "getcert", "owner",
	    "who gets an issued certificate by GetCert: owner, who signs with "
	    "its key; any; or no, nobody" },
	{ "scep", "getcrl", "yes", "answer GetCRL" },
	{ "scep", "clientcertificaterenewal", "yes",
	    "admit renewals: requests signed by an issued certificate" },
	{ "scep", "clientcertificaterenewalwitholdkey", "no",
	    "admit renewals whose new certificate has the old key" },
	{ "ra", "defaultca", NULL,
	    "the CA of this alias; must be written out in RA mode" },
	{ "ra", "authpwd", NULL,
	    "the secret that requests bring, or none: no check; it or "
	    "authpwdfile must be written out in RA mode" },
	{ "ra", "authpwdfile", "none",
	    "the file whose first line is the secret" },
	{ "ra", "entityprofile", "EMPTY",
	    "end-entity profile of the entities that requests make" },
	{ "ra", "certificateprofile", "ENDUSER",
	    "certificate profile of the entities that requests make" },
	{ "ra", "namegenerationscheme", "DN",
	    "whence the username comes: DN, USERNAME, RANDOM or FIXED" },
	{ "ra", "namegenerationparameters", "CN",
	    "DN: attributes of the subject, UID;SN;CN, of which the first that "
	    "is there counts; FIXED: the name" },
	{ "ra", "namegenerationprefix", "",
	    "stands before the name; ${RANDOM} is 12 letters and digits" },
	{ "ra", "namegenerationpostfix", "", "stands behind the name" },
	{ "ra", "existing", "renew",
	    "a username that is there already: renew, its certificate must "
	    "sign; edit, it is overwritten; or refuse" },
	{ "approval", "required", "0",
	    "how many people must approve a request; must be written out in "
	    "RA mode" },
	{ "approval", "renewals", "no", "renewals need approval too" },
	{ "approval", "expiry", "30d", "how long a request waits" },
	{ "approval", "denied", "7d", "how long a denial is remembered" },
	{ "approval", "limit", "1000", "how many requests may wait" },
	{ "approval", "persource", "0",
	    "how many of one address may wait; 0: any number" },
	{ "renewal", "window", "50%",
	    "renewal is admitted when so much of the life is over, or so long "
	    "before its end, as 30d" },
	{ "renewal", "renewalignore", "unstructuredName,serialNumber",
	    "attributes of the subject that may differ in a renewal" },
	{ "renewal", "supersede", "no",
	    "revoke the old certificate: no; 7d, so long after; or used, when "
	    "the new one was used" },
	{ "renewal", "cas", "none",
	    "further CAs of this home whose certificates may sign a renewal" },
	{ "renewal", "challenge", "no",
	    "a renewal needs a right challenge too" },
	{ "challenge", "judge", "entity; in RA mode secret",
	    "who says yes to a request: entity, secret, onetime, program, web "
	    "or intune" },
	{ "challenge", "ttl", "60m", "how long a new one-time code is good" },
	{ "challenge", "page", "no",
	    "make one-time codes on a page as NDES has it, for users whom the "
	    "web server has verified" },
	{ "program", "path", NULL,
	    "the program that judges; must be written out with judge = "
	    "program" },
	{ "program", "timeout", "10s", "how long it may take" },
	{ "web", "url", NULL,
	    "the service that judges, https://...; must be written out with "
	    "judge = web" },
	{ "web", "id", "the alias's name",
	    "the name that we give to ourselves: X-Smallstep-Webhook-ID" },
	{ "web", "secretfile", "none",
	    "file of the base64 key that signs what is sent" },
	{ "web", "bearerfile", "none", "file of the token that is sent along" },
	{ "web", "clientcert", "none", "PEM file of our certificate" },
	{ "web", "clientkey", "none", "PEM file of its key" },
	{ "web", "cafile", "the system's",
	    "PEM file of the CAs that its certificate may come from" },
	{ "web", "pin", "none", "sha256//... of its public key" },
	{ "web", "timeout", "10s", "how long it may take" },
	{ "intune", "tenant", NULL,
	    "the directory's name; must be written out with judge = intune" },
	{ "intune", "aadappid", NULL,
	    "the application's id; must be written out with judge = intune" },
	{ "intune", "aadappkey", "none", "the application's secret" },
	{ "intune", "aadappkeyfile", "none",
	    "the file whose first line is that secret" },
	{ "intune", "aadusekeybinding", "no",
	    "prove who we are by a certificate instead of the secret" },
	{ "intune", "aadkeybinding", "none",
	    "PEM file of that certificate and its key" },
	{ "intune", "authority", "https://login.microsoftonline.com/",
	    "where tokens come from" },
	{ "intune", "resourceurl", "https://api.manage.microsoft.com/",
	    "what the tokens are for" },
	{ "intune", "graphapiversion", "v1.0", "version of the directory" },
	{ "intune", "graphresourceurl", "https://graph.microsoft.com/",
	    "where the services are looked up" },
	{ "intune", "proxyhost", "none", "HTTP proxy on the way out" },
	{ "intune", "proxyport", "none", "its port" },
	{ "intune", "proxyuser", "none", "our name there" },
	{ "intune", "proxypass", "none", "our password there" },
	{ "intune", "cafile", "the system's",
	    "PEM file of the CAs that their certificates may come from" },
	{ "intune", "timeout", "20s", "how long each call may take" },
	{ "proxy", "url", NULL,
	    "the alias that everything goes to, https://...; must be written "
	    "out in proxy mode" },
	{ "proxy", "clientcert", NULL,
	    "PEM file of our certificate; must be written out in proxy mode" },
	{ "proxy", "clientkey", NULL,
	    "PEM file of its key; must be written out in proxy mode" },
	{ "proxy", "cafile", "the system's",
	    "PEM file of the CAs that its certificate may come from" },
	{ "proxy", "pin", "none", "sha256//... of its public key" },
	{ "proxy", "timeout", "30s", "how long an answer may take" },
	{ "proxy", "keep", "1h",
	    "how long answers of GetCACert and GetCACaps are kept" },
	{ "queue", "ra", "none",
	    "PEM file of the certificates of the external RA whose requests "
	    "`scep queue pull` takes" },
	{ "queue", "target", "none",
	    "what those go through: ra, entities are made; or ca, entities "
	    "are registered; must be written out with ra" },
	{ "queue", "profiles", "none",
	    "certificate profiles, beside certificateprofile, that the RA's "
	    "judge may choose; with target = ra" },
	{ "queue", "limit", "1000",
	    "how many requests may wait; of an external RA" },
	{ "access", "peers", "everybody",
	    "subjects of the client certificates that alone may ask, between "
	    "semicolons" },
	{ NULL, NULL, NULL, NULL },
};

bool
alias_key_secret(const char *section, const char *key)
{
	static const char *const secrets[][2] = {
		{ "ra", "authpwd" },
		{ "intune", "aadappkey" },
		{ "intune", "proxypass" },
	};

	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		if (strcmp(section, secrets[i][0]) == 0 &&
		    strcmp(key, secrets[i][1]) == 0)
			return true;
	return false;
}
