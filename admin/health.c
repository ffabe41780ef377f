#include "admin/health.h"

#include "admin/alias.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "ca/ca.h"

struct walk {
	const struct command *cmd;
	char **ca;
	size_t cas;
	void (*broken)(const char *file, void *arg);
	void *arg;
	struct alias_health *out;
};

static bool
known_ca(const char *name, void *arg)
{
	const struct walk *w = arg;
	size_t i;

	for (i = 0; i < w->cas; i++) {
		if (strcmp(w->ca[i], name) == 0)
			return true;
	}
	return ca_identify(w->cmd->home, name, NULL, NULL) == OK;
}

static enum err
parse(struct walk *w, const char *name, const char *file)
{
	struct buf path = BUF_INIT, text = BUF_SECRET;
	struct alias *alias = NULL;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&path, "aliases/%s", file))
		e = file_read(w->cmd->home, buf_cstr(&path), MAX_INI, &text);
	if (e == OK)
		e = alias_parse(name, buf_cstr(&path), buf_span(&text),
		    known_ca, w, &alias);
	if (e == OK)
		e = alias_check_rest(
		    w->cmd, buf_cstr(&path), buf_span(&text), alias);
	w->out->proxies += e == OK && alias->mode == MODE_PROXY;
	alias_free(alias);
	buf_release(&path);
	buf_release(&text);
	return e;
}

/* example.ini explains the keys; names that no alias can have are ignored. */
static enum err
look(const char *file, void *arg)
{
	struct walk *w = arg;
	size_t len = strlen(file);
	char name[MAX_ALIAS + 1];

	if (len <= 4 || len - 4 > MAX_ALIAS ||
	    strcmp(file + len - 4, ".ini") != 0 ||
	    strcmp(file, "example.ini") == 0)
		return OK;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len - 4), file);
	if (!alias_name_ok(span_of(name, strlen(name))))
		return OK;
	w->out->count++;
	if (parse(w, name, file) == OK)
		return OK;
	w->out->broken++;
	if (w->broken != NULL)
		w->broken(file, w->arg);
	return OK;
}

enum err
health_aliases(const struct command *cmd,
    void (*broken)(const char *file, void *arg), void *arg,
    struct alias_health *out)
{
	struct walk w = {
		.cmd = cmd, .broken = broken, .arg = arg, .out = out
	};
	enum err e;
	size_t i;

	*out = (struct alias_health){ .count = 0 };
	if ((e = ca_names(cmd->home, &w.ca, &w.cas)) != OK)
		return e;
	e = dir_each(cmd->home, "aliases", look, &w);
	if (e == ERR_NOTFOUND)
		e = say(e, "no directory aliases in %s; `mkdir` makes it",
		    cmd->home_path);
	for (i = 0; i < w.cas; i++)
		free(w.ca[i]);
	free(w.ca);
	return e;
}

static void
swallow(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

void
health_hush(void)
{
	log_sink(swallow, NULL);
}

void
health_speak(void)
{
	log_sink(NULL, NULL);
}
