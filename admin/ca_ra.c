#include "admin/ca.h"

#include "admin/profile.h"
#include "base/time.h"
#include "ca/cert.h"
#include "message/message.h"

/* `scep ca ra ...`: the certificates that clients encrypt to. */

/* Shows one RA generation: one certificate, or two. */
static enum err
show_ra(struct command *cmd, const struct ca *ca, const struct ra *ra)
{
	struct shown what = { .title = "RA of CA:",
		.key = "ca",
		.name = ca->called,
		.use = ra->split ? "encryption" : "encryption, signatures",
		.renewed = ra->days > 0 };
	enum err e;

	e = ca_show(cmd, &what, &ra->enc);
	if (e == OK && ra->split) {
		what.use = "signatures";
		e = ca_show(cmd, &what, &ra->sign);
	}
	return e;
}

static enum err
run_show(struct command *cmd)
{
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	e = ca_find(cmd, cmd->name[0], &cas, &ca);
	if (e == OK && ca->nra == 0)
		e = say(ERR_NOTFOUND,
		    "CA %s has no RA certificate; `scep ca ra create` makes "
		    "one",
		    ca->called);
	for (size_t i = 0; e == OK && i < ca->nra; i++)
		e = show_ra(cmd, ca, &ca->ra[i]);
	cas_free(cas);
	return e;
}

/* The newest stands in its folder: shown, and named for the audit. */
static enum err
finish(struct command *cmd)
{
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	const struct ra *ra;
	struct buf sha256 = BUF_INIT;
	enum err e;

	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) != OK || ca->nra == 0)
		goto out;
	ra = &ca->ra[ca->nra - 1];
	if ((e = fingerprint(buf_span(&ra->enc.cert), FP_SHA256, &sha256)) !=
	    OK)
		goto out;
	(void)buf_printf(&cmd->detail, "RA generation %u, SHA-256 %s", ra->n,
	    buf_cstr(&sha256));
	print_field(cmd->out, "RA of CA:", ca->called);
	(void)fprintf(cmd->out, "%-14s%u\n", "Generation:", ra->n);
	print_time(cmd->out, "Valid until:", ra->enc.not_after);
	print_field(cmd->out, "SHA-256:", buf_cstr(&sha256));
out:
	buf_release(&sha256);
	cas_free(cas);
	return e;
}

static enum err
faster(const struct command *cmd, enum err e)
{
	if (e != ERR_EXISTS)
		return e;
	return say(ERR_BUSY,
	    "somebody else has made an RA certificate of CA %s; `scep ca ra "
	    "show` shows it",
	    cmd->name[0]);
}

/* What is not said is as it was, else as it is for a new one. */
static void
fill_order(const struct command *cmd, const struct ra *was, char kind[16],
    struct ra_order *o)
{
	int64_t days = was != NULL && was->days > 0 ? was->days : RA_DAYS;

	if (was != NULL)
		(void)snprintf(
		    kind, 16, "rsa:%u", key_bits(was->enc.key) / 8 * 8);
	else
		(void)snprintf(kind, 16, "%s", RA_KEY);
	*o = (struct ra_order){
		.split =
		    opt_flag(cmd, "split") ||
		    (was != NULL && was->split && !opt_flag(cmd, "single")),
		.key = opt_given(cmd, "key") ? opt_text(cmd, "key") : kind,
		.days = opt_number(cmd, "days", days),
		.subject = opt_text(cmd, "subject"),
		.encrypt = opt_flag(cmd, "encrypt-key") ||
			   (was != NULL && was->enc.sealed),
	};
}

/* create: the first one; renew: the next one, whoever made the last. */
static enum err
make(struct command *cmd, bool renew)
{
	const struct ca *ca = NULL;
	const struct ra *was = NULL;
	struct ra_order order;
	struct cas *cas = NULL;
	struct site site;
	char kind[16];
	enum err e;

	if (opt_flag(cmd, "split") && opt_flag(cmd, "single"))
		return usage(cmd, "--split or --single, not both");
	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) != OK)
		goto out;
	if (ca->nra > 0)
		was = &ca->ra[ca->nra - 1];
	if (renew && was == NULL)
		e = say(ERR_NOTFOUND,
		    "CA %s has no RA certificate; `scep ca ra create` makes "
		    "one",
		    ca->called);
	else if (!renew && ca_ra_current(ca, cmd->now) != NULL)
		e = say(ERR_EXISTS,
		    "CA %s has an RA certificate; `scep ca ra renew` makes "
		    "the next one",
		    ca->called);
	if (e != OK)
		goto out;
	fill_order(cmd, was, kind, &order);
	if ((e = ca_baseurl(cmd, &site, &order.baseurl)) != OK)
		goto out;
	e = faster(cmd, ca_ra_renew(cmd->home, ca, &order, cmd->now));
out:
	cas_free(cas);
	return e == OK ? finish(cmd) : e;
}

static enum err
run_create(struct command *cmd)
{
	return make(cmd, false);
}

static enum err
run_renew(struct command *cmd)
{
	return make(cmd, true);
}

/* A PKCS#12 as the second name, or files by options. */
static enum err
import_files(struct command *cmd, struct ra_import *in)
{
	bool pair = opt_given(cmd, "cert") && opt_given(cmd, "key");
	bool sign = opt_given(cmd, "sign-cert") && opt_given(cmd, "sign-key");

	in->pkcs12 = opt_bytes(cmd, "pkcs12");
	if (cmd->names > 1) {
		in->pkcs12 = name_bytes(cmd, 1);
		if (in->pkcs12.len == 0)
			return say(ERR_NOTFOUND,
			    "%s is no file with a PKCS#12; name one that is",
			    cmd->name[1]);
	}
	if ((in->pkcs12.len > 0) == pair ||
	    opt_given(cmd, "cert") != opt_given(cmd, "key") ||
	    opt_given(cmd, "sign-cert") != opt_given(cmd, "sign-key") ||
	    (sign && opt_given(cmd, "sign")))
		return usage(cmd, "ca ra import wants a PKCS#12, or --cert "
				  "FILE and --key FILE; with two certificates "
				  "--sign FILE, or --sign-cert and --sign-key");
	in->cert = opt_bytes(cmd, "cert");
	in->key = opt_bytes(cmd, "key");
	in->sign_pkcs12 = opt_bytes(cmd, "sign");
	in->sign_cert = opt_bytes(cmd, "sign-cert");
	in->sign_key = opt_bytes(cmd, "sign-key");
	return OK;
}

static enum err
run_import(struct command *cmd)
{
	struct ra_import in = { .passphrase = opt_bytes(cmd, "passphrase"),
		.encrypt = opt_flag(cmd, "encrypt-key") };
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	if ((e = import_files(cmd, &in)) != OK)
		return e;
	e = ca_find(cmd, cmd->name[0], &cas, &ca);
	if (e == OK)
		e = faster(cmd, ca_ra_import(cmd->home, ca, &in, cmd->now));
	cas_free(cas);
	return e == OK ? finish(cmd) : e;
}

/* ---- an RA on another host than its CA ------------------------------------ */

/* The CSR alone on standard output, so that it can be piped to the CA. */
static enum err
run_request(struct command *cmd)
{
	struct ra_order order = {
		.key = opt_given(cmd, "key") ? opt_text(cmd, "key") : RA_KEY,
		.subject = opt_text(cmd, "subject"),
		.encrypt = opt_flag(cmd, "encrypt-key")
	};
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	struct buf csr = BUF_INIT;
	enum err e;

	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) == OK)
		e = ca_ra_request(cmd->home, ca, &order, cmd->now, &csr);
	if (e == OK)
		(void)fwrite(buf_cstr(&csr), 1, csr.len, cmd->out);
	cas_free(cas);
	buf_release(&csr);
	return e;
}

/* A person has looked at it: only key and name are taken of it. */
static enum err
sign_csr(struct command *cmd, const struct ca *ca, const struct ra_order *order)
{
	struct csr csr = { .nasked = 0 };
	struct buf der = BUF_INIT, pem = BUF_INIT, cert = BUF_INIT;
	bool verified = false;
	const char *why = NULL;
	enum err e;

	csr.der.secret = csr.challenge.secret = true;
	if ((e = csr_bytes(name_bytes(cmd, 1), &der)) != OK)
		goto out;
	e = csr_read(buf_span(&der), &csr, &verified, &why);
	if (e == ERR_INPUT || (e == OK && !verified))
		e = say(ERR_INPUT, "%s: %s", cmd->name[1],
		    why ? why : "its signature is wrong");
	if (e == OK)
		e = ca_ra_sign(
		    ca, order, csr.subject, csr.spki, cmd->now, &cert);
	if (e == OK && (e = cert_pem(buf_span(&cert), &pem)) == OK)
		(void)fwrite(buf_cstr(&pem), 1, pem.len, cmd->out);
out:
	csr_release(&csr);
	buf_release(&der);
	buf_release(&pem);
	buf_release(&cert);
	return e;
}

static enum err
run_sign(struct command *cmd)
{
	struct ra_order order = { .days = opt_number(cmd, "days", RA_DAYS) };
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	struct site site;
	enum err e;

	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) == OK &&
	    (e = ca_baseurl(cmd, &site, &order.baseurl)) == OK)
		e = sign_csr(cmd, ca, &order);
	cas_free(cas);
	return e;
}

static enum err
run_install(struct command *cmd)
{
	struct span cert = name_bytes(cmd, 1);
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	if (cert.len == 0)
		return say(ERR_NOTFOUND,
		    "%s is no file with a certificate; name one that is",
		    cmd->name[1]);
	e = ca_find(cmd, cmd->name[0], &cas, &ca);
	if (e == OK)
		e = faster(cmd, ca_ra_install(cmd->home, ca, cert, cmd->now));
	if (e == ERR_NOTFOUND && ca != NULL)
		e = say(e,
		    "no key waits for a certificate; `scep ca ra request %s` "
		    "makes one",
		    cmd->name[0]);
	cas_free(cas);
	return e == OK ? finish(cmd) : e;
}

static const struct option request_options[] = {
	{ "subject", "dn", OPT_TEXT, "DN",
	    "its name; default the CA's, with RA behind its CN" },
	{ "key", NULL, OPT_TEXT, "KIND",
	    "rsa:2048 to rsa:8192; default " RA_KEY },
	{ "out", NULL, OPT_OUT, "FILE",
	    "where the CSR goes; default standard output" },
	CA_ENCRYPT,
	CA_END,
};
static const struct option sign_options[] = {
	{ "days", "validity", OPT_NUMBER, "N",
	    "how long; default 730; never longer than the CA" },
	{ "out", NULL, OPT_OUT, "FILE",
	    "where the certificate goes; default standard output" },
	CA_END,
};
static const struct option install_options[] = { CA_END };
static const struct option show_options[] = { CA_JSON, CA_NAME, CA_END };
static const struct option make_options[] = {
	{ "split", NULL, OPT_FLAG, NULL,
	    "two certificates: for encryption and for signatures" },
	{ "single", NULL, OPT_FLAG, NULL, "one for both" },
	{ "key", NULL, OPT_TEXT, "KIND",
	    "rsa:2048 to rsa:8192; default as the last one, else " RA_KEY },
	{ "days", "validity", OPT_NUMBER, "N",
	    "how long; default as the last one, else 730; never longer than "
	    "the CA" },
	{ "subject", "dn", OPT_TEXT, "DN",
	    "its name; default the CA's, with RA behind its CN" },
	CA_ENCRYPT,
	CA_NAME,
	CA_END,
};
static const struct option import_options[] = {
	{ "pkcs12", "p12", OPT_FILE, "FILE",
	    "the same as FILE: key and certificate" },
	{ "cert", NULL, OPT_FILE, "FILE", "the certificate, PEM or DER" },
	{ "key", NULL, OPT_FILE, "FILE", "its private key, PEM" },
	{ "sign", NULL, OPT_FILE, "FILE",
	    "PKCS#12 of the one for signatures, where there are two" },
	{ "sign-cert", NULL, OPT_FILE, "FILE", "the same as PEM or DER" },
	{ "sign-key", NULL, OPT_FILE, "FILE", "and its private key" },
	CA_PASSPHRASE,
	CA_ENCRYPT,
	CA_END,
};

static const struct verb ra_verbs[] = {
	{ "create", { "add", "new", NULL }, "NAME", 1, 1, make_options,
	    run_create, "make an RA certificate under a CA",
	    "Clients then encrypt to it, and check its signature, instead of "
	    "the CA's.\nThe server renews it by itself after two thirds of "
	    "its life.",
	    true, false, NAMES_PLAIN },
	{ "import", { NULL }, "NAME [FILE]", 1, 2, import_options, run_import,
	    "bring an RA key and certificate that the CA has issued",
	    "It is not renewed by itself.\n\n"
	    "  scep ca ra import ManagementCA scepraserver.p12 --passphrase -",
	    true, false, NAMES_MAYBE },
	{ "request", { NULL }, "NAME", 1, 1, request_options, run_request,
	    "make a key and a CSR, where the CA's key is on another host",
	    "Without a certificate for the last one that is written again.\n\n"
	    "  scep ca ra request Lab --out ra.csr        on the RA's host\n"
	    "  scep ca ra sign Lab ra.csr --out ra.pem    on the CA's\n"
	    "  scep ca ra install Lab ra.pem              on the RA's",
	    true, false, NAMES_PLAIN },
	{ "sign", { NULL }, "NAME CSR", 2, 2, sign_options, run_sign,
	    "issue the certificate of an RA on another host",
	    "Only key and subject are taken of the CSR.  Who has such a "
	    "certificate speaks for the\nCA to its clients.",
	    true, false, NAMES_MAYBE },
	{ "install", { NULL }, "NAME CERT", 2, 2, install_options, run_install,
	    "take the answer to a request", NULL, true, false, NAMES_MAYBE },
	{ "renew", { NULL }, "NAME", 1, 1, make_options, run_renew,
	    "make the next one now",
	    "The old one is served until 30 days after its end, for clients "
	    "that have it.",
	    true, false, NAMES_PLAIN },
	{ "show", { "list", NULL }, "NAME", 1, 1, show_options, run_show,
	    "show all of them, oldest first", NULL, false, false, NAMES_PLAIN },
	{ .name = NULL },
};

const struct noun noun_ca_ra = { "ca ra",
	"certificates that clients encrypt to instead of the CA's", ra_verbs };
