#include <string.h>

#include "judge/judge.h"

enum err
judge_secret(
    const struct store *st, const char *username, struct buf *secret, char **ca)
{
	struct entity who = ENTITY_INIT;
	struct code code = { 0 };
	enum err e;

	if ((e = code_sealing(st)) != OK)
		return e == ERR_NOTFOUND ? ERR_REFUSED : e;
	e = entity_find(st, span_of(username, strlen(username)), &who);
	if (e != OK)
		goto out;
	e = ERR_NOTFOUND;
	if (who.blocked || who.code == NULL)
		goto out;
	if ((e = code_find(st, who.username, who.code, &code)) != OK)
		goto out;
	if ((e = code_reveal(st, &code, secret)) != OK)
		goto out;
	*ca = who.ca;
	who.ca = NULL;
out:
	code_release(&code);
	entity_release(&who);
	return e;
}
