#include "ca/urls.h"

#include <string.h>

/* RFC 3986: all but unreserved characters; so a CA's name is one segment. */
static bool
put_escaped(struct buf *out, const char *name)
{
	bool good = true;

	for (const char *s = name; good && *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		    (c == '.' && s != name))
			good = buf_byte(out, c);
		else
			good = buf_printf(out, "%%%02X", c);
	}
	return good;
}

bool
url_fill(
    const char *url, const struct url_place *at, struct buf *out, bool *known)
{
	bool good = true;

	*known = true;
	while (good && *url != '\0') {
		size_t n = strcspn(url, "$");

		good = buf_add(out, url, n);
		url += n;
		if (strncmp(url, "${baseurl}", 10) == 0) {
			*known = *known && at->baseurl != NULL;
			good = good && buf_str(out, *known ? at->baseurl : "");
			url += 10;
		} else if (strncmp(url, "${ca}", 5) == 0) {
			*known = *known && at->ca != NULL;
			good = good && put_escaped(out, *known ? at->ca : "");
			url += 5;
		} else if (strncmp(url, "${generation}", 13) == 0) {
			good = good && buf_printf(out, "%u", at->generation);
			url += 13;
		} else if (*url == '$') {
			good = good && buf_byte(out, (uint8_t)*url++);
		}
	}
	return good;
}

enum err
urls_fill(const struct url_place *at, struct urls *out)
{
	static const char *const patterns[2] = { URL_CRL_PATTERN,
		URL_ISSUER_PATTERN };
	const char **list[2] = { out->crl, out->issuers };

	*out = (struct urls){ .crl = { NULL } };
	for (size_t i = 0; i < 2; i++) {
		bool known = false;

		if (!url_fill(patterns[i], at, &out->text[i], &known))
			return ERR_SYSTEM;
		if (known)
			list[i][0] = buf_cstr(&out->text[i]);
	}
	return OK;
}

void
urls_release(struct urls *u)
{
	buf_release(&u->text[0]);
	buf_release(&u->text[1]);
}
