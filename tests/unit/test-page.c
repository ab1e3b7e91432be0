/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests check what a report's page is made of: columns, texts and settings. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "src/report/page-column.h"
#include "src/report/page-setting.h"
#include "tests/unit/suite.h"

static char *put(const int64_t *values, size_t n)
{
	struct column column = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(column_add(&column, values[i]), 0);
	column_put(&column, out);
	fclose(out);
	column_deinit(&column);
	return text;
}

START_TEST(columns_are_short)
{
	static const struct {
		int64_t values[6];
		size_t n;
		const char *want;
	} cases[] = {
		{ { 0 }, 0, "[]" },
		{ { 7 }, 1, "7" },
		{ { COLUMN_NULL, COLUMN_NULL }, 2, "null" },
		{ { 5, 5, 5 }, 3, "5" },
		{ { 5, 6, COLUMN_NULL }, 3, "[5,6,null]" },
		{ { -1, 1 }, 2, "[-1,1]" },
		{ { 1000000, 1000001, 1000000, 1000002 }, 4, "{\"d\":[1000000,1,-1,2]}" },
		{ { 1000000, 1000001, COLUMN_NULL }, 3, "[1000000,1000001,null]" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *text = put(cases[i].values, cases[i].n);

		ck_assert_str_eq(text, cases[i].want);
	}
}
END_TEST

START_TEST(a_late_column_has_nothing_before)
{
	struct column column = { 0 };

	ck_assert_int_eq(column_pad(&column, 2), 0);
	ck_assert_int_eq(column_add(&column, 3), 0);
	ck_assert_int_eq(column_pad(&column, 1), 0);
	ck_assert_uint_eq(column.n, 3);
	ck_assert(column.values[0] == COLUMN_NULL && column.values[1] == COLUMN_NULL);
	ck_assert_int_eq(column.values[2], 3);
	column_deinit(&column);
}
END_TEST

START_TEST(texts_are_written_once)
{
	static const char *const words[] = { "b", "a", "b", "", "a \"q\" \xff" };
	static const int64_t want[] = { 0, 1, 0, 2, 3 };
	_cleanup_(freep) char *text = NULL;
	struct texts texts = { 0 };
	int64_t number;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		ck_assert_int_eq(texts_number(&texts, words[i], &number), 0);
		ck_assert_int_eq(number, want[i]);
	}
	ck_assert_int_eq(texts_number(&texts, NULL, &number), 0);
	ck_assert(number == COLUMN_NULL);
	texts_put(&texts, out);
	fclose(out);
	ck_assert_str_eq(text, "[\"b\",\"a\",\"\",\"a \\\"q\\\" \xef\xbf\xbd\"]");
	texts_deinit(&texts);
}
END_TEST

/* A guest's record has numbers where --set wants words. */
START_TEST(settings_are_as_set_takes_them)
{
	static const struct {
		const char *key, *text, *want;
	} cases[] = {
		{ "client.interval", "0.05", "50ms" },
		{ "client.interval", "50ms", "50ms" },
		{ "client.user_timeout", "5", "5s" },
		{ "client.user_timeout", "0", "0s" },
		{ "client.keepalive.enabled", "1", "true" },
		{ "proxy.keepalive.enabled", "0", "false" },
		{ "client.keepalive.count", "9", "9" },
		{ "client.size", "1000", "1000" },
		{ "client.workload", "stream", "stream" },
		{ "client.net.ipv4.tcp_retries2", "15", "15" },
		{ "path.loss", "0.01", "1%" },
		{ "path.delay", "0.0005", "500us" },
		{ "path.rate", "1000", "1000bit" },
		{ "", "", "" },
		{ "client", "1", "1" },
		{ "client.interval", "1e", "1e" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(freep) char *text = page_setting(cases[i].key, cases[i].text);

		ck_assert_str_eq(text, cases[i].want);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, columns_are_short);
	tcase_add_test(tc, a_late_column_has_nothing_before);
	tcase_add_test(tc, texts_are_written_once);
	tcase_add_test(tc, settings_are_as_set_takes_them);
}

int main(void)
{
	return suite_main("page", add_tests);
}
