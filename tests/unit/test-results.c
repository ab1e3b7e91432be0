/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Results of trials as JUnit's XML and as Markdown: names, counts, and texts of strangers. */
#include <string.h>

#include "src/record/junit.h"
#include "src/record/results.h"
#include "src/report/markdown.h"
#include "tests/unit/suite.h"

typedef void (*write_func)(const struct results *results, const char *name, FILE *out);

/* The caller frees what it returns. */
static char *text_of(write_func write, const struct results *results)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	write(results, "a <study>", out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void add(struct results *results, const char *scenario, const char *kernel,
		enum result result, const char *lines)
{
	const struct result_source source = { .scenario = scenario,
					      .variant = "v",
					      .places = "axis=1",
					      .kernel = kernel,
					      .release = kernel,
					      .engine = "qemu",
					      .family = "ipv4",
					      .repeat = "0",
					      .took_s = 0.25,
					      .span_s = 900,
					      .result = result,
					      .lines = lines };

	ck_assert_int_eq(results_add(results, &source), 0);
}

static size_t occurrences(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* A case is the same one on each kernel; only its suite differs. */
START_TEST(cases_do_not_depend_on_the_kernel)
{
	_cleanup_(results_freep) struct results *results = results_new();
	_cleanup_(freep) char *xml = NULL;

	add(results, "s", "6.1", RESULT_PASS, NULL);
	add(results, "s", "6.12", RESULT_FAIL, "expected this\nand that");
	add(results, "s", "6.1", RESULT_INCONCLUSIVE, "late");
	add(results, "t", "6.1", RESULT_IMPOSSIBLE, "no netem");
	add(results, "t", "6.12", RESULT_ERROR, "the guest died");
	ck_assert_uint_eq(results->n_suites, 4);
	xml = text_of(junit_write, results);
	ck_assert_uint_eq(occurrences(xml,
				      "<testcase classname=\"s/v\" name=\"axis=1, ipv4, repeat 0\" "
				      "time=\"0.250\">"),
			  3);
	ck_assert_ptr_nonnull(strstr(xml, "<testsuites name=\"a &lt;study&gt;\" tests=\"5\" "
					  "failures=\"1\" errors=\"1\" time=\"1.250\">"));
	ck_assert_ptr_nonnull(strstr(xml,
				     "<testsuite name=\"s/v on 6.1\" tests=\"2\" failures=\"0\" "
				     "errors=\"0\" skipped=\"1\" time=\"0.500\">"));
	ck_assert_ptr_nonnull(strstr(xml, "<testsuite name=\"not possible here\" tests=\"1\""));
	ck_assert_ptr_nonnull(
		strstr(xml, "<failure type=\"expectation\" message=\"expected this\">"));
	ck_assert_ptr_nonnull(
		strstr(xml, "<skipped type=\"inconclusive\" message=\"inconclusive: late\">"));
	ck_assert_ptr_nonnull(strstr(xml, "<skipped type=\"capability\" message=\"no netem\">"));
	ck_assert_ptr_nonnull(strstr(xml, "<error type=\"no record\" message=\"the guest died\">"));
	ck_assert_ptr_nonnull(strstr(xml, "name=\"virtual_s\" value=\"1800.000000\""));
}
END_TEST

/* A failure comes before what is inconclusive, and that before the whole list. */
START_TEST(markdown_begins_with_failures)
{
	_cleanup_(results_freep) struct results *results = results_new();
	_cleanup_(freep) char *text = NULL;
	const char *failed, *open;

	add(results, "s", "6.1", RESULT_INCONCLUSIVE, "late");
	add(results, "s", "6.12", RESULT_FAIL, "expected this\nand that");
	results_add_finding(results, "too early");
	text = text_of(markdown_write, results);
	failed = strstr(text, "\n### Failed: 1\n");
	open = strstr(text, "\n### Inconclusive: 1\n");
	ck_assert(failed && open && failed < open);
	ck_assert_ptr_nonnull(strstr(text, "\n| 2 | 0 | 1 | 1 | 0 | 0 |\n"));
	ck_assert_ptr_nonnull(strstr(
		text, "\n| s/v | axis=1, ipv4, repeat 0 | 6.12 | expected this<br>and that |\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n### Outside of the prediction: 1\n\n- too early\n"));
}
END_TEST

/* Nothing of a stranger's becomes an element, a cell, a link or a line. */
START_TEST(texts_of_strangers_stay_texts)
{
	static const char evil[] = "<b>\"'&|`x`*y*[l](http://h)@me #1\r\033]]>\xff"
				   "--> <!-- \\";
	_cleanup_(results_freep) struct results *results = results_new();
	_cleanup_(freep) char *xml = NULL, *text = NULL;

	add(results, evil, evil, RESULT_FAIL, evil);
	results_add_finding(results, evil);
	xml = text_of(junit_write, results);
	ck_assert_ptr_null(strstr(xml, "<b>"));
	ck_assert_ptr_null(strstr(xml, "\"'&|"));
	ck_assert_ptr_null(strchr(xml, '\033'));
	ck_assert_ptr_null(strstr(xml, "]]>"));
	text = text_of(markdown_write, results);
	ck_assert_ptr_null(strstr(text, "<b>"));
	ck_assert_ptr_null(strchr(text, '\r'));
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_ptr_null(strstr(text, "@me"));
	ck_assert_ptr_null(strstr(text, "#1"));
	ck_assert_ptr_null(strstr(text, "http://"));
	for (const char *at = text; (at = strpbrk(at, "`*[")); at++)
		if (at[0] != '*' || at[1] != '*') /* the words in bold are not a stranger's */
			ck_assert(at > text && (at[-1] == '\\' || at[-1] == '*'));
	for (const char *row = strstr(text, "\n| &lt;b"); row; row = strstr(row + 1, "\n| &lt;b")) {
		size_t cells = 0;

		for (const char *at = row + 1; *at != '\n'; at++)
			cells += *at == '|' && at[-1] != '\\';
		ck_assert(cells == 5 || cells == 9);
	}
}
END_TEST

/* A long text is cut between characters, and so is a long list. */
START_TEST(markdown_has_an_end)
{
	_cleanup_(results_freep) struct results *results = results_new();
	_cleanup_(freep) char *text = NULL;
	char longest[10001];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (int i = 0; i < 1000; i++)
		add(results, longest, "6.1", RESULT_FAIL, longest);
	text = text_of(markdown_write, results);
	ck_assert_uint_lt(strlen(text), 1 << 19);
	ck_assert_ptr_nonnull(strstr(text, "\n### Failed: 1000\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nAnd 900 more.\n"));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, cases_do_not_depend_on_the_kernel);
	tcase_add_test(tc, markdown_begins_with_failures);
	tcase_add_test(tc, texts_of_strangers_stay_texts);
	tcase_add_test(tc, markdown_has_an_end);
}

int main(void)
{
	return suite_main("results", add_tests);
}
