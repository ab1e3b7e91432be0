/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From goals to settings: what the model promises of them, what is impossible, and what is
 * proposed. */
#include <stdlib.h>
#include <string.h>

#include "src/tune/dialect.h"
#include "src/util/array.h"
#include "tests/unit/suite.h"

#define SEC NSEC_PER_SEC

static struct tune_goal goal_of(nsec_t detect_nsec, nsec_t survive_nsec)
{
	return (struct tune_goal){ .detect_nsec = detect_nsec,
				   .survive_nsec = survive_nsec,
				   .workloads = { true, true },
				   .facts = { model_facts_of(250, true) },
				   .n_facts = 1 };
}

static const struct {
	nsec_t detect_nsec, survive_nsec, rtt_nsec;
	double loss;
	bool idle, busy, possible;
} goals[] = {
	{ 30 * SEC, 10 * SEC, 0, 0, true, true, true },
	{ 30 * SEC, 10 * SEC, 80 * NSEC_PER_MSEC, 0.02, true, true, true },
	{ 120 * SEC, 60 * SEC, 0, 0, true, false, true },
	{ 3600 * SEC, 600 * SEC, 300 * NSEC_PER_MSEC, 0.1, true, true, true },
	{ 5 * SEC, 0, 0, 0, true, true, true },
	{ 30 * SEC, 1 * SEC, 0, 0, false, true, true },
	{ 12 * SEC, 10 * SEC, 0, 0, true, true, false },
	{ 15 * SEC, 10 * SEC, 0, 0, true, false, true },
	{ 10 * SEC, 10 * SEC, 0, 0, true, false, false },
	{ 1 * SEC, 0, 0, 0, true, true, false },
};

static struct tune_goal goal_at(int i)
{
	struct tune_goal goal = goal_of(goals[i].detect_nsec, goals[i].survive_nsec);

	goal.rtt_nsec = goals[i].rtt_nsec;
	goal.loss = goals[i].loss;
	goal.workloads[TUNE_IDLE] = goals[i].idle;
	goal.workloads[TUNE_BUSY] = goals[i].busy;
	return goal;
}

START_TEST(goals_are_reached_or_refused)
{
	const struct tune_goal goal = goal_at(_i);
	struct tune_result r;
	struct error err = { 0 };
	int rc = tune_search(&goal, &r, &err);

	ck_assert_msg(rc >= 0, "%s", err.text);
	ck_assert_int_eq(rc, goals[_i].possible);
	for (size_t i = 0; i < r.n; i++) {
		const struct tune_point *p = &r.frontier[i];

		ck_assert_int_le(tune_worst_detect(&goal, &p->figures), goal.detect_nsec);
		ck_assert_int_ge(tune_least_survive(&goal, &p->figures), goal.survive_nsec);
		ck_assert_uint_ge(p->settings.idle, 1);
		ck_assert_uint_le(p->settings.count, TUNE_PROBES_MAX);
		ck_assert(!p->settings.user_timeout_nsec == !goals[_i].busy);
		/* Each is better in something than each other one. */
		for (size_t k = 0; k < r.n; k++)
			ck_assert(k == i ||
				  tune_worst_detect(&goal, &p->figures) <
					  tune_worst_detect(&goal, &r.frontier[k].figures) ||
				  p->figures.alarms_a_day < r.frontier[k].figures.alarms_a_day ||
				  p->figures.probes_a_day < r.frontier[k].figures.probes_a_day);
	}
	if (rc)
		ck_assert_uint_lt(r.chosen, r.n);
}
END_TEST

/* Keepalive of 10 s, 5 s, 3: the third unanswered probe is 10 s after the first, and the end 15 s
 * after it, each up to an eighth later. */
START_TEST(figures_of_keepalive)
{
	const struct tune_goal goal = goal_of(60 * SEC, 0);
	const struct tune_settings s = { .idle = 10, .interval = 5, .count = 3 };
	struct error err = { 0 };
	nsec_t detect_nsec, survive_nsec;
	unsigned int tries;

	ck_assert_int_ge(tune_detect(&goal, &s, TUNE_IDLE, &detect_nsec, &err), 0);
	ck_assert_int_ge(tune_survive(&goal, &s, TUNE_IDLE, &survive_nsec, &tries, &err), 0);
	ck_assert_int_ge(detect_nsec, 25 * SEC);
	ck_assert_int_le(detect_nsec, 25 * SEC + 25 * SEC / 8);
	ck_assert_int_ge(survive_nsec, 10 * SEC);
	ck_assert_int_le(survive_nsec, 10 * SEC + 10 * SEC / 8);
	ck_assert_uint_eq(tries, 3);
}
END_TEST

/* With loss p in each direction a probe fails with q = 1 - (1 - p)^2, and a round of three with
 * q^3. */
START_TEST(false_alarms_are_reckoned)
{
	struct tune_goal goal = goal_of(60 * SEC, 0);
	const struct tune_settings s = { .idle = 10, .interval = 5, .count = 3 };
	struct tune_figures f = { 0 };
	struct error err = { 0 };
	double q = 1 - 0.9 * 0.9;

	goal.loss = 0.1;
	goal.workloads[TUNE_BUSY] = false;
	ck_assert_int_ge(tune_figures(&goal, &s, &f, &err), 0);
	ck_assert_double_eq_tol(f.alarms_a_day, 8640 * q * q * q, 1e-9);
	ck_assert_double_eq_tol(f.probes_a_day, 8640, 1e-9);
}
END_TEST

/* The nearest goals are possible, and a little farther they are not. */
START_TEST(nearest_goals_are_possible)
{
	struct tune_goal goal = goal_of(12 * SEC, 10 * SEC);
	struct tune_result r;
	struct error err = { 0 };
	nsec_t detect_nsec, survive_nsec;

	ck_assert_int_ge(tune_nearest(&goal, &detect_nsec, &survive_nsec, &err), 0);
	ck_assert_int_gt(detect_nsec, goal.detect_nsec);
	ck_assert_int_gt(survive_nsec, 0);
	ck_assert_int_lt(survive_nsec, goal.survive_nsec);
	goal.detect_nsec = detect_nsec;
	ck_assert_int_eq(tune_search(&goal, &r, &err), 1);
	goal.detect_nsec = detect_nsec - SEC;
	ck_assert_int_eq(tune_search(&goal, &r, &err), 0);
	goal.detect_nsec = 12 * SEC;
	goal.survive_nsec = survive_nsec;
	ck_assert_int_eq(tune_search(&goal, &r, &err), 1);
	goal.survive_nsec = survive_nsec + SEC;
	ck_assert_int_eq(tune_search(&goal, &r, &err), 0);
}
END_TEST

/* What a dialect cannot set is said, and what it can is not. */
START_TEST(dialects_say_what_they_cannot)
{
	static const char *const with[] = { "c",     "go",	   "python",  "rust",
					    "libpq", "postgresql", "haproxy", "envoy" };
	const struct tune_goal goal = goal_of(30 * SEC, 10 * SEC);
	struct tune_result r;
	struct error err = { 0 };

	ck_assert_int_eq(tune_search(&goal, &r, &err), 1);
	for (size_t i = 0; i < n_tune_dialects; i++) {
		bool can = false;
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		for (size_t k = 0; k < ARRAY_SIZE(with); k++)
			can |= !strcmp(with[k], tune_dialects[i].name);
		tune_dialects[i].print(&goal, &r, out);
		fclose(out);
		ck_assert_msg(can == !strstr(text, "TCP_USER_TIMEOUT ("), "%s: %s",
			      tune_dialects[i].name, text);
		ck_assert_ptr_eq(tune_dialect(tune_dialects[i].name), &tune_dialects[i]);
		free(text);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	/* A check on memory slows each search down: the last goal is impossible at once. */
	tcase_add_loop_test(tc, goals_are_reached_or_refused,
			    getenv("TEST_FEWER") ? ARRAY_SIZE(goals) - 1 : 0, ARRAY_SIZE(goals));
	tcase_add_test(tc, figures_of_keepalive);
	tcase_add_test(tc, false_alarms_are_reckoned);
	if (!getenv("TEST_FEWER"))
		tcase_add_test(tc, nearest_goals_are_possible);
	tcase_add_test(tc, dialects_say_what_they_cannot);
}

int main(void)
{
	return suite_main("tune", add_tests);
}
