#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "ca/dn.h"

/*
 * Names in the words of web servers, which have them from OpenSSL's
 * X509_NAME_print_ex(): read back by way of our own text, in which every
 * type is a number and every odd byte is escaped.
 */
struct words {
	const char *p;
	struct buf rdn[MAX_NAME_PARTS]; /* "2.5.4.3=a+2.5.4.5=b" */
	size_t n;
	size_t spaced; /* separators with a blank behind */
};

static void
skip_blanks(struct words *w)
{
	while (*w->p == ' ')
		w->p++;
}

/* OpenSSL's short name, where SN is a surname, or a dotted number. */
static enum err
read_type(struct words *w, struct buf *out)
{
	size_t len = strcspn(w->p, "= ,+\"\\");
	char word[64], dotted[128];
	ASN1_OBJECT *oid;
	int n = 0;

	if (len == 0 || len >= sizeof(word))
		return ERR_INPUT;
	(void)snprintf(word, sizeof(word), "%.*s", (int)len, w->p);
	ERR_set_mark();
	if ((oid = OBJ_txt2obj(word, 0)) != NULL)
		n = OBJ_obj2txt(dotted, sizeof(dotted), oid, 1);
	ERR_pop_to_mark();
	ASN1_OBJECT_free(oid);
	w->p += len;
	skip_blanks(w);
	if (n <= 0 || n >= (int)sizeof(dotted) || *w->p != '=')
		return ERR_INPUT;
	w->p++;
	skip_blanks(w);
	return buf_printf(out, "%s=", dotted) ? OK : ERR_SYSTEM;
}

/* One byte of a value, as our own text has it. */
static enum err
put_byte(struct buf *out, uint8_t c)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-._";
	bool done = c != '\0' && strchr(plain, c) != NULL ?
			buf_byte(out, c) :
			buf_printf(out, "\\%02X", c);

	return done ? OK : ERR_SYSTEM;
}

/* Behind a backslash: two hex digits, else the character that is meant. */
static enum err
read_escape(struct words *w, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEFabcdef";
	struct buf byte = BUF_INIT;
	char two[3] = { 0 };
	enum err e;

	w->p++;
	if (*w->p == '\0')
		return ERR_INPUT;
	if (strspn(w->p, digits) < 2)
		return put_byte(out, (uint8_t)*w->p++);
	two[0] = *w->p++;
	two[1] = *w->p++;
	if ((e = hex_read(two, &byte)) == OK)
		e = put_byte(out, byte.data[0]);
	buf_release(&byte);
	return e;
}

/* To the quote, or to a separator; blanks before one are not the value's. */
static enum err
read_value(struct words *w, struct buf *out)
{
	const char *end = *w->p == '"' ? "\"" : ",+";
	bool quoted = *w->p == '"';
	enum err e = OK;

	w->p += quoted;
	while (e == OK && *w->p != '\0' && strchr(end, *w->p) == NULL) {
		size_t blanks = strspn(w->p, " ");

		if (!quoted && blanks > 0 &&
		    (w->p[blanks] == '\0' || strchr(end, w->p[blanks])))
			w->p += blanks;
		else if (*w->p == '\\')
			e = read_escape(w, out);
		else if (*w->p == '"')
			e = ERR_INPUT;
		else
			e = put_byte(out, (uint8_t)*w->p++);
	}
	if (e != OK || !quoted)
		return e;
	if (*w->p++ != '"')
		return ERR_INPUT;
	skip_blanks(w);
	return OK;
}

/* The DER of what OpenSSL has no string for. */
static enum err
read_hex(struct words *w, struct buf *out)
{
	size_t len = 1 + strspn(w->p + 1, "0123456789ABCDEFabcdef");
	enum err e = buf_add(out, w->p, len) ? OK : ERR_SYSTEM;

	w->p += len;
	skip_blanks(w);
	return e;
}

static enum err
read_rdn(struct words *w)
{
	struct buf *out;
	enum err e;

	if (w->n == MAX_NAME_PARTS)
		return ERR_INPUT;
	out = &w->rdn[w->n++];
	for (;;) {
		skip_blanks(w);
		if ((e = read_type(w, out)) != OK)
			return e;
		e = *w->p == '#' ? read_hex(w, out) : read_value(w, out);
		if (e != OK || *w->p != '+')
			return e;
		w->p++;
		if (!buf_byte(out, '+'))
			return ERR_SYSTEM;
	}
}

static enum err
read_all(struct words *w)
{
	enum err e;

	while ((e = read_rdn(w)) == OK && *w->p == ',') {
		w->p++;
		w->spaced += *w->p == ' ';
	}
	if (e != OK)
		return e;
	/* who has blanks behind some commas alone is none that we know */
	return *w->p == '\0' && (w->spaced == 0 || w->spaced == w->n - 1) ?
		   OK :
		   ERR_INPUT;
}

enum err
dn_server(const char *text, struct buf *der)
{
	struct words w = { .p = text };
	struct buf ours = BUF_INIT;
	enum err e = ERR_INPUT;

	if (strlen(text) <= MAX_DN_TEXT)
		e = read_all(&w);
	for (size_t i = 0; e == OK && i < w.n; i++) {
		size_t at = w.spaced > 0 ? i : w.n - 1 - i;

		if (!buf_printf(
			&ours, "%s%s", i > 0 ? "," : "", buf_cstr(&w.rdn[at])))
			e = ERR_SYSTEM;
	}
	if (e == OK) {
		log_mute(true); /* the sentence would tell of our own text */
		e = dn_parse(buf_cstr(&ours), der);
		log_mute(false);
	}
	for (size_t i = 0; i < w.n; i++)
		buf_release(&w.rdn[i]);
	buf_release(&ours);
	return e;
}
