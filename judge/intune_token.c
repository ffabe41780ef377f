#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "judge/intune.h"

/*
 * Tokens of the directory: asked for with the application's secret, or with
 * what its key has signed (RFC 6749 4.4, RFC 7523).
 */

#define MARGIN	  ((int64_t)300)   /* seconds before its end: no longer used */
#define LONGEST	  ((int64_t)86400) /* seconds that any token is believed */
#define MAX_TOKEN 16384		   /* bytes */

static const char assertion[] =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/* Of this process alone.  A few aliases, two scopes each; the oldest goes. */
static struct kept {
	char key[SHA256_HEX];
	struct buf token;
	int64_t until;
} kept[16];
static size_t next_kept;

int64_t
intune_until(int64_t asked, int64_t seconds)
{
	int64_t margin;

	if (seconds <= 0)
		return asked;
	if (seconds > LONGEST)
		seconds = LONGEST;
	margin = seconds / 10;
	return asked + seconds - (margin < MARGIN ? margin : MARGIN);
}

/* Whose token it is: all that the alias says, and for what. */
static enum err
name_of(const struct intune *in, const char *scope, char key[SHA256_HEX])
{
	struct buf all = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&all, "%s %s", in->key, scope))
		e = sha256_hex(buf_span(&all), key);
	buf_release(&all);
	return e;
}

static struct kept *
find_kept(const char key[SHA256_HEX])
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (strcmp(kept[i].key, key) == 0)
			return &kept[i];
	return NULL;
}

static void
forget(struct kept *k)
{
	buf_release(&k->token);
	k->token = (struct buf)BUF_SECRET;
	k->key[0] = '\0';
	k->until = 0;
}

void
intune_token_drop(const struct intune *in, const char *scope)
{
	char key[SHA256_HEX];
	struct kept *k;

	if (name_of(in, scope, key) == OK && (k = find_kept(key)) != NULL)
		forget(k);
}

/* One field of a form (WHATWG's application/x-www-form-urlencoded). */
static bool
put_field(struct buf *form, const char *name, struct span value)
{
	bool ok = buf_printf(form, "%s%s=", form->len > 0 ? "&" : "", name);

	for (size_t i = 0; i < value.len && ok; i++) {
		uint8_t c = value.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '-' || c == '_' ||
			     c == '.' || c == '*';

		ok = plain ? buf_byte(form, c) : buf_printf(form, "%%%02X", c);
	}
	return ok;
}

static struct span
words(const char *s)
{
	return span_of(s, strlen(s));
}

/* Secret, or certificate: the alias has one of them (alias_mode.c). */
static enum err
put_proof(const struct intune *in, const char *url, struct buf *form)
{
	const struct intune_claims claims = { .where = in->rules->binding,
		.audience = url,
		.client = in->rules->appid,
		.now = in->now };
	struct buf jwt = BUF_SECRET;
	enum err e;

	if (!in->rules->keybinding)
		return put_field(form, "client_secret", buf_span(&in->secret)) ?
			   OK :
			   ERR_SYSTEM;
	e = intune_jwt(&claims, buf_span(&in->secret), &jwt);
	if (e == OK &&
	    (!put_field(form, "client_assertion_type", words(assertion)) ||
		!put_field(form, "client_assertion", buf_span(&jwt))))
		e = ERR_SYSTEM;
	buf_release(&jwt);
	return e;
}

static enum err
put_form(const struct intune *in, const char *url, const char *scope,
    struct buf *form)
{
	if (!put_field(form, "grant_type", words("client_credentials")) ||
	    !put_field(form, "client_id", words(in->rules->appid)) ||
	    !put_field(form, "scope", words(scope)))
		return ERR_SYSTEM;
	return put_proof(in, url, form);
}

/* "AADSTS7000215": what its people look up; the rest may say too much. */
static void
log_refusal(const struct intune *in, const struct http_answer *answer)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const char *error = "", *text = "";
	struct json *j = NULL;

	if (json_parse(buf_span(&answer->body), &j) == OK) {
		(void)json_get0_text(j, "error", &error);
		(void)json_get0_text(j, "error_description", &text);
	}
	log_error("alias %s: the directory gives no token: HTTP %d %.60s "
		  "%.*s; look at [intune] tenant, aadappid and the secret or "
		  "certificate",
	    in->alias, answer->status, error, (int)strspn(text, digits), text);
	json_free(j);
}

/* A token goes into a header: nothing but what may stand there. */
static bool
is_token(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return len > 0 && len <= MAX_TOKEN;
}

static enum err
read_token(const struct intune *in, const struct http_answer *answer,
    const char key[SHA256_HEX], const struct kept **out)
{
	struct json *j = NULL;
	const char *text = NULL;
	int64_t seconds = 0;
	struct kept *k;
	enum err e = ERR_BUSY;

	if (answer->status != 200) {
		log_refusal(in, answer);
		return e;
	}
	if (json_parse(buf_span(&answer->body), &j) != OK ||
	    json_get0_text(j, "access_token", &text) != OK || !is_token(text)) {
		log_error(
		    "alias %s: the directory's answer has no token", in->alias);
		goto out;
	}
	/* absent or odd: good for this once */
	if (json_get_number(j, "expires_in", &seconds) != OK)
		seconds = 0;
	if ((k = find_kept(key)) == NULL) {
		k = &kept[next_kept];
		next_kept = (next_kept + 1) % (sizeof(kept) / sizeof(*kept));
	}
	forget(k);
	e = ERR_SYSTEM;
	if (!buf_str(&k->token, text))
		goto out;
	memcpy(k->key, key, SHA256_HEX);
	k->until = intune_until(in->now, seconds);
	*out = k;
	e = OK;
out:
	json_free(j);
	return e;
}

static enum err
fetch_token(const struct intune *in, const char *scope,
    const char key[SHA256_HEX], const struct kept **out)
{
	static const char *const header[] = {
		"Content-Type: application/x-www-form-urlencoded",
		"Accept: application/json", NULL
	};
	const char *base = in->rules->authority;
	size_t len = strlen(base);
	struct http_answer answer = HTTP_ANSWER_INIT;
	struct buf url = BUF_INIT, form = BUF_SECRET;
	enum err e = ERR_SYSTEM;

	while (len > 0 && base[len - 1] == '/')
		len--;
	if (buf_printf(&url, "%.*s/%s/oauth2/v2.0/token", (int)len, base,
		in->rules->tenant))
		e = put_form(in, buf_cstr(&url), scope, &form);
	if (e == OK)
		e = intune_http(in, "POST", buf_cstr(&url), header,
		    buf_span(&form), &answer);
	if (e == OK)
		e = read_token(in, &answer, key, out);
	http_answer_release(&answer);
	buf_release(&url);
	buf_release(&form);
	return e;
}

enum err
intune_token(const struct intune *in, const char *scope, const char **token)
{
	char key[SHA256_HEX];
	const struct kept *k;
	enum err e;

	if ((e = name_of(in, scope, key)) != OK)
		return e;
	k = find_kept(key);
	if (k == NULL || in->now >= k->until)
		e = fetch_token(in, scope, key, &k);
	if (e == OK)
		*token = buf_cstr(&k->token);
	return e;
}
