#include "admin/ejbca.h"

/*
 * Commands of EJBCA's that are not here, each with what does that work here.
 * The first row that fits counts; verb NULL fits each verb, and none.
 */
static const struct {
	const char *noun, *verb, *what;
} rows[] = {
	{ "config", "cmp", "this server speaks SCEP alone" },
	{ "config", "est", "this server speaks SCEP alone" },
	{ "config", "acme", "this server speaks SCEP alone" },
	{ "config", "protocols",
	    "what is served is what the web server hands over, see README.md" },
	{ "config", NULL,
	    "settings are the files scep.ini, aliases/*.ini and "
	    "profiles/*.ini; `scep alias set` changes an alias" },
	{ "ra", "keyrecover",
	    "keys of devices never come here, so none can be recovered" },
	{ "ra", "keyrecovernewest",
	    "keys of devices never come here, so none can be recovered" },
	{ "ra", "listendentitiesbyca", "`scep entity list --ca NAME`" },
	{ "ra", "countusers", "`scep entity list | wc -l`" },
	{ "ra", "setendentitydataitem", "`scep entity set`" },
	{ "ra", "importprofiles", "`scep profile` and profiles/NAME.ini" },
	{ "ra", "changeeeprofile", "`scep entity set NAME --profile P`" },
	{ "ra", "changecertprofile", "`scep entity set NAME --profile P`" },
	{ "ca", "activateca",
	    "a CA is active while its key can be read; SCEP_KEY_PASSPHRASE or "
	    "[keys] passphrasefile in scep.ini opens an encrypted key" },
	{ "ca", "deactivateca",
	    "take the passphrase away and restart the workers, or take the CA "
	    "out of `cas` of its aliases" },
	{ "ca", "editca",
	    "`scep ca show` has what there is; certificates "
	    "are shaped by profiles/NAME.ini" },
	{ "ca", "importprofiles",
	    "write profiles/NAME.ini; `scep profile "
	    "show ENDUSER --ini` is a beginning" },
	{ "ca", "exportprofiles", "`scep profile show NAME --ini`" },
	{ "ca", "editcertificateprofile", "edit profiles/NAME.ini" },
	{ "ca", "listexpired",
	    "`scep cert list`; `scep status` warns before "
	    "a CA ends" },
	{ "ca", "republish",
	    "the server publishes itself: /crl/CA.crl and "
	    "/ca/CA.cer" },
	{ "ca", "importcertsfromfolder", "`scep cert import FOLDER`" },
	{ "ca", "importcertdir", "`scep cert import FOLDER`" },
	{ "ca", "importcrl", "`scep crl import FILE`" },
	{ "ca", "createcert", "`scep entity add` and a SCEP client" },
	{ "ca", "changecatoken",
	    "`scep ca create --encrypt-key`, or `scep ca "
	    "import` with the new key" },
	{ "ca", "removekeystore", "remove the folder ca/NAME of the home" },
	{ "ca", "restorekeystore", "`scep ca import NAME --pkcs12 FILE`" },
	{ "ca", "deltacrl", "there are no delta CRLs; `scep crl issue`" },
	{ "approval", NULL, "`scep request list`, `approve` and `deny`" },
	{ "roles", NULL,
	    "who may use the home's owner, or root by sudo, may "
	    "do all; the audit says who it was" },
	{ "cryptotoken", NULL,
	    "a CA has its key itself; `scep ca create "
	    "--key KIND --encrypt-key`" },
	{ "keybind", NULL, "`scep ca ra` makes keys and certificates of RAs" },
	{ "createcert", NULL, "`scep entity add` and a SCEP client" },
	{ "clearcache", NULL,
	    "nothing to do: files that change are read "
	    "again" },
	{ "healthcheck", NULL, "`scep status`" },
	{ "peer", NULL,
	    "there are no peers; several servers can share one "
	    "home" },
	{ "service", NULL,
	    "nothing runs by itself but the server; cron runs "
	    "`scep crl issue --due`" },
	{ "systemlog", NULL, "the log is standard error, see scep(1)" },
	{ "log", NULL, "`scep audit show`" },
	{ "encryptpwd", NULL,
	    "secrets stand in files of their own, whose "
	    "mode protects them" },
	{ "upgrade", NULL, "nothing to do" },
	{ "batch", NULL,
	    "`scep entity import FILE` registers many; keys are "
	    "made by the devices" },
	{ "createcrl", NULL, "`scep ca createcrl`" },
	{ "setup", NULL, "`scep init`" },
};

const char *
ejbca_instead(const char *noun, const char *verb)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].noun, noun) != 0)
			continue;
		if (rows[i].verb == NULL ||
		    (verb != NULL && strcmp(rows[i].verb, verb) == 0))
			return rows[i].what;
	}
	return NULL;
}
