/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is pure in a trial: the timeline, the model, the endpoint's verdict, expectations, records.
 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "netns/tcp-state.h"
#include "src/endpoint.h"
#include "src/expect.h"
#include "src/model.h"
#include "src/timeline.h"
#include "tests/unit/suite.h"

#define SEC  NSEC_PER_SEC
#define MSEC NSEC_PER_MSEC

static struct scenario *load(const char *text)
{
	struct scenario_request request = { 0 };
	struct scenario_list list = { 0 };
	struct error err = { 0 };
	struct scenario *s;

	ck_assert_msg(scenario_parse("t.yaml", text, strlen(text), &request, &list, &err) == 0,
		      "%s", err.text);
	ck_assert_uint_eq(list.count, 1);
	s = list.items[0];
	free(list.items);
	return s;
}

#define HEAD "name: t\nsummary: t\nhorizon: 1h\n"

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

/* The kernel's documentation: 924.6 s for 15; read off net/ipv4/tcp_timer.c for the others. */
START_TEST(model_thresholds)
{
	static const struct {
		unsigned int retries;
		nsec_t threshold;
	} want[] = { { 0, 200 * MSEC },
		     { 3, 3000 * MSEC },
		     { 5, 12600 * MSEC },
		     { 8, 102200 * MSEC },
		     { 15, 924600 * MSEC } };

	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		ck_assert_int_eq(model_threshold(want[i].retries, 200 * MSEC, 120 * SEC),
				 want[i].threshold);
}
END_TEST

START_TEST(model_granules)
{
	ck_assert_int_eq(model_granule(250, 200 * MSEC), 4 * MSEC);
	ck_assert_int_eq(model_granule(250, 252 * MSEC), 32 * MSEC); /* 63 ticks: level 1 */
	ck_assert_int_eq(model_granule(250, 75 * SEC), 2048 * MSEC);
	ck_assert_int_eq(model_granule(250, 7200 * SEC), 131072 * MSEC);
	ck_assert_int_eq(model_granule(1000, 7200 * SEC), 262144 * MSEC);
}
END_TEST

static struct prediction predict(const char *text, nsec_t rto)
{
	_cleanup_(scenario_freep) struct scenario *s = load(text);
	struct model_facts facts = { .hz = 250, .rto_nsec = rto, .established_nsec = SEC };

	return model_predict(s, FAMILY_IPV4, NODE_CLIENT, &facts);
}

START_TEST(model_predictions)
{
	struct prediction p;

	p = predict(HEAD "client: {workload: request, interval: 50ms}\nserver: {workload: echo}\n"
			 "timeline:\n  - {at: 1s, fault: power-loss, node: server}\n",
		    204 * MSEC);
	ck_assert_int_eq(p.mechanism, MECHANISM_RETRANSMISSION);
	ck_assert_int_gt(p.earliest_nsec, 924 * SEC);
	ck_assert_int_lt(p.earliest_nsec, 939 * SEC);
	ck_assert_int_gt(p.latest_nsec, 939 * SEC);
	ck_assert_int_lt(p.latest_nsec, 965 * SEC);

	p = predict(HEAD "client: {keepalive: true}\n"
			 "timeline:\n  - {at: 1s, fault: power-loss, node: server}\n",
		    204 * MSEC);
	ck_assert_int_eq(p.mechanism, MECHANISM_KEEPALIVE);
	ck_assert_int_eq(p.earliest_nsec, 7874 * SEC); /* 7200 + 9 x 75, one second of it gone */
	ck_assert_int_gt(p.latest_nsec, 8000 * SEC);
	ck_assert_int_lt(p.latest_nsec, 8030 * SEC);

	p = predict(HEAD
		    "client: {workload: request, user_timeout: 30s}\nserver: {workload: echo}\n"
		    "timeline:\n  - {at: 1s, fault: blackhole}\n",
		    204 * MSEC);
	ck_assert_int_eq(p.mechanism, MECHANISM_USER_TIMEOUT);
	ck_assert_int_ge(p.earliest_nsec, 30 * SEC);
	ck_assert_int_lt(p.latest_nsec, 33 * SEC);

	p = predict(HEAD "client: {workload: idle}\ntimeline:\n  - {at: 1s, fault: blackhole}\n",
		    204 * MSEC);
	ck_assert_int_eq(p.mechanism, MECHANISM_NONE);
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
	endpoint_conclude(&ep, &context, &r);
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
	endpoint_conclude(&ep, &context, &r);
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
		endpoint_conclude(&ep, &context, &r);
		ck_assert_int_eq(r.outcome, full ? OUTCOME_UNDETECTED : OUTCOME_NONE);
		ck_assert_int_eq(r.kernel_nsec, NSEC_NONE);
		ep.record = r;
		endpoint_deinit(&ep);
	}
	establish(&ep);
	ep.gone = true; /* lost its power: nothing is said of it */
	endpoint_conclude(&ep, &context, &r);
	ck_assert_int_eq(r.outcome, OUTCOME_NONE);
	ep.record = r;
	endpoint_deinit(&ep);
}
END_TEST

START_TEST(packet_patterns)
{
	struct packet_pattern p;
	char flags[12];

	ck_assert_int_eq(expect_parse_pattern("!<[R.]", &p), 0);
	ck_assert(p.absent && !p.any_direction && !p.sent);
	ck_assert_uint_eq(p.flags, 4 | 16);
	ck_assert_int_eq(expect_parse_pattern("[S]", &p), 0);
	ck_assert(!p.absent && p.any_direction);
	ck_assert_int_eq(expect_parse_pattern("[]", &p), -EINVAL);
	ck_assert_int_eq(expect_parse_pattern("[X]", &p), -EINVAL);
	ck_assert_int_eq(expect_parse_pattern("[S", &p), -EINVAL);
	ck_assert_int_eq(expect_parse_pattern("[S]x", &p), -EINVAL);
	ck_assert_str_eq(expect_format_flags(8 | 16, flags, sizeof(flags)), "P.");
}
END_TEST

static struct record *made_up_record(void)
{
	struct record *r = calloc(1, sizeof(*r));
	struct record_endpoint *client = &r->endpoint[NODE_CLIENT];
	struct record_state *s;
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
		e->command_status = -1;
	}
	client->outcome = OUTCOME_TIMED_OUT;
	client->mechanism = MECHANISM_KEEPALIVE;
	client->error = "ETIMEDOUT";
	client->kernel_nsec = 5 * SEC;
	client->earliest_nsec = 4 * SEC;
	client->latest_nsec = 6 * SEC;
	s = record_append(&client->states, &client->n_states, sizeof(*s));
	*s = (struct record_state){ -1 * SEC, TCP_STATE_SYN_SENT, TCP_STATE_ESTABLISHED };
	s = record_append(&client->states, &client->n_states, sizeof(*s));
	*s = (struct record_state){ 5 * SEC, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE };
	p = record_append(&client->packets, &client->n_packets, sizeof(*p));
	*p = (struct record_packet){ .time_nsec = 1 * SEC, .sent = true, .flags = 16 };
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
	{ "packets: ['<[.]']", "client: expected packet <[.] in its place in the order, got none" },
	{ "packets: ['!>[.]']", "client: expected no packet >[.], got one sent 1.000 s after the "
				"first event" },
};

START_TEST(expectations_can_fail)
{
	_cleanup_(record_freep) struct record *r = made_up_record();
	_cleanup_(scenario_freep) struct scenario *s = NULL;
	char text[512];

	snprintf(text, sizeof(text), HEAD "expect: {client: {%s}}\n", expectations[_i].expect);
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

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, timeline_orders_and_pairs);
	tcase_add_test(tc, model_thresholds);
	tcase_add_test(tc, model_granules);
	tcase_add_test(tc, model_predictions);
	tcase_add_loop_test(tc, endpoint_tells_mechanisms, 0, ARRAY_SIZE(deaths));
	tcase_add_test(tc, endpoint_notices_a_missed_state);
	tcase_add_test(tc, endpoint_of_a_silent_program);
	tcase_add_test(tc, endpoint_without_an_end);
	tcase_add_test(tc, packet_patterns);
	tcase_add_loop_test(tc, expectations_can_fail, 0, ARRAY_SIZE(expectations));
	tcase_add_test(tc, lost_observations_fail);
	tcase_add_test(tc, record_survives_json);
}

int main(void)
{
	return suite_main("trial", add_tests);
}
