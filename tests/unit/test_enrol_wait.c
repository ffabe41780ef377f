/* What a yes holds for, and how many are needed (C-114, C-136, C-137). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ca/der.h"
#include "ca/dn.h"
#include "enrol_wait.h"

#define SPAN(s)                                     \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
static const struct extension asked[] = {
	/* keyUsage, subjectKeyIdentifier, one of somebody's own */
	{ SPAN("\x55\x1d\x0f"), true, SPAN("\x03\x02\x05\xa0") },
	{ SPAN("\x55\x1d\x0e"), false, SPAN("\x04\x02\x01\x02") },
	{ SPAN("\x2b\x06\x01\x04\x01\x01"), false, SPAN("\x05\x00") },
};

static void
put_asked(struct csr *csr, size_t n)
{
	memcpy(csr->asked, asked, n * sizeof(*asked));
	csr->nasked = n;
}

static void
extensions_come_back(void **state)
{
	static struct csr csr, back;
	struct buf der = BUF_INIT;

	(void)state;
	assert_int_equal(asked_encode(&csr, &der), OK);
	assert_int_equal(der.len, 0);
	assert_int_equal(asked_decode(buf_span(&der), &back), OK);
	assert_int_equal(back.nasked, 0);
	put_asked(&csr, 3);
	assert_int_equal(asked_encode(&csr, &der), OK);
	assert_true(der_strict(buf_span(&der)));
	assert_int_equal(asked_decode(buf_span(&der), &back), OK);
	assert_int_equal(back.nasked, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(span_eq(back.asked[i].oid, asked[i].oid));
		assert_true(span_eq(back.asked[i].value, asked[i].value));
		assert_int_equal(back.asked[i].critical, asked[i].critical);
	}
	/* cut short at every place, and with something behind */
	for (size_t len = 1; len < der.len; len++)
		assert_int_equal(
		    asked_decode(span_of(der.data, len), &back), ERR_INPUT);
	assert_true(buf_byte(&der, 0));
	assert_int_equal(asked_decode(buf_span(&der), &back), ERR_INPUT);
	buf_release(&der);
}

static void
not_more_than_fit(void **state)
{
	static struct csr csr, back;
	struct buf one = BUF_INIT, list = BUF_INIT, der = BUF_INIT;
	struct span body;

	(void)state;
	put_asked(&csr, 1);
	assert_int_equal(asked_encode(&csr, &one), OK);
	assert_true(der_one(buf_span(&one), DER_SEQUENCE, &body));
	for (int i = 0; i <= MAX_EXTENSIONS; i++) {
		buf_clear(&der);
		assert_true(buf_add(&list, body.p, body.len));
		assert_true(der_put(&der, DER_SEQUENCE, buf_span(&list)));
		assert_int_equal(asked_decode(buf_span(&der), &back),
		    i < MAX_EXTENSIONS ? OK : ERR_INPUT);
	}
	buf_release(&one);
	buf_release(&list);
	buf_release(&der);
}

/* A record, and a message and decision that it covers. */
struct world {
	struct alias alias;
	struct ca ca;
	struct profile profile;
	struct pkimsg msg;
	struct decision d;
	struct waiting w;
};

static int
build(void **state)
{
	static struct world now;
	struct world *k = &now;

	memset(k, 0, sizeof(*k));
	k->ca.name = (char *)(uintptr_t) "Test CA";
	(void)snprintf(k->profile.name, sizeof(k->profile.name), "ENDUSER");
	pkimsg_init(&k->msg);
	k->msg.ca = &k->ca;
	put_asked(&k->msg.csr, 3);
	decision_init(&k->d);
	k->d.profile = &k->profile;
	k->d.transaction.alias = "ra";
	k->d.entity.username = str_dup("router1");
	assert_int_equal(dn_parse("CN=router1,O=Lab", &k->d.subject), OK);
	k->w.username = str_dup("router1");
	k->w.alias = str_dup("ra");
	k->w.ca = str_dup("Test CA");
	k->w.profile = str_dup("ENDUSER");
	assert_int_equal(dn_parse("CN=router1,O=Lab", &k->w.subject_der), OK);
	assert_int_equal(asked_encode(&k->msg.csr, &k->w.asked_der), OK);
	*state = k;
	return 0;
}

static int
raze(void **state)
{
	struct world *k = *state;

	waiting_release(&k->w);
	decision_release(&k->d);
	pkimsg_release(&k->msg);
	return 0;
}

static bool
covers(const struct world *k)
{
	return enrol_covers(&k->w, &k->msg, &k->d);
}

static void
covers_the_same(void **state)
{
	struct world *k = *state;

	assert_true(covers(k));
	/* another key has another identifier, or none */
	k->msg.csr.asked[1].value = DER_BYTES("\x04\x02\x07\x07");
	assert_true(covers(k));
	k->msg.csr.asked[1] = asked[2];
	k->msg.csr.nasked = 2;
	assert_true(covers(k));
	buf_clear(&k->d.subject); /* case does not count in a name */
	assert_int_equal(dn_parse("CN=Router1,O=LAB", &k->d.subject), OK);
	assert_true(covers(k));
}

static void
covers_nothing_else(void **state)
{
	struct world *k = *state;
	char *text = k->w.renews = str_dup("Test CA/1/01");

	assert_false(covers(k)); /* a renewal is another thing */
	free(text);
	k->w.renews = NULL;
	k->msg.csr.asked[2].value = DER_BYTES("\x05\x01");
	assert_false(covers(k));
	k->msg.csr.nasked = 2;
	assert_false(covers(k));
	put_asked(&k->msg.csr, 3);
	assert_true(covers(k));
	k->d.transaction.alias = "rb";
	assert_false(covers(k));
	k->d.transaction.alias = "ra";
	k->ca.name = (char *)(uintptr_t) "Other";
	assert_false(covers(k));
	k->ca.name = k->w.ca;
	k->profile.name[0] = 'X';
	assert_false(covers(k));
	k->profile.name[0] = 'E';
	k->d.entity.username[6] = '2';
	assert_false(covers(k));
	k->d.entity.username[6] = '1';
	assert_true(buf_byte(&k->d.san, 0x30));
	assert_false(covers(k));
	buf_clear(&k->d.san);
	assert_true(covers(k));
	buf_clear(&k->d.subject);
	assert_int_equal(dn_parse("CN=router1", &k->d.subject), OK);
	assert_false(covers(k));
}

static void
the_highest_counts(void **state)
{
	struct world *k = *state;

	assert_int_equal(enrol_yeses(&k->alias, &k->msg, &k->d), 0);
	k->ca.approval = 1;
	k->alias.approval.required = 2;
	k->profile.approval = 3;
	assert_int_equal(enrol_yeses(&k->alias, &k->msg, &k->d), 3);
	k->ca.approval = 4;
	assert_int_equal(enrol_yeses(&k->alias, &k->msg, &k->d), 4);
	/* of a renewal, those that say so */
	k->msg.renews = true;
	assert_int_equal(enrol_yeses(&k->alias, &k->msg, &k->d), 0);
	k->alias.approval.renewals = true;
	assert_int_equal(enrol_yeses(&k->alias, &k->msg, &k->d), 2);
	k->profile.approval_renewals = true;
	assert_int_equal(enrol_yeses(&k->alias, &k->msg, &k->d), 3);
	k->ca.approval_renewals = true;
	assert_int_equal(enrol_yeses(&k->alias, &k->msg, &k->d), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extensions_come_back),
		cmocka_unit_test(not_more_than_fit),
		cmocka_unit_test_setup_teardown(covers_the_same, build, raze),
		cmocka_unit_test_setup_teardown(
		    covers_nothing_else, build, raze),
		cmocka_unit_test_setup_teardown(
		    the_highest_counts, build, raze),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
