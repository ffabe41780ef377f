/* The only file that knows libcurl. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>

#include "fetch/job.h"

/*
 * Loaded when it is needed, as it and its company cost each start of the
 * program 12 ms.  Its interface has kept this name since 2006.
 */
#define LIBRARY "libcurl.so.4"

static struct {
	void *library;
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*easy_perform)(CURL *curl);
	CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
	void (*easy_cleanup)(CURL *curl);
	const char *(*easy_strerror)(CURLcode code);
	struct curl_slist *(*slist_append)(
	    struct curl_slist *list, const char *string);
	void (*slist_free_all)(struct curl_slist *list);
} lib;

static const struct {
	const char *name;
	void *place; /* of the pointer; dlsym(3) has it so */
} symbols[] = {
	{ "curl_global_init", &lib.global_init },
	{ "curl_easy_init", &lib.easy_init },
	{ "curl_easy_setopt", &lib.easy_setopt },
	{ "curl_easy_perform", &lib.easy_perform },
	{ "curl_easy_getinfo", &lib.easy_getinfo },
	{ "curl_easy_cleanup", &lib.easy_cleanup },
	{ "curl_easy_strerror", &lib.easy_strerror },
	{ "curl_slist_append", &lib.slist_append },
	{ "curl_slist_free_all", &lib.slist_free_all },
};

enum err
curl_load(struct result *out)
{
	void *library;

	if (lib.library != NULL)
		return OK;
	if ((library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL)) == NULL)
		goto fail;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (symbol == NULL)
			goto fail;
		memcpy(symbols[i].place, &symbol, sizeof(symbol));
	}
	if (lib.global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
		result_fail(out, ERR_SYSTEM, LIBRARY " does not start");
		(void)dlclose(library);
		return ERR_SYSTEM;
	}
	lib.library = library;
	return OK;
fail:
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	result_fail(
	    out, ERR_SYSTEM, "cannot load libcurl (libcurl4): %s", dlerror());
	if (library != NULL)
		(void)dlclose(library);
	return ERR_SYSTEM;
}

/* One request in the making. */
struct session {
	const struct http_ask *ask;
	struct result *out;
	CURL *curl;
	struct curl_slist *headers;
	CURLcode bad; /* the first option that was not taken */
	bool too_big;
	char error[CURL_ERROR_SIZE];
};

#define SET(s, option, value)                                      \
	do {                                                       \
		CURLcode code_ =                                   \
		    lib.easy_setopt((s)->curl, (option), (value)); \
		if (code_ != CURLE_OK && (s)->bad == CURLE_OK)     \
			(s)->bad = code_;                          \
	} while (0)

/* libcurl's word for "take all of it". */
static size_t
take(char *data, size_t size, size_t n, void *arg)
{
	struct session *s = arg;

	n *= size;
	if (n > s->ask->limit - s->out->body.len) {
		s->too_big = true;
		return 0;
	}
	return buf_add(&s->out->body, data, n) ? n : 0;
}

/* What is the same for every request: mostly what must not be done. */
static void
set_manners(struct session *s)
{
	static const struct {
		CURLoption option;
		long value;
	} manners[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_NOPROGRESS, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
		{ CURLOPT_FORBID_REUSE, 1 },
	};

	for (size_t i = 0; i < sizeof(manners) / sizeof(*manners); i++)
		SET(s, manners[i].option, manners[i].value);
	SET(s, CURLOPT_ERRORBUFFER, s->error);
	SET(s, CURLOPT_USERAGENT, "scep");
	SET(s, CURLOPT_WRITEFUNCTION, take);
	SET(s, CURLOPT_WRITEDATA, s);
}

static void
set_blob(struct session *s, CURLoption option, struct span bytes)
{
	struct curl_blob blob = { .len = bytes.len, .flags = CURL_BLOB_COPY };

	if (bytes.len == 0)
		return;
	/* It is copied, though the type says that it might be changed. */
	memcpy(&blob.data, &bytes.p, sizeof(blob.data));
	SET(s, option, &blob);
}

static void
set_trust(struct session *s)
{
	const struct http_ask *ask = s->ask;

	if (ask->ca.len > 0) {
		/* Instead of the system's: of these there are two places. */
		SET(s, CURLOPT_CAINFO, NULL);
		SET(s, CURLOPT_CAPATH, NULL);
		set_blob(s, CURLOPT_CAINFO_BLOB, ask->ca);
	}
	set_blob(s, CURLOPT_SSLCERT_BLOB, ask->cert);
	set_blob(s, CURLOPT_SSLKEY_BLOB, ask->key);
	if (ask->pin != NULL)
		SET(s, CURLOPT_PINNEDPUBLICKEY, ask->pin);
}

static void
set_way(struct session *s)
{
	const struct http_ask *ask = s->ask;

	SET(s, CURLOPT_URL, ask->url);
	SET(s, CURLOPT_PROTOCOLS_STR, ask->plain ? "https,http" : "https");
	SET(s, CURLOPT_TIMEOUT_MS, (long)ask->timeout);
	SET(s, CURLOPT_CONNECTTIMEOUT_MS, (long)ask->timeout);
	/* "" is none, also where variables name one. */
	SET(s, CURLOPT_PROXY, ask->proxy == NULL ? "" : ask->proxy);
	SET(s, CURLOPT_NOPROXY, "");
	if (ask->proxy != NULL && ask->proxyuser != NULL)
		SET(s, CURLOPT_PROXYUSERPWD, ask->proxyuser);
}

static void
add_header(struct session *s, const char *header)
{
	struct curl_slist *longer = lib.slist_append(s->headers, header);

	if (longer == NULL)
		s->bad = CURLE_OUT_OF_MEMORY;
	else
		s->headers = longer;
}

static void
set_request(struct session *s)
{
	const struct http_ask *ask = s->ask;
	const char *const *h = ask->header;

	for (; h != NULL && *h != NULL; h++)
		add_header(s, *h);
	/* Many servers answer 100-continue badly, none needs it. */
	add_header(s, "Expect:");
	SET(s, CURLOPT_HTTPHEADER, s->headers);
	if (strcmp(ask->method, "GET") == 0)
		return;
	if (strcmp(ask->method, "HEAD") == 0) {
		SET(s, CURLOPT_NOBODY, 1L);
		return;
	}
	SET(s, CURLOPT_POST, 1L);
	SET(s, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.len);
	SET(s, CURLOPT_POSTFIELDS,
	    ask->body.len > 0 ? (const char *)ask->body.p : "");
	if (strcmp(ask->method, "POST") != 0)
		SET(s, CURLOPT_CUSTOMREQUEST, ask->method);
}

/* Everything that is not here may be better the next time: ERR_BUSY. */
static const struct {
	CURLcode code;
	enum err e;
} errors[] = {
	{ CURLE_URL_MALFORMAT, ERR_INPUT },
	{ CURLE_LOGIN_DENIED, ERR_INPUT }, /* a user in the URL */
	{ CURLE_SSL_CERTPROBLEM, ERR_INPUT },
	{ CURLE_SSL_CACERT_BADFILE, ERR_INPUT },
	{ CURLE_OUT_OF_MEMORY, ERR_SYSTEM },
	{ CURLE_FAILED_INIT, ERR_SYSTEM },
	{ CURLE_UNKNOWN_OPTION, ERR_SYSTEM },
	{ CURLE_NOT_BUILT_IN, ERR_SYSTEM },
	{ CURLE_BAD_FUNCTION_ARGUMENT, ERR_SYSTEM },
};

static void
tell(struct session *s, CURLcode code)
{
	enum err e = ERR_BUSY;

	if (s->too_big) {
		result_fail(s->out, ERR_TOOBIG,
		    "answered with more than %zu bytes", s->ask->limit);
		return;
	}
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		if (errors[i].code == code)
			e = errors[i].e;
	}
	result_fail(s->out, e, "%s",
	    s->error[0] != '\0' ? s->error : lib.easy_strerror(code));
}

static void
take_head(struct session *s)
{
	const char *type = NULL;
	long status = 0;

	(void)lib.easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	(void)lib.easy_getinfo(s->curl, CURLINFO_CONTENT_TYPE, &type);
	s->out->status = (int)status;
	(void)snprintf(
	    s->out->type, sizeof(s->out->type), "%s", type == NULL ? "" : type);
}

void
job_http(const struct http_ask *ask, struct result *out)
{
	struct session s = { .ask = ask, .out = out, .bad = CURLE_OK };
	CURLcode code;

	if ((s.curl = lib.easy_init()) == NULL) {
		result_fail(out, ERR_SYSTEM, LIBRARY " does not start");
		return;
	}
	set_manners(&s);
	set_trust(&s);
	set_way(&s);
	set_request(&s);
	code = s.bad != CURLE_OK ? s.bad : lib.easy_perform(s.curl);
	if (code == CURLE_OK)
		take_head(&s);
	else
		tell(&s, code);
	lib.easy_cleanup(s.curl);
	lib.slist_free_all(s.headers);
}
