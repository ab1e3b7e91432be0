/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Every unit test has this main(), which runs one suite of one case and returns the exit status. */

#include <check.h>
#include <stdlib.h>

/* How many rounds a test makes that draws its input. Where a check on memory slows each one down
 * (TEST_FEWER), a twentieth will do: the same rounds run in full without it. */
static inline int suite_rounds(int rounds)
{
	return getenv("TEST_FEWER") ? rounds / 20 : rounds;
}

static inline int suite_main(const char *name, void (*add_tests)(TCase *tc))
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *runner;
	int failed;

	/* A busy machine is slow, and a test that hangs is found all the same. */
	tcase_set_timeout(tc, 60);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
