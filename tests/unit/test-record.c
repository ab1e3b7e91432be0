/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests write a record as JSON and read it back, and judge records by what a scenario expects.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/record/doubt.h"
#include "src/record/expect.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/util/array.h"
#include "tests/unit/scenario-text.h"
#include "tests/unit/suite.h"
#include "tests/unit/two-ends.h"

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
	struct record *r = record_of_two_ends();
	struct record_endpoint *client = &r->endpoint[END_CLIENT];
	struct record_state *s;
	struct record_sample *sample;
	struct record_packet *p;

	r->scenario = strdup("t");
	r->engine = strdup("host");
	r->kernel = strdup("6.1");
	r->qemu = strdup("7.2.22");
	r->phase = 17;
	r->seed = UINT64_MAX;
	for (enum end_id n = 0; n < r->n_ends; n++) {
		struct record_endpoint *e = &r->endpoint[n];

		e->kernel_nsec = e->application_nsec = e->wire_nsec = NSEC_NONE;
		e->recovered_nsec = e->earliest_nsec = e->latest_nsec = NSEC_NONE;
		e->possible_earliest_nsec = e->possible_latest_nsec = NSEC_NONE;
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
	client->options = (struct socket_options){ .present = true,
						   .keepalive = true,
						   .keepalive_idle_nsec = 3 * SEC,
						   .keepalive_interval_nsec = NSEC_NONE,
						   .keepalive_count = -1,
						   .user_timeout_nsec = NSEC_NONE };
	client->bytes_read = 10;
	client->bytes_written = 4;
	add_call(client, -1 * SEC, AGENT_CALL_CONNECT, 0, 0);
	add_call(client, 1 * SEC, AGENT_CALL_WRITE, 4, 0);
	add_call(client, 3 * SEC, AGENT_CALL_CLOSE, 0, 0)->start_nsec = 2 * SEC;
	add_call(client, 4 * SEC, AGENT_CALL_BIND, 0, EADDRINUSE)->connection = 1;
	return r;
}

static const struct {
	const char *expect;  /* what the scenario expects of the client */
	const char *failure; /* the message, or NULL if the record meets the expectation */
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
	/* The trial was over by then, with nothing left that could change. */
	{ "samples: [{at: 7s, state: ESTABLISHED}]",
	  "client: after 7.000 s: expected state ESTABLISHED, got CLOSE" },
	{ "samples: [{at: 7s, state: CLOSE, timer: \"off\", send_q: 0}]", NULL },
	{ "outcome: abandoned", "client: expected outcome abandoned, got timed-out" },
	{ "mechanism: application", "client: expected mechanism application, got keepalive" },
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
	  "client: expected packet <[P.] in its place in the order, got from there on: "
	  ">[.] <[P.] >[.]" },
	{ "packets: ['>[S]', '>[P.]', '<[P.]']", NULL },
	{ "packets: ['>[P.]']", /* It was sent before the first event. */
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
	  "client: expected call close in its place in the order, got from there on: write 4 at "
	  "1.000 s in 0 us, close at 3.000 s in 1.000 s, bind EADDRINUSE at 4.000 s in 0 us" },
	{ "calls: [{call: close, took: {after: 2s}}]",
	  "client: expected call close in at least 2.000 s in its place in the order, got "
	  "from there on: connect at -1.000 s in 0 us, write 4 at 1.000 s in 0 us, close at 3.000 "
	  "s in 1.000 s, bind EADDRINUSE at 4.000 s in 0 us" },
	{ "calls: [{call: bind EADDRINUSE, connection: 0}]",
	  "client: expected call bind EADDRINUSE of connection 0 in its place in the order, got "
	  "from there on: connect at -1.000 s in 0 us, write 4 at 1.000 s in 0 us, close at 3.000 "
	  "s in 1.000 s, bind EADDRINUSE at 4.000 s in 0 us" },
	{ "calls: [bind, write]",
	  "client: expected call bind in its place in the order, got from there on: write 4 at "
	  "1.000 s in 0 us, close at 3.000 s in 1.000 s, bind EADDRINUSE at 4.000 s in 0 us" },
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
		ck_assert_msg(record_verdict(r) == VERDICT_PASS, "%s",
			      r->n_failures ? r->failures[0] : "");
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
	ck_assert(record_verdict(r) == VERDICT_PASS);
	ck_assert_int_eq(expect_check(other, r, NULL), 0);
	ck_assert_uint_eq(r->n_failures, 2);
	ck_assert(strstr(r->failures[1], "without the tracepoints (BPF)") != NULL);
}
END_TEST

START_TEST(lost_observations_are_inconclusive)
{
	_cleanup_(record_freep) struct record *r = made_up_record();

	ck_assert_int_eq(doubt_check(r, NULL), 0);
	ck_assert_int_eq(record_verdict(r), VERDICT_PASS);
	r->lost = 3;
	ck_assert_int_eq(doubt_check(r, NULL), 0);
	ck_assert_int_eq(record_verdict(r), VERDICT_INCONCLUSIVE);
	ck_assert_str_eq(r->doubts[0], "3 observations were lost");
	/* A trial that measured nothing has not failed either. */
	record_fail(r, "client: expected something");
	ck_assert_int_eq(record_verdict(r), VERDICT_INCONCLUSIVE);
	/* The same reason is told once. */
	ck_assert_int_eq(doubt_check(r, NULL), 0);
	ck_assert_uint_eq(r->n_doubts, 1);
}
END_TEST

/* A list of state changes of an end: what it goes to, and when. */
struct change {
	int to;
	nsec_t time_msec;
};

static void set_states(struct record_endpoint *e, const struct change *changes)
{
	free(e->states);
	e->states = NULL;
	e->n_states = 0;
	for (; changes->to; changes++) {
		struct record_state *s = array_append(&e->states, &e->n_states, sizeof(*s));

		ck_assert_ptr_nonnull(s);
		*s = (struct record_state){ .time_nsec = changes->time_msec * NSEC_PER_MSEC,
					    .to = changes->to };
	}
}

#define UP                                                                                         \
	{                                                                                          \
		TCP_STATE_ESTABLISHED, -3000                                                       \
	}
static const struct {
	struct change client[6], server[6];
	const char *over; /* what the reason says of it; NULL: it was not over */
} lives[] = {
	{ { UP }, { UP }, NULL },
	{ { UP, { TCP_STATE_CLOSE, 5000 } }, { UP }, NULL },
	{ { UP, { TCP_STATE_FIN_WAIT1, -2000 }, { TCP_STATE_FIN_WAIT2, -2000 } },
	  { UP, { TCP_STATE_CLOSE_WAIT, -2000 } },
	  NULL },
	/* The one end is gone, and the other does not know yet. */
	{ { UP, { TCP_STATE_CLOSE, -2000 } }, { UP, { TCP_STATE_CLOSE_WAIT, -2000 } }, NULL },
	{ { UP, { TCP_STATE_FIN_WAIT1, -2000 }, { TCP_STATE_TIME_WAIT, -1999 } },
	  { UP, { TCP_STATE_LAST_ACK, -1999 }, { TCP_STATE_CLOSE, -1998 } },
	  "over 1.998 s before" },
	{ { UP, { TCP_STATE_TIME_WAIT, -2500 }, { TCP_STATE_CLOSE, -100 } },
	  { UP, { TCP_STATE_CLOSE, -2000 } },
	  "over 2.000 s before" },
	/* The same socket connects again. */
	{ { UP, { TCP_STATE_CLOSE, -2000 }, { TCP_STATE_SYN_SENT, -1000 } }, { { 0 } }, NULL },
	/* The first event makes the client connect, in vain. */
	{ { { TCP_STATE_SYN_SENT, 0 }, { TCP_STATE_CLOSE, 10 } }, { { 0 } }, NULL },
};
#undef UP

START_TEST(a_connection_that_was_over_is_inconclusive)
{
	_cleanup_(record_freep) struct record *r = made_up_record();
	const char *over = lives[_i].over;

	if (!r->n_faults)
		ck_assert_ptr_nonnull(
			array_append(&r->faults, &r->n_faults, sizeof(struct record_fault)));
	r->endpoint[END_CLIENT].population.connections = 0;
	set_states(&r->endpoint[END_CLIENT], lives[_i].client);
	set_states(&r->endpoint[END_SERVER], lives[_i].server);
	free(r->endpoint[END_CLIENT].command_output);
	r->endpoint[END_CLIENT].command_output = strdup("no route\n");
	r->endpoint[END_CLIENT].command_status = 7 << 8;
	ck_assert_int_eq(doubt_check(r, NULL), 0);
	ck_assert_int_eq(record_verdict(r), over ? VERDICT_INCONCLUSIVE : VERDICT_PASS);
	if (!over)
		return;
	ck_assert_msg(strstr(r->doubts[0], over) != NULL, "%s", r->doubts[0]);
	ck_assert_msg(strstr(r->doubts[0], "exit status 7, its output ends: no route") != NULL,
		      "%s", r->doubts[0]);
}
END_TEST

START_TEST(record_survives_json)
{
	_cleanup_(record_freep) struct record *r = made_up_record();
	_cleanup_(record_freep) struct record *back = NULL;
	_cleanup_(freep) char *one = NULL, *two = NULL;
	struct error err = { 0 };

	record_fail(r, "a \"quoted\" line");
	record_doubt(r, "another \"quoted\" line");
	r->endpoint[NODE_CLIENT].gone_blind_nsec = SEC / 2;
	*(struct record_gap *)array_append(&r->gaps, &r->n_gaps, sizeof(*r->gaps)) =
		(struct record_gap){ SEC, 2 * SEC };
	one = record_to_json(r);
	ck_assert_msg(record_from_json(one, &back, &err) == 0, "%s", err.text);
	two = record_to_json(back);
	ck_assert_str_eq(one, two);
	ck_assert_ptr_nonnull(strstr(one, "\"kernel\":5.000000"));
	ck_assert_ptr_nonnull(strstr(one, "\"gone_blind_s\":0.500000"));
	ck_assert_ptr_nonnull(strstr(one, "\"unsampled\":[{\"from_s\":1.000000,"));
	ck_assert_ptr_nonnull(strstr(one, "\"variant\":null"));
	ck_assert_ptr_nonnull(strstr(one, "\"verdict\":\"inconclusive\""));
	ck_assert_int_lt(record_from_json("{}", &back, &err), 0);
	ck_assert_int_lt(record_from_json("nonsense", &back, &err), 0);
}
END_TEST

/* Turns a line of schema 1 into what it is now. */
static char *of_today(const char *line)
{
	const char *old = "{\"schema\":1,", *trace = strstr(line, ",\"trace\":");
	const char *family = strstr(line, "\"family\":");
	char *text;

	ck_assert_int_eq(strncmp(line, old, strlen(old)), 0);
	ck_assert_ptr_nonnull(trace);
	ck_assert_ptr_nonnull(family);
	line += strlen(old);
	if (asprintf(&text, "{\"schema\":%d,%.*s\"qemu\":null,%.*s,\"inconclusive\":[]%s",
		     RECORD_SCHEMA, (int)(family - line), line, (int)(trace - family), family,
		     trace) < 0)
		abort();
	return text;
}

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
		_cleanup_(freep) char *again = NULL, *want = NULL;
		struct error err = { 0 };

		line[strcspn(line, "\n")] = '\0';
		ck_assert_msg(record_from_json(line, &record, &err) == 0, "%s", err.text);
		again = record_to_json(record);
		want = of_today(line);
		ck_assert_str_eq(again, want);
	}
	fclose(in);
	ck_assert_uint_eq(n, 15);
}
END_TEST

/* A record that lacks a key is refused, and the error names the key. */
START_TEST(missing_keys_are_named)
{
	static const char *const keys[] = { "scenario", "id",	      "seed",	  "phase",
					    "settings", "faults",     "outcome",  "wire",
					    "gone_s",	"samples",    "bytes",	  "command",
					    "clock",	"span_s",     "failures", "trace",
					    "repeat",	"population", "tcp_info" };
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
		/* For the key "server" the error names the first key in the server's object. */
		if (strcmp(keys[i], "server") != 0)
			ck_assert_str_eq(err.text, want);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, expectations_can_fail, 0, ARRAY_SIZE(expectations));
	tcase_add_test(tc, failures_say_what_was_not_seen);
	tcase_add_test(tc, lost_observations_are_inconclusive);
	tcase_add_loop_test(tc, a_connection_that_was_over_is_inconclusive, 0, ARRAY_SIZE(lives));
	tcase_add_test(tc, record_survives_json);
	tcase_add_test(tc, older_records_stay_as_they_are);
	tcase_add_test(tc, missing_keys_are_named);
}

int main(void)
{
	return suite_main("record", add_tests);
}
