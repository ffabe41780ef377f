#include "admin/entity.h"

#include "admin/args.h"
#include "admin/cert.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/ca.h"
#include "ca/dn.h"
#include "ca/san.h"

enum err
check_username(const char *username)
{
	size_t len = strlen(username);
	const char *s;

	if (len == 0 || len > MAX_USERNAME)
		return say(ERR_INPUT, "an entity's name has 1 to %d bytes",
		    MAX_USERNAME);
	for (s = username; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return say(ERR_INPUT,
			    "an entity's name has no control characters");
	}
	return OK;
}

enum err
check_subject(const char *subject)
{
	struct buf der = BUF_INIT;
	enum err e;

	e = dn_parse(subject, &der);
	if (e == OK && dn_empty(buf_span(&der)))
		e = say(ERR_INPUT,
		    "a subject without a name in it; leave it out, and the "
		    "request's subject counts");
	buf_release(&der);
	return e;
}

enum err
check_san(const char *san)
{
	struct buf der = BUF_INIT;
	enum err e = OK;

	if (strcmp(san, "request") != 0)
		e = san_parse(san, &der);
	buf_release(&der);
	return e;
}

enum err
ca_list_read(const struct command *cmd, struct ca_list *out)
{
	return ca_names(cmd->home, &out->name, &out->n);
}

void
ca_list_release(struct ca_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	*l = (struct ca_list){ NULL, 0 };
}

static const char *
ca_name(int i, const void *arg)
{
	const struct ca_list *l = arg;

	return l->name[i];
}

/* By its present name, or by a former one. */
static const char *
find_listed(
    const struct command *cmd, const struct ca_list *l, const char *name)
{
	struct buf called = BUF_INIT;
	const char *found = NULL;

	if (ca_identify(cmd->home, name, &called, NULL) == OK)
		for (size_t i = 0; i < l->n && found == NULL; i++)
			if (strcmp(l->name[i], buf_cstr(&called)) == 0)
				found = l->name[i];
	buf_release(&called);
	return found;
}

const char *
ca_list_choose(
    const struct command *cmd, const struct ca_list *l, const char *name)
{
	const char *found;

	if (l->n == 0) {
		(void)say(ERR_NOTFOUND,
		    "there is no CA yet; `scep ca create` makes one");
		return NULL;
	}
	if (name == NULL && l->n == 1)
		return l->name[0];
	if (name == NULL) {
		(void)say(ERR_REFUSED,
		    "there are %zu CAs; say which with --ca NAME", l->n);
		return NULL;
	}
	if ((found = find_listed(cmd, l, name)) != NULL)
		return found;
	if (*name == '\0') {
		(void)say(ERR_REFUSED,
		    "an entity has a CA always; --ca names another");
		return NULL;
	}
	(void)say(ERR_NOTFOUND,
	    "no CA %s; did you mean %s? `scep ca list` shows them", name,
	    nearest(name, (int)l->n, ca_name, l));
	return NULL;
}

enum err
entity_get(const struct command *cmd, const char *username, struct entity *out)
{
	enum err e;

	e = entity_find(&cmd->store, span_of(username, strlen(username)), out);
	if (e == ERR_NOTFOUND)
		return say(
		    e, "no entity %s; `scep entity list` shows them", username);
	return e;
}

enum err
run_entity_delete(struct command *cmd)
{
	struct buf question = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(
		&question, "delete entity %s and its code?", cmd->name[0]))
		e = confirm(cmd, buf_cstr(&question));
	buf_release(&question);
	return e == OK ? entity_bury(cmd, cmd->name[0]) : e;
}

enum err
entity_set_block(const struct command *cmd, const char *username, bool on)
{
	struct entity entity = ENTITY_INIT;
	enum err e;

	if ((e = entity_get(cmd, username, &entity)) == OK)
		e = entity_block(&cmd->store, entity.username, on);
	entity_release(&entity);
	return e;
}

/* Blocking ends enrolment; what was issued stays valid until revoked. */
static enum err
run_block(struct command *cmd)
{
	bool also = opt_flag(cmd, "revoke");
	enum err e;

	if (opt_given(cmd, "reason") && !also)
		return usage(cmd, "--reason is for --revoke");
	if ((e = revoke_words(cmd)) != OK ||
	    (e = entity_set_block(cmd, cmd->name[0], true)) != OK)
		return e;
	return also ? revoke_entity(cmd, cmd->name[0]) : OK;
}

static enum err
run_unblock(struct command *cmd)
{
	return entity_set_block(cmd, cmd->name[0], false);
}

#define JSON                                                           \
	{                                                              \
		"json", NULL, OPT_FLAG, NULL, "one JSON object a line" \
	}
#define WHO                                                          \
	{                                                            \
		"username", "user", OPT_OBJECT, "NAME", "the entity" \
	}
#define END                                      \
	{                                        \
		NULL, NULL, OPT_FLAG, NULL, NULL \
	}
#define SUBJECT                                                 \
	{                                                       \
		"subject", "dn", OPT_TEXT, "DN",                \
		    "subject of its certificates; default the " \
		    "request's"                                 \
	}
#define SAN                                                    \
	{                                                      \
		"san", "altname", OPT_TEXT, "SAN",             \
		    "dNSName=a, iPAddress=10.0.0.1, ...; or: " \
		    "request"                                  \
	}
#define CA                                                                   \
	{                                                                    \
		"ca", NULL, OPT_TEXT, "NAME", "its CA; default the only one" \
	}
#define FIELDS                                                            \
	SUBJECT, SAN, CA,                                                 \
	    { "profile", NULL, OPT_TEXT, "NAME", "default the alias's" }, \
	{                                                                 \
		"email", NULL, OPT_TEXT, "ADDRESS", "for people"          \
	}
#define TTL                                                      \
	{                                                        \
		"ttl", "valid", OPT_TIME, "TIME",                \
		    "until when its code is good: 30d, a date; " \
		    "default ever"                               \
	}
#define COUNT                                             \
	{                                                 \
		"count", NULL, OPT_NUMBER, "N",           \
		    "certificates its code may pay for; " \
		    "default the profile's, or 1"         \
	}
#define CODE                                                \
	{ "password", "pwd", OPT_SECRET, "P",               \
		"its code; - reads a line; ps shows P" },   \
	    { "password-file", NULL, OPT_FILE, "FILE",      \
		    "its code is the first line of FILE" }, \
	    { "generate", NULL, OPT_FLAG, NULL,             \
		    "make a code, print it once" },         \
	    { "recoverable", NULL, OPT_FLAG, NULL,          \
		    "keep it encrypted too: requests can "  \
		    "come under it" },                      \
	    TTL, COUNT

static const struct option add_options[] = {
	FIELDS,
	CODE,
	{ "no-code", "no-password", OPT_FLAG, NULL,
	    "it needs none: the alias's judge is a program, a web service, "
	    "..." },
	WHO,
	END,
};
static const struct option set_options[] = { FIELDS, WHO, END };
static const struct option setpwd_options[] = { CODE, WHO, END };
static const struct option who_options[] = { WHO, END };
static const struct option show_options[] = { JSON, WHO, END };
static const struct option list_options[] = {
	{ "match", NULL, OPT_TEXT, "GLOB", "only names like router*" },
	{ "ca", NULL, OPT_TEXT, "NAME", "only those of this CA" },
	JSON,
	END,
};
static const struct option delete_options[] = {
	{ "yes", NULL, OPT_FLAG, NULL, "do not ask" },
	WHO,
	END,
};
static const struct option import_options[] = {
	{ "out", NULL, OPT_OUT_SECRET, "FILE",
	    "where generated codes go: username,password; a new file" },
	{ "ca", NULL, OPT_TEXT, "NAME", "for lines without a ca" },
	{ "profile", NULL, OPT_TEXT, "NAME", "for lines without a profile" },
	{ "ttl", "valid", OPT_TIME, "TIME", "for lines without a ttl" },
	{ "no-code", "no-password", OPT_FLAG, NULL,
	    "no code where a line has no password" },
	{ "dry-run", NULL, OPT_FLAG, NULL, "only check the file" },
	END,
};

static const struct option block_options[] = {
	WHO,
	{ "revoke", NULL, OPT_FLAG, NULL, "revoke its certificates too" },
	{ "reason", NULL, OPT_TEXT, "R", "why; see `scep help cert revoke`" },
	END,
};

static const struct verb entity_verbs[] = {
	{ "add", { "create", "new", NULL }, "NAME", 1, 1, add_options,
	    run_entity_add, "register a device or person",
	    "One of --password, --password-file, --generate and --no-code.  "
	    "Without any of them\nit has no code if no alias of its CA asks "
	    "for one, that is, if another judge says\nyes: [challenge] judge = "
	    "program, web or onetime.\n\n"
	    "--recoverable goes with --generate: for clients that must encrypt "
	    "to a CA\nwithout an RSA key.\n\n"
	    "  scep entity add router1 --subject CN=router1,O=Lab --generate",
	    true, false, NAMES_PLAIN },
	{ "import", { NULL }, "FILE", 1, 1, import_options, run_entity_import,
	    "register all of a CSV file, or none",
	    "RFC 4180 with a header line, columns in any order: username, "
	    "password, subject,\nsan, ca, email, profile, ttl.  A line with "
	    "an empty password gets a generated\ncode, written to --out; with "
	    "--no-code it has none.\n\n"
	    "  scep entity import devices.csv --out codes.csv",
	    true, false, NAMES_FILES },
	{ "set", { NULL }, "NAME", 1, 1, set_options, run_entity_set,
	    "change its fields",
	    "An empty --subject, --san or --email clears the field, an empty "
	    "--profile is the\ndefault.  An entity always has a CA.\n\n"
	    "  scep entity set router1 --san=",
	    true, false, NAMES_PLAIN },
	{ "setpwd", { NULL }, "NAME", 1, 1, setpwd_options, run_setpwd,
	    "give it a new code; the old one ends",
	    "  scep entity setpwd router1 --generate --ttl 30d", true, false,
	    NAMES_PLAIN },
	{ "unlock", { NULL }, "NAME", 1, 1, who_options, run_unlock,
	    "forget this hour's wrong passwords", NULL, true, false,
	    NAMES_PLAIN },
	{ "show", { NULL }, "NAME", 1, 1, show_options, run_entity_show,
	    "show it and the state of its code", NULL, false, false,
	    NAMES_PLAIN },
	{ "list", { NULL }, "", 0, 0, list_options, run_entity_list,
	    "list them: name, CA, profile, state, subject", NULL, false, false,
	    NAMES_PLAIN },
	{ "delete", { "remove", NULL }, "NAME", 1, 1, delete_options,
	    run_entity_delete, "delete it and its code; certificates stay",
	    NULL, true, false, NAMES_PLAIN },
	{ "block", { NULL }, "NAME", 1, 1, block_options, run_block,
	    "no certificates until unblocked",
	    "What it has stays valid: --revoke, or `scep cert revoke NAME`, "
	    "ends that.",
	    true, false, NAMES_PLAIN },
	{ "unblock", { NULL }, "NAME", 1, 1, who_options, run_unblock,
	    "undo block", NULL, true, false, NAMES_PLAIN },
	{ .name = NULL },
};

const struct noun noun_entity = { "entity", "registered devices and people",
	entity_verbs };
