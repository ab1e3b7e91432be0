/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of predictions against times that were worked out from the kernel's source. */
#include <check.h>
#include <string.h>

#include "src/model/model.h"
#include "src/model/timers.h"
#include "src/model/wheel.h"
#include "src/tcp/state.h"
#include "src/util/format.h"
#include "tests/unit/scenario-text.h"
#include "tests/unit/suite.h"

#define SEC  NSEC_PER_SEC
#define MSEC NSEC_PER_MSEC

static struct prediction predict(const char *text, nsec_t rto_nsec)
{
	_cleanup_(scenario_freep) struct scenario *s = load(text);
	struct model_facts facts = model_facts_of(250, false);

	facts.rto_nsec = rto_nsec;
	return model_predict(s, FAMILY_IPV4, END_CLIENT, &facts);
}

/* A negative time, which the kernel takes, is none. */
START_TEST(model_of_negative_time)
{
	static const char form[] =
		HEAD "client: {workload: idle, keepalive: true, user_timeout: 9s, "
		     "net.ipv4.tcp_keepalive_intvl: %d}\n"
		     "timeline:\n  - {at: 1s, fault: power-loss, node: server}\n";
	char text[2][512];
	struct prediction negative, none;

	snprintf(text[0], sizeof(text[0]), form, -7);
	snprintf(text[1], sizeof(text[1]), form, 0);
	negative = predict(text[0], 204 * MSEC);
	none = predict(text[1], 204 * MSEC);
	ck_assert_int_gt(none.latest_nsec, 0);
	ck_assert_int_eq(negative.earliest_nsec, none.earliest_nsec);
	ck_assert_int_eq(negative.latest_nsec, none.latest_nsec);
}
END_TEST

static const struct {
	const char *text;
	int granule; /* ticks of the widest bucket that a timer falls into */
} any_phase[] = {
	{ "client: {workload: request, interval: 50ms, net.ipv4.tcp_retries2: 3}\n"
	  "server: {workload: echo}\ntimeline:\n  - {at: 1022ms, fault: blackhole}\n",
	  64 },
	{ "client: {workload: request, interval: 50ms}\nserver: {workload: echo}\n"
	  "timeline:\n  - {at: 1022ms, fault: power-loss, node: server}\n",
	  512 },
	{ "client: {workload: request, interval: 50ms, user_timeout: 3s}\n"
	  "server: {workload: echo}\ntimeline:\n  - {at: 1022ms, fault: blackhole}\n",
	  64 },
	{ "client: {keepalive: {enabled: true, idle: 3s, interval: 1s, count: 4}}\n"
	  "timeline:\n  - {at: 1020ms, fault: blackhole}\n",
	  64 },
	{ "client: {workload: heartbeat, interval: 2s, keepalive: true}\nserver: {workload: echo}\n"
	  "timeline:\n  - {at: 1020ms, fault: blackhole}\n",
	  1 },
	{ "client: {workload: stream, interval: 32ms, size: 700, net.ipv4.tcp_retries2: 4}\n"
	  "server: {workload: sink}\ntimeline:\n  - {at: 1020ms, fault: blackhole}\n",
	  64 },
	{ "client: {autoconnect: false, syn_count: 3}\ntimeline:\n"
	  "  - {at: 1020ms, fault: blackhole}\n  - {at: 1100ms, action: connect, node: client}\n",
	  64 },
};

/* Without a phase, an interval has all that any phase leads to, and hardly more. */
START_TEST(model_of_any_phase)
{
	_cleanup_(freep) char *text = format_new(HEAD "%s", any_phase[_i].text);
	_cleanup_(scenario_freep) struct scenario *s = load(text);
	struct model_facts facts = model_facts_of(250, false);
	struct prediction any = model_predict(s, FAMILY_IPV4, END_CLIENT, &facts), late;
	nsec_t earliest_nsec = NSEC_NEVER, latest_nsec = 0;
	int64_t phases = 200;

	ck_assert_msg(!any.reason, "%s", any.reason);
	facts.real_time = true;
	late = model_predict(s, FAMILY_IPV4, END_CLIENT, &facts);
	facts.real_time = false;
	for (int64_t i = 0; i < phases; i++) {
		struct prediction p;

		facts.phase = i * 163;
		p = model_predict(s, FAMILY_IPV4, END_CLIENT, &facts);
		ck_assert_int_eq(p.mechanism, any.mechanism);
		ck_assert_int_le(p.latest_nsec - p.earliest_nsec, 2 * 4 * MSEC);
		earliest_nsec = nsec_min(earliest_nsec, p.earliest_nsec);
		latest_nsec = nsec_max(latest_nsec, p.latest_nsec);
	}
	ck_assert_int_le(any.earliest_nsec, earliest_nsec);
	ck_assert_int_ge(any.latest_nsec, latest_nsec);
	ck_assert_int_le(any.latest_nsec - any.earliest_nsec,
			 3 * (latest_nsec - earliest_nsec) + 2 * any_phase[_i].granule * 4 * MSEC);
	/* In real time the last timer's handler at least may come a tick later. */
	ck_assert_int_eq(late.mechanism, any.mechanism);
	ck_assert_int_le(late.earliest_nsec, any.earliest_nsec);
	ck_assert_int_ge(late.latest_nsec,
			 any.latest_nsec + (any.mechanism == MECHANISM_HEARTBEAT ? 0 : 4 * MSEC));
}
END_TEST

/* A request ends by its timer, if nothing but silence comes; but a server that answers the last ACK
 * with RST when its queue is full ends it at once. */
START_TEST(model_of_a_request)
{
	static const nsec_t syns[] = { -100 * MSEC };
	struct model_history history = { .established_nsec = NSEC_NONE,
					 .connect_nsec = -100 * MSEC,
					 .reset_nsec = NSEC_NONE,
					 .sent_nsec = NSEC_NONE,
					 .closed_nsec = NSEC_NONE,
					 .syns = syns,
					 .n_syns = 1 };
	static const char *const values[] = { "0", "1" };
	_cleanup_(freep) char *text =
		format_new(HEAD "server: {net.ipv4.tcp_abort_on_overflow: %s}\ntimeline:\n"
				"  - {at: 1s, fault: blackhole, direction: server-to-client}\n",
			   values[_i]);
	_cleanup_(scenario_freep) struct scenario *s = load(text);
	struct model_facts facts = model_facts_of(250, false);
	struct prediction p;

	facts.history = &history;
	p = model_predict(s, FAMILY_IPV4, END_SERVER, &facts);
	if (_i) {
		ck_assert_ptr_nonnull(p.reason);
		return;
	}
	ck_assert_int_eq(p.mechanism, MECHANISM_SYNACK);
	ck_assert_int_ge(p.earliest_nsec, 62 * SEC);
	ck_assert_int_le(p.latest_nsec, 67 * SEC);
}
END_TEST

/* What happens before the fault is reckoned as well; the times are those of guests with Linux 6.1.
 */
static const struct {
	const char *text;
	enum mechanism mechanism; /* NONE: there is a reason for no prediction */
	nsec_t measured_nsec[2];
	nsec_t width_nsec; /* at most */
} imagined[] = {
	/* A probe of before the fault is answered, and idle time begins anew. */
	{ "client: {keepalive: {enabled: true, idle: 60s, interval: 10s, count: 4}}\ntimeline:\n"
	  "  - {at: 90s, fault: power-loss, node: server}\n",
	  MECHANISM_KEEPALIVE,
	  { 74406 * MSEC, 74406 * MSEC },
	  2100 * MSEC },
	{ "client: {keepalive: {enabled: true, idle: 1s, interval: 1s, count: 1}}\ntimeline:\n"
	  "  - {at: 5s, fault: power-loss, node: server}\n",
	  MECHANISM_KEEPALIVE,
	  { 1146 * MSEC, 1146 * MSEC },
	  100 * MSEC },
	/* The segment that is due in the moment of the fault may be answered. */
	{ "client: {workload: stream, interval: 1s, user_timeout: 20s}\nserver: {workload: sink}\n"
	  "timeline:\n  - {at: 5s, fault: power-loss, node: server}\n",
	  MECHANISM_USER_TIMEOUT,
	  { 20438 * MSEC, 21669 * MSEC },
	  1300 * MSEC },
	/* The window closes before the fault. */
	{ "client: {workload: stream, interval: 10ms, size: 64KiB}\nserver: {paused: true}\n"
	  "timeline:\n  - {at: 10s, fault: power-loss, node: server}\n" },
};

START_TEST(model_of_what_comes_before)
{
	_cleanup_(freep) char *text = format_new(HEAD "%s", imagined[_i].text);
	struct prediction p = predict(text, NSEC_NONE);

	ck_assert_int_eq(p.mechanism, imagined[_i].mechanism);
	if (p.mechanism == MECHANISM_NONE) {
		ck_assert_ptr_nonnull(p.reason);
		return;
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_le(p.earliest_nsec, imagined[_i].measured_nsec[i]);
		ck_assert_int_ge(p.latest_nsec, imagined[_i].measured_nsec[i]);
	}
	ck_assert_int_le(p.latest_nsec - p.earliest_nsec, imagined[_i].width_nsec);
}
END_TEST

START_TEST(model_predictions)
{
	struct prediction p;

	p = predict(HEAD "client: {workload: request, interval: 50ms}\nserver: {workload: echo}\n"
			 "timeline:\n  - {at: 1s, fault: power-loss, node: server}\n",
		    204 * MSEC);
	ck_assert_msg(!p.reason, "%s", p.reason);
	ck_assert_int_eq(p.mechanism, MECHANISM_RETRANSMISSION);
	/* Over 300 phases a guest with Linux 6.1 had 937.7 to 939.7 s. */
	ck_assert_int_gt(p.earliest_nsec, 937600 * MSEC);
	ck_assert_int_lt(p.earliest_nsec, 937800 * MSEC);
	ck_assert_int_gt(p.latest_nsec, 939600 * MSEC);
	ck_assert_int_lt(p.latest_nsec, 939800 * MSEC);

	p = predict(HEAD "client: {keepalive: true}\n"
			 "timeline:\n  - {at: 1s, fault: power-loss, node: server}\n",
		    204 * MSEC);
	ck_assert_int_eq(p.mechanism, MECHANISM_KEEPALIVE);
	/* 7200 + 9 x 75 s, one second of it gone, are the least. */
	ck_assert_int_gt(p.earliest_nsec, 7874 * SEC);
	ck_assert_int_lt(p.earliest_nsec, 7900 * SEC);
	ck_assert_int_gt(p.latest_nsec, 8000 * SEC);
	ck_assert_int_lt(p.latest_nsec, 8030 * SEC);

	p = predict(HEAD
		    "client: {workload: request, user_timeout: 30s}\nserver: {workload: echo}\n"
		    "timeline:\n  - {at: 1500ms, fault: blackhole}\n",
		    204 * MSEC);
	ck_assert_int_eq(p.mechanism, MECHANISM_USER_TIMEOUT);
	ck_assert_int_ge(p.earliest_nsec, 30500 * MSEC);
	ck_assert_int_lt(p.latest_nsec, 31200 * MSEC);

	p = predict(HEAD "client: {workload: idle}\ntimeline:\n  - {at: 1s, fault: blackhole}\n",
		    204 * MSEC);
	ck_assert_int_eq(p.mechanism, MECHANISM_NONE);
	ck_assert_ptr_nonnull(p.reason);

	p = predict(HEAD "path: {conntrack: true, untracked: drop}\ntimeline:\n"
			 "  - {at: 1s, fault: conntrack-flush}\n"
			 "  - {at: 11s, action: send, node: client}\n",
		    204 * MSEC);
	ck_assert_int_eq(p.mechanism, MECHANISM_RETRANSMISSION);
	ck_assert_int_gt(p.earliest_nsec, 946 * SEC);
	ck_assert_int_lt(p.latest_nsec, 950 * SEC);
}
END_TEST

/* Three of its messages, one each 5 s, are unanswered 15 s after the first of them. A peer whose
 * kernel goes on acknowledges them all. */
START_TEST(model_of_heartbeats)
{
	static const struct {
		const char *server, *event;
		nsec_t end_nsec;
	} want[] = { { "echo", "{at: 2500ms, fault: blackhole}", 17500 * MSEC },
		     { "echo", "{at: 2500ms, fault: freeze, node: server}", 17500 * MSEC },
		     { "echo", "{at: 7s, action: pause-reading, node: server}", 18 * SEC },
		     { "no-accept", "{at: 2500ms, fault: blackhole, direction: server-to-client}",
		       12500 * MSEC } };
	struct prediction p;
	char text[512];

	snprintf(text, sizeof(text),
		 HEAD "client: {workload: heartbeat, interval: 5s, misses: 3}\n"
		      "server: {workload: %s}\ntimeline:\n  - %s\n",
		 want[_i].server, want[_i].event);
	p = predict(text, 204 * MSEC);
	ck_assert_msg(!p.reason, "%s", p.reason);
	ck_assert_int_eq(p.mechanism, MECHANISM_HEARTBEAT);
	ck_assert_int_le(p.earliest_nsec, want[_i].end_nsec);
	ck_assert_int_ge(p.latest_nsec, want[_i].end_nsec);
	ck_assert_int_lt(p.latest_nsec - p.earliest_nsec, 100 * MSEC);
}
END_TEST

static const struct {
	const char *client; /* options and sysctls, as in a file */
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
	struct model_facts facts = model_facts_of(250, false);
	struct prediction p;

	facts.syn_linear = attempts[_i].linear;

	snprintf(text, sizeof(text),
		 HEAD "client: {autoconnect: false, %s%s\ntimeline:\n"
		      "  - {at: 0s, fault: blackhole}\n"
		      "  - {at: 1s, action: connect, node: client}\n",
		 attempts[_i].client + (*attempts[_i].client == '{'),
		 *attempts[_i].client == '{' ? "" : "}");
	s = load(text);
	p = model_predict(s, FAMILY_IPV4, END_CLIENT, &facts);
	ck_assert_int_eq(p.mechanism, attempts[_i].mechanism);
	ck_assert_int_ge(p.earliest_nsec, (1 + attempts[_i].after) * SEC - MSEC);
	ck_assert_int_le(p.latest_nsec, (1 + attempts[_i].before) * SEC);
	scenario_free(s);
}
END_TEST

static const struct {
	const char *client, *rest; /* options of the client, and events after the pause */
	int after, before;	   /* seconds; 0: no end is predicted */
	enum mechanism mechanism;
} windows[] = {
	{ "", "", 0, 0, MECHANISM_NONE },
	/* Probes are sent after 0.2, 0.4, ... s. The first lost probe is the one at 12.6 s or the
	 * next. Three more follow every 1.6 s, which is the longest back-off with tcp_retries2 3.
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
	ck_assert_int_ge(p.earliest_nsec, windows[_i].after * SEC - MSEC);
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
	static const nsec_t syn = SEC;
	struct model_history history = { .sent_nsec = 0,
					 .armed_nsec = 0,
					 .closed_nsec = NSEC_NONE,
					 .syns = &syn,
					 .n_syns = 1,
					 .reset_nsec = NSEC_NONE };
	struct model_facts facts = model_facts_of(250, false);
	const struct {
		const struct scenario *scenario;
		enum mechanism mechanism;
		nsec_t after_nsec, before_nsec;
	} want[] = {
		{ s, MECHANISM_TIME_WAIT, 60 * SEC, 60 * SEC + 2048 * MSEC },
		{ s, MECHANISM_FIN_WAIT_2, 60 * SEC, 60 * SEC + 2048 * MSEC },
		/* What is beyond 60 s is waited for twice: as a full socket, and as a small one. */
		{ changed, MECHANISM_FIN_WAIT_2, 20 * SEC, 20 * SEC + 2 * 256 * MSEC },
		{ s, MECHANISM_SYNACK, 63 * SEC, 67 * SEC },
		{ changed, MECHANISM_SYNACK, 7 * SEC, 7 * SEC + 300 * MSEC },
		{ s, MECHANISM_ORPHAN, 102 * SEC, 112 * SEC },
		{ changed, MECHANISM_ORPHAN, 3 * SEC, 8 * SEC },
	};

	facts.rto_nsec = 204 * MSEC;
	facts.history = &history;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct prediction p = model_gone(want[i].scenario, FAMILY_IPV4, END_CLIENT, &facts,
						 want[i].mechanism, SEC);
		nsec_t since_nsec = want[i].mechanism == MECHANISM_ORPHAN ? 0 : SEC;

		ck_assert_int_eq(p.mechanism, want[i].mechanism);
		ck_assert_int_ge(p.earliest_nsec, since_nsec + want[i].after_nsec - MSEC);
		ck_assert_int_le(p.latest_nsec, since_nsec + want[i].before_nsec + 10 * MSEC);
	}
	ck_assert_int_eq(model_gone(s, FAMILY_IPV4, END_CLIENT, &facts, MECHANISM_RETRANSMISSION, 0)
				 .mechanism,
			 MECHANISM_NONE);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, model_of_what_is_left);
	tcase_add_loop_test(tc, model_of_heartbeats, 0, 4);
	tcase_add_test(tc, model_of_negative_time);
	tcase_add_test(tc, model_predictions);
	tcase_add_loop_test(tc, model_of_any_phase, 0, ARRAY_SIZE(any_phase));
	tcase_add_loop_test(tc, model_of_a_request, 0, 2);
	tcase_add_loop_test(tc, model_of_what_comes_before, 0, ARRAY_SIZE(imagined));
	tcase_add_loop_test(tc, model_attempts, 0, ARRAY_SIZE(attempts));
	tcase_add_loop_test(tc, model_windows, 0, ARRAY_SIZE(windows));
}

int main(void)
{
	return suite_main("model", add_tests);
}
