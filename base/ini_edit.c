#include "base/ini.h"

#include "base/ini_line.h"
#include "base/log.h"

/* Where a key stands, or would stand, in a text. */
struct place {
	struct ini_line line; /* the key's line, if found */
	size_t start, end;    /* of that line; offsets into the text */
	size_t behind;	      /* a new line goes here, if there is a section */
	bool found;	      /* the key is there */
	bool section;	      /* the section is there */
	bool inside;	      /* while looking: in that section */
	bool example;	      /* while looking: `behind` is an example's end */
};

static enum err
name_check(const char *name, enum ini_kind kind)
{
	const char *what;

	what = ini_name_wrong(span_of(name, strlen(name)), kind);
	if (what == NULL)
		return OK;
	log_error("not a name for a configuration file: %s", what);
	return ERR_INPUT;
}

/* True if this one line, quiet to our look, gives exactly `value`. */
static bool
reads_back(const char *line, const char *value)
{
	struct buf text = BUF_SECRET;
	struct ini_line l = { .number = 0 };
	const struct ini_entry *entry;
	struct ini *ini = NULL;
	size_t at = 0;
	bool same = false;

	if (!buf_str(&text, "[s]\n") || !buf_str(&text, line))
		goto out;
	while (ini_line_next(buf_span(&text), &at, &l)) {
		if (l.wrong != NULL || l.number > 2)
			goto out;
	}
	if (ini_parse("value", buf_span(&text), &ini) != OK)
		goto out;
	entry = ini_find(ini, "s", "k");
	same = entry != NULL && strcmp(entry->value, value) == 0;
out:
	ini_free(ini);
	buf_release(&text);
	return same;
}

/*
 * Appends the value as it must be written: bare where that reads back the
 * same, else in one kind of quotes.  iniparser itself is asked, for its rules
 * are not written down and have changed between versions.
 */
static enum err
add_value(struct buf *out, const char *value)
{
	static const char *const quotes[] = { "", "\"", "'" };
	struct buf line = BUF_SECRET;
	enum err e = ERR_INPUT;
	size_t i;

	for (i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++) {
		buf_clear(&line);
		if (!buf_str(&line, "k = ") || !buf_str(&line, quotes[i]) ||
		    !buf_str(&line, value) || !buf_str(&line, quotes[i])) {
			e = ERR_SYSTEM;
			goto out;
		}
		if (!reads_back(buf_cstr(&line), value))
			continue;
		e = buf_add(out, line.data + 4, line.len - 4) ? OK : ERR_SYSTEM;
		goto out;
	}
	/* Not the value itself: it may be a secret. */
	log_error("a value that a configuration file cannot hold: both kinds "
		  "of quotes, a line break or over 1000 bytes");
out:
	buf_release(&line);
	return e;
}

/* One line, which ends at `end`, while looking for the place. */
static void
visit(struct place *p, const struct ini_line *l, const char *section,
    const char *key, size_t end)
{
	if (l->kind == INI_SECTION) {
		p->inside = ini_name_eq(l->name, section);
		p->section |= p->inside;
	}
	if (!p->inside || l->kind == INI_BLANK)
		return;
	if (l->kind == INI_COMMENT) {
		if (!ini_name_eq(l->example, key))
			return;
		p->example = true;
		p->behind = end;
		return;
	}
	if (!p->example)
		p->behind = end;
	if (l->kind == INI_KEY && ini_name_eq(l->name, key)) {
		p->found = true;
		p->line = *l;
		p->end = end;
		p->start = end - l->raw.len - l->end.len;
	}
}

/* ERR_INPUT (logged) for names or a text that cannot be edited safely. */
static enum err
find_place(
    struct span text, const char *section, const char *key, struct place *p)
{
	struct ini_line l = { .number = 0 };
	struct ini *ini = NULL;
	size_t at = 0;
	enum err e;

	*p = (struct place){ .found = false };
	e = name_check(section, INI_SECTION);
	if (e == OK)
		e = name_check(key, INI_KEY);
	if (e == OK)
		e = ini_parse("the configuration to edit", text, &ini);
	ini_free(ini);
	if (e != OK)
		return e;
	while (ini_line_next(text, &at, &l))
		visit(p, &l, section, key, at);
	return OK;
}

/* How many bytes of the line are value; a comment may follow. */
static size_t
value_len(struct span v)
{
	const uint8_t *p;
	size_t n;

	if (v.len > 0 && (v.p[0] == '"' || v.p[0] == '\'')) {
		p = memchr(v.p + 1, v.p[0], v.len - 1);
		return p == NULL ? v.len : (size_t)(p - v.p) + 1;
	}
	for (n = 0; n < v.len && v.p[n] != '#' && v.p[n] != ';'; n++)
		;
	while (n > 0 && (v.p[n - 1] == ' ' || v.p[n - 1] == '\t'))
		n--;
	return n;
}

/* The found line with another value; what stands around it stays. */
static enum err
change(
    struct span text, const struct place *p, const char *value, struct buf *out)
{
	struct span old = p->line.value;
	size_t at = (size_t)(old.p - text.p);
	size_t n = value_len(old);
	bool gap;
	enum err e;

	/* Was it "key =" with nothing behind?  Then as people write it. */
	gap = old.len == 0 && text.p[at - 1] == '=' && at >= 2 &&
	      text.p[at - 2] == ' ';
	if (!buf_add(out, text.p, at) || (gap && !buf_byte(out, ' ')))
		return ERR_SYSTEM;
	e = add_value(out, value);
	if (e != OK)
		return e;
	if (n == 0 && old.len > 0 && !buf_byte(out, ' '))
		return ERR_SYSTEM;
	return buf_add(out, text.p + at + n, text.len - at - n) ? OK :
								  ERR_SYSTEM;
}

/* How the lines of this text end. */
static const char *
line_end(struct span text)
{
	struct ini_line l = { .number = 0 };
	size_t at = 0;

	if (ini_line_next(text, &at, &l) && l.end.len == 2)
		return "\r\n";
	return "\n";
}

/* A new line, and where it must be a new section at the end. */
static enum err
insert(struct span text, const struct place *p, const char *section,
    const char *key, const char *value, struct buf *out)
{
	const char *eol = line_end(text);
	size_t at = p->section ? p->behind : text.len;
	enum err e;

	if (!buf_add(out, text.p, at) ||
	    (at > 0 && text.p[at - 1] != '\n' && !buf_str(out, eol)))
		return ERR_SYSTEM;
	if (!p->section &&
	    !buf_printf(out, "%s[%s]%s", at > 0 ? eol : "", section, eol))
		return ERR_SYSTEM;
	if (!buf_printf(out, "%s = ", key))
		return ERR_SYSTEM;
	e = add_value(out, value);
	if (e != OK)
		return e;
	if (!buf_str(out, eol) || !buf_add(out, text.p + at, text.len - at))
		return ERR_SYSTEM;
	return OK;
}

/* The new text, read as everybody will read it: is the value there? */
static enum err
check(struct span text, const char *section, const char *key, const char *value)
{
	const struct ini_entry *entry;
	struct ini *ini = NULL;
	size_t i, n = 0;
	enum err e;

	e = ini_parse("the edited configuration", text, &ini);
	if (e != OK)
		goto out;
	for (i = 0; i < ini->n; i++) {
		entry = &ini->entry[i];
		if (ini_name_eq(
			span_of(section, strlen(section)), entry->section) &&
		    ini_name_eq(span_of(key, strlen(key)), entry->key) &&
		    strcmp(entry->value, value) == 0)
			n++;
	}
	if (n != 1) {
		log_error(
		    "[%s] %s: the value does not read back", section, key);
		e = ERR_INPUT;
	}
out:
	ini_free(ini);
	return e;
}

enum err
ini_set(struct span text, const char *section, const char *key,
    const char *value, struct buf *out)
{
	struct buf edited = BUF_SECRET;
	struct place p;
	enum err e;

	if (text.p == NULL)
		text = span_of("", 0);
	e = find_place(text, section, key, &p);
	if (e != OK)
		goto out;
	if (p.found)
		e = change(text, &p, value, &edited);
	else
		e = insert(text, &p, section, key, value, &edited);
	if (e == OK)
		e = check(buf_span(&edited), section, key, value);
	if (e == OK && !buf_add(out, edited.data, edited.len))
		e = ERR_SYSTEM;
out:
	buf_release(&edited);
	return e;
}

enum err
ini_unset(
    struct span text, const char *section, const char *key, struct buf *out)
{
	struct place p;
	enum err e;

	e = find_place(text, section, key, &p);
	if (e != OK)
		return e;
	if (!p.found)
		return ERR_NOTFOUND;
	/* All or nothing in `out`. */
	if (!buf_reserve(out, text.len) || !buf_add(out, text.p, p.start) ||
	    !buf_add(out, text.p + p.end, text.len - p.end))
		return ERR_SYSTEM;
	return OK;
}
