/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests check what reports make of records: the ladder of a trace, and rates. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "src/report/ladder-text.h"
#include "src/report/ladder.h"
#include "src/report/options-text.h"
#include "src/report/rate.h"
#include "tests/unit/suite.h"
#include "tests/unit/trace-story.h"

static char *ladder_of(const struct record *r, int width)
{
	struct ladder_style style = { .width = width };
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ladder_print(r, &style, out);
	fclose(out);
	return text;
}

START_TEST(ladder_tells_it)
{
	static const char want[] =
		"E99 t, ipv4, host engine, Linux 6.1\n"
		"\n"
		"     TIME  CLIENT                                                                "
		"   SERVER\n"
		"-1.000000  |-- Flags [S], seq 4294967000, win 64240, length 0 ------------------- "
		"1 "
		"ms ->|\n"
		"-0.998000  |<- 1 ms -------- Flags [S.], seq 5000, ack 4294967001, win 65160, "
		"length 0 --|\n";
	_cleanup_(record_freep) struct record *r = tell_story();
	_cleanup_(freep) char *text = ladder_of(r, 90);

	ck_assert_msg(!strncmp(text, want, strlen(want)), "%s", text);
	ck_assert_ptr_nonnull(
		strstr(text, "\n 0.010000  |-- Flags [P.], seq 401:465, ack 1, win 502, length 64 "
			     "--X lost               |\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n 0.220000  |-- Flags [P.], seq 401:465"));
	ck_assert_ptr_nonnull(strstr(text, "retransmission 1, RTO 204 ms  timer:(on,204ms,1)\n"));
	ck_assert_ptr_nonnull(strstr(text, "= blackhole both ="));
	ck_assert_ptr_nonnull(
		strstr(text, "\n 0.700000  retransmission, RTO 816 ms: not on the wire\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n 2.000000  ESTABLISHED Recv-Q 0 Send-Q 64\n"
					   " 4.000000  ESTABLISHED Recv-Q 0 Send-Q 0\n"));
	ck_assert_ptr_nonnull(strstr(text, "(keepalive probe 2)"));
	ck_assert_ptr_nonnull(strstr(text, "-- Flags [R], seq 5001, win 0, length 0   |\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "\n 9.501000  CLOSE  read() = -1 ECONNRESET, blocked 10.002 s\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "\n           ... 10.499 s without a packet\n20.000000"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		ck_assert_uint_le(strcspn(line, "\n"), 90);
}
END_TEST

static const struct {
	struct socket_options options;
	const char *text;
} sets[] = {
	{ { .present = true,
	    .user_timeout_nsec = NSEC_NONE,
	    .linger_nsec = NSEC_NONE,
	    .send_buffer = -1,
	    .receive_buffer = -1 },
	  "no keepalive; no user timeout" },
	{ { .present = true,
	    .keepalive = true,
	    .keepalive_idle_nsec = 15 * NSEC_PER_SEC,
	    .keepalive_interval_nsec = NSEC_NONE,
	    .keepalive_count = 3,
	    .user_timeout_nsec = 20 * NSEC_PER_SEC,
	    .nodelay = true,
	    .linger_nsec = 0,
	    .send_buffer = 65536,
	    .receive_buffer = -1 },
	  "keepalive idle 15.000 s, interval sysctl, count 3; user timeout 20.000 s; nodelay; "
	  "linger "
	  "0 us; send buffer 65536" },
};

START_TEST(options_are_told)
{
	char text[256];

	ck_assert_str_eq(options_text(&sets[_i].options, text, sizeof(text)), sets[_i].text);
}
END_TEST

/* A ladder folds thousands of packets into one line, except for the packets at both ends and around
 * an event. */
START_TEST(streams_are_folded)
{
	_cleanup_(record_freep) struct record *r = trace_of(story, 3);
	_cleanup_(freep) char *text = NULL;
	struct record_fault *fault = array_append(&r->faults, &r->n_faults, sizeof(*fault));
	size_t lines = 0;

	*fault = (struct record_fault){ 2000 * MS + 1, MS, strdup("send client") };
	for (unsigned int i = 0; i < 4000; i++) {
		struct step s = { i * MS, i * MS + 1000, C, A, 1 + i * 1000, 1, 1000, 502 };

		see(r->sightings, END_CLIENT, s.sent_nsec, &s, true);
		see(r->sightings, END_SERVER, s.arrived_nsec, &s, false);
	}
	ck_assert_int_eq(trace_build(r), 0);
	text = ladder_of(r, 100);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		lines++;
	ck_assert_uint_lt(lines, 50);
	ck_assert_ptr_nonnull(strstr(text, "... 1990 lines more in"));
	ck_assert_ptr_nonnull(strstr(text, "client 1987 packets with 1987000 bytes"));
	ck_assert_ptr_nonnull(strstr(text, "seq 2000001:2001001"));
	ck_assert_ptr_nonnull(strstr(text, "= send client ="));
	ck_assert_ptr_nonnull(strstr(text, "seq 3999001:4000001"));
}
END_TEST

/* A ladder folds hundreds of probes without an answer into one line, which says how many were lost
 * and how many were sent again. */
START_TEST(probes_are_folded)
{
	const struct step last = { 400000 * MS, 400001 * MS, C, A, 1, 1, 10, 502 };
	_cleanup_(record_freep) struct record *r = trace_of(story, 3);
	_cleanup_(freep) char *text = NULL;

	r->span_nsec = 500000 * MS;
	for (unsigned int i = 0; i < 400; i++) {
		struct step s = { i * 1000 * MS, NSEC_NONE, C, A, 0, 1, 0, 502 };

		see(r->sightings, END_CLIENT, s.sent_nsec, &s, true);
	}
	see(r->sightings, END_CLIENT, last.sent_nsec, &last, true);
	see(r->sightings, END_SERVER, last.arrived_nsec, &last, false);
	ck_assert_int_eq(trace_build(r), 0);
	text = ladder_of(r, 200);
	ck_assert_ptr_nonnull(strstr(text, "... 312 lines more in 5 min 11.0 s, client 312 packets "
					   "with 0 bytes, 312 lost, 312 sent again or probes"));
	ck_assert_ptr_nonnull(strstr(text, "(keepalive probe 44)"));
	ck_assert_ptr_null(strstr(text, "(keepalive probe 200)"));
	ck_assert_ptr_nonnull(strstr(text, "(keepalive probe 400)"));
}
END_TEST

/* The expected texts are those that `ss -o` printed. */
START_TEST(timers_as_ss_writes_them)
{
	static const struct {
		nsec_t time_nsec;
		const char *text;
	} times[] = { { 7199 * SEC, "119min" },	 { 74995 * MS, "1min14sec" },
		      { 37 * SEC + 1, "37sec" }, { 9876 * MS, "9.876ms" },
		      { 1632 * MS, "1.632ms" },	 { 204 * MS, "204ms" },
		      { 4 * MS, "004ms" },	 { 0, "" },
		      { 120 * SEC, "2min" },	 { 60 * SEC, "1min" },
		      { 9 * SEC, "9sec" } };
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		ck_assert_str_eq(ladder_format_timer(times[i].time_nsec, text, sizeof(text)),
				 times[i].text);
}
END_TEST

/* The expected intervals for 0, 1 and 10 of 10 and for 50 of 100 are from textbooks. */
START_TEST(rates_have_intervals)
{
	struct rate r = rate_of(0, 10);

	ck_assert_double_eq_tol(r.value, 0, 1e-9);
	ck_assert_double_eq_tol(r.low, 0, 1e-9);
	ck_assert_double_eq_tol(r.high, 0.2775, 1e-4);
	r = rate_of(1, 10);
	ck_assert_double_eq_tol(r.low, 0.0179, 1e-4);
	ck_assert_double_eq_tol(r.high, 0.4042, 1e-4);
	r = rate_of(10, 10);
	ck_assert_double_eq_tol(r.low, 0.7225, 1e-4);
	ck_assert_double_eq_tol(r.high, 1, 1e-9);
	r = rate_of(50, 100);
	ck_assert_double_eq_tol(r.low, 0.4038, 1e-4);
	ck_assert_double_eq_tol(r.high, 0.5962, 1e-4);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, ladder_tells_it);
	tcase_add_loop_test(tc, options_are_told, 0, ARRAY_SIZE(sets));
	tcase_add_test(tc, streams_are_folded);
	tcase_add_test(tc, probes_are_folded);
	tcase_add_test(tc, timers_as_ss_writes_them);
	tcase_add_test(tc, rates_have_intervals);
}

int main(void)
{
	return suite_main("report", add_tests);
}
