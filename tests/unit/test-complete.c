/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `deadpeer __complete` prints for a verb with options of the kinds that need more than a list
 * of words. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd/complete.h"
#include "src/util/cleanup.h"
#include "tests/unit/suite.h"

struct options {
	const char *by, *kernel;
};

static const struct argument arguments[] = {
	{ "by", 0, "AXIS", "", TO_TEXT(options, by) },
	{ "kernel", 'k', "NAME", "", TO_TEXT(options, kernel) },
	{ 0 },
};
static const struct verb verb = { .name = "verb", .operands = "STUDY", .arguments = arguments };
static const struct verb scenarios = { .name = "scenarios", .operands = "SCENARIO..." };
static const struct verb choice = { .name = "choice", .operands = "scenario|study NAME" };
static const struct verb *const verbs[] = { &verb, &scenarios, &choice };

/* Returns what is printed for these words, with a newline in front, which is valid until the next
 * call. Each test has a process of its own, whose standard output this takes. */
static const char *complete(int n, const char *const words[])
{
	static char text[1 << 16];
	FILE *file = tmpfile();
	size_t size;

	ck_assert_ptr_nonnull(file);
	fflush(stdout);
	ck_assert_int_ge(dup2(fileno(file), STDOUT_FILENO), 0);
	complete_print(verbs, ARRAY_SIZE(verbs), n, (char **)words);
	fflush(stdout);
	rewind(file);
	text[0] = '\n';
	size = fread(text + 1, 1, sizeof(text) - 2, file);
	text[size + 1] = '\0';
	fclose(file);
	return text;
}
#define COMPLETE(...)                                                                              \
	complete(ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })),                               \
		 (const char *const[]){ __VA_ARGS__ })

START_TEST(axes_are_those_of_the_study)
{
	const char *text = COMPLETE("verb", "user-timeout", "--by", "");

	ck_assert_ptr_nonnull(strstr(text, "\nworkload\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nkeepalive\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nclient.user_timeout\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nkernel\n"));
	ck_assert_ptr_null(strstr(text, "tcp_retries2"));
	text = COMPLETE("verb", "--by", "");
	ck_assert_ptr_nonnull(strstr(text, "\nfamily\n"));
	ck_assert_ptr_null(strstr(text, "\nworkload\n"));
}
END_TEST

START_TEST(scenarios_have_names_and_ids)
{
	const char *text = COMPLETE("scenarios", "power");

	ck_assert_ptr_nonnull(strstr(text, "\npower-loss-busy\n"));
	ck_assert_ptr_null(strstr(text, "\nE16\n"));
	text = COMPLETE("scenarios", "E1");
	ck_assert_ptr_nonnull(strstr(text, "\nE16\n"));
	text = COMPLETE("scenarios", "path-loss/");
	ck_assert_ptr_nonnull(strstr(text, "\npath-loss/prohibit\n"));
}
END_TEST

/* A kernel that was fetched is named by its series and by its release. */
START_TEST(kernels_are_those_at_hand)
{
	char cache[] = "/tmp/test-complete-XXXXXX", command[512];
	const char *text;

	ck_assert_ptr_nonnull(mkdtemp(cache));
	setenv("XDG_CACHE_HOME", cache, 1);
	snprintf(command, sizeof(command),
		 "d=%s/deadpeer/kernels/6.12.9-test && mkdir -p $d && touch $d/vmlinuz", cache);
	ck_assert_int_eq(system(command), 0);
	text = COMPLETE("verb", "--kernel", "");
	snprintf(command, sizeof(command), "rm -r %s", cache);
	ck_assert_int_eq(system(command), 0);
	ck_assert_ptr_nonnull(strstr(text, "\n6.12\n6.12.9-test\n"));
}
END_TEST

START_TEST(words_of_operands)
{
	ck_assert_str_eq(COMPLETE("choice", ""), "\nscenario\nstudy\n");
	ck_assert_str_eq(COMPLETE("choice", "study", ""), "\n");
	ck_assert_ptr_nonnull(strstr(COMPLETE("verb", ""), "\nretries2-ladder\n"));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, axes_are_those_of_the_study);
	tcase_add_test(tc, scenarios_have_names_and_ids);
	tcase_add_test(tc, kernels_are_those_at_hand);
	tcase_add_test(tc, words_of_operands);
}

int main(void)
{
	return suite_main("complete", add_tests);
}
