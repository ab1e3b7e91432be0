/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings that do not keep what they should are found out in guests. */
#include <string.h>

#include "src/engine/guest-main.h"
#include "src/tune/verify.h"
#include "src/util/array.h"
#include "tests/unit/suite.h"

#define SEC NSEC_PER_SEC

static const struct {
	struct tune_settings settings;
	const char *breaks; /* what the first broken trial did; NULL: none breaks */
} cases[] = {
	{ { .idle = 5, .interval = 2, .count = 5, .user_timeout_nsec = 14500 * NSEC_PER_MSEC },
	  NULL },
	{ { .idle = 5, .interval = 1, .count = 2, .retries2 = 5 }, "healthy connection" },
	{ { .idle = 20, .interval = 2, .count = 5, .user_timeout_nsec = 14500 * NSEC_PER_MSEC },
	  "was noticed after" },
	{ { .idle = 5, .interval = 2, .count = 5, .user_timeout_nsec = 5 * SEC },
	  "healthy connection" },
	{ { .idle = 5, .interval = 2, .count = 5 }, "went unnoticed" },
};

START_TEST(broken_promises_are_found)
{
	const struct tune_goal goal = { .detect_nsec = 20 * SEC,
					.survive_nsec = 7 * SEC,
					.workloads = { true, true },
					.facts = { model_facts_of(250, true) },
					.n_facts = 1 };
	struct tune_verdict verdict = { .detect_nsec = NSEC_NONE };
	struct error err = { 0 };
	int rc = tune_verify(&engine_qemu, &goal, &cases[_i].settings, 1, "6.12", NULL, NULL,
			     &verdict, &err);

	ck_assert_msg(rc >= 0, "%s", err.text);
	ck_assert_uint_eq(verdict.trials, 32);
	ck_assert_uint_eq(verdict.inconclusive, 0);
	ck_assert_msg(!verdict.broken == !cases[_i].breaks, "%zu broken: %s", verdict.broken,
		      verdict.first);
	if (cases[_i].breaks)
		ck_assert_msg(strstr(verdict.first, cases[_i].breaks), "%s", verdict.first);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, broken_promises_are_found, 0, ARRAY_SIZE(cases));
}

int main(void)
{
	guest_run_if_guest(); /* guests run this very program */
	return suite_main("tune-verify", add_tests);
}
