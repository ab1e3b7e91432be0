/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the timer wheel and of single timers, played, against times that were worked out from
 * the kernel's source. */
#include <check.h>

#include "src/model/play.h"
#include "src/model/timers.h"
#include "src/model/wheel.h"
#include "src/util/cleanup.h"
#include "tests/unit/suite.h"

#define SEC  NSEC_PER_SEC
#define MSEC NSEC_PER_MSEC

/* The kernel's documentation has the time for 15, 924.6 s; the others follow from
 * net/ipv4/tcp_timer.c. */
START_TEST(play_thresholds)
{
	static const struct {
		unsigned int retries;
		nsec_t threshold_nsec;
	} want[] = { { 0, 200 * MSEC },
		     { 3, 3000 * MSEC },
		     { 5, 12600 * MSEC },
		     { 8, 102200 * MSEC },
		     { 15, 924600 * MSEC } };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		ck_assert_int_eq(timers_threshold(want[i].retries, 200 * MSEC, 120 * SEC),
				 want[i].threshold_nsec);
}
END_TEST

/* calc_wheel_index(): the bucket of a span, and its end. */
START_TEST(play_buckets)
{
	static const struct {
		int64_t clock, expires, end, granule;
	} want[] = { { 0, 51, 52, 1 },
		     { 0, 62, 63, 1 },
		     { 0, 63, 64, 8 }, /* 63 ticks: level 1 */
		     { 7, 71, 72, 8 },
		     { 0, 72, 80, 8 },
		     { 0, 18750, 18944, 512 },	     /* 75 s */
		     { 0, 1800000, 1802240, 32768 }, /* 7,200 s */
		     { 100, 99, 100, 1 } };	     /* overdue */

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		int64_t granule = 1;

		ck_assert_int_eq(wheel_expiry(want[i].clock, want[i].expires, &granule),
				 want[i].end);
		ck_assert_int_eq(granule, want[i].granule);
	}
	ck_assert_int_eq(wheel_usecs_to_jiffies(250, 200100), 51);
	ck_assert_int_eq(wheel_msecs_to_jiffies(250, 30000), 7500);
}
END_TEST

/* mod_timer(): armed anew for the same jiffy, a timer stays in the coarser bucket of before. So a
 * guest with Linux 6.12 sent a loss probe 20 ms later than a timer of 54 ticks goes off. */
START_TEST(play_of_a_timer_that_stays)
{
	struct timers t = { .hz = 250 };
	nsec_t fires_nsec = NSEC_NEVER, coarse_nsec;
	int64_t expires;
	struct play play;

	play_init(&play, &t, 0, 0);
	play.now_nsec = play.origin_nsec;
	play_rearm(&play, 77, false, &expires, &fires_nsec);
	coarse_nsec = fires_nsec;
	ck_assert_int_eq(coarse_nsec, play.origin_nsec + 80 * 4 * MSEC);
	play.now_nsec += 23 * 4 * MSEC;
	play_rearm(&play, 54, false, &expires, &fires_nsec);
	ck_assert_int_eq(fires_nsec, coarse_nsec);
	play_rearm(&play, 53, false, &expires, &fires_nsec);
	ck_assert_int_eq(fires_nsec, play.origin_nsec + 77 * 4 * MSEC);
}
END_TEST

struct steps {
	struct play_step step[64];
	size_t n;
};

static void note_step(const struct play_step *step, void *userdata)
{
	struct steps *steps = userdata;

	ck_assert_uint_lt(steps->n, ARRAY_SIZE(steps->step));
	steps->step[steps->n++] = *step;
}

static void check_step(const struct steps *steps, size_t i, enum play_step_kind kind,
		       nsec_t at_usec)
{
	nsec_t off_nsec = steps->step[i].at_nsec - at_usec * NSEC_PER_USEC;

	ck_assert_uint_lt(i, steps->n);
	ck_assert_int_eq(steps->step[i].kind, kind);
	ck_assert_msg(off_nsec > -MSEC && off_nsec < MSEC, "step %zu at %.6f s", i,
		      nsec_to_sec(steps->step[i].at_nsec));
}

/* This is how a guest with Linux 6.1 had it: a stream on a path of 25 ms, whose writes put the
 * second loss probe off until ten segments are in flight. By then the RTO is overdue. The tick of
 * the first probe began 240,584 us after the first event, which are 60 ticks and 584 us. */
START_TEST(play_of_a_stream)
{
	static const nsec_t writes[] = { 39358,	 90360,	 141360, 192360, 243357,
					 294362, 345360, 396360, 447360 };
	struct timers t = { .hz = 250,
			    .rto_min_nsec = 200 * MSEC,
			    .rto_max_nsec = 120 * SEC,
			    .retries2 = 8,
			    .loss_probes = true };
	struct model_segment segments[ARRAY_SIZE(writes) + 1] = { { -11642 * NSEC_PER_USEC, 1 } };
	struct play_flight flight = { .sent_nsec = -11642 * NSEC_PER_USEC,
				      .armed_nsec = -11642 * NSEC_PER_USEC,
				      .segment_size = 1448,
				      .segments = segments,
				      .n_segments = ARRAY_SIZE(segments),
				      .leaves_nsec = NSEC_NEVER,
				      .orphaned_nsec = NSEC_NEVER,
				      .rto = 63,
				      .srtt_nsec = 50 * MSEC };
	struct steps steps = { .n = 0 };
	struct play_end end;
	struct play play;

	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		segments[i + 1] = (struct model_segment){ writes[i] * NSEC_PER_USEC, 1 };
	play_init(&play, &t, 0, (4000 - 584) * NSEC_PER_USEC);
	play.step = note_step;
	play.userdata = &steps;
	end = play_retransmission(&play, &flight);
	check_step(&steps, 1, PLAY_LOSS_PROBE, 240584);
	check_step(&steps, 2, PLAY_RETRANSMIT, 560602);
	ck_assert_int_eq(end.mechanism, MECHANISM_RETRANSMISSION);
	ck_assert_int_eq(steps.step[steps.n - 1].kind, PLAY_END);
	ck_assert_int_gt(end.at_nsec, 131 * SEC);
	ck_assert_int_lt(end.at_nsec, 134 * SEC);
}
END_TEST

/* This is how a guest with Linux 6.12 had it, in microseconds: a stream on a path of 500 ms, which
 * was acknowledged up to the first of these segments. Every other one is sent so that a whole
 * number of ticks, but for 5 us, is left until that one is overdue. The kernel armed the timer for
 * one tick and the next in turns, so that it was on the lowest level of the wheel in the end, and
 * the loss probe took the last segment along. With one and the same error for all, the model does
 * not find that. */
START_TEST(play_of_a_stream_on_the_edge)
{
	static const int32_t sent_usec[] = {
		-519525, -499522, -489523, -469523, -459525, -439525, -429523, -419525, -399525,
		-389524, -369524, -359525, -339525, -329524, -309524, -299525, -289524, -269523,
		-259525, -239525, -229524, -209523, -199525, -179525, -169520, -149523, -139525,
		-129524, -109523, -99525,  -79525,  -69524,  -49524,  -39525,  -19525,	-9524,
		712,	 20474,	  30475,   50476,   60474,   80474,   90476,   110475,	120474,
		130476,	 150477,  160475,  180477,  190475,  210474,  220474,  240475,	250475,
		270475,	 280474,  290476,  290932,  310476,  320474,  340474,  350475,	370475,
		380474,	 400475,  410475,  430475,  440474,  450476,  470476,  480477,	500474,
		510476,	 530476,  540477,  560474,  570476,  580474,  600477,  610476,	630478,
		640474,	 660480,  670476,  690477,  700474,  710476,  730478,  740474,	760477,
		770479,	 790477,  800474,  820477,  830476,  850477,  860474,  870476,	890480,
		900474,	 920477,  930476,  950477,  960474,  980477,  990476,  1000477, 1020477,
		1030476, 1050477, 1060474, 1080477, 1090476, 1110478, 1120480, 1129783
	};
	struct timers t = { .hz = 250,
			    .rto_min_nsec = 200 * MSEC,
			    .rto_max_nsec = 120 * SEC,
			    .retries2 = 15,
			    .loss_probes = true };
	struct model_segment segments[ARRAY_SIZE(sent_usec)];
	struct play_flight flight = { .sent_nsec = sent_usec[0] * NSEC_PER_USEC,
				      .armed_nsec = 470533 * NSEC_PER_USEC,
				      .segment_size = 1448,
				      .segments = segments,
				      .n_segments = ARRAY_SIZE(segments),
				      .leaves_nsec = NSEC_NEVER,
				      .orphaned_nsec = NSEC_NEVER,
				      .rto = 411,
				      .srtt_nsec = 1011828 * NSEC_PER_USEC };
	int found[2] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(segments); i++)
		segments[i] = (struct model_segment){ sent_usec[i] * NSEC_PER_USEC, 1448 };
	for (int turns = 0; turns < 2; turns++)
		for (int n = -20; n <= 20; n++) {
			struct play_end end;
			struct play play;

			play_init(&play, &t, 3718, 2243 * NSEC_PER_USEC);
			play.skew = (struct play_skew){ n * NSEC_PER_USEC, turns, false, 0 };
			end = play_retransmission(&play, &flight);
			ck_assert_int_eq(end.mechanism, MECHANISM_RETRANSMISSION);
			/* It was closed some hundred microseconds after the timer's tick. */
			found[turns] += end.at_nsec > 937445 * MSEC && end.at_nsec < 937447 * MSEC;
		}
	ck_assert_int_eq(found[false], 0);
	ck_assert_int_gt(found[true], 0);
}
END_TEST

/* Ten segments of one byte are one after the first retransmission (tcp_retrans_try_collapse()), and
 * from then on the stream is thin: so a guest with Linux 6.1 had it. Ten of a whole segment
 * stay what they are. */
START_TEST(play_of_segments_that_collapse)
{
	struct timers t = { .hz = 250,
			    .rto_min_nsec = 200 * MSEC,
			    .rto_max_nsec = 120 * SEC,
			    .retries2 = 8,
			    .thin = true,
			    .collapse = true };
	struct model_segment segments[10];
	struct play_flight flight = { .segment_size = 1448,
				      .segments = segments,
				      .n_segments = ARRAY_SIZE(segments),
				      .leaves_nsec = NSEC_NEVER,
				      .orphaned_nsec = NSEC_NEVER,
				      .rto = 85 };
	struct steps steps = { .n = 0 };
	struct play play;

	for (size_t i = 0; i < ARRAY_SIZE(segments); i++)
		segments[i] = (struct model_segment){ 0, _i ? 1448 : 1 };
	play_init(&play, &t, 0, 2 * MSEC);
	play.step = note_step;
	play.userdata = &steps;
	play_retransmission(&play, &flight);
	ck_assert_int_eq(steps.step[1].kind, PLAY_RETRANSMIT);
	ck_assert_int_eq(steps.step[1].armed_nsec, (_i ? 680 : 340) * MSEC);
}
END_TEST

/* icsk_retransmits has eight bits: where ICMP errors undo each back-off, the 256th retransmission
 * counts as none, and its error undoes nothing. A guest with Linux 6.12 showed it. */
START_TEST(play_of_a_counter_that_wraps)
{
	struct timers t = { .hz = 250,
			    .rto_min_nsec = 200 * MSEC,
			    .rto_max_nsec = 120 * SEC,
			    .retries2 = 15,
			    .loss_probes = true };
	struct play_flight flight = { .segment_size = 1448,
				      .write_size = 100,
				      .next_nsec = NSEC_NEVER,
				      .leaves_nsec = NSEC_NEVER,
				      .orphaned_nsec = NSEC_NEVER,
				      .rto = 426,
				      .srtt_nsec = 400 * MSEC,
				      .undo = PLAY_UNDO_IPV6 };
	struct play_end end;
	struct play play;

	play_init(&play, &t, 0, 2 * MSEC);
	end = play_retransmission(&play, &flight);
	ck_assert_int_gt(end.at_nsec, 926 * SEC);
	ck_assert_int_lt(end.at_nsec, 932 * SEC);
	flight.undo = PLAY_UNDO_NOTHING;
	play_init(&play, &t, 0, 2 * MSEC);
	ck_assert_int_gt(play_retransmission(&play, &flight).at_nsec, end.at_nsec);
}
END_TEST

/* Armed for as long as a level of the wheel reaches, by no timer: whether another timer went off in
 * this jiffy decides into which level it falls. */
START_TEST(play_of_an_edge)
{
	static const struct {
		int64_t span;
		bool from_timer, edge;
	} want[] = { { 62, false, false },  { 63, false, true },
		     { 64, false, false },  { 63, true, false },
		     { 503, false, false }, { 504, false, false } /* both buckets end there */ };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct timers t = { .hz = 250 };
		struct play play;

		play_init(&play, &t, 3, 0);
		play.now_nsec = play.origin_nsec;
		play_arm(&play, want[i].span, want[i].from_timer);
		ck_assert_int_eq(play.edge, want[i].edge);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, play_thresholds);
	tcase_add_test(tc, play_buckets);
	tcase_add_test(tc, play_of_a_timer_that_stays);
	tcase_add_test(tc, play_of_a_stream);
	tcase_add_test(tc, play_of_a_stream_on_the_edge);
	tcase_add_loop_test(tc, play_of_segments_that_collapse, 0, 2);
	tcase_add_test(tc, play_of_a_counter_that_wraps);
	tcase_add_test(tc, play_of_an_edge);
}

int main(void)
{
	return suite_main("play", add_tests);
}
