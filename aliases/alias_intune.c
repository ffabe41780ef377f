#include <string.h>

#include "aliases/alias_own.h"

/* The rules of an alias whose judge is Intune. */

static bool
has(const struct ini *ini, const char *key)
{
	return ini_find(ini, "intune", key) != NULL;
}

/* Who we are there: one secret, or one certificate. */
static unsigned
check_proof(const struct ini *ini, const struct alias *a)
{
	static const char other[] = "with aadusekeybinding = yes the "
				    "certificate counts: this must go";
	unsigned wrong = 0;

	if (a->intune.keybinding) {
		wrong += alias_needs(ini, "intune", "aadkeybinding");
		if (has(ini, "aadappkey"))
			wrong += alias_wrong(ini, "intune", "aadappkey", other);
		if (has(ini, "aadappkeyfile"))
			wrong +=
			    alias_wrong(ini, "intune", "aadappkeyfile", other);
		return wrong;
	}
	if (has(ini, "aadkeybinding"))
		wrong += alias_wrong(ini, "intune", "aadkeybinding",
		    "it counts with aadusekeybinding = yes alone");
	if (!has(ini, "aadappkeyfile"))
		return wrong + alias_needs(ini, "intune", "aadappkey");
	if (has(ini, "aadappkey"))
		wrong += alias_wrong(ini, "intune", "aadappkey",
		    "aadappkeyfile is there too: one of them must go");
	return wrong;
}

static unsigned
check_way(const struct ini *ini, const struct alias *a)
{
	const char *user = a->intune.proxyuser;
	unsigned wrong = 0;

	if (has(ini, "proxyhost"))
		wrong += alias_needs(ini, "intune", "proxyport");
	else if (has(ini, "proxyport"))
		wrong += alias_wrong(ini, "intune", "proxyport",
		    "it counts with proxyhost alone");
	if (has(ini, "proxyuser") && !has(ini, "proxyhost"))
		wrong += alias_wrong(ini, "intune", "proxyuser",
		    "it counts with proxyhost alone");
	if (has(ini, "proxypass") && !has(ini, "proxyuser"))
		wrong += alias_wrong(ini, "intune", "proxypass",
		    "it counts with proxyuser alone");
	if (user != NULL && strchr(user, ':') != NULL)
		wrong += alias_wrong(ini, "intune", "proxyuser",
		    "a name for a proxy has no colon");
	return wrong;
}

/*
 * Nothing may pass Intune by: neither a person's yes days later, when its
 * challenge is long over and the request that it must be told of is gone, nor
 * a certificate that asks for the next one, nor an RA far away.
 */
static unsigned
check_doors(const struct ini *ini, const struct alias *a)
{
	unsigned wrong = 0;

	if (a->mode == MODE_RA && a->approval.required > 0)
		wrong += alias_wrong(ini, "approval", "required",
		    "with judge = intune it is 0: Intune's challenge lives an "
		    "hour, which no approval can be waited for");
	if (a->queue.ra != NULL)
		wrong += alias_wrong(ini, "queue", "ra",
		    "with judge = intune it must go: what the external RA "
		    "says yes to, Intune was not asked about");
	if (a->renewal.on && !a->renewal.challenge)
		wrong += alias_wrong(ini, "challenge", "judge",
		    "intune wants [renewal] challenge = yes or [scep] "
		    "clientcertificaterenewal = no: else a certificate gets "
		    "the next one without Intune");
	return wrong;
}

unsigned
alias_check_intune(const struct ini *ini, const struct alias *a)
{
	if (a->challenge.judge != JUDGE_INTUNE)
		return 0;
	return check_proof(ini, a) + check_way(ini, a) + check_doors(ini, a);
}
