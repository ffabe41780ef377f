#include <openssl/bio.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "fetch/pause.h"
#include "judge/judge.h"

/*
 * The judge that is a program.  It runs in a helper's child with nothing but
 * what stands here, so what it breaks is its own; and it gets the challenge by
 * a descriptor, as everybody on the host can read arguments, and environments
 * are printed by accident.
 */

/* What its exit status means; whatever is not here is a broken program. */
static const struct {
	int status;
	enum ruling ruling;
	const char *word;
	const char *reason;
} statuses[] = {
	{ 0, RULING_YES, "yes", NULL },
	{ 1, RULING_NO, "no", "the program says no" },
	{ 75, RULING_LATER, "later", NULL }, /* EX_TEMPFAIL */
};
#define STATUSES   (sizeof(statuses) / sizeof(*statuses))
#define MAX_SIGNAL 64

/* ---- what it gets ------------------------------------------------------ */

#define MAX_ENV 12

struct environment {
	struct buf text[MAX_ENV];
	const char *list[MAX_ENV + 1];
	size_t n;
	bool ok; /* memory was enough */
};

/* A stranger's line break must not become a line of the program's output. */
static void
put_span(
    struct environment *env, const char *name, struct span value, bool escaped)
{
	struct buf *text = &env->text[env->n];
	bool ok = buf_printf(text, "%s=", name);

	if (ok && (escaped || span_has_control(value)))
		ok = log_escape(text, value);
	else if (ok)
		ok = buf_add(text, value.p, value.len);
	env->ok = env->ok && ok;
	env->list[env->n++] = buf_cstr(text);
}

static void
put(struct environment *env, const char *name, const char *value)
{
	put_span(env, name, span_of(value, strlen(value)), false);
}

static void
environment_release(struct environment *env)
{
	for (size_t i = 0; i < env->n; i++)
		buf_release(&env->text[i]);
}

static enum err
environment_fill(const struct judge_case *c, struct environment *env)
{
	static const char *const modes[MODE__MAX] = {
		[MODE_CA] = "ca",
		[MODE_RA] = "ra",
		[MODE_PROXY] = "proxy",
		[MODE_EXTERNALRA] = "externalra",
	};
	struct buf home = BUF_INIT;
	enum err e = dir_path(c->home, &home);

	env->ok = true;
	put(env, "SCEP_ALIAS", c->alias->name);
	put(env, "SCEP_MODE", modes[c->alias->mode]);
	put(env, "SCEP_CA", c->ca != NULL ? c->ca->called : "");
	put(env, "SCEP_USERNAME", c->username);
	put(env, "SCEP_SUBJECT", c->subject);
	put(env, "SCEP_SAN", c->san);
	put_span(env, "SCEP_TRANSACTION", c->txid, true);
	put(env, "SCEP_REMOTE", c->remote);
	put(env, "SCEP_CHALLENGE_FD", "3");
	put(env, "SCEP_HOME", buf_cstr(&home));
	buf_release(&home);
	return e != OK ? e : env->ok ? OK : ERR_SYSTEM;
}

/* The request as it came: with its challenge, so it is a secret. */
static enum err
csr_pem(struct span der, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	enum err e = ERR_SYSTEM;
	char *text = NULL;
	long len;

	if (bio == NULL || PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der.p,
			       (long)der.len) <= 0)
		log_openssl("writing a request as PEM");
	else if ((len = BIO_get_mem_data(bio, &text)) > 0 &&
		 buf_add(pem, text, (size_t)len))
		e = OK;
	BIO_free(bio);
	return e;
}

/* ---- what it says ------------------------------------------------------ */

static bool
holds(struct span text, struct span part)
{
	for (size_t i = 0; part.len > 0 && i + part.len <= text.len; i++)
		if (memcmp(text.p + i, part.p, part.len) == 0)
			return true;
	return false;
}

/*
 * ": " and what it said, its reason first, then the first line of what it
 * complained; empty if it is silent.  A script under `set -x` shows everything,
 * so what has the challenge in it stays here.
 */
static enum err
words(const struct judge_case *c, const struct run_answer *a,
    const struct judgement *j, struct buf *out)
{
	const char *line = buf_cstr(&a->complaint);
	size_t len = strcspn(line, "\n");
	struct buf said = BUF_SECRET;
	bool secret, ok = true;

	/* all of it: what is cut may end within the challenge */
	secret = holds(buf_span(&j->why), c->challenge) ||
		 holds(buf_span(&a->complaint), c->challenge);
	if (len > MAX_WHY)
		len = MAX_WHY;
	if (j->why.len > 0)
		ok = buf_str(&said, ": ") &&
		     buf_add(&said, j->why.data, j->why.len);
	if (ok && len > 0)
		ok = buf_str(&said, ": ") && buf_add(&said, line, len);
	if (ok && secret)
		ok = buf_str(out, ": (words that hold the challenge)");
	else if (ok)
		ok = buf_add(out, said.data, said.len);
	buf_release(&said);
	return ok ? OK : ERR_SYSTEM;
}

/* Neither yes, no nor later: somebody has to mend it. */
static void
tell_broken(const struct judge_case *c, int status, const char *said)
{
	const char *path = c->alias->program.path;

	if (status > 128 && status <= 128 + MAX_SIGNAL)
		log_error("alias %s: %s was ended by signal %d; the client is "
			  "to try again%s",
		    c->alias->name, path, status - 128, said);
	else
		log_error("alias %s: %s ended with status %d, which is neither "
			  "0 (yes), 1 (no) nor 75 (later); the client is to "
			  "try again%s",
		    c->alias->name, path, status, said);
}

static void
tell(const struct judge_case *c, size_t row, const char *said)
{
	bool later = statuses[row].ruling == RULING_LATER;

	if (later)
		log_warn(
		    "alias %s: the program says later%s", c->alias->name, said);
	else if (*said != '\0')
		log_info("alias %s: the program says %s%s", c->alias->name,
		    statuses[row].word, said);
}

static enum err
rule(const struct judge_case *c, const struct run_answer *a, size_t row,
    struct judgement *j)
{
	struct buf who = BUF_INIT, said = BUF_INIT;
	enum err e = ERR_SYSTEM;

	if (buf_printf(&who, "alias %s: output of %s", c->alias->name,
		c->alias->program.path))
		e = overrides_read(buf_cstr(&who), buf_span(&a->output), j);
	if (e == OK)
		e = words(c, a, j, &said);
	if (e == OK) {
		j->ruling = statuses[row].ruling;
		j->reason = statuses[row].reason;
		tell(c, row, buf_cstr(&said));
	}
	buf_release(&who);
	buf_release(&said);
	return e;
}

/* j->ruling is LATER until the program has said something else. */
static enum err
hear(
    const struct judge_case *c, const struct run_answer *a, struct judgement *j)
{
	struct buf said = BUF_INIT;
	enum err e;

	for (size_t i = 0; i < STATUSES; i++)
		if (a->status == statuses[i].status)
			return rule(c, a, i, j);
	e = words(c, a, j, &said);
	if (e == OK)
		tell_broken(c, a->status, buf_cstr(&said));
	buf_release(&said);
	return e;
}

/* ---- running it -------------------------------------------------------- */

/* Why it did not run to its end was told of; here is what can be done. */
static void
tell_failure(const struct judge_case *c, enum err e)
{
	static const char *const cures[ERR__MAX] = {
		[ERR_BUSY] = "it has the time of [program] timeout",
		[ERR_TOOBIG] = "it may print 4096 bytes",
		[ERR_NOTFOUND] = "`scep alias check` says what it must be",
		[ERR_INPUT] = "it was not started",
	};

	if (cures[e] != NULL)
		log_warn("alias %s: its program has not judged, the client is "
			 "to try again; %s",
		    c->alias->name, cures[e]);
}

enum err
judge_program(const struct judge_case *c, struct judgement *j)
{
	struct environment env = { .n = 0 };
	struct run_answer a = RUN_ANSWER_INIT;
	struct buf pem = BUF_SECRET;
	struct run_ask ask = { .path = c->alias->program.path,
		.env = env.list,
		.secret = c->challenge,
		.timeout = c->alias->program.timeout * 1000,
		.limit = MAX_PRINTED };
	enum err e;

	j->ruling = RULING_LATER;
	if ((e = environment_fill(c, &env)) != OK ||
	    (e = csr_pem(c->csr, &pem)) != OK)
		goto out;
	ask.input = buf_span(&pem);
	if ((e = pause_run(c->alias->name, &ask, &a)) == OK)
		e = hear(c, &a, j);
	else
		tell_failure(c, e);
	run_answer_release(&a);
out:
	if (e != OK && e != ERR_SYSTEM)
		e = OK; /* it was told of: LATER */
	if (j->ruling != RULING_YES)
		overrides_release(&j->over);
	environment_release(&env);
	buf_release(&pem);
	return e;
}
