/*
 * One-time codes before their judge: whom they are for, and what each no
 * costs (C-163).
 */
#include "tests/unit/storehome.h"

#include "ca/dn.h"
#include "judge/judge.h"
#include "store/onetime.h"

struct offer {
	const char *alias, *subject, *entity, *profile;
	int64_t ttl;
	const char *san;
};

static void
make(const struct house *h, const struct offer *of, struct buf *code)
{
	struct onetime o = { .alias = str_dup(of->alias),
		.subject = str_dup(of->subject),
		.entity = str_dup(of->entity),
		.profile = str_dup(of->profile),
		.san = str_dup(of->san),
		.by = str_dup("uid 7 (anna)"),
		.code = { .count = 1, .expires = time_now() + of->ttl } };

	buf_clear(code);
	assert_int_equal(onetime_add(&h->st, &o, code), OK);
	onetime_release(&o);
}

static struct alias net = { .name = "net",
	.mode = MODE_RA,
	.challenge = { .judge = JUDGE_ONETIME } };

/* NULL: yes; else why not. */
static const char *
ask(const struct house *h, struct span code, const char *subject,
    struct judgement *j)
{
	struct buf der = BUF_INIT;
	struct judge_case c = { .alias = &net,
		.store = &h->st,
		.username = "who asks",
		.challenge = code,
		.now = time_now() };

	if (*subject != '\0')
		assert_int_equal(dn_parse(subject, &der), OK);
	c.name = buf_span(&der);
	said[0] = '\0';
	judgement_init(j);
	assert_int_equal(judge(&c, j), OK);
	buf_release(&der);
	if (j->ruling == RULING_YES) {
		assert_null(j->reason);
		assert_true(j->code.onetime && j->code.count == 1);
		return NULL;
	}
	assert_int_equal(j->ruling, RULING_NO);
	assert_int_equal(j->code.id[0], '\0');
	assert_null(j->over.username);
	assert_null(j->over.profile);
	return j->reason;
}

static void
refused(const struct house *h, struct span code, const char *subject,
    const char *why)
{
	struct judgement j;

	assert_string_equal(ask(h, code, subject, &j), why);
	judgement_release(&j);
}

#define OTHER "the code is for another subject"

static void
admits_whom_it_is_for(void **state)
{
	static const struct offer any = { "net", NULL, NULL, "VPN", 60, NULL };
	static const struct offer one = { "net", "CN=router1,O=Lab", "router1",
		NULL, 60, NULL };
	struct house *h = *state;
	struct buf code = BUF_SECRET;
	struct judgement j;

	net.mode = MODE_RA;
	make(h, &any, &code);
	assert_null(ask(h, buf_span(&code), "CN=x", &j));
	assert_string_equal(j.over.profile, "VPN");
	assert_null(j.over.username);
	judgement_release(&j);
	assert_null(ask(h, buf_span(&code), "", &j));
	judgement_release(&j);
	make(h, &one, &code);
	assert_null(ask(h, buf_span(&code), "CN=ROUTER1,O= lab", &j));
	assert_null(j.over.profile);
	assert_null(j.over.username);
	judgement_release(&j);
	refused(h, buf_span(&code), "CN=router2,O=Lab", OTHER);
	assert_non_null(strstr(said, "uid 7 (anna)"));
	assert_null(strstr(said, buf_cstr(&code)));
	refused(h, buf_span(&code), "CN=router1", OTHER);
	refused(h, buf_span(&code), "CN=router1,O=Lab,C=SE", OTHER);
	refused(h, buf_span(&code), "O=Lab,CN=router1", OTHER);
	refused(h, buf_span(&code), "CN=router1+O=Lab", OTHER);
	refused(h, buf_span(&code), "", OTHER);
	/* CA mode: the entity is the one that it was made for */
	net.mode = MODE_CA;
	assert_null(ask(h, buf_span(&code), "CN=Router1,O=Lab", &j));
	assert_string_equal(j.over.username, "router1");
	judgement_release(&j);
	make(h, &any, &code);
	refused(h, buf_span(&code), "CN=x",
	    "the code is for no entity, as CA mode wants it to be (`scep "
	    "challenge new --for`)");
	net.mode = MODE_RA;
	buf_release(&code);
}

/* What else may such a certificate be called?  NULL: as the request says. */
static void
says_the_san(void **state)
{
	static const struct {
		struct offer offer;
		enum operation_mode mode;
		const char *san;
	} cases[] = {
		{ { "net", NULL, NULL, NULL, 60, NULL }, MODE_RA, NULL },
		{ { "net", "CN=a", NULL, NULL, 60, NULL }, MODE_RA, "" },
		{ { "net", "CN=a", NULL, NULL, 60, "dNSName=a.example" },
		    MODE_RA, "dNSName=a.example" },
		{ { "net", "CN=a", NULL, NULL, 60, "request" }, MODE_RA, NULL },
		{ { "net", "CN=a", NULL, NULL, 60, NULL }, MODE_EXTERNALRA,
		    "" },
		{ { "net", "CN=a", "a", NULL, 60, NULL }, MODE_CA, NULL },
		{ { "net", "CN=a", "a", NULL, 60, "dNSName=b" }, MODE_CA,
		    NULL },
	};
	struct house *h = *state;
	struct buf code = BUF_SECRET;
	struct judgement j;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		net.mode = cases[i].mode;
		make(h, &cases[i].offer, &code);
		assert_null(ask(h, buf_span(&code), "CN=a", &j));
		if (cases[i].san == NULL)
			assert_null(j.over.san);
		else
			assert_string_equal(j.over.san, cases[i].san);
		judgement_release(&j);
	}
	net.mode = MODE_RA;
	buf_release(&code);
}

static void
refuses_others(void **state)
{
	static const struct offer other = { "lan", NULL, NULL, NULL, 60, NULL };
	static const struct offer over = { "net", NULL, NULL, NULL, 0, NULL };
	static const struct offer both = { "lan", "CN=a", NULL, NULL, -60,
		NULL };
	struct house *h = *state;
	struct buf code = BUF_SECRET;

	refused(h, text(""), "CN=x", "no challengePassword");
	refused(h, text("0123456789ABCDEF0123456789ABCDEF"), "CN=x",
	    "unknown code");
	refused(h, text("hush"), "CN=x", "unknown code");
	make(h, &other, &code);
	refused(h, buf_span(&code), "CN=x", "code of another alias");
	make(h, &over, &code);
	refused(h, buf_span(&code), "CN=x", "code has expired");
	make(h, &both, &code);
	refused(h, buf_span(&code), "CN=x", "code of another alias");
	buf_release(&code);
}

/* A record that cannot be read is our own trouble, and no answer. */
static void
damage_is_no_answer(void **state)
{
	static const struct offer any = { "net", "CN=a", NULL, NULL, 60, NULL };
	struct house *h = *state;
	struct onetime o = ONETIME_INIT;
	struct buf code = BUF_SECRET;
	struct judge_case c = {
		.alias = &net, .store = &h->st, .username = ""
	};
	struct judgement j;
	char path[80];

	make(h, &any, &code);
	assert_int_equal(onetime_find(&h->st, buf_span(&code), &o), OK);
	(void)snprintf(
	    path, sizeof(path), "onetime/%.2s/%s", o.code.id, o.code.id);
	scribble(h, path, "[onetime]\nalias = net\n");
	c.challenge = buf_span(&code);
	judgement_init(&j);
	assert_int_equal(judge(&c, &j), ERR_SYSTEM);
	assert_int_equal(j.ruling, RULING_NO);
	judgement_release(&j);
	onetime_release(&o);
	buf_release(&code);
}

static int64_t
cpu(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Whichever no it is, it takes a scrypt; a yes does not. */
static void
each_no_costs_the_same(void **state)
{
	static const struct offer offers[] = {
		{ "lan", NULL, NULL, NULL, 60, NULL },
		{ "net", NULL, NULL, NULL, 0, NULL },
		{ "net", "CN=a", NULL, NULL, 60, NULL },
		{ "net", NULL, NULL, NULL, 60, NULL },
	};
	struct house *h = *state;
	struct buf code = BUF_SECRET;
	int64_t t, scrypt, took;
	struct judgement j;

	t = cpu();
	for (int i = 0; i < 4; i++)
		code_decoy();
	scrypt = cpu() - t;
	for (size_t k = 0; k < 6; k++) {
		const char *challenge = k == 4 ? "" : "hush", *why = NULL;

		if (k < 4)
			make(h, &offers[k], &code);
		t = cpu();
		for (int i = 0; i < 4; i++) {
			why = ask(h, k < 4 ? buf_span(&code) : text(challenge),
			    "CN=x", &j);
			judgement_release(&j);
		}
		took = cpu() - t;
		if (k == 3) {
			assert_null(why);
			assert_true(took < scrypt / 2);
			continue;
		}
		assert_non_null(why);
		assert_true(took > scrypt / 2);
		assert_true(took < 2 * scrypt);
	}
	buf_release(&code);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, house_build, house_raze)
	const struct CMUnitTest tests[] = {
		TEST(admits_whom_it_is_for),
		TEST(says_the_san),
		TEST(refuses_others),
		TEST(damage_is_no_answer),
		TEST(each_no_costs_the_same),
	};

	return cmocka_run_group_tests_name("judge onetime", tests, NULL, NULL);
}
