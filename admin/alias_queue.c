#include "admin/alias.h"

#include "base/log.h"
#include "base/time.h"
#include "ca/ca.h"
#include "ca/cert.h"

/*
 * What `alias check` knows of the certificates of an external RA: of those in
 * [queue] ra on the CA's host, and of its own on its own.  A person carries
 * the next one from host to host, so there must be time for that.
 */

#define SOON (30 * DAY)

struct look {
	const char *path;
	const struct ini_entry *entry; /* for its line */
	int64_t now;
	enum err e;
};

static int
line_of(const struct look *l)
{
	return l->entry != NULL ? l->entry->line : 0;
}

/* ---- on the CA's host ----------------------------------------------------- */

/* The last end of those that have begun, and how many are valid now. */
struct ends {
	int64_t now, last;
	unsigned valid;
};

static enum err
look_at_one(struct span der, void *arg)
{
	struct ends *ends = arg;
	struct cert_view v;

	if (cert_view(der, &v) != OK) {
		log_error("a certificate in it is unreadable");
		return ERR_INPUT;
	}
	ends->valid += v.not_before <= ends->now && ends->now < v.not_after;
	if (v.not_after > ends->last)
		ends->last = v.not_after;
	return OK;
}

static void
tell_ends(struct look *l, const char *file, const struct ends *ends)
{
	char end[TIME_TEXT];

	time_text(ends->last, end);
	if (ends->valid == 0) {
		log_error("%s:%d: ra: no certificate in it is valid now, the "
			  "last one ends %s, and requests are not taken: %s",
		    l->path, line_of(l), end, file);
		l->e = ERR_INPUT;
	} else if (ends->last - ends->now < SOON) {
		log_warn("%s:%d: ra: its last certificate ends %s; put the "
			 "next one behind it (`scep ca ra sign`): %s",
		    l->path, line_of(l), end, file);
	}
}

static void
check_file(struct look *l, int home, const char *file)
{
	struct ends ends = { .now = l->now };
	struct buf pem = BUF_INIT;
	enum err e = alias_file(home, "[queue] ra", file, ALIAS_CERTS, &pem);

	if (e == OK)
		e = certs_each(file, buf_span(&pem), look_at_one, &ends);
	if (e == OK) {
		tell_ends(l, file, &ends);
	} else {
		log_error("%s:%d: ra: it cannot be used, and requests are not "
			  "taken: %s",
		    l->path, line_of(l), file);
		l->e = e;
	}
	buf_release(&pem);
}

/* ---- on the RA's host ----------------------------------------------------- */

enum ra_end
alias_ra_end(const struct ca *ca, int64_t now, struct buf *text)
{
	const struct ra *valid = ca_ra_current(ca, now);
	const struct ra *ra = valid ? valid : ca_ra_newest(ca, now);
	char end[TIME_TEXT] = "";

	if (valid != NULL && valid->enc.not_after - now >= SOON)
		return RA_LASTS;
	if (ra != NULL)
		time_text(ra->enc.not_after, end);
	if (ra == NULL)
		(void)buf_str(text, "it has no RA certificate");
	else
		(void)buf_printf(text, "its RA certificate %s %s",
		    valid != NULL ? "ends" : "has ended", end);
	(void)buf_printf(text, "%s; `scep ca ra request %s` begins the next",
	    valid == NULL ? ", and new requests get HTTP 503" : "", ca->called);
	return valid != NULL ? RA_ENDS : RA_ENDED;
}

static void
check_own(struct look *l, const struct ca *ca)
{
	struct buf text = BUF_INIT;
	enum ra_end end = alias_ra_end(ca, l->now, &text);

	if (end == RA_ENDED)
		log_error("%s:%d: cas: %s: %s", l->path, line_of(l), ca->called,
		    buf_cstr(&text));
	else if (end == RA_ENDS)
		log_warn("%s:%d: cas: %s: %s", l->path, line_of(l), ca->called,
		    buf_cstr(&text));
	if (end == RA_ENDED)
		l->e = ERR_INPUT;
	buf_release(&text);
}

static enum err
check_all(struct look *l, const struct command *cmd, const struct alias *a)
{
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	enum err e = cas_new(cmd->home, &cas);

	for (size_t i = 0; e == OK && i < a->ncas; i++)
		if (cas_find(cas, a->cas[i], &ca) == OK)
			check_own(l, ca);
	cas_free(cas);
	return e;
}

enum err
alias_check_queue(const struct command *cmd, const char *path,
    const struct ini *ini, const struct alias *a)
{
	struct look l = { .path = path, .now = cmd->now };
	enum err e = OK;

	if (a->queue.ra != NULL) {
		l.entry = ini_find(ini, "queue", "ra");
		check_file(&l, cmd->home, a->queue.ra);
	}
	if (a->mode == MODE_EXTERNALRA) {
		l.entry = ini_find(ini, "scep", "cas");
		e = check_all(&l, cmd, a);
	}
	return e == OK ? l.e : e;
}
