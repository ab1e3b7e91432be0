/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of quantities with units, and of the names that are suggested for a misspelt one. */
#include <check.h>
#include <errno.h>

#include "src/text/document.h"
#include "src/text/quantity.h"
#include "src/text/suggest.h"
#include "src/text/yaml-writer.h"
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

/* What is written reads back as the same tree, but for what is left out and the lines. */
START_TEST(yaml_is_written)
{
	static const char text[] = "a: {x: 1, expect: {y: 2}}\n"
				   "expect: 3\n"
				   "list:\n"
				   "  - \"q\\\"b\\\\s\\tt\\nn\"\n"
				   "  - []\n"
				   "  - \"\\L\u00e9\"\n"
				   "  - {}\n";
	_cleanup_(document_freep) struct document *d = NULL, *again = NULL;
	struct yaml_text written, rewritten;
	struct error err = { 0 };

	ck_assert_msg(document_parse("f", text, strlen(text), &d, &err) == 0, "%s", err.text);
	ck_assert_int_eq(yaml_write(d->root, "expect", &written), 0);
	ck_assert_ptr_null(strstr(written.text, "expect"));
	ck_assert_msg(document_parse("f", written.text, strlen(written.text), &again, &err) == 0,
		      "%s", err.text);
	ck_assert_uint_eq(again->root->n_items, 2);
	ck_assert_str_eq(document_get(document_get(again->root, "a"), "x")->text, "1");
	ck_assert_str_eq(document_get(again->root, "list")->items[0]->text, "q\"b\\s\tt\nn");
	ck_assert_str_eq(document_get(again->root, "list")->items[2]->text, "\xe2\x80\xa8\xc3\xa9");
	/* Each line of the written text knows where its node was. */
	ck_assert_int_eq(document_get(again->root, "list")->line, 4);
	ck_assert_uint_eq(written.n_lines, 8);
	ck_assert_int_eq(written.lines[3], 3);
	ck_assert_int_eq(yaml_write(again->root, "expect", &rewritten), 0);
	ck_assert_str_eq(written.text, rewritten.text);
	yaml_text_deinit(&written);
	yaml_text_deinit(&rewritten);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, quantities);
	tcase_add_loop_test(tc, time_is_read_or_refused, 0, ARRAY_SIZE(spans));
	tcase_add_test(tc, suggestions);
	tcase_add_test(tc, yaml_is_written);
	tcase_add_test(tc, suggestion_looks_at_the_last_part);
}

int main(void)
{
	return suite_main("text", add_tests);
}
