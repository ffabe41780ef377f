#include "fetch/pause.h"

#include <string.h>

#include "base/log.h"
#include "base/time.h"

/* Those that did not answer when they were asked last. */
static struct silent {
	char place[SHA256_HEX]; /* "": none */
	int64_t until;		/* not to be asked before */
} silent[32];
#define SILENT (sizeof(silent) / sizeof(*silent))

static struct silent *
find(const char place[SHA256_HEX])
{
	for (size_t i = 0; i < SILENT; i++)
		if (strcmp(silent[i].place, place) == 0)
			return &silent[i];
	return NULL;
}

/* Where none is free, whose pause ends first is asked too early, once. */
static struct silent *
add(const char place[SHA256_HEX])
{
	struct silent *s = &silent[0];

	for (size_t i = 0; i < SILENT && s->place[0] != '\0'; i++)
		if (silent[i].place[0] == '\0' || silent[i].until < s->until)
			s = &silent[i];
	*s = (struct silent){ .until = 0 };
	memcpy(s->place, place, SHA256_HEX);
	return s;
}

int64_t
pause_left(const char place[SHA256_HEX], int64_t now)
{
	const struct silent *s = find(place);

	return s != NULL && s->until > now ? s->until - now : 0;
}

static int64_t
within(int64_t least, int64_t n, int64_t most)
{
	return n < least ? least : n > most ? most : n;
}

void
pause_note(const char place[SHA256_HEX], enum err e, int64_t began, int64_t now)
{
	struct silent *s = find(place);

	if (e == OK || e == ERR_TOOBIG) {
		if (s != NULL)
			*s = (struct silent){ .until = 0 };
		return;
	}
	if (e != ERR_BUSY)
		return;
	if (s == NULL)
		s = add(place);
	s->until = now + within(PAUSE_MIN, now - began, PAUSE_MAX);
}

/* ---- places ------------------------------------------------------------- */

/* The length of "https://host:port" in a URL. */
static size_t
origin(const char *url)
{
	const char *host = strstr(url, "://");

	host = host == NULL ? url : host + 3;
	return (size_t)(host - url) + strcspn(host, "/?#");
}

/* Is it time?  ERR_BUSY (logged): not yet. */
static enum err
look(const char place[SHA256_HEX], const char *alias, const char *what,
    size_t len, int64_t now)
{
	int64_t left = pause_left(place, now);

	if (left == 0)
		return OK;
	log_info("alias %s: %.*s did not answer, and is not asked for another "
		 "%lld s",
	    alias, (int)len, what, (long long)((left + 999) / 1000));
	return ERR_BUSY;
}

static bool
put(struct buf *out, struct span bytes)
{
	return buf_printf(out, "%zu:", bytes.len) &&
	       buf_add(out, bytes.p, bytes.len);
}

static bool
put_text(struct buf *out, const char *text)
{
	return put(out, span_of(text, text == NULL ? 0 : strlen(text)));
}

enum err
pause_http(
    const char *alias, const struct http_ask *ask, struct http_answer *out)
{
	size_t len = origin(ask->url);
	struct buf all = BUF_INIT;
	char place[SHA256_HEX];
	int64_t began = time_ticks();
	enum err e = ERR_SYSTEM;

	*out = (struct http_answer)HTTP_ANSWER_INIT;
	if (put_text(&all, alias) && put(&all, span_of(ask->url, len)) &&
	    put_text(&all, ask->proxy) && put_text(&all, ask->pin) &&
	    put(&all, ask->ca) && put(&all, ask->cert))
		e = sha256_hex(buf_span(&all), place);
	if (e == OK && (e = look(place, alias, ask->url, len, began)) == OK) {
		e = fetch_http(ask, out);
		pause_note(place, e, began, time_ticks());
	}
	buf_release(&all);
	return e;
}

enum err
pause_run(const char *alias, const struct run_ask *ask, struct run_answer *out)
{
	struct buf all = BUF_INIT;
	char place[SHA256_HEX];
	int64_t began = time_ticks(), now;
	enum err e = ERR_SYSTEM;

	*out = (struct run_answer)RUN_ANSWER_INIT;
	if (put_text(&all, alias) && put_text(&all, ask->path))
		e = sha256_hex(buf_span(&all), place);
	if (e == OK && (e = look(place, alias, ask->path, strlen(ask->path),
			    began)) == OK) {
		e = fetch_run(ask, out);
		now = time_ticks();
		/* that its helper died is no fault of the program's */
		if (e != ERR_BUSY || now - began >= ask->timeout)
			pause_note(place, e, began, now);
	}
	buf_release(&all);
	return e;
}
