/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of predictions against times that were worked out from the kernel's source. */
#include <check.h>
#include <string.h>

#include "src/model/model.h"
#include "src/model/timers.h"
#include "src/tcp/state.h"
#include "tests/unit/scenario-text.h"
#include "tests/unit/suite.h"

#define SEC  NSEC_PER_SEC
#define MSEC NSEC_PER_MSEC

/* The kernel's documentation has the time for 15, 924.6 s; the others follow from
 * net/ipv4/tcp_timer.c. */
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
		ck_assert_int_eq(timers_threshold(want[i].retries, 200 * MSEC, 120 * SEC),
				 want[i].threshold);
}
END_TEST

START_TEST(model_granules)
{
	ck_assert_int_eq(timers_granule(250, 200 * MSEC), 4 * MSEC);
	ck_assert_int_eq(timers_granule(250, 252 * MSEC), 32 * MSEC); /* 63 ticks: level 1 */
	ck_assert_int_eq(timers_granule(250, 75 * SEC), 2048 * MSEC);
	ck_assert_int_eq(timers_granule(250, 7200 * SEC), 131072 * MSEC);
	ck_assert_int_eq(timers_granule(1000, 7200 * SEC), 262144 * MSEC);
}
END_TEST

static struct prediction predict(const char *text, nsec_t rto)
{
	_cleanup_(scenario_freep) struct scenario *s = load(text);
	struct model_facts facts = { .hz = 250, .rto_nsec = rto, .established_nsec = SEC };

	return model_predict(s, FAMILY_IPV4, NODE_CLIENT, &facts);
}

/* A value that the kernel would refuse gives the time of the nearest value that it takes. */
START_TEST(model_of_what_is_refused)
{
	static const struct {
		const char *client, *like;
	} pairs[] = {
		{ "net.ipv4.tcp_retries2: -1", "net.ipv4.tcp_retries2: 0" },
		{ "net.ipv4.tcp_retries2: 99999999999999999999", "net.ipv4.tcp_retries2: 255" },
		{ "net.ipv4.tcp_rto_max_ms: 0", "net.ipv4.tcp_rto_max_ms: 1000" },
		{ "keepalive: true, net.ipv4.tcp_keepalive_probes: 4294967296",
		  "keepalive: true, net.ipv4.tcp_keepalive_probes: 255" },
		{ "keepalive: true, user_timeout: 9s, net.ipv4.tcp_keepalive_intvl: -7",
		  "keepalive: true, user_timeout: 9s, net.ipv4.tcp_keepalive_intvl: 0" },
	};
	static const char form[] =
		HEAD "client: {workload: %s, %s}\n"
		     "timeline:\n  - {at: 1s, fault: power-loss, node: server}\n";
	const char *workload = _i < 3 ? "request" : "idle";
	char text[2][512];
	struct prediction refused, taken;

	snprintf(text[0], sizeof(text[0]), form, workload, pairs[_i].client);
	snprintf(text[1], sizeof(text[1]), form, workload, pairs[_i].like);
	refused = predict(text[0], 204 * MSEC);
	taken = predict(text[1], 204 * MSEC);
	ck_assert_int_gt(taken.latest_nsec, 0);
	ck_assert_int_eq(refused.earliest_nsec, taken.earliest_nsec);
	ck_assert_int_eq(refused.latest_nsec, taken.latest_nsec);
}
END_TEST

/* Each write puts the loss probe off. The times were measured in a guest with Linux 6.12. */
START_TEST(model_of_a_long_path)
{
	_cleanup_(scenario_freep) struct scenario *s =
		load(HEAD "client: {workload: stream, interval: 10ms, size: 1000, "
			  "net.ipv4.tcp_retries2: 3}\n"
			  "timeline:\n  - {at: 1s, fault: power-loss, node: server}\n");
	struct model_facts facts = { .hz = 250, .rto_nsec = 1788 * MSEC, .rtt_nsec = 1012 * MSEC };
	struct prediction unknown = model_predict(s, FAMILY_IPV4, NODE_CLIENT, &facts), p;

	facts.window = 176 * 1448;
	p = model_predict(s, FAMILY_IPV4, NODE_CLIENT, &facts);
	ck_assert_int_eq(p.earliest_nsec, unknown.earliest_nsec);
	ck_assert_int_lt(unknown.latest_nsec, 9280 * MSEC);
	ck_assert_int_gt(p.latest_nsec, 9280 * MSEC);
	ck_assert_int_lt(p.latest_nsec, 11600 * MSEC);
	facts.window = 10 * 1448; /* full before the timeout is due */
	p = model_predict(s, FAMILY_IPV4, NODE_CLIENT, &facts);
	ck_assert_int_eq(p.latest_nsec, unknown.latest_nsec);
}
END_TEST

/* The interval reaches from the case in which all comes first to that in which all comes last. With
 * tcp_retries2 0 a connection ends at its second timeout, two RTOs after the first. */
START_TEST(model_of_all_cases)
{
	_cleanup_(scenario_freep) struct scenario *s =
		load(HEAD "client: {workload: request, interval: 50ms, net.ipv4.tcp_retries2: 0}\n"
			  "timeline:\n  - {at: 1s, fault: power-loss, node: server}\n");
	struct model_facts facts = { .hz = 250, .rto_nsec = 800 * MSEC, .rtt_nsec = 400 * MSEC };
	struct prediction p = model_predict(s, FAMILY_IPV4, NODE_CLIENT, &facts);

	/* An RTO that is a quarter of the RTT shorter, no loss probe, all timers on time, and a
	 * segment that was sent one RTT before the fault. */
	ck_assert_int_eq(p.earliest_nsec, (3 * 700 - 400) * MSEC);
	/* An RTO that is a quarter of the RTT longer, a loss probe, all timers late by their
	 * granule of 32 ms, and a segment that is sent one interval after the fault. */
	ck_assert_int_eq(p.latest_nsec, (4 * 900 + 3 * 32 + 50) * MSEC);
}
END_TEST

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

	p = predict(HEAD "path: {conntrack: true, untracked: drop}\ntimeline:\n"
			 "  - {at: 1s, fault: conntrack-flush}\n"
			 "  - {at: 11s, action: send, node: client}\n",
		    204 * MSEC);
	ck_assert_int_eq(p.mechanism, MECHANISM_RETRANSMISSION);
	ck_assert_int_gt(p.earliest_nsec, 934 * SEC);
	ck_assert_int_lt(p.latest_nsec, 975 * SEC);
}
END_TEST

static const struct {
	const char *client; /* its options and sysctls, as in a file */
	unsigned int linear;
	int after, before; /* seconds */
	enum mechanism mechanism;
} attempts[] = {
	{ "user_timeout: 0s", 0, 127, 133, MECHANISM_SYN }, /* 1 + 2 + ... + 64 */
	{ "user_timeout: 0s", 4, 131, 137, MECHANISM_SYN }, /* 1 + 1 + 1 + 1 + 1 + 2 + ... + 64 */
	{ "syn_count: 2", 0, 7, 8, MECHANISM_SYN },
	/* 1 + 1 + 1 + 1 + 1 + 2: the time that tcp_syn_retries stands for is up before the count */
	{ "syn_count: 2", 4, 7, 8, MECHANISM_SYN },
	{ "syn_count: 1", 4, 3, 4, MECHANISM_SYN },
	{ "net.ipv4.tcp_syn_linear_timeouts: 0", 4, 127, 133, MECHANISM_SYN },
	{ "net.ipv4.tcp_syn_retries: 3", 0, 15, 17, MECHANISM_SYN },
	{ "user_timeout: 10s", 0, 10, 11, MECHANISM_USER_TIMEOUT },
	{ "user_timeout: 10s", 4, 10, 11, MECHANISM_USER_TIMEOUT },
	{ "{syn_count: 2, user_timeout: 1min}", 0, 7, 8, MECHANISM_SYN },
	{ "net.ipv4.tcp_rto_max_ms: 4000", 0, 23, 25, MECHANISM_SYN }, /* 1 + 2 + 4 + ... + 4 */
};

START_TEST(model_attempts)
{
	char text[512];
	struct scenario *s;
	struct model_facts facts = { .hz = 250,
				     .rto_nsec = NSEC_NONE,
				     .syn_linear = attempts[_i].linear };
	struct prediction p, late;

	snprintf(text, sizeof(text),
		 HEAD "client: {autoconnect: false, %s%s\ntimeline:\n"
		      "  - {at: 0s, fault: blackhole}\n"
		      "  - {at: 1s, action: connect, node: client}\n",
		 attempts[_i].client + (*attempts[_i].client == '{'),
		 *attempts[_i].client == '{' ? "" : "}");
	s = load(text);
	p = model_predict(s, FAMILY_IPV4, NODE_CLIENT, &facts);
	ck_assert_int_eq(p.mechanism, attempts[_i].mechanism);
	ck_assert_int_ge(p.earliest_nsec, (1 + attempts[_i].after) * SEC);
	ck_assert_int_le(p.earliest_nsec, (1 + attempts[_i].after) * SEC + SEC);
	ck_assert_int_le(p.latest_nsec, (1 + attempts[_i].before) * SEC);
	facts.late_nsec = 300 * MSEC;
	late = model_predict(s, FAMILY_IPV4, NODE_CLIENT, &facts);
	ck_assert_int_eq(late.earliest_nsec, p.earliest_nsec);
	ck_assert_int_eq(late.latest_nsec, p.latest_nsec + 300 * MSEC);
	scenario_free(s);
}
END_TEST

static const struct {
	const char *client, *rest; /* its options, and the events after the pause */
	int after, before;	   /* seconds; 0: no end is predicted */
	enum mechanism mechanism;
} windows[] = {
	{ "", "", 0, 0, MECHANISM_NONE },
	/* probes after 0.2, 0.4, ... s; the first lost one is that at 12.6 s or the one after; its
	 * 3 successors come every 1.6 s, which is as far as the back-off goes with tcp_retries2 3
	 */
	{ ", net.ipv4.tcp_retries2: 3", "  - {at: 11s, fault: power-loss, node: server}\n", 14, 18,
	  MECHANISM_PERSIST },
	{ ", user_timeout: 30s", "", 30, 33, MECHANISM_USER_TIMEOUT },
	/* The count of probes holds beside the user timeout. */
	{ ", user_timeout: 10min, net.ipv4.tcp_retries2: 3",
	  "  - {at: 11s, fault: power-loss, node: server}\n", 14, 18, MECHANISM_PERSIST },
	{ ", user_timeout: 30s", "  - {at: 11s, fault: power-loss, node: server}\n", 30, 33,
	  MECHANISM_USER_TIMEOUT },
	{ "", "  - {at: 1s, action: exit, node: server}\n", 0, 0, MECHANISM_NONE },
};

START_TEST(model_windows)
{
	char text[512];
	struct prediction p;

	snprintf(text, sizeof(text),
		 HEAD "client: {workload: idle%s}\ntimeline:\n"
		      "  - {at: 1s, action: pause-reading, node: server}\n"
		      "  - {at: 1s, action: send, node: client, size: 1MiB}\n%s",
		 windows[_i].client, windows[_i].rest);
	p = predict(text, 204 * MSEC);
	ck_assert_int_eq(p.mechanism, windows[_i].mechanism);
	ck_assert_int_ge(p.earliest_nsec, windows[_i].after * SEC);
	ck_assert_int_le(p.latest_nsec, windows[_i].before * SEC);
}
END_TEST

/* The times follow from the kernel's source: TCP_TIMEWAIT_LEN, 1 + 2 + ... + 32 s, and the
 * threshold of 8 retries. */
START_TEST(model_of_what_is_left)
{
	_cleanup_(scenario_freep) struct scenario *s = load(HEAD);
	_cleanup_(scenario_freep) struct scenario *changed =
		load(HEAD "net.ipv4.tcp_fin_timeout: 70\nnet.ipv4.tcp_synack_retries: 2\n"
			  "net.ipv4.tcp_orphan_retries: 3\n");
	struct model_facts facts = { .hz = 250, .rto_nsec = 204 * MSEC };
	struct prediction p;

	p = model_gone(s, NODE_CLIENT, &facts, MECHANISM_TIME_WAIT);
	ck_assert_int_eq(p.earliest_nsec, 60 * SEC);
	ck_assert_int_eq(p.latest_nsec, 60 * SEC + 2048 * MSEC);
	p = model_gone(s, NODE_CLIENT, &facts, MECHANISM_FIN_WAIT_2);
	ck_assert_int_eq(p.earliest_nsec, 60 * SEC);
	p = model_gone(changed, NODE_CLIENT, &facts, MECHANISM_FIN_WAIT_2);
	ck_assert_int_eq(p.earliest_nsec, 70 * SEC);
	ck_assert_int_eq(p.latest_nsec, 70 * SEC + 256 * MSEC + 2048 * MSEC);
	p = model_gone(s, NODE_SERVER, &facts, MECHANISM_SYNACK);
	ck_assert_int_eq(p.earliest_nsec, 63 * SEC);
	p = model_gone(changed, NODE_SERVER, &facts, MECHANISM_SYNACK);
	ck_assert_int_eq(p.earliest_nsec, 7 * SEC);
	p = model_gone(s, NODE_CLIENT, &facts, MECHANISM_ORPHAN);
	ck_assert_int_gt(p.earliest_nsec, 102 * SEC);
	ck_assert_int_lt(p.latest_nsec, 112 * SEC);
	p = model_gone(changed, NODE_CLIENT, &facts, MECHANISM_ORPHAN);
	ck_assert_int_gt(p.earliest_nsec, 3 * SEC);
	ck_assert_int_lt(p.latest_nsec, 8 * SEC);
	p = model_gone(s, NODE_CLIENT, &facts, MECHANISM_RETRANSMISSION);
	ck_assert_int_eq(p.mechanism, MECHANISM_NONE);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, model_of_what_is_left);
	tcase_add_test(tc, model_thresholds);
	tcase_add_test(tc, model_granules);
	tcase_add_test(tc, model_of_a_long_path);
	tcase_add_test(tc, model_of_all_cases);
	tcase_add_loop_test(tc, model_of_what_is_refused, 0, 5);
	tcase_add_test(tc, model_predictions);
	tcase_add_loop_test(tc, model_attempts, 0, ARRAY_SIZE(attempts));
	tcase_add_loop_test(tc, model_windows, 0, ARRAY_SIZE(windows));
}

int main(void)
{
	return suite_main("model", add_tests);
}
