#include <stddef.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/time.h"
#include "base/utf8.h"
#include "ca/dn.h"
#include "ca/profile.h"
#include "ca/san.h"
#include "judge/judge.h"

/*
 * What a judge far away wants of the certificate.  It may be wrong, and it may
 * be made to repeat a stranger's words: whatever is not exactly one of these
 * makes the judge a broken one, never half obeyed.
 */

static const char no_memory[] = "out of memory";
static const char no_key[] = "there is no such key; there are username, "
			     "subject, san, profile, validity and reason";

static const char *
check_username(const char *value)
{
	if (*value == '\0')
		return "it must not be empty";
	return utf8_valid(span_of(value, strlen(value))) ?
		   NULL :
		   "it is no UTF-8 text";
}

/* The parsers tell of slips in files; this one is told of once, by put(). */
static const char *
check_subject(const char *value)
{
	const char *why = "no DN, as CN=router1,O=Lab";
	struct buf der = BUF_INIT;
	enum err e;

	log_mute(true);
	e = dn_parse(value, &der);
	log_mute(false);
	if (e == OK && dn_empty(buf_span(&der)))
		why = "it must not be empty: without the line it is the "
		      "request's";
	else if (e == OK)
		e = dn_check(buf_span(&der), &why) == OK ? OK : ERR_INPUT;
	if (e == OK && !dn_empty(buf_span(&der)))
		why = NULL;
	buf_release(&der);
	return e == ERR_SYSTEM ? no_memory : why;
}

static const char *
check_san(const char *value)
{
	struct buf der = BUF_INIT;
	enum err e = OK;

	log_mute(true);
	if (*value != '\0')
		e = san_parse(value, &der);
	log_mute(false);
	buf_release(&der);
	if (e == ERR_SYSTEM)
		return no_memory;
	return e == OK ? NULL :
			 "no SAN, as dNSName=a.example, "
			 "iPAddress=192.0.2.1";
}

static const char *
check_profile(const char *value)
{
	return profile_name_ok(value) ? NULL : "no name of a profile";
}

/* 30d, 12h; not a date, which time_option() takes too. */
static bool
read_duration(const char *value, int64_t *out)
{
	return strspn(value, "0123456789") + 1 == strlen(value) &&
	       time_option(value, 0, 0, out) == OK && *out > 0 &&
	       *out <= MAX_DAYS * DAY;
}

static const struct row {
	const char *key;
	size_t at; /* of a text in struct overrides */
	size_t max;
	const char *(*check)(const char *value);
} rows[] = {
	{ "username", offsetof(struct overrides, username), MAX_USERNAME,
	    check_username },
	{ "subject", offsetof(struct overrides, subject), MAX_DN_TEXT,
	    check_subject },
	{ "san", offsetof(struct overrides, san), MAX_DN_TEXT, check_san },
	{ "profile", offsetof(struct overrides, profile), MAX_PROFILE,
	    check_profile },
};

static bool
is_key(struct span key, const char *name)
{
	return span_eq(key, span_of(name, strlen(name)));
}

static const char *
put_text(const struct row *row, const char *value, struct overrides *o)
{
	char **member = (char **)(void *)((char *)o + row->at);
	const char *why;

	if (*member != NULL)
		return "it is there twice";
	if (strlen(value) > row->max)
		return "it is too long";
	if ((why = row->check(value)) != NULL)
		return why;
	*member = str_dup(value);
	return *member != NULL ? NULL : no_memory;
}

static const char *
put_validity(const char *value, struct overrides *o)
{
	int64_t seconds = 0;

	if (o->validity != 0)
		return "it is there twice";
	if (!read_duration(value, &seconds))
		return "no duration, as 30d or 12h";
	o->validity = seconds;
	return NULL;
}

static const char *
put_reason(const char *value, struct judgement *j)
{
	if (j->why.len > 0)
		return "it is there twice";
	if (*value == '\0' || strlen(value) > MAX_WHY)
		return "it must have 1 to 200 bytes";
	return buf_str(&j->why, value) ? NULL : no_memory;
}

static const struct row *
row_of(struct span key)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (is_key(key, rows[i].key))
			return &rows[i];
	return NULL;
}

/* NULL, or what is wrong: a constant. */
static const char *
put(struct span key, struct span bytes, const char *value, struct judgement *j)
{
	const struct row *row = row_of(key);
	bool other = is_key(key, "validity") || is_key(key, "reason");

	if (row == NULL && !other)
		return no_key;
	if (span_has_control(bytes))
		return "it has control characters";
	if (row != NULL)
		return put_text(row, value, &j->over);
	return is_key(key, "reason") ? put_reason(value, j) :
				       put_validity(value, &j->over);
}

/* A key that is none may be anything: the challenge, with '=' at its end. */
static void
tell(const char *who, struct span key, const char *wrong)
{
	struct buf name = BUF_INIT;

	if (wrong == no_key)
		log_error("%s: %s", who, wrong);
	else if (wrong == no_memory || !buf_add(&name, key.p, key.len))
		log_error("%s: out of memory", who);
	else
		log_error("%s: %s: %s", who, buf_cstr(&name), wrong);
	buf_release(&name);
}

enum err
overrides_put(
    const char *who, struct span key, struct span value, struct judgement *j)
{
	struct buf text = BUF_INIT;
	const char *wrong = no_memory;

	if (buf_add(&text, value.p, value.len))
		wrong = put(key, value, buf_cstr(&text), j);
	if (wrong != NULL)
		tell(who, key, wrong);
	buf_release(&text);
	return wrong == NULL ? OK : wrong == no_memory ? ERR_SYSTEM : ERR_INPUT;
}

/* Bytes before the first c, or all of them. */
static size_t
until(struct span s, char c)
{
	const uint8_t *at = s.len > 0 ? memchr(s.p, c, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.p) : s.len;
}

enum err
overrides_read(const char *who, struct span text, struct judgement *j)
{
	enum err e = OK;

	while (e == OK && text.len > 0) {
		size_t len = until(text, '\n');
		struct span line = span_of(text.p, len);
		size_t equals = until(line, '=');

		if (equals == line.len) {
			log_error("%s: a line is not key=value", who);
			return ERR_INPUT;
		}
		e = overrides_put(who, span_of(line.p, equals),
		    span_of(line.p + equals + 1, line.len - equals - 1), j);
		len += len < text.len;
		text = span_of(text.p + len, text.len - len);
	}
	return e;
}
