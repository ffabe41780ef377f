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
		.approval = { .expiry = 30 * DAY,
		    .denied = 7 * DAY,
		    .limit = 1000 },
		.challenge = { .judge = JUDGE__MAX } };
	a->ra.entityprofile = str_dup("EMPTY");
	a->ra.profile = str_dup("ENDUSER");
	a->ra.parameters = str_dup("CN");
	a->ra.prefix = str_dup("");
	a->ra.postfix = str_dup("");
	return a->ra.entityprofile && a->ra.profile && a->ra.parameters &&
	       a->ra.prefix && a->ra.postfix && alias_far_defaults(a) &&
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

/* Only the alias's own secret is written here.  None: the queue alone. */
static unsigned
check_secret(const struct ini *ini, const struct alias *a)
{
	static const char other[] = "it counts with [challenge] judge = secret "
				    "alone";

	if (a->challenge.judge != JUDGE_SECRET)
		return stray_key(ini, "ra", "authpwd", other) +
		       stray_key(ini, "ra", "authpwdfile", other);
	if (a->queue.ra != NULL && ini_find(ini, "ra", "authpwd") == NULL)
		return 0;
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
	wrong += check_secret(ini, a);
	wrong += alias_needs(ini, "approval", "required");
	wrong += stray_key(
	    ini, "scep", "defaultca", "in RA mode it is [ra] defaultca");
	wrong += stray_key(
	    ini, "scep", "profile", "in RA mode it is [ra] certificateprofile");
	return wrong + check_name(ini, a);
}

/* It opens nothing, so it knows no CA and judges nothing. */
static unsigned
check_proxy_mode(const struct ini *ini, const struct alias *a)
{
	static const char why[] = "with operationmode = proxy only [proxy] and "
				  "[access] count";
	unsigned wrong = alias_needs(ini, "proxy", "url");

	if (a->proxy.peer.url && strpbrk(a->proxy.peer.url, "?#") != NULL)
		wrong += alias_wrong(ini, "proxy", "url",
		    "it ends before '?' and '#': the client's query follows");
	wrong += alias_needs(ini, "proxy", "clientcert");
	wrong += alias_needs(ini, "proxy", "clientkey");
	for (size_t i = 0; i < ini->n; i++) {
		const struct ini_entry *entry = &ini->entry[i];

		if (strcmp(entry->section, "proxy") != 0 &&
		    strcmp(entry->section, "access") != 0 &&
		    strcmp(entry->key, "operationmode") != 0)
			wrong +=
			    alias_wrong(ini, entry->section, entry->key, why);
	}
	return wrong;
}

/* It takes requests in; what becomes of them is the CA's to say. */
static unsigned
check_external_mode(const struct ini *ini, const struct alias *a)
{
	static const char far[] = "it counts on the CA's host";
	unsigned wrong = alias_needs(ini, "scep", "cas");

	wrong += check_secret(ini, a);
	wrong += stray_section(ini, "approval", far);
	wrong += stray_key(ini, "scep", "profile", far);
	wrong += stray_key(ini, "queue", "ra", far);
	wrong += stray_key(ini, "queue", "target", far);
	wrong += stray_key(ini, "queue", "profiles", far);
	for (size_t i = 0; i < ini->n; i++)
		if (strcmp(ini->entry[i].section, "ra") == 0 &&
		    strncmp(ini->entry[i].key, "authpwd", 7) != 0)
			wrong += alias_wrong(ini, "ra", ini->entry[i].key, far);
	return wrong;
}

/* The CA's side of a queue. */
static unsigned
check_queue(const struct ini *ini, const struct alias *a)
{
	const bool fits =
	    (a->queue.target == TARGET_RA) == (a->mode == MODE_RA);
	unsigned wrong;

	if (a->mode == MODE_EXTERNALRA)
		return 0;
	wrong = stray_key(ini, "queue", "limit",
	    "it counts with operationmode = externalra alone");
	if (a->queue.ra == NULL)
		return wrong +
		       stray_key(ini, "queue", "target",
			   "it counts with [queue] ra alone") +
		       stray_key(ini, "queue", "profiles",
			   "it counts with [queue] ra alone");
	if (ini_find(ini, "queue", "target") == NULL)
		return wrong + alias_needs(ini, "queue", "target");
	if (a->queue.target != TARGET_RA)
		wrong += stray_key(ini, "queue", "profiles",
		    "it counts with target = ra alone");
	return fits ? wrong :
		      wrong + alias_wrong(ini, "queue", "target",
				  "it must be the operationmode: ra or ca");
}

/* ---- judges ----------------------------------------------------------- */

/* Who may judge in which mode. */
static const bool judges[MODE__MAX][JUDGE__MAX] = {
	[MODE_CA] = { [JUDGE_ENTITY] = true,
	    [JUDGE_ONETIME] = true,
	    [JUDGE_PROGRAM] = true,
	    [JUDGE_WEB] = true },
	[MODE_RA] = { [JUDGE_SECRET] = true,
	    [JUDGE_ONETIME] = true,
	    [JUDGE_PROGRAM] = true,
	    [JUDGE_WEB] = true,
	    [JUDGE_INTUNE] = true },
	[MODE_EXTERNALRA] = { [JUDGE_ENTITY] = true,
	    [JUDGE_SECRET] = true,
	    [JUDGE_ONETIME] = true,
	    [JUDGE_PROGRAM] = true,
	    [JUDGE_WEB] = true,
	    [JUDGE_INTUNE] = true },
};

static unsigned
check_judge(const struct ini *ini, const struct alias *a)
{
	static const char *const whys[MODE__MAX] = {
		[MODE_CA] = "in CA mode it is entity, onetime, program or web",
		[MODE_RA] = "in RA mode it is secret, onetime, program, web or "
			    "intune",
		[MODE_EXTERNALRA] = "it is not one of an external RA",
	};
	enum judge_kind kind = a->challenge.judge;
	unsigned wrong = 0;

	if (a->challenge.page && a->mode == MODE_CA)
		wrong += alias_wrong(ini, "challenge", "page",
		    "its codes are for anybody: that needs RA mode");
	if (kind < JUDGE__MAX && !judges[a->mode][kind])
		wrong += alias_wrong(ini, "challenge", "judge", whys[a->mode]);
	return wrong;
}

/* One without the other is a slip. */
static unsigned
check_client_pair(const struct ini *ini, const char *section)
{
	bool cert = ini_find(ini, section, "clientcert") != NULL;
	bool key = ini_find(ini, section, "clientkey") != NULL;

	if (cert == key)
		return 0;
	return alias_needs(ini, section, cert ? "clientkey" : "clientcert");
}

/* What each judge must be told, and what means nothing to the others. */
static unsigned
check_judge_keys(const struct ini *ini, const struct alias *a)
{
	static const struct {
		const char *section;
		enum judge_kind kind;
		const char *needs[2];
		const char *why;
	} rows[] = {
		{ "program", JUDGE_PROGRAM, { "path" },
		    "[program] counts with [challenge] judge = program alone" },
		{ "web", JUDGE_WEB, { "url" },
		    "[web] counts with [challenge] judge = web alone" },
		{ "intune", JUDGE_INTUNE, { "tenant", "aadappid" },
		    "[intune] counts with [challenge] judge = intune alone" },
	};
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (a->challenge.judge != rows[i].kind) {
			wrong +=
			    stray_section(ini, rows[i].section, rows[i].why);
			continue;
		}
		for (size_t k = 0; k < 2 && rows[i].needs[k] != NULL; k++)
			wrong +=
			    alias_needs(ini, rows[i].section, rows[i].needs[k]);
		wrong += check_client_pair(ini, rows[i].section);
	}
	return wrong;
}

void
alias_put_judge(struct alias *a)
{
	static const enum judge_kind own[MODE__MAX] = {
		[MODE_CA] = JUDGE_ENTITY,
		[MODE_RA] = JUDGE_SECRET,
		[MODE_PROXY] = JUDGE__MAX,
		[MODE_EXTERNALRA] = JUDGE_SECRET,
	};

	if (a->mode < MODE__MAX && a->challenge.judge == JUDGE__MAX)
		a->challenge.judge = own[a->mode];
}

/*
 * A renewal is paid by the old certificate, so a code that it had to bring
 * would stay good for another.
 */
static unsigned
check_renewal(const struct ini *ini, const struct alias *a)
{
	if (a->challenge.judge != JUDGE_ONETIME || !a->renewal.challenge)
		return 0;
	return alias_wrong(ini, "renewal", "challenge",
	    "with [challenge] judge = onetime it must be no: the old "
	    "certificate pays for a renewal, and a code would not be used up");
}

/* What [challenge] says beside its judge counts for one-time codes alone. */
static unsigned
check_onetime(const struct ini *ini, const struct alias *a)
{
	static const char why[] =
	    "it counts with [challenge] judge = onetime alone";

	if (a->challenge.judge == JUDGE_ONETIME)
		return check_renewal(ini, a);
	return stray_key(ini, "challenge", "ttl", why) +
	       stray_key(ini, "challenge", "page", why);
}

unsigned
alias_check_mode(const struct ini *ini, const struct alias *a)
{
	static unsigned (*const checks[MODE__MAX])(
	    const struct ini *, const struct alias *) = {
		[MODE_CA] = check_ca_mode,
		[MODE_RA] = check_ra_mode,
		[MODE_PROXY] = check_proxy_mode,
		[MODE_EXTERNALRA] = check_external_mode,
	};
	unsigned wrong;

	/* a bad word was told of; without one, most have forgotten cas too */
	if (a->mode >= MODE__MAX)
		return alias_needs(ini, "scep", "operationmode");
	wrong = checks[a->mode](ini, a);
	if (a->mode == MODE_PROXY)
		return wrong;
	wrong += stray_section(
	    ini, "proxy", "[proxy] counts with operationmode = proxy alone");
	wrong += check_queue(ini, a);
	wrong += check_judge(ini, a);
	wrong += check_onetime(ini, a);
	wrong += alias_check_intune(ini, a);
	return wrong + check_judge_keys(ini, a);
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
