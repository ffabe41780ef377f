#include "admin/admin.h"

#include "admin/args.h"
#include "base/version.h"

#define COLUMN 24 /* where explanations begin */

void
help_version(FILE *out)
{
	(void)fprintf(out, "scep %s\n", SCEP_VERSION);
}

static void
print_row(FILE *out, const char *left, const char *right)
{
	(void)fprintf(out, "  %-*s", COLUMN, left);
	if (strlen(left) >= COLUMN)
		(void)fprintf(out, "\n  %-*s", COLUMN, "");
	(void)fprintf(out, "%s\n", right);
}

static void
print_nouns(FILE *out)
{
	const struct noun *const *n;
	const struct verb *v;
	struct buf verbs = BUF_INIT;

	for (n = nouns; *n != NULL; n++) {
		buf_clear(&verbs);
		for (v = (*n)->verbs; v->name != NULL; v++)
			(void)buf_printf(&verbs, "%s%s",
			    v == (*n)->verbs ? "" : " ", v->name);
		print_row(out, (*n)->name, (*n)->help);
		if (verbs.len > 0)
			print_row(out, "", buf_cstr(&verbs));
	}
	buf_release(&verbs);
}

void
help_all(FILE *out)
{
	(void)fputs("usage: scep NOUN VERB [NAME...] [--options]\n\n", out);
	print_nouns(out);
	(void)fputs("\n"
		    "scep help NOUN, scep NOUN VERB --help: more of it\n"
		    "scep --version: which program this is\n"
		    "--home DIR, else $SCEP_HOME, else /var/lib/scep: where "
		    "the server keeps its data\n"
		    "Exit status: 0 done, 1 refused or not found, 2 typed "
		    "wrong, 75 try again\n",
	    out);
}

/* "scep entity add NAME" */
static void
put_synopsis(struct buf *out, const struct noun *noun, const struct verb *verb)
{
	(void)buf_printf(out, "scep %s", noun->name);
	if (*verb->name != '\0')
		(void)buf_printf(out, " %s", verb->name);
	if (verb->args != NULL && *verb->args != '\0')
		(void)buf_printf(out, " %s", verb->args);
}

void
help_noun(FILE *out, const struct noun *noun)
{
	const struct verb *v = noun->verbs;
	struct buf line = BUF_INIT;

	if (*v->name == '\0') {
		help_verb(out, noun, v);
		return;
	}
	(void)fprintf(out, "scep %s: %s\n\n", noun->name, noun->help);
	for (; v->name != NULL; v++) {
		buf_clear(&line);
		(void)buf_printf(
		    &line, "%s %s", v->name, v->args == NULL ? "" : v->args);
		print_row(out, buf_cstr(&line), v->help);
	}
	(void)fprintf(out, "\nscep %s VERB --help: its options\n", noun->name);
	buf_release(&line);
}

static void
print_option(FILE *out, const struct option *o)
{
	struct buf left = BUF_INIT, right = BUF_INIT;

	(void)buf_printf(&left, "%s%s%s%s", option_dashes(o), o->name,
	    o->arg == NULL ? "" : " ", o->arg == NULL ? "" : o->arg);
	(void)buf_str(&right, o->help);
	if (o->other != NULL)
		(void)buf_printf(&right, " (also %s%s)",
		    *o->other == '-' ? "" : "--", o->other);
	print_row(out, buf_cstr(&left), buf_cstr(&right));
	buf_release(&left);
	buf_release(&right);
}

static void
print_spellings(FILE *out, const struct verb *verb)
{
	size_t i;

	for (i = 0; i < 3 && verb->other[i] != NULL; i++)
		(void)fprintf(
		    out, "%s%s", i == 0 ? "also: " : ", ", verb->other[i]);
	if (i > 0)
		(void)fputc('\n', out);
}

void
help_verb(FILE *out, const struct noun *noun, const struct verb *verb)
{
	struct buf line = BUF_INIT;
	const struct option *o;

	put_synopsis(&line, noun, verb);
	(void)fprintf(out, "usage: %s%s\n", buf_cstr(&line),
	    verb->options == NULL || verb->options->name == NULL ?
		"" :
		" [--options]");
	(void)fprintf(out, "%s\n", verb->help);
	print_spellings(out, verb);
	if (verb->more != NULL)
		(void)fprintf(out, "\n%s\n", verb->more);
	(void)fputs("\noptions:\n", out);
	for (o = verb->options; o != NULL && o->name != NULL; o++)
		print_option(out, o);
	for (o = common_options; o->name != NULL; o++)
		print_option(out, o);
	buf_release(&line);
}
