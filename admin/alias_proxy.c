#include "admin/alias.h"

#include "base/log.h"
#include "base/time.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/key.h"

/* Aliases at a distance from their CA: [proxy], and [access] of both ends. */

static enum err
wrong(const char *path, const struct ini *ini, const char *section,
    const char *key, const char *what)
{
	const struct ini_entry *entry = ini_find(ini, section, key);

	log_error("%s:%d: %s: %s", path, entry ? entry->line : 0, key, what);
	return ERR_INPUT;
}

/* What dn_parse() says of a name has no file and line. */
static enum err
check_peers(const char *path, const struct ini *ini, const struct alias *a)
{
	struct buf der = BUF_INIT, what = BUF_INIT;
	enum err e = OK, all = OK;

	for (size_t i = 0; i < a->npeers; i++) {
		buf_clear(&der);
		log_mute(true);
		e = dn_parse(a->peers[i], &der);
		log_mute(false);
		if (e == OK)
			continue;
		buf_clear(&what);
		(void)buf_printf(&what,
		    "\"%s\" is no name as CN=proxy1,O=Lab,C=SE", a->peers[i]);
		all = e == ERR_SYSTEM ?
			  e :
			  wrong(path, ini, "access", "peers", buf_cstr(&what));
	}
	buf_release(&der);
	buf_release(&what);
	return all;
}

/* Our certificate there, the first of its file. */
static enum err
read_cert(const struct command *cmd, const struct alias *a, struct buf *der)
{
	const char *file = a->proxy.peer.clientcert;
	struct buf pem = BUF_INIT;
	enum err e =
	    alias_file(cmd->home, "clientcert", file, ALIAS_CERTS, &pem);

	if (e == OK)
		e = cert_read(file, buf_span(&pem), der);
	buf_release(&pem);
	return e;
}

static enum err
check_key(const struct command *cmd, const char *path, const struct ini *ini,
    const struct alias *a, struct span cert)
{
	const char *file = a->proxy.peer.clientkey;
	struct buf pem = BUF_SECRET;
	struct key *key = NULL;
	struct cert_view view;
	enum err e;

	e = alias_file(cmd->home, "clientkey", file, ALIAS_KEY, &pem);
	if (e == OK)
		e = key_read(file, buf_span(&pem), span_of(NULL, 0), &key);
	if (e == OK &&
	    (cert_view(cert, &view) != OK || !key_fits(key, view.spki)))
		e = wrong(path, ini, "proxy", "clientkey",
		    "it is not the key of clientcert");
	key_close(key);
	buf_release(&pem);
	return e;
}

static enum err
count_cert(struct span der, void *arg)
{
	(void)der;
	(void)arg;
	return OK;
}

static enum err
check_cafile(const struct command *cmd, const struct alias *a)
{
	const char *file = a->proxy.peer.cafile;
	struct buf pem = BUF_INIT;
	enum err e;

	if (file == NULL)
		return OK;
	e = alias_file(cmd->home, "cafile", file, ALIAS_CERTS, &pem);
	if (e == OK)
		e = certs_each(file, buf_span(&pem), count_cert, NULL);
	buf_release(&pem);
	return e;
}

enum err
alias_check_proxy(const struct command *cmd, const char *path,
    const struct ini *ini, const struct alias *a)
{
	enum err e = check_peers(path, ini, a), other;
	struct buf cert = BUF_INIT;

	if (a->mode != MODE_PROXY)
		return e;
	other = read_cert(cmd, a, &cert);
	if (other == OK)
		other = check_key(cmd, path, ini, a, buf_span(&cert));
	e = e == OK ? other : e;
	other = check_cafile(cmd, a);
	buf_release(&cert);
	return e == OK ? other : e;
}

void
alias_tell_proxy(const struct command *cmd, const struct alias *a)
{
	struct buf cert = BUF_INIT, name = BUF_INIT;
	char until[TIME_TEXT];
	struct cert_view view;

	if (a->mode != MODE_PROXY)
		return;
	if (read_cert(cmd, a, &cert) == OK &&
	    cert_view(buf_span(&cert), &view) == OK &&
	    dn_text(view.subject, &name) == OK) {
		time_text(view.not_after, until);
		(void)fprintf(
		    cmd->out, "  passes on to %s as ", a->proxy.peer.url);
		print_text(cmd->out, buf_cstr(&name));
		(void)fprintf(cmd->out, ", %s %s\n",
		    view.not_after > time_now() ? "until" :
						  "whose certificate ended",
		    until);
	}
	buf_release(&cert);
	buf_release(&name);
}

static const char template[] =
    "; Alias %s.  `scep alias show %s` prints every key with its value;\n"
    "; scep-alias(5) explains them, and says where example.ini is.\n"
    "\n"
    "[scep]\n"
    "operationmode = proxy\n"
    "\n"
    "[proxy]\n"
    "url = \"%s\"\n"
    "clientcert = \"%s\"\n"
    "clientkey = \"%s\"\n";

enum err
alias_proxy_text(struct command *cmd, const char *name, struct buf *text)
{
	const char *cert = opt_text(cmd, "clientcert");
	const char *key = opt_text(cmd, "clientkey");
	const char *ca = opt_text(cmd, "cafile");

	if (opt_given(cmd, "ca"))
		return usage(cmd, "a proxy has no CA: --ca or --proxy");
	if (cert == NULL || key == NULL)
		return usage(cmd, "--proxy needs --clientcert and --clientkey");
	if (!buf_printf(text, template, name, name, opt_text(cmd, "proxy"),
		cert, key) ||
	    (ca != NULL && !buf_printf(text, "cafile = \"%s\"\n", ca)))
		return ERR_SYSTEM;
	return OK;
}
