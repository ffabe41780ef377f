#include "page/ndes.h"

#include <ctype.h>

#include "base/log.h"
#include "base/names.h"
#include "store/audit.h"
#include "store/onetime.h"

/* Who asks, in the web server's words; NULL: it has not said. */
static const char *
asker(const struct request *r)
{
	if (*r->user != '\0')
		return r->user;
	return *r->peer != '\0' ? r->peer : NULL;
}

/* Nobody; where the web server may have meant somebody, what it must say. */
static enum err
refuse(struct visit *v)
{
	if (v->request->unproven)
		log_warn("alias %s: REMOTE_USER came with an Authorization "
			 "header and without AUTH_TYPE, so it may be what a "
			 "client says of itself; a web server that asks for "
			 "passwords here (nginx: auth_basic) has to pass "
			 "AUTH_TYPE too",
		    v->alias->name);
	return answer_text(
	    v->reply, 403, "only for users whom the web server has verified");
}

/* As NDES shows it: upper-case hex in groups of eight. */
static bool
put_thumbprint(struct span cert, struct buf *html)
{
	char hex[SHA256_HEX];

	if (sha256_hex(cert, hex) != OK)
		return false;
	for (size_t i = 0; hex[i] != '\0'; i++)
		if ((i > 0 && i % 8 == 0 && !buf_byte(html, ' ')) ||
		    !buf_byte(html, (uint8_t)toupper((unsigned char)hex[i])))
			return false;
	return true;
}

static bool
put_page(struct span cert, const char *code, int64_t minutes, struct buf *html)
{
	return buf_str(html,
		   "<HTML><Head><Meta HTTP-Equiv=\"Content-Type\" Content="
		   "\"text/html; charset=UTF-16\">"
		   "<Title>Network Device Enrollment Service</Title></Head>"
		   "<Body><P>Network Device Enrollment Service allows you to "
		   "obtain certificates for routers or other network devices "
		   "using the Simple Certificate Enrollment Protocol (SCEP)."
		   "</P><P>To complete certificate enrollment for your "
		   "network device you will need the following information:"
		   "</P><P>The thumbprint (hash value) for the CA certificate "
		   "is: <B> ") &&
	       put_thumbprint(cert, html) &&
	       buf_printf(html,
		   " </B></P><P>The enrollment challenge password is: <B> %s "
		   "</B></P><P>This password can be used only once and will "
		   "expire within %lld minutes.</P><P>Each enrollment "
		   "requires a new challenge password. You can refresh this "
		   "web page to obtain a new challenge password.</P></Body>"
		   "</HTML>\r\n",
		   code, (long long)minutes);
}

/* ASCII as UTF-16, its mark in front. */
static bool
widen(const struct buf *ascii, struct buf *out)
{
	bool ok = buf_add(out, "\xff\xfe", 2);

	for (size_t i = 0; i < ascii->len && ok; i++)
		ok = buf_byte(out, ascii->data[i]) && buf_byte(out, 0);
	return ok;
}

/* The page makes what `scep challenge new` does, and says so as that does. */
static enum err
audit_it(struct visit *v, const char *who, const char *id)
{
	struct buf name = BUF_INIT;
	struct audit line = { .verb = "challenge new",
		.object = id,
		.outcome = "done",
		.alias = v->alias->name,
		.detail = "on the page of NDES" };
	enum err e = ERR_SYSTEM;

	if (buf_printf(&name, "client %s (%s)", v->request->remote, who)) {
		line.who = buf_cstr(&name);
		e = audit_write(&v->house->store, &line);
	}
	buf_release(&name);
	return e;
}

/* A code for anybody's request, good once. */
static enum err
make_code(struct visit *v, const char *who, struct buf *secret)
{
	struct onetime o = ONETIME_INIT;
	enum err e = ERR_SYSTEM;

	o.code.count = 1;
	o.code.expires = v->now + v->alias->challenge.ttl;
	o.alias = str_dup(v->alias->name);
	o.by = str_dup(who);
	if (o.alias != NULL && o.by != NULL)
		e = onetime_add(&v->house->store, &o, secret);
	if (e == OK)
		e = audit_it(v, who, o.code.id);
	onetime_release(&o);
	return e;
}

static enum err
show(struct visit *v, const struct generation *gen, const struct buf *secret)
{
	struct buf html = BUF_SECRET;
	bool ok;

	v->reply->body.secret = true;
	ok = put_page(buf_span(&gen->cert), buf_cstr(secret),
		 v->alias->challenge.ttl / 60, &html) &&
	     widen(&html, &v->reply->body);
	buf_release(&html);
	v->reply->type = "text/html; charset=UTF-16";
	v->reply->no_store = true;
	return ok ? OK : ERR_SYSTEM;
}

/* Its certificate is on the page: without it no code is to be made. */
static enum err
find_generation(struct visit *v, const struct generation **gen)
{
	const struct ca *ca = NULL;
	enum err e = visit_ca(v, v->alias->defaultca, &ca);

	if (e != OK)
		return e;
	if ((*gen = ca_current(ca, v->now)) != NULL)
		return OK;
	log_error("CA %s is not valid yet", ca->called);
	return ERR_BUSY;
}

enum err
ndes_page(struct visit *v)
{
	const char *who = asker(v->request);
	struct buf secret = BUF_SECRET;
	const struct generation *gen = NULL;
	enum err e;

	if (!v->alias->challenge.page)
		return answer_text(v->reply, 404, "no such page");
	if (who == NULL)
		return refuse(v);
	log_text(&v->line, "user", who);
	if ((e = find_generation(v, &gen)) == OK &&
	    (e = make_code(v, who, &secret)) == OK)
		e = show(v, gen, &secret);
	buf_release(&secret);
	return e == ERR_NOTFOUND ? ERR_SYSTEM : e;
}
