/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One end of a connection: how the steps of its minisockets join the walk of the full one. */
#include <check.h>
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
				 .local_port = ep->node == NODE_CLIENT ? 40000 : 5000,
				 .peer_port = ep->node == NODE_CLIENT ? 5000 : 40000,
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

static void establish(struct endpoint *ep, enum node_id node)
{
	endpoint_init(ep, node);
	ep->port = 5000;
	if (node == NODE_CLIENT)
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

/* The states it came to, and what became of it. */
static void conclude(struct endpoint *ep, const char *walk, enum outcome outcome,
		     enum mechanism mechanism, nsec_t gone_nsec)
{
	struct endpoint_context context = { .origin_nsec = 0, .last_heal_nsec = NSEC_NONE };
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

	establish(&ep, NODE_CLIENT);
	report(&ep, 3 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_FIN_WAIT2);
	ck_assert(!endpoint_takes_minisocket(
		&ep, &(struct minisocket_step){ .state = TCP_STATE_TIME_WAIT }));
	state(&ep, 5 * SEC, TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE);
	take_step(&ep, 6 * SEC, TCP_STATE_TIME_WAIT, false);
	ck_assert(endpoint_ended(&ep));
	ck_assert_int_eq(ep.gone_nsec, NSEC_NONE);
	ck_assert_int_eq(ep.kernel_nsec, 5 * SEC);
	take_step(&ep, 65 * SEC, TCP_STATE_CLOSE, false);
	conclude(&ep, "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT CLOSE", OUTCOME_CLOSED,
		 MECHANISM_TIME_WAIT, 65 * SEC);
}
END_TEST

START_TEST(an_orphan_waits_in_fin_wait_2)
{
	struct endpoint ep;

	establish(&ep, NODE_CLIENT);
	report(&ep, 3 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_FIN_WAIT2);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE);
	take_step(&ep, 4 * SEC, TCP_STATE_FIN_WAIT2, false);
	ck_assert(!endpoint_ended(&ep)); /* a FIN may still come */
	take_step(&ep, 64 * SEC, TCP_STATE_CLOSE, false);
	ck_assert(endpoint_ended(&ep));
	conclude(&ep, "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 CLOSE", OUTCOME_TIMED_OUT,
		 MECHANISM_FIN_WAIT_2, 64 * SEC);
}
END_TEST

START_TEST(an_orphan_gets_its_fin)
{
	struct endpoint ep;

	establish(&ep, NODE_CLIENT);
	report(&ep, 3 * SEC, AGENT_CALL_CLOSE);
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_FIN_WAIT2);
	state(&ep, 4 * SEC, TCP_STATE_FIN_WAIT2, TCP_STATE_CLOSE);
	take_step(&ep, 4 * SEC, TCP_STATE_FIN_WAIT2, false);
	take_step(&ep, 10 * SEC, TCP_STATE_TIME_WAIT, false);
	ck_assert(endpoint_ended(&ep));
	ck_assert_int_eq(ep.kernel_nsec, 10 * SEC);
	conclude(&ep, "SYN_SENT ESTABLISHED FIN_WAIT1 FIN_WAIT2 TIME_WAIT", OUTCOME_CLOSED,
		 MECHANISM_TIME_WAIT, NSEC_NONE);
}
END_TEST

START_TEST(a_request_is_given_up)
{
	struct endpoint ep;

	endpoint_init(&ep, NODE_SERVER);
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

	endpoint_init(&ep, NODE_SERVER);
	ep.port = 5000;
	take_step(&ep, 1 * SEC, TCP_STATE_SYN_RECV, true);
	state(&ep, 3 * SEC, TCP_STATE_LISTEN, TCP_STATE_SYN_RECV);
	state(&ep, 3 * SEC, TCP_STATE_SYN_RECV, TCP_STATE_ESTABLISHED);
	ck_assert(!ep.gap && !ep.request);
	conclude(&ep, "SYN_RECV ESTABLISHED", OUTCOME_NONE, MECHANISM_NONE, NSEC_NONE);
}
END_TEST

/* A witness that has taken the request's packets for a connection knows better already. */
START_TEST(a_request_that_is_a_connection_already)
{
	struct endpoint ep;

	establish(&ep, NODE_SERVER);
	take_step(&ep, 1 * SEC, TCP_STATE_SYN_RECV, true);
	conclude(&ep, "SYN_RECV ESTABLISHED", OUTCOME_NONE, MECHANISM_NONE, NSEC_NONE);
}
END_TEST

static void reset(struct endpoint *ep, nsec_t at_nsec, enum observation_kind kind)
{
	struct observation o = { .kind = kind, .time_nsec = at_nsec, .socket = 7 };

	ck_assert_int_eq(endpoint_observe(ep, &o), 0);
}

/* The kernel gives the memory of a socket to the next, and with it what it is known by. */
START_TEST(the_next_socket_is_another)
{
	struct endpoint ep;

	establish(&ep, NODE_CLIENT);
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

/* Killed with unread data: the kernel ends the socket before it sends the RST. */
START_TEST(a_crash_may_reset)
{
	struct endpoint ep;

	establish(&ep, NODE_SERVER);
	ep.crashed = true;
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE);
	reset(&ep, 3 * SEC + 10, OBSERVATION_RESET_SENT);
	conclude(&ep, "SYN_RECV ESTABLISHED CLOSE", OUTCOME_RESET, MECHANISM_LOCAL, 3 * SEC);
}
END_TEST

/* To who reads packets, a RST for a socket that is long gone looks like its own. */
START_TEST(a_reset_of_nobody)
{
	struct endpoint ep;

	establish(&ep, NODE_SERVER);
	ep.crashed = true;
	state(&ep, 3 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_FIN_WAIT1);
	state(&ep, 104 * SEC, TCP_STATE_FIN_WAIT1, TCP_STATE_CLOSE);
	reset(&ep, 360 * SEC, OBSERVATION_RESET_SENT);
	ck_assert_uint_eq(ep.record.n_resets, 0);
	conclude(&ep, "SYN_RECV ESTABLISHED FIN_WAIT1 CLOSE", OUTCOME_TIMED_OUT, MECHANISM_NONE,
		 104 * SEC);
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
}

int main(void)
{
	return suite_main("endpoint", add_tests);
}
