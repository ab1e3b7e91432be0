/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the timeline: which fault each heal ends, and in which order the steps are taken. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "src/scenario/scenario.h"
#include "src/scenario/timeline.h"
#include "tests/unit/scenario-text.h"
#include "tests/unit/suite.h"

#define DOWN_AT "fault: interface-down, node: router, side: "
#define UP_AT	"heal: interface-down, node: router, side: "

/* Which fault each heal ends: the index of the fault's event, for each heal in turn. */
START_TEST(heals_end_the_latest)
{
	static const struct {
		const char *events[8]; /* without their times */
		size_t ends[4];
	} cases[] = {
		{ { DOWN_AT "client", DOWN_AT "server", UP_AT "client" }, { 0 } },
		{ { DOWN_AT "client", DOWN_AT "server", UP_AT "server" }, { 1 } },
		{ { DOWN_AT "server", DOWN_AT "client", UP_AT "server", UP_AT "client" },
		  { 0, 1 } },
		{ { DOWN_AT "server", DOWN_AT "client", "heal: interface-down", UP_AT "server" },
		  { 1, 0 } },
		{ { "fault: freeze, node: client", "fault: freeze, node: server",
		    "heal: freeze, node: client", "fault: thaw, node: server" },
		  { 0, 1 } },
		{ { "fault: blackhole", "fault: blackhole", "fault: blackhole", "heal: blackhole",
		    "heal: blackhole", "heal: blackhole" },
		  { 2, 1, 0 } },
		{ { "fault: blackhole", "heal: blackhole", "fault: blackhole", "heal: blackhole" },
		  { 0, 2 } },
		{ { "fault: blackhole, direction: client-to-server", "fault: blackhole",
		    "heal: blackhole, direction: client-to-server", "heal: blackhole" },
		  { 0, 1 } },
		{ { "fault: drop", "fault: blackhole", "heal: drop", "heal: blackhole" },
		  { 0, 1 } },
		/* A reboot ends the faults of its host, so that there is nothing to heal. */
		{ { "fault: interface-down, node: client", "fault: interface-down, node: server",
		    "fault: reboot, node: server, downtime: 1ms", "heal: interface-down" },
		  { 0 } },
	};

	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		_cleanup_(scenario_freep) struct scenario *s = NULL;
		char text[1024] = HEAD "timeline:\n";
		size_t heals = 0;

		for (size_t i = 0; i < ARRAY_SIZE(cases[c].events) && cases[c].events[i]; i++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				 "  - {at: %zus, %s}\n", i + 1, cases[c].events[i]);
		s = load(text);
		for (size_t i = 0; i < s->n_events; i++)
			if (s->events[i].kind == EVENT_HEAL)
				ck_assert_msg(s->events[i].ends == cases[c].ends[heals++],
					      "case %zu, heal %zu ends %zu", c, heals - 1,
					      s->events[i].ends);
		ck_assert_uint_gt(heals, 0);
	}
}
END_TEST
START_TEST(timeline_orders_and_pairs)
{
	_cleanup_(scenario_freep) struct scenario *s =
		load(HEAD "timeline:\n"
			  "  - {at: 1s, fault: blackhole, direction: client-to-server}\n"
			  "  - {at: 2s, fault: reboot, node: server, downtime: 3s}\n"
			  "  - {at: 3s, fault: blackhole, direction: server-to-client}\n"
			  "  - {at: 4s, heal: blackhole}\n"
			  "  - {at: 6s, heal: blackhole}\n");
	static const struct {
		nsec_t at_nsec;
		enum step_kind kind;
		size_t fault;
	} want[] = { { 1 * NSEC_PER_SEC, STEP_FAULT, 0 },    { 2 * NSEC_PER_SEC, STEP_FAULT, 1 },
		     { 3 * NSEC_PER_SEC, STEP_FAULT, 2 },    { 4 * NSEC_PER_SEC, STEP_HEAL, 2 },
		     { 5 * NSEC_PER_SEC, STEP_POWER_ON, 1 }, { 6 * NSEC_PER_SEC, STEP_HEAL, 0 } };
	struct timeline timeline;

	ck_assert_int_eq(timeline_init(&timeline, s, NULL), 0);
	ck_assert_uint_eq(timeline.n_steps, ARRAY_SIZE(want));
	ck_assert_ptr_null(timeline_take(&timeline, NSEC_PER_SEC - 1));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct timeline_step *step;

		ck_assert_int_eq(timeline_next_nsec(&timeline), want[i].at_nsec);
		step = timeline_take(&timeline, want[i].at_nsec);
		ck_assert_ptr_nonnull(step);
		ck_assert_int_eq(step->kind, want[i].kind);
		ck_assert_uint_eq(step->fault, want[i].fault);
	}
	ck_assert_int_eq(timeline_next_nsec(&timeline), NSEC_NEVER);
	timeline_deinit(&timeline);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, heals_end_the_latest);
	tcase_add_test(tc, timeline_orders_and_pairs);
}

int main(void)
{
	return suite_main("timeline", add_tests);
}
