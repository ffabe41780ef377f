#include "admin/alias.h"
#include "admin/ca.h"

#include "base/ini.h"
#include "base/limits.h"

/* `scep ca rename`: the CA's folder, and the aliases that name it. */

/* Which keys of an alias name CAs; key NULL: all of that section. */
static const struct {
	const char *section, *key;
} places[] = {
	{ "scep", "cas" },
	{ "scep", "defaultca" },
	{ "ra", "defaultca" },
	{ "renewal", "cas" },
	{ "identifiers", NULL },
};

static bool
names_cas(const struct ini_entry *entry)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (strcmp(entry->section, places[i].section) == 0 &&
		    (places[i].key == NULL ||
			strcmp(entry->key, places[i].key) == 0))
			return true;
	return false;
}

/* A list with commas, in which each former name becomes the present one. */
static bool
change_list(const char *list, const struct ca *ca, struct buf *out)
{
	struct buf name = BUF_INIT;
	bool good = true;
	size_t len;

	for (; good && *list != '\0'; list += len + (list[len] == ',')) {
		list += strspn(list, " \t");
		len = strcspn(list, ",");
		buf_clear(&name);
		good = buf_add(&name, list, len);
		while (name.len > 0 && name.data[name.len - 1] == ' ')
			name.data[--name.len] = '\0';
		good = good &&
		       buf_printf(out, "%s%s", out->len ? ", " : "",
			   ca_called(ca, buf_cstr(&name)) ? ca->called :
							    buf_cstr(&name));
	}
	buf_release(&name);
	return good;
}

/* One value more; text becomes the edited one. */
static enum err
change_entry(
    const struct ini_entry *entry, const struct ca *ca, struct buf *text)
{
	struct buf value = BUF_INIT, edited = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (!change_list(entry->value, ca, &value))
		goto out;
	e = OK;
	if (strcmp(buf_cstr(&value), entry->value) == 0)
		goto out;
	e = ini_set(buf_span(text), entry->section, entry->key,
	    buf_cstr(&value), &edited);
	if (e == OK) {
		buf_release(text);
		*text = edited;
		edited = (struct buf)BUF_INIT;
	}
out:
	buf_release(&value);
	buf_release(&edited);
	return e;
}

static enum err
change_text(
    const char *path, const struct ca *ca, struct span was, struct buf *text)
{
	struct ini *ini = NULL;
	enum err e;

	if (!buf_add(text, was.p, was.len))
		return ERR_SYSTEM;
	e = ini_parse(path, was, &ini);
	for (size_t i = 0; e == OK && i < ini->n; i++)
		if (names_cas(&ini->entry[i]))
			e = change_entry(&ini->entry[i], ca, text);
	ini_free(ini);
	return e;
}

struct change {
	struct command *cmd;
	const struct ca *ca;
	enum err worst;
};

static enum err
change_alias(const struct change *c, const char *name)
{
	struct buf path = BUF_INIT, was = BUF_INIT, text = BUF_INIT;
	enum err e;

	if ((e = alias_load(c->cmd, name, &path, &was)) != OK ||
	    (e = change_text(buf_cstr(&path), c->ca, buf_span(&was), &text)) !=
		OK ||
	    span_eq(buf_span(&was), buf_span(&text)))
		goto out;
	if ((e = alias_swap(c->cmd, name, buf_span(&was), buf_span(&text))) ==
	    OK)
		print_field(c->cmd->out, "Alias:", name);
out:
	buf_release(&path);
	buf_release(&was);
	buf_release(&text);
	return e;
}

/* One that is broken, which was told, does not keep the others. */
static enum err
look(const char *file, void *arg)
{
	struct change *c = arg;
	size_t len = strlen(file);
	char name[MAX_ALIAS + 1];
	enum err e;

	if (len <= 4 || len - 4 > MAX_ALIAS ||
	    strcmp(file + len - 4, ".ini") != 0 ||
	    strcmp(file, "example.ini") == 0)
		return OK;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len - 4), file);
	if (!alias_name_ok(span_of(name, strlen(name))))
		return OK;
	if ((e = change_alias(c, name)) != OK)
		c->worst = e;
	return OK;
}

/* By its new name, which finds all the old ones. */
static enum err
change_aliases(struct command *cmd)
{
	struct change c = { .cmd = cmd, .worst = OK };
	struct cas *cas = NULL;
	int lock = -1;
	enum err e;

	if ((e = ca_find(cmd, cmd->name[1], &cas, &c.ca)) == OK &&
	    (e = alias_lock(cmd, &lock)) == OK)
		e = dir_each(cmd->home, "aliases", look, &c);
	file_close(&lock);
	cas_free(cas);
	if (e == OK && c.worst != OK)
		return say(c.worst,
		    "CA %s is called so, but not all aliases could be changed: "
		    "they go on by the old name; mend them and run this again",
		    cmd->name[1]);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
ca_run_rename(struct command *cmd)
{
	const char *to = cmd->name[1];
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e;

	(void)buf_printf(&cmd->detail, "to %s", to);
	if ((e = ca_find(cmd, cmd->name[0], &cas, &ca)) != OK)
		goto out;
	/* one that was killed behind the rename goes on with the aliases */
	if (strcmp(ca->called, to) != 0 || strcmp(cmd->name[0], to) == 0)
		e = ca_rename(cmd->home, ca, to);
	if (e == ERR_EXISTS)
		e = say(e, "there is a CA %s already", to);
	if (e == OK)
		e = change_aliases(cmd);
out:
	cas_free(cas);
	return e;
}

const struct option ca_rename_options[] = { CA_END };
