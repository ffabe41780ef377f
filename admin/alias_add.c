#include "admin/alias.h"

#include <string.h>

#include "admin/args.h"
#include "ca/ca.h"

/*
 * A new alias.  What an administrator alone can say (a secret, who approves,
 * where the CA's host is) stands in the file as a comment to be completed, and
 * until then the alias is broken and serves nobody: half a file opens no door.
 */

#define MAX_BLANKS 3

/* A key that is left to be filled in. */
struct blank {
	const char *word;    /* ra.authpwdfile; NULL: there is none */
	const char *what;    /* for people */
	const char *section; /* a key and value by which the file can be */
	const char *key;     /* tried now, as if it were filled in */
	const char *value;
};

struct draft {
	const char *mode;
	const char *text; /* with ${ALIAS} and ${CA} */
	struct blank blank[MAX_BLANKS];
};

#define HEAD                                                              \
	"; Alias ${ALIAS}.  `scep alias show ${ALIAS}` prints every key " \
	"with its value;\n"                                               \
	"; scep-alias(5) explains them, and says where example.ini is.\n" \
	"\n"                                                              \
	"[scep]\n"
#define MESSAGES         \
	";sha1 = yes\n"  \
	";des3 = yes\n"  \
	";legacy = no\n" \
	"\n"
#define INCLUDE                                         \
	"; Cisco's VPN client needs yes, Juniper no.\n" \
	";includeca = no\n"
#define IDENTIFIERS                                                        \
	"[identifiers]\n"                                                  \
	"; What a client calls the CA, where that is not its name here.\n" \
	";MobileIronSCEP = \"${CA}\"\n"
#define SECRET                                                           \
	"; FILL IN: the file whose first line is the secret that every " \
	"request brings,\n"                                              \
	"; for its owner alone to read; authpwd = none asks for none.  " \
	"Where another\n"                                                \
	"; judge says yes (section [challenge], judge), there is no "    \
	"secret.\n"                                                      \
	";authpwdfile = \"${ALIAS}.secret\"\n"
#define SECRET_BLANK                                                        \
	{                                                                   \
		"ra.authpwdfile",                                           \
		    "the file of the secret that every request brings, or " \
		    "challenge.judge",                                      \
		    "ra", "authpwd", "none"                                 \
	}

static const struct draft drafts[] = {
	{ "ca",
	    HEAD "operationmode = ca\n"
		 "cas = \"${CA}\"\n"
		 "\n" INCLUDE MESSAGES IDENTIFIERS,
	    { { .word = NULL } } },
	{ "ra",
	    HEAD "operationmode = ra\n"
		 "\n" INCLUDE MESSAGES "[ra]\n"
		 "defaultca = \"${CA}\"\n"
		 "\n" SECRET "\n"
		 "; What makes the name of an entity, and what becomes of "
		 "one that is there.\n"
		 ";namegenerationparameters = \"CN\"\n"
		 ";existing = renew\n"
		 ";certificateprofile = ENDUSER\n"
		 "\n"
		 "[approval]\n"
		 "; FILL IN: how many people must approve each request; 0: "
		 "nobody.\n"
		 ";required = 0\n"
		 "\n" IDENTIFIERS,
	    { SECRET_BLANK,
		{ "approval.required",
		    "how many people must approve each request; 0: nobody",
		    "approval", "required", "0" } } },
	{ "externalra",
	    HEAD "operationmode = externalra\n"
		 "cas = \"${CA}\"\n"
		 "\n" MESSAGES "[ra]\n" SECRET "\n"
		 "[queue]\n"
		 "; The CA's host has an alias of the same name, with [queue] "
		 "ra and target:\n"
		 "; scep-alias(5), External RA.\n"
		 ";limit = 1000\n"
		 "\n" IDENTIFIERS,
	    { SECRET_BLANK } },
	{ "proxy",
	    HEAD "operationmode = proxy\n"
		 "\n"
		 "[proxy]\n"
		 "; FILL IN: the alias of the CA's host that every request "
		 "goes to.\n"
		 ";url = https://ca.example.org/scep/scep/pkiclient.exe\n"
		 "; FILL IN: the PEM file of our certificate there.\n"
		 ";clientcert = /etc/scep/proxy.pem\n"
		 "; FILL IN: the PEM file of its key.\n"
		 ";clientkey = /etc/scep/proxy-key.pem\n"
		 "; The CAs that the certificate of that host may come from: "
		 "else the system's.\n"
		 ";cafile = /etc/scep/proxy-ca.pem\n",
	    { { "proxy.url", "the alias on the CA's host", NULL, NULL, NULL },
		{ "proxy.clientcert", "PEM file of our certificate there", NULL,
		    NULL, NULL },
		{ "proxy.clientkey", "PEM file of its key", NULL, NULL,
		    NULL } } },
};
#define N_DRAFTS (sizeof(drafts) / sizeof(*drafts))

static const char *
draft_mode(int i, const void *arg)
{
	(void)arg;
	return drafts[i].mode;
}

/* The only CA of the home, where --ca does not say. */
static enum err
choose_ca(const struct command *cmd, struct buf *out)
{
	const char *ca = opt_text(cmd, "ca");
	struct known_cas known = { .n = 0 };
	enum err e;

	if (ca != NULL)
		return buf_str(out, ca) ? OK : ERR_SYSTEM;
	if ((e = known_cas_read(cmd->home, &known)) != OK)
		return e;
	if (known.n == 0)
		e = say(ERR_REFUSED,
		    "there is no CA yet; `scep ca create NAME` makes one");
	else if (known.n > 1)
		e = say(
		    ERR_REFUSED, "there are several CAs; say which with --ca");
	else
		e = buf_str(out, known.name[0]) ? OK : ERR_SYSTEM;
	known_cas_release(&known);
	return e;
}

/* The draft's text for this alias and CA. */
static bool
put_text(struct buf *out, const char *text, const char *alias, const char *ca)
{
	static const char alias_word[] = "${ALIAS}", ca_word[] = "${CA}";
	const char *next;

	while ((next = strstr(text, "${")) != NULL) {
		bool is_ca = strncmp(next, ca_word, strlen(ca_word)) == 0;

		if (!buf_add(out, text, (size_t)(next - text)) ||
		    !buf_str(out, is_ca ? ca : alias))
			return false;
		text = next + strlen(is_ca ? ca_word : alias_word);
	}
	return buf_str(out, text);
}

/* The same, filled in with what can be tried: is all else good? */
static enum err
fill_in(const struct draft *d, struct span text, struct buf *out)
{
	struct buf was = BUF_INIT;
	enum err e = buf_add(out, text.p, text.len) ? OK : ERR_SYSTEM;

	for (int i = 0; i < MAX_BLANKS && e == OK; i++) {
		const struct blank *b = &d->blank[i];

		if (b->word == NULL)
			break;
		buf_clear(&was);
		if (!buf_add(&was, out->data, out->len))
			e = ERR_SYSTEM;
		buf_clear(out);
		if (e == OK)
			e = ini_set(
			    buf_span(&was), b->section, b->key, b->value, out);
	}
	buf_release(&was);
	return e;
}

static void
tell_blanks(const struct command *cmd, const struct draft *d)
{
	const char *name = cmd->name[0];

	(void)fprintf(cmd->out,
	    "aliases/%s.ini is written; before it is served, fill in\n", name);
	for (int i = 0; i < MAX_BLANKS && d->blank[i].word != NULL; i++)
		(void)fprintf(cmd->out, "  %-18s %s\n", d->blank[i].word,
		    d->blank[i].what);
	(void)fprintf(cmd->out,
	    "by `scep alias edit %s`, or by `scep alias set %s KEY=VALUE...` "
	    "with all of them\n",
	    name, name);
}

static void
tell_served(const struct command *cmd)
{
	(void)fprintf(cmd->out,
	    "alias %s is served at /scep/%s/pkiclient.exe\n", cmd->name[0],
	    cmd->name[0]);
}

static enum err
add_draft(struct command *cmd, const struct draft *d)
{
	const char *name = cmd->name[0];
	struct buf text = BUF_INIT, filled = BUF_INIT, ca = BUF_INIT;
	bool blanks = d->blank[0].word != NULL;
	bool proxy = strcmp(d->mode, "proxy") == 0;
	enum err e = OK;

	if (!proxy)
		e = choose_ca(cmd, &ca);
	if (e == OK && !put_text(&text, d->text, name, buf_cstr(&ca)))
		e = ERR_SYSTEM;
	/* what a proxy lacks are files, and nothing else can be wrong */
	if (e == OK && !proxy)
		e = fill_in(d, buf_span(&text), &filled);
	if (e == OK)
		e = alias_create(cmd, name, buf_span(&filled), buf_span(&text));
	if (e == OK && blanks)
		tell_blanks(cmd, d);
	else if (e == OK)
		tell_served(cmd);
	(void)buf_printf(&cmd->detail, "operationmode = %s%s", d->mode,
	    blanks ? ", to be filled in" : "");
	buf_release(&text);
	buf_release(&filled);
	buf_release(&ca);
	return e;
}

/* A text that is whole: of a file, or of a proxy's options. */
static enum err
add_whole(struct command *cmd)
{
	struct span given = opt_bytes(cmd, "from");
	struct buf text = BUF_SECRET;
	enum err e;

	if (opt_given(cmd, "proxy"))
		e = alias_proxy_text(cmd, cmd->name[0], &text);
	else
		e = buf_add(&text, given.p, given.len) ? OK : ERR_SYSTEM;
	if (e == OK)
		e = alias_create(
		    cmd, cmd->name[0], buf_span(&text), buf_span(&text));
	if (e == OK)
		tell_served(cmd);
	buf_release(&text);
	return e;
}

/* Do the options fit each other?  *out is NULL with a text that is whole. */
static enum err
choose_draft(struct command *cmd, const struct draft **out)
{
	const char *mode = opt_text(cmd, "mode");
	bool proxy = opt_given(cmd, "proxy"), from = opt_given(cmd, "from");

	if (!proxy &&
	    (opt_given(cmd, "clientcert") || opt_given(cmd, "clientkey") ||
		opt_given(cmd, "cafile")))
		return usage(cmd,
		    "--clientcert, --clientkey and --cafile go with --proxy");
	if (from && (proxy || mode != NULL))
		return usage(
		    cmd, "--from has all of it: no --proxy, no --mode");
	if (proxy && mode != NULL && strcmp(mode, "proxy") != 0)
		return usage(cmd, "--proxy is --mode proxy");
	if (mode != NULL && strcmp(mode, "proxy") == 0 && opt_given(cmd, "ca"))
		return usage(cmd, "a proxy has no CA: no --ca");
	*out = NULL;
	for (size_t i = 0; i < N_DRAFTS && !from && !proxy; i++)
		if (strcmp(drafts[i].mode, mode ? mode : "ca") == 0)
			*out = &drafts[i];
	if (*out == NULL && !from && !proxy)
		return usage(cmd,
		    "no mode %s; did you mean %s? ca, ra, "
		    "externalra and proxy",
		    mode, nearest(mode, N_DRAFTS, draft_mode, NULL));
	return OK;
}

enum err
alias_add(struct command *cmd)
{
	const struct draft *draft = NULL;
	struct buf path = BUF_INIT;
	enum err e;

	if ((e = choose_draft(cmd, &draft)) == OK &&
	    (e = alias_path(cmd->name[0], &path)) == OK &&
	    (e = alias_vacant(cmd, buf_cstr(&path), cmd->name[0])) == OK)
		e = draft != NULL ? add_draft(cmd, draft) : add_whole(cmd);
	buf_release(&path);
	return e;
}
