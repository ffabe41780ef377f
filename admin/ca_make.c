#include "admin/ca.h"

#include "ca/ca.h"
#include "store/cert.h"

#define KEY_KIND "rsa:3072"
#define CA_DAYS	 3650

enum err
ca_baseurl(const struct command *cmd, struct site *site, const char **url)
{
	enum err e = site_read(cmd->home, site);

	*url = e == OK && *site->baseurl != '\0' ? site->baseurl : NULL;
	return e == ERR_INPUT ? ERR_REFUSED : e;
}

enum err
ca_tell(struct command *cmd)
{
	const struct generation *g;
	const struct ca *ca = NULL;
	struct buf sha256 = BUF_INIT;
	struct cas *cas = NULL;
	enum err e;

	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) != OK)
		goto out;
	g = &ca->gen[ca->ngen - 1];
	if ((e = fingerprint(buf_span(&g->cert), FP_SHA256, &sha256)) != OK)
		goto out;
	(void)buf_printf(&cmd->detail, "SHA-256 %s", buf_cstr(&sha256));
	print_field(cmd->out, "CA:", ca->called);
	if (g->folder > 1)
		(void)fprintf(cmd->out, "%-14s%u\n", "Generation:", g->folder);
	if (g->not_before > cmd->now)
		print_time(cmd->out, "Valid from:", g->not_before);
	print_time(cmd->out, "Valid until:", g->not_after);
	print_field(cmd->out, "SHA-256:", buf_cstr(&sha256));
out:
	buf_release(&sha256);
	cas_free(cas);
	return e;
}

/* Its folder stands: what the store needs for it, and a line about it. */
static enum err
finish(struct command *cmd)
{
	enum err e;

	if ((e = cert_rooms(&cmd->store, cmd->name[0], 1)) != OK ||
	    (e = ca_tell(cmd)) != OK)
		return e;
	if (opt_given(cmd, "parent"))
		(void)buf_printf(
		    &cmd->detail, ", under %s", opt_text(cmd, "parent"));
	return OK;
}

static enum err
exists(const struct command *cmd, enum err e)
{
	if (e != ERR_EXISTS)
		return e;
	return say(e, "there is a CA %s already; `scep ca show %s` shows it",
	    cmd->name[0], cmd->name[0]);
}

enum err
ca_run_order(struct command *cmd, struct ca_order *order)
{
	struct site site;
	enum err e;

	if (order->key == NULL)
		order->key = KEY_KIND;
	if (order->days < 1 || order->days > 36500)
		return usage(cmd, "--days is 1 to 36500");
	if ((e = ca_baseurl(cmd, &site, &order->baseurl)) != OK)
		return e;
	e = ca_create(cmd->home, order, cmd->now);
	order->baseurl = NULL; /* which was site's */
	return e == OK ? finish(cmd) : exists(cmd, e);
}

enum err
ca_run_create(struct command *cmd)
{
	struct ca_order order = { .name = cmd->name[0],
		.subject = opt_text(cmd, "subject"),
		.key = opt_text(cmd, "key"),
		.days = opt_number(cmd, "days", CA_DAYS),
		.parent = opt_text(cmd, "parent"),
		.encrypt = opt_flag(cmd, "encrypt-key") };

	if (order.subject == NULL || *order.subject == '\0')
		return usage(cmd, "ca create wants --subject DN, as "
				  "--subject CN=MyCA,O=Lab,C=SE");
	return ca_run_order(cmd, &order);
}

enum err
ca_run_import(struct command *cmd)
{
	struct ca_import in = { .name = cmd->name[0],
		.cert = opt_bytes(cmd, "cert"),
		.key = opt_bytes(cmd, "key"),
		.chain = opt_bytes(cmd, "chain"),
		.pkcs12 = opt_bytes(cmd, "pkcs12"),
		.passphrase = opt_bytes(cmd, "passphrase"),
		.encrypt = opt_flag(cmd, "encrypt-key"),
		.elsewhere = opt_flag(cmd, "no-key") };
	enum err e;

	if (opt_given(cmd, "pkcs12") ?
		(opt_given(cmd, "cert") || opt_given(cmd, "key") ||
		    in.elsewhere) :
		!opt_given(cmd, "cert") ||
		    opt_given(cmd, "key") == in.elsewhere)
		return usage(cmd, "ca import wants --cert FILE and --key FILE, "
				  "or --pkcs12 FILE; for an external RA --cert "
				  "FILE and --no-key");
	if (in.elsewhere && (in.encrypt || opt_given(cmd, "passphrase")))
		return usage(cmd, "with --no-key there is no key that a "
				  "passphrase could be for");
	e = ca_import(cmd->home, &in);
	return e == OK ? finish(cmd) : exists(cmd, e);
}

static enum err
request_next(struct command *cmd, struct buf *csr)
{
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	if (opt_given(cmd, "subject"))
		return usage(cmd, "--next keeps the subject");
	cmd->unchanged = !opt_given(cmd, "key");
	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) == OK)
		e = ca_request_next(cmd->home, ca, opt_text(cmd, "key"),
		    opt_flag(cmd, "encrypt-key"), csr);
	if (e == ERR_EXISTS)
		e = opt_given(cmd, "key") ?
			say(e,
			    "CA %s has a next generation, or a request for it "
			    "waits; without --key that is written again",
			    cmd->name[0]) :
			say(e,
			    "CA %s has a next generation already; `scep ca "
			    "show %s` shows it",
			    cmd->name[0], cmd->name[0]);
	cas_free(cas);
	return e;
}

/* The CSR alone on standard output, so that it can be piped to the issuer. */
enum err
ca_run_request(struct command *cmd)
{
	struct ca_order order = { .name = cmd->name[0],
		.subject = opt_text(cmd, "subject"),
		.key = opt_text(cmd, "key"),
		.encrypt = opt_flag(cmd, "encrypt-key") };
	struct buf csr = BUF_INIT;
	enum err e;

	if (opt_flag(cmd, "next")) {
		e = request_next(cmd, &csr);
		if (e == OK)
			(void)fwrite(buf_cstr(&csr), 1, csr.len, cmd->out);
		buf_release(&csr);
		return e;
	}
	cmd->unchanged = order.subject == NULL;
	if (order.key == NULL)
		order.key = KEY_KIND;
	e = ca_request(cmd->home, &order, &csr);
	if (e == OK)
		(void)fwrite(buf_cstr(&csr), 1, csr.len, cmd->out);
	else if (e == ERR_NOTFOUND)
		e = usage(cmd,
		    "no request of CA %s waits; --subject DN makes "
		    "one",
		    order.name);
	else if (e == ERR_EXISTS && order.subject != NULL)
		e = say(e,
		    "there is a CA %s already, or a request of it "
		    "waits; without --subject that is written again",
		    order.name);
	buf_release(&csr);
	return e;
}

/* The rooms of a next generation stand before it does. */
static enum err
make_rooms(struct command *cmd, bool *next)
{
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	if ((e = cas_new(cmd->home, &cas)) != OK)
		return e;
	e = cas_find(cas, cmd->name[0], &ca);
	*next = e == OK;
	if (e == OK)
		e = cert_rooms(&cmd->store, ca->name, ca_top(ca) + 1);
	cas_free(cas);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
ca_run_install(struct command *cmd)
{
	struct span cert = name_bytes(cmd, 1), chain = { NULL, 0 };
	bool next = false;
	enum err e;

	if (cmd->names > 2)
		chain = name_bytes(cmd, 2);
	if (cert.len == 0 || (cmd->names > 2 && chain.len == 0))
		return say(ERR_NOTFOUND,
		    "%s is no file with a certificate; name one that is",
		    cmd->name[cert.len == 0 ? 1 : 2]);
	if ((e = make_rooms(cmd, &next)) != OK)
		return e;
	e = ca_install(cmd->home, cmd->name[0], cert, chain);
	if (e == ERR_NOTFOUND)
		return say(e,
		    "CA %s waits for no certificate; `scep ca request` makes "
		    "a request, `scep ca import` brings key and certificate",
		    cmd->name[0]);
	if (e != OK)
		return exists(cmd, e);
	return next ? ca_finish_next(cmd) : finish(cmd);
}

#define KEY_OPTION                                              \
	{                                                       \
		"key", NULL, OPT_TEXT, "KIND",                  \
		    "rsa:2048 to rsa:8192, ec:P-256, ec:P-384;" \
		    " default " KEY_KIND                        \
	}

const struct option ca_create_options[] = {
	{ "subject", "dn", OPT_TEXT, "DN", "its name: CN=MyCA,O=Lab,C=SE" },
	KEY_OPTION,
	{ "days", "validity", OPT_NUMBER, "N", "how long; default 3650" },
	{ "parent", NULL, OPT_TEXT, "CA",
	    "a CA here that issues the certificate; default: it signs itself" },
	CA_ENCRYPT,
	CA_NAME,
	CA_END,
};
const struct option ca_import_options[] = {
	{ "cert", NULL, OPT_FILE, "FILE", "its certificate, PEM or DER" },
	{ "key", NULL, OPT_FILE, "FILE", "its private key, PEM" },
	{ "no-key", NULL, OPT_FLAG, NULL,
	    "the key stays on another host: this one is its external RA" },
	{ "chain", NULL, OPT_FILE, "FILE",
	    "certificates of its issuers, nearest first, PEM" },
	{ "pkcs12", "p12", OPT_FILE, "FILE", "all of them in one PKCS#12" },
	CA_PASSPHRASE,
	CA_ENCRYPT,
	CA_NAME,
	CA_END,
};
const struct option ca_request_options[] = {
	{ "subject", "dn", OPT_TEXT, "DN", "its name: CN=MyCA,O=Lab,C=SE" },
	KEY_OPTION,
	{ "out", NULL, OPT_OUT, "FILE",
	    "where the CSR goes; default standard output" },
	{ "next", NULL, OPT_FLAG, NULL,
	    "of the next generation; its key's kind is the present one's" },
	CA_ENCRYPT,
	CA_NAME,
	CA_END,
};
const struct option ca_install_options[] = { CA_END };
