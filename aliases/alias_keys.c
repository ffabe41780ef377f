#include <string.h>

#include "aliases/alias.h"

/* What aliases/example.ini and scep-alias(5) tell at length. */
const struct alias_key alias_keys[] = {
	{ "scep", "operationmode", NULL,
	    "ca: registered entities enrol with their codes; ra: requests "
	    "with the alias's secret make entities; must be written out" },
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
	{ NULL, NULL, NULL, NULL },
};

bool
alias_key_secret(const char *section, const char *key)
{
	return strcmp(section, "ra") == 0 && strcmp(key, "authpwd") == 0;
}
