#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aliases/alias_own.h"
#include "base/limits.h"
#include "base/time.h"

/* What the sections [renewal], [approval] and [ra] hold. */

/* ---- [renewal] ------------------------------------------------------- */

const char *
alias_take_renewal_cas(struct alias *a, size_t at, const char *value)
{
	(void)at;
	return alias_take_list(&a->renewal.cas, &a->renewal.ncas, value);
}

/* An empty one: the names must be equal in all. */
const char *
alias_take_ignore(struct alias *a, size_t at, const char *value)
{
	(void)at;
	if (*value != '\0')
		return alias_take_list(
		    &a->renewal.ignore, &a->renewal.nignore, value);
	alias_list_free(&a->renewal.ignore, &a->renewal.nignore);
	return NULL;
}

/* ---- numbers and durations ------------------------------------------- */

/* Digits alone, at most max. */
static bool
read_number(const char *value, unsigned max, unsigned *out)
{
	unsigned n = 0;

	if (*value == '\0' || strlen(value) > 9)
		return false;
	for (; *value >= '0' && *value <= '9'; value++)
		n = n * 10 + (unsigned)(*value - '0');
	if (*value != '\0' || n > max)
		return false;
	*out = n;
	return true;
}

#define MOST (MAX_DAYS * DAY)

/* 30d, 12h; not a date, which time_option() takes too. */
static bool
read_duration(const char *value, int64_t *out)
{
	int64_t t;

	if (strspn(value, "0123456789") + 1 != strlen(value) ||
	    time_option(value, 0, 0, &t) != OK || t > MOST)
		return false;
	*out = t;
	return true;
}

const char *
alias_take_duration(struct alias *a, size_t at, const char *value)
{
	int64_t *member = (int64_t *)(void *)((char *)a + at);

	if (!read_duration(value, member) || *member == 0)
		return "it must be a duration as 30d or 12h";
	return NULL;
}

const char *
alias_take_required(struct alias *a, size_t at, const char *value)
{
	(void)at;
	if (!read_number(value, MAX_APPROVALS, &a->approval.required))
		return "it must be a number from 0 to 100";
	return NULL;
}

const char *
alias_take_limit(struct alias *a, size_t at, const char *value)
{
	unsigned *member = (unsigned *)(void *)((char *)a + at);
	bool persource = at == offsetof(struct alias, approval.persource);

	if (!read_number(value, MAX_WAITING, member) ||
	    (*member == 0 && !persource))
		return persource ? "it must be a number from 0 to 1000000" :
				   "it must be a number from 1 to 1000000";
	return NULL;
}

/* A percentage of the life, or a time before its end. */
const char *
alias_take_window(struct alias *a, size_t at, const char *value)
{
	size_t len = strlen(value);
	struct renew_window w = { 0, 0 };
	char digits[3];

	(void)at;
	if (len > 1 && len <= sizeof(digits) && value[len - 1] == '%') {
		(void)snprintf(
		    digits, sizeof(digits), "%.*s", (int)len - 1, value);
		if (!read_number(digits, 99, &w.percent))
			return "it must be 0% to 99%";
		if (w.percent == 0) /* from the first day on */
			w.before = MOST;
	} else if (!read_duration(value, &w.before) || w.before == 0) {
		return "it must be a percentage from 0% to 99% or a duration "
		       "as 30d";
	}
	a->renewal.window = w;
	return NULL;
}

/* A bare number is days, as the key's word says in EJBCA's world. */
const char *
alias_take_supersede(struct alias *a, size_t at, const char *value)
{
	unsigned days;

	(void)at;
	if (strcasecmp(value, "no") == 0)
		a->renewal.supersede = SUPERSEDE_NO;
	else if (strcasecmp(value, "used") == 0)
		a->renewal.supersede = SUPERSEDE_USED;
	else if (read_duration(value, &a->renewal.supersede_after))
		a->renewal.supersede = SUPERSEDE_DAYS;
	else if (read_number(value, MAX_DAYS, &days)) {
		a->renewal.supersede = SUPERSEDE_DAYS;
		a->renewal.supersede_after = days * DAY;
	} else
		return "it must be no, used or a duration as 7d";
	return NULL;
}

/* ---- [ra] ------------------------------------------------------------ */

/* Only the very word opens the door. */
const char *
alias_take_secret(struct alias *a, size_t at, const char *value)
{
	(void)at;
	a->ra.nocheck = strcmp(value, "none") == 0;
	if (a->ra.nocheck)
		return NULL;
	if (*value == '\0')
		return "it must not be empty; none means that no secret is "
		       "asked for";
	if (strcasecmp(value, "none") == 0)
		return "none is written in small letters";
	if (strlen(value) > MAX_CHALLENGE)
		return "it is longer than 255 bytes";
	return buf_str(&a->ra.secret, value) ? NULL : alias_no_memory;
}

const char *
alias_take_scheme(struct alias *a, size_t at, const char *value)
{
	static const char *const words[NAMEGEN__MAX] = {
		[NAMEGEN_DN] = "DN",
		[NAMEGEN_USERNAME] = "USERNAME",
		[NAMEGEN_RANDOM] = "RANDOM",
		[NAMEGEN_FIXED] = "FIXED",
	};

	int i = alias_word(words, NAMEGEN__MAX, value);

	(void)at;
	if (i < 0)
		return "it must be DN, USERNAME, RANDOM or FIXED";
	a->ra.scheme = (enum namegen)i;
	return NULL;
}

/* EJBCA keeps what it does not know as it stands: a slip made every name. */
const char *
alias_take_affix(struct alias *a, size_t at, const char *value)
{
	static const char known[] = "${RANDOM}";
	const char *p = value;

	while ((p = strstr(p, "${")) != NULL) {
		if (strncmp(p, known, sizeof(known) - 1) != 0)
			return "the only ${...} is ${RANDOM}";
		p += sizeof(known) - 1;
	}
	return alias_take_any_text(a, at, value);
}

const char *
alias_take_existing(struct alias *a, size_t at, const char *value)
{
	static const char *const words[EXISTING__MAX] = {
		[EXISTING_RENEW] = "renew",
		[EXISTING_EDIT] = "edit",
		[EXISTING_REFUSE] = "refuse",
	};

	int i = alias_word(words, EXISTING__MAX, value);

	(void)at;
	if (i < 0)
		return "it must be renew, edit or refuse";
	a->ra.existing = (enum existing)i;
	return NULL;
}
