#include "builder.h"

#include <stdio.h>
#include <string.h>

#define LINE 64 /* base64 characters of a line */

/*
 * What clients make of base64 in a query string (C-10).  Each character of
 * the standard alphabet that needs care is written as this says.
 */
static const struct style {
	const char *name;
	const char *plus, *slash, *equal; /* for + / = */
	const char *line;		  /* behind each line of 64 */
	const char *end;		  /* behind all */
} styles[] = {
	{ "standard", "%2B", "%2F", "%3D", "", "" },
	{ "lower", "%2b", "%2f", "%3d", "", "" },
	{ "plus", "+", "%2F", "%3D", "", "" },	    /* + not escaped */
	{ "space", "%20", "%2F", "%3D", "", "" },   /* + form-decoded */
	{ "raw", "+", "/", "=", "", "" },	    /* jscep */
	{ "macos", "+", "/", "%3D", "", "" },	    /* only = */
	{ "newlines", "%2B", "/", "=", "%0A", "" }, /* strongSwan */
	{ "crlf", "%2B", "%2F", "%3D", "%0D%0A", "" },
	{ "rawlines", "%2B", "%2F", "%3D", "\n", "" },
	{ "trailing", "%2B", "%2F", "%3D", "", "%0A" }, /* Cisco */
	{ "nopad", "%2B", "%2F", "", "", "" },
	{ "url", "-", "_", "", "", "" }, /* old micromdm */
	{ "urlpad", "-", "_", "%3D", "", "" },
	{ "double", "%252B", "%252F", "%253D", "", "" },
	{ "doublelines", "%252B", "%252F", "%253D", "%250A", "" },
};
#define STYLES (sizeof(styles) / sizeof(*styles))

static struct bytes
base64(struct bytes der)
{
	struct bytes b = { hold(der.n / 3 * 4 + 8), 0 };

	b.n = (size_t)EVP_EncodeBlock(b.p, der.p, (int)der.n);
	return b;
}

static void
put(const struct style *s, char c)
{
	if (c == '+')
		fputs(s->plus, stdout);
	else if (c == '/')
		fputs(s->slash, stdout);
	else if (c == '=')
		fputs(s->equal, stdout);
	else
		putchar(c);
}

int
get_main(const struct opts *o)
{
	const struct style *s = &styles[0];
	struct bytes b;

	if (o->in == NULL)
		die("get wants --in");
	if (o->style != NULL) {
		s = NULL;
		for (size_t i = 0; i < STYLES; i++)
			if (strcmp(styles[i].name, o->style) == 0)
				s = &styles[i];
		if (s == NULL)
			die("no such --style");
	}
	b = base64(read_file(o->in));
	for (size_t i = 0; i < b.n; i++) {
		put(s, (char)b.p[i]);
		if (i % LINE == LINE - 1)
			fputs(s->line, stdout);
	}
	fputs(s->end, stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}
