#include "admin/ejbca.h"

#include <stdarg.h>
#include <strings.h>

#include "admin/alias.h"
#include "base/ini.h"
#include "base/limits.h"
#include "base/log.h"

/*
 * `config scep uploadfile`: EJBCA's properties file becomes an alias of ours.
 * It is taken as EJBCA takes it, also where our own defaults are better, so
 * that a fleet that works goes on working; what is done so is said.
 */
struct upload {
	struct command *cmd;
	const char *alias;
	struct buf value[EJBCA_KEYS]; /* EJBCA's, by the row of ejbca_keys */
	bool given[EJBCA_KEYS];
	unsigned matched; /* lines of this alias */
	bool ra, intune;
	struct buf text; /* the alias's file to be */
};

static void
upload_release(struct upload *u)
{
	for (size_t i = 0; i < EJBCA_KEYS; i++)
		buf_release(&u->value[i]);
	buf_release(&u->text);
}

static void __attribute__((format(printf, 2, 3)))
tell(const struct upload *u, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_text(u->cmd->out, text);
	(void)fputc('\n', u->cmd->out);
}

/* ---- reading ---------------------------------------------------------------- */

/* The key behind `alias.`, or NULL: the line is another alias's. */
static const char *
own_key(const struct upload *u, const char *key)
{
	size_t len = strlen(u->alias);

	return strncmp(key, u->alias, len) == 0 && key[len] == '.' ?
		   key + len + 1 :
		   NULL;
}

static enum err
take_line(struct upload *u, const struct property *p)
{
	const char *whole = buf_cstr(&p->key), *name = own_key(u, whole);
	const struct ejbca_key *k;
	size_t row;

	if (name == NULL) {
		tell(u, "Ignored, line %d: %s is not of alias '%s'", p->line,
		    whole, u->alias);
		return OK;
	}
	if ((k = ejbca_key_find(name)) == NULL) {
		tell(u, "Ignored, line %d: no key %s; did you mean %s?",
		    p->line, name, ejbca_key_near(name));
		return OK;
	}
	if (memchr(buf_cstr(&p->value), '\0', p->value.len) != NULL)
		return say(ERR_REFUSED,
		    "line %d: %s has a NUL byte, which no key takes; the alias "
		    "was not made",
		    p->line, name);
	row = (size_t)(k - ejbca_keys);
	if (u->given[row])
		tell(
		    u, "Line %d: %s again; the last one counts", p->line, name);
	u->matched++;
	u->given[row] = true;
	buf_clear(&u->value[row]);
	u->value[row].secret = true;
	return buf_add(&u->value[row], p->value.data, p->value.len) ?
		   OK :
		   ERR_SYSTEM;
}

static enum err
read_file(struct upload *u)
{
	struct span rest = opt_bytes(u->cmd, "file");
	struct property p = PROPERTY_INIT;
	enum err e = OK;

	if (rest.len > MAX_INI)
		return say(ERR_TOOBIG, "%s is larger than %d bytes",
		    opt_text(u->cmd, "file"), MAX_INI);
	while (e == OK && property_next(&rest, &p))
		e = take_line(u, &p);
	property_release(&p);
	if (e == OK && u->matched == 0)
		return say(ERR_REFUSED,
		    "%s has no key of alias '%s'; the alias was not made",
		    opt_text(u->cmd, "file"), u->alias);
	return e;
}

/* ---- writing ----------------------------------------------------------------- */

static size_t
row_of(const char *name)
{
	return (size_t)(ejbca_key_find(name) - ejbca_keys);
}

/* What the file says of a key, NULL where it does not. */
static const char *
said_of(const struct upload *u, const char *name)
{
	size_t row = row_of(name);

	return u->given[row] ? buf_cstr(&u->value[row]) : NULL;
}

static enum err
put_mode(struct upload *u)
{
	const char *mode = said_of(u, "operationmode");
	const char *create = said_of(u, "ra.createOrEditUser");

	if (mode != NULL)
		u->ra = strcasecmp(mode, "ra") == 0;
	else
		u->ra = create != NULL && strcasecmp(create, "true") == 0;
	if (mode == NULL && create != NULL)
		tell(u, "ra.createOrEditUser, of old files: operationmode = %s",
		    u->ra ? "ra" : "ca");
	return ejbca_put(
	    &u->text, "scep", "operationmode", u->ra ? "ra" : "ca");
}

/* A key that is not in the file means what it means to EJBCA. */
static enum err
put_row(struct upload *u, size_t row)
{
	const struct ejbca_key *k = &ejbca_keys[row];
	const char *theirs = buf_cstr(&u->value[row]);
	struct buf ours = BUF_SECRET;
	enum err e;

	if (!u->given[row])
		theirs = k->fallback;
	if (theirs == NULL)
		return OK;
	if (u->given[row] && k->form == EJBCA_BOOL &&
	    strcasecmp(theirs, "true") != 0 && strcasecmp(theirs, "false") != 0)
		tell(u, "%s = %s is false to EJBCA, and so here", k->name,
		    theirs);
	e = ejbca_value(k, theirs, &ours);
	if (e == OK && !u->given[row] && k->form == EJBCA_BOOL)
		tell(u, "%s is not in the file: %s = %s, as EJBCA takes it",
		    k->name, k->key, buf_cstr(&ours));
	if (e == OK && k->form == EJBCA_SECRET)
		tell(u, "%s = %s", k->name, ejbca_shown(k, buf_cstr(&ours)));
	if (e == OK && k->form == EJBCA_SECRET && *theirs == '\0')
		log_warn("%s is empty, which is none: whoever asks gets a "
			 "certificate",
		    k->name);
	if (e == OK && ours.len > 0)
		e = ejbca_put(&u->text, k->section, k->key, buf_cstr(&ours));
	if (e == ERR_INPUT)
		e = say(ERR_REFUSED,
		    "%s cannot be written; mend it in the file, the alias was "
		    "not made",
		    k->name);
	buf_release(&ours);
	return e;
}

static bool
is_true(const char *value)
{
	return value != NULL && strcasecmp(value, "true") == 0;
}

/* Why a key of the file means nothing to this alias; NULL: it does. */
static const char *
idle(const struct upload *u, const struct ejbca_key *k)
{
	bool binding = is_true(said_of(u, "intuneAadUseKeyBinding"));

	if (k->ra && !u->ra)
		return "of RA mode only";
	if (ejbca_is_intune(k) && !u->intune)
		return "useIntune is not true";
	if (u->intune && k->form == EJBCA_SECRET)
		return "Intune judges";
	if (strcmp(k->key, "aadappkey") == 0 && binding)
		return "intuneAadUseKeyBinding is true";
	if (strcmp(k->key, "aadkeybinding") == 0 && !binding)
		return "intuneAadUseKeyBinding is not true";
	return NULL;
}

static enum err
put_rows(struct upload *u)
{
	enum err e = OK;

	for (size_t i = 0; ejbca_keys[i].name != NULL && e == OK; i++) {
		const struct ejbca_key *k = &ejbca_keys[i];
		const char *why = idle(u, k);

		if (why != NULL && u->given[i] && u->value[i].len > 0)
			tell(u, "Left out, %s: %s", why, k->name);
		if (why == NULL && strcmp(k->key, "operationmode") != 0)
			e = put_row(u, i);
	}
	return e;
}

/* What EJBCA has without a key, and what its key means here. */
static enum err
put_intune(struct upload *u)
{
	const char *binding = said_of(u, "intuneAadKeyBinding");
	enum err e = OK;

	if (is_true(said_of(u, "intuneAadUseKeyBinding")) && binding != NULL)
		tell(u,
		    "intuneAadKeyBinding = %s is a file here: put key and "
		    "certificate into it, PEM, or `scep alias set %s "
		    "aadkeybinding FILE`",
		    binding, u->alias);
	if (is_true(said_of(u, "clientCertificateRenewal"))) {
		e = ejbca_put(&u->text, "renewal", "challenge", "yes");
		tell(u, "Written with it: [renewal] challenge = yes, so that "
			"renewals do not pass Intune by");
	}
	return e;
}

static enum err
put_ra(struct upload *u)
{
	const char *ca = said_of(u, "ra.defaultCA");
	enum err e;

	if (ca == NULL || *ca == '\0')
		return say(ERR_REFUSED,
		    "RA mode wants ra.defaultCA, the CA that issues; put it "
		    "into the file, the alias was not made");
	if ((e = ejbca_put(&u->text, "ra", "existing", "edit")) == OK)
		e = ejbca_put(&u->text, "approval", "required", "0");
	if (e == OK)
		tell(u, "Written with it: [ra] existing = edit, as EJBCA; "
			"[approval] required = 0, nobody has to approve");
	return e;
}

static enum err
put_ca(struct upload *u)
{
	struct buf cas = BUF_INIT;
	enum err e = ejbca_all_cas(u->cmd, &cas);

	if (e == OK)
		e = ejbca_put(&u->text, "scep", "cas", buf_cstr(&cas));
	if (e == OK)
		tell(u, "Written with it: cas = %s, all that are here",
		    buf_cstr(&cas));
	buf_release(&cas);
	return e;
}

static const char head[] =
    "; Alias %s, made of EJBCA's file.  `scep alias show %s` prints every key\n"
    "; with its value; scep-alias(5) explains them.\n"
    "\n"
    "[scep]\n";

static enum err
put_all(struct upload *u)
{
	const char *chain = said_of(u, "returnCaChainInGetCaCert");
	enum err e;

	if (!buf_printf(&u->text, head, u->alias, u->alias))
		return ERR_SYSTEM;
	if ((e = put_mode(u)) != OK)
		return e;
	u->intune = u->ra && is_true(said_of(u, "useIntune"));
	if ((e = u->ra ? put_ra(u) : put_ca(u)) != OK ||
	    (u->intune && (e = put_intune(u)) != OK))
		return e;
	/* EJBCA's clients got the root first. */
	if (chain != NULL && strcasecmp(chain, "true") == 0) {
		e = ejbca_put(&u->text, "scep", "chainorder", "root-first");
		tell(u, "Written with it: chainorder = root-first, as EJBCA");
	}
	return e == OK ? put_rows(u) : e;
}

enum err
ejbca_run_uploadfile(struct command *cmd)
{
	struct upload u = {
		.cmd = cmd, .alias = cmd->name[0], .text = BUF_SECRET
	};
	enum err e;

	if (!opt_given(cmd, "file"))
		return usage(
		    cmd, "config scep uploadfile wants --alias X --file F");
	(void)buf_printf(&cmd->detail, "of %s", opt_text(cmd, "file"));
	if ((e = ejbca_alias_new(cmd, u.alias)) == OK &&
	    (e = read_file(&u)) == OK && (e = put_all(&u)) == OK)
		e = alias_create(
		    cmd, u.alias, buf_span(&u.text), buf_span(&u.text));
	if (e == OK)
		(void)fprintf(cmd->out, "Added SCEP alias: %s\n", u.alias);
	upload_release(&u);
	return e;
}
