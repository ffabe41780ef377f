#include "admin/admin.h"

#include <stdarg.h>
#include <sys/statvfs.h>

#include "admin/health.h"
#include "aliases/alias.h"
#include "base/time.h"
#include "ca/ca.h"

#define WARN_DAYS     90 /* of a CA's life that are left */
#define CRITICAL_DAYS 30
#define WARN_FREE     10 /* percent of the file system */
#define CRITICAL_FREE 3

/* As monitoring counts: the exit status is the worst. */
enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL, LEVEL__MAX };

static const char *const levels[LEVEL__MAX] = { "OK", "WARNING", "CRITICAL" };

struct status {
	struct command *cmd;
	enum level worst;
	struct buf lines;   /* of what was looked at */
	struct buf trouble; /* of what is not OK, for the first line */
};

/* As print_text() prints it, so that no name makes a line; the caller's. */
static char *
as_shown(const char *what)
{
	char *shown = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&shown, &len);

	if (f == NULL)
		return NULL;
	print_text(f, what);
	(void)fclose(f);
	return shown;
}

/* One thing that was looked at: as a line, or at once as a JSON object. */
static void __attribute__((format(printf, 4, 5))) report(
    struct status *s, enum level level, const char *what, const char *fmt, ...)
{
	char text[512], *shown;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (level > s->worst)
		s->worst = level;
	if (opt_flag(s->cmd, "json")) {
		json_begin(s->cmd->out);
		json_text(s->cmd->out, "what", what);
		json_text(s->cmd->out, "state", levels[level]);
		json_text(s->cmd->out, "text", text);
		json_end(s->cmd->out);
		return;
	}
	shown = as_shown(what);
	if (shown == NULL)
		return;
	(void)buf_printf(&s->lines, "%s: %s, %s\n", shown, levels[level], text);
	if (level != LEVEL_OK)
		(void)buf_printf(&s->trouble, "%s%s: %s",
		    s->trouble.len == 0 ? "" : "; ", shown, text);
	free(shown);
}

/* Little is bad. */
static enum level
judge(int64_t value, int64_t warn, int64_t critical)
{
	if (value < critical)
		return LEVEL_CRITICAL;
	return value < warn ? LEVEL_WARNING : LEVEL_OK;
}

/*
 * One that was brought must be renewed by a person; one that was made here is
 * by the next request, so for it only a renewal that fails is bad.
 */
static void
look_at_ra(struct status *s, const char *name, const struct ca *ca)
{
	const struct ra *ra;
	char what[256];
	int64_t days;

	(void)snprintf(what, sizeof(what), "ra of ca %s", name);
	if (ca->ra_lost)
		report(s, LEVEL_CRITICAL, what,
		    "one cannot be loaded; `scep check` says why");
	if ((ra = ca_ra_newest(ca, s->cmd->now)) == NULL)
		return;
	days = (ra->enc.not_after - s->cmd->now) / DAY;
	if (s->cmd->now >= ra->enc.not_after)
		report(s,
		    ca_ra_due(ca, s->cmd->now) ? LEVEL_WARNING : LEVEL_CRITICAL,
		    what,
		    key_elsewhere(ca->gen[ca->ngen - 1].key) ?
			"has expired; `scep ca ra request` begins the next" :
			"has expired; `scep ca ra renew` makes the next one");
	else if (ra->days == 0)
		report(s, judge(days, WARN_DAYS, CRITICAL_DAYS), what,
		    "%lld days left, and it is not renewed by itself",
		    (long long)days);
	else
		report(s,
		    ca_ra_due(ca, s->cmd->now) ?
			judge(days, WARN_DAYS, CRITICAL_DAYS) :
			LEVEL_OK,
		    what, "%lld days left%s", (long long)days,
		    ca_ra_due(ca, s->cmd->now) ?
			", the next request renews it" :
			"");
}

/* Is the next one made here, or where its issuer is? */
static bool
made_here(const struct status *s, struct cas *cas, const struct generation *g)
{
	const struct ca *parent;

	return ca_parent(s->cmd->home, cas, g, &parent) == OK;
}

/* A next one that begins before its end takes the care away. */
static void
report_end(struct status *s, struct cas *cas, const struct ca *ca,
    const struct generation *g, const char *what)
{
	const struct generation *next = ca_next(ca, s->cmd->now);
	int64_t days = (g->not_after - s->cmd->now) / DAY;
	char cure[256] = "", from[TIME_TEXT];
	enum level level = judge(days, WARN_DAYS, CRITICAL_DAYS);

	if (next != NULL && next->not_before <= g->not_after) {
		time_text(next->not_before, from);
		report(s, LEVEL_OK, what,
		    "%lld days left, the next one begins at %s",
		    (long long)days, from);
		return;
	}
	if (level != LEVEL_OK || g->not_after <= s->cmd->now)
		(void)snprintf(cure, sizeof(cure),
		    "`scep ca %s %s%s` makes the next one",
		    made_here(s, cas, g) ? "rollover" : "request", ca->called,
		    made_here(s, cas, g) ? "" : " --next");
	if (g->not_after <= s->cmd->now)
		report(s, LEVEL_CRITICAL, what, "has expired; %s", cure);
	else
		report(s, level, what, "%lld days left%s%s", (long long)days,
		    *cure ? "; " : "", cure);
}

static void
look_at_ca(struct status *s, struct cas *cas, const char *name)
{
	const struct generation *g;
	const struct ca *ca = NULL;
	char what[256];

	(void)snprintf(what, sizeof(what), "ca %s", name);
	if (cas_find(cas, name, &ca) != OK) {
		report(s, LEVEL_CRITICAL, what,
		    "cannot be loaded; `scep check` says why");
		return;
	}
	g = ca_current(ca, s->cmd->now);
	if (g == NULL) {
		report(s, LEVEL_CRITICAL, what, "no certificate has begun");
		return;
	}
	report_end(s, cas, ca, g, what);
	if (ca_ra_current(ca, s->cmd->now) == NULL &&
	    key_type(g->key) != KEY_RSA)
		report(s, LEVEL_CRITICAL, what,
		    "no RSA key and no RA certificate: no client can enrol");
	look_at_ra(s, name, ca);
}

static enum err
look_at_cas(struct status *s, const struct alias_health *h)
{
	struct cas *cas = NULL;
	char **names = NULL;
	size_t i, n = 0;
	enum err e;

	if ((e = ca_names(s->cmd->home, &names, &n)) != OK)
		return e;
	e = cas_new(s->cmd->home, &cas);
	if (n == 0 && (h->count == 0 || h->proxies < h->count))
		report(s, LEVEL_WARNING, "ca",
		    "there is none; `scep ca create` makes one");
	for (i = 0; i < n; i++) {
		if (e == OK)
			look_at_ca(s, cas, names[i]);
		free(names[i]);
	}
	free(names);
	cas_free(cas);
	return e;
}

/* Some file systems have no number of inodes: all is 0. */
static int
percent(uint64_t some, uint64_t all)
{
	return all == 0 ? 100 : (int)((double)some * 100.0 / (double)all);
}

static enum err
look_at_disk(struct status *s)
{
	struct statvfs fs;
	int space, inodes;

	if (fstatvfs(s->cmd->store.root, &fs) != 0)
		return say(ERR_SYSTEM, "cannot ask how full the disk is");
	space = percent(
	    fs.f_bavail, fs.f_blocks - fs.f_bfree + (uint64_t)fs.f_bavail);
	inodes = percent(fs.f_favail, fs.f_files);
	report(s, judge(space, WARN_FREE, CRITICAL_FREE), "disk",
	    "%d %% free, %llu MiB", space,
	    (unsigned long long)(fs.f_bavail * (uint64_t)fs.f_frsize >> 20));
	report(s, judge(inodes, WARN_FREE, CRITICAL_FREE), "inodes",
	    "%d %% free, %llu", inodes, (unsigned long long)fs.f_favail);
	return OK;
}

static void
report_aliases(struct status *s, const struct alias_health *h)
{
	if (h->broken > 0)
		report(s, LEVEL_CRITICAL, "aliases",
		    "%u of %u broken; `scep alias check` says why", h->broken,
		    h->count);
	else if (h->count == 0)
		report(s, LEVEL_WARNING, "aliases",
		    "there is none; `scep alias add` makes one");
	else
		report(s, LEVEL_OK, "aliases", "%u", h->count);
}

static enum err
look_at_all(struct status *s)
{
	struct alias_health h = { .count = 0 };
	struct site site;
	enum err e;

	if ((e = home_open(s->cmd)) != OK)
		return e;
	health_hush();
	if (site_read(s->cmd->home, &site) != OK)
		report(s, LEVEL_CRITICAL, "scep.ini",
		    "cannot be used; `scep check` says why");
	if ((e = health_aliases(s->cmd, NULL, NULL, &h)) == OK &&
	    (e = look_at_cas(s, &h)) == OK && (e = look_at_disk(s)) == OK)
		report_aliases(s, &h);
	health_speak();
	return e;
}

/*
 * For monitoring: one line that says it all, the others behind it, exit 0,
 * 1 or 2.  What cannot even be looked at is critical.
 */
static enum err
run_status(struct command *cmd)
{
	struct status s = { cmd, LEVEL_OK, BUF_INIT, BUF_INIT };

	if (look_at_all(&s) != OK)
		report(&s, LEVEL_CRITICAL, "home", "%s",
		    *said() == '\0' ? "cannot be read; `scep check` says why" :
				      said());
	if (!opt_flag(cmd, "json")) {
		(void)fprintf(cmd->out, "SCEP %s: %s\n", levels[s.worst],
		    s.trouble.len == 0 ? "all is well" : buf_cstr(&s.trouble));
		(void)fputs(buf_cstr(&s.lines), cmd->out);
	}
	cmd->exit_status = (int)s.worst;
	buf_release(&s.lines);
	buf_release(&s.trouble);
	return OK;
}

static const struct option status_options[] = {
	{ "json", NULL, OPT_FLAG, NULL, "one JSON object for each thing" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb status_verbs[] = {
	{ .name = "",
	    .args = "",
	    .options = status_options,
	    .run = run_status,
	    .help = "how the server is, for monitoring",
	    .more = "Exit 0 if all is well, 1 for a warning (a CA with less "
		    "than 90 days, less than\n10 % of the disk or its inodes "
		    "free, no CA or alias yet), 2 if it is critical\n(less "
		    "than 30 days, 3 %, a CA or alias that cannot be used).",
	    .no_store = true },
	{ .name = NULL },
};

const struct noun noun_status = { "status", "how the server is, for monitoring",
	status_verbs };
