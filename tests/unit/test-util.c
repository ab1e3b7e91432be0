/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests check the lowest layer: error texts, the texts of times, and the event loop. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "src/util/array.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"
#include "src/util/format.h"
#include "src/util/loop.h"
#include "src/util/nsec.h"
#include "tests/unit/suite.h"

START_TEST(error_is_one_line)
{
	struct error err = { 0 };

	ck_assert_int_eq(error_input(&err, "line\nbreak"), -EINVAL);
	ck_assert_str_eq(err.text, "line\\nbreak");
	ck_assert_int_eq(error_prefix(&err, -EINVAL, "file:%d", 3), -EINVAL);
	ck_assert_str_eq(err.text, "file:3: line\\nbreak");
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	ck_assert_int_eq(error_exit_status(err.kind), 2);
}
END_TEST

START_TEST(error_long_text_is_cut)
{
	struct error err = { 0 };

	error_set(&err, ERROR_FAILED, -EIO, "%3000s", "x");
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	ck_assert_str_eq(err.text + sizeof(err.text) - 4, "...");
	ck_assert_int_eq(error_exit_status(err.kind), 3);
}
END_TEST

START_TEST(nsec_format_cases)
{
	char b[64];

	ck_assert_str_eq(nsec_format(b, sizeof(b), 250 * NSEC_PER_MSEC), "250 ms");
	ck_assert_str_eq(nsec_format(b, sizeof(b), 6324 * NSEC_PER_MSEC), "6.324 s");
	ck_assert_str_eq(nsec_format(b, sizeof(b), 924600 * NSEC_PER_MSEC), "15 min 24.6 s");
	ck_assert_str_eq(nsec_format(b, sizeof(b), 7875 * NSEC_PER_SEC), "2 h 11 min 15 s");
	ck_assert_str_eq(nsec_format(b, sizeof(b), 30 * 86400 * NSEC_PER_SEC), "30 d 0 h");
	ck_assert_str_eq(nsec_format(b, sizeof(b), NSEC_NEVER), "for ever");
	ck_assert_str_eq(nsec_format(b, sizeof(b), -1500 * NSEC_PER_MSEC), "-1.500 s");
}
END_TEST

struct ticks {
	struct loop *loop;
	struct loop_timer *timer[8];
	int order[8], count;
};
struct tick {
	struct ticks *all;
	int number;
};

static void on_tick(void *userdata)
{
	struct tick *tick = userdata;

	tick->all->order[tick->all->count++] = tick->number;
	if (tick->number == 1) /* A timer may free another one. */
		tick->all->timer[2] = loop_timer_free(tick->all->timer[2]);
	if (tick->number == 7)
		loop_quit(tick->all->loop);
}

START_TEST(nsec_format_seconds_is_as_printf)
{
	static const nsec_t times_nsec[] = { 0,
					     1,
					     999,
					     1000,
					     -1000,
					     -999999999,
					     INT64_MAX,
					     INT64_MIN + 1,
					     7200 * NSEC_PER_SEC,
					     1234567890123456789 };
	char got[64], expected[64], cut[4];

	for (size_t i = 0; i < ARRAY_SIZE(times_nsec); i++) {
		int64_t usec = nsec_to_usec(times_nsec[i]), plain = usec < 0 ? -usec : usec;

		snprintf(expected, sizeof(expected), "%s%" PRId64 ".%06" PRId64,
			 usec < 0 ? "-" : "", plain / 1000000, plain % 1000000);
		ck_assert_str_eq(nsec_format_seconds(got, sizeof(got), times_nsec[i]), expected);
	}
	ck_assert_str_eq(nsec_format_seconds(got, sizeof(got), NSEC_NONE), "");
	ck_assert_str_eq(nsec_format_seconds(cut, sizeof(cut), 12 * NSEC_PER_SEC), "12.");
}
END_TEST

START_TEST(format_digits_is_as_printf)
{
	static const uint64_t values[] = { 0, 1, 9, 10, 12345, UINT32_MAX, UINT64_MAX };
	char text[FORMAT_DIGITS_SIZE] = "", *end = text + sizeof(text) - 1, expected[32];

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		snprintf(expected, sizeof(expected), "%" PRIu64, values[i]);
		ck_assert_str_eq(format_digits(end, values[i], 1), expected);
		snprintf(expected, sizeof(expected), "%06" PRIu64, values[i]);
		ck_assert_str_eq(format_digits(end, values[i], 6), expected);
		snprintf(expected, sizeof(expected), "%" PRIx64, values[i]);
		ck_assert_str_eq(format_hex(end, values[i]), expected);
	}
}
END_TEST

START_TEST(loop_timers_fire_in_order)
{
	_cleanup_(loop_freep) struct loop *loop = NULL;
	struct ticks all = { 0 };
	struct tick tick[8];
	nsec_t now_nsec = nsec_now();

	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	all.loop = loop;
	for (int i = 7; i >= 0; i--) {
		tick[i] = (struct tick){ &all, i };
		ck_assert_int_eq(loop_timer_new(loop, on_tick, &tick[i], &all.timer[i], NULL), 0);
		loop_timer_set(all.timer[i], now_nsec + i * NSEC_PER_MSEC);
	}
	loop_timer_set(all.timer[4], NSEC_NEVER);
	ck_assert_int_eq(loop_run(loop, NULL), 0);
	ck_assert_int_eq(all.count, 6);
	ck_assert_mem_eq(all.order, ((int[]){ 0, 1, 3, 5, 6, 7 }), 6 * sizeof(int));
	for (int i = 0; i < 8; i++)
		loop_timer_free(all.timer[i]);
}
END_TEST

struct pipes {
	struct loop *loop;
	struct loop_io *io[2];
	int calls;
};

/* Both descriptors are ready in one batch; the first callback frees both sources. */
static void on_readable(void *userdata, uint32_t events)
{
	struct pipes *p = userdata;

	ck_assert(events & EPOLLIN);
	p->calls++;
	p->io[0] = loop_io_free(p->io[0]);
	p->io[1] = loop_io_free(p->io[1]);
	loop_quit(p->loop);
}

START_TEST(loop_source_freed_in_batch)
{
	_cleanup_(loop_freep) struct loop *loop = NULL;
	struct pipes p = { 0 };
	int fds[2][2];

	ck_assert_int_eq(loop_new(&loop, NULL), 0);
	p.loop = loop;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(pipe(fds[i]), 0);
		ck_assert_int_eq(write(fds[i][1], "x", 1), 1);
		ck_assert_int_eq(
			loop_io_new(loop, fds[i][0], EPOLLIN, on_readable, &p, &p.io[i], NULL), 0);
	}
	ck_assert_int_eq(loop_run(loop, NULL), 0);
	ck_assert_int_eq(p.calls, 1);
	for (int i = 0; i < 4; i++)
		close(fds[i / 2][i % 2]);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, error_is_one_line);
	tcase_add_test(tc, error_long_text_is_cut);
	tcase_add_test(tc, nsec_format_cases);
	tcase_add_test(tc, nsec_format_seconds_is_as_printf);
	tcase_add_test(tc, format_digits_is_as_printf);
	tcase_add_test(tc, loop_timers_fire_in_order);
	tcase_add_test(tc, loop_source_freed_in_batch);
}

int main(void)
{
	return suite_main("util", add_tests);
}
