/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests that states, retransmissions and resets are told from packets, which are made by hand. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "netns/sockdiag.h"
#include "src/tcp/packet.h"
#include "src/tcp/tracker.h"
#include "tests/unit/suite.h"

#define S PACKET_SYN
#define A PACKET_ACK
#define F PACKET_FIN
#define R PACKET_RST

enum way { END, OUT, IN };

/* A packet of a case. Its numbers count from the initial sequence number of each end. */
struct step {
	enum way way;
	uint8_t flags;
	uint32_t seq, ack, payload;
	const char *expect; /* the events that the packet must cause, or NULL for none */
	bool window_zero;
};

#define OPEN                                                                                       \
	{ OUT, S, 0, 0, 0, "CLOSE>SYN_SENT" }, { IN, S | A, 0, 1, 0, "SYN_SENT>ESTABLISHED" },     \
	{                                                                                          \
		OUT, A, 1, 1                                                                       \
	}
#define ACCEPT                                                                                     \
	{ IN, S, 0 }, { OUT, S | A, 0, 1 },                                                        \
	{                                                                                          \
		IN, A, 1, 1, 0, "LISTEN>SYN_RECV SYN_RECV>ESTABLISHED"                             \
	}

static const struct {
	const char *name;
	struct step step[16];
} cases[] = {
	{ "close first, three segments",
	  { OPEN,
	    { OUT, F | A, 1, 1, 0, "ESTABLISHED>FIN_WAIT1" },
	    { IN, F | A, 1, 2, 0, "FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>TIME_WAIT" },
	    { OUT, A, 2, 2 } } },
	{ "close first, four segments",
	  { OPEN,
	    { OUT, F | A, 1, 1, 0, "ESTABLISHED>FIN_WAIT1" },
	    { IN, A, 1, 2, 0, "FIN_WAIT1>FIN_WAIT2" },
	    { IN, A, 1, 2, 10 },
	    { OUT, A, 2, 11 },
	    { IN, F | A, 11, 2, 0, "FIN_WAIT2>TIME_WAIT" } } },
	{ "both close at once",
	  { OPEN,
	    { OUT, F | A, 1, 1, 0, "ESTABLISHED>FIN_WAIT1" },
	    { IN, F | A, 1, 1, 0, "FIN_WAIT1>CLOSING" },
	    { OUT, A, 2, 2 },
	    { IN, A, 2, 2, 0, "CLOSING>TIME_WAIT" } } },
	{ "closed by the peer",
	  { ACCEPT,
	    { IN, F | A, 1, 1, 0, "ESTABLISHED>CLOSE_WAIT" },
	    { OUT, A, 1, 2 },
	    { OUT, A, 1, 2, 5 },
	    { OUT, F | A, 6, 2, 0, "CLOSE_WAIT>LAST_ACK" },
	    { IN, A, 2, 6 },
	    { IN, A, 2, 7, 0, "LAST_ACK>CLOSE" } } },
	{ "FIN before the data it follows",
	  { ACCEPT,
	    { IN, F | A, 101, 1 }, /* bytes 1 to 100 were lost */
	    { OUT, A, 1, 1 },
	    { IN, A, 1, 1, 100, "ESTABLISHED>CLOSE_WAIT" } } },
	{ "FIN that only the node's own ACK shows to have been taken",
	  { ACCEPT, { IN, F | A, 101, 1 }, { OUT, A, 1, 102, 0, "ESTABLISHED>CLOSE_WAIT" } } },
	{ "FIN twice",
	  { ACCEPT, { IN, F | A, 1, 1, 0, "ESTABLISHED>CLOSE_WAIT" }, { IN, F | A, 1, 1 } } },
	{ "SYN again and again",
	  { { OUT, S, 0, 0, 0, "CLOSE>SYN_SENT" },
	    { OUT, S, 0, 0, 0, "rtx" },
	    { OUT, S, 0, 0, 0, "rtx" } } },
	{ "SYN-ACK again",
	  { { IN, S, 0 },
	    { OUT, S | A, 0, 1 },
	    { OUT, S | A, 0, 1, 0, "rtx" },
	    { IN, S, 0 },
	    { OUT, S | A, 0, 1, 0, "rtx" },
	    { IN, A, 1, 1, 0, "LISTEN>SYN_RECV SYN_RECV>ESTABLISHED" } } },
	{ "first data stands in for a lost ACK",
	  { { IN, S, 0 },
	    { OUT, S | A, 0, 1 },
	    { IN, A, 1, 1, 100, "LISTEN>SYN_RECV SYN_RECV>ESTABLISHED" } } },
	{ "data again, once in part and with more",
	  { OPEN,
	    { OUT, A, 1, 1, 100 },
	    { OUT, A, 101, 1, 100 },
	    { OUT, A, 1, 1, 100, "rtx" },
	    { OUT, A, 101, 1, 200, "rtx" },
	    { IN, A, 1, 301 },
	    { OUT, A, 301, 1, 1 } } },
	{ "FIN again",
	  { OPEN,
	    { OUT, F | A, 1, 1, 0, "ESTABLISHED>FIN_WAIT1" },
	    { OUT, F | A, 1, 1, 0, "rtx" },
	    { IN, A, 1, 2, 0, "FIN_WAIT1>FIN_WAIT2" } } },
	{ "keepalive probes are no retransmissions",
	  { OPEN, { OUT, A, 0, 1 }, { IN, A, 1, 1 }, { OUT, A, 0, 1, 1 }, { OUT, A, 0, 1 } } },
	{ "neither are zero window probes",
	  { OPEN,
	    { OUT, A, 1, 1, 100 },
	    { IN, A, 1, 101, 0, NULL, true },
	    { OUT, A, 100, 1 },
	    { OUT, A, 101, 1, 1 }, /* Some stacks probe with the next byte. */
	    { IN, A, 1, 101, 0, NULL, true },
	    { OUT, A, 101, 1, 1 } } },
	{ "refused",
	  { { OUT, S, 0, 0, 0, "CLOSE>SYN_SENT" },
	    { IN, R, 1, 0 }, /* a RST without ACK does not answer this SYN */
	    { IN, R | A, 0, 7 },
	    { IN, R | A, 0, 1, 0, "rst-received SYN_SENT>CLOSE" } } },
	{ "reset by the peer",
	  { OPEN,
	    { OUT, A, 1, 1, 10 },
	    { IN, R, 2, 0 }, /* a RST in the window that is not next in sequence is challenged */
	    { IN, R, 1, 0, 0, "rst-received ESTABLISHED>CLOSE" } } },
	{ "reset sent", { OPEN, { OUT, R | A, 1, 1, 0, "ESTABLISHED>CLOSE rst-sent" } } },
	{ "reset in FIN_WAIT2",
	  { OPEN,
	    { OUT, F | A, 1, 1, 0, "ESTABLISHED>FIN_WAIT1" },
	    { IN, A, 1, 2, 0, "FIN_WAIT1>FIN_WAIT2" },
	    { IN, A, 1, 2, 10 },
	    { OUT, R, 2, 0, 0, "FIN_WAIT2>CLOSE rst-sent" } } },
	{ "half-open: the peer answers the SYN from an old connection",
	  { { OUT, S, 0, 0, 0, "CLOSE>SYN_SENT" },
	    { IN, A, 500, 9000 },
	    { OUT, R, 9000, 0, 0, "rst-sent" },
	    { OUT, S, 0, 0, 0, "rtx" },
	    { IN, S | A, 0, 1, 0, "SYN_SENT>ESTABLISHED" } } },
	{ "half-open: the peer has come back and knows nothing",
	  { OPEN,
	    { IN, S, 7000 },
	    { OUT, A, 1, 1 },
	    { IN, R, 1, 0, 0, "rst-received ESTABLISHED>CLOSE" } } },
	{ "a closed port", { { IN, S, 0 }, { OUT, R | A, 0, 1, 0, "rst-sent" } } },
	{ "a SYN that is reset before it was a connection",
	  { { IN, S, 0 }, { OUT, S | A, 0, 1 }, { IN, R, 1, 0 } } },
	{ "both open at once",
	  { { OUT, S, 0, 0, 0, "CLOSE>SYN_SENT" },
	    { IN, S, 0 },
	    { OUT, S | A, 0, 1, 0, "SYN_SENT>SYN_RECV" },
	    { IN, S | A, 0, 1, 0, "SYN_RECV>ESTABLISHED" } } },
	{ "the four-tuple once more",
	  { OPEN,
	    { OUT, R | A, 1, 1, 0, "ESTABLISHED>CLOSE rst-sent" },
	    { OUT, S, 5000, 0, 0, "CLOSE>SYN_SENT" },
	    { IN, S | A, 0, 5001, 0, "SYN_SENT>ESTABLISHED" } } },
	{ "the middle of a connection",
	  { { OUT, A, 1, 1, 100 }, { IN, A, 1, 101, 5 }, { IN, R, 6 }, { OUT, F | A, 101, 6 } } },
	{ "nonsense",
	  { { IN, S | F | R | A, 0, 0 },
	    { IN, 0, 0, 0, 100 },
	    { OUT, 0, 0, 0, 100 },
	    { IN, S | F, 0 } } },
};

/* Initial sequence numbers of the two ends: ordinary ones, and others with which the numbers pass
 * through 2^32 or 2^31 within each case. */
static const uint32_t isn[][2] = { { 1000, 500000 },
				   { UINT32_MAX - 1, UINT32_MAX - 50 },
				   { UINT32_MAX - 100, 0x7fffffff },
				   { 0x7fffffff - 100, UINT32_MAX } };

static struct tcp_packet make_packet(const struct step *step, const uint32_t base[2])
{
	bool outgoing = step->way == OUT;

	return (struct tcp_packet){
		.outgoing = outgoing,
		.flags = step->flags,
		.seq = step->seq + base[outgoing ? 0 : 1],
		.ack = step->flags & A ? step->ack + base[outgoing ? 1 : 0] : 0,
		.payload = step->payload,
		.window = step->window_zero ? 0 : 1000,
	};
}

static void describe(const struct tracker_events *events, char *text, size_t size)
{
	static const char *const names[] = { [TRACKER_RETRANSMIT] = "rtx",
					     [TRACKER_RESET_SENT] = "rst-sent",
					     [TRACKER_RESET_RECEIVED] = "rst-received" };
	size_t n = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < events->count; i++) {
		const struct tracker_event *e = &events->event[i];

		n += (size_t)snprintf(text + n, size - n, "%s", i ? " " : "");
		if (e->kind == TRACKER_STATE)
			n += (size_t)snprintf(text + n, size - n, "%s>%s", tcp_state_name(e->from),
					      tcp_state_name(e->to));
		else
			n += (size_t)snprintf(text + n, size - n, "%s", names[e->kind]);
	}
}

START_TEST(tracker_cases)
{
	for (size_t b = 0; b < ARRAY_SIZE(isn); b++) {
		struct tcp_tracker tracker = { 0 };

		for (const struct step *s = cases[_i].step; s->way != END; s++) {
			struct tcp_packet packet = make_packet(s, isn[b]);
			struct tracker_events events;
			char text[256];

			tcp_tracker_packet(&tracker, &packet, &events);
			describe(&events, text, sizeof(text));
			ck_assert_msg(strcmp(text, s->expect ? s->expect : "") == 0,
				      "%s, numbers %zu, step %td: expected '%s', got '%s'",
				      cases[_i].name, b, s - cases[_i].step,
				      s->expect ? s->expect : "", text);
		}
	}
}
END_TEST

static void feed(struct tcp_tracker *tracker, const struct step *steps)
{
	struct tracker_events events;

	for (; steps->way != END; steps++) {
		struct tcp_packet packet = make_packet(steps, isn[1]);

		tcp_tracker_packet(tracker, &packet, &events);
	}
}

START_TEST(tracker_facts_retransmission)
{
	const struct step steps[] = {
		OPEN, { OUT, A, 1, 1, 100 }, { OUT, A, 1, 1, 100 }, { OUT, A, 1, 1, 100 }, { END }
	};
	struct tcp_tracker tracker = { 0 };
	struct socket_facts facts;

	feed(&tracker, steps);
	tcp_tracker_facts(&tracker, &facts);
	ck_assert_uint_eq(facts.retransmits, 2);
	ck_assert_uint_eq(facts.unacknowledged, 100);
	ck_assert_uint_eq(facts.probes, 0);
	ck_assert(!facts.keepalive);
	feed(&tracker, (struct step[]){ { IN, A, 1, 51 }, { END } });
	tcp_tracker_facts(&tracker, &facts);
	ck_assert_uint_eq(facts.retransmits, 0);
	ck_assert_uint_eq(facts.unacknowledged, 50);
}
END_TEST

START_TEST(tracker_facts_probes)
{
	const struct step keepalive[] = { OPEN, { OUT, A, 0, 1 }, { OUT, A, 0, 1 }, { END } };
	const struct step persist[] = {
		OPEN, { IN, A, 1, 1, 0, NULL, true }, { OUT, A, 0, 1 }, { END }
	};
	struct tcp_tracker tracker = { 0 };
	struct socket_facts facts;

	feed(&tracker, keepalive);
	tcp_tracker_facts(&tracker, &facts);
	ck_assert_uint_eq(facts.probes, 2);
	ck_assert(facts.keepalive);
	ck_assert_uint_eq(facts.unacknowledged, 0);
	tracker = (struct tcp_tracker){ 0 };
	feed(&tracker, persist);
	tcp_tracker_facts(&tracker, &facts);
	ck_assert_uint_eq(facts.probes, 1);
	ck_assert(!facts.keepalive);
}
END_TEST

/* Random packets in any order cause no more events than there is room for, and only states that
 * exist. */
START_TEST(tracker_random_packets)
{
	struct tcp_tracker tracker = { 0 };
	uint32_t random = 1;

	for (int i = 0; i < suite_rounds(1000000); i++) {
		struct tcp_packet packet = { 0 };
		struct tracker_events events;

		random = random * 1664525 + 1013904223;
		packet.outgoing = random >> 31;
		packet.flags = random >> 20 & 31;
		packet.seq = random >> 8 & 3;
		packet.ack = random >> 10 & 3;
		packet.payload = random >> 12 & 1;
		packet.window = random >> 13 & 1;
		tcp_tracker_packet(&tracker, &packet, &events);
		ck_assert_uint_lt(events.count, TRACKER_EVENTS_MAX);
		for (unsigned int e = 0; e < events.count; e++) {
			if (events.event[e].kind != TRACKER_STATE)
				continue;
			ck_assert_ptr_nonnull(tcp_state_name(events.event[e].from));
			ck_assert_ptr_nonnull(tcp_state_name(events.event[e].to));
		}
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, tracker_cases, 0, ARRAY_SIZE(cases));
	tcase_add_test(tc, tracker_facts_retransmission);
	tcase_add_test(tc, tracker_facts_probes);
	tcase_add_test(tc, tracker_random_packets);
}

int main(void)
{
	return suite_main("tcp-tracker", add_tests);
}
