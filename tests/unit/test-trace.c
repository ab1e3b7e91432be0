/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both ends saw, joined into one trace; the trace as JSON and as a ladder. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "src/record/trace-build.h"
#include "src/report/ladder.h"
#include "src/scenario/call.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/util/array.h"
#include "tests/unit/suite.h"

#define MS	   NSEC_PER_MSEC
#define SEC	   NSEC_PER_SEC
#define ORIGIN	   (100 * SEC)
#define CLIENT_ISN 4294967000u /* wraps soon */
#define SERVER_ISN 5000u

/* One packet and what became of it. Numbers are relative, and the stamp is the time. */
struct step {
	nsec_t sent_nsec, arrived_nsec; /* NSEC_NONE: nobody saw that */
	enum node_id from;
	uint8_t flags;
	uint32_t seq, ack, length;
	uint16_t window;
};

static void see(struct tracer *t, enum node_id node, nsec_t at, const struct step *s, bool sent)
{
	bool client = s->from == NODE_CLIENT;
	struct tcp_packet p = {
		.outgoing = sent,
		.source_port = client ? 40000 : 5000,
		.destination_port = client ? 5000 : 40000,
		.seq = s->seq + (client ? CLIENT_ISN : SERVER_ISN),
		.ack = s->ack + (client ? SERVER_ISN : CLIENT_ISN),
		.flags = s->flags,
		.window = s->window,
		.payload = s->length,
		.stamp = (uint32_t)(s->sent_nsec / MS),
	};

	if (at != NSEC_NONE)
		ck_assert_int_eq(tracer_add_packet(t, node, ORIGIN + at, &p), 0);
}

static enum node_id peer_of(enum node_id node)
{
	return node == NODE_CLIENT ? NODE_SERVER : NODE_CLIENT;
}

static int compare_times(const void *a, const void *b)
{
	const struct tracer_packet *x = a, *y = b;

	return (x->time_nsec > y->time_nsec) - (x->time_nsec < y->time_nsec);
}

static struct record *new_record(void)
{
	struct record *r = calloc(1, sizeof(*r));

	r->scenario = strdup("t");
	r->id = strdup("E99");
	r->engine = strdup("host");
	r->kernel = strdup("6.1");
	r->clock = strdup("tracepoint");
	r->span_nsec = 20 * SEC;
	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++) {
		struct record_endpoint *e = &r->endpoint[n];

		e->kernel_nsec = e->application_nsec = e->wire_nsec = NSEC_NONE;
		e->recovered_nsec = e->earliest_nsec = e->latest_nsec = NSEC_NONE;
		e->gone_nsec = NSEC_NONE;
		e->command_status = -1;
		e->bytes_read = e->bytes_written = -1;
	}
	r->tracer = calloc(1, sizeof(*r->tracer));
	r->tracer->origin_nsec = ORIGIN;
	return r;
}

static struct record *trace_of(const struct step *steps, size_t n)
{
	struct record *r = new_record();

	for (size_t i = 0; i < n; i++) {
		see(r->tracer, steps[i].from, steps[i].sent_nsec, &steps[i], true);
		see(r->tracer, peer_of(steps[i].from), steps[i].arrived_nsec, &steps[i], false);
	}
	for (enum node_id i = 0; i < _ENDPOINT_MAX; i++)
		if (r->tracer->n_packets[i])
			qsort(r->tracer->packets[i], r->tracer->n_packets[i],
			      sizeof(struct tracer_packet), compare_times);
	return r;
}

#define S PACKET_SYN
#define A PACKET_ACK
#define P (PACKET_PSH | PACKET_ACK)
#define C NODE_CLIENT
#define V NODE_SERVER

/* A handshake, a request that gets through, one that is lost and sent again, a probe, a reset. */
static const struct step story[] = {
	{ -1000 * MS, -999 * MS, C, S, 0, 0, 0, 64240 },
	{ -998 * MS, -997 * MS, V, S | A, 0, 1, 0, 65160 },
	{ -996 * MS, -995 * MS, C, A, 1, 1, 0, 502 },
	{ -990 * MS, -989 * MS, C, P, 1, 1, 400, 502 },
	{ -989 * MS, -988 * MS, V, A, 1, 401, 0, 509 },
	{ 10 * MS, NSEC_NONE, C, P, 401, 1, 64, 502 },
	{ 220 * MS, NSEC_NONE, C, P, 401, 1, 64, 502 },
	{ 640 * MS, 641 * MS, C, P, 401, 1, 64, 502 },
	{ 641 * MS, 642 * MS, V, A, 1, 465, 0, 509 },
	{ 8000 * MS, 8001 * MS, C, A, 464, 1, 0, 502 },
	{ 9000 * MS, NSEC_NONE, C, A, 464, 1, 0, 502 },
	{ NSEC_NONE, 9500 * MS, V, PACKET_RST, 1, 0, 0, 0 },
};

static const struct trace_entry *packet(const struct record *r, size_t n)
{
	for (size_t i = 0; i < r->trace.count; i++)
		if (r->trace.entries[i].kind == TRACE_PACKET && n-- == 0)
			return &r->trace.entries[i];
	ck_abort_msg("there is no such packet");
	return NULL;
}

static struct record *tell_story(void)
{
	struct record *r = trace_of(story, ARRAY_SIZE(story));
	struct record_endpoint *client = &r->endpoint[NODE_CLIENT];
	struct record_retransmission *again;
	struct record_state *state;
	struct record_call *call;
	struct record_fault *fault;
	struct record_sample *sample;
	struct trace_timer timer = { "on", 204 * MS, 1 };

	again = array_append(&client->retransmissions, &client->n_retransmissions, sizeof(*again));
	*again = (struct record_retransmission){ 220 * MS, 204 * MS, "rto" };
	again = array_append(&client->retransmissions, &client->n_retransmissions, sizeof(*again));
	*again = (struct record_retransmission){ 641 * MS, 408 * MS, "rto" };
	again = array_append(&client->retransmissions, &client->n_retransmissions, sizeof(*again));
	*again = (struct record_retransmission){ 700 * MS, 816 * MS, "rto" };
	state = array_append(&client->states, &client->n_states, sizeof(*state));
	*state = (struct record_state){ 9501 * MS, TCP_STATE_ESTABLISHED, TCP_STATE_CLOSE };
	call = array_append(&client->calls, &client->n_calls, sizeof(*call));
	*call = (struct record_call){ .time_nsec = 9502 * MS,
				      .start_nsec = -500 * MS,
				      .name = call_name(AGENT_CALL_READ),
				      .error = "ECONNRESET" };
	fault = array_append(&r->faults, &r->n_faults, sizeof(*fault));
	*fault = (struct record_fault){ 0, MS, strdup("blackhole both") };
	for (int i = 0; i < 3; i++) { /* the second is like the first */
		sample = array_append(&client->samples, &client->n_samples, sizeof(*sample));
		*sample = (struct record_sample){ .time_nsec = (2000 + 1000 * i) * MS,
						  .state = TCP_STATE_ESTABLISHED,
						  .send_queue = i < 2 ? 64 : 0,
						  .expires_nsec = NSEC_NONE };
	}
	tracer_add_timer(r->tracer, NODE_CLIENT, ORIGIN + 221 * MS, &timer);
	timer.expires_nsec = 203 * MS; /* the same moment, a millisecond later */
	tracer_add_timer(r->tracer, NODE_CLIENT, ORIGIN + 222 * MS, &timer);
	timer.name = NULL;
	tracer_add_timer(r->tracer, NODE_SERVER, ORIGIN + 222 * MS, &timer);
	ck_assert_int_eq(tracer_finish(r), 0);
	return r;
}

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
	e = packet(r, 1); /* a SYN's numbers are absolute */
	ck_assert_uint_eq(e->packet.seq, SERVER_ISN);
	ck_assert_uint_eq(e->packet.ack, CLIENT_ISN + 1);
	e = packet(r, 5);
	ck_assert_uint_eq(e->packet.seq, 401);
	ck_assert_uint_eq(e->packet.ack, 1);
	ck_assert_int_eq(packet(r, 11)->node, NODE_CLIENT); /* where it came to */
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
	ck_assert_uint_eq(unseen, 1); /* the one of 700 ms has no packet */
}
END_TEST

/* Without timestamps a retransmission looks like what it repeats: the delay tells them apart. */
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

	for (enum node_id n = 0; n < _ENDPOINT_MAX; n++)
		for (size_t i = 0; i < r->tracer->n_packets[n]; i++)
			r->tracer->packets[n][i].stamp = 0;
	ck_assert_int_eq(tracer_finish(r), 0);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		ck_assert_int_eq(packet(r, i)->packet.arrived_nsec, steps[i].arrived_nsec);
	ck_assert_int_eq(packet(r, 3)->again, TRACE_AGAIN);
	ck_assert_int_eq(packet(r, 4)->packet.fate, TRACE_LOST);
	ck_assert_int_eq(packet(r, 6)->packet.fate, TRACE_UNDER_WAY);
}
END_TEST

/* A segment that is cut in two on the way is not lost, and both parts are there. */
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

	ck_assert_int_eq(tracer_finish(r), 0);
	ck_assert_int_eq(packet(r, 2)->packet.fate, TRACE_IN_PIECES);
	for (size_t i = 3; i < 5; i++) {
		ck_assert_int_eq(packet(r, i)->packet.fate, TRACE_ARRIVED);
		ck_assert(!packet(r, i)->packet.foreign);
		ck_assert_int_eq(packet(r, i)->node, NODE_CLIENT);
		ck_assert_int_eq(packet(r, i)->packet.sent_nsec, NSEC_NONE);
	}
}
END_TEST

/* Also of what opens the connection. */
START_TEST(syns_are_sent_again)
{
	static const struct step steps[] = {
		{ 0, MS, C, S, 0, 0, 0, 64240 },
		{ 1000 * MS, 1001 * MS, C, S, 0, 0, 0, 64240 },
		{ 1002 * MS, NSEC_NONE, V, S | A, 0, 1, 0, 65160 },
		{ 2002 * MS, 2003 * MS, V, S | A, 0, 1, 0, 65160 },
	};
	_cleanup_(record_freep) struct record *r = trace_of(steps, ARRAY_SIZE(steps));

	ck_assert_int_eq(tracer_finish(r), 0);
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

	ck_assert_int_eq(tracer_finish(r), 0);
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

/* Thousands of packets are one line, but for those at the ends and around an event. */
START_TEST(streams_are_folded)
{
	_cleanup_(record_freep) struct record *r = trace_of(story, 3);
	_cleanup_(freep) char *text = NULL;
	struct record_fault *fault = array_append(&r->faults, &r->n_faults, sizeof(*fault));
	size_t lines = 0;

	*fault = (struct record_fault){ 2000 * MS + 1, MS, strdup("send client") };
	for (unsigned int i = 0; i < 4000; i++) {
		struct step s = { i * MS, i * MS + 1000, C, A, 1 + i * 1000, 1, 1000, 502 };

		see(r->tracer, NODE_CLIENT, s.sent_nsec, &s, true);
		see(r->tracer, NODE_SERVER, s.arrived_nsec, &s, false);
	}
	ck_assert_int_eq(tracer_finish(r), 0);
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

/* So are hundreds of probes without an answer: how many were lost and sent again is told. */
START_TEST(probes_are_folded)
{
	const struct step last = { 400000 * MS, 400001 * MS, C, A, 1, 1, 10, 502 };
	_cleanup_(record_freep) struct record *r = trace_of(story, 3);
	_cleanup_(freep) char *text = NULL;

	r->span_nsec = 500000 * MS;
	for (unsigned int i = 0; i < 400; i++) {
		struct step s = { i * 1000 * MS, NSEC_NONE, C, A, 0, 1, 0, 502 };

		see(r->tracer, NODE_CLIENT, s.sent_nsec, &s, true);
	}
	see(r->tracer, NODE_CLIENT, last.sent_nsec, &last, true);
	see(r->tracer, NODE_SERVER, last.arrived_nsec, &last, false);
	ck_assert_int_eq(tracer_finish(r), 0);
	text = ladder_of(r, 200);
	ck_assert_ptr_nonnull(strstr(text, "... 312 lines more in 5 min 11.0 s, client 312 packets "
					   "with 0 bytes, 312 lost, 312 sent again or probes"));
	ck_assert_ptr_nonnull(strstr(text, "(keepalive probe 44)"));
	ck_assert_ptr_null(strstr(text, "(keepalive probe 200)"));
	ck_assert_ptr_nonnull(strstr(text, "(keepalive probe 400)"));
}
END_TEST

/* Each as `ss -o` was seen to write it. */
START_TEST(timers_as_ss_writes_them)
{
	static const struct {
		nsec_t time;
		const char *text;
	} times[] = { { 7199 * SEC, "119min" },	 { 74995 * MS, "1min14sec" },
		      { 37 * SEC + 1, "37sec" }, { 9876 * MS, "9.876ms" },
		      { 1632 * MS, "1.632ms" },	 { 204 * MS, "204ms" },
		      { 4 * MS, "004ms" },	 { 0, "" },
		      { 120 * SEC, "2min" },	 { 60 * SEC, "1min" },
		      { 9 * SEC, "9sec" } };
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		ck_assert_str_eq(ladder_format_timer(times[i].time, text, sizeof(text)),
				 times[i].text);
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
	tcase_add_test(tc, ladder_tells_it);
	tcase_add_test(tc, streams_are_folded);
	tcase_add_test(tc, probes_are_folded);
	tcase_add_test(tc, timers_as_ss_writes_them);
}

int main(void)
{
	return suite_main("trace", add_tests);
}
