/*
 * What judges far away want of a certificate: taken whole and checked, or not
 * at all.
 */
#include "tests/unit/storehome.h"

#include "judge/judge.h"

#define WHO "alias net: output of /judge"

static enum err
reads(const char *text, size_t len, struct judgement *j)
{
	judgement_init(j);
	said[0] = '\0';
	return overrides_read(WHO, span_of(text, len), j);
}

static void
takes_all(void **state)
{
	static const char text[] = "username=lamp 7\n"
				   "subject=CN=lamp\\, 7,O=Lab\n"
				   "san=dNSName=a.example, iPAddress=::1\n"
				   "profile=tls-server\n"
				   "validity=36h\n"
				   "reason=it = known\n";
	struct judgement j;

	(void)state;
	/* with and without the last newline */
	for (size_t cut = 0; cut < 2; cut++) {
		assert_int_equal(reads(text, sizeof(text) - 1 - cut, &j), OK);
		assert_string_equal(j.over.username, "lamp 7");
		assert_string_equal(j.over.subject, "CN=lamp\\, 7,O=Lab");
		assert_string_equal(
		    j.over.san, "dNSName=a.example, iPAddress=::1");
		assert_string_equal(j.over.profile, "tls-server");
		assert_int_equal(j.over.validity, 36 * 3600);
		assert_string_equal(buf_cstr(&j.why), "it = known");
		assert_int_equal(j.ruling, RULING_NO);
		assert_string_equal(said, "");
		judgement_release(&j);
	}
}

static void
takes_nothing(void **state)
{
	struct judgement j;

	(void)state;
	assert_int_equal(reads("", 0, &j), OK);
	assert_null(j.over.username);
	assert_null(j.over.san);
	assert_int_equal(j.over.validity, 0);
	assert_int_equal(reads("san=", 4, &j), OK);
	assert_string_equal(j.over.san, "");
	judgement_release(&j);
}

/* As a whole or with its length, for what has a NUL in it. */
#define ROW(text, says)                      \
	{                                    \
		text, sizeof(text) - 1, says \
	}
#define C10  "aaaaaaaaaa"
#define C50  C10 C10 C10 C10 C10
#define C200 C50 C50 C50 C50

static void
refuses(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *says;
	} rows[] = {
		ROW("yes", "a line is not key=value"),
		ROW("\n", "a line is not key=value"),
		ROW("san=\n\n", "a line is not key=value"),
		ROW("san=\nno", "a line is not key=value"),
		ROW("=", WHO ": there is no such key"),
		ROW("San=", WHO ": there is no such key"),
		ROW(" san=", WHO ": there is no such key"),
		ROW("san =", WHO ": there is no such key"),
		ROW("san\0=", WHO ": there is no such key"),
		ROW("color=red", WHO ": there is no such key"),
		ROW("code=1", WHO ": there is no such key"),
		ROW("san=\nsan=", "san: it is there twice"),
		ROW("username=a\nusername=a", "username: it is there twice"),
		ROW("profile=a\nprofile=a", "profile: it is there twice"),
		ROW("validity=1d\nvalidity=1d", "validity: it is there twice"),
		ROW("reason=a\nreason=a", "reason: it is there twice"),
		ROW("username=", "username: it must not be empty"),
		ROW("username=a\0b", "username: it has control characters"),
		ROW("username=a\r", "username: it has control characters"),
		ROW("username=\x7f", "username: it has control characters"),
		ROW("username=" C200 C50 "aaaaaa", "username: it is too long"),
		ROW("subject=", "subject: it must not be empty"),
		ROW("subject=router1", "subject: no DN"),
		ROW("subject=CN=a,,O=b", "subject: no DN"),
		ROW("subject=CN=a,", "subject: no DN"),
		ROW("subject=C=Sweden", "subject: "),
		ROW("subject=CN=\xff", "subject: "),
		ROW("username=\xff", "username: it is no UTF-8 text"),
		ROW("san=a.example", "san: no SAN"),
		ROW("san=dNSName=", "san: no SAN"),
		ROW("san=iPAddress=1.2.3", "san: no SAN"),
		ROW("profile=", "profile: no name of a profile"),
		ROW("profile=../ca", "profile: no name of a profile"),
		ROW("profile=a b", "profile: no name of a profile"),
		ROW("validity=", "validity: no duration"),
		ROW("validity=0d", "validity: no duration"),
		ROW("validity=d", "validity: no duration"),
		ROW("validity=-1d", "validity: no duration"),
		ROW("validity=3", "validity: no duration"),
		ROW("validity=1 d", "validity: no duration"),
		ROW("validity=36601d", "validity: no duration"),
		ROW("validity=99999999999999999999d", "validity: no duration"),
		ROW("validity=2030-01-01", "validity: no duration"),
		ROW("reason=", "reason: it must have 1 to 200 bytes"),
		ROW("reason=" C200 "a", "reason: it must have 1 to 200 bytes"),
		ROW("reason=\033[2J", "reason: it has control characters"),
	};
	struct judgement j;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum err e = reads(rows[i].text, rows[i].len, &j);

		if (e != ERR_INPUT || strstr(said, rows[i].says) == NULL ||
		    strstr(said, WHO ": ") == NULL)
			fail_msg("%s: %d, %s", rows[i].text, (int)e, said);
		judgement_release(&j);
	}
}

/* The longest that are good. */
static void
takes_long(void **state)
{
	static const char username[] = "username=" C200 C50 "aaaaa";
	static const char reason[] = "reason=" C200;
	static const char validity[] = "validity=36600d";
	struct judgement j;

	(void)state;
	assert_int_equal(reads(username, sizeof(username) - 1, &j), OK);
	judgement_release(&j);
	assert_int_equal(reads(reason, sizeof(reason) - 1, &j), OK);
	judgement_release(&j);
	assert_int_equal(reads(validity, sizeof(validity) - 1, &j), OK);
	judgement_release(&j);
}

/* For judges that do not speak in lines. */
static void
takes_one_by_one(void **state)
{
	struct judgement j;

	(void)state;
	judgement_init(&j);
	assert_int_equal(
	    overrides_put(WHO, span_of("profile", 7), span_of("vpn", 3), &j),
	    OK);
	assert_string_equal(j.over.profile, "vpn");
	assert_int_equal(
	    overrides_put(WHO, span_of("username", 8), span_of("a\nb", 3), &j),
	    ERR_INPUT);
	assert_int_equal(
	    overrides_put(WHO, span_of(NULL, 0), span_of(NULL, 0), &j),
	    ERR_INPUT);
	judgement_release(&j);
}

static int
quiet(void **state)
{
	(void)state;
	log_sink(keep_line, NULL);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all),
		cmocka_unit_test(takes_nothing),
		cmocka_unit_test(refuses),
		cmocka_unit_test(takes_long),
		cmocka_unit_test(takes_one_by_one),
	};

	return cmocka_run_group_tests_name("overrides", tests, quiet, NULL);
}
