/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests look at the sockets of built-in agents: whether they have the options that were asked
 * for. */
#include <errno.h>
#include <linux/bpf.h> /* It has the TCP states. netinet/tcp.h and linux/tcp.h exclude each other. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/scenario/option.h"
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

START_TEST(refused_option_is_named)
{
	const struct agent_report *report;

	fixture_set(&f, NODE_CLIENT, OPTION_KEEPALIVE_IDLE, 0);
	fixture_start(&f, NODE_CLIENT);
	report = fixture_await(&f, NODE_CLIENT, AGENT_CALL_SOCKET);
	ck_assert_int_eq(report->error, EINVAL);
	ck_assert_str_eq(report->detail, "setsockopt(TCP_KEEPIDLE)");
	fixture_await(&f, NODE_CLIENT, AGENT_CALL_EXIT);
}
END_TEST

static const struct {
	enum option option;
	int64_t value;
	int expect;
} options[] = {
	{ OPTION_KEEPALIVE, 1, 1 },
	{ OPTION_KEEPALIVE_IDLE, 77 * NSEC_PER_SEC, 77 },
	{ OPTION_KEEPALIVE_INTERVAL, 11 * NSEC_PER_SEC, 11 },
	{ OPTION_KEEPALIVE_COUNT, 4, 4 },
	{ OPTION_USER_TIMEOUT, 1234 * NSEC_PER_MSEC, 1234 },
	{ OPTION_SYN_COUNT, 2, 2 },
	{ OPTION_REUSE_ADDRESS, 1, 1 },
	{ OPTION_NODELAY, 1, 1 },
	{ OPTION_SEND_BUFFER, 30000, 60000 },
	{ OPTION_RECEIVE_BUFFER, 20000, 40000 },
	{ OPTION_LINGER, 3 * NSEC_PER_SEC, 1 },	      /* This is l_onoff. */
	{ OPTION_DEFER_ACCEPT, 5 * NSEC_PER_SEC, 7 }, /* The kernel rounds it up. */
};

/* Returns a descriptor of the process's socket with `cookie`, or of its listener if that is 0. */
static int borrow(pid_t pid, uint64_t cookie)
{
	_cleanup_(fd_closep) int pidfd = pidfd_open(pid, 0);

	for (int i = 0; i < 64; i++) {
		_cleanup_(fd_closep) int fd = pidfd_getfd(pidfd, i, 0);
		int listens = 0;
		uint64_t got = 0;
		socklen_t size = sizeof(got), int_size = sizeof(listens);

		if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &got, &size) < 0)
			continue;
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size);
		if (cookie ? got == cookie : listens)
			return take_fd(&fd);
	}
	return -1;
}

static void check_options(int fd, enum node_id node)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option_definition *definition = &option_definitions[options[i].option];
		int got[2] = { -1, -1 };
		socklen_t size = sizeof(got);

		if (f.side[node].options.option[options[i].option] == OPTION_UNSET)
			continue;
		ck_assert_int_eq(getsockopt(fd, definition->level, definition->name, got, &size),
				 0);
		ck_assert_msg(got[0] == options[i].expect, "%s: %d, not %d", definition->key,
			      got[0], options[i].expect);
		if (definition->name == SO_LINGER)
			ck_assert_int_eq(got[1], 3);
	}
}

START_TEST(every_socket_option)
{
	_cleanup_(fd_closep) int client = -1, server = -1, listener = -1;
	char line[512], all[4096] = "";
	struct error err = { 0 };
	FILE *ss;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		for (enum node_id j = 0; j < FIXTURE_SIDES; j++)
			if (options[i].option != OPTION_DEFER_ACCEPT || j == NODE_SERVER)
				fixture_set(&f, j, options[i].option, options[i].value);
	fixture_set(&f, NODE_SERVER, OPTION_BACKLOG, 5);
	fixture_start_pair(&f, WORKLOAD_REQUEST, WORKLOAD_ECHO);
	listener = borrow(agent_pid(f.side[NODE_SERVER].agent), 0);
	client =
		borrow(agent_pid(f.side[NODE_CLIENT].agent), f.side[NODE_CLIENT].reports[0].cookie);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_ge(client, 0);
	check_options(client, NODE_CLIENT);
	check_options(listener, NODE_SERVER);
	server =
		borrow(agent_pid(f.side[NODE_SERVER].agent), f.side[NODE_SERVER].reports[1].cookie);
	ck_assert_int_ge(server, 0);
	fixture_set(&f, NODE_SERVER, OPTION_DEFER_ACCEPT, OPTION_UNSET);
	check_options(server, NODE_SERVER);

	/* Keepalive runs when the answer to a request has come. */
	for (int i = 0; i < 50 && !strstr(all, "timer:(keepalive,1min1"); i++) {
		fixture_run_for(&f, 50 * NSEC_PER_MSEC);
		ck_assert_int_ge(netns_enter(f.side[NODE_CLIENT].ns, &err), 0);
		ss = popen("ss -Htnoiem state established", "re");
		netns_leave(f.side[NODE_CLIENT].ns);
		ck_assert_ptr_nonnull(ss);
		all[0] = 0;
		while (fgets(line, sizeof(line), ss))
			strncat(all, line, sizeof(all) - strlen(all) - 1);
		pclose(ss);
	}
	ck_assert_msg(strstr(all, "timer:(keepalive,1min1"), "%s", all);
	ck_assert_msg(strstr(all, "tb60000") && strstr(all, "rb40000"), "%s", all);
	ck_assert_uint_eq(fixture_look(&f, NODE_SERVER, BPF_TCP_LISTEN).count, 1);
}
END_TEST

int main(void)
{
	TCase *test_case = tcase_create("agent-options");
	Suite *suite = suite_create("agent-options");
	SRunner *runner = srunner_create(suite);
	int failed;

	fixture_require();
	tcase_set_timeout(test_case, 60);
	tcase_add_checked_fixture(test_case, setup, teardown);
	tcase_add_test(test_case, refused_option_is_named);
	tcase_add_test(test_case, every_socket_option);
	suite_add_tcase(suite, test_case);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
