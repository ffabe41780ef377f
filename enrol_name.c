#include "enrol_name.h"

#include <string.h>

#include "base/names.h"
#include "ca/dn.h"

#define RANDOM_LEN 12 /* characters; EJBCA's default in code */

/*
 * Characters that are equally likely: a byte over the last multiple of their
 * number is thrown away.
 */
static enum err
add_random(struct buf *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789";
	const unsigned n = sizeof(letters) - 1, fair = 256 - 256 % n;
	unsigned have = 0;
	uint8_t byte;
	enum err e;

	while (have < RANDOM_LEN) {
		if ((e = random_bytes(&byte, 1)) != OK)
			return e;
		if (byte >= fair)
			continue;
		if (!buf_byte(out, (uint8_t)letters[byte % n]))
			return ERR_SYSTEM;
		have++;
	}
	return OK;
}

/* Prefix or postfix; each ${RANDOM} is drawn anew. */
static enum err
add_affix(const char *affix, struct buf *out)
{
	static const char word[] = "${RANDOM}";
	const char *at;
	enum err e;

	while ((at = strstr(affix, word)) != NULL) {
		if (!buf_add(out, affix, (size_t)(at - affix)))
			return ERR_SYSTEM;
		if ((e = add_random(out)) != OK)
			return e;
		affix = at + sizeof(word) - 1;
	}
	return buf_str(out, affix) ? OK : ERR_SYSTEM;
}

/* The attribute whose name stands at p; ERR_NOTFOUND: none, or no value. */
static enum err
add_value(struct span subject, const char *p, size_t len, struct buf *out)
{
	struct buf name = BUF_INIT;
	size_t was = out->len;
	enum err e = ERR_SYSTEM;

	for (; len > 0 && (*p == ' ' || *p == '\t'); p++)
		len--;
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (buf_add(&name, p, len))
		e = dn_value(subject, buf_cstr(&name), out);
	buf_release(&name);
	return e == OK && out->len == was ? ERR_NOTFOUND : e;
}

/*
 * "UID;SN;CN": the first that is there.  One that is there and cannot be read
 * is no reason to take the next: who asks would choose among names.
 */
static enum err
add_first(struct span subject, const char *names, struct buf *out)
{
	enum err e = ERR_NOTFOUND;

	while (e == ERR_NOTFOUND) {
		size_t len = strcspn(names, ";");

		e = add_value(subject, names, len, out);
		if (names[len] == '\0')
			break;
		names += len + 1;
	}
	return e;
}

static enum err
add_whole(const struct ra_rules *ra, struct span subject, struct buf *out)
{
	(void)ra;
	return dn_text(subject, out);
}

static enum err
add_dn(const struct ra_rules *ra, struct span subject, struct buf *out)
{
	return *ra->parameters == '\0' ?
		   dn_text(subject, out) :
		   add_first(subject, ra->parameters, out);
}

static enum err
add_drawn(const struct ra_rules *ra, struct span subject, struct buf *out)
{
	(void)ra;
	(void)subject;
	return add_random(out);
}

static enum err
add_fixed(const struct ra_rules *ra, struct span subject, struct buf *out)
{
	(void)subject;
	return buf_str(out, ra->parameters) ? OK : ERR_SYSTEM;
}

static enum err (*const schemes[NAMEGEN__MAX])(
    const struct ra_rules *ra, struct span subject, struct buf *out) = {
	[NAMEGEN_DN] = add_dn,
	[NAMEGEN_USERNAME] = add_whole,
	[NAMEGEN_RANDOM] = add_drawn,
	[NAMEGEN_FIXED] = add_fixed,
};

/* What a record of an entity may be called (store/entity.h). */
static bool
is_username(struct span name)
{
	if (name.len > MAX_USERNAME)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] < 0x20 || name.p[i] == 0x7f)
			return false;
	return true;
}

enum err
enrol_generate(const struct alias *a, struct span subject, char **out)
{
	const struct ra_rules *ra = &a->ra;
	struct buf base = BUF_INIT, name = BUF_INIT;
	enum err e;

	/* prefix and postfix alone are nobody's name (EJBCA says "null") */
	e = schemes[ra->scheme](ra, subject, &base);
	if (e == ERR_NOTFOUND || (e == OK && base.len == 0))
		e = ERR_INPUT;
	if (e == OK)
		e = add_affix(ra->prefix, &name);
	if (e == OK && !buf_add(&name, base.data, base.len))
		e = ERR_SYSTEM;
	if (e == OK)
		e = add_affix(ra->postfix, &name);
	if (e == OK && !is_username(buf_span(&name)))
		e = ERR_INPUT;
	if (e == OK && (*out = str_dup(buf_cstr(&name))) == NULL)
		e = ERR_SYSTEM;
	buf_release(&base);
	buf_release(&name);
	return e;
}
