/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests check which cause a trial gives for the end of an endpoint. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "src/tcp/state.h"
#include "src/trial/cause.h"
#include "src/trial/endpoint.h"
#include "src/util/array.h"
#include "tests/unit/suite.h"

#define SEC  NSEC_PER_SEC
#define MSEC NSEC_PER_MSEC

static void state(struct endpoint *ep, nsec_t at_nsec, int from, int to, struct socket_facts facts)
{
	struct observation o = { .kind = OBSERVATION_STATE,
				 .time_nsec = at_nsec,
				 .socket = 7,
				 .local_port = 40000,
				 .peer_port = 5000,
				 .state = { from, to, facts } };

	facts.present = true;
	o.state.facts = facts;
	ck_assert_int_eq(endpoint_observe(ep, &o), 0);
}

static void report(struct endpoint *ep, nsec_t at_nsec, enum agent_call call, int error)
{
	struct agent_report r = {
		.call = call, .start_nsec = at_nsec, .time_nsec = at_nsec, .error = error
	};

	ck_assert_int_eq(endpoint_report(ep, &r), 0);
}

static void establish(struct endpoint *ep)
{
	endpoint_init(ep, END_CLIENT);
	ep->port = 5000;
	state(ep, 1 * SEC, TCP_STATE_CLOSE, TCP_STATE_SYN_SENT, (struct socket_facts){ 0 });
	state(ep, 2 * SEC, TCP_STATE_SYN_SENT, TCP_STATE_ESTABLISHED, (struct socket_facts){ 0 });
}

static const struct {
	const char *name;
	struct socket_facts facts;
	int error; /* the errno of read() */
	enum outcome outcome;
	enum mechanism mechanism;
} deaths[] = {
	{ "retransmission",
	  { .retransmits = 4, .unacknowledged = 10, .error = ETIMEDOUT },
	  ETIMEDOUT,
	  OUTCOME_TIMED_OUT,
	  MECHANISM_RETRANSMISSION },
	{ "keepalive",
	  { .keepalive = true, .probes = 2, .error = ETIMEDOUT },
	  ETIMEDOUT,
	  OUTCOME_TIMED_OUT,
	  MECHANISM_KEEPALIVE },
	{ "user timeout, retransmitting",
	  { .retransmits = 3, .unacknowledged = 10, .user_timeout_msec = 1500, .error = ETIMEDOUT },
	  ETIMEDOUT,
	  OUTCOME_TIMED_OUT,
	  MECHANISM_USER_TIMEOUT },
	{ "user timeout, keepalive",
	  { .keepalive = true, .probes = 1, .user_timeout_msec = 1500, .error = ETIMEDOUT },
	  ETIMEDOUT,
	  OUTCOME_TIMED_OUT,
	  MECHANISM_USER_TIMEOUT },
	{ "zero window",
	  { .probes = 3, .unsent = 600000, .error = ETIMEDOUT },
	  ETIMEDOUT,
	  OUTCOME_TIMED_OUT,
	  MECHANISM_PERSIST },
	{ "unreachable",
	  { .retransmits = 4, .unacknowledged = 10, .error = EHOSTUNREACH },
	  EHOSTUNREACH,
	  OUTCOME_UNREACHABLE,
	  MECHANISM_RETRANSMISSION },
	{ "reset",
	  { .unacknowledged = 10, .error = ECONNRESET },
	  ECONNRESET,
	  OUTCOME_RESET,
	  MECHANISM_RST_RECEIVED },
};

static void judge(struct endpoint *ep, const struct endpoint_context *context,
		  struct record_endpoint *ret_record)
{
	struct cause cause = cause_of(ep, context);

	endpoint_conclude(ep, context, &cause, ret_record);
}

/* The facts were measured on real connections that died (tests/host/test-observer-mechanisms.c). */
START_TEST(endpoint_tells_mechanisms)
{
	struct endpoint_context context = { .origin_nsec = 3 * SEC, .last_heal_nsec = NSEC_NONE };
	struct record_endpoint r;
	struct endpoint ep;

	establish(&ep);
	ck_assert(!endpoint_ended(&ep));
	state(&ep, 10 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE, deaths[_i].facts);
	ck_assert(!endpoint_ended(&ep));
	report(&ep, 10 * SEC + 50, AGENT_CALL_READ, deaths[_i].error);
	ck_assert(endpoint_ended(&ep));
	judge(&ep, &context, &r);
	ck_assert_msg(r.outcome == deaths[_i].outcome, "%s: %s", deaths[_i].name,
		      outcome_name(r.outcome));
	ck_assert_msg(r.mechanism == deaths[_i].mechanism, "%s: %s", deaths[_i].name,
		      mechanism_name(r.mechanism));
	ck_assert_int_eq(r.error, deaths[_i].error);
	ck_assert_int_eq(r.kernel_nsec, 7 * SEC);
	ck_assert_int_eq(r.application_nsec, 7 * SEC + 50);
	ck_assert_int_eq(r.states[1].time_nsec, -1 * SEC);
	ep.record = r;
	endpoint_deinit(&ep);
}
END_TEST

START_TEST(endpoint_notices_a_missed_state)
{
	struct endpoint ep;

	establish(&ep);
	ck_assert(!ep.gap);
	state(&ep, 3 * SEC, TCP_STATE_CLOSE_WAIT, TCP_STATE_LAST_ACK, (struct socket_facts){ 0 });
	ck_assert(ep.gap);
	endpoint_deinit(&ep);
}
END_TEST

/* The errno of a user's command that is observed without BPF is unknown. */
START_TEST(endpoint_of_a_silent_program)
{
	struct endpoint_context context = { .origin_nsec = 3 * SEC, .last_heal_nsec = NSEC_NONE };
	struct record_endpoint r;
	struct endpoint ep;

	establish(&ep);
	ep.command = ep.derived = true;
	state(&ep, 10 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE,
	      (struct socket_facts){ .retransmits = 2, .unacknowledged = 1 });
	report(&ep, 11 * SEC, AGENT_CALL_EXIT, 0);
	ck_assert(endpoint_ended(&ep));
	judge(&ep, &context, &r);
	ck_assert_int_eq(r.outcome, OUTCOME_TIMED_OUT);
	ck_assert_int_eq(r.mechanism, MECHANISM_RETRANSMISSION);
	ck_assert_int_eq(r.error, 0);
	ep.record = r;
	endpoint_deinit(&ep);
}
END_TEST

START_TEST(endpoint_without_an_end)
{
	struct endpoint_context context = { .origin_nsec = 3 * SEC, .last_heal_nsec = NSEC_NONE };
	struct record_endpoint r;
	struct endpoint ep;

	for (int full = 0; full <= 1; full++) {
		establish(&ep);
		context.full_term = full;
		judge(&ep, &context, &r);
		ck_assert_int_eq(r.outcome, full ? OUTCOME_UNDETECTED : OUTCOME_NONE);
		ck_assert_int_eq(r.kernel_nsec, NSEC_NONE);
		ep.record = r;
		endpoint_deinit(&ep);
	}
	establish(&ep);
	ep.powerless = true; /* A node without power has no outcome. */
	judge(&ep, &context, &r);
	ck_assert_int_eq(r.outcome, OUTCOME_NONE);
	ep.record = r;
	endpoint_deinit(&ep);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, endpoint_tells_mechanisms, 0, ARRAY_SIZE(deaths));
	tcase_add_test(tc, endpoint_notices_a_missed_state);
	tcase_add_test(tc, endpoint_of_a_silent_program);
	tcase_add_test(tc, endpoint_without_an_end);
}

int main(void)
{
	return suite_main("trial", add_tests);
}
