/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests run built-in agents in real namespaces: their workloads, actions and errors. */
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h> /* It has the TCP states. netinet/tcp.h and linux/tcp.h exclude each other. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netns/link.h"
#include "tests/host/agent-fixture.h"

static struct fixture f;

static void setup(void)
{
	fixture_setup(&f);
}

static void teardown(void)
{
	fixture_teardown(&f);
}

/* Waits until the node's connections have this much to read, however late the processes get their
 * turns. */
static void await_queued(enum node_id node, uint64_t size)
{
	nsec_t limit_nsec = nsec_now() + 10 * NSEC_PER_SEC;

	while (fixture_look(&f, node, BPF_TCP_ESTABLISHED).received != size) {
		ck_assert_msg(nsec_now() < limit_nsec, "%s: not %" PRIu64 " bytes to read",
			      node_name(node), size);
		fixture_run_for(&f, 5 * NSEC_PER_MSEC);
	}
}

/* Tells the server to pause, and waits until it does. It takes its orders one after the other, and
 * reports what it sends. */
static void pause_server(void)
{
	fixture_act(&f, NODE_SERVER, ACTION_PAUSE_READING, 0);
	fixture_act(&f, NODE_SERVER, ACTION_SEND, 1);
	ck_assert_int_eq(fixture_await(&f, NODE_SERVER, AGENT_CALL_WRITE)->result, 1);
}

static const struct {
	enum workload client, server;
	bool client_reads, server_reads;
} pairs[] = {
	{ WORKLOAD_IDLE, WORKLOAD_IDLE, false, false },
	{ WORKLOAD_REQUEST, WORKLOAD_ECHO, true, true },
	{ WORKLOAD_HEARTBEAT, WORKLOAD_ECHO, true, true },
	{ WORKLOAD_STREAM, WORKLOAD_SINK, false, true },
	{ WORKLOAD_STREAM, WORKLOAD_ECHO, true, true },
	{ WORKLOAD_SINK, WORKLOAD_STREAM, true, false },
	{ WORKLOAD_ECHO, WORKLOAD_REQUEST, true, true },
};

/* The client reads an EOF at once when the server is killed, and closes its end. The client stands
 * still while the server dies: what it had sent by then would be lost, and reset the connection. */
START_TEST(workload_then_crash)
{
	const struct agent_report *report;
	nsec_t killed_nsec;

	fixture_set(&f, NODE_CLIENT, OPTION_INTERVAL, 20 * NSEC_PER_MSEC);
	fixture_set(&f, NODE_SERVER, OPTION_INTERVAL, 20 * NSEC_PER_MSEC);
	fixture_start_pair(&f, pairs[_i].client, pairs[_i].server);
	if (pairs[_i].server_reads)
		ck_assert_int_gt(fixture_await(&f, NODE_SERVER, AGENT_CALL_READ)->result, 0);
	if (pairs[_i].client_reads)
		ck_assert_int_gt(fixture_await(&f, NODE_CLIENT, AGENT_CALL_READ)->result, 0);
	fixture_run_for(&f, 100 * NSEC_PER_MSEC);
	ck_assert_int_ge(agent_freeze(f.side[NODE_CLIENT].agent, true, NULL), 0);
	await_queued(NODE_SERVER, 0);
	killed_nsec = nsec_now();
	agent_kill(f.side[NODE_SERVER].agent);
	ck_assert(!agent_running(f.side[NODE_SERVER].agent));
	ck_assert_int_ge(agent_freeze(f.side[NODE_CLIENT].agent, false, NULL), 0);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_READ);
	ck_assert_int_eq(report->result, 0);
	ck_assert(report->has_info && report->cookie && report->local_port);
	ck_assert_uint_eq(report->peer_port, FIXTURE_PORT);
	ck_assert_int_lt(report->time_nsec - killed_nsec, 5 * NSEC_PER_SEC);
	ck_assert_int_gt(report->time_nsec - killed_nsec, 0);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
	ck_assert_int_eq(report->error, 0);
	ck_assert(agent_running(f.side[NODE_CLIENT].agent));
	ck_assert_uint_eq(fixture_count(&f, NODE_CLIENT, AGENT_CALL_EXIT), 0);
	ck_assert_uint_eq(fixture_count(&f, NODE_CLIENT, AGENT_CALL_READ),
			  1 + pairs[_i].client_reads);
}
END_TEST

START_TEST(ipv6)
{
	/* The address ::1 in a single namespace suffices to use IPv6. */
	for (enum node_id i = 0; i < FIXTURE_SIDES; i++) {
		struct agent_spec *spec = &f.side[i].spec;

		spec->family = FAMILY_IPV6;
		spec->ns = f.side[NODE_SERVER].ns;
		ck_assert_int_ge(ip_parse("::1", &spec->local, NULL), 0);
		spec->peer = spec->local;
	}
	fixture_start_pair(&f, WORKLOAD_REQUEST, WORKLOAD_ECHO);
	ck_assert_int_gt(fixture_await(&f, NODE_CLIENT, AGENT_CALL_READ)->result, 0);
}
END_TEST

/* More than the buffers of a connection hold (tcp_rmem and tcp_wmem, at most 6 and 4 MiB by
 * default). */
#define MORE_THAN_BUFFERS (16 << 20)

/* An echo server that gets a stream without pauses neither stalls nor neglects its actions. */
START_TEST(echo_keeps_up)
{
	const struct agent_report *report;
	nsec_t limit_nsec;

	fixture_set(&f, NODE_CLIENT, OPTION_INTERVAL, 0);
	fixture_start_pair(&f, WORKLOAD_STREAM, WORKLOAD_ECHO);
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_READ);
	limit_nsec = nsec_now() + 30 * NSEC_PER_SEC;
	while (fixture_look(&f, NODE_CLIENT, BPF_TCP_ESTABLISHED).ever < MORE_THAN_BUFFERS &&
	       nsec_now() < limit_nsec)
		fixture_run_for(&f, 20 * NSEC_PER_MSEC);
	fixture_act(&f, NODE_SERVER, ACTION_EXIT, 0);
	ck_assert_int_eq(fixture_await(&f, NODE_SERVER, AGENT_CALL_EXIT)->result, 0);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
	ck_assert_uint_gt(report->bytes_read, MORE_THAN_BUFFERS / 2);
}
END_TEST

START_TEST(no_accept)
{
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_NO_ACCEPT);
	await_queued(NODE_SERVER, 0);
	for (int i = 0; i < 1000 && fixture_look(&f, NODE_SERVER, BPF_TCP_ESTABLISHED).count != 1;
	     i++)
		fixture_run_for(&f, 5 * NSEC_PER_MSEC);
	ck_assert_uint_eq(fixture_look(&f, NODE_SERVER, BPF_TCP_ESTABLISHED).count, 1);
	fixture_run_for(&f, 50 * NSEC_PER_MSEC);
	ck_assert_uint_eq(fixture_count(&f, NODE_SERVER, AGENT_CALL_ACCEPT), 0);
}
END_TEST

START_TEST(heartbeat_gives_up)
{
	const struct agent_report *report;
	nsec_t frozen_nsec, span_nsec;

	fixture_set(&f, NODE_CLIENT, OPTION_INTERVAL, 200 * NSEC_PER_MSEC);
	fixture_set(&f, NODE_CLIENT, OPTION_MISSES, 4);
	fixture_start_pair(&f, WORKLOAD_HEARTBEAT, WORKLOAD_ECHO);
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_READ);
	frozen_nsec = nsec_now();
	ck_assert_int_ge(agent_freeze(f.side[NODE_SERVER].agent, true, NULL), 0);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_HEARTBEAT);
	span_nsec = report->time_nsec - frozen_nsec;
	/* The first of the missed heartbeats may be due at once, and three more come after it. A
	 * server that gets its turn late has missed one before. */
	ck_assert_int_gt(span_nsec, 400 * NSEC_PER_MSEC);
	ck_assert_int_lt(span_nsec, 5 * NSEC_PER_SEC);
	ck_assert(report->has_info);
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
}
END_TEST

START_TEST(freeze_and_thaw)
{
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_ECHO);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_ge(agent_freeze(f.side[NODE_SERVER].agent, true, NULL), 0);
		ck_assert_int_ge(agent_freeze(f.side[NODE_SERVER].agent, true, NULL), 0);
		fixture_act(&f, NODE_CLIENT, ACTION_SEND, 100);
		await_queued(NODE_SERVER, 100);
		fixture_run_for(&f, 50 * NSEC_PER_MSEC);
		ck_assert_uint_eq(fixture_look(&f, NODE_SERVER, BPF_TCP_ESTABLISHED).received, 100);
		ck_assert_int_ge(agent_freeze(f.side[NODE_SERVER].agent, false, NULL), 0);
		await_queued(NODE_SERVER, 0);
	}
	agent_freeze(f.side[NODE_SERVER].agent, true, NULL);
	agent_kill(f.side[NODE_SERVER].agent); /* A stopped process dies as well. */
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_READ);
}
END_TEST

START_TEST(actions)
{
	const struct agent_report *report;

	fixture_set(&f, NODE_CLIENT, OPTION_AUTOCONNECT, 0);
	fixture_set(&f, NODE_SERVER, OPTION_WORKLOAD, WORKLOAD_SINK);
	fixture_start(&f, NODE_SERVER);
	fixture_await(&f, NODE_SERVER, AGENT_CALL_LISTEN);
	fixture_start(&f, NODE_CLIENT);
	fixture_act(&f, NODE_CLIENT, ACTION_SEND, 10);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_WRITE)->error, ENOTCONN);
	fixture_act(&f, NODE_CLIENT, ACTION_CONNECT, 0);
	fixture_act(&f, NODE_CLIENT, ACTION_SEND, 5000); /* It waits for the connection. */
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_CONNECT)->error, 0);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_WRITE)->result, 5000);
	fixture_act(&f, NODE_CLIENT, ACTION_SHUTDOWN, 0);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_SHUTDOWN)->error, 0);
	report = fixture_await(&f, NODE_SERVER, AGENT_CALL_CLOSE);
	ck_assert_uint_eq(report->bytes_read, 5000);
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
	fixture_act(&f, NODE_CLIENT, ACTION_CONNECT, 0);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_CONNECT);
	ck_assert_uint_eq(report->connection, 1);
	fixture_act(&f, NODE_CLIENT, ACTION_CLOSE, 0);
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
	fixture_act(&f, NODE_CLIENT, ACTION_EXIT, 0);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT)->result, 0);
	ck_assert(!agent_running(f.side[NODE_CLIENT].agent));
}
END_TEST

START_TEST(pause_reading)
{
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_SINK);
	pause_server();
	fixture_act(&f, NODE_CLIENT, ACTION_SEND, 1000);
	await_queued(NODE_SERVER, 1000);
	fixture_run_for(&f, 50 * NSEC_PER_MSEC);
	ck_assert_uint_eq(fixture_look(&f, NODE_SERVER, BPF_TCP_ESTABLISHED).received, 1000);
	fixture_act(&f, NODE_SERVER, ACTION_RESUME_READING, 0);
	ck_assert_int_eq(fixture_await(&f, NODE_SERVER, AGENT_CALL_READ)->result, 1000);
}
END_TEST

/* With SO_LINGER 0 a close resets the connection, and a peer that does not read learns of the reset
 * too. */
START_TEST(linger_zero_resets)
{
	const struct agent_report *report;

	fixture_set(&f, NODE_CLIENT, OPTION_LINGER, 0);
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_ECHO);
	if (_i)
		pause_server();
	fixture_act(&f, NODE_CLIENT, ACTION_CLOSE, 0);
	report = fixture_await(&f, NODE_SERVER, AGENT_CALL_READ);
	ck_assert_int_eq(report->error, ECONNRESET);
	ck_assert_str_eq(report->detail, _i ? "getsockopt(SO_ERROR)" : "");
	ck_assert(report->has_info);
	fixture_await(&f, NODE_SERVER, AGENT_CALL_CLOSE);
}
END_TEST

START_TEST(linger_blocks_close)
{
	struct side *client = &f.side[NODE_CLIENT];
	const struct agent_report *report;

	fixture_set(&f, NODE_CLIENT, OPTION_LINGER, NSEC_PER_SEC);
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_SINK);
	link_put_up(client->route_nl, "eth0", false);
	ck_assert_int_ge(nl_commit(client->route_nl, NULL), 0);
	fixture_act(&f, NODE_CLIENT, ACTION_SEND, 100);
	fixture_act(&f, NODE_CLIENT, ACTION_CLOSE, 0);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
	ck_assert_int_gt(report->time_nsec - report->start_nsec, 900 * NSEC_PER_MSEC);
}
END_TEST

/* While a close() lingers, the agent can make the next connection. */
START_TEST(linger_keeps_the_loop)
{
	const struct agent_report *report, *closed;

	fixture_set(&f, NODE_CLIENT, OPTION_LINGER, NSEC_PER_SEC);
	fixture_set(&f, NODE_SERVER, OPTION_PAUSED, 1);
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_SINK);
	fixture_act(&f, NODE_CLIENT, ACTION_SEND, 10 << 20);
	fixture_run_for(&f, 50 * NSEC_PER_MSEC);
	fixture_act(&f, NODE_CLIENT, ACTION_CLOSE, 0);
	fixture_act(&f, NODE_CLIENT, ACTION_CONNECT, 0);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_CONNECT);
	ck_assert_uint_eq(report->connection, 1);
	ck_assert_uint_eq(fixture_count(&f, NODE_CLIENT, AGENT_CALL_CLOSE), 0);
	closed = fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
	ck_assert_uint_eq(closed->connection, 0);
	ck_assert_int_gt(closed->time_nsec - closed->start_nsec, 900 * NSEC_PER_MSEC);
	ck_assert_int_lt(report->time_nsec, closed->time_nsec);
}
END_TEST

/* The counters of bytes can be read before the agent reports them, and after its death. */
START_TEST(bytes_are_counted)
{
	struct agent_counters client, server;

	fixture_set(&f, NODE_SERVER, OPTION_PAUSED, 1);
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_ECHO);
	fixture_act(&f, NODE_CLIENT, ACTION_SEND, 1000);
	await_queued(NODE_SERVER, 1000);
	server = agent_counters(f.side[NODE_SERVER].agent);
	ck_assert_uint_eq(server.bytes_read, 0);
	fixture_act(&f, NODE_SERVER, ACTION_RESUME_READING, 0);
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_READ);
	/* The client may have the answer before the server's write() has returned. */
	fixture_await(&f, NODE_SERVER, AGENT_CALL_WRITE);
	agent_kill(f.side[NODE_CLIENT].agent);
	client = agent_counters(f.side[NODE_CLIENT].agent);
	server = agent_counters(f.side[NODE_SERVER].agent);
	ck_assert_uint_eq(client.bytes_written, 1000);
	ck_assert_uint_eq(client.bytes_read, 1000);
	ck_assert_uint_eq(server.bytes_read, 1000);
	ck_assert_uint_eq(server.bytes_written, 1000);
}
END_TEST

START_TEST(no_descriptors)
{
	const struct agent_report *report;

	fixture_set(&f, NODE_SERVER, OPTION_DESCRIPTORS, 1);
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_ECHO);
	ck_assert_uint_eq(fixture_count(&f, NODE_SERVER, AGENT_CALL_ACCEPT), 1);
	for (int i = 1; i <= 2; i++) {
		fixture_act(&f, NODE_CLIENT, ACTION_CONNECT, 0);
		report = fixture_await(&f, NODE_SERVER, AGENT_CALL_ACCEPT);
		ck_assert_int_eq(report->error, EMFILE);
		if (i == 1) /* A connection that closes makes room for the next one. */
			fixture_act(&f, NODE_CLIENT, ACTION_CLOSE, 0);
		else
			fixture_act(&f, NODE_SERVER, ACTION_FREE_DESCRIPTORS, 0);
		report = fixture_await(&f, NODE_SERVER, AGENT_CALL_ACCEPT);
		ck_assert_int_eq(report->error, 0);
		ck_assert_uint_eq(report->connection, i);
	}
}
END_TEST

START_TEST(local_port)
{
	const struct agent_report *report;

	fixture_set(&f, NODE_CLIENT, OPTION_LOCAL_PORT, 40000);
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_SINK);
	ck_assert_uint_eq(f.side[NODE_SERVER].reports[1].peer_port, 40000);
	fixture_act(&f, NODE_CLIENT, ACTION_CONNECT, 40000);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_BIND);
	ck_assert_int_eq(report->error, EADDRINUSE);
	ck_assert_uint_eq(report->connection, 1);
	fixture_act(&f, NODE_CLIENT, ACTION_CONNECT, 0);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_CONNECT);
	ck_assert_int_eq(report->error, 0);
	ck_assert_uint_ne(report->local_port, 40000);
}
END_TEST

START_TEST(connect_refused)
{
	const struct agent_report *report;

	fixture_start(&f, NODE_CLIENT);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_CONNECT);
	ck_assert_int_eq(report->error, ECONNREFUSED);
	ck_assert(report->has_info);
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
	fixture_run_for(&f, 20 * NSEC_PER_MSEC);
	ck_assert(agent_running(f.side[NODE_CLIENT].agent));
}
END_TEST

START_TEST(close_on_eof_off)
{
	fixture_set(&f, NODE_SERVER, OPTION_CLOSE_ON_EOF, 0);
	fixture_start_pair(&f, WORKLOAD_IDLE, WORKLOAD_SINK);
	agent_kill(f.side[NODE_CLIENT].agent);
	ck_assert_int_eq(fixture_await(&f, NODE_SERVER, AGENT_CALL_READ)->result, 0);
	fixture_run_for(&f, 50 * NSEC_PER_MSEC);
	ck_assert_uint_eq(fixture_count(&f, NODE_SERVER, AGENT_CALL_CLOSE), 0);
	ck_assert_uint_eq(fixture_look(&f, NODE_SERVER, BPF_TCP_CLOSE_WAIT).count, 1);
}
END_TEST

START_TEST(address_in_use)
{
	struct scenario_agent options = f.side[NODE_SERVER].options;
	const struct agent_report *report;

	fixture_start(&f, NODE_SERVER);
	fixture_await(&f, NODE_SERVER, AGENT_CALL_LISTEN);
	f.side[NODE_CLIENT].spec = f.side[NODE_SERVER].spec; /* It is a second server. */
	f.side[NODE_CLIENT].spec.options = &options;
	fixture_start(&f, NODE_CLIENT);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_BIND);
	ck_assert_int_eq(report->error, EADDRINUSE);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT);
	ck_assert_int_eq(report->result, 1 << 8);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__)
/* Agents that share this process's memory work as others do, and may be killed at any moment: when
 * they allocate, too. (The address sanitizer has a state for each thread, which they would share.)
 */
START_TEST(share_memory)
{
	agent_share_memory();
	fixture_set(&f, NODE_CLIENT, OPTION_INTERVAL, 0);
	fixture_set(&f, NODE_SERVER, OPTION_REUSE_ADDRESS, 1);
	for (int i = 0; i < 100; i++) {
		for (enum node_id j = 0; j < FIXTURE_SIDES; j++)
			f.side[j].n_reports = f.side[j].n_seen = 0;
		fixture_start_pair(&f, WORKLOAD_STREAM, WORKLOAD_ECHO);
		fixture_await(&f, NODE_CLIENT, AGENT_CALL_READ);
		for (int j = 0; j < i % 8; j++)
			fixture_act(&f, NODE_CLIENT, ACTION_CONNECT, 0);
		agent_kill(f.side[NODE_SERVER].agent);
		free(malloc((size_t)i * 100));
		ck_assert(!agent_running(f.side[NODE_SERVER].agent));
		ck_assert(agent_running(f.side[NODE_CLIENT].agent));
		ck_assert_uint_gt(agent_counters(f.side[NODE_CLIENT].agent).bytes_read, 0);
		/* It may have been killed before it counted what it has written. */
		ck_assert_uint_gt(agent_counters(f.side[NODE_SERVER].agent).bytes_read, 0);
		fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
		agent_kill(f.side[NODE_CLIENT].agent);
	}
}
END_TEST

/* The results of a call that fails are the agent's own: another one's errno does not get there. */
START_TEST(shared_memory_has_own_errno)
{
	agent_share_memory();
	for (int i = 0; i < 100; i++) {
		fixture_start(&f, NODE_CLIENT);
		errno = ENOTTY;
		ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_CONNECT)->error,
				 ECONNREFUSED);
		agent_kill(f.side[NODE_CLIENT].agent);
	}
}
END_TEST
#endif

START_TEST(many_connections)
{
	enum { COUNT = 4096 };

	fixture_set(&f, NODE_SERVER, OPTION_WORKLOAD, WORKLOAD_ECHO);
	fixture_set(&f, NODE_CLIENT, OPTION_AUTOCONNECT, 0);
	fixture_start(&f, NODE_SERVER);
	fixture_await(&f, NODE_SERVER, AGENT_CALL_LISTEN);
	fixture_start(&f, NODE_CLIENT);
	for (int i = 0; i < COUNT; i++) {
		fixture_act(&f, NODE_CLIENT, ACTION_CONNECT, 0);
		if (i % 64 == 63)
			for (int j = 0; j < 64; j++)
				ck_assert_int_eq(
					fixture_await(&f, NODE_CLIENT, AGENT_CALL_CONNECT)->error,
					0);
	}
	for (int i = 0; i < COUNT; i++)
		fixture_await(&f, NODE_SERVER, AGENT_CALL_ACCEPT);
	fixture_act(&f, NODE_CLIENT, ACTION_SEND, 10);
	ck_assert_int_eq(fixture_await(&f, NODE_CLIENT, AGENT_CALL_READ)->result, 10);
	agent_kill(f.side[NODE_SERVER].agent);
	ck_assert_uint_eq(fixture_look(&f, NODE_SERVER, BPF_TCP_LISTEN).count, 0);
	ck_assert_uint_eq(fixture_look(&f, NODE_SERVER, BPF_TCP_ESTABLISHED).count, 0);
	for (int i = 0; i < COUNT; i++)
		fixture_await(&f, NODE_CLIENT, AGENT_CALL_CLOSE);
}
END_TEST

int main(void)
{
	TCase *test_case = tcase_create("agent");
	Suite *suite = suite_create("agent");
	SRunner *runner = srunner_create(suite);
	int failed;

	fixture_require();
	tcase_set_timeout(test_case, 60);
	tcase_add_checked_fixture(test_case, setup, teardown);
	tcase_add_loop_test(test_case, workload_then_crash, 0, ARRAY_SIZE(pairs));
	tcase_add_test(test_case, ipv6);
	tcase_add_test(test_case, echo_keeps_up);
	tcase_add_test(test_case, no_accept);
	tcase_add_test(test_case, heartbeat_gives_up);
	tcase_add_test(test_case, freeze_and_thaw);
	tcase_add_test(test_case, actions);
	tcase_add_test(test_case, pause_reading);
	tcase_add_loop_test(test_case, linger_zero_resets, 0, 2);
	tcase_add_test(test_case, linger_blocks_close);
	tcase_add_test(test_case, linger_keeps_the_loop);
	tcase_add_test(test_case, bytes_are_counted);
	tcase_add_test(test_case, no_descriptors);
	tcase_add_test(test_case, local_port);
	tcase_add_test(test_case, connect_refused);
	tcase_add_test(test_case, close_on_eof_off);
	tcase_add_test(test_case, address_in_use);
#if !defined(__SANITIZE_ADDRESS__)
	tcase_add_test(test_case, share_memory);
	tcase_add_test(test_case, shared_memory_has_own_errno);
#endif
	tcase_add_test(test_case, many_connections);
	suite_add_tcase(suite, test_case);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
