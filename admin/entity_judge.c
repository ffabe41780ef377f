#include "admin/entity.h"

#include "admin/alias.h"
#include "base/log.h"
#include "ca/ca.h"

/* Does anybody ask an entity of that CA for a code of its own? */

struct askers {
	struct command *cmd;
	const char *ca;	 /* present name of the entity's CA */
	unsigned serves; /* aliases of CA mode that serve it */
	unsigned asks;	 /* of them, those whose judge is the code */
};

static bool
is_served(const struct askers *k, const struct alias *a)
{
	struct buf called = BUF_INIT;
	bool yes = false;

	for (size_t i = 0; i < a->ncas && !yes; i++) {
		buf_clear(&called);
		if (ca_identify(k->cmd->home, a->cas[i], &called, NULL) == OK)
			yes = strcmp(buf_cstr(&called), k->ca) == 0;
	}
	buf_release(&called);
	return yes;
}

/*
 * In RA mode a request makes its entity, and an external RA or a proxy knows
 * none.  A broken file may come to ask.
 */
static enum err
look_at(const char *file, void *arg)
{
	struct askers *k = arg;
	struct buf name = BUF_INIT, path = BUF_INIT, text = BUF_INIT;
	struct alias *a = NULL;
	enum err e = OK;

	if (!alias_of_file(file, &name))
		goto out;
	e = alias_load(k->cmd, buf_cstr(&name), &path, &text);
	if (e != OK)
		goto out;
	log_mute(true);
	if (alias_parse(buf_cstr(&name), buf_cstr(&path), buf_span(&text), NULL,
		NULL, &a) != OK) {
		k->asks++;
	} else if (a->mode == MODE_CA && is_served(k, a)) {
		k->serves++;
		k->asks += a->challenge.judge == JUDGE_ENTITY;
	}
	log_mute(false);
out:
	alias_free(a);
	buf_release(&name);
	buf_release(&path);
	buf_release(&text);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
entity_needs_code(struct command *cmd, const char *ca, bool *yes)
{
	struct buf called = BUF_INIT;
	struct askers k = { .cmd = cmd };
	enum err e;

	if ((e = ca_identify(cmd->home, ca, &called, NULL)) == OK) {
		k.ca = buf_cstr(&called);
		e = dir_each(cmd->home, "aliases", look_at, &k);
	}
	*yes = k.serves == 0 || k.asks > 0;
	buf_release(&called);
	return e;
}
