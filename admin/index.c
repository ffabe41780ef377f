#include "admin/movein.h"

#include <strings.h>

#include "admin/csv.h"
#include "base/names.h"
#include "base/time.h"
#include "ca/der.h"

/* Lists of revoked certificates, as other programs keep them. */

struct reading {
	const struct command *cmd;
	const char *where;
	int line;
	struct arrivals *out;
};

static enum err
wrong(const struct reading *r, const char *what)
{
	return say(ERR_INPUT, "%s:%d: %s", r->where, r->line, what);
}

/* Hex in any case, without leading zeros: as the store has it. */
static bool
read_serial(const char *text, char out[41])
{
	struct buf raw = BUF_INIT, even = BUF_INIT;
	struct span s;
	bool ok = false;

	/* An odd number of digits lacks a zero in front. */
	if (strlen(text) % 2 == 1 && !buf_byte(&even, '0'))
		goto out;
	if (!buf_str(&even, text) || hex_read(buf_cstr(&even), &raw) != OK)
		goto out;
	s = buf_span(&raw);
	while (s.len > 1 && s.p[0] == 0)
		s = span_of(s.p + 1, s.len - 1);
	if (s.len <= 20) {
		hex_text(s.p, s.len, out);
		ok = true;
	}
out:
	buf_release(&raw);
	buf_release(&even);
	return ok;
}

/* --- openssl ca ---------------------------------------------------------- */

#define INDEX_FIELDS 6 /* status, end, revoked, serial, file, subject */

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ. */
static int64_t
index_time(const char *text)
{
	size_t len = strlen(text);
	struct der d = { .tag = len > 13 ? DER_TIME : DER_UTCTIME,
		.body = span_of(text, len) };

	return der_time(&d);
}

/* Words of its own, beside those of RFC 5280. */
static bool
index_reason(const char *text, unsigned *out)
{
	static const struct {
		const char *word;
		unsigned reason;
	} words[] = {
		{ "holdInstruction", REASON_HOLD },
		{ "keyTime", 1 },
		{ "CAkeyTime", 2 },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcasecmp(words[i].word, text) == 0) {
			*out = words[i].reason;
			return true;
		}
	}
	return reason_read(text, out);
}

/* Splits at tabs; false unless there are six fields. */
static bool
index_split(char *line, char *field[INDEX_FIELDS])
{
	int n = 0;

	for (; n < INDEX_FIELDS; n++) {
		field[n] = line;
		if (line == NULL)
			return false;
		if ((line = strchr(line, '\t')) != NULL)
			*line++ = '\0';
	}
	return line == NULL;
}

static enum err
index_line(struct reading *r, char *line)
{
	struct arrival a = { .by = { NULL, 0 } };
	char *field[INDEX_FIELDS], *reason;

	if (!index_split(line, field) || strlen(field[0]) != 1)
		return wrong(r, "no line of an index.txt: six fields, between "
				"tabs, and the first is V, R or E");
	if (*field[0] != 'R')
		return OK;
	if ((reason = strchr(field[2], ',')) != NULL) {
		*reason++ = '\0';
		reason[strcspn(reason, ",")] = '\0';
		if (strcasecmp(reason, "removeFromCRL") == 0)
			return OK; /* it was let go */
	}
	a.r.not_after = index_time(field[1]);
	a.r.date = index_time(field[2]);
	if (a.r.not_after == 0 || a.r.date == 0)
		return wrong(r, "a time cannot be read");
	if (reason != NULL && !index_reason(reason, &a.r.reason))
		return wrong(r, "no such reason");
	if (!read_serial(field[3], a.r.serial))
		return wrong(r, "the serial number cannot be read");
	return arrival_add(r->out, &a);
}

static enum err
index_lines(struct reading *r, struct span text)
{
	struct buf copy = BUF_INIT;
	char *line, *next;
	enum err e = OK;

	if (!buf_add(&copy, text.p, text.len))
		return ERR_SYSTEM;
	for (line = (char *)copy.data; *line != '\0' && e == OK; line = next) {
		r->line++;
		next = line + strcspn(line, "\n");
		if (*next != '\0')
			*next++ = '\0';
		line[strcspn(line, "\r")] = '\0';
		if (*line != '\0')
			e = index_line(r, line);
	}
	buf_release(&copy);
	return e;
}

/* --- CSV ------------------------------------------------------------------ */

enum column { COL_SERIAL, COL_DATE, COL_REASON, COL__MAX };
static const char *const columns[COL__MAX] = { "serial", "date", "reason" };

static enum err
csv_header(struct reading *r, const struct csv *c, int place[COL__MAX])
{
	for (int k = 0; k < COL__MAX; k++) {
		place[k] = -1;
		for (int i = 0; i < c->fields; i++)
			if (strcasecmp(buf_cstr(&c->field[i]), columns[k]) == 0)
				place[k] = i;
	}
	return place[COL_SERIAL] >= 0 ?
		   OK :
		   wrong(r, "neither an index.txt nor a CSV file with a column "
			    "serial in its first line");
}

static const char *
csv_text(const struct csv *c, int place)
{
	return place < 0 || place >= c->fields ? "" :
						 buf_cstr(&c->field[place]);
}

static enum err
csv_line(struct reading *r, const struct csv *c, const int place[COL__MAX])
{
	const char *date = csv_text(c, place[COL_DATE]);
	const char *reason = csv_text(c, place[COL_REASON]);
	struct arrival a = { .r.date = r->cmd->now };

	if (!read_serial(csv_text(c, place[COL_SERIAL]), a.r.serial))
		return wrong(r, "the serial number cannot be read");
	if (*date != '\0' && time_option(date, 1, r->cmd->now, &a.r.date) != OK)
		return wrong(r, "the date must be as 2026-11-23 or "
				"2026-11-23T19:00:00Z");
	if (*reason != '\0' && !reason_read(reason, &a.r.reason))
		return wrong(r, "no such reason");
	return arrival_add(r->out, &a);
}

static enum err
csv_lines(struct reading *r, struct span text)
{
	int place[COL__MAX] = { -1, -1, -1 };
	bool header = false;
	struct csv c;
	enum err e;

	csv_init(&c, text);
	while ((e = csv_next(&c)) == OK) {
		r->line = c.line;
		e = header ? csv_line(r, &c, place) : csv_header(r, &c, place);
		header = true;
		if (e != OK)
			goto out;
	}
	r->line = c.line;
	if (e == ERR_INPUT)
		e = wrong(r, c.wrong);
	else if (e == ERR_NOTFOUND)
		e = header ? OK : wrong(r, "it is empty");
out:
	csv_release(&c);
	return e;
}

enum err
index_read(const struct command *cmd, const char *where, struct span text,
    struct arrivals *out)
{
	struct reading r = { cmd, where, 0, out };
	bool tabs = text.len > 2 && text.p[1] == '\t' &&
		    (text.p[0] == 'V' || text.p[0] == 'R' || text.p[0] == 'E');

	return tabs ? index_lines(&r, text) : csv_lines(&r, text);
}
