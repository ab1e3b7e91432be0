/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests join the packets that both ends saw into one trace. */
#include <check.h>
#include <string.h>

#include "tests/unit/suite.h"
#include "tests/unit/trace-story.h"

START_TEST(packets_are_joined)
{
	_cleanup_(record_freep) struct record *r = tell_story();
	const struct trace_entry *e;

	for (size_t i = 0; i < ARRAY_SIZE(story); i++) {
		const struct step *s = &story[i];

		e = packet(r, i);
		ck_assert_int_eq(e->packet.sent_nsec, s->sent_nsec);
		ck_assert_int_eq(e->packet.arrived_nsec, s->arrived_nsec);
		ck_assert_int_eq(e->packet.foreign, s->sent_nsec == NSEC_NONE);
		ck_assert_int_eq(e->packet.fate,
				 s->arrived_nsec == NSEC_NONE ? TRACE_LOST : TRACE_ARRIVED);
		ck_assert_uint_eq(e->packet.length, s->length);
		ck_assert_uint_eq(e->packet.window, s->window);
		ck_assert_uint_eq(e->connection, 0);
	}
	e = packet(r, 1); /* The numbers of a SYN are absolute. */
	ck_assert_uint_eq(e->packet.seq, SERVER_ISN);
	ck_assert_uint_eq(e->packet.ack, CLIENT_ISN + 1);
	e = packet(r, 5);
	ck_assert_uint_eq(e->packet.seq, 401);
	ck_assert_uint_eq(e->packet.ack, 1);
	ck_assert_int_eq(packet(r, 11)->end, END_CLIENT); /* It came to the client. */
}
END_TEST

START_TEST(what_is_sent_again_is_known)
{
	_cleanup_(record_freep) struct record *r = tell_story();
	const struct trace_entry *e = packet(r, 5);
	size_t timers = 0, unseen = 0;

	ck_assert_int_eq(e->again, TRACE_NEW);
	e = packet(r, 6);
	ck_assert_int_eq(e->again, TRACE_TIMEOUT);
	ck_assert_uint_eq(e->number, 1);
	ck_assert_int_eq(e->rto_nsec, 204 * MS);
	e = packet(r, 7);
	ck_assert_int_eq(e->again, TRACE_TIMEOUT);
	ck_assert_uint_eq(e->number, 2);
	ck_assert_int_eq(e->rto_nsec, 408 * MS);
	for (size_t i = 9; i < 11; i++) {
		e = packet(r, i);
		ck_assert_int_eq(e->again, TRACE_KEEPALIVE);
		ck_assert_uint_eq(e->number, i - 8);
	}
	for (size_t i = 0; i < r->trace.count; i++) {
		timers += r->trace.entries[i].kind == TRACE_TIMER;
		unseen += r->trace.entries[i].kind == TRACE_RETRANSMISSION;
	}
	ck_assert_uint_eq(timers, 1);
	ck_assert_uint_eq(unseen, 1); /* That of 700 ms has no packet. */
}
END_TEST

/* Without timestamps a retransmission looks like the segment that it repeats, and only the delay
 * tells the two apart. */
START_TEST(slow_paths_are_joined)
{
	static const struct step steps[] = {
		{ 0, 500 * MS, C, S, 0, 0, 0, 64240 },
		{ 501 * MS, 1001 * MS, V, S | A, 0, 1, 0, 65160 },
		{ 1002 * MS, 1502 * MS, C, P, 1, 1, 64, 502 },
		{ 1202 * MS, 1702 * MS, C, P, 1, 1, 64, 502 },
		{ 1602 * MS, NSEC_NONE, C, P, 1, 1, 64, 502 },
		{ 2402 * MS, 2902 * MS, C, P, 1, 1, 64, 502 },
		{ 19900 * MS, NSEC_NONE, C, P, 65, 1, 64, 502 }, /* the trial ends at 20 s */
	};
	_cleanup_(record_freep) struct record *r = trace_of(steps, ARRAY_SIZE(steps));

	for (enum end_id n = 0; n < r->n_ends; n++)
		for (size_t i = 0; i < r->sightings->n_packets[n]; i++)
			r->sightings->packets[n][i].stamp = 0;
	ck_assert_int_eq(trace_build(r), 0);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		ck_assert_int_eq(packet(r, i)->packet.arrived_nsec, steps[i].arrived_nsec);
	ck_assert_int_eq(packet(r, 3)->again, TRACE_AGAIN);
	ck_assert_int_eq(packet(r, 4)->packet.fate, TRACE_LOST);
	ck_assert_int_eq(packet(r, 6)->packet.fate, TRACE_UNDER_WAY);
}
END_TEST

/* A segment that is cut in two on the way is not lost, and the trace has both parts. */
START_TEST(pieces_are_no_loss)
{
	static const struct step steps[] = {
		{ 0, MS, C, S, 0, 0, 0, 64240 },
		{ 2 * MS, 3 * MS, V, S | A, 0, 1, 0, 65160 },
		{ 10 * MS, NSEC_NONE, C, P, 1, 1, 2000, 502 },
		{ NSEC_NONE, 11 * MS, C, A, 1, 1, 1448, 502 },
		{ NSEC_NONE, 12 * MS, C, P, 1449, 1, 552, 502 },
	};
	_cleanup_(record_freep) struct record *r = trace_of(steps, ARRAY_SIZE(steps));

	ck_assert_int_eq(trace_build(r), 0);
	ck_assert_int_eq(packet(r, 2)->packet.fate, TRACE_IN_PIECES);
	for (size_t i = 3; i < 5; i++) {
		ck_assert_int_eq(packet(r, i)->packet.fate, TRACE_ARRIVED);
		ck_assert(!packet(r, i)->packet.foreign);
		ck_assert_int_eq(packet(r, i)->end, END_CLIENT);
		ck_assert_int_eq(packet(r, i)->packet.sent_nsec, NSEC_NONE);
	}
}
END_TEST

/* A SYN that is sent again is joined with its own arrival. */
START_TEST(syns_are_sent_again)
{
	static const struct step steps[] = {
		{ 0, MS, C, S, 0, 0, 0, 64240 },
		{ 1000 * MS, 1001 * MS, C, S, 0, 0, 0, 64240 },
		{ 1002 * MS, NSEC_NONE, V, S | A, 0, 1, 0, 65160 },
		{ 2002 * MS, 2003 * MS, V, S | A, 0, 1, 0, 65160 },
	};
	_cleanup_(record_freep) struct record *r = trace_of(steps, ARRAY_SIZE(steps));

	ck_assert_int_eq(trace_build(r), 0);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		ck_assert_int_eq(packet(r, i)->again, i % 2 ? TRACE_AGAIN : TRACE_NEW);
		ck_assert_uint_eq(packet(r, i)->number, i % 2);
		ck_assert_uint_eq(packet(r, i)->connection, 0);
	}
}
END_TEST

START_TEST(next_connection_counts_anew)
{
	static const struct step steps[] = {
		{ 0, MS, C, S, 0, 0, 0, 64240 },
		{ 2 * MS, 3 * MS, V, S | A, 0, 1, 0, 65160 },
		{ 1000 * MS, 1001 * MS, C, S, 70000, 0, 0, 64240 },
		{ 1002 * MS, 1003 * MS, V, S | A, 90000, 70001, 0, 65160 },
		{ 1004 * MS, 1005 * MS, C, P, 70001, 90001, 10, 502 },
	};
	_cleanup_(record_freep) struct record *r = trace_of(steps, ARRAY_SIZE(steps));

	ck_assert_int_eq(trace_build(r), 0);
	ck_assert_uint_eq(packet(r, 1)->connection, 0);
	ck_assert_uint_eq(packet(r, 3)->connection, 1);
	ck_assert_uint_eq(packet(r, 4)->packet.seq, 1);
	ck_assert_uint_eq(packet(r, 4)->packet.ack, 1);
	ck_assert_int_eq(packet(r, 4)->again, TRACE_NEW);
}
END_TEST

START_TEST(trace_survives_json)
{
	_cleanup_(record_freep) struct record *r = tell_story();
	_cleanup_(record_freep) struct record *back = NULL;
	_cleanup_(freep) char *one = NULL, *two = NULL, *broken = NULL;
	struct error err = { 0 };

	one = record_to_json(r);
	ck_assert_msg(record_from_json(one, &back, &err) == 0, "%s", err.text);
	two = record_to_json(back);
	ck_assert_str_eq(one, two);
	ck_assert_uint_eq(back->trace.count, r->trace.count);
	ck_assert_ptr_nonnull(strstr(
		one, "{\"kind\":\"packet\",\"t_s\":0.220000,\"from\":\"client\",\"to\":\"server\","
		     "\"connection\":0,\"sent_s\":0.220000,\"arrived_s\":null,\"fate\":\"lost\","
		     "\"flags\":\"P.\",\"seq\":401,\"ack\":1,\"win\":502,\"length\":64,"
		     "\"again\":\"rto\",\"number\":1,\"rto_s\":0.204000}"));
	broken = strdup(one);
	memcpy(strstr(broken, "\"fate\""), "\"fete\"", 6);
	record_free(take_ptr(back));
	ck_assert_int_lt(record_from_json(broken, &back, &err), 0);
	ck_assert_str_eq(err.text, "record: 'fate' is missing");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, packets_are_joined);
	tcase_add_test(tc, what_is_sent_again_is_known);
	tcase_add_test(tc, slow_paths_are_joined);
	tcase_add_test(tc, pieces_are_no_loss);
	tcase_add_test(tc, syns_are_sent_again);
	tcase_add_test(tc, next_connection_counts_anew);
	tcase_add_test(tc, trace_survives_json);
}

int main(void)
{
	return suite_main("trace", add_tests);
}
