#include "store/crl.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "store/inside.h"

bool
crl_number_read(const char *text, uint64_t *out)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(text[i] - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (i == 0 || text[i] != '\0' || (text[0] == '0' && i > 1))
		return false;
	*out = n;
	return true;
}

/* "crl/<ca>/<generation>/" and what a printf says */
static enum err
crl_path(const struct issuer *by, const char *tail, struct buf *out)
{
	enum err e;

	buf_clear(out);
	e = generation_room("crl", by->ca, by->generation, out);
	return e == OK && !buf_printf(out, "/%s", tail) ? ERR_SYSTEM : e;
}

static enum err
number_path(const struct issuer *by, uint64_t number, struct buf *out)
{
	char name[32];

	(void)snprintf(
	    name, sizeof(name), "%llu.crl", (unsigned long long)number);
	return crl_path(by, name, out);
}

/* How many times the base was raised. */
static enum err
raises(const struct store *st, const struct issuer *by, unsigned *k)
{
	struct buf stem = BUF_INIT;
	enum err e = crl_path(by, "above", &stem);

	if (e == OK)
		e = store_highest(st, buf_cstr(&stem), "", k);
	buf_release(&stem);
	return e;
}

static enum err
raise_path(const struct issuer *by, unsigned k, struct buf *out)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "above,%u", k);
	return crl_path(by, name, out);
}

static enum err
read_base(const struct store *st, const struct issuer *by, uint64_t *base)
{
	struct buf path = BUF_INIT, word = BUF_INIT;
	unsigned k = 0;
	enum err e;

	*base = 0;
	e = raises(st, by, &k);
	if (e != OK || k == 0)
		goto out;
	e = raise_path(by, k, &path);
	if (e == OK)
		e = file_claim_read(st->root, buf_cstr(&path), &word);
	if (e == ERR_INPUT ||
	    (e == OK && !crl_number_read(buf_cstr(&word), base))) {
		log_error("%s is not a number; restore it", buf_cstr(&path));
		e = ERR_SYSTEM;
	}
	if (e == ERR_NOTFOUND)
		e = ERR_SYSTEM;
out:
	buf_release(&path);
	buf_release(&word);
	return e;
}

static enum err
is_there(const struct store *st, const struct issuer *by, uint64_t number)
{
	struct buf path = BUF_INIT;
	enum err e = number_path(by, number, &path);

	if (e == OK)
		e = file_exists(st->root, buf_cstr(&path));
	buf_release(&path);
	return e;
}

/* As store_highest(), above a base: there are no gaps. */
enum err
crls_highest(const struct store *st, const struct issuer *by, uint64_t *number)
{
	uint64_t base = 0, low = 0, high = 1, middle;
	enum err e;

	if ((e = read_base(st, by, &base)) != OK)
		return e;
	while (high <= UINT64_MAX - base && high < UINT64_MAX / 2 &&
	       (e = is_there(st, by, base + high)) == OK) {
		low = high;
		high *= 2;
	}
	while ((e == OK || e == ERR_NOTFOUND) && high - low > 1) {
		middle = low + (high - low) / 2;
		e = is_there(st, by, base + middle);
		if (e == OK)
			low = middle;
		else
			high = middle;
	}
	if (e != OK && e != ERR_NOTFOUND)
		return e;
	*number = base + low;
	return OK;
}

enum err
crls_read(const struct store *st, const struct issuer *by, uint64_t number,
    struct buf *der)
{
	struct buf path = BUF_INIT;
	enum err e = number_path(by, number, &path);

	if (e == OK)
		e = file_read(st->root, buf_cstr(&path), MAX_CRL, der);
	if (e == ERR_TOOBIG)
		e = ERR_SYSTEM;
	buf_release(&path);
	return e;
}

enum err
crls_link(const struct store *st, const struct issuer *by, uint64_t number,
    struct span der)
{
	struct buf path = BUF_INIT;
	uint64_t base = 0;
	enum err e = number_path(by, number, &path);

	if (e == OK)
		e = file_create_once(
		    st->tmp, st->root, buf_cstr(&path), der, FILE_RECORD, true);
	/* Raised meanwhile: nobody finds this one. */
	if (e == OK && (e = read_base(st, by, &base)) == OK && base >= number)
		e = ERR_EXISTS;
	buf_release(&path);
	return e;
}

enum err
crls_sync(const struct store *st, const struct issuer *by)
{
	struct buf room = BUF_INIT;
	enum err e;

	e = generation_room("crl", by->ca, by->generation, &room);
	if (e == OK)
		e = dir_sync(st->root, buf_cstr(&room));
	buf_release(&room);
	return e;
}

/* Link by link, as everything: who comes second looks again. */
enum err
crls_raise(const struct store *st, const struct issuer *by, uint64_t number)
{
	struct buf path = BUF_INIT;
	uint64_t highest = 0;
	char word[24];
	unsigned k = 0;
	enum err e;

	(void)snprintf(word, sizeof(word), "%llu", (unsigned long long)number);
	do {
		if ((e = raises(st, by, &k)) != OK ||
		    (e = crls_highest(st, by, &highest)) != OK ||
		    highest >= number)
			break;
		if ((e = raise_path(by, k + 1, &path)) == OK)
			e = file_claim(st->root, buf_cstr(&path), word);
	} while (e == ERR_EXISTS);
	if (e == OK)
		e = crls_sync(st, by);
	buf_release(&path);
	return e;
}

enum err
crls_generations(const struct store *st, const char *ca, unsigned *highest)
{
	struct buf path = BUF_INIT;
	unsigned n = 0;
	enum err e = OK;

	while (e == OK) {
		buf_clear(&path);
		e = generation_room("crl", ca, n + 1, &path);
		if (e == OK)
			e = file_exists(st->root, buf_cstr(&path));
		n += e == OK;
	}
	buf_release(&path);
	*highest = n;
	return e == ERR_NOTFOUND ? OK : e;
}

static enum err
warned_path(const struct issuer *by, int64_t now, struct buf *out)
{
	char hour[HOUR_TEXT], name[32];

	code_hour(now, hour);
	(void)snprintf(name, sizeof(name), "warned,%s", hour);
	return crl_path(by, name, out);
}

enum err
crls_warned(const struct store *st, const struct issuer *by, int64_t now)
{
	struct buf path = BUF_INIT;
	enum err e = warned_path(by, now, &path);

	if (e == OK)
		e = file_exists(st->root, buf_cstr(&path));
	buf_release(&path);
	return e;
}

enum err
crls_warn(const struct store *st, const struct issuer *by, int64_t now)
{
	struct buf path = BUF_INIT;
	enum err e = warned_path(by, now, &path);

	if (e == OK)
		e = file_mark(
		    st->tmp, st->root, buf_cstr(&path), span_of(NULL, 0));
	buf_release(&path);
	return e;
}
