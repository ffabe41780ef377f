#include "ca/generation.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/cert.h"
#include "ca/passphrase.h"
#include "ca/tbs.h"

const struct parts parts_ca = { "cert.pem", "key.pem", "chain.pem",
	"key.elsewhere" };
const struct parts parts_ra = { "cert.pem", "key.pem", NULL, NULL };
const struct parts parts_sign = { "sign.pem", "sign-key.pem", NULL, NULL };

void
generation_release(struct generation *g)
{
	key_close(g->key);
	certs_free(g->chain, g->nchain);
	buf_release(&g->ski_own);
	buf_release(&g->cert);
	*g = (struct generation){ .n = 0 };
}

unsigned
generation_number(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > 9 || name[0] == '0' ||
	    strspn(name, "0123456789") != len)
		return 0;
	return (unsigned)strtoul(name, NULL, 10);
}

/* Reads <dir>/<file>; a missing one is an error unless it may be. */
static enum err
read_part(int home, const char *dir, const char *file, bool must,
    struct buf *where, struct buf *out)
{
	enum err e;

	buf_clear(where);
	if (!buf_printf(where, "%s/%s", dir, file))
		return ERR_SYSTEM;
	e = file_read(home, buf_cstr(where), MAX_PEM, out);
	if (e == ERR_NOTFOUND && !must)
		return OK;
	if (e == ERR_NOTFOUND)
		log_error("%s is missing", buf_cstr(where));
	return e;
}

static enum err
fill(struct generation *g, const char *where)
{
	uint8_t id[20];
	struct cert_view v;
	enum err e;

	if ((e = cert_view(buf_span(&g->cert), &v)) != OK)
		return e;
	g->subject = v.subject;
	g->issuer = v.issuer;
	g->serial = v.serial;
	g->spki = v.spki;
	g->ski = v.ski;
	g->aki = v.aki;
	g->not_before = v.not_before;
	g->not_after = v.not_after;
	g->usage = v.usage;
	g->pathlen = v.pathlen;
	g->self_signed = v.self_signed;
	if (g->ski.len > 0)
		return OK;
	if ((e = spki_id(g->spki, id)) != OK) {
		log_error("%s: its public key is unreadable", where);
		return e;
	}
	if (!buf_add(&g->ski_own, id, sizeof(id)))
		return ERR_SYSTEM;
	g->ski = buf_span(&g->ski_own);
	return OK;
}

enum err
generation_of(struct span cert, struct key *key, struct generation *g)
{
	enum err e = ERR_SYSTEM;

	*g = (struct generation){ .n = 1 };
	if (buf_add(&g->cert, cert.p, cert.len))
		e = fill(g, "certificate");
	if (e == OK)
		g->key = key;
	else
		generation_release(g);
	return e;
}

/* OK: the folder says that its key is on another host. */
static enum err
is_elsewhere(int home, const char *dir, const struct parts *parts)
{
	struct buf path = BUF_INIT;
	enum err e = ERR_NOTFOUND;

	if (parts->elsewhere != NULL)
		e = buf_printf(&path, "%s/%s", dir, parts->elsewhere) ?
			file_exists(home, buf_cstr(&path)) :
			ERR_SYSTEM;
	buf_release(&path);
	return e;
}

static enum err
load_key(int home, const char *ca, const char *path, struct generation *g)
{
	enum err e;

	e = key_load(home, ca, path, &g->key, &g->sealed);
	if (e == ERR_NOTFOUND)
		log_error("%s is missing", path);
	else if (e == OK && !key_fits(g->key, g->spki)) {
		log_error("%s is not the key of its certificate", path);
		e = ERR_CRYPTO;
	}
	return e;
}

enum err
generation_load(int home, const char *ca, const char *dir,
    const struct parts *parts, struct generation *g)
{
	struct buf where = BUF_INIT, pem = BUF_INIT, chain = BUF_INIT;
	enum err e;

	if ((e = read_part(home, dir, parts->cert, true, &where, &pem)) != OK ||
	    (e = cert_read(buf_cstr(&where), buf_span(&pem), &g->cert)) != OK ||
	    (e = fill(g, buf_cstr(&where))) != OK)
		goto out;
	if (parts->chain != NULL &&
	    ((e = read_part(home, dir, parts->chain, false, &where, &chain)) !=
		    OK ||
		(e = certs_read(buf_cstr(&where), buf_span(&chain), &g->chain,
		     &g->nchain)) != OK))
		goto out;
	e = is_elsewhere(home, dir, parts);
	if (e == OK)
		e = key_public(buf_cstr(&where), g->spki, &g->key);
	if (e != ERR_NOTFOUND)
		goto out;
	buf_clear(&where);
	e = ERR_SYSTEM;
	if (buf_printf(&where, "%s/%s", dir, parts->key))
		e = load_key(home, ca, buf_cstr(&where), g);
out:
	buf_release(&where);
	buf_release(&pem);
	buf_release(&chain);
	return e;
}
