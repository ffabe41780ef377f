#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aliases/alias_own.h"
#include "base/limits.h"
#include "base/log.h"

/*
 * Who says yes, and from where: the sections [challenge], [program], [web],
 * [intune], [proxy], [queue] and [access].
 */

#define AT(member) offsetof(struct alias, member)

static const char *
take_judge(struct alias *a, size_t at, const char *value)
{
	static const char *const words[JUDGE__MAX] = {
		[JUDGE_ENTITY] = "entity",
		[JUDGE_SECRET] = "secret",
		[JUDGE_ONETIME] = "onetime",
		[JUDGE_PROGRAM] = "program",
		[JUDGE_WEB] = "web",
		[JUDGE_INTUNE] = "intune",
	};
	int i = alias_word(words, JUDGE__MAX, value);

	(void)at;
	if (i < 0)
		return "it must be entity, secret, onetime, program, web or "
		       "intune";
	a->challenge.judge = (enum judge_kind)i;
	return NULL;
}

static const char *
take_absolute(struct alias *a, size_t at, const char *value)
{
	if (*value != '/')
		return "it must be an absolute path";
	return alias_take_text(a, at, value);
}

/* What a device waits for; web servers end a request after a minute or so. */
static const char *
take_timeout(struct alias *a, size_t at, const char *value)
{
	int64_t *member = (int64_t *)(void *)((char *)a + at);
	const char *wrong = alias_take_duration(a, at, value);

	if (wrong != NULL || *member > MAX_TIMEOUT)
		return "it must be a duration from 1s to 120s";
	return NULL;
}

/* Whom it is asked to believe stands in front of an '@' (RFC 3986 3.2.1). */
static bool
has_user(const char *host)
{
	return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

/* Nothing but the far end's certificate tells who it is. */
static const char *
take_url(struct alias *a, size_t at, const char *value)
{
	static const char scheme[] = "https://";
	const char *host = value + sizeof(scheme) - 1;

	if (strncmp(value, scheme, sizeof(scheme) - 1) != 0 || *host == '\0' ||
	    *host == '/')
		return "it must be as https://host/path";
	if (has_user(host))
		return "no name or password stands in it, for logs show it; "
		       "clientcert and clientkey, bearerfile or aadappkey "
		       "prove who we are";
	for (const char *p = value; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return "it has a character that no URL has";
	return alias_take_text(a, at, value);
}

/* What stands in a URL as it is: a path's part, or a host's name. */
static const char *
take_url_part(struct alias *a, size_t at, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789.-_";

	if (*value == '\0' || value[strspn(value, plain)] != '\0')
		return "it must be of letters, digits, dots and dashes";
	return alias_take_text(a, at, value);
}

static const char *
take_pin(struct alias *a, size_t at, const char *value)
{
	static const char start[] = "sha256//";

	if (strncmp(value, start, sizeof(start) - 1) != 0 ||
	    strlen(value) != sizeof(start) - 1 + 44)
		return "it must be sha256// and 44 characters of base64";
	return alias_take_text(a, at, value);
}

/* It goes into a header. */
static const char *
take_id(struct alias *a, size_t at, const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || len > MAX_URL)
		return "it must have 1 to 1000 characters";
	for (const char *p = value; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return "it must be printable ASCII without blanks";
	return alias_take_text(a, at, value);
}

static const char *
take_bytes(struct alias *a, size_t at, const char *value)
{
	struct buf *member = (struct buf *)(void *)((char *)a + at);

	if (*value == '\0')
		return "it must not be empty";
	buf_clear(member);
	return buf_str(member, value) ? NULL : alias_no_memory;
}

static const char *
take_port(struct alias *a, size_t at, const char *value)
{
	size_t len = strlen(value);
	unsigned long port = strtoul(value, NULL, 10);

	(void)at;
	if (len == 0 || len > 5 || strspn(value, "0123456789") != len ||
	    port == 0 || port > 65535)
		return "it must be a number from 1 to 65535";
	a->intune.proxyport = (unsigned)port;
	return NULL;
}

/* One name of the list from *p on, blanks around it cut off; *p goes on. */
static const char *
take_peer(struct alias *a, const char **p)
{
	const char *from = *p + strspn(*p, " \t");
	size_t len = strcspn(from, ";");
	struct buf name = BUF_INIT;
	const char *wrong = NULL;

	*p = from + len + (from[len] == ';');
	while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\t'))
		len--;
	if (len == 0)
		return "it has an empty name";
	if (a->npeers == MAX_PEERS)
		return "it has too many names";
	if (!buf_add(&name, from, len) ||
	    (a->peers[a->npeers] = str_dup(buf_cstr(&name))) == NULL)
		wrong = alias_no_memory;
	else
		a->npeers++;
	buf_release(&name);
	return wrong;
}

/* DNs have commas: semicolons separate them, so the value stands in quotes. */
static const char *
take_peers(struct alias *a, size_t at, const char *value)
{
	const char *wrong = NULL;

	(void)at;
	alias_list_free(&a->peers, &a->npeers);
	a->peers = calloc(MAX_PEERS, sizeof(*a->peers));
	if (a->peers == NULL)
		return alias_no_memory;
	do
		wrong = take_peer(a, &value);
	while (wrong == NULL && *value != '\0');
	return wrong;
}

static const char *
take_target(struct alias *a, size_t at, const char *value)
{
	static const char *const words[TARGET__MAX] = {
		[TARGET_RA] = "ra",
		[TARGET_CA] = "ca",
	};
	int i = alias_word(words, TARGET__MAX, value);

	(void)at;
	if (i < 0)
		return "it must be ra or ca";
	a->queue.target = (enum queue_target)i;
	return NULL;
}

static const char *
take_profiles(struct alias *a, size_t at, const char *value)
{
	(void)at;
	return alias_take_list(&a->queue.profiles, &a->queue.nprofiles, value);
}

const struct alias_row alias_far_rows[] = {
	{ "challenge", "judge", take_judge, 0 },
	{ "challenge", "ttl", alias_take_duration, AT(challenge.ttl) },
	{ "challenge", "page", alias_take_bool, AT(challenge.page) },
	{ "program", "path", take_absolute, AT(program.path) },
	{ "program", "timeout", take_timeout, AT(program.timeout) },
	{ "web", "url", take_url, AT(web.peer.url) },
	{ "web", "id", take_id, AT(web.id) },
	{ "web", "secretfile", alias_take_text, AT(web.keyfile) },
	{ "web", "bearerfile", alias_take_text, AT(web.bearerfile) },
	{ "web", "clientcert", alias_take_text, AT(web.peer.clientcert) },
	{ "web", "clientkey", alias_take_text, AT(web.peer.clientkey) },
	{ "web", "cafile", alias_take_text, AT(web.peer.cafile) },
	{ "web", "pin", take_pin, AT(web.peer.pin) },
	{ "web", "timeout", take_timeout, AT(web.peer.timeout) },
	{ "intune", "tenant", take_url_part, AT(intune.tenant) },
	{ "intune", "aadappid", take_url_part, AT(intune.appid) },
	{ "intune", "aadappkey", take_bytes, AT(intune.appkey) },
	{ "intune", "aadappkeyfile", alias_take_text, AT(intune.appkeyfile) },
	{ "intune", "aadusekeybinding", alias_take_bool,
	    AT(intune.keybinding) },
	{ "intune", "aadkeybinding", alias_take_text, AT(intune.binding) },
	{ "intune", "authority", take_url, AT(intune.authority) },
	{ "intune", "resourceurl", take_url, AT(intune.resourceurl) },
	{ "intune", "graphapiversion", take_url_part,
	    AT(intune.graphapiversion) },
	{ "intune", "graphresourceurl", take_url, AT(intune.graphresourceurl) },
	{ "intune", "proxyhost", take_url_part, AT(intune.proxyhost) },
	{ "intune", "proxyport", take_port, 0 },
	{ "intune", "proxyuser", alias_take_text, AT(intune.proxyuser) },
	{ "intune", "proxypass", take_bytes, AT(intune.proxypass) },
	{ "intune", "cafile", alias_take_text, AT(intune.cafile) },
	{ "intune", "timeout", take_timeout, AT(intune.timeout) },
	{ "proxy", "url", take_url, AT(proxy.peer.url) },
	{ "proxy", "clientcert", alias_take_text, AT(proxy.peer.clientcert) },
	{ "proxy", "clientkey", alias_take_text, AT(proxy.peer.clientkey) },
	{ "proxy", "cafile", alias_take_text, AT(proxy.peer.cafile) },
	{ "proxy", "pin", take_pin, AT(proxy.peer.pin) },
	{ "proxy", "timeout", take_timeout, AT(proxy.peer.timeout) },
	{ "proxy", "keep", alias_take_duration, AT(proxy.keep) },
	{ "queue", "ra", alias_take_text, AT(queue.ra) },
	{ "queue", "target", take_target, 0 },
	{ "queue", "profiles", take_profiles, 0 },
	{ "queue", "limit", alias_take_limit, AT(queue.limit) },
	{ "access", "peers", take_peers, 0 },
	{ NULL, NULL, NULL, 0 },
};

bool
alias_far_defaults(struct alias *a)
{
	a->challenge.ttl = 3600;
	a->program.timeout = 10;
	a->web.peer.timeout = 10;
	a->intune.timeout = 20;
	a->proxy.peer.timeout = 30;
	a->proxy.keep = 3600;
	a->queue.limit = 1000;
	a->intune.appkey = (struct buf)BUF_SECRET;
	a->intune.proxypass = (struct buf)BUF_SECRET;
	a->intune.authority = str_dup("https://login.microsoftonline.com/");
	a->intune.resourceurl = str_dup("https://api.manage.microsoft.com/");
	a->intune.graphapiversion = str_dup("v1.0");
	a->intune.graphresourceurl = str_dup("https://graph.microsoft.com/");
	return a->intune.authority && a->intune.resourceurl &&
	       a->intune.graphapiversion && a->intune.graphresourceurl;
}

static void
peer_release(struct peer_rules *p)
{
	free(p->url);
	free(p->cafile);
	free(p->pin);
	free(p->clientcert);
	free(p->clientkey);
}

static void
intune_release(struct intune_rules *r)
{
	free(r->tenant);
	free(r->appid);
	buf_release(&r->appkey);
	free(r->appkeyfile);
	free(r->binding);
	free(r->authority);
	free(r->resourceurl);
	free(r->graphapiversion);
	free(r->graphresourceurl);
	free(r->proxyhost);
	free(r->proxyuser);
	buf_release(&r->proxypass);
	free(r->cafile);
}

void
alias_far_release(struct alias *a)
{
	free(a->program.path);
	peer_release(&a->web.peer);
	free(a->web.id);
	free(a->web.keyfile);
	free(a->web.bearerfile);
	intune_release(&a->intune);
	peer_release(&a->proxy.peer);
	free(a->queue.ra);
	alias_list_free(&a->queue.profiles, &a->queue.nprofiles);
	alias_list_free(&a->peers, &a->npeers);
}
