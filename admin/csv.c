#include "admin/csv.h"

#include <string.h>

void
csv_init(struct csv *c, struct span text)
{
	int i;

	if (text.len >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = span_of(text.p + 3, text.len - 3);
	*c = (struct csv){ .rest = text, .line = 0, .next = 1 };
	for (i = 0; i < CSV_FIELDS; i++)
		c->field[i].secret = true;
}

void
csv_release(struct csv *c)
{
	int i;

	for (i = 0; i < CSV_FIELDS; i++)
		buf_release(&c->field[i]);
}

static int
peek(const struct csv *c)
{
	return c->rest.len == 0 ? -1 : c->rest.p[0];
}

static void
skip(struct csv *c)
{
	if (c->rest.p[0] == '\n')
		c->next++;
	c->rest.p++;
	c->rest.len--;
}

/* Takes a line end; false where there is none. */
static bool
line_end(struct csv *c)
{
	if (c->rest.len >= 2 && c->rest.p[0] == '\r' && c->rest.p[1] == '\n')
		skip(c);
	if (peek(c) != '\n')
		return false;
	skip(c);
	return true;
}

static enum err
wrong(struct csv *c, const char *why)
{
	c->wrong = why;
	return ERR_INPUT;
}

static enum err
take_byte(struct csv *c, struct buf *field)
{
	if (peek(c) == '\0')
		return wrong(c, "a NUL byte");
	if (!buf_byte(field, c->rest.p[0]))
		return ERR_SYSTEM;
	skip(c);
	return OK;
}

static enum err
quoted(struct csv *c, struct buf *field)
{
	enum err e;

	skip(c);
	for (;;) {
		if (c->rest.len == 0)
			return wrong(c, "a quoted field that does not end");
		if (peek(c) == '"') {
			skip(c);
			if (peek(c) != '"')
				return OK;
		}
		if ((e = take_byte(c, field)) != OK)
			return e;
	}
}

/* Is a line end, or the end, next? */
static bool
at_end(const struct csv *c)
{
	return c->rest.len == 0 || c->rest.p[0] == '\n' ||
	       (c->rest.len >= 2 && c->rest.p[0] == '\r' &&
		   c->rest.p[1] == '\n');
}

static enum err
plain(struct csv *c, struct buf *field)
{
	enum err e;

	while (!at_end(c) && peek(c) != ',') {
		if (peek(c) == '"')
			return wrong(c, "a quote inside a field that does not "
					"begin with one");
		if ((e = take_byte(c, field)) != OK)
			return e;
	}
	return OK;
}

static enum err
take_field(struct csv *c)
{
	struct buf *field;
	enum err e;

	if (c->fields == CSV_FIELDS)
		return wrong(c, "too many fields");
	field = &c->field[c->fields++];
	buf_clear(field);
	e = peek(c) == '"' ? quoted(c, field) : plain(c, field);
	if (e == OK && peek(c) != ',' && !at_end(c))
		return wrong(c, "something behind a quoted field");
	return e;
}

enum err
csv_next(struct csv *c)
{
	enum err e;

	while (c->rest.len > 0 && line_end(c))
		;
	c->line = c->next;
	c->fields = 0;
	if (c->rest.len == 0)
		return ERR_NOTFOUND;
	for (;;) {
		if ((e = take_field(c)) != OK)
			return e;
		if (peek(c) != ',')
			break;
		skip(c);
	}
	(void)line_end(c);
	return OK;
}

enum err
csv_put(struct buf *out, const char *field)
{
	const char *s;
	bool ok;

	if (field[strcspn(field, ",\"\r\n")] == '\0')
		return buf_str(out, field) ? OK : ERR_SYSTEM;
	ok = buf_byte(out, '"');
	for (s = field; *s != '\0' && ok; s++) {
		if (*s == '"')
			ok = buf_byte(out, '"');
		ok = ok && buf_byte(out, (uint8_t)*s);
	}
	return ok && buf_byte(out, '"') ? OK : ERR_SYSTEM;
}
