#include "admin/alias.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"

/* Which key of an alias's file a bare word means: "sha1", "timeout". */

static bool
is_named(const struct alias_key *k, const char *section, const char *key)
{
	return strcasecmp(k->key, key) == 0 &&
	       (section == NULL || strcasecmp(k->section, section) == 0);
}

const struct alias_key *
alias_key_find(const char *section, const char *key)
{
	for (const struct alias_key *k = alias_keys; k->section; k++)
		if (is_named(k, section, key))
			return k;
	return NULL;
}

/*
 * The only key of that name, of those that count for the alias if one is
 * given; NULL: there are none, or several.
 */
static const struct alias_key *
find_only(const char *word, const struct alias *a)
{
	const struct alias_key *only = NULL;

	for (const struct alias_key *k = alias_keys; k->section; k++) {
		if (!is_named(k, NULL, word) ||
		    (a != NULL && !alias_key_counts(a, k)))
			continue;
		if (only != NULL)
			return NULL;
		only = k;
	}
	return only;
}

/* A broken file decides nothing; what is wrong with it is told of later. */
static enum err
find_counting(
    const struct command *cmd, const char *word, const struct alias_key **out)
{
	struct buf path = BUF_INIT, text = BUF_SECRET;
	const char *name = cmd->name[0];
	struct alias *a = NULL;
	enum err e;

	if ((e = alias_load(cmd, name, &path, &text)) != OK)
		goto out;
	log_mute(true);
	if (alias_parse(
		name, buf_cstr(&path), buf_span(&text), NULL, NULL, &a) == OK)
		*out = find_only(word, a);
	log_mute(false);
	alias_free(a);
out:
	buf_release(&path);
	buf_release(&text);
	return e;
}

static enum err
ask_which(struct command *cmd, const char *word)
{
	struct buf all = BUF_INIT;
	enum err e;

	for (const struct alias_key *k = alias_keys; k->section; k++)
		if (is_named(k, NULL, word))
			(void)buf_printf(&all, "%s%s.%s",
			    all.len > 0 ? ", " : "", k->section, k->key);
	e = usage(cmd, "several sections have %s: say which, as one of %s",
	    word, buf_cstr(&all));
	buf_release(&all);
	return e;
}

enum err
alias_key_guess(
    struct command *cmd, const char *word, const struct alias_key **out)
{
	enum err e = OK;

	*out = alias_key_find("scep", word);
	if (*out == NULL)
		*out = find_only(word, NULL);
	if (*out != NULL || alias_key_find(NULL, word) == NULL)
		return OK;
	e = find_counting(cmd, word, out);
	return e == OK && *out == NULL ? ask_which(cmd, word) : e;
}
