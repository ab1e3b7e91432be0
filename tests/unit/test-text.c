/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of quantities with units, and of the names that are suggested for a misspelt one. */
#include <check.h>
#include <errno.h>

#include "src/text/quantity.h"
#include "src/text/suggest.h"
#include "src/util/cleanup.h"
#include "tests/unit/suite.h"

START_TEST(quantities)
{
	uint64_t value;
	double part;
	bool yes;

	ck_assert_int_eq(quantity_parse_bytes("64KiB", 0, UINT64_MAX, &value, NULL), 0);
	ck_assert_uint_eq(value, 65536);
	ck_assert_int_lt(quantity_parse_bytes("99999999999GiB", 0, UINT64_MAX, &value, NULL), 0);
	ck_assert_int_lt(quantity_parse_bytes("18446744073709551616", 0, UINT64_MAX, &value, NULL),
			 0);
	ck_assert_int_lt(quantity_parse_count("+1", 0, 9, &value, NULL), 0);
	ck_assert_int_eq(quantity_parse_percent("100%", &part, NULL), 0);
	ck_assert_int_lt(quantity_parse_percent("100.1%", &part, NULL), 0);
	ck_assert_int_lt(quantity_parse_percent("%", &part, NULL), 0);
	ck_assert_int_eq(quantity_parse_rate("1.5gbit", &value, NULL), 0);
	ck_assert_uint_eq(value, 1500000000);
	ck_assert_int_lt(quantity_parse_rate("7bit", &value, NULL), 0);
	ck_assert_int_lt(quantity_parse_bool("1", &yes, NULL), 0);
}
END_TEST

static const struct {
	const char *text;
	nsec_t expect_nsec; /* NSEC_NONE: refused */
} spans[] = {
	{ "0", 0 },
	{ "5s", 5 * NSEC_PER_SEC },
	{ "1.5s", 1500 * NSEC_PER_MSEC },
	{ "250ms", 250 * NSEC_PER_MSEC },
	{ "20 min", 1200 * NSEC_PER_SEC },
	{ "2h", 7200 * NSEC_PER_SEC },
	{ "30d", 30 * 86400 * NSEC_PER_SEC },
	{ "7us", 7000 },
	{ "5", NSEC_NONE },
	{ "-1s", NSEC_NONE },
	{ "1e3s", NSEC_NONE },
	{ "0x10s", NSEC_NONE },
	{ "1.s", NSEC_NONE },
	{ ".5s", NSEC_NONE },
	{ "5m", NSEC_NONE },
	{ "inf s", NSEC_NONE },
	{ "", NSEC_NONE },
	{ "99999999999d", NSEC_NONE },
};

START_TEST(time_is_read_or_refused)
{
	struct error err = { 0 };
	nsec_t span_nsec = -1;
	int rc = quantity_parse_time(spans[_i].text, &span_nsec, &err);

	if (spans[_i].expect_nsec == NSEC_NONE) {
		ck_assert_int_eq(rc, -EINVAL);
		ck_assert_int_eq(span_nsec, -1);
		ck_assert_int_eq(err.kind, ERROR_INPUT);
	} else {
		ck_assert_int_eq(rc, 0);
		ck_assert_int_eq(span_nsec, spans[_i].expect_nsec);
		ck_assert_str_eq(err.text, "");
	}
}
END_TEST

/* A key whose last part is short is no misspelling of each other short one beside it. */
START_TEST(suggestion_looks_at_the_last_part)
{
	struct suggestion suggestion;
	char text[128];

	suggestion_init(&suggestion, "client.nope");
	suggestion_offer(&suggestion, "client.size");
	ck_assert_ptr_null(
		strstr(suggestion_text(&suggestion, text, sizeof(text)), "did you mean"));
	suggestion_init(&suggestion, "client.sizee");
	suggestion_offer(&suggestion, "client.size");
	ck_assert_ptr_nonnull(
		strstr(suggestion_text(&suggestion, text, sizeof(text)), "'client.size'"));
}
END_TEST

START_TEST(suggestions)
{
	struct suggestion suggestion;
	char buffer[SUGGESTION_SIZE];

	suggestion_init(&suggestion, "kepealive");
	suggestion_offer(&suggestion, "linger");
	suggestion_offer(&suggestion, "keepalive");
	ck_assert_str_eq(suggestion_text(&suggestion, buffer, sizeof(buffer)),
			 "; did you mean 'keepalive'?");
	suggestion_init(&suggestion, "x");
	suggestion_offer(&suggestion, "linger");
	suggestion_offer(&suggestion, "keepalive");
	ck_assert_str_eq(suggestion_text(&suggestion, buffer, sizeof(buffer)),
			 "; it is one of linger, keepalive");
	for (int i = 0; i < 40; i++)
		suggestion_offer(&suggestion, "keepalive");
	ck_assert_str_eq(suggestion_text(&suggestion, buffer, sizeof(buffer)), "");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, quantities);
	tcase_add_loop_test(tc, time_is_read_or_refused, 0, ARRAY_SIZE(spans));
	tcase_add_test(tc, suggestions);
	tcase_add_test(tc, suggestion_looks_at_the_last_part);
}

int main(void)
{
	return suite_main("text", add_tests);
}
