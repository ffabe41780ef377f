#include <stdlib.h>
#include <string.h>

#include "aliases/alias_own.h"
#include "base/limits.h"
#include "base/log.h"

/*
 * What the operation mode asks for.  Whatever can only tighten must be
 * written out, so that half a file never opens a door (DESIGN 7); and a key
 * that would mean nothing is an error, not a surprise.
 */

bool
alias_defaults(struct alias *a)
{
	*a = (struct alias){ .mode = MODE__MAX,
		.sha1 = true,
		.des3 = true,
		.cutusername = true,
		.samekey = true,
		.chain = true,
		.chainroot = true,
		.getcrl = true,
		.renewal = { .on = true, .window = { .percent = 50 } },
		.ra = { .secret = BUF_SECRET },
		.approval = {
		    .expiry = 30 * DAY, .denied = 7 * DAY, .limit = 1000 } };
	a->ra.entityprofile = str_dup("EMPTY");
	a->ra.profile = str_dup("ENDUSER");
	a->ra.parameters = str_dup("CN");
	a->ra.prefix = str_dup("");
	a->ra.postfix = str_dup("");
	return a->ra.entityprofile && a->ra.profile && a->ra.parameters &&
	       a->ra.prefix && a->ra.postfix &&
	       alias_take_ignore(a, 0, "unstructuredName,serialNumber") == NULL;
}

/* Each line of a section that belongs to the other mode. */
static unsigned
stray_section(const struct ini *ini, const char *section, const char *why)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < ini->n; i++)
		if (strcmp(ini->entry[i].section, section) == 0)
			wrong +=
			    alias_wrong(ini, section, ini->entry[i].key, why);
	return wrong;
}

static unsigned
stray_key(const struct ini *ini, const char *section, const char *key,
    const char *why)
{
	return ini_find(ini, section, key) ?
		   alias_wrong(ini, section, key, why) :
		   0;
}

static unsigned
check_ca_mode(const struct ini *ini, const struct alias *a)
{
	unsigned wrong = alias_needs(ini, "scep", "cas");

	wrong += stray_section(
	    ini, "ra", "[ra] counts with operationmode = ra alone");
	if (a->approval.required > 0)
		wrong += alias_wrong(ini, "approval", "required",
		    "in CA mode nobody approves: who registers an entity "
		    "does");
	return wrong;
}

static unsigned
check_secret(const struct ini *ini)
{
	if (ini_find(ini, "ra", "authpwdfile") == NULL)
		return alias_needs(ini, "ra", "authpwd");
	return stray_key(ini, "ra", "authpwd",
	    "authpwdfile is there too: one of them must go");
}

/* With FIXED the name is nowhere else; a list of attributes is not meant. */
static unsigned
check_name(const struct ini *ini, const struct alias *a)
{
	if (a->ra.scheme != NAMEGEN_FIXED)
		return 0;
	if (*a->ra.parameters == '\0')
		return alias_wrong(ini, "ra", "namegenerationparameters",
		    "with FIXED it is the name and must not be empty");
	return alias_needs(ini, "ra", "namegenerationparameters");
}

static unsigned
check_ra_mode(const struct ini *ini, const struct alias *a)
{
	unsigned wrong = alias_needs(ini, "ra", "defaultca");

	/* those who open envelopes have room for MAX_CAS, with defaultca */
	if (a->ncas == MAX_CAS && a->defaultca != NULL &&
	    !alias_serves(a, a->defaultca))
		wrong += alias_wrong(ini, "scep", "cas",
		    "with [ra] defaultca it has too many names");
	wrong += check_secret(ini);
	wrong += alias_needs(ini, "approval", "required");
	wrong += stray_key(
	    ini, "scep", "defaultca", "in RA mode it is [ra] defaultca");
	wrong += stray_key(
	    ini, "scep", "profile", "in RA mode it is [ra] certificateprofile");
	return wrong + check_name(ini, a);
}

unsigned
alias_check_mode(const struct ini *ini, const struct alias *a)
{
	if (a->mode == MODE_CA)
		return check_ca_mode(ini, a);
	if (a->mode == MODE_RA)
		return check_ra_mode(ini, a);
	/* a bad word was told of; without one, most have forgotten cas too */
	return alias_needs(ini, "scep", "operationmode");
}

bool
alias_put_first(struct alias *a)
{
	char *name;

	if (a->mode != MODE_RA || a->defaultca == NULL ||
	    alias_serves(a, a->defaultca))
		return true;
	if (a->cas == NULL && (a->cas = calloc(1, sizeof(*a->cas))) == NULL) {
		log_error("out of memory");
		return false;
	}
	if ((name = str_dup(a->defaultca)) == NULL)
		return false;
	memmove(a->cas + 1, a->cas, a->ncas * sizeof(*a->cas));
	a->cas[0] = name;
	a->ncas++;
	return true;
}
