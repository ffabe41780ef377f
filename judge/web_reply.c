#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "judge/web.h"

/*
 * What a web service answers: {"allow": true, "data": {...}}.  A service that
 * is broken, or no such service at all, says neither yes nor no.
 */

static enum err
later(const struct judge_case *c, struct judgement *j, const char *what)
{
	log_error("alias %s: the web service: %s", c->alias->name, what);
	j->ruling = RULING_LATER;
	return OK;
}

/* The members of `data` that mean something here; the rest is for others. */
static const char *const keys[] = { "username", "subject", "san", "profile",
	"validity" };

static enum err
take(const char *who, const struct json *data, const char *key,
    struct judgement *j)
{
	const char *value = NULL;
	enum err e = json_get0_text(data, key, &value);

	if (e == ERR_NOTFOUND)
		return OK;
	if (e == OK)
		return overrides_put(who, span_of(key, strlen(key)),
		    span_of(value, strlen(value)), j);
	log_error("%s: %s: it is no text, or is there twice", who, key);
	return e;
}

static enum err
take_all(
    const struct judge_case *c, const struct json *data, struct judgement *j)
{
	struct buf who = BUF_INIT;
	enum err e = OK;

	if (!buf_printf(
		&who, "alias %s: data of the web service", c->alias->name))
		e = ERR_SYSTEM;
	for (size_t i = 0; e == OK && i < sizeof(keys) / sizeof(*keys); i++)
		e = take(buf_cstr(&who), data, keys[i], j);
	buf_release(&who);
	return e;
}

static enum err
say_yes(
    const struct judge_case *c, const struct json *reply, struct judgement *j)
{
	const struct json *data = NULL;
	enum err e = json_get0(reply, "data", &data);

	if (e == ERR_INPUT)
		return later(c, j, "the answer has data twice");
	/* of another kind it is no business of ours either */
	if (e == ERR_NOTFOUND || json_kind(data) != JSON_OBJECT)
		e = OK;
	else
		e = take_all(c, data, j);
	if (e == ERR_INPUT)
		j->ruling = RULING_LATER;
	else if (e == OK)
		j->ruling = RULING_YES;
	return e == ERR_INPUT ? OK : e;
}

/* It may repeat the challenge to show what was wrong with it. */
static enum err
has_challenge(const struct judge_case *c, const char *message, bool *yes)
{
	struct buf challenge = BUF_SECRET;
	bool ok = buf_add(&challenge, c->challenge.p, c->challenge.len);

	*yes = ok && c->challenge.len > 0 &&
	       strstr(message, buf_cstr(&challenge)) != NULL;
	buf_release(&challenge);
	return ok ? OK : ERR_SYSTEM;
}

/* "error": {"message": "..."} or "error": "...", for the log. */
static enum err
say_no(
    const struct judge_case *c, const struct json *reply, struct judgement *j)
{
	const struct json *error = NULL;
	const char *message = NULL;
	bool secret = false;
	enum err e;

	j->ruling = RULING_NO;
	j->reason = "the web service says no";
	if (json_get0_text(reply, "error", &message) != OK &&
	    (json_get0_object(reply, "error", &error) != OK ||
		json_get0_text(error, "message", &message) != OK))
		return OK;
	if ((e = has_challenge(c, message, &secret)) == OK)
		log_info("alias %s: the web service says no: %.*s",
		    c->alias->name, MAX_WHY,
		    secret ? "(words that hold the challenge)" : message);
	return e;
}

enum err
web_reply(const struct judge_case *c, struct span body, struct judgement *j)
{
	struct json *reply = NULL;
	bool allow = false;
	enum err e;

	if ((e = json_parse(body, &reply)) == ERR_INPUT || e == ERR_TOOBIG)
		e = later(c, j, "the answer is not one JSON object");
	else if (e == OK && json_get_bool(reply, "allow", &allow) != OK)
		e = later(
		    c, j, "the answer has no allow that is true or false");
	else if (e == OK)
		e = allow ? say_yes(c, reply, j) : say_no(c, reply, j);
	json_free(reply);
	return e;
}
