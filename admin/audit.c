#include "admin/admin.h"

#include <fnmatch.h>

#include "store/audit.h"

/*
 * A line of the audit is one flat JSON object of strings that store/audit.c
 * wrote; so this reads "key":"value" pairs and knows nothing else of JSON.
 */
struct pair {
	struct buf key, value;
};

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \uXXXX as UTF-8; surrogates stay what they are: our writer makes none. */
static bool
put_unicode(struct buf *out, const char **s)
{
	unsigned c = 0;
	int i, d;

	for (i = 1; i <= 4; i++) {
		if ((d = hex_digit((*s)[i])) < 0)
			return false;
		c = c << 4 | (unsigned)d;
	}
	*s += 4;
	if (c < 0x80)
		return buf_byte(out, (uint8_t)c);
	if (c < 0x800)
		return buf_byte(out, (uint8_t)(0xc0 | c >> 6)) &&
		       buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
	return buf_byte(out, (uint8_t)(0xe0 | c >> 12)) &&
	       buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f))) &&
	       buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
}

static bool
put_escape(struct buf *out, const char **s)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *at;

	if (**s == 'u')
		return put_unicode(out, s);
	at = **s == '\0' ? NULL : strchr(from, **s);
	return buf_byte(out, (uint8_t)(at != NULL ? to[at - from] : **s));
}

/* Reads a string or a bare word (number, true) at *s. */
static bool
read_value(const char **s, struct buf *out)
{
	const char *p = *s;

	buf_clear(out);
	if (*p != '"') {
		for (; *p != '\0' && strchr(",} \t", *p) == NULL; p++) {
			if (!buf_byte(out, (uint8_t)*p))
				return false;
		}
		*s = p;
		return true;
	}
	for (p++; *p != '"'; p++) {
		if (*p == '\0')
			return false;
		if (*p == '\\') {
			p++;
			if (*p == '\0' || !put_escape(out, &p))
				return false;
		} else if (!buf_byte(out, (uint8_t)*p)) {
			return false;
		}
	}
	*s = p + 1;
	return true;
}

static const char *
skip(const char *s, const char *set)
{
	return s + strspn(s, set);
}

/* The next pair of a line; false at its end or where it is broken. */
static bool
pair_next(const char **s, struct pair *p)
{
	*s = skip(*s, "{, \t");
	if (**s != '"' || !read_value(s, &p->key))
		return false;
	*s = skip(*s, ": \t");
	return **s != '\0' && read_value(s, &p->value);
}

/* Time, who, verb, object and outcome in their order, then what else. */
static void
print_line(FILE *out, const char *line)
{
	static const char *const plain[] = { "time", "who", "verb", "object",
		"outcome" };
	struct pair p = { BUF_INIT, BUF_INIT };
	const char *between = "";
	bool named;
	size_t i;

	while (pair_next(&line, &p)) {
		if (p.value.len == 0)
			continue;
		named = true;
		for (i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
			if (strcmp(plain[i], buf_cstr(&p.key)) == 0)
				named = false;
		}
		(void)fputs(between, out);
		between = "  ";
		if (named)
			(void)fprintf(out, "%s=", buf_cstr(&p.key));
		print_text(out, buf_cstr(&p.value));
	}
	(void)fputc('\n', out);
	buf_release(&p.key);
	buf_release(&p.value);
}

static enum err
show_line(const char *line, void *arg)
{
	struct command *cmd = arg;
	const char *match = opt_text(cmd, "match");

	if (match != NULL && strstr(line, match) == NULL)
		return OK;
	if (opt_flag(cmd, "json"))
		(void)fprintf(cmd->out, "%s\n", line);
	else
		print_line(cmd->out, line);
	return OK;
}

static enum err
run_show(struct command *cmd)
{
	return audit_each(
	    &cmd->store, opt_time(cmd, "since", INT64_MIN), show_line, cmd);
}

static const struct option show_options[] = {
	{ "since", NULL, OPT_SINCE, "TIME", "only lines since: 7d, a date" },
	{ "match", NULL, OPT_TEXT, "TEXT", "only lines with TEXT in them" },
	{ "json", NULL, OPT_FLAG, NULL, "the lines as they are stored" },
	{ NULL, NULL, OPT_FLAG, NULL, NULL },
};

static const struct verb audit_verbs[] = {
	{ "show", { "list", NULL }, "", 0, 0, show_options, run_show,
	    "show who did what, oldest first", "  scep audit show --since 7d",
	    false, false, NAMES_PLAIN },
	{ .name = NULL },
};

const struct noun noun_audit = { "audit", "who did what", audit_verbs };
