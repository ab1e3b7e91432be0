/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of strangers' bytes: what is made of them is UTF-8, is fit for a terminal, for JSON and for
 * XML, and is cut between characters only. */
#include <check.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

#include "src/util/cleanup.h"
#include "src/util/utf8.h"
#include "tests/unit/suite.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

typedef void (*put_func)(FILE *out, const char *text);

static char *put(put_func func, const char *text)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	ck_assert_ptr_nonnull(out);
	func(out, text);
	fclose(out);
	return result;
}

static const struct {
	const char *bytes, *clean, *plain, *json, *xml;
} cases[] = {
	{ "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
	  "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
	  "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
	/* One for each maximal part: of a cut character, an overlong form, a surrogate. */
	{ "\xff\xfe|\xe2\x82|\xc0\x80|\xed\xa0\x80|\xf4\x90\x80\x80|\xf0\x9f\x98",
	  BAD BAD "|" BAD "|" BAD BAD "|" BAD BAD BAD "|" BAD BAD BAD BAD "|" BAD,
	  BAD BAD "|" BAD "|" BAD BAD "|" BAD BAD BAD "|" BAD BAD BAD BAD "|" BAD,
	  BAD BAD "|" BAD "|" BAD BAD "|" BAD BAD BAD "|" BAD BAD BAD BAD "|" BAD,
	  BAD BAD "|" BAD "|" BAD BAD "|" BAD BAD BAD "|" BAD BAD BAD BAD "|" BAD },
	{ "\x1b[2J\x7f\r\n\t", "\x1b[2J\x7f\r\n\t", "\\x1b[2J\\x7f\\r\\n\\t",
	  "\\u001b[2J\x7f\\r\\n\\t", BAD "[2J&#127;&#13;&#10;&#9;" },
	/* C1's CSI, and right-to-left override. */
	{ "\xc2\x9b"
	  "5m\xe2\x80\xae",
	  "\xc2\x9b"
	  "5m\xe2\x80\xae",
	  "\\u009b5m\\u202e", "\\u009b5m\\u202e", "&#155;5m&#8238;" },
	{ "ipv4\"/><evil a='&'\\", "ipv4\"/><evil a='&'\\", "ipv4\"/><evil a='&'\\",
	  "ipv4\\\"/><evil a='&'\\\\", "ipv4&quot;/&gt;&lt;evil a='&amp;'\\" },
	{ "\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbe\xef\xbf\xbf",
	  "\xef\xbf\xbe\xef\xbf\xbf", BAD BAD },
};

START_TEST(bytes_for_each_use)
{
	_cleanup_(freep) char *clean = utf8_clean(cases[_i].bytes, strlen(cases[_i].bytes));
	_cleanup_(freep) char *plain = utf8_plain(cases[_i].bytes);
	_cleanup_(freep) char *json = put(utf8_put_json, cases[_i].bytes);
	_cleanup_(freep) char *xml = put(utf8_put_xml, cases[_i].bytes);

	ck_assert_str_eq(clean, cases[_i].clean);
	ck_assert_str_eq(plain, cases[_i].plain);
	ck_assert_str_eq(json, cases[_i].json);
	ck_assert_str_eq(xml, cases[_i].xml);
}
END_TEST

START_TEST(zero_is_replaced)
{
	_cleanup_(freep) char *clean = utf8_clean("a\0b", 3);

	ck_assert_str_eq(clean, "a" BAD "b");
}
END_TEST

/* The C library is asked, which has its own decoder; it goes beyond the end of Unicode. */
static bool is_utf8(const char *text)
{
	mbstate_t state = { 0 };
	wchar_t wide[256] = { 0 };
	bool beyond = false;

	if (mbsrtowcs(wide, &text, ARRAY_SIZE(wide), &state) == (size_t)-1)
		return false;
	for (const wchar_t *c = wide; *c; c++)
		beyond |= *c > 0x10ffff;
	return !beyond;
}

/* Each sequence of two bytes that begins above ASCII, in front of each of some continuations, and
 * long random ones. */
START_TEST(any_bytes_become_utf8)
{
	static const char ends[][3] = { "", "\x80", "\xbf\xbf", "a", "\xc3" };
	unsigned int seed = 1;

	ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	for (unsigned int i = 0x10000 - (unsigned int)suite_rounds(0x4100); i < 0x10000; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(ends); k++) {
			char bytes[5] = { (char)(i >> 8), (char)i };
			size_t size = 2 + strlen(strcpy(bytes + 2, ends[k]));
			_cleanup_(freep) char *clean = utf8_clean(bytes, size);

			ck_assert_msg(is_utf8(clean), "%04x %zu", i, k);
			if (strlen(bytes) == size && is_utf8(bytes))
				ck_assert_str_eq(clean, bytes);
			else
				ck_assert_ptr_nonnull(strstr(clean, BAD));
		}
	}
	for (int i = 0; i < suite_rounds(2000); i++) {
		_cleanup_(freep) char *clean = NULL;
		char bytes[64];

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (char)(rand_r(&seed) >> 8);
		clean = utf8_clean(bytes, sizeof(bytes));
		ck_assert(is_utf8(clean));
	}
}
END_TEST

START_TEST(cuts_are_between_characters)
{
	const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"; /* 1, 2, 3, 4 and 1 bytes */
	static const size_t heads[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };
	static const size_t tails[] = { 0, 1, 1, 1, 1, 5, 5, 5, 8, 8, 10, 11, 11 };

	for (size_t size = 0; size < ARRAY_SIZE(heads); size++) {
		ck_assert_uint_eq(utf8_head(text, size), heads[size]);
		ck_assert_uint_eq(strlen(utf8_tail(text, size)), tails[size]);
	}
	/* Bytes that begin no character are no reason to cut all of them. */
	ck_assert_uint_eq(utf8_head("\x80\x80\x80\x80\x80\x80\x80\x80", 6), 6);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, bytes_for_each_use, 0, (int)ARRAY_SIZE(cases));
	tcase_add_test(tc, zero_is_replaced);
	tcase_add_test(tc, any_bytes_become_utf8);
	tcase_add_test(tc, cuts_are_between_characters);
}

int main(void)
{
	return suite_main("utf8", add_tests);
}
