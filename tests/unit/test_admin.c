#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "base/time.h"
#include "ca/ca.h"
#include "ca/cert.h"
#include "ca/dn.h"
#include "ca/san.h"
#include "base/limits.h"
#include "store/cert.h"
#include "store/code.h"
#include "store/entity.h"
#include "tests/unit/cli.h"
#include "tests/unit/shipped.h"

/*
 * `cert list` and `cert show` on two certificates that were really issued, and
 * `entity show` and `unlock` on a code that was guessed at: what needs more
 * than the command line to come about.
 */

static char dir[128], home[256], seen[65536];
static struct buf pem = BUF_INIT;
static char serial[2][41], sha256_text[128], sha1_text[128];

static void
hush(const char *line, void *arg)
{
	(void)line;
	(void)arg;
}

#define MAX_WORDS 12

/* Runs a command; what it prints is in `seen`. */
static int
scep(const char *const *words)
{
	char path[512], *argv[MAX_WORDS + 4] = { NULL };
	int argc = 0, status, out, was;
	struct buf text = BUF_INIT;

	(void)snprintf(path, sizeof(path), "%s/out", dir);
	argv[argc++] = str_dup("scep");
	argv[argc++] = str_dup("--home");
	argv[argc++] = str_dup(home);
	for (; *words != NULL; words++)
		argv[argc++] = str_dup(*words);
	(void)fflush(stdout);
	was = dup(STDOUT_FILENO);
	out = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(was >= 0 && out >= 0);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	status = admin_main(argc, argv);
	assert_true(dup2(was, STDOUT_FILENO) >= 0);
	(void)close(out);
	(void)close(was);
	assert_int_equal(
	    file_read(AT_FDCWD, path, sizeof(seen) - 1, &text), OK);
	(void)snprintf(seen, sizeof(seen), "%s", buf_cstr(&text));
	buf_release(&text);
	while (argc > 0)
		free(argv[--argc]);
	return status;
}

#define SCEP(...) scep((const char *const[]){ __VA_ARGS__, NULL })

static char *
copy(const char *s)
{
	char *c = str_dup(s);

	assert_non_null(c);
	return c;
}

/* A certificate of an entity: SAN, serial and outcome as enrolment has it. */
static void
issue(const struct store *st, const struct generation *g, int n,
    const char *entity)
{
	struct buf subject = BUF_INIT, san = BUF_INIT;
	struct outcome o = OUTCOME_INIT;
	struct issued issued = { .der = BUF_INIT };
	struct leaf leaf;

	assert_int_equal(dn_parse("CN=leaf,O=Lab", &subject), OK);
	assert_int_equal(san_parse("dNSName=leaf.example", &san), OK);
	leaf = (struct leaf){ .subject = buf_span(&subject),
		.spki = g->spki,
		.san = buf_span(&san),
		.transaction = "test" };
	assert_int_equal(
	    ca_issue(g, shipped("ENDUSER"), &leaf, time_now(), &issued), OK);
	o.kind = OUTCOME_CERTIFICATE;
	assert_int_equal(
	    sha256_hex(span_of(entity, strlen(entity)), o.transaction), OK);
	assert_int_equal(sha256_hex(g->spki, o.spki), OK);
	memcpy(o.csr, o.spki, sizeof(o.csr));
	o.attempt = 1;
	o.generation = g->n;
	o.alias = copy("scep");
	o.ca = copy("TestCA");
	o.entity = copy(entity);
	o.subject = copy("CN=leaf,O=Lab");
	o.code = copy("00112233445566778899aabbccddeeff");
	o.profile = copy("ENDUSER");
	o.remote = copy("192.0.2.1");
	assert_true(buf_str(&o.id, "transaction-1"));
	o.issued = time_now();
	o.not_before = issued.not_before;
	o.not_after = issued.not_after;
	(void)snprintf(o.serial, sizeof(o.serial), "%s", issued.serial);
	(void)snprintf(serial[n], sizeof(serial[n]), "%s", issued.serial);
	assert_true(buf_add(&o.cert, issued.der.data, issued.der.len));
	assert_int_equal(outcome_link(st, &o), OK);
	outcome_release(&o);
	issued_release(&issued);
	buf_release(&subject);
	buf_release(&san);
}

static void
fingerprints(struct span der)
{
	struct buf text = BUF_INIT;

	assert_int_equal(fingerprint(der, FP_SHA256, &text), OK);
	(void)snprintf(sha256_text, sizeof(sha256_text), "%s", buf_cstr(&text));
	buf_clear(&text);
	assert_int_equal(fingerprint(der, FP_SHA1, &text), OK);
	(void)snprintf(sha1_text, sizeof(sha1_text), "%s", buf_cstr(&text));
	assert_int_equal(cert_pem(der, &pem), OK);
	buf_release(&text);
}

static enum err
first_cert(const struct outcome *o, void *arg)
{
	(void)arg;
	if (strcmp(o->serial, serial[0]) == 0)
		fingerprints(buf_span(&o->cert));
	return OK;
}

static int
start(void **state)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *tmp = getenv("TMPDIR");
	struct store st = { -1, -1, 0 };
	const struct ca *ca = NULL;
	struct cas *cas = NULL;
	int fd = -1;

	(void)state;
	(void)snprintf(
	    dir, sizeof(dir), "%s/scep-cert-XXXXXX", tmp ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(home, sizeof(home), "%s/home", dir);
	log_sink(hush, NULL);
	assert_int_equal(SCEP("init"), 0);
	assert_int_equal(SCEP("ca", "create", "TestCA", "--subject",
			     "CN=TestCA", "--key", "rsa:2048"),
	    0);
	assert_int_equal(dir_open(AT_FDCWD, home, &fd), OK);
	assert_int_equal(store_open(fd, &st), OK);
	assert_int_equal(cas_new(fd, &cas), OK);
	assert_int_equal(cas_find(cas, "TestCA", &ca), OK);
	issue(&st, &ca->gen[0], 0, "router1");
	issue(&st, &ca->gen[0], 1, "abba");
	assert_int_equal(cert_each(&st, first_cert, NULL), OK);
	cas_free(cas);
	store_release(&st);
	file_close(&fd);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	log_sink(NULL, NULL);
	buf_release(&pem);
	cli_remove(dir);
	return 0;
}

static bool
shows(int n)
{
	return strstr(seen, serial[n]) != NULL;
}

static void
lists(void **state)
{
	(void)state;
	assert_int_equal(SCEP("cert", "list"), 0);
	assert_true(shows(0) && shows(1));
	assert_non_null(strstr(seen, "CN=leaf,O=Lab\n"));
	assert_int_equal(SCEP("cert", "list", "--entity", "router1"), 0);
	assert_true(shows(0) && !shows(1));
	assert_int_equal(SCEP("cert", "list", "--match", "ab*"), 0);
	assert_true(!shows(0) && shows(1));
	assert_int_equal(SCEP("cert", "list", "--ca", "Other"), 0);
	assert_string_equal(seen, "");
	assert_int_equal(SCEP("cert", "list", "--since", "1h"), 0);
	assert_true(shows(0) && shows(1));
	assert_int_equal(SCEP("cert", "list", "--since=2099-01-01"), 0);
	assert_string_equal(seen, "");
	assert_int_equal(SCEP("cert", "list", "--json"), 0);
	assert_non_null(strstr(seen, "\"san\":\"dNSName=leaf.example\""));
}

/* WHICH names the first certificate alone. */
static void
names_first(const char *which)
{
	assert_int_equal(SCEP("cert", "show", which), 0);
	assert_true(shows(0));
	assert_false(shows(1));
}

static void
shown_by_all_its_names(void **state)
{
	char colons[128] = "", zeros[64], lower[128];
	size_t i;

	(void)state;
	names_first(serial[0]);
	assert_non_null(strstr(seen, "SAN:          dNSName=leaf.example"));
	assert_non_null(strstr(seen, sha256_text));
	for (i = 0; serial[0][i] != '\0'; i += 2)
		(void)snprintf(colons + strlen(colons),
		    sizeof(colons) - strlen(colons), "%s%.2s",
		    i == 0 ? "" : ":", serial[0] + i);
	names_first(colons);
	(void)snprintf(zeros, sizeof(zeros), "0000%s", serial[0]);
	names_first(zeros);
	names_first("router1");
	names_first(sha256_text);
	names_first(sha1_text);
	(void)snprintf(lower, sizeof(lower), "%s", sha1_text);
	for (i = 0; lower[i] != '\0'; i++)
		lower[i] = (char)tolower((unsigned char)lower[i]);
	names_first(lower);
}

/* Hex digits that are also a name are tried as both. */
static void
shown_by_odd_entity(void **state)
{
	(void)state;
	assert_int_equal(SCEP("cert", "show", "abba"), 0);
	assert_true(!shows(0) && shows(1));
}

static void
shown_by_file(void **state)
{
	char path[256];
	FILE *f;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/cert.pem", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(buf_cstr(&pem), f) >= 0);
	assert_int_equal(fclose(f), 0);
	names_first(path);
	assert_int_equal(SCEP("cert", "show", path, "--pem"), 0);
	assert_string_equal(seen, buf_cstr(&pem));
}

static void
not_shown(void **state)
{
	char wrong[41];

	(void)state;
	(void)snprintf(wrong, sizeof(wrong), "%s", serial[0]);
	wrong[3] = wrong[3] == '0' ? '1' : '0';
	assert_int_equal(SCEP("cert", "show", wrong), 1);
	assert_string_equal(seen, "");
	assert_int_equal(SCEP("cert", "show", "nobody"), 1);
	assert_int_equal(SCEP("cert", "show", "00"), 1);
	assert_int_equal(SCEP("cert", "show"), 2);
}

/* Guesses n times at router9's code. */
static void
guess(int n, enum err last)
{
	struct entity entity = ENTITY_INIT;
	struct store st = { -1, -1, 0 };
	struct try_mark mark;
	enum err e = OK;
	int fd = -1;

	assert_int_equal(dir_open(AT_FDCWD, home, &fd), OK);
	assert_int_equal(store_open(fd, &st), OK);
	assert_int_equal(entity_find(&st, span_of("router9", 7), &entity), OK);
	for (; n > 0; n--) {
		e = code_try(&st, entity.code, time_now(), &mark);
		if (e == OK)
			assert_int_equal(code_try_wrong(&st, &mark), OK);
	}
	assert_int_equal(e, last);
	entity_release(&entity);
	store_release(&st);
	file_close(&fd);
}

/* To look at the door takes no attempt; wrong ones lock it. */
static void
locked_and_unlocked(void **state)
{
	int i;

	(void)state;
	assert_int_equal(
	    SCEP("entity", "add", "router9", "--password=geheimnis"), 0);
	for (i = 0; i < MAX_TRIES + 2; i++) {
		assert_int_equal(SCEP("entity", "show", "router9"), 0);
		assert_non_null(strstr(seen, "Code:         good"));
	}
	guess(MAX_TRIES, OK);
	guess(1, ERR_REFUSED);
	assert_int_equal(SCEP("entity", "show", "router9"), 0);
	assert_non_null(strstr(seen, "Code:         locked"));
	assert_non_null(strstr(seen, "Locked until: 20"));
	assert_int_equal(SCEP("entity", "unlock", "router9"), 0);
	assert_string_equal(seen, "10 wrong passwords forgotten\n");
	assert_int_equal(SCEP("entity", "show", "router9"), 0);
	assert_non_null(strstr(seen, "Code:         good"));
	guess(1, OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(shown_by_all_its_names),
		cmocka_unit_test(shown_by_odd_entity),
		cmocka_unit_test(shown_by_file),
		cmocka_unit_test(not_shown),
		cmocka_unit_test(locked_and_unlocked),
	};

	return cmocka_run_group_tests(tests, start, end);
}
