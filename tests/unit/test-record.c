/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record: its JSON, there and back, and what is expected of it. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/record/expect.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/util/array.h"
#include "tests/unit/scenario-text.h"
#include "tests/unit/suite.h"

#define SEC NSEC_PER_SEC

static struct record_call *add_call(struct record_endpoint *e, nsec_t at_nsec, enum agent_call call,
				    int64_t result, int error)
{
	struct record_call *c = array_append(&e->calls, &e->n_calls, sizeof(*c));

	*c = (struct record_call){ .time_nsec = at_nsec,
				   .start_nsec = at_nsec,
				   .call = call,
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
	client->error = ETIMEDOUT;
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
	add_call(client, -1 * SEC, AGENT_CALL_CONNECT, 0, 0);
	add_call(client, 1 * SEC, AGENT_CALL_WRITE, 4, 0);
	add_call(client, 3 * SEC, AGENT_CALL_CLOSE, 0, 0)->start_nsec = 2 * SEC;
	add_call(client, 4 * SEC, AGENT_CALL_BIND, 0, EADDRINUSE)->connection = 1;
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

	r->clock = RECORD_CLOCK_SOCK_DIAG;
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

/* The lines are records of older builds, which tell all that a record can: both families, every
 * kind of entry of a trace, samples, a population, commands, failures, texts that need escapes. */
START_TEST(older_records_stay_as_they_are)
{
	FILE *in = fopen(TEST_SOURCE_DIR "/tests/unit/records.jsonl", "r");
	_cleanup_(freep) char *line = NULL;
	size_t size = 0, n = 0;

	ck_assert_ptr_nonnull(in);
	for (; getline(&line, &size, in) > 0; n++) {
		_cleanup_(record_freep) struct record *record = NULL;
		_cleanup_(freep) char *again = NULL;
		struct error err = { 0 };

		line[strcspn(line, "\n")] = '\0';
		ck_assert_msg(record_from_json(line, &record, &err) == 0, "%s", err.text);
		again = record_to_json(record);
		ck_assert_str_eq(again, line);
	}
	fclose(in);
	ck_assert_uint_eq(n, 15);
}
END_TEST

/* Each key that is written is asked for when it is read, but for those that others say already. */
START_TEST(missing_keys_are_named)
{
	static const char *const keys[] = { "scenario", "id",	   "seed",	 "phase",
					    "settings", "faults",  "outcome",	 "wire",
					    "gone_s",	"samples", "bytes",	 "command",
					    "clock",	"span_s",  "failures",	 "trace",
					    "server",	"repeat",  "population", "tcp_info" };
	_cleanup_(record_freep) struct record *r = made_up_record();
	_cleanup_(freep) char *json = record_to_json(r);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct record *back = NULL;
		struct error err = { 0 };
		char quoted[32], want[64];
		char *at;

		snprintf(quoted, sizeof(quoted), "\"%s\":", keys[i]);
		snprintf(want, sizeof(want), "record: '%s' is missing", keys[i]);
		at = strstr(json, quoted);
		ck_assert_msg(at != NULL, "%s", quoted);
		at[1] ^= 1;
		ck_assert_int_lt(record_from_json(json, &back, &err), 0);
		at[1] ^= 1;
		if (strcmp(keys[i], "server") != 0) /* what misses there is its first key */
			ck_assert_str_eq(err.text, want);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, expectations_can_fail, 0, ARRAY_SIZE(expectations));
	tcase_add_test(tc, failures_say_what_was_not_seen);
	tcase_add_test(tc, lost_observations_fail);
	tcase_add_test(tc, record_survives_json);
	tcase_add_test(tc, older_records_stay_as_they_are);
	tcase_add_test(tc, missing_keys_are_named);
}

int main(void)
{
	return suite_main("record", add_tests);
}
