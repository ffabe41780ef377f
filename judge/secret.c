#include <string.h>

#include "judge/judge.h"

/*
 * Bits of a character, times ten, by the smallest set that holds all of a
 * secret: what chance would have made of it.  Words are less, and no rule sees
 * that; blanks give them away.
 */
struct kinds {
	bool hex, small, large, blank;
	unsigned different;
};

static struct kinds
look(struct span secret)
{
	struct kinds k = { .hex = true };
	bool seen[256] = { false };

	for (size_t i = 0; i < secret.len; i++) {
		uint8_t c = secret.p[i];
		bool digit = c >= '0' && c <= '9';
		bool small = c >= 'a' && c <= 'z', large = c >= 'A' && c <= 'Z';

		k.small |= small;
		k.large |= large;
		k.blank |= c == ' ' || c == '\t';
		k.hex &= digit || (small && c <= 'f') || (large && c <= 'F');
		k.different += !seen[c];
		seen[c] = true;
	}
	return k;
}

static unsigned
bits_each(const struct kinds *k)
{
	if (k->hex)
		return k->small || k->large ? 40 : 33;
	return k->small && k->large ? 59 : 50;
}

bool
judge_strong_secret(const struct alias *a)
{
	struct span secret = buf_span(&a->ra.secret);
	struct kinds k;

	if (a->challenge.judge != JUDGE_SECRET || a->ra.nocheck ||
	    secret.len < 22)
		return false;
	k = look(secret);
	return !k.blank && k.different >= 8 &&
	       secret.len * bits_each(&k) >= 1280;
}

static enum err
alias_own(const struct alias *a, struct buf *secret, char **ca)
{
	struct span own = buf_span(&a->ra.secret);

	if (!judge_strong_secret(a))
		return ERR_REFUSED;
	if (!buf_add(secret, own.p, own.len))
		return ERR_SYSTEM;
	*ca = str_dup(a->defaultca);
	return *ca ? OK : ERR_SYSTEM;
}

static enum err
entity_secret(
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

enum err
judge_secret(const struct alias *a, const struct store *st,
    const char *username, struct buf *secret, char **ca)
{
	if (a->challenge.judge == JUDGE_SECRET)
		return alias_own(a, secret, ca);
	return a->challenge.judge == JUDGE_ENTITY ?
		   entity_secret(st, username, secret, ca) :
		   ERR_REFUSED;
}
