#include "admin/ejbca.h"

#include <strings.h>

#include "admin/alias.h"
#include "admin/args.h"
#include "base/ini.h"
#include "base/limits.h"

/*
 * EJBCA's keys of a SCEP alias and ours.  The fallbacks are EJBCA's: a file of
 * its own is taken as EJBCA takes it, not by our defaults.
 */
const struct ejbca_key ejbca_keys[] = {
	{ "operationmode", "scep", "operationmode", "ca", EJBCA_MODE, false },
	{ "ra.createOrEditUser", "scep", "operationmode", NULL, EJBCA_CREATE,
	    false },
	{ "includeca", "scep", "includeca", "true", EJBCA_BOOL, false },
	{ "returnCaChainInGetCaCert", "scep", "returncachainingetcacert",
	    "false", EJBCA_BOOL, false },
	{ "allowLegacyDigestAlgorithm", "scep", "legacy", "false", EJBCA_BOOL,
	    false },
	{ "clientCertificateRenewal", "scep", "clientcertificaterenewal",
	    "false", EJBCA_BOOL, false },
	{ "clientCertificateRenewalWithOldKey", "scep",
	    "clientcertificaterenewalwitholdkey", "false", EJBCA_BOOL, false },
	{ "ra.defaultCA", "ra", "defaultca", NULL, EJBCA_TEXT, true },
	{ "ra.authPwd", "ra", "authpwd", "", EJBCA_SECRET, true },
	{ "ra.entityProfile", "ra", "entityprofile", "EMPTY", EJBCA_TEXT,
	    true },
	{ "ra.certificateProfile", "ra", "certificateprofile", "ENDUSER",
	    EJBCA_TEXT, true },
	{ "ra.namegenerationscheme", "ra", "namegenerationscheme", "DN",
	    EJBCA_TEXT, true },
	{ "ra.namegenerationparameters", "ra", "namegenerationparameters", "CN",
	    EJBCA_TEXT, true },
	{ "ra.namegenerationprefix", "ra", "namegenerationprefix", "",
	    EJBCA_TEXT, true },
	{ "ra.namegenerationpostfix", "ra", "namegenerationpostfix", "",
	    EJBCA_TEXT, true },
	{ "useIntune", "challenge", "judge", NULL, EJBCA_INTUNE, true },
	{ "intuneAuthority", "intune", "authority", NULL, EJBCA_TEXT, true },
	{ "intuneAadAppId", "intune", "aadappid", NULL, EJBCA_TEXT, true },
	{ "intuneAadAppKey", "intune", "aadappkey", NULL, EJBCA_HIDDEN, true },
	{ "intuneTenant", "intune", "tenant", NULL, EJBCA_TEXT, true },
	{ "intuneAadUseKeyBinding", "intune", "aadusekeybinding", NULL,
	    EJBCA_BOOL, true },
	{ "intuneAadKeyBinding", "intune", "aadkeybinding", NULL, EJBCA_TEXT,
	    true },
	{ "intuneResourceUrl", "intune", "resourceurl", NULL, EJBCA_TEXT,
	    true },
	{ "intuneGraphApiVersion", "intune", "graphapiversion", NULL,
	    EJBCA_TEXT, true },
	{ "intuneGraphResourceUrl", "intune", "graphresourceurl", NULL,
	    EJBCA_TEXT, true },
	{ "intuneProxyHost", "intune", "proxyhost", NULL, EJBCA_TEXT, true },
	{ "intuneProxyPort", "intune", "proxyport", NULL, EJBCA_TEXT, true },
	{ "intuneProxyUser", "intune", "proxyuser", NULL, EJBCA_TEXT, true },
	{ "intuneProxyPass", "intune", "proxypass", NULL, EJBCA_HIDDEN, true },
	{ NULL, NULL, NULL, NULL, EJBCA_TEXT, false },
};
_Static_assert(sizeof(ejbca_keys) / sizeof(*ejbca_keys) <= EJBCA_KEYS,
    "EJBCA_KEYS is the room that others have for them");

const struct ejbca_key *
ejbca_key_find(const char *name)
{
	for (const struct ejbca_key *k = ejbca_keys; k->name != NULL; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

static const char *
key_name(int i, const void *arg)
{
	(void)arg;
	return ejbca_keys[i].name;
}

const char *
ejbca_key_near(const char *name)
{
	int n = 0;

	while (ejbca_keys[n].name != NULL)
		n++;
	return nearest(name, n, key_name, NULL);
}

static bool
is_true(const char *value)
{
	return strcasecmp(value, "true") == 0;
}

static bool
is_none(const char *value)
{
	return *value == '\0' || strcasecmp(value, "none") == 0;
}

enum err
ejbca_value(const struct ejbca_key *key, const char *theirs, struct buf *ours)
{
	const char *value = theirs;

	if (key->form == EJBCA_BOOL)
		value = is_true(theirs) ? "yes" : "no";
	else if (key->form == EJBCA_MODE)
		value = strcasecmp(theirs, "ra") == 0 ? "ra" : "ca";
	else if (key->form == EJBCA_CREATE)
		value = is_true(theirs) ? "ra" : "ca";
	else if (key->form == EJBCA_INTUNE)
		value = is_true(theirs) ? "intune" : "";
	else if (key->form == EJBCA_SECRET && is_none(theirs))
		value = "none";
	/* What a dump shows, not what was dumped: everybody knows it. */
	if ((key->form == EJBCA_SECRET || key->form == EJBCA_HIDDEN) &&
	    strcmp(theirs, "hidden") == 0)
		return say(ERR_REFUSED,
		    "nothing was changed: %s = hidden is what a dump shows, "
		    "not the secret; write the secret there%s",
		    key->name, key->form == EJBCA_SECRET ? ", or none" : "");
	return buf_str(ours, value) ? OK : ERR_SYSTEM;
}

const char *
ejbca_shown(const struct ejbca_key *key, const char *ours)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };

	if (key->form == EJBCA_SECRET)
		return is_none(ours) ? "none" : "hidden";
	if (key->form == EJBCA_HIDDEN)
		return *ours == '\0' ? "" : "hidden";
	if (key->form == EJBCA_INTUNE)
		return strcasecmp(ours, "intune") == 0 ? "true" : "false";
	if (key->form != EJBCA_BOOL)
		return ours;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		if (strcasecmp(ours, yes[i]) == 0)
			return "true";
	return "false";
}

/* The default of one of our keys; "" where it has none, or is none. */
static const char *
our_default(const char *section, const char *key)
{
	for (const struct alias_key *k = alias_keys; k->section != NULL; k++)
		if (strcmp(k->section, section) == 0 &&
		    strcmp(k->key, key) == 0 && k->fallback != NULL &&
		    strcmp(k->fallback, "none") != 0)
			return k->fallback;
	return "";
}

const char *
ejbca_present(const struct ini *ini, const struct ejbca_key *key)
{
	const struct ini_entry *entry = ini_find(ini, key->section, key->key);

	if (entry != NULL)
		return ejbca_shown(key, entry->value);
	if (key->form == EJBCA_SECRET)
		return ini_find(ini, "ra", "authpwdfile") ? "hidden" : "";
	if (strcmp(key->key, "aadappkey") == 0)
		return ini_find(ini, "intune", "aadappkeyfile") ? "hidden" : "";
	return ejbca_shown(key, our_default(key->section, key->key));
}

bool
ejbca_is_intune(const struct ejbca_key *key)
{
	return strcmp(key->section, "intune") == 0;
}

bool
ejbca_has_intune(const struct ini *ini)
{
	const struct ini_entry *judge = ini_find(ini, "challenge", "judge");

	return judge != NULL && strcasecmp(judge->value, "intune") == 0;
}

enum err
ejbca_put(
    struct buf *text, const char *section, const char *key, const char *value)
{
	struct buf fresh = BUF_SECRET;
	enum err e;

	e = value == NULL ?
		ini_unset(buf_span(text), section, key, &fresh) :
		ini_set(buf_span(text), section, key, value, &fresh);
	buf_clear(text);
	if (e == OK && !buf_add(text, fresh.data, fresh.len))
		e = ERR_SYSTEM;
	buf_release(&fresh);
	return e;
}

enum err
ejbca_all_cas(const struct command *cmd, struct buf *out)
{
	struct known_cas known = { .n = 0 };
	enum err e;

	if ((e = known_cas_read(cmd->home, &known)) != OK)
		return e;
	if (known.n == 0)
		e = say(ERR_REFUSED,
		    "there is no CA yet; `scep ca init` or `scep ca create` "
		    "makes one");
	else if (known.n > MAX_CAS)
		e = say(ERR_REFUSED,
		    "there are %zu CAs, and an alias serves at most %d; "
		    "`scep alias add --ca NAME` says which",
		    known.n, MAX_CAS);
	for (size_t i = 0; e == OK && i < known.n; i++)
		if (!buf_printf(out, "%s%s", i > 0 ? ", " : "", known.name[i]))
			e = ERR_SYSTEM;
	known_cas_release(&known);
	return e;
}

static enum err
look(const struct command *cmd, const char *name)
{
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = alias_path(name, &path)) == OK)
		e = file_exists(cmd->home, buf_cstr(&path));
	buf_release(&path);
	return e;
}

enum err
ejbca_alias_known(const struct command *cmd, const char *name)
{
	enum err e = look(cmd, name);

	if (e == ERR_NOTFOUND)
		return say(e, "Alias '%s' does not exist", name);
	return e;
}

enum err
ejbca_alias_new(const struct command *cmd, const char *name)
{
	enum err e = look(cmd, name);

	if (e == OK)
		return say(ERR_EXISTS, "Alias '%s' already exists.", name);
	return e == ERR_NOTFOUND ? OK : e;
}
