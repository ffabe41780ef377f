#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "fetch/pause.h"
#include "judge/intune.h"

/* Finding Intune's services, and calling them. */

/* Intune's application in the directory; all tenants have the same. */
#define INTUNE_APP "0000000a-0000-0000-c000-000000000000"

static const struct {
	const char *provider;	/* its name in Graph */
	const char *version;	/* header api-version */
	const char *permission; /* without which Graph does not name it */
} services[INTUNE__MAX] = {
	[INTUNE_SCEP] = { "ScepRequestValidationFEService", "2018-02-20",
	    "scep_challenge_provider" },
	[INTUNE_REVOCATION] = { "PkiConnectorFEService", "5019-05-05",
	    "pfx_cert_provider" },
};

/* Addresses of services, of this process alone. */
static struct found {
	char key[SHA256_HEX];
	enum intune_service service;
	char *uri; /* owned */
} found[16];
static size_t next_found;

enum err
intune_uuid(char out[UUID_TEXT])
{
	uint8_t b[16];
	char hex[33];
	enum err e;

	if ((e = random_bytes(b, sizeof(b))) != OK)
		return e;
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562 5.4 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	hex_text(b, sizeof(b), hex);
	(void)snprintf(out, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
	    hex + 8, hex + 12, hex + 16, hex + 20);
	return OK;
}

/* ---- what an alias says ---------------------------------------------------- */

static enum err
read_secret(int home, struct intune *in)
{
	const struct intune_rules *r = in->rules;

	if (r->keybinding)
		return alias_file(
		    home, "aadkeybinding", r->binding, ALIAS_KEY, &in->secret);
	if (r->appkeyfile != NULL)
		return alias_file(home, "aadappkeyfile", r->appkeyfile,
		    ALIAS_WORD, &in->secret);
	return buf_add(&in->secret, r->appkey.data, r->appkey.len) ? OK :
								     ERR_SYSTEM;
}

static bool
put_proxy(struct intune *in)
{
	const struct intune_rules *r = in->rules;
	bool ok = true;

	if (r->proxyhost != NULL)
		ok = buf_printf(
		    &in->proxy, "http://%s:%u", r->proxyhost, r->proxyport);
	if (ok && r->proxyuser != NULL)
		ok = buf_printf(&in->proxyuser, "%s:", r->proxyuser) &&
		     buf_add(
			 &in->proxyuser, r->proxypass.data, r->proxypass.len);
	return ok;
}

/* A file that was edited makes another key, and old tokens are not found. */
static enum err
make_key(struct intune *in)
{
	const struct intune_rules *r = in->rules;
	const char *const texts[] = { r->tenant, r->appid, r->authority,
		r->resourceurl, r->graphapiversion, r->graphresourceurl,
		r->keybinding ? "certificate" : "secret", NULL };
	const struct span bytes[] = { buf_span(&in->secret), buf_span(&in->ca),
		buf_span(&in->proxy), buf_span(&in->proxyuser) };
	struct buf all = BUF_SECRET;
	bool ok = true;
	enum err e = ERR_SYSTEM;
	size_t i;

	for (i = 0; texts[i] != NULL && ok; i++)
		ok = buf_add(&all, texts[i], strlen(texts[i]) + 1);
	for (i = 0; i < sizeof(bytes) / sizeof(*bytes) && ok; i++)
		ok = buf_printf(&all, "%zu:", bytes[i].len) &&
		     buf_add(&all, bytes[i].p, bytes[i].len);
	if (ok)
		e = sha256_hex(buf_span(&all), in->key);
	buf_release(&all);
	return e;
}

enum err
intune_open(const struct alias *a, int home, int64_t now, struct intune *in)
{
	enum err e = OK;

	*in = (struct intune){ .rules = &a->intune,
		.alias = a->name,
		.now = now,
		.secret = BUF_SECRET,
		.proxyuser = BUF_SECRET };
	if (a->intune.cafile != NULL)
		e = alias_file(
		    home, "cafile", a->intune.cafile, ALIAS_CERTS, &in->ca);
	if (e == OK)
		e = read_secret(home, in);
	if (e == OK && !put_proxy(in))
		e = ERR_SYSTEM;
	return e == OK ? make_key(in) : e;
}

void
intune_close(struct intune *in)
{
	buf_release(&in->secret);
	buf_release(&in->ca);
	buf_release(&in->proxy);
	buf_release(&in->proxyuser);
}

enum err
intune_http(const struct intune *in, const char *method, const char *url,
    const char *const *header, struct span body, struct http_answer *out)
{
	const struct http_ask ask = { .method = method,
		.url = url,
		.header = header,
		.body = body,
		.ca = buf_span(&in->ca),
		.proxy = in->proxy.len > 0 ? buf_cstr(&in->proxy) : NULL,
		.proxyuser =
		    in->proxyuser.len > 0 ? buf_cstr(&in->proxyuser) : NULL,
		.timeout = in->rules->timeout * 1000,
		.limit = INTUNE_LIMIT };
	enum err e = pause_http(in->alias, &ask, out);

	return e == ERR_SYSTEM ? e : e == OK ? OK : ERR_BUSY;
}

/* ---- one request with a token ---------------------------------------------- */

struct call {
	const struct intune *in;
	const char *what;  /* for messages */
	const char *scope; /* of its token */
	const char *method;
	const char *url;
	const char *version; /* api-version, or NULL: of no service of Intune */
	struct span body;
	char id[UUID_TEXT]; /* client-request-id: Microsoft's people find it */
};

static enum err
send_once(struct call *c, struct http_answer *out)
{
	struct buf bearer = BUF_SECRET, id = BUF_INIT, version = BUF_INIT;
	const char *token = NULL, *header[7];
	size_t n = 0;
	enum err e;

	if ((e = intune_uuid(c->id)) != OK ||
	    (e = intune_token(c->in, c->scope, &token)) != OK)
		goto out;
	e = ERR_SYSTEM;
	if (!buf_printf(&bearer, "Authorization: Bearer %s", token) ||
	    !buf_printf(&id, "client-request-id: %s", c->id) ||
	    (c->version != NULL &&
		!buf_printf(&version, "api-version: %s", c->version)))
		goto out;
	header[n++] = buf_cstr(&bearer);
	header[n++] = buf_cstr(&id);
	header[n++] = "Accept: application/json";
	if (c->version != NULL) {
		header[n++] = buf_cstr(&version);
		header[n++] = "Content-Type: application/json";
		/* spelt so, without a hyphen (ejbca-behaviour 8) */
		header[n++] = "UserAgent: " INTUNE_CALLER;
	}
	header[n] = NULL;
	e = intune_http(c->in, c->method, c->url, header, c->body, out);
out:
	buf_release(&bearer);
	buf_release(&id);
	buf_release(&version);
	return e;
}

/* A token may be revoked before its end: once more, with another. */
static enum err
send(struct call *c, struct http_answer *out)
{
	enum err e = send_once(c, out);

	if (e != OK || out->status != 401)
		return e;
	log_info("alias %s: %s refuses the token; asking for another",
	    c->in->alias, c->what);
	http_answer_release(out);
	intune_token_drop(c->in, c->scope);
	return send_once(c, out);
}

/* OK: HTTP 200 and a JSON object. */
static enum err
read_answer(
    const struct call *c, const struct http_answer *answer, struct json **out)
{
	struct json *j = NULL;

	if (answer->status != 200) {
		log_error("alias %s: %s answers with HTTP %d "
			  "(client-request-id %s)",
		    c->in->alias, c->what, answer->status, c->id);
		return ERR_BUSY;
	}
	if (json_parse(buf_span(&answer->body), &j) != OK ||
	    json_kind(j) != JSON_OBJECT) {
		log_error("alias %s: the answer of %s is not JSON "
			  "(client-request-id %s)",
		    c->in->alias, c->what, c->id);
		json_free(j);
		return ERR_BUSY;
	}
	*out = j;
	return OK;
}

/* ---- services -------------------------------------------------------------- */

static struct found *
find_found(const struct intune *in, enum intune_service service)
{
	for (size_t i = 0; i < sizeof(found) / sizeof(*found); i++)
		if (found[i].uri != NULL && found[i].service == service &&
		    strcmp(found[i].key, in->key) == 0)
			return &found[i];
	return NULL;
}

static void
forget(struct found *f)
{
	if (f == NULL)
		return;
	free(f->uri);
	f->uri = NULL;
}

/* The provider's address, if the directory names one that we may use. */
static const char *
uri_of(const struct json *answer, const char *provider)
{
	const struct json *list = NULL, *item;
	const char *name, *uri;

	if (json_get0_array(answer, "value", &list) != OK)
		return NULL;
	for (item = json_first(list); item != NULL; item = json_next(item)) {
		name = uri = NULL;
		if (json_get0_text(item, "providerName", &name) == OK &&
		    strcmp(name, provider) == 0 &&
		    json_get0_text(item, "uri", &uri) == OK &&
		    strncasecmp(uri, "https://", 8) == 0)
			return uri;
	}
	return NULL;
}

static enum err
keep(const struct intune *in, enum intune_service service, const char *uri,
    const char **out)
{
	struct found *f = &found[next_found];
	size_t len = strlen(uri);

	next_found = (next_found + 1) % (sizeof(found) / sizeof(*found));
	forget(f);
	if ((f->uri = str_dup(uri)) == NULL)
		return ERR_SYSTEM;
	while (len > 0 && f->uri[len - 1] == '/')
		f->uri[--len] = '\0';
	memcpy(f->key, in->key, SHA256_HEX);
	f->service = service;
	*out = f->uri;
	return OK;
}

static enum err
discover(const struct intune *in, enum intune_service service, const char **uri)
{
	const struct intune_rules *r = in->rules;
	const char *base = r->graphresourceurl, *address;
	const char *slash = base[strlen(base) - 1] == '/' ? "" : "/";
	struct buf url = BUF_INIT, scope = BUF_INIT;
	struct http_answer answer = HTTP_ANSWER_INIT;
	struct json *j = NULL;
	enum err e = ERR_SYSTEM;

	if (!buf_printf(&url,
		"%s%s%s/servicePrincipals/appId=" INTUNE_APP "/endpoints", base,
		slash, r->graphapiversion) ||
	    !buf_printf(&scope, "%s%s.default", base, slash))
		goto out;
	struct call c = { .in = in,
		.what = "Graph",
		.scope = buf_cstr(&scope),
		.method = "GET",
		.url = buf_cstr(&url) };
	if ((e = send(&c, &answer)) != OK ||
	    (e = read_answer(&c, &answer, &j)) != OK)
		goto out;
	if ((address = uri_of(j, services[service].provider)) != NULL) {
		e = keep(in, service, address, uri);
		goto out;
	}
	log_error("alias %s: the directory names no %s: the application has "
		  "not the permission %s of Intune, or nobody has consented",
	    in->alias, services[service].provider,
	    services[service].permission);
	e = ERR_BUSY;
out:
	json_free(j);
	http_answer_release(&answer);
	buf_release(&url);
	buf_release(&scope);
	return e;
}

/* In trouble, or moved: a tenant may be served elsewhere by now. */
static bool
is_elsewhere(int status)
{
	return (status >= 300 && status < 400) || status == 404 ||
	       status == 410 || status >= 500;
}

static enum err
call_at(const struct intune *in, enum intune_service service, const char *url,
    struct span body, struct json **answer)
{
	struct http_answer got = HTTP_ANSWER_INIT;
	struct buf scope = BUF_INIT;
	enum err e = ERR_SYSTEM;

	/* resourceurl ends with a slash: Microsoft's client sends two */
	if (!buf_printf(&scope, "%s/.default", in->rules->resourceurl))
		return e;
	struct call c = { .in = in,
		.what = services[service].provider,
		.scope = buf_cstr(&scope),
		.method = "POST",
		.url = url,
		.version = services[service].version,
		.body = body };
	e = send(&c, &got);
	if (e == ERR_BUSY || (e == OK && is_elsewhere(got.status)))
		forget(find_found(in, service));
	if (e == OK)
		e = read_answer(&c, &got, answer);
	http_answer_release(&got);
	buf_release(&scope);
	return e;
}

enum err
intune_call(const struct intune *in, enum intune_service service,
    const char *verb, const struct json *ask, struct json **answer)
{
	const struct found *f = find_found(in, service);
	const char *uri = f != NULL ? f->uri : NULL;
	struct buf url = BUF_INIT, body = BUF_SECRET;
	enum err e = OK;

	if (uri == NULL)
		e = discover(in, service, &uri);
	if (e == OK && !buf_printf(&url, "%s/%s", uri, verb))
		e = ERR_SYSTEM;
	if (e == OK)
		e = json_print(ask, &body);
	if (e == OK)
		e = call_at(
		    in, service, buf_cstr(&url), buf_span(&body), answer);
	buf_release(&url);
	buf_release(&body);
	return e;
}
