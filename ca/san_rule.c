#include "ca/san_rule.h"

#include <ctype.h>
#include <string.h>

#define MAX_HOST  253 /* bytes of a host name (RFC 1035 2.3.4) */
#define MAX_LABEL 63  /* bytes of one of its labels */

/* ASCII from low to 0x7e, and something of it. */
static bool
plain(struct span s, uint8_t low)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < low || s.p[i] > 0x7e)
			return false;
	return s.len > 0;
}

static bool
among(uint8_t c, const char *marks)
{
	return c < 0x80 && c != 0 && (isalnum(c) || strchr(marks, c) != NULL);
}

/* '_' is no letter of a host name, and yet in names of real devices. */
static const char *
label_wrong(struct span label)
{
	if (label.len == 0)
		return "it has an empty label";
	if (label.len > MAX_LABEL)
		return "it has a label of more than 63 bytes";
	for (size_t i = 0; i < label.len; i++)
		if (!among(label.p[i], "-_"))
			return "a host name has letters, digits, '-' and '_', "
			       "and only '*' as its first label";
	if (label.p[0] == '-' || label.p[label.len - 1] == '-')
		return "a label begins or ends with '-'";
	return NULL;
}

static const char *
host_wrong(struct span host)
{
	const char *wrong = NULL;
	struct span label;
	const uint8_t *dot;

	if (host.len > MAX_HOST)
		return "it has more than 253 bytes";
	do {
		label = host;
		dot = host.len > 0 ? memchr(host.p, '.', host.len) : NULL;
		if (dot != NULL) {
			label.len = (size_t)(dot - host.p);
			host.p = dot + 1;
			host.len -= label.len + 1;
		}
		wrong = label_wrong(label);
	} while (wrong == NULL && dot != NULL);
	return wrong;
}

const char *
san_dns_wrong(struct span host)
{
	if (host.len >= 2 && memcmp(host.p, "*.", 2) == 0) {
		host.p += 2;
		host.len -= 2;
	}
	return host_wrong(host);
}

/* The last '@': a quoted local part may have others. */
const char *
san_mail_wrong(struct span mailbox)
{
	static const char form[] = "a mailbox is local@domain";
	struct span local = mailbox, domain;
	bool quoted;

	if (!plain(mailbox, 0x20))
		return "a mailbox has ASCII characters alone";
	while (local.len > 0 && local.p[local.len - 1] != '@')
		local.len--;
	if (local.len < 2)
		return form;
	domain = span_of(mailbox.p + local.len, mailbox.len - local.len);
	local.len--;
	quoted =
	    local.len > 2 && local.p[0] == '"' && local.p[local.len - 1] == '"';
	for (size_t i = 0; i < local.len && !quoted; i++)
		if (!among(local.p[i], "!#$%&'*+-/=?^_`{|}~."))
			return form;
	return host_wrong(domain);
}

/* RFC 3986 3.1 */
const char *
san_uri_wrong(struct span uri)
{
	size_t n = 0;

	if (!plain(uri, 0x21))
		return "a URI has ASCII characters without blanks alone";
	while (n < uri.len && among(uri.p[n], "+-."))
		n++;
	if (!isalpha(uri.p[0]) || n + 1 >= uri.len || uri.p[n] != ':')
		return "a URI has a scheme and something behind it, as in "
		       "https://a.example/";
	return NULL;
}
