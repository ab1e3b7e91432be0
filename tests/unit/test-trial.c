/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is pure in a trial: the timeline, the cause of an endpoint's end, expectations, records. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "src/record/expect.h"
#include "src/report/rate.h"
#include "src/scenario/timeline.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/trial/cause.h"
#include "src/trial/endpoint.h"
#include "src/util/array.h"
#include "tests/unit/scenario-text.h"
#include "tests/unit/suite.h"

#define SEC  NSEC_PER_SEC
#define MSEC NSEC_PER_MSEC

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
		nsec_t at;
		enum step_kind kind;
		size_t fault;
	} want[] = { { 1 * SEC, STEP_FAULT, 0 },    { 2 * SEC, STEP_FAULT, 1 },
		     { 3 * SEC, STEP_FAULT, 2 },    { 4 * SEC, STEP_HEAL, 2 },
		     { 5 * SEC, STEP_POWER_ON, 1 }, { 6 * SEC, STEP_HEAL, 0 } };
	struct timeline timeline;

	ck_assert_int_eq(timeline_init(&timeline, s, NULL), 0);
	ck_assert_uint_eq(timeline.n_steps, ARRAY_SIZE(want));
	ck_assert_ptr_null(timeline_take(&timeline, SEC - 1));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct timeline_step *step;

		ck_assert_int_eq(timeline_next_nsec(&timeline), want[i].at);
		step = timeline_take(&timeline, want[i].at);
		ck_assert_ptr_nonnull(step);
		ck_assert_int_eq(step->kind, want[i].kind);
		ck_assert_uint_eq(step->fault, want[i].fault);
	}
	ck_assert_int_eq(timeline_next_nsec(&timeline), NSEC_NEVER);
	timeline_deinit(&timeline);
}
END_TEST

static void state(struct endpoint *ep, nsec_t at, int from, int to, struct socket_facts facts)
{
	struct observation o = { .kind = OBSERVATION_STATE,
				 .time_nsec = at,
				 .socket = 7,
				 .local_port = 40000,
				 .peer_port = 5000,
				 .state = { from, to, facts } };

	facts.present = true;
	o.state.facts = facts;
	ck_assert_int_eq(endpoint_observe(ep, &o), 0);
}

static void report(struct endpoint *ep, nsec_t at, enum agent_call call, int error)
{
	struct agent_report r = { .call = call, .start_nsec = at, .time_nsec = at, .error = error };

	ck_assert_int_eq(endpoint_report(ep, &r), 0);
}

static void establish(struct endpoint *ep)
{
	endpoint_init(ep, NODE_CLIENT);
	ep->port = 5000;
	state(ep, 1 * SEC, TCP_STATE_CLOSE, TCP_STATE_SYN_SENT, (struct socket_facts){ 0 });
	state(ep, 2 * SEC, TCP_STATE_SYN_SENT, TCP_STATE_ESTABLISHED, (struct socket_facts){ 0 });
}

static const struct {
	const char *name;
	struct socket_facts facts;
	int error; /* what read() returns */
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
	  { .retransmits = 3, .unacknowledged = 10, .user_timeout = 1500, .error = ETIMEDOUT },
	  ETIMEDOUT,
	  OUTCOME_TIMED_OUT,
	  MECHANISM_USER_TIMEOUT },
	{ "user timeout, keepalive",
	  { .keepalive = true, .probes = 1, .user_timeout = 1500, .error = ETIMEDOUT },
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

/* Facts as they were measured on real deaths (tests/host/test-observer-mechanisms.c). */
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
	ck_assert_str_eq(r.error, strerrorname_np(deaths[_i].error));
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

/* A user's command, observed without BPF: nobody tells the errno. */
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
	ck_assert_ptr_null(r.error);
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
	ep.powerless = true; /* lost its power: nothing is said of it */
	judge(&ep, &context, &r);
	ck_assert_int_eq(r.outcome, OUTCOME_NONE);
	ep.record = r;
	endpoint_deinit(&ep);
}
END_TEST

START_TEST(packet_patterns)
{
	struct packet_pattern p;
	char flags[12];

	ck_assert_int_eq(packet_parse_pattern("!<[R.]", &p), 0);
	ck_assert(p.absent && !p.any_direction && !p.sent);
	ck_assert_uint_eq(p.flags, 4 | 16);
	ck_assert_int_eq(packet_parse_pattern("[S]", &p), 0);
	ck_assert(!p.absent && p.any_direction);
	ck_assert_int_eq(packet_parse_pattern("[]", &p), -EINVAL);
	ck_assert_int_eq(packet_parse_pattern("[X]", &p), -EINVAL);
	ck_assert_int_eq(packet_parse_pattern("[S", &p), -EINVAL);
	ck_assert_int_eq(packet_parse_pattern("[S]x", &p), -EINVAL);
	ck_assert_str_eq(packet_format_flags(8 | 16, flags, sizeof(flags)), "P.");
}
END_TEST

static struct record_call *add_call(struct record_endpoint *e, nsec_t at, enum agent_call call,
				    int64_t result, const char *error)
{
	struct record_call *c = array_append(&e->calls, &e->n_calls, sizeof(*c));

	*c = (struct record_call){ .time_nsec = at,
				   .start_nsec = at,
				   .name = call_name(call),
				   .result = result,
				   .error = error };
	return c;
}

static struct record *made_up_record(void)
{
	static const struct record_packet packets[] = {
		{ .time_nsec = -2 * SEC, .sent = true, .flags = 2 },
		{ .time_nsec = -1 * SEC, .sent = true, .flags = 8 | 16 },
		{ .time_nsec = 1 * SEC, .sent = true, .flags = 16 },
		{ .time_nsec = 2 * SEC, .sent = false, .flags = 8 | 16 },
		{ .time_nsec = 3 * SEC, .sent = true, .flags = 16 },
	};
	struct record *r = calloc(1, sizeof(*r));
	struct record_endpoint *client = &r->endpoint[NODE_CLIENT];
	struct record_state *s;
	struct record_sample *sample;
	struct record_packet *p;

	r->scenario = strdup("t");
	r->engine = strdup("host");
	r->kernel = strdup("6.1");
	r->clock = strdup("tracepoint");
	r->phase = 17;
	r->seed = UINT64_MAX;
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++) {
		struct record_endpoint *e = &r->endpoint[n];

		e->kernel_nsec = e->application_nsec = e->wire_nsec = NSEC_NONE;
		e->recovered_nsec = e->earliest_nsec = e->latest_nsec = NSEC_NONE;
		e->gone_nsec = e->gone_earliest_nsec = e->gone_latest_nsec = NSEC_NONE;
		e->population.first_nsec = e->population.last_nsec = NSEC_NONE;
		e->command_status = -1;
		e->bytes_read = e->bytes_written = -1;
	}
	client->outcome = OUTCOME_TIMED_OUT;
	client->mechanism = MECHANISM_KEEPALIVE;
	client->error = "ETIMEDOUT";
	client->kernel_nsec = client->gone_nsec = 5 * SEC;
	client->earliest_nsec = client->gone_earliest_nsec = 4 * SEC;
	client->latest_nsec = client->gone_latest_nsec = 6 * SEC;
	s = array_append(&client->states, &client->n_states, sizeof(*s));
	*s = (struct record_state){ -1 * SEC, TCP_STATE_SYN_SENT, TCP_STATE_ESTABLISHED };
	s = array_append(&client->states, &client->n_states, sizeof(*s));
	*s = (struct record_state){ 5 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE };
	sample = array_append(&client->samples, &client->n_samples, sizeof(*sample));
	*sample = (struct record_sample){ .time_nsec = 1 * SEC,
					  .state = TCP_STATE_ESTABLISHED,
					  .send_queue = 7,
					  .timer = TCP_TIMER_KEEPALIVE,
					  .expires_nsec = 3 * SEC,
					  .probes = 2,
					  .open = { [TCP_STATE_ESTABLISHED] = 3 } };
	client->population = (struct record_population){ .connections = 4,
							 .first_nsec = 5 * SEC,
							 .last_nsec = 6 * SEC };
	client->population.outcome[OUTCOME_TIMED_OUT] = 3;
	client->population.outcome[OUTCOME_CLOSED] = 1;
	r->span_nsec = 6 * SEC;
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		p = array_append(&client->packets, &client->n_packets, sizeof(*p));
		*p = packets[i];
	}
	client->bytes_read = 10;
	client->bytes_written = 4;
	add_call(client, -1 * SEC, AGENT_CALL_CONNECT, 0, NULL);
	add_call(client, 1 * SEC, AGENT_CALL_WRITE, 4, NULL);
	add_call(client, 3 * SEC, AGENT_CALL_CLOSE, 0, NULL)->start_nsec = 2 * SEC;
	add_call(client, 4 * SEC, AGENT_CALL_BIND, 0, "EADDRINUSE")->connection = 1;
	return r;
}

static const struct {
	const char *expect;  /* in the scenario */
	const char *failure; /* NULL: it holds */
} expectations[] = {
	{ "outcome: timed-out, error: ETIMEDOUT, mechanism: keepalive, states: [CLOSE]", NULL },
	{ "outcome: [reset, timed-out], after: predicted, before: predicted", NULL },
	{ "after: 4.9s, before: 5.1s, packets: ['>[.]', '!<[R]']", NULL },
	{ "outcome: reset", "client: expected outcome reset, got timed-out" },
	{ "error: none", "client: expected error none, got ETIMEDOUT" },
	{ "mechanism: [persist, icmp]",
	  "client: expected mechanism persist or icmp, got keepalive" },
	{ "after: 6s", "client: expected an end after 6.000 s, got 5.000 s" },
	{ "before: 4s", "client: expected an end before 4.000 s, got 5.000 s" },
	{ "states: [CLOSE_WAIT, CLOSE]",
	  "client: expected the states ESTABLISHED CLOSE_WAIT CLOSE, "
	  "got ESTABLISHED CLOSE" },
	{ "gone: {after: 4s, before: 5001ms}", NULL },
	{ "gone: {before: predicted}", NULL },
	{ "gone: {after: 6s}", "client: expected a connection gone after 6.000 s, got 5.000 s" },
	{ "gone: never",
	  "client: expected that the connection is never gone, got it gone after 5.000 s" },
	{ "samples: [{at: 1s, state: ESTABLISHED, timer: keepalive, send_q: 7, recv_q: 0, "
	  "probes: {at_least: 2}, open: 3, expires: {after: 2999ms, before: 3001ms}}]",
	  NULL },
	{ "samples: [{at: 3s, expires: {after: 900ms, before: 1100ms}}]", NULL }, /* run down */
	{ "samples: [{at: 0s, state: ESTABLISHED}]",
	  "client: after 0 us: expected a sample, got none" },
	{ "samples: [{at: 7s, state: ESTABLISHED}]",
	  "client: after 7.000 s: expected a sample, got none" },
	{ "samples: [{at: 2s, state: CLOSE_WAIT}]",
	  "client: after 2.000 s: expected state CLOSE_WAIT, got ESTABLISHED" },
	{ "samples: [{at: 2s, timer: persist}]",
	  "client: after 2.000 s: expected timer persist, got keepalive" },
	{ "samples: [{at: 2s, send_q: {at_most: 6}}]",
	  "client: after 2.000 s: expected Send-Q 0 to 6, got 7" },
	{ "samples: [{at: 2s, expires: {after: 2500ms}}]",
	  "client: after 2.000 s: expected a timer that runs longer, got 2.000 s left" },
	{ "population: {timed-out: 3, closed: {at_most: 1}}", NULL },
	{ "population: {timed-out: 4}", "client: expected timed-out connections 4, got 3" },
	{ "packets: ['>[.]', '<[P.]', '>[.]']", NULL },
	{ "packets: ['<[P.]', '>[.]']",
	  "client: expected packet <[P.] before any >[.], got the other order" },
	{ "packets: ['>[S]', '>[P.]', '<[P.]']", NULL },
	{ "packets: ['>[P.]']", /* that was before the first event */
	  "client: expected packet >[P.] in its place in the order, got from there on: "
	  ">[.] <[P.] >[.]" },
	{ "packets: ['<[.]']",
	  "client: expected packet <[.] in its place in the order, got from there on: "
	  ">[.] <[P.] >[.]" },
	{ "packets: ['>[S]', '>[.]', '<[P.]', '>[.]', '>[.]']",
	  "client: expected packet >[.] in its place in the order, got from there on: none" },
	{ "calls: [connect, write 4, close, bind EADDRINUSE, '!connect', '!bind']", NULL },
	{ "calls: [{call: close, after: 3s, before: 3s, took: {after: 1s, before: 1s}}]", NULL },
	{ "calls: [{call: bind EADDRINUSE, connection: 1}], read: 10, written: 4", NULL },
	{ "read: {at_least: 1, at_most: 10}, written: {at_least: 4}", NULL },
	{ "calls: [close, write]",
	  "client: expected call write in its place in the order, got from there on: "
	  "bind EADDRINUSE at 4.000 s in 0 us" },
	{ "calls: [{call: close, took: {after: 2s}}]",
	  "client: expected call close in at least 2.000 s in its place in the order, got "
	  "from there on: connect at -1.000 s in 0 us, write 4 at 1.000 s in 0 us, close at 3.000 "
	  "s in 1.000 s, bind EADDRINUSE at 4.000 s in 0 us" },
	{ "calls: [{call: bind EADDRINUSE, connection: 0}]",
	  "client: expected call bind EADDRINUSE of connection 0 in its place in the order, got "
	  "from there on: connect at -1.000 s in 0 us, write 4 at 1.000 s in 0 us, close at 3.000 "
	  "s in 1.000 s, bind EADDRINUSE at 4.000 s in 0 us" },
	{ "calls: [bind, write]",
	  "client: expected call bind in its place in the order, got from there on: connect at "
	  "-1.000 s in 0 us, write 4 at 1.000 s in 0 us, close at 3.000 s in 1.000 s, bind "
	  "EADDRINUSE at 4.000 s in 0 us" },
	{ "calls: ['!write 4']",
	  "client: expected no call write 4, got one 1.000 s after the first event" },
	{ "read: 11", "client: expected 11 bytes read, got 10" },
	{ "read: {at_most: 9}", "client: expected at most 9 bytes read, got 10" },
	{ "written: {at_least: 5}", "client: expected at least 5 bytes written, got 4" },
	{ "packets: ['!>[.]']", "client: expected no packet >[.], got one sent 1.000 s after the "
				"first event" },
};

START_TEST(expectations_can_fail)
{
	_cleanup_(record_freep) struct record *r = made_up_record();
	_cleanup_(scenario_freep) struct scenario *s = NULL;
	char text[512];

	snprintf(text, sizeof(text),
		 HEAD "sample: 1s\nclient.connections: 4\nexpect: {client: {%s}}\n",
		 expectations[_i].expect);
	s = load(text);
	ck_assert_int_eq(expect_check(s, r, NULL), 0);
	if (!expectations[_i].failure) {
		ck_assert_msg(record_passed(r), "%s", r->n_failures ? r->failures[0] : "");
		return;
	}
	ck_assert_uint_eq(r->n_failures, 1);
	ck_assert_str_eq(r->failures[0], expectations[_i].failure);
}
END_TEST

START_TEST(failures_say_what_was_not_seen)
{
	_cleanup_(record_freep) struct record *r = made_up_record();
	_cleanup_(scenario_freep) struct scenario *s =
		load(HEAD "expect: {client: {mechanism: keepalive}}\n");
	_cleanup_(scenario_freep) struct scenario *other =
		load(HEAD "expect: {client: {mechanism: persist}}\n");

	free(r->clock);
	r->clock = strdup("sock_diag");
	ck_assert_int_eq(expect_check(s, r, NULL), 0);
	ck_assert(record_passed(r));
	ck_assert_int_eq(expect_check(other, r, NULL), 0);
	ck_assert_uint_eq(r->n_failures, 2);
	ck_assert(strstr(r->failures[1], "without the tracepoints (BPF)") != NULL);
}
END_TEST

START_TEST(lost_observations_fail)
{
	_cleanup_(record_freep) struct record *r = made_up_record();
	_cleanup_(scenario_freep) struct scenario *s = load(HEAD);

	r->lost = 3;
	ck_assert_int_eq(expect_check(s, r, NULL), 0);
	ck_assert(!record_passed(r));
}
END_TEST

START_TEST(record_survives_json)
{
	_cleanup_(record_freep) struct record *r = made_up_record();
	_cleanup_(record_freep) struct record *back = NULL;
	_cleanup_(freep) char *one = NULL, *two = NULL;
	struct error err = { 0 };

	record_fail(r, "a \"quoted\" line");
	one = record_to_json(r);
	ck_assert_msg(record_from_json(one, &back, &err) == 0, "%s", err.text);
	two = record_to_json(back);
	ck_assert_str_eq(one, two);
	ck_assert_ptr_nonnull(strstr(one, "\"kernel\":5.000000"));
	ck_assert_ptr_nonnull(strstr(one, "\"variant\":null"));
	ck_assert_int_lt(record_from_json("{}", &back, &err), 0);
	ck_assert_int_lt(record_from_json("nonsense", &back, &err), 0);
}
END_TEST

/* Textbook values: 0, 1 and 10 of 10; 50 of 100. */
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
	tcase_add_test(tc, rates_have_intervals);
	tcase_add_test(tc, timeline_orders_and_pairs);
	tcase_add_loop_test(tc, endpoint_tells_mechanisms, 0, ARRAY_SIZE(deaths));
	tcase_add_test(tc, endpoint_notices_a_missed_state);
	tcase_add_test(tc, endpoint_of_a_silent_program);
	tcase_add_test(tc, endpoint_without_an_end);
	tcase_add_test(tc, packet_patterns);
	tcase_add_loop_test(tc, expectations_can_fail, 0, ARRAY_SIZE(expectations));
	tcase_add_test(tc, failures_say_what_was_not_seen);
	tcase_add_test(tc, lost_observations_fail);
	tcase_add_test(tc, record_survives_json);
}

int main(void)
{
	return suite_main("trial", add_tests);
}
