/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which packets satisfy a list of expected ones, and which are excluded: the order of a list, and
 * from when on a packet follows the first event. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "src/record/expect.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/util/array.h"
#include "tests/unit/scenario-text.h"
#include "tests/unit/suite.h"
#include "tests/unit/two-ends.h"

#define MSEC	   NSEC_PER_MSEC
#define LOST	   (-1000)
#define OTHER	   _END_MAX /* neither end sent it */
#define POWER_LOSS "{at: 1s, fault: power-loss, node: server}"
#define BLACKHOLE  "{at: 1s, fault: blackhole}"
#define CRASH	   "{at: 1s, fault: crash, node: server}"
#define CLOSE	   "{at: 1s, action: close, node: client}"

/* A packet on its way. Times are milliseconds after the first event, which takes one. */
struct flight {
	double sent, arrived; /* arrived: LOST */
	enum end_id from;
	uint8_t flags;
	uint32_t seq, payload, stamp;
};

static void see(struct record *r, enum end_id end, const struct flight *f, bool sent)
{
	struct record_endpoint *e = &r->endpoint[end];
	struct record_packet *p = array_append(&e->packets, &e->n_packets, sizeof(*p));

	*p = (struct record_packet){ .time_nsec = (nsec_t)((sent ? f->sent : f->arrived) * MSEC),
				     .sent = sent,
				     .flags = f->flags,
				     .seq = f->seq,
				     .payload = f->payload,
				     .stamp = f->stamp };
}

static struct record *record_of(const struct flight *flights, size_t n)
{
	struct record *r = record_of_two_ends();
	struct record_fault *fault = array_append(&r->faults, &r->n_faults, sizeof(*fault));

	*fault = (struct record_fault){ .took_nsec = 1 * MSEC, .what = strdup("event") };
	for (size_t i = 0; i < n; i++) {
		enum end_id to = flights[i].from == END_CLIENT ? END_SERVER : END_CLIENT;

		if (flights[i].from != OTHER)
			see(r, flights[i].from, &flights[i], true);
		if (flights[i].arrived != LOST)
			see(r, to, &flights[i], false);
	}
	return r;
}

/* Whether the client's packets are as the list says. */
static bool holds(struct record *r, const char *event, const char *packets)
{
	_cleanup_(scenario_freep) struct scenario *s = NULL;
	char text[1024];
	size_t before = r->n_failures;

	snprintf(text, sizeof(text), HEAD "timeline: [%s]\nexpect: {client: {packets: [%s]}}\n",
		 event, packets);
	s = load(text);
	ck_assert_int_eq(expect_check(s, r, NULL), 0);
	return r->n_failures == before;
}

enum { ACK = PACKET_ACK, DATA = PACKET_ACK | PACKET_PSH, FIN = PACKET_ACK | PACKET_FIN };

static const struct {
	const char *event, *packets;
	bool holds;
	struct flight flights[3];
} follows[] = {
	/* What was under way does not count, but may arrive. */
	{ POWER_LOSS, "'!<[P.]'", true, { { -20, 30, END_SERVER, DATA, 1, 4, 7 } } },
	{ BLACKHOLE, "'!<[P.]'", true, { { 0.5, 50.5, END_SERVER, DATA, 1, 4, 7 } } },
	{ BLACKHOLE, "'!<[P.]'", false, { { 1.5, 51.5, END_SERVER, DATA, 1, 4, 7 } } },
	{ CRASH, "'!<[P.]'", true, { { -20, 30, END_SERVER, DATA, 1, 4, 7 } } },
	{ POWER_LOSS, "'<[P.]'", false, { { -20, 30, END_SERVER, DATA, 1, 4, 7 } } },
	{ POWER_LOSS,
	  "'>[P.]', '<[R]'",
	  true,
	  { { -20, 30, END_SERVER, DATA, 1, 4, 7 },
	    { 40, LOST, END_CLIENT, DATA, 1, 4, 8 },
	    { 0, 60, OTHER, PACKET_RST, 1, 0, 0 } } },
	/* It is in the way of no list, though the list has its like later. */
	{ POWER_LOSS,
	  "'>[P.]', '<[P.]'",
	  true,
	  { { -20, 30, END_SERVER, DATA, 1, 4, 7 },
	    { 40, 90, END_CLIENT, DATA, 1, 4, 8 },
	    { 91, 141, END_SERVER, DATA, 5, 4, 9 } } },
	/* The same bytes once more are another packet: told by the timestamp, or else by the time.
	 */
	{ POWER_LOSS,
	  "'!<[P.]'",
	  false,
	  { { -90, -40, END_SERVER, DATA, 1, 4, 7 }, { 2, 52, END_SERVER, DATA, 1, 4, 8 } } },
	{ POWER_LOSS,
	  "'!<[P.]'",
	  false,
	  { { -90, -40, END_SERVER, DATA, 1, 4, 0 }, { 2, 52, END_SERVER, DATA, 1, 4, 0 } } },
	{ POWER_LOSS,
	  "'!<[P.]'",
	  true,
	  { { -20, 30, END_SERVER, DATA, 1, 4, 7 }, { 2, LOST, END_SERVER, DATA, 1, 4, 8 } } },
	/* A part of what was sent at once, of which only the last has the PSH. */
	{ POWER_LOSS,
	  "'!<[P.]', '!<[.]'",
	  true,
	  { { -20, LOST, END_SERVER, DATA, 1, 3000, 7 },
	    { -20, 30, OTHER, ACK, 1, 1448, 7 },
	    { -20, 30, OTHER, DATA, 1449, 1552, 7 } } },
	{ POWER_LOSS,
	  "'!<[P.]'",
	  false,
	  { { -20, LOST, END_SERVER, DATA, 1, 3000, 7 }, { -20, 30, OTHER, DATA, 3001, 100, 7 } } },
	/* Nobody knows when a stranger sent it. */
	{ POWER_LOSS, "'!<[R]'", false, { { 0, 0.5, OTHER, PACKET_RST, 1, 0, 0 } } },
	{ POWER_LOSS, "'!<[R]'", true, { { 0, -0.5, OTHER, PACKET_RST, 1, 0, 0 } } },
	/* What a crash or an action brings about comes before they are told to be done. */
	{ CRASH, "'!<[F.]'", false, { { 0.1, 0.2, END_SERVER, FIN, 1, 0, 7 } } },
	{ CRASH, "'<[F.]'", true, { { 0.1, 0.2, END_SERVER, FIN, 1, 0, 7 } } },
	{ CLOSE, "'!>[F.]'", false, { { 0.1, 0.2, END_CLIENT, FIN, 1, 0, 7 } } },
	{ CLOSE, "'!>[F.]'", true, { { -0.1, 0.2, END_CLIENT, FIN, 1, 0, 7 } } },
	/* An end's own packets count from the same moment. */
	{ BLACKHOLE, "'!>[.]'", true, { { 0.5, LOST, END_CLIENT, ACK, 1, 0, 7 } } },
	{ BLACKHOLE, "'!>[.]'", false, { { 1.5, LOST, END_CLIENT, ACK, 1, 0, 7 } } },
	{ BLACKHOLE, "'!>[.]', '!>[R]'", true, { { 1.5, LOST, END_CLIENT, DATA, 1, 4, 7 } } },
};

START_TEST(packets_follow_the_event)
{
	_cleanup_(record_freep) struct record *r = NULL;
	size_t n = 0;

	while (n < ARRAY_SIZE(follows[_i].flights) && follows[_i].flights[n].flags)
		n++;
	r = record_of(follows[_i].flights, n);
	ck_assert_msg(holds(r, follows[_i].event, follows[_i].packets) == follows[_i].holds,
		      "%s: %s", follows[_i].packets, r->n_failures ? r->failures[0] : "held");
}
END_TEST

/* The client sends, sends again, has an answer, sends, has an answer and is reset. */
static const struct flight story[] = {
	{ 2, LOST, END_CLIENT, DATA, 1, 4, 2 }, { 3, 4, END_CLIENT, DATA, 1, 4, 3 },
	{ 5, 6, END_SERVER, ACK, 1, 0, 5 },	{ 7, 8, END_CLIENT, DATA, 5, 4, 7 },
	{ 9, 10, END_SERVER, ACK, 1, 0, 9 },	{ 11, 12, END_SERVER, PACKET_RST, 1, 0, 0 },
};

static const struct {
	const char *packets;
	bool holds;
} orders[] = {
	{ "'>[P.]', '>[P.]', '<[.]', '>[P.]', '<[.]', '<[R]'", true },
	{ "'>[P.]', '<[.]', '>[P.]', '<[.]', '<[R]'", true }, /* the one found last comes again */
	{ "'>[P.]', '<[.]', '>[P.]'", true },
	{ "'>[P.]', '<[R]'", true }, /* others come that are not in the list */
	{ "'<[.]', '<[R]'", true },
	{ "'<[R]'", true },
	{ "'[P.]', '[.]', '[P.]', '[.]', '[R]'", true },
	{ "'<[.]', '>[P.]', '<[R]'", false },
	{ "'<[.]', '>[P.]', '<[.]', '<[R]'", false },
	{ "'>[P.]', '<[.]', '<[R]'", false },
	{ "'>[P.]', '<[.]', '<[.]', '>[P.]'", false },
	{ "'>[P.]', '>[P.]', '>[P.]', '<[.]'", false },
	{ "'<[R]', '>[P.]'", false },
	{ "'>[P.]', '<[R]', '<[.]'", false },
	{ "'[.]', '[P.]', '[R]'", false },
};

START_TEST(lists_have_an_order)
{
	_cleanup_(record_freep) struct record *r = record_of(story, ARRAY_SIZE(story));

	ck_assert_msg(holds(r, BLACKHOLE, orders[_i].packets) == orders[_i].holds, "%s: %s",
		      orders[_i].packets, r->n_failures ? r->failures[0] : "held");
}
END_TEST

/* Tries all orders of `words` from index `first` on. Returns how many hold. */
static unsigned int count_orders(struct record *r, const char **words, size_t first, size_t n)
{
	unsigned int held = 0;
	char list[128] = "";

	for (size_t i = first; i < n; i++) {
		const char *word = words[i];

		words[i] = words[first];
		words[first] = word;
		held += count_orders(r, words, first + 1, n);
		words[first] = words[i];
		words[i] = word;
	}
	if (first < n)
		return held;
	for (size_t i = 0; i < n; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s'%s'", i ? ", " : "",
			 words[i]);
	return holds(r, BLACKHOLE, list);
}

/* Of three equal packets and two equal ones, 12 orders are the same list. */
START_TEST(one_order_holds)
{
	_cleanup_(record_freep) struct record *r = record_of(story, ARRAY_SIZE(story));
	const char *words[] = { ">[P.]", ">[P.]", "<[.]", ">[P.]", "<[.]", "<[R]" };

	ck_assert_uint_eq(count_orders(r, words, 0, ARRAY_SIZE(words)), 12);
}
END_TEST

static const struct {
	const char *calls;
	bool holds;
} call_orders[] = {
	{ "connect, write 4, read 4, write 4, read 4, close", true },
	{ "connect, {call: write 4}, close", true },
	{ "connect, close", true },
	{ "connect, write 4, read 4, close", false },
	{ "connect, read 4, write 4, close", false },
	{ "connect, write 4, read 4, read 4, write 4", false },
	{ "close, connect", false },
};

START_TEST(calls_have_an_order)
{
	static const enum agent_call calls[] = { AGENT_CALL_CONNECT, AGENT_CALL_WRITE,
						 AGENT_CALL_READ,    AGENT_CALL_WRITE,
						 AGENT_CALL_READ,    AGENT_CALL_CLOSE };
	_cleanup_(record_freep) struct record *r = record_of(story, 0);
	_cleanup_(scenario_freep) struct scenario *s = NULL;
	struct record_endpoint *client = &r->endpoint[END_CLIENT];
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct record_call *c = array_append(&client->calls, &client->n_calls, sizeof(*c));
		bool transfers = calls[i] == AGENT_CALL_READ || calls[i] == AGENT_CALL_WRITE;

		*c = (struct record_call){ .time_nsec = (nsec_t)i,
					   .call = calls[i],
					   .result = transfers ? 4 : 0 };
	}
	snprintf(text, sizeof(text), HEAD "expect: {client: {calls: [%s]}}\n",
		 call_orders[_i].calls);
	s = load(text);
	ck_assert_int_eq(expect_check(s, r, NULL), 0);
	ck_assert_msg((record_verdict(r) == VERDICT_PASS) == call_orders[_i].holds, "%s",
		      call_orders[_i].calls);
}
END_TEST

/* Where microseconds decide, nothing is predicted, and expectations go by all that may be. */
static const struct {
	nsec_t end_nsec, earliest_nsec, latest_nsec;
	bool holds;
} possible_ends[] = {
	{ 938 * NSEC_PER_SEC, 937 * NSEC_PER_SEC, 939 * NSEC_PER_SEC, true },
	{ 936 * NSEC_PER_SEC, 937 * NSEC_PER_SEC, 939 * NSEC_PER_SEC, false },
	{ 940 * NSEC_PER_SEC, 937 * NSEC_PER_SEC, 939 * NSEC_PER_SEC, false },
	{ 938 * NSEC_PER_SEC, NSEC_NONE, NSEC_NONE, false },
};

START_TEST(what_may_be_is_expected)
{
	_cleanup_(record_freep) struct record *r = record_of(story, 0);
	_cleanup_(scenario_freep) struct scenario *s =
		load(HEAD "expect: {client: {after: predicted, before: predicted}}\n");
	struct record_endpoint *client = &r->endpoint[NODE_CLIENT];

	client->kernel_nsec = possible_ends[_i].end_nsec;
	client->earliest_nsec = client->latest_nsec = NSEC_NONE;
	client->possible_earliest_nsec = possible_ends[_i].earliest_nsec;
	client->possible_latest_nsec = possible_ends[_i].latest_nsec;
	ck_assert_int_eq(expect_check(s, r, NULL), 0);
	ck_assert_int_eq(record_verdict(r) == VERDICT_PASS, possible_ends[_i].holds);
}
END_TEST

/* What a look that came late leaves open is no failure, and no pass. */
static const struct {
	nsec_t gone_nsec, blind_nsec;
	enum verdict verdict;
} late_looks[] = {
	{ 5000 * MSEC, 0, VERDICT_PASS },
	{ 5000 * MSEC, 10 * MSEC, VERDICT_PASS },
	{ 3999 * MSEC, 0, VERDICT_FAIL },
	{ 6001 * MSEC, 0, VERDICT_FAIL },
	{ 6100 * MSEC, 99 * MSEC, VERDICT_FAIL },
	{ 6100 * MSEC, 100 * MSEC, VERDICT_INCONCLUSIVE },
	{ 4010 * MSEC, 11 * MSEC, VERDICT_INCONCLUSIVE },
	{ 7000 * MSEC, 4000 * MSEC, VERDICT_INCONCLUSIVE },
	{ NSEC_NONE, 0, VERDICT_FAIL },
};

START_TEST(late_looks_are_doubted)
{
	_cleanup_(record_freep) struct record *r = record_of(story, 0);
	_cleanup_(scenario_freep) struct scenario *s =
		load(HEAD "expect: {client: {gone: {after: 4s, before: 6s}}}\n");
	struct record_endpoint *client = &r->endpoint[NODE_CLIENT];

	client->gone_nsec = late_looks[_i].gone_nsec;
	client->gone_blind_nsec = late_looks[_i].blind_nsec;
	client->kernel_nsec = NSEC_NONE;
	ck_assert_int_eq(expect_check(s, r, NULL), 0);
	ck_assert_int_eq(record_verdict(r), late_looks[_i].verdict);
}
END_TEST

/* A sample that is missing since nobody looked in time is not the one before it. */
START_TEST(missed_samples_are_doubted)
{
	static const struct {
		const char *at;
		enum verdict verdict;
	} wanted[] = { { "100ms", VERDICT_PASS },	  { "199ms", VERDICT_PASS },
		       { "200ms", VERDICT_INCONCLUSIVE }, { "300ms", VERDICT_INCONCLUSIVE },
		       { "400ms", VERDICT_PASS },	  { "500ms", VERDICT_FAIL } };

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		_cleanup_(record_freep) struct record *r = record_of(story, 0);
		_cleanup_(freep) char *text = NULL;
		struct record_endpoint *client = &r->endpoint[NODE_CLIENT];
		struct record_gap *gap = array_append(&r->gaps, &r->n_gaps, sizeof(*gap));
		struct scenario *s;

		*gap = (struct record_gap){ 200 * MSEC, 390 * MSEC };
		for (int n = 1; n <= 5; n++) {
			struct record_sample *sample =
				array_append(&client->samples, &client->n_samples, sizeof(*sample));

			*sample = (struct record_sample){ .time_nsec = n * 100 * MSEC,
							  .state = n == 5 ? TCP_STATE_CLOSE
									  : TCP_STATE_FIN_WAIT1,
							  .expires_nsec = NSEC_NONE };
		}
		r->span_nsec = NSEC_PER_SEC;
		ck_assert_int_gt(asprintf(&text,
					  HEAD "sample: {every: 100ms, until: 1s}\n"
					       "expect: {client: {samples: [{at: %s, state: "
					       "FIN_WAIT1}]}}\n",
					  wanted[i].at),
				 0);
		s = load(text);
		ck_assert_int_eq(expect_check(s, r, NULL), 0);
		ck_assert_int_eq(record_verdict(r), wanted[i].verdict);
		scenario_free(s);
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, late_looks_are_doubted, 0, ARRAY_SIZE(late_looks));
	tcase_add_test(tc, missed_samples_are_doubted);
	tcase_add_loop_test(tc, packets_follow_the_event, 0, ARRAY_SIZE(follows));
	tcase_add_loop_test(tc, lists_have_an_order, 0, ARRAY_SIZE(orders));
	tcase_add_test(tc, one_order_holds);
	tcase_add_loop_test(tc, calls_have_an_order, 0, ARRAY_SIZE(call_orders));
	tcase_add_loop_test(tc, what_may_be_is_expected, 0, ARRAY_SIZE(possible_ends));
}

int main(void)
{
	return suite_main("expect", add_tests);
}
