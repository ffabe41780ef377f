#include "store/audit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/names.h"
#include "base/time.h"
#include "store/text.h"

#define HOST_MAX 64 /* bytes of the host's name */
#define ID	 32 /* digits of a machine id */

static void
host_name(char out[HOST_MAX + 1])
{
	out[0] = '\0';
	/* A name that was cut short ends without NUL, an unknown one is "". */
	(void)gethostname(out, HOST_MAX);
	out[HOST_MAX] = '\0';
}

/* machine-id(5), else the host's name: each host writes its own file. */
static enum err
machine(struct buf *out)
{
	char host[HOST_MAX + 1];
	struct buf id = BUF_INIT;
	enum err e = ERR_NOTFOUND;
	int fd = -1;

	if (file_open(AT_FDCWD, "/etc/machine-id", &fd) == OK)
		e = file_read_fd(fd, "/etc/machine-id", 256, &id);
	file_close(&fd);
	if (e == OK && id.len >= ID &&
	    strspn(buf_cstr(&id), "0123456789abcdef") == ID) {
		e = buf_add(out, id.data, ID) ? OK : ERR_SYSTEM;
	} else {
		host_name(host);
		e = name_escape(span_of(host, strlen(host)), out);
	}
	buf_release(&id);
	return e;
}

/* A JSON string (RFC 8259); a byte that is no UTF-8 is shown by its value. */
static bool
put_string(struct buf *out, const char *text)
{
	struct span s = span_of(text, strlen(text));
	size_t i, n;
	bool ok = buf_byte(out, '"');

	for (i = 0; i < s.len && ok; i += n) {
		n = text_plain(s, i);
		if (n == 0) {
			n = 1;
			ok = buf_printf(out, "\\u%04x", s.p[i]);
			continue;
		}
		if (s.p[i] == '"' || s.p[i] == '\\')
			ok = buf_byte(out, '\\');
		ok = ok && buf_add(out, s.p + i, n);
	}
	return ok && buf_byte(out, '"');
}

/* The time comes first: audit_each() looks for it there. */
#define TIME_AT (sizeof("{\"time\":\"") - 1)

static bool
put_line(struct buf *out, const struct audit *a, int64_t now)
{
	char host[HOST_MAX + 1], when[TIME_TEXT];
	const struct {
		const char *key, *value;
	} fields[] = {
		{ "host", host },
		{ "who", a->who },
		{ "verb", a->verb },
		{ "object", a->object },
		{ "outcome", a->outcome },
		{ "alias", a->alias },
		{ "ca", a->ca },
		{ "serial", a->serial },
		{ "transaction", a->transaction },
		{ "detail", a->detail },
	};
	bool ok;
	size_t i;

	host_name(host);
	time_text(now, when);
	ok = buf_printf(out, "{\"time\":\"%s\"", when);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]) && ok; i++) {
		if (fields[i].value == NULL)
			continue;
		ok = buf_printf(out, ",\"%s\":", fields[i].key) &&
		     put_string(out, fields[i].value);
	}
	return ok && buf_str(out, "}\n");
}

enum err
audit_write(const struct store *st, const struct audit *a)
{
	struct buf path = BUF_INIT, line = BUF_INIT;
	char when[TIME_TEXT];
	int64_t now = time_now();
	enum err e = ERR_SYSTEM;

	time_text(now, when);
	if (buf_printf(&path, "audit/%.7s.", when))
		e = machine(&path);
	if (e != OK)
		goto out;
	if (!buf_str(&path, ".log") || !put_line(&line, a, now)) {
		e = ERR_SYSTEM;
		goto out;
	}
	/* Without fsync: the facts themselves are durable (STORE.md). */
	e = file_append(st->root, buf_cstr(&path), buf_span(&line), false);
out:
	buf_release(&path);
	buf_release(&line);
	return e;
}

struct lines {
	const struct store *st;
	char since[TIME_TEXT];
	enum err (*each)(const char *line, void *arg);
	void *arg;
};

/* What has no time where we write it is shown: nothing is hidden. */
static enum err
one_line(const char *line, void *arg)
{
	const struct lines *l = arg;
	char when[TIME_TEXT];
	int64_t t;

	if (strlen(line) > TIME_AT + TIME_TEXT) {
		memcpy(when, line + TIME_AT, TIME_TEXT - 1);
		when[TIME_TEXT - 1] = '\0';
		if (time_read(when, &t) == OK && strcmp(when, l->since) < 0)
			return OK;
	}
	return l->each(line, l->arg);
}

static enum err
one_file(const char *name, void *arg)
{
	struct lines *l = arg;
	struct buf path = BUF_INIT;
	enum err e = ERR_SYSTEM;

	/* "2026-11" before the month that we look for: too old. */
	if (strncmp(name, l->since, 7) < 0)
		return OK;
	if (buf_printf(&path, "audit/%s", name))
		e = file_lines(l->st->root, buf_cstr(&path), one_line, l);
	buf_release(&path);
	return e == ERR_NOTFOUND ? OK : e;
}

enum err
audit_each(const struct store *st, int64_t since,
    enum err (*each)(const char *line, void *arg), void *arg)
{
	struct lines l = { .st = st, .each = each, .arg = arg };

	time_text(since, l.since);
	return dir_each(st->root, "audit", one_file, &l);
}
