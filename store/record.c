#include "store/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "store/text.h"

#define PEM_BEGIN "-----BEGIN "
#define PEM_END	  "-----END "

bool
record_begin(struct buf *out, const char *kind)
{
	return buf_printf(out, "[%s]\n", kind);
}

/* Must this byte be written as %XX?  Blanks only where they do not show. */
static bool
special(struct span value, size_t at)
{
	uint8_t c = value.p[at];

	if (c == '"' || c == '%' || c == '\\')
		return true;
	return c == ' ' && (at == 0 || at + 1 == value.len);
}

static bool
escape(struct buf *out, struct span value)
{
	size_t i, n;
	bool ok;

	for (i = 0; i < value.len; i += n) {
		n = text_plain(value, i);
		if (n == 0 || special(value, i)) {
			n = 1;
			ok = buf_printf(out, "%%%02X", value.p[i]);
		} else {
			ok = buf_add(out, value.p + i, n);
		}
		if (!ok)
			return false;
	}
	return true;
}

bool
record_span(struct buf *out, const char *key, struct span value)
{
	if (value.len == 0)
		return true;
	return buf_printf(out, "%s = ", key) && escape(out, value) &&
	       buf_byte(out, '\n');
}

bool
record_text(struct buf *out, const char *key, const char *value)
{
	if (value == NULL)
		return true;
	return record_span(out, key, span_of(value, strlen(value)));
}

bool
record_num(struct buf *out, const char *key, int64_t value)
{
	return buf_printf(out, "%s = %" PRId64 "\n", key, value);
}

bool
record_time(struct buf *out, const char *key, int64_t value)
{
	char text[TIME_TEXT];

	time_text(value, text);
	return record_text(out, key, text);
}

void
record_release(struct record *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->line[i].key);
		buf_release(&r->line[i].value);
	}
	free(r->line);
	free(r->kind);
	buf_release(&r->pem);
	*r = (struct record){ 0 };
}

/* Cuts the line up to the next newline off the text; false at its end. */
static bool
next_line(struct span *text, struct span *line)
{
	const uint8_t *end;

	if (text->len == 0)
		return false;
	end = memchr(text->p, '\n', text->len);
	line->p = text->p;
	line->len = end == NULL ? text->len : (size_t)(end - text->p);
	text->p += line->len + (end != NULL);
	text->len -= line->len + (end != NULL);
	return true;
}

static bool
starts(struct span text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len && memcmp(text.p, with, len) == 0;
}

/* Undoes escape(); ERR_INPUT for a bad %XX or a raw control character. */
static enum err
unescape(struct span text, struct buf *out)
{
	char digits[3] = "";
	size_t i;
	enum err e;

	for (i = 0; i < text.len; i++) {
		if (text.p[i] < 0x20 || text.p[i] == 0x7f)
			return ERR_INPUT;
		if (text.p[i] != '%') {
			if (!buf_byte(out, text.p[i]))
				return ERR_SYSTEM;
			continue;
		}
		if (text.len - i < 3)
			return ERR_INPUT;
		memcpy(digits, text.p + i + 1, 2);
		e = hex_read(digits, out);
		if (e != OK)
			return e;
		i += 2;
	}
	return OK;
}

static bool
key_char(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static const struct record_line *
find(const struct record *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->line[i].key, key) == 0)
			return &r->line[i];
	}
	return NULL;
}

/* One more line at the end; the array grows by doubling. */
static struct record_line *
new_line(struct record *r, struct span key)
{
	struct record_line *more;
	char *name;

	if ((r->n & (r->n - 1)) == 0) { /* 0 and the powers of two */
		more = realloc(
		    r->line, (r->n == 0 ? 1 : 2 * r->n) * sizeof(*more));
		if (more == NULL) {
			log_error("out of memory: a record of %zu lines", r->n);
			return NULL;
		}
		r->line = more;
	}
	name = strndup((const char *)key.p, key.len);
	if (name == NULL) {
		log_error("out of memory: a record's key");
		return NULL;
	}
	more = &r->line[r->n++];
	more->key = name;
	buf_init(&more->value);
	return more;
}

/* "key = value" */
static enum err
add_line(struct record *r, struct span line)
{
	struct record_line *l;
	struct span key = line;

	for (key.len = 0; key.len < line.len; key.len++) {
		if (!key_char(line.p[key.len]))
			break;
	}
	line.p += key.len;
	line.len -= key.len;
	if (key.len == 0 || !starts(line, " = "))
		return ERR_INPUT;
	l = new_line(r, key);
	if (l == NULL)
		return ERR_SYSTEM;
	if (find(r, l->key) != l) /* the key stood there before */
		return ERR_INPUT;
	return unescape(span_of(line.p + 3, line.len - 3), &l->value);
}

/* The rest of the text is a PEM block with its end, and nothing behind it. */
static enum err
take_pem(struct record *r, struct span text)
{
	struct span rest = text, line = { NULL, 0 };

	if (!buf_add(&r->pem, text.p, text.len))
		return ERR_SYSTEM;
	while (next_line(&rest, &line)) {
		if (starts(line, PEM_END))
			return rest.len == 0 ? OK : ERR_INPUT;
	}
	return ERR_INPUT;
}

/* Every line behind the first; *number counts them. */
static enum err
take_lines(struct record *r, struct span text, int *number)
{
	struct span line, rest = text;
	enum err e = OK;

	while (e == OK && next_line(&rest, &line)) {
		++*number;
		if (starts(line, PEM_BEGIN))
			return take_pem(
			    r, span_of(line.p, line.len + 1 + rest.len));
		if (line.len == 0 || *line.p == ';' || *line.p == '#')
			continue;
		e = add_line(r, line);
	}
	return e;
}

static bool
is_kind(struct span line, const char *kind)
{
	size_t len = strlen(kind);

	return line.len == len + 2 && line.p[0] == '[' &&
	       memcmp(line.p + 1, kind, len) == 0 && line.p[len + 1] == ']';
}

enum err
record_parse(
    const char *where, const char *kind, struct span text, struct record *out)
{
	struct record r = { 0 };
	struct span line, rest = text;
	int number = 1;
	enum err e = ERR_INPUT;

	if (text.len == 0 || text.p[text.len - 1] != '\n') {
		log_error("%s is cut short", where);
		goto out;
	}
	if (!next_line(&rest, &line) || !is_kind(line, kind)) {
		log_error("%s does not begin with [%s]", where, kind);
		goto out;
	}
	r.kind = str_dup(kind);
	e = r.kind == NULL ? ERR_SYSTEM : take_lines(&r, rest, &number);
	if (e == ERR_INPUT)
		log_error("%s, line %d: not a line of a record, a key twice, "
			  "or cut short",
		    where, number);
	if (e != OK)
		goto out;
	*out = r;
	r = (struct record){ 0 };
out:
	record_release(&r);
	return e;
}

struct span
record_get_span(const struct record *r, const char *key)
{
	const struct record_line *l = find(r, key);

	return l == NULL ? span_of(NULL, 0) : buf_span(&l->value);
}

const char *
record_get(const struct record *r, const char *key)
{
	const struct record_line *l = find(r, key);

	if (l == NULL || strlen(buf_cstr(&l->value)) != l->value.len)
		return NULL;
	return buf_cstr(&l->value);
}

enum err
record_get_num(const struct record *r, const char *key, int64_t *out)
{
	const char *text = record_get(r, key);
	char again[32];
	char *end;
	int64_t n;

	if (text == NULL)
		return ERR_NOTFOUND;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text)
		return ERR_INPUT;
	/* One number, one text: no plus, no blanks, no zeros before it. */
	(void)snprintf(again, sizeof(again), "%" PRId64, n);
	if (strcmp(again, text) != 0)
		return ERR_INPUT;
	*out = n;
	return OK;
}

enum err
record_get_time(const struct record *r, const char *key, int64_t *out)
{
	const char *text = record_get(r, key);

	return text == NULL ? ERR_NOTFOUND : time_read(text, out);
}
