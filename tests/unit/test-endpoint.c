/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests show how one end of a connection joins the states of its minisockets (SYN_RECV,
 * FIN_WAIT2 and TIME_WAIT) with those of its full socket. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "netns/sockdiag.h"
#include "src/record/record.h"
#include "src/tcp/state.h"
#include "src/trial/cause.h"
#include "src/trial/endpoint.h"
#include "tests/unit/suite.h"

#define SEC NSEC_PER_SEC

static void state(struct endpoint *ep, nsec_t at_nsec, int from, int to)
{
	struct observation o = { .kind = OBSERVATION_STATE,
				 .time_nsec = at_nsec,
				 .socket = 7,
				 .local_port = end_connects(ep->id) ? 40000 : 5000,
				 .peer_port = end_connects(ep->id) ? 5000 : 40000,
				 .state = { from, to, { .present = true } } };

	ck_assert_int_eq(endpoint_observe(ep, &o), 0);
}

static void report(struct endpoint *ep, nsec_t at_nsec, enum agent_call call)
{
	struct agent_report r = { .call = call, .start_nsec = at_nsec, .time_nsec = at_nsec };

	ck_assert_int_eq(endpoint_report(ep, &r), 0);
}

static void take_step(struct endpoint *ep, nsec_t at_nsec, int to, bool request)
{
	struct minisocket_step step = { .time_nsec = at_nsec, .state = to, .request = request };

	ck_assert(endpoint_takes_minisocket(ep, &step));
	ck_assert_int_eq(endpoint_take_minisocket(ep, &step), 0);
}

static void establish(struct endpoint *ep, enum end_id id)
{
	endpoint_init(ep, id);
	ep->port = 5000;
	if (end_connects(id))
		state(ep, 1 * SEC, TCP_STATE_CLOSE, TCP_STATE_SYN_SENT);
	else
		state(ep, 1 * SEC, TCP_STATE_LISTEN, TCP_STATE_SYN_RECV);
	state(ep, 2 * SEC, ep->state, TCP_STATE_ESTABLISHED);
}

static void judge(struct endpoint *ep, const struct endpoint_context *context,
		  struct record_endpoint *ret_record)
{
	struct cause cause = cause_of(ep, context);

	endpoint_conclude(ep, context, &cause, ret_record);
}

/* Nothing was done to the connection. */
static const struct endpoint_context calm = { .origin_nsec = 0,
					      .fault_nsec = NSEC_NONE,
					      .peer_told_nsec = NSEC_NONE,
					      .last_heal_nsec = NSEC_NONE };

/* Checks which states the endpoint has been in, how it ended and by which mechanism, and when it
 * was gone. */
static void conclude(struct endpoint *ep, const char *walk, enum outcome outcome,
		     enum mechanism mechanism, nsec_t gone_nsec)
{
	struct endpoint_context context = calm;
	struct record_endpoint r;
	char got[256] = "";

	judge(ep, &context, &r);
	for (size_t i = 0; i < r.n_states; i++) {
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "",
			 tcp_state_name(r.states[i].to));
		ck_assert(i == 0 || r.states[i].from == r.states[i - 1].to);
	}
	ck_assert_str_eq(got, walk);
	ck_assert_int_eq(r.outcome, outcome);
	ck_assert_int_eq(r.mechanism, mechanism);
	ck_assert_int_eq(r.gone_nsec, gone_nsec);
	ep->record = r;
	endpoint_deinit(ep);
}

START_TEST(time_wait_takes_the_place_of_close)
{
	struct endpoint ep;

	establish(&ep, END_CLIENT);
	report(&ep, 3 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_FIN_WAIT2);
	ck_assert(!endpoint_takes_minisocket(
		&ep, &(struct minisocket_step){ .state = TCP_STATE_TIME_WAIT }));
	state(&ep, 5 * SEC, TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE);
	take_step(&ep, 6 * SEC, TCP_STATE_TIME_WAIT, false);
	ck_assert(endpoint_ended(&ep));
	ck_assert_int_eq(ep.gone_nsec, NSEC_NONE);
	ck_assert_int_eq(ep.end_nsec, 5 * SEC);
	take_step(&ep, 65 * SEC, TCP_STATE_CLOSE, false);
	conclude(&ep, "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE", OUTCOME_CLOSED,
		 MECHANISM_TIME_WAIT, 65 * SEC);
}
END_TEST

START_TEST(an_orphan_waits_in_fin_wait_2)
{
	struct endpoint ep;

	establish(&ep, END_CLIENT);
	report(&ep, 3 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_FIN_WAIT2);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE);
	take_step(&ep, 4 * SEC, TCP_STATE_FIN_WAIT2, false);
	ck_assert(!endpoint_ended(&ep)); /* A FIN may still come. */
	take_step(&ep, 64 * SEC, TCP_STATE_CLOSE, false);
	ck_assert(endpoint_ended(&ep));
	conclude(&ep, "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSE", OUTCOME_TIMED_OUT,
		 MECHANISM_FIN_WAIT_2, 64 * SEC);
}
END_TEST

START_TEST(an_orphan_gets_its_fin)
{
	struct endpoint ep;

	establish(&ep, END_CLIENT);
	report(&ep, 3 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_FIN_WAIT2);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE);
	take_step(&ep, 4 * SEC, TCP_STATE_FIN_WAIT2, false);
	take_step(&ep, 10 * SEC, TCP_STATE_TIME_WAIT, false);
	ck_assert(endpoint_ended(&ep));
	ck_assert_int_eq(ep.end_nsec, 10 * SEC);
	conclude(&ep, "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT", OUTCOME_CLOSED,
		 MECHANISM_TIME_WAIT, NSEC_NONE);
}
END_TEST

START_TEST(a_request_is_given_up)
{
	struct endpoint ep;

	endpoint_init(&ep, END_SERVER);
	take_step(&ep, 1 * SEC, TCP_STATE_SYN_RECV, true);
	ck_assert(!endpoint_ended(&ep));
	take_step(&ep, 64 * SEC, TCP_STATE_CLOSE, true);
	ck_assert(endpoint_ended(&ep));
	conclude(&ep, "SYN_RECV CLOSE", OUTCOME_TIMED_OUT, MECHANISM_SYNACK, 64 * SEC);
}
END_TEST

START_TEST(a_request_becomes_a_connection)
{
	struct endpoint ep;

	endpoint_init(&ep, END_SERVER);
	ep.port = 5000;
	take_step(&ep, 1 * SEC, TCP_STATE_SYN_RECV, true);
	state(&ep, 3 * SEC, TCP_STATE_LISTEN, TCP_STATE_SYN_RECV);
	state(&ep, 3 * SEC, TCP_STATE_SYN_RECV, TCP_STATE_ESTABLISHED);
	ck_assert(!ep.gap && !ep.request);
	conclude(&ep, "SYN_RECV ESTABLISHED", OUTCOME_NONE, MECHANISM_NONE, NSEC_NONE);
}
END_TEST

/* A request that is observed after its connection is established changes nothing. */
START_TEST(a_request_that_is_a_connection_already)
{
	struct endpoint ep;

	establish(&ep, END_SERVER);
	take_step(&ep, 1 * SEC, TCP_STATE_SYN_RECV, true);
	conclude(&ep, "SYN_RECV ESTABLISHED", OUTCOME_NONE, MECHANISM_NONE, NSEC_NONE);
}
END_TEST

static void reset(struct endpoint *ep, nsec_t at_nsec, enum observation_kind kind)
{
	struct observation o = { .kind = kind, .time_nsec = at_nsec, .socket = 7 };

	ck_assert_int_eq(endpoint_observe(ep, &o), 0);
}

/* The kernel may reuse the memory of a socket for the next socket, which then has the same
 * identifier, and yet is another socket. */
START_TEST(the_next_socket_is_another)
{
	struct endpoint ep;

	establish(&ep, END_CLIENT);
	report(&ep, 3 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_FIN_WAIT2);
	state(&ep, 5 * SEC, TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE);
	if (_i)
		take_step(&ep, 5 * SEC, TCP_STATE_TIME_WAIT, false);
	state(&ep, 6 * SEC, TCP_STATE_CLOSE, TCP_STATE_SYN_SENT);
	reset(&ep, 6 * SEC, OBSERVATION_RESET_RECEIVED);
	state(&ep, 6 * SEC, TCP_STATE_SYN_SENT, TCP_STATE_CLOSE);
	ck_assert_uint_eq(ep.record.n_resets, 0);
	if (_i)
		conclude(&ep, "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT", OUTCOME_CLOSED,
			 MECHANISM_TIME_WAIT, NSEC_NONE);
	else
		conclude(&ep, "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSE", OUTCOME_TIMED_OUT,
			 MECHANISM_NONE, 5 * SEC);
}
END_TEST

/* When a process is killed with unread data, the kernel closes the socket before it sends the RST.
 */
START_TEST(a_crash_may_reset)
{
	struct endpoint ep;

	establish(&ep, END_SERVER);
	ep.crashed = true;
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE);
	reset(&ep, 3 * SEC + 10, OBSERVATION_RESET_SENT);
	conclude(&ep, "SYN_RECV ESTABLISHED CLOSE", OUTCOME_RESET, MECHANISM_LOCAL, 3 * SEC);
}
END_TEST

/* An observer that reads packets takes a RST for a socket that is long gone as a RST of that
 * socket.
 */
START_TEST(a_reset_of_nobody)
{
	struct endpoint ep;

	establish(&ep, END_SERVER);
	ep.crashed = true;
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 104 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_CLOSE);
	reset(&ep, 360 * SEC, OBSERVATION_RESET_SENT);
	ck_assert_uint_eq(ep.record.n_resets, 0);
	conclude(&ep, "SYN_RECV ESTABLISHED FIN_WAIT1 CLOSE", OUTCOME_TIMED_OUT, MECHANISM_NONE,
		 104 * SEC);
}
END_TEST

/* One row: what became of it, the errno, and two of the three clocks. */
static void expect_row(struct endpoint *ep, const struct endpoint_context *context,
		       enum outcome outcome, enum mechanism mechanism, int error,
		       nsec_t kernel_nsec, nsec_t application_nsec)
{
	struct record_endpoint r;

	judge(ep, context, &r);
	ck_assert_str_eq(outcome_name(r.outcome), outcome_name(outcome));
	ck_assert_int_eq(r.mechanism, mechanism);
	ck_assert_int_eq(r.error, error);
	ck_assert_int_eq(r.kernel_nsec, kernel_nsec);
	ck_assert_int_eq(r.application_nsec, application_nsec);
	ep->record = r;
	endpoint_deinit(ep);
}

static void end(struct endpoint *ep, nsec_t at_nsec, int error, bool dead)
{
	struct observation o = { .kind = OBSERVATION_STATE,
				 .time_nsec = at_nsec,
				 .socket = 7,
				 .state = { ep->state,
					    TCP_STATE_CLOSE,
					    { .present = true, .error = error, .dead = dead } } };

	ck_assert_int_eq(endpoint_observe(ep, &o), 0);
}

static void fail_call(struct endpoint *ep, nsec_t at_nsec, enum agent_call call, int error)
{
	struct agent_report r = {
		.call = call, .start_nsec = at_nsec, .time_nsec = at_nsec, .error = error
	};

	ck_assert_int_eq(endpoint_report(ep, &r), 0);
}

/* The user's own program closes at its own deadline and lives on; the orphan dies much later. */
START_TEST(a_command_gives_up)
{
	struct endpoint_context faulty = calm;
	struct endpoint ep;

	faulty.origin_nsec = faulty.fault_nsec = 3 * SEC;
	establish(&ep, END_SERVER);
	ep.command = true;
	state(&ep, 5 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	if (_i == 1)
		report(&ep, 6 * SEC, AGENT_CALL_EXIT);
	if (_i == 2)
		end(&ep, 105 * SEC, ETIMEDOUT, true);
	expect_row(&ep, &faulty, OUTCOME_ABANDONED, MECHANISM_APPLICATION, 0, NSEC_NONE, 2 * SEC);
}
END_TEST

/* What it closes before anything happens is no finding, nor what something told it to close. */
START_TEST(a_command_does_not_give_up)
{
	struct endpoint_context faulty = calm;
	struct endpoint ep;

	faulty.origin_nsec = faulty.fault_nsec = 3 * SEC;
	establish(&ep, END_SERVER);
	ep.command = true;
	if (_i == 0) {
		state(&ep, 5 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE_WAIT);
		state(&ep, 6 * SEC, TCP_STATE_CLOSE_WAIT, TCP_STATE_LAST_ACK);
		report(&ep, 6 * SEC, AGENT_CALL_EXIT);
		end(&ep, 105 * SEC, ETIMEDOUT, true);
		expect_row(&ep, &faulty, OUTCOME_CLOSED, MECHANISM_FIN_RECEIVED, 0, 2 * SEC,
			   3 * SEC);
	} else if (_i == 1) {
		end(&ep, 5 * SEC, ETIMEDOUT, false);
		report(&ep, 6 * SEC, AGENT_CALL_EXIT);
		expect_row(&ep, &faulty, OUTCOME_TIMED_OUT, MECHANISM_NONE, ETIMEDOUT, 2 * SEC,
			   3 * SEC);
	} else {
		/* It closes a connection that works, and the peer answers at once. */
		state(&ep, 5 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
		state(&ep, 5 * SEC + 1, TCP_STATE_FIN_WAIT1, TCP_STATE_FIN_WAIT2);
		state(&ep, 5 * SEC + 2, TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE);
		take_step(&ep, 5 * SEC + 2, TCP_STATE_TIME_WAIT, false);
		expect_row(&ep, &faulty, OUTCOME_CLOSED, MECHANISM_TIME_WAIT, 0, 2 * SEC + 2,
			   NSEC_NONE);
	}
}
END_TEST

/* What the timeline makes a built-in agent close counts once a fault has struck. */
START_TEST(an_agent_is_made_to_close)
{
	struct endpoint_context context = calm;
	struct endpoint ep;

	context.origin_nsec = 3 * SEC;
	context.fault_nsec = _i ? 3 * SEC : 6 * SEC;
	establish(&ep, END_CLIENT);
	report(&ep, 5 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 5 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	end(&ep, 105 * SEC, ETIMEDOUT, true);
	if (_i)
		expect_row(&ep, &context, OUTCOME_ABANDONED, MECHANISM_APPLICATION, 0, NSEC_NONE,
			   2 * SEC);
	else
		expect_row(&ep, &context, OUTCOME_TIMED_OUT, MECHANISM_ORPHAN, 0, 102 * SEC,
			   NSEC_NONE);
}
END_TEST

START_TEST(a_heartbeat_gives_up)
{
	struct endpoint ep;

	establish(&ep, END_CLIENT);
	report(&ep, 17 * SEC, AGENT_CALL_HEARTBEAT);
	report(&ep, 17 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 17 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	if (_i)
		end(&ep, 110 * SEC, ETIMEDOUT, true);
	expect_row(&ep, &calm, OUTCOME_ABANDONED, MECHANISM_HEARTBEAT, 0, NSEC_NONE, 17 * SEC);
}
END_TEST

/* A FIN of before the first event, or that the timeline ordered, is no detection of what follows.
 */
START_TEST(a_half_closed_connection_dies)
{
	struct endpoint_context context = calm;
	struct endpoint ep;

	context.origin_nsec = _i ? 3 * SEC : 4 * SEC;
	context.peer_told_nsec = _i ? 3 * SEC : NSEC_NONE;
	establish(&ep, END_CLIENT);
	state(&ep, 3 * SEC + 60, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE_WAIT);
	report(&ep, 3 * SEC + 70, AGENT_CALL_READ);
	end(&ep, 12 * SEC, ETIMEDOUT, false);
	fail_call(&ep, 12 * SEC + 5, AGENT_CALL_WRITE, ETIMEDOUT);
	ep.facts.unacknowledged = 1;
	expect_row(&ep, &context, OUTCOME_TIMED_OUT, MECHANISM_RETRANSMISSION, ETIMEDOUT,
		   12 * SEC - context.origin_nsec, 12 * SEC + 5 - context.origin_nsec);
}
END_TEST

/* Where nothing else ends it, the FIN that was ordered is what this end knows. */
START_TEST(a_half_closed_connection_stays)
{
	struct endpoint_context context = calm;
	struct endpoint ep;

	context.origin_nsec = _i ? 3 * SEC : 4 * SEC;
	context.peer_told_nsec = _i ? 3 * SEC : NSEC_NONE;
	context.full_term = true;
	establish(&ep, END_CLIENT);
	state(&ep, 3 * SEC + 60, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE_WAIT);
	report(&ep, 3 * SEC + 70, AGENT_CALL_READ);
	if (_i)
		expect_row(&ep, &context, OUTCOME_CLOSED, MECHANISM_FIN_RECEIVED, 0, 60, 70);
	else
		expect_row(&ep, &context, OUTCOME_UNDETECTED, MECHANISM_NONE, 0, NSEC_NONE,
			   NSEC_NONE);
}
END_TEST

/* net/ipv4/tcp_timer.c: tcp_write_timeout() ends an orphan by its user timeout, if it has one. */
START_TEST(an_orphan_has_a_user_timeout)
{
	struct endpoint_context context = calm;
	struct endpoint ep;

	context.peer_told_nsec = 2 * SEC;
	establish(&ep, END_SERVER);
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE_WAIT);
	report(&ep, 3 * SEC, AGENT_CALL_READ);
	report(&ep, 3 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 3 * SEC, TCP_STATE_CLOSE_WAIT, TCP_STATE_LAST_ACK);
	end(&ep, 7 * SEC, ETIMEDOUT, true);
	ep.facts.user_timeout_msec = _i ? 3000 : 0;
	expect_row(&ep, &context, OUTCOME_TIMED_OUT, _i ? MECHANISM_USER_TIMEOUT : MECHANISM_ORPHAN,
		   0, 7 * SEC, NSEC_NONE);
}
END_TEST

/* EPIPE after the program's own shutdown() says nothing of the peer. */
START_TEST(a_send_after_shutdown_is_no_end)
{
	struct endpoint_context context = calm;
	struct endpoint ep;

	context.full_term = true;
	establish(&ep, END_CLIENT);
	report(&ep, 3 * SEC, AGENT_CALL_SHUTDOWN);
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 3 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_FIN_WAIT2);
	fail_call(&ep, 4 * SEC, AGENT_CALL_WRITE, EPIPE);
	expect_row(&ep, &context, OUTCOME_UNDETECTED, MECHANISM_NONE, 0, NSEC_NONE, NSEC_NONE);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, time_wait_takes_the_place_of_close);
	tcase_add_test(tc, an_orphan_waits_in_fin_wait_2);
	tcase_add_test(tc, an_orphan_gets_its_fin);
	tcase_add_test(tc, a_request_is_given_up);
	tcase_add_test(tc, a_request_becomes_a_connection);
	tcase_add_test(tc, a_request_that_is_a_connection_already);
	tcase_add_loop_test(tc, the_next_socket_is_another, 0, 2);
	tcase_add_test(tc, a_crash_may_reset);
	tcase_add_test(tc, a_reset_of_nobody);
	tcase_add_loop_test(tc, a_command_gives_up, 0, 3);
	tcase_add_loop_test(tc, a_command_does_not_give_up, 0, 3);
	tcase_add_loop_test(tc, an_agent_is_made_to_close, 0, 2);
	tcase_add_loop_test(tc, a_heartbeat_gives_up, 0, 2);
	tcase_add_loop_test(tc, a_half_closed_connection_dies, 0, 2);
	tcase_add_loop_test(tc, a_half_closed_connection_stays, 0, 2);
	tcase_add_loop_test(tc, an_orphan_has_a_user_timeout, 0, 2);
	tcase_add_test(tc, a_send_after_shutdown_is_no_end);
}

int main(void)
{
	return suite_main("endpoint", add_tests);
}
