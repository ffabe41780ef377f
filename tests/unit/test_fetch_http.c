/*
 * Requests to other servers, against tests/httpd.py on a port of the loopback,
 * with certificates that the openssl command makes.
 */
#include "tests/unit/fetched.h"

#include <sys/wait.h>

#define LIMIT 65536

static char folder[64];
static char top[512];
static struct buf ca = BUF_INIT, other_ca = BUF_INIT;
static struct buf client_cert = BUF_INIT, client_key = BUF_INIT;
static char pin[128];
static int tls_port, strict_port, plain_port;
static pid_t servers[3];

/*
 * The keys are small, the validity is a century: a test does not depend on
 * the day.  NAME.pem has certificate and key.
 */
static const char make_certificates[] =
    "set -e\n"
    "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "for ca in ca other; do\n"
    "openssl req -x509 $key -keyout $ca.key -out $ca.pem -days 36500 \\\n"
    "    -subj /CN=$ca -addext keyUsage=critical,keyCertSign\n"
    "done\n"
    "printf '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=index\\nserial=serial\\n"
    "new_certs_dir=.\\ndefault_md=sha256\\npolicy=p\\ncopy_extensions=copy\\n"
    "unique_subject=no\\n[p]\\ncommonName=supplied\\n' >ca.cnf\n"
    ": >index; echo 01 >serial\n"
    "make() { # NAME SAN START END\n"
    "openssl req $key -keyout $1.key -out $1.csr -subj \"/CN=$1\" \\\n"
    "    -addext subjectAltName=$2\n"
    "openssl ca -batch -notext -config ca.cnf -cert ca.pem -keyfile ca.key \\\n"
    "    -in $1.csr -out $1.crt -startdate $3 -enddate $4\n"
    "cat $1.crt $1.key >$1.pem; }\n"
    "make good DNS:localhost,IP:127.0.0.1 20200101000000Z 21200101000000Z\n"
    "make wrongname DNS:other.example 20200101000000Z 21200101000000Z\n"
    "make expired DNS:localhost,IP:127.0.0.1 20200101000000Z "
    "20200201000000Z\n"
    "make client DNS:client.example 20200101000000Z 21200101000000Z\n"
    "cp good.pem server.pem\n"
    "echo '[]' >answers.json\n"
    "openssl x509 -in good.crt -noout -pubkey | openssl pkey -pubin \\\n"
    "    -outform DER | openssl dgst -sha256 -binary | openssl base64 >pin\n";

/* Runs a script in the folder. */
static void
shell(const char *script, char *text, size_t size)
{
	struct buf whole = BUF_INIT;

	assert_true(buf_printf(&whole, "cd %s && {\n%s\n}", folder, script));
	must_run(buf_cstr(&whole), text, size);
	buf_release(&whole);
}

static void
read_file(const char *name, struct buf *out)
{
	char path[128];
	const char *arg[] = { path, NULL };
	struct run_ask ask = { .path = "/bin/cat",
		.arg = arg,
		.timeout = 10000,
		.limit = 8 * 1024 * 1024 };
	struct run_answer answer;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(fetch_run(&ask, &answer), OK);
	assert_int_equal(answer.status, 0);
	buf_clear(out);
	assert_true(buf_add(out, answer.output.data, answer.output.len));
	run_answer_release(&answer);
}

/* Starts tests/httpd.py in the folder; returns its port. */
static int
serve(const char *options, pid_t *pid)
{
	char script[1024];
	char text[32];

	(void)snprintf(script, sizeof(script),
	    "cd %s && rm -f port && exec python3 %s/tests/httpd.py "
	    "--script answers.json --log asked --port-file port --life 300 %s",
	    folder, top, options);
	if ((*pid = fork()) == 0) {
		(void)execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	assert_true(*pid > 0);
	shell("i=0; until [ -s port ] || [ $i -gt 300 ]; do sleep 0.1; "
	      "i=$((i + 1)); done; cat port; rm port",
	    text, sizeof(text));
	return (int)strtol(text, NULL, 10);
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test-http.XXXXXX");
	if (mkdtemp(folder) == NULL || getcwd(top, sizeof(top)) == NULL)
		return -1;
	/* A proxy that must not be asked; the helper starts after this. */
	(void)setenv("https_proxy", "http://127.0.0.1:1", 1);
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	(void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	shell(make_certificates, NULL, 0);
	read_file("ca.pem", &ca);
	read_file("other.pem", &other_ca);
	read_file("client.crt", &client_cert);
	read_file("client.key", &client_key);
	shell("printf 'sha256//%s' \"$(cat pin)\"", pin, sizeof(pin));
	tls_port = serve("--cert server.pem", &servers[0]);
	strict_port =
	    serve("--cert server.pem --client-ca ca.pem", &servers[1]);
	plain_port = serve("", &servers[2]);
	return 0;
}

static int
clean_up(void **state)
{
	char script[128];

	(void)state;
	for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		if (servers[i] > 0) {
			(void)kill(servers[i], SIGTERM);
			(void)waitpid(servers[i], NULL, 0);
		}
	}
	(void)snprintf(script, sizeof(script), "rm -rf %s", folder);
	must_run(script, NULL, 0);
	buf_release(&ca);
	buf_release(&other_ca);
	buf_release(&client_cert);
	buf_release(&client_key);
	return 0;
}

/* From now on the servers answer so. */
static void
answers(const char *json)
{
	struct buf script = BUF_INIT;

	assert_true(buf_printf(&script,
	    "rm -f asked; cat >new <<'EOF'\n%s\nEOF\nmv new answers.json",
	    json));
	shell(buf_cstr(&script), NULL, 0);
	buf_release(&script);
}

/* The last request that a server saw has these words, as JSON has them. */
static void
assert_asked(const char *words)
{
	struct buf asked = BUF_INIT;

	read_file("asked", &asked);
	if (strstr(buf_cstr(&asked), words) == NULL)
		fail_msg("not asked: %s\nasked: %s", words, buf_cstr(&asked));
	buf_release(&asked);
}

static void
assert_not_asked(const char *words)
{
	struct buf asked = BUF_INIT;

	read_file("asked", &asked);
	if (strstr(buf_cstr(&asked), words) != NULL)
		fail_msg("asked: %s", buf_cstr(&asked));
	buf_release(&asked);
}

static char the_url[128];

static const char *
url(const char *scheme, const char *host, int port, const char *path)
{
	(void)snprintf(
	    the_url, sizeof(the_url), "%s://%s:%d%s", scheme, host, port, path);
	return the_url;
}

/* A GET to the server with TLS, as it should be. */
static struct http_ask
good_ask(const char *path)
{
	return (struct http_ask){ .method = "GET",
		.url = url("https", "127.0.0.1", tls_port, path),
		.ca = buf_span(&ca),
		.timeout = 20000,
		.limit = LIMIT };
}

static void
assert_fails(const struct http_ask *ask, enum err e, const char *words)
{
	struct http_answer out;

	buf_clear(&the_log);
	assert_int_equal(fetch_http(ask, &out), e);
	assert_int_equal(out.status, 0);
	assert_int_equal(out.body.len, 0);
	assert_logged(words);
	/* One line. */
	assert_ptr_equal(strchr(buf_cstr(&the_log), '\n'),
	    buf_cstr(&the_log) + the_log.len - 1);
	http_answer_release(&out);
}

static void
assert_answer(const struct http_ask *ask, int status, const char *body)
{
	struct http_answer out;

	buf_clear(&the_log);
	if (fetch_http(ask, &out) != OK)
		fail_msg("%s", buf_cstr(&the_log));
	assert_int_equal(out.status, status);
	assert_string_equal(buf_cstr(&out.body), body);
	assert_true(out.body.secret);
	assert_string_equal(buf_cstr(&the_log), "");
	http_answer_release(&out);
	http_answer_release(&out);
}

static void
get_and_post(void **state)
{
	static const char *const headers[] = { "Content-Type: application/json",
		"Authorization: Bearer abc", NULL };
	struct http_ask ask = good_ask("/a?x=1");
	struct http_answer out;
	struct buf big = BUF_INIT;

	(void)state;
	answers("[{\"method\": \"GET\", \"body\": \"got\"}, "
		"{\"status\": 503, \"json\": {\"a\": 1}}]");
	assert_answer(&ask, 200, "got");
	assert_asked("\"method\": \"GET\", \"path\": \"/a\", \"query\": "
		     "\"x=1\"");
	assert_asked("\"tls\": \"TLSv1.3\"");
	ask.url = url("https", "localhost", tls_port, "/b");
	ask.method = "POST";
	ask.header = headers;
	ask.body = span_of("{\"q\":2}", 7);
	assert_int_equal(fetch_http(&ask, &out), OK);
	assert_int_equal(out.status, 503);
	assert_string_equal(out.type, "application/json");
	assert_string_equal(buf_cstr(&out.body), "{\"a\": 1}");
	http_answer_release(&out);
	assert_asked("\"content-type\": \"application/json\"");
	assert_asked("\"authorization\": \"Bearer abc\"");
	assert_asked("\"body\": \"{\\\"q\\\":2}\"");
	/* A body for which libcurl would ask first. */
	assert_true(buf_reserve(&big, 2000000));
	memset(big.data, 'x', 2000000);
	big.len = 2000000;
	ask.body = buf_span(&big);
	ask.method = "PUT";
	assert_answer(&ask, 503, "{\"a\": 1}");
	assert_asked("\"method\": \"PUT\"");
	assert_asked("\"content-length\": \"2000000\"");
	assert_not_asked("\"expect\"");
	assert_not_asked("\"cookie\"");
	buf_release(&big);
}

static void
only_who_it_should_be(void **state)
{
	struct http_ask ask = good_ask("/");

	(void)state;
	answers("[{\"body\": \"got\"}]");
	ask.ca = buf_span(&other_ca);
	assert_fails(&ask, ERR_BUSY, "SSL certificate problem");
	ask.ca = span_of(NULL, 0); /* the system's */
	assert_fails(&ask, ERR_BUSY, "SSL certificate problem");
	ask.ca = span_of("no PEM", 6);
	assert_fails(&ask, ERR_INPUT, "127.0.0.1");
	ask.ca = buf_span(&ca);
	ask.pin = pin;
	assert_answer(&ask, 200, "got");
	ask.pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	assert_fails(&ask, ERR_BUSY, "public key");
	ask.pin = NULL;
	shell("cp wrongname.pem new && mv new server.pem", NULL, 0);
	assert_fails(&ask, ERR_BUSY, "no alternative certificate subject name");
	shell("cp expired.pem new && mv new server.pem", NULL, 0);
	assert_fails(&ask, ERR_BUSY, "certificate has expired");
	shell("cp good.pem new && mv new server.pem", NULL, 0);
	assert_answer(&ask, 200, "got");
}

static void
client_certificate(void **state)
{
	struct http_ask ask = good_ask("/");

	(void)state;
	answers("[{\"body\": \"got\"}]");
	ask.url = url("https", "127.0.0.1", strict_port, "/");
	/* Says the alert, or that the connection is gone: who is faster. */
	assert_fails(&ask, ERR_BUSY, "/: ");
	ask.cert = buf_span(&client_cert);
	ask.key = buf_span(&client_key);
	assert_answer(&ask, 200, "got");
	assert_asked("\"client\": \"client\"");
	ask.key = buf_span(&other_ca);
	assert_fails(&ask, ERR_INPUT, "private key");
	ask.key = span_of(NULL, 0);
	assert_fails(&ask, ERR_INPUT, "go together");
}

static void
nothing_is_followed(void **state)
{
	struct http_ask ask = good_ask("/from");

	(void)state;
	answers("[{\"path\": \"/from\", \"status\": 302, \"headers\": "
		"{\"Location\": \"/to\"}, \"body\": \"there\"}]");
	assert_answer(&ask, 302, "there");
	assert_not_asked("\"path\": \"/to\"");
}

static void
a_body_over_the_limit(void **state)
{
	struct http_ask ask = good_ask("/");
	int64_t start = time_ticks();

	(void)state;
	answers("[{\"path\": \"/long\", \"size\": 10485760}, "
		"{\"path\": \"/chunks\", \"size\": 10485760, "
		"\"chunked\": true}, {\"body\": \"0123456789\"}]");
	ask.limit = 10;
	assert_answer(&ask, 200, "0123456789");
	ask.limit = 9;
	assert_fails(&ask, ERR_TOOBIG, "answered with more than 9 bytes");
	ask.url = url("https", "127.0.0.1", tls_port, "/long");
	assert_fails(&ask, ERR_TOOBIG, "answered with more than 9 bytes");
	ask.url = url("https", "127.0.0.1", tls_port, "/chunks");
	ask.limit = LIMIT;
	assert_fails(&ask, ERR_TOOBIG, "answered with more than 65536 bytes");
	assert_in_range(time_ticks() - start, 0, 20000);
}

static void
no_answer(void **state)
{
	struct http_ask ask = good_ask("/slow");
	int64_t start;

	(void)state;
	answers("[{\"path\": \"/slow\", \"delay\": 20}, "
		"{\"path\": \"/half\", \"body\": \"0123456789\", "
		"\"close\": 4}, {\"path\": \"/gone\", \"close\": -1}, "
		"{\"path\": \"/noise\", \"raw\": \"no HTTP\\n\"}]");
	ask.timeout = 400;
	start = time_ticks();
	assert_fails(&ask, ERR_BUSY, "timed out");
	assert_in_range(time_ticks() - start, 400, 1400);
	ask.timeout = 20000;
	ask.url = url("https", "127.0.0.1", tls_port, "/half");
	assert_fails(&ask, ERR_BUSY, "/half: ");
	ask.url = url("https", "127.0.0.1", tls_port, "/gone");
	assert_fails(&ask, ERR_BUSY, "/gone: ");
	ask.url = url("https", "127.0.0.1", tls_port, "/noise");
	assert_fails(&ask, ERR_BUSY, "/noise: ");
	/* TLS to a port without it, and to one where nobody is. */
	ask.url = url("https", "127.0.0.1", plain_port, "/");
	assert_fails(&ask, ERR_BUSY, "wrong version number");
	ask.url = "https://127.0.0.1:1/";
	assert_fails(&ask, ERR_BUSY, "https://127.0.0.1:1/: ");
	ask.url = "https://nowhere.invalid/";
	assert_fails(&ask, ERR_BUSY, "https://nowhere.invalid/: ");
}

static void
plain_only_if_admitted(void **state)
{
	struct http_ask ask = good_ask("/");

	(void)state;
	answers("[{\"body\": \"got\"}]");
	ask.url = url("http", "127.0.0.1", plain_port, "/");
	assert_fails(&ask, ERR_INPUT, "a URL begins with https://");
	ask.plain = true;
	assert_answer(&ask, 200, "got");
}

/* By the proxy that was named, and not by the environment's. */
static void
by_a_proxy(void **state)
{
	struct http_ask ask = good_ask("/");
	char proxy[64];

	(void)state;
	answers("[{\"method\": \"CONNECT\", \"header\": "
		"{\"proxy-authorization\": \"Basic dTpw\"}, "
		"\"connect\": \"\"}, {\"method\": \"CONNECT\", "
		"\"status\": 407}, {\"body\": \"got\"}]");
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", plain_port);
	ask.proxy = proxy;
	assert_fails(&ask, ERR_BUSY, "407");
	ask.proxyuser = "u:p";
	assert_answer(&ask, 200, "got");
	assert_asked("\"method\": \"CONNECT\"");
	ask.proxy = "socks5://127.0.0.1:1";
	assert_fails(&ask, ERR_INPUT, "a proxy is http://HOST:PORT");
}

/* Secrets of a URL are not in the log either. */
static void
what_makes_no_sense(void **state)
{
	static const char *const lines[] = { "A: b\r\nC: d", NULL };
	static const char *const urls[] = { "ftp://h/", "h/", "", "https://a b",
		"https://h/\r\nX: y", "https://user:pw@h/x?pw", "file:///x",
		"HTTPS://h/" };
	struct http_ask ask = good_ask("/");
	struct http_ask bad;

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		bad = ask;
		bad.url = urls[i];
		assert_fails(&bad, ERR_INPUT, "a URL ");
		assert_null(strstr(buf_cstr(&the_log), "pw"));
	}
	bad = ask;
	bad.url = "https://:0:0/?pw";
	assert_fails(&bad, ERR_INPUT, "https://:0:0/: ");
	bad = ask;
	bad.header = lines;
	assert_fails(&bad, ERR_INPUT, "a header is one line");
	bad = ask;
	bad.method = "GET /x";
	assert_fails(&bad, ERR_INPUT, "a method is a word in capitals");
	bad = ask;
	bad.pin = "/etc/passwd";
	assert_fails(&bad, ERR_INPUT, "a pin begins with sha256//");
	bad = ask;
	bad.timeout = -1;
	assert_fails(&bad, ERR_INPUT, "time limit");
}

#define TEST(f) cmocka_unit_test_setup(f, forget_log)

static const struct CMUnitTest tests[] = { TEST(get_and_post),
	TEST(only_who_it_should_be), TEST(client_certificate),
	TEST(nothing_is_followed), TEST(a_body_over_the_limit), TEST(no_answer),
	TEST(plain_only_if_admitted), TEST(by_a_proxy),
	TEST(what_makes_no_sense) };

FETCHED_MAIN(tests)
