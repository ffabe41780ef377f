#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "http_own.h"

/* What a request says: the web server's variables, and the body. */

static enum http_method
method_of(const char *name)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = { { "GET", HTTP_GET }, { "HEAD", HTTP_HEAD },
		{ "POST", HTTP_POST } };

	for (size_t i = 0; name && i < sizeof(methods) / sizeof(*methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return HTTP_OTHER;
}

/* CONTENT_LENGTH in bytes; SIZE_MAX: not given, read to the end. */
static enum err
content_length(const char *text, size_t *out)
{
	unsigned long long n;
	char *end = NULL;

	*out = SIZE_MAX;
	if (text == NULL || *text == '\0')
		return OK;
	if (strspn(text, "0123456789") != strlen(text))
		return ERR_INPUT;
	errno = 0;
	n = strtoull(text, &end, 10);
	*out = errno == ERANGE || n >= SIZE_MAX ? SIZE_MAX - 1 : (size_t)n;
	return OK;
}

/* Reads the body of a POST; r->status says what was wrong with it. */
static enum err
read_body(struct http *h, size_t maxbody, struct request *r)
{
	uint8_t chunk[16384];
	size_t length, cap;

	if (content_length(http_param(h, "CONTENT_LENGTH"), &length) != OK) {
		r->status = 400;
		return OK;
	}
	if (length != SIZE_MAX && length > maxbody) {
		r->status = 413; /* before a byte of it is kept */
		return OK;
	}
	/* One byte over the cap is enough to know. */
	cap = length == SIZE_MAX ? maxbody + 1 : length;
	while (r->body.len < cap) {
		size_t want = cap - r->body.len;
		ssize_t n = http_bytes(
		    h, chunk, want < sizeof(chunk) ? want : sizeof(chunk));

		if (n <= 0)
			break;
		if (!buf_add(&r->body, chunk, (size_t)n))
			return ERR_SYSTEM;
	}
	if (r->body.len > maxbody)
		r->status = 413;
	else if (length != SIZE_MAX && r->body.len < length)
		r->status = 400; /* cut short */
	return OK;
}

/*
 * A web server that still sends when its program ends, as Apache's CGI does,
 * throws the program's answer away: so a body that nobody wants is read too,
 * within limits.
 */
void
http_discard(struct http *h, const struct request *r)
{
	int64_t end = time_ticks() + MAX_DISCARD_MS;
	uint8_t chunk[16384];
	size_t left;
	ssize_t n = 1;

	if (content_length(http_param(h, "CONTENT_LENGTH"), &left) != OK ||
	    (left == SIZE_MAX && r->method != HTTP_POST))
		return;
	left -= r->body.len < left ? r->body.len : left;
	left = left < MAX_DISCARD ? left : MAX_DISCARD;
	while (n > 0 && left > 0 && time_ticks() < end) {
		n = http_bytes(
		    h, chunk, left < sizeof(chunk) ? left : sizeof(chunk));
		left -= n > 0 ? (size_t)n : 0;
	}
}

static const char *
param_or(struct http *h, const char *name, const char *other)
{
	const char *value = http_param(h, name);

	return value != NULL ? value : other;
}

/*
 * Has the web server verified a client certificate?  Its own variables say so,
 * never a header of the request, which would be HTTP_SSL_CLIENT_VERIFY.
 */
static bool
verified(struct http *h)
{
	return strcmp(param_or(h, "SSL_CLIENT_VERIFY", ""), "SUCCESS") == 0;
}

/*
 * Whom the server has verified.  What is larger than any certificate is not
 * believed half: then nobody was.
 */
static enum err
read_peer(struct http *h, struct request *r)
{
	const char *name = param_or(h, "SSL_CLIENT_S_DN", "");
	const char *cert = param_or(h, "SSL_CLIENT_CERT", "");
	bool good = verified(h);

	if (good && strlen(cert) > MAX_PEER_CERT) {
		log_error(
		    "SSL_CLIENT_CERT has more than %d bytes", MAX_PEER_CERT);
		good = false;
	}
	r->peer = str_dup(good ? name : "");
	r->peer_cert = str_dup(good ? cert : "");
	return r->peer && r->peer_cert ? OK : ERR_SYSTEM;
}

/*
 * Beside the client's own Authorization header a name is what he calls himself,
 * unless AUTH_TYPE says that the server has looked (RFC 3875 4.1.1, 4.1.11):
 * nginx takes $remote_user out of whatever header comes, and its stock
 * fastcgi_params may pass it.
 */
static enum err
read_user(struct http *h, struct request *r)
{
	const char *name = param_or(h, "REMOTE_USER", "");
	bool proven = *param_or(h, "AUTH_TYPE", "") != '\0' ||
		      http_param(h, "HTTP_AUTHORIZATION") == NULL;

	r->unproven = *name != '\0' && !proven;
	r->user = str_dup(proven ? name : "");
	return r->user != NULL ? OK : ERR_SYSTEM;
}

enum err
http_read(struct http *h, size_t maxbody, size_t maxquery, struct request *r)
{
	const char *script = http_param(h, "SCRIPT_NAME");
	const char *info = http_param(h, "PATH_INFO");
	const char *query = http_param(h, "QUERY_STRING");
	const char *alias = http_param(h, "SCEP_ALIAS");
	const char *remote = http_param(h, "REMOTE_ADDR");
	const char *none = http_param(h, "HTTP_IF_NONE_MATCH");
	const char *since = http_param(h, "HTTP_IF_MODIFIED_SINCE");

	r->method = method_of(http_param(h, "REQUEST_METHOD"));
	r->no_query = query == NULL;
	r->remote = str_dup(remote ? remote : "");
	if (r->remote == NULL || read_user(h, r) != OK || read_peer(h, r) != OK)
		return ERR_SYSTEM;
	if (alias && *alias && (r->alias = str_dup(alias)) == NULL)
		return ERR_SYSTEM;
	if (none && (r->none_match = str_dup(none)) == NULL)
		return ERR_SYSTEM;
	if (since && (r->modified_since = str_dup(since)) == NULL)
		return ERR_SYSTEM;
	if (query && strlen(query) > maxquery) {
		r->status = 414;
		return OK;
	}
	if (!buf_str(&r->path, script ? script : "") ||
	    !buf_str(&r->path, info ? info : "") ||
	    !buf_str(&r->query, query ? query : ""))
		return ERR_SYSTEM;
	if (r->path.len > MAX_PATH_INFO)
		r->status = 414;
	else if (r->method == HTTP_POST)
		return read_body(h, maxbody, r);
	return OK;
}

void
request_release(struct request *r)
{
	buf_release(&r->path);
	buf_release(&r->query);
	buf_release(&r->body);
	free(r->alias);
	free(r->remote);
	free(r->user);
	free(r->peer);
	free(r->peer_cert);
	free(r->none_match);
	free(r->modified_since);
	*r = (struct request){ .method = HTTP_OTHER };
}
