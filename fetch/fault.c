#include "fetch/job.h"

/* Printable, and no blank in it: so it is one word of a request's head. */
static bool
is_word(const char *s)
{
	for (; *s > ' ' && *s < 0x7f; s++)
		;
	return *s == '\0';
}

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static bool
is_method(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n > 0 && n <= 20 && s[n] == '\0';
}

/* "Name: value" without another line in it. */
static bool
is_header(const char *s)
{
	size_t n = strcspn(s, ":");

	if (n == 0 || strncmp(s + n, ": ", 2) != 0 || s[n + 2] == '\0')
		return false;
	for (size_t i = 0; s[i] != '\0'; i++) {
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f ||
		    (s[i] == ' ' && i < n))
			return false;
	}
	return true;
}

static const char *
limits_fault(int64_t timeout, size_t limit)
{
	if (timeout <= 0 || timeout > FETCH_MAX_TIMEOUT)
		return "its time limit makes no sense";
	if (limit > FETCH_MAX_LIMIT)
		return "its limit of bytes is too high";
	return NULL;
}

const char *
http_fault(const struct http_ask *ask)
{
	const char *const *h = ask->header;

	if (ask->url == NULL || !is_word(ask->url))
		return "a URL has printable characters and no blanks";
	if (!begins(ask->url, "https://") &&
	    !(ask->plain && begins(ask->url, "http://")))
		return ask->plain ? "a URL begins with https:// or http://" :
				    "a URL begins with https://";
	if (strcspn(strstr(ask->url, "//") + 2, "@") <
	    strcspn(strstr(ask->url, "//") + 2, "/?#"))
		return "a URL has no user in it";
	if (ask->method == NULL || !is_method(ask->method))
		return "a method is a word in capitals";
	for (; h != NULL && *h != NULL; h++) {
		if (!is_header(*h))
			return "a header is one line, \"Name: value\"";
	}
	if (ask->pin != NULL && !begins(ask->pin, "sha256//"))
		return "a pin begins with sha256//";
	if (ask->proxy != NULL &&
	    (!begins(ask->proxy, "http://") || !is_word(ask->proxy)))
		return "a proxy is http://HOST:PORT";
	if ((ask->cert.len == 0) != (ask->key.len == 0))
		return "a client certificate and its key go together";
	return limits_fault(ask->timeout, ask->limit);
}

const char *
run_fault(const struct run_ask *ask)
{
	if (ask->path == NULL || ask->path[0] != '/')
		return "a program is named by an absolute path";
	return limits_fault(ask->timeout, ask->limit);
}
