#include "admin/ca.h"

#include "base/time.h"
#include "ca/cert.h"
#include "ca/dn.h"

/* Names of keyUsage bits (RFC 5280 4.2.1.3) as OpenSSL numbers them. */
static const struct {
	unsigned bit;
	const char *name;
} usages[] = {
	{ 0x0080, "digitalSignature" },
	{ 0x0040, "nonRepudiation" },
	{ 0x0020, "keyEncipherment" },
	{ 0x0010, "dataEncipherment" },
	{ 0x0008, "keyAgreement" },
	{ 0x0004, "keyCertSign" },
	{ 0x0002, "cRLSign" },
	{ 0x0001, "encipherOnly" },
	{ 0x8000, "decipherOnly" },
};

static const char *const key_types[KEY__MAX] = { "RSA", "EC", "EdDSA" };

static void
put_usage(struct buf *out, unsigned usage_bits)
{
	size_t i;

	if (usage_bits == UINT32_MAX) {
		(void)buf_str(out, "any");
		return;
	}
	for (i = 0; i < sizeof(usages) / sizeof(*usages); i++) {
		if (usage_bits & usages[i].bit)
			(void)buf_printf(out, "%s%s", out->len == 0 ? "" : ", ",
			    usages[i].name);
	}
}

/* Everything about a generation as text, for both forms of output. */
struct sight {
	struct buf subject, issuer, serial, key, usage, sha256, sha1, md5;
	int64_t days; /* left */
};

static void
sight_release(struct sight *s)
{
	buf_release(&s->subject);
	buf_release(&s->issuer);
	buf_release(&s->serial);
	buf_release(&s->key);
	buf_release(&s->usage);
	buf_release(&s->sha256);
	buf_release(&s->sha1);
	buf_release(&s->md5);
}

static enum err
sight_fill(const struct generation *g, int64_t now, struct sight *s)
{
	struct span der = buf_span(&g->cert);
	enum err e;

	*s = (struct sight){ .days = (g->not_after - now) / DAY };
	put_usage(&s->usage, g->usage);
	if (!buf_hex(&s->serial, g->serial.p, g->serial.len) ||
	    !buf_printf(&s->key, "%s %u", key_types[key_type(g->key)],
		key_bits(g->key)))
		return ERR_SYSTEM;
	if ((e = dn_text(g->subject, &s->subject)) != OK ||
	    (e = dn_text(g->issuer, &s->issuer)) != OK ||
	    (e = fingerprint(der, FP_SHA256, &s->sha256)) != OK ||
	    (e = fingerprint(der, FP_SHA1, &s->sha1)) != OK)
		return e;
	return fingerprint(der, FP_MD5, &s->md5);
}

static void
print_generation(struct command *cmd, const struct shown *what,
    const struct generation *g, const struct sight *s)
{
	FILE *out = cmd->out;

	print_field(out, what->title, what->name);
	(void)fprintf(out, "%-14s%u\n", "Generation:", g->folder);
	print_field(out, "State:", what->state);
	if (g->n != g->folder)
		(void)fprintf(out, "%-14sof generation %u\n", "Key:", g->n);
	print_field(out, "Use:", what->use);
	print_field(out, "Subject:", buf_cstr(&s->subject));
	print_field(out, "Issuer:", buf_cstr(&s->issuer));
	print_field(out, "Serial:", buf_cstr(&s->serial));
	print_time(out, "Valid from:", g->not_before);
	print_time(out, "Valid until:", g->not_after);
	(void)fprintf(out, "%-14s%lld\n", "Days left:", (long long)s->days);
	print_field(out, "Key:", buf_cstr(&s->key));
	print_field(out, "Key file:",
	    key_elsewhere(g->key) ? "on another host" :
	    g->sealed		  ? "encrypted" :
				    "plain");
	print_field(out, "Key usage:", buf_cstr(&s->usage));
	print_field(out, "SHA-256:", buf_cstr(&s->sha256));
	print_field(out, "SHA-1:", buf_cstr(&s->sha1));
	print_field(out, "MD5:", buf_cstr(&s->md5));
	if (what->use == NULL)
		(void)fprintf(out, "%-14s%zu\n", "Chain:", g->nchain);
	else
		print_field(
		    out, "Renewal:", what->renewed ? "by itself" : "by hand");
}

static void
json_generation(struct command *cmd, const struct shown *what,
    const struct generation *g, const struct sight *s)
{
	FILE *out = cmd->out;

	json_begin(out);
	json_text(out, what->key, what->name);
	json_num(out, "generation", g->folder);
	json_text(out, "state", what->state);
	if (g->n != g->folder)
		json_num(out, "key_of", g->n);
	json_text(out, "use", what->use);
	json_text(out, "subject", buf_cstr(&s->subject));
	json_text(out, "issuer", buf_cstr(&s->issuer));
	json_text(out, "serial", buf_cstr(&s->serial));
	json_time(out, "not_before", g->not_before);
	json_time(out, "not_after", g->not_after);
	json_num(out, "days_left", s->days);
	json_text(out, "key", buf_cstr(&s->key));
	json_bool(out, "key_encrypted", g->sealed);
	json_text(out, "key_usage", buf_cstr(&s->usage));
	json_text(out, "sha256", buf_cstr(&s->sha256));
	json_text(out, "sha1", buf_cstr(&s->sha1));
	json_text(out, "md5", buf_cstr(&s->md5));
	if (what->use == NULL)
		json_num(out, "chain", (int64_t)g->nchain);
	else
		json_bool(out, "renewed", what->renewed);
	if (what->ra > 0)
		json_num(out, "ra", what->ra);
	json_end(out);
}

/* One line of `list`: of the generation that issues now. */
static void
print_ca(struct command *cmd, const struct shown *what,
    const struct generation *g, const struct sight *s)
{
	char until[TIME_TEXT], key[40];

	time_text(g->not_after, until);
	print_cell(cmd->out, what->name, 20);
	print_cell(cmd->out, until, 20);
	(void)snprintf(key, sizeof(key), "%s%s", buf_cstr(&s->key),
	    what->ra > 0 ? ", RA" : "");
	print_cell(cmd->out, key, 13);
	print_cell(cmd->out, buf_cstr(&s->subject), 0);
}

static enum err
show_generation(struct command *cmd, const struct shown *what,
    const struct generation *g,
    void (*print)(struct command *, const struct shown *,
	const struct generation *, const struct sight *))
{
	struct sight s;
	enum err e;

	e = sight_fill(g, cmd->now, &s);
	if (e == OK && opt_flag(cmd, "json"))
		json_generation(cmd, what, g, &s);
	else if (e == OK)
		print(cmd, what, g, &s);
	sight_release(&s);
	return e;
}

enum err
ca_show(
    struct command *cmd, const struct shown *what, const struct generation *g)
{
	return show_generation(cmd, what, g, print_generation);
}

enum err
ca_find(struct command *cmd, const char *name, struct cas **cas,
    const struct ca **out)
{
	enum err e;

	if ((e = cas_new(cmd->home, cas)) != OK)
		return e;
	e = cas_find(*cas, name, out);
	if (e == ERR_NOTFOUND)
		return say(e, "no CA %s; `scep ca list` shows them", name);
	return e;
}

const struct generation *
ca_present(const struct ca *ca, int64_t now)
{
	const struct generation *g = ca_current(ca, now);

	return g == NULL && ca->ngen > 0 ? &ca->gen[0] : g;
}

/* Its number; 0: there is none. */
static unsigned
current_ra(const struct ca *ca, int64_t now)
{
	const struct ra *ra = ca_ra_current(ca, now);

	return ra != NULL ? ra->n : 0;
}

/* Which RA certificate clients get now, in a line behind the others. */
static void
print_ra(struct command *cmd, const struct ca *ca)
{
	const struct ra *ra = ca_ra_current(ca, cmd->now);
	char until[TIME_TEXT];

	if (ra == NULL || opt_flag(cmd, "json"))
		return;
	time_text(ra->enc.not_after, until);
	(void)fprintf(cmd->out, "%-14sgeneration %u, %s, until %s\n",
	    "RA:", ra->n, ra->split ? "two certificates" : "one certificate",
	    until);
}

static const char *
state_of(const struct ca *ca, const struct generation *g, int64_t now)
{
	const struct generation *current = ca_current(ca, now);

	if (current == NULL || g > current)
		return "next";
	return g < current ? "former" : "current";
}

enum err
ca_run_show(struct command *cmd)
{
	struct shown what = { .title = "CA:", .key = "name" };
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;
	size_t i;

	e = ca_find(cmd, cmd->name[0], &cas, &ca);
	if (e == OK) {
		what.name = ca->called;
		what.ra = current_ra(ca, cmd->now);
	}
	for (i = 0; e == OK && i < ca->ngen; i++) {
		what.state = state_of(ca, &ca->gen[i], cmd->now);
		e = ca_show(cmd, &what, &ca->gen[i]);
	}
	if (e == OK)
		print_ra(cmd, ca);
	cas_free(cas);
	return e;
}

static enum err
list_one(struct command *cmd, struct cas *cas, const char *name)
{
	struct shown what = { .title = "CA:", .key = "name", .name = name };
	const struct ca *ca = NULL;
	const struct generation *g;
	enum err e;

	if ((e = cas_find(cas, name, &ca)) != OK)
		return e;
	what.ra = current_ra(ca, cmd->now);
	g = ca_present(ca, cmd->now);
	return g == NULL ? OK : show_generation(cmd, &what, g, print_ca);
}

enum err
ca_run_list(struct command *cmd)
{
	static const struct heading columns[] = { { "NAME", 20 },
		{ "UNTIL", 20 }, { "KEY", 13 }, { "SUBJECT", 0 } };
	struct cas *cas = NULL;
	char **names = NULL;
	size_t i, n = 0;
	enum err e, one;

	print_heading(cmd, columns);
	if ((e = ca_names(cmd->home, &names, &n)) != OK)
		return e;
	e = cas_new(cmd->home, &cas);
	/* One that cannot be loaded (it was logged) does not hide the rest. */
	for (i = 0; i < n; i++) {
		one = cas == NULL ? OK : list_one(cmd, cas, names[i]);
		e = e == OK ? one : e;
		free(names[i]);
	}
	free(names);
	cas_free(cas);
	return e;
}

static enum err
export_pem(struct command *cmd, const struct generation *g)
{
	struct buf pem = BUF_INIT;
	enum err e;
	size_t i;

	e = cert_pem(buf_span(&g->cert), &pem);
	for (i = 0; e == OK && opt_flag(cmd, "chain") && i < g->nchain; i++)
		e = cert_pem(buf_span(&g->chain[i]), &pem);
	if (e == OK)
		(void)fwrite(buf_cstr(&pem), 1, pem.len, cmd->out);
	buf_release(&pem);
	return e;
}

/* The first line of --password-file, or --password. */
static struct span
export_password(const struct command *cmd)
{
	struct span pass = opt_bytes(cmd, "password");
	size_t len = 0;

	if (!opt_given(cmd, "password-file"))
		return pass;
	pass = opt_bytes(cmd, "password-file");
	while (len < pass.len && pass.p[len] != '\n' && pass.p[len] != '\r')
		len++;
	return span_of(pass.p, len);
}

/* The one way by which a key leaves, so it is a line of the audit. */
static enum err
export_pkcs12(
    struct command *cmd, const struct ca *ca, const struct generation *g)
{
	struct span pass = export_password(cmd);
	struct buf p12 = BUF_SECRET;
	enum err e;

	cmd->unchanged = false;
	(void)buf_printf(
	    &cmd->detail, "key and certificate, generation %u", g->folder);
	if (pass.len == 0)
		return usage(cmd, "ca export --pkcs12 wants --password P or "
				  "--password-file FILE, not empty");
	e = ca_export(g, ca->called, pass, &p12);
	if (e == OK)
		(void)fwrite(
		    buf_cstr(&p12), 1, p12.len, opt_out(cmd, "pkcs12"));
	buf_release(&p12);
	return e;
}

enum err
ca_run_export(struct command *cmd)
{
	const struct generation *g = NULL;
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	cmd->unchanged = true;
	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) != OK)
		goto out;
	if ((g = ca_present(ca, cmd->now)) == NULL)
		e = say(ERR_NOTFOUND, "CA %s has no certificate", ca->called);
	else if (opt_given(cmd, "pkcs12"))
		e = export_pkcs12(cmd, ca, g);
	else
		e = export_pem(cmd, g);
out:
	cas_free(cas);
	return e;
}

static const struct option list_options[] = { CA_JSON, CA_END };
static const struct option show_options[] = { CA_JSON, CA_NAME, CA_END };
static const struct option export_options[] = {
	{ "out", NULL, OPT_OUT, "FILE", "where to; default standard output" },
	{ "chain", NULL, OPT_FLAG, NULL, "its issuers' certificates too" },
	{ "pkcs12", "p12", OPT_OUT_SECRET, "FILE",
	    "key, certificate and issuers, to a new file of mode 0600" },
	{ "password", "pwd", OPT_SECRET, "P",
	    "of the PKCS#12; - reads a line; ps shows P" },
	{ "password-file", NULL, OPT_FILE, "FILE", "whose first line it is" },
	CA_NAME,
	CA_END,
};

static const struct verb ca_verbs[] = {
	{ "create", { "add", "new", NULL }, "NAME", 1, 1, ca_create_options,
	    ca_run_create, "make a CA with a new key",
	    "A CA with an EC key gets an RSA RA certificate with it.\n\n"
	    "  scep ca create ManagementCA --subject CN=ManagementCA,O=Lab\n"
	    "  scep ca create Routers --parent ManagementCA --subject "
	    "CN=Routers,O=Lab",
	    true, false, NAMES_PLAIN },
	{ "import", { NULL }, "NAME", 1, 1, ca_import_options, ca_run_import,
	    "bring a CA's key and certificate",
	    "  scep ca import Old --pkcs12 old.p12 --passphrase -\n"
	    "  scep ca import Sub --cert sub.pem --key sub.key --chain "
	    "root.pem\n"
	    "  scep ca import Lab --cert lab.pem --no-key",
	    true, false, NAMES_PLAIN },
	{ "request", { NULL }, "NAME", 1, 1, ca_request_options, ca_run_request,
	    "make a key and a CSR for an issuer elsewhere",
	    "Without --subject the CSR that waits is written again; --next is "
	    "for the\nnext generation of a CA that is here.\n\n"
	    "  scep ca request Sub --subject CN=Sub,O=Lab --out sub.csr\n"
	    "  scep ca install Sub sub.pem root.pem",
	    true, false, NAMES_PLAIN },
	{ "install", { NULL }, "NAME CERT [CHAIN]", 2, 3, ca_install_options,
	    ca_run_install, "take the answer to a request",
	    "CERT and CHAIN are files; issuers that are CAs here need no "
	    "CHAIN.",
	    true, false, NAMES_MAYBE },
	{ "rollover", { NULL }, "NAME", 1, 1, ca_rollover_options,
	    ca_run_rollover, "make its next generation, with a new key",
	    "Clients fetch it by GetNextCACert, and it becomes the current "
	    "one by time.\nWhat a crash has left is finished by the same "
	    "command.\n\n"
	    "  scep ca rollover ManagementCA --start 2027-06-01 --days 3650",
	    true, false, NAMES_PLAIN },
	{ "renew", { NULL }, "NAME", 1, 1, ca_renew_options, ca_run_renew,
	    "make a new certificate for its present key, at once",
	    "Requests to the old certificate are served as before.", true,
	    false, NAMES_PLAIN },
	{ "rename", { NULL }, "NAME NEWNAME", 2, 2, ca_rename_options,
	    ca_run_rename, "call it by another name, here and in aliases",
	    "The old name goes on to find it: in message=, in URLs and in "
	    "aliases.\nThe records of the store keep its first name.",
	    true, false, NAMES_PLAIN },
	{ "export", { NULL }, "NAME", 1, 1, export_options, ca_run_export,
	    "write its certificate (PEM), or all of it (PKCS#12)",
	    "Only --pkcs12 writes the key, and the audit says so.\n\n"
	    "  scep ca export ManagementCA --pkcs12 ca.p12 --password -",
	    true, false, NAMES_PLAIN },
	{ "list", { NULL }, "", 0, 0, list_options, ca_run_list,
	    "list the CAs: name, end, key, subject", NULL, false, false,
	    NAMES_PLAIN },
	{ "show", { NULL }, "NAME", 1, 1, show_options, ca_run_show,
	    "show its certificates and fingerprints", NULL, false, false,
	    NAMES_PLAIN },
	{ .name = NULL },
};

const struct noun noun_ca = { "ca", "certification authorities", ca_verbs };
