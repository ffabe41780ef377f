#include "admin/alias.h"

#include <string.h>
#include <strings.h>

#include "admin/args.h"
#include "base/log.h"
#include "base/names.h"

#define MAX_TURNS 5 /* tries against an editor that is not ours */

/* ---- set, unset ------------------------------------------------------ */

/* One key that changes. */
struct edit {
	struct buf word;    /* as typed: "includeca", "ra.existing" */
	struct buf section; /* "scep" */
	const char *key;    /* in word */
	struct buf value;   /* secret */
	bool secret;	    /* "-" reads it from standard input */
	bool hidden;	    /* the audit does not tell the value */
};

#define MAX_EDITS 20 /* keys of one command */

struct edits {
	struct edit edit[MAX_EDITS];
	size_t n;
	bool unset; /* the keys go */
};

static void
edits_release(struct edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		buf_release(&edits->edit[i].word);
		buf_release(&edits->edit[i].section);
		buf_release(&edits->edit[i].value);
	}
}

/* "includeca" and "authpwd" are enough; "identifiers.NAME" must say it. */
static enum err
split_key(struct command *cmd, struct edit *edit)
{
	const char *word = buf_cstr(&edit->word);
	const char *dot = strchr(word, '.');
	const struct alias_key *known = NULL;
	enum err e;

	if (dot == NULL && (e = alias_key_guess(cmd, word, &known)) != OK)
		return e;
	edit->key = dot ? dot + 1 : word;
	if (dot ? !buf_add(&edit->section, word, (size_t)(dot - word)) :
		  !buf_str(&edit->section, known ? known->section : "scep"))
		return ERR_SYSTEM;
	if (dot)
		known = alias_key_find(buf_cstr(&edit->section), edit->key);
	edit->secret = known && alias_key_secret(known->section, known->key);
	/* a slip in the word authpwd must not put its value in the audit */
	edit->hidden = edit->secret ||
		       (known == NULL && strcasecmp(buf_cstr(&edit->section),
					     "identifiers") != 0);
	return OK;
}

/*
 * A word that holds a secret stays visible in ps no longer than it must; "-"
 * has it from standard input.
 */
static enum err
take_value(struct edit *edit, char *value)
{
	if (edit->secret && strcmp(value, "-") == 0)
		return args_secret(edit->key, &edit->value);
	if (!buf_str(&edit->value, value))
		return ERR_SYSTEM;
	if (edit->hidden)
		wipe(value, strlen(value));
	return OK;
}

/* value is a word of argv, or NULL with unset. */
static enum err
add_edit(struct command *cmd, struct edits *edits, const char *key, size_t len,
    char *value)
{
	struct edit *edit = &edits->edit[edits->n];
	enum err e;

	*edit = (struct edit){ .value = BUF_SECRET };
	edits->n++;
	if (!buf_add(&edit->word, key, len))
		return ERR_SYSTEM;
	if ((e = split_key(cmd, edit)) != OK)
		return e;
	return value ? take_value(edit, value) : OK;
}

/* For the audit: "sha1 = no, authpwd = hidden", "sha1 unset". */
static void
tell(struct command *cmd, const struct edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		const struct edit *edit = &edits->edit[i];
		const char *value =
		    edit->hidden ? "hidden" : buf_cstr(&edit->value);

		(void)buf_printf(&cmd->detail, "%s%s%s%s", i > 0 ? ", " : "",
		    buf_cstr(&edit->word), edits->unset ? " unset" : " = ",
		    edits->unset ? "" : value);
	}
}

/* All changes, one after the other; out is empty before. */
static enum err
apply(const struct ini *ini, struct span text, struct buf *out, void *arg)
{
	const struct edits *edits = arg;
	struct buf was = BUF_SECRET;
	enum err e = OK;

	if (!buf_add(out, text.p, text.len))
		e = ERR_SYSTEM;
	for (size_t i = 0; i < edits->n && e == OK; i++) {
		const struct edit *edit = &edits->edit[i];
		const char *section = buf_cstr(&edit->section);

		buf_clear(&was);
		if (!buf_add(&was, out->data, out->len)) {
			e = ERR_SYSTEM;
			break;
		}
		buf_clear(out);
		e = edits->unset ?
			ini_unset(buf_span(&was), section, edit->key, out) :
			ini_set(buf_span(&was), section, edit->key,
			    buf_cstr(&edit->value), out);
		if (e == ERR_NOTFOUND)
			log_error("%s has no %s in [%s]", ini->where, edit->key,
			    section);
	}
	buf_release(&was);
	return e;
}

/*
 * One try on the file as it is now: ERR_BUSY if somebody's editor changed it
 * while we looked.
 */
static enum err
rewrite_once(
    struct command *cmd, const char *name, const struct alias_edit *edit)
{
	struct buf path = BUF_INIT, text = BUF_INIT, fresh = BUF_SECRET;
	struct buf heard = BUF_INIT;
	struct ini *ini = NULL;
	enum err e;

	if ((e = alias_load(cmd, name, &path, &text)) != OK)
		goto out;
	alias_listen(&heard);
	e = ini_parse(buf_cstr(&path), buf_span(&text), &ini);
	if (e == OK)
		e = edit->edit(ini, buf_span(&text), &fresh, edit->arg);
	e = alias_heard(&heard, e);
	if (e == OK)
		e = alias_swap(cmd, name, buf_span(&text), buf_span(&fresh));
out:
	ini_free(ini);
	buf_release(&path);
	buf_release(&text);
	buf_release(&fresh);
	buf_release(&heard);
	return e;
}

/* Under the lock only an editor that is not ours can be in the way. */
enum err
alias_rewrite(
    struct command *cmd, const char *name, const struct alias_edit *edit)
{
	int lock = -1;
	enum err e;

	if ((e = alias_lock(cmd, &lock)) != OK)
		return e;
	e = ERR_BUSY;
	for (int tries = 0; tries < MAX_TURNS && e == ERR_BUSY; tries++)
		e = rewrite_once(cmd, name, edit);
	if (e == ERR_BUSY)
		e = say(e,
		    "the file of %s changes all the time; nothing was "
		    "changed, try again",
		    name);
	file_close(&lock);
	return e;
}

static enum err
change(struct command *cmd, struct edits *edits)
{
	tell(cmd, edits);
	return alias_rewrite(
	    cmd, cmd->name[0], &(struct alias_edit){ apply, edits });
}

/* KEY=VALUE, as often as one likes; the words are not repeated in errors. */
static enum err
take_pairs(struct command *cmd, struct edits *edits)
{
	enum err e = OK;

	if (cmd->names > MAX_EDITS)
		return usage(cmd, "at most %d keys at once", MAX_EDITS - 1);
	for (int i = 1; i < cmd->names && e == OK; i++) {
		char *word = cmd->name[i], *equals = strchr(word, '=');

		if (equals == NULL)
			return usage(cmd,
			    "say which value: alias set NAME KEY VALUE, or "
			    "KEY=VALUE for each");
		e = add_edit(
		    cmd, edits, word, (size_t)(equals - word), equals + 1);
	}
	return e;
}

/* "key value" in two words, or any number of "key=value". */
static enum err
run_set(struct command *cmd)
{
	struct edits edits = { .n = 0 };
	char *key = cmd->name[1];
	enum err e;

	if (cmd->names == 3 && strchr(key, '=') == NULL)
		e = add_edit(cmd, &edits, key, strlen(key), cmd->name[2]);
	else
		e = take_pairs(cmd, &edits);
	if (e == OK)
		e = change(cmd, &edits);
	edits_release(&edits);
	return e;
}

static enum err
run_unset(struct command *cmd)
{
	struct edits edits = { .unset = true };
	enum err e;

	e = add_edit(cmd, &edits, cmd->name[1], strlen(cmd->name[1]), NULL);
	if (e == OK)
		e = change(cmd, &edits);
	edits_release(&edits);
	return e;
}

/* ---- the noun -------------------------------------------------------- */

static const struct option add_options[] = {
	{ "mode", "operationmode", OPT_TEXT, "MODE",
	    "ca (default), ra, externalra or proxy; see below" },
	{ "ca", "caname", OPT_TEXT, "CA",
	    "the CA it serves; needed where there are several" },
	{ "from", "file", OPT_FILE, "FILE", "take this file as it is" },
	{ "proxy", NULL, OPT_TEXT, "URL",
	    "pass everything on to this alias of the CA's host" },
	{ "clientcert", NULL, OPT_TEXT, "FILE",
	    "--proxy: PEM file of our certificate there" },
	{ "clientkey", NULL, OPT_TEXT, "FILE", "--proxy: PEM file of its key" },
	{ "cafile", NULL, OPT_TEXT, "FILE",
	    "--proxy: PEM file of the CAs of that host's certificate" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct option list_options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object a line" },
	{ "match", NULL, OPT_TEXT, "GLOB", "only names that match" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct option show_options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "as one JSON object" },
	{ "match", NULL, OPT_TEXT, "GLOB",
	    "only keys that match; identifiers are identifiers.NAME" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct option delete_options[] = {
	{ "yes", NULL, OPT_FLAG, NULL, "do not ask" },
	{ "force", NULL, OPT_FLAG, NULL, "deny what waits for people's yes" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct option no_options[] = {
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb verbs[] = {
	{ .name = "add",
	    .other = { "create", "new" },
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = add_options,
	    .run = alias_add,
	    .help = "make an alias",
	    .more = "--mode ra, externalra and proxy write a file that lacks "
		    "what you alone can say: who\nmay enrol, or where the CA "
		    "is.  It is not served before that is filled in, and\nwhat "
		    "it is is printed, and stands in the file.\n\n"
		    "  scep alias add scep --ca ManagementCA\n"
		    "  scep alias add mdm --mode ra\n"
		    "  scep alias set mdm authpwdfile=mdm.secret required=0\n"
		    "  scep alias add scep --proxy "
		    "https://ca.example.org/scep/scep/pkiclient.exe \\\n"
		    "      --clientcert /etc/scep/proxy.pem "
		    "--clientkey /etc/scep/proxy-key.pem",
	    .changes = true },
	{ .name = "set",
	    .args = "NAME KEY VALUE",
	    .min = 2,
	    .max = -1,
	    .options = no_options,
	    .run = run_set,
	    .help = "change one key; comments and order stay",
	    .more = "KEY is enough, or SECTION.KEY where two sections have "
		    "it, as ra.defaultca;\nidentifiers.NAME.  Also KEY=VALUE, "
		    "and then several at once.  authpwd - reads\nthe secret "
		    "from standard input; in the command it can be seen in "
		    "ps.\n\n"
		    "  scep alias set scep includeca yes\n"
		    "  scep alias set scep identifiers.MobileIronSCEP "
		    "ManagementCA\n"
		    "  scep alias set mdm operationmode=ra "
		    "ra.defaultca=ManagementCA \\\n"
		    "      authpwdfile=ra-secret required=0",
	    .changes = true },
	{ .name = "unset",
	    .args = "NAME KEY",
	    .min = 2,
	    .max = 2,
	    .options = no_options,
	    .run = run_unset,
	    .help = "remove one key: its default counts",
	    .changes = true },
	{ .name = "copy",
	    .args = "NAME NEW",
	    .min = 2,
	    .max = 2,
	    .options = no_options,
	    .run = alias_copy,
	    .help = "make another alias of the same content",
	    .changes = true },
	{ .name = "rename",
	    .args = "NAME NEW",
	    .min = 2,
	    .max = 2,
	    .options = no_options,
	    .run = alias_rename,
	    .help = "give an alias another name, and so another URL",
	    .changes = true },
	{ .name = "delete",
	    .other = { "remove" },
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = delete_options,
	    .run = alias_delete,
	    .help = "remove an alias; its certificates stay",
	    .changes = true },
	{ .name = "edit",
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = no_options,
	    .run = alias_edit,
	    .help = "edit the file; it is checked before it counts",
	    .more = "Starts $VISUAL, else $EDITOR, else vi on a copy.  A text "
		    "that cannot be\ntaken stays in that copy, and its name "
		    "is said.",
	    .changes = true },
	{ .name = "list",
	    .args = "",
	    .options = list_options,
	    .run = alias_list,
	    .help = "name, mode and CAs of every alias" },
	{ .name = "show",
	    .args = "NAME",
	    .min = 1,
	    .max = 1,
	    .options = show_options,
	    .run = alias_show,
	    .help = "every key with the value that counts" },
	{ .name = "check",
	    .args = "[NAME...]",
	    .max = -1,
	    .options = no_options,
	    .run = alias_check,
	    .help = "say whether the files are good (default: all)" },
	{ .name = NULL },
};

const struct noun noun_alias = { "alias", "configurations of the server",
	verbs };
