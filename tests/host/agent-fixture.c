/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixture of the tests of agents: namespaces, a loop, and the reports of both agents. */
#include "tests/host/agent-fixture.h"

#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns/link.h"
#include "netns/route.h"
#include "netns/sockdiag.h"

static bool write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	bool written = file && fputs(text, file) >= 0;

	return file && fclose(file) == 0 && written;
}

/* Makes an ordinary user the root of a new user namespace. With TEST_ROOTLESS in the environment
 * the caller's root becomes an ordinary user first. */
static void become_root(void)
{
	unsigned int gid;
	char map[64];

	if (getenv("TEST_ROOTLESS") && geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
	     setresuid(65534, 65534, 65534) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0))
		return;
	gid = getegid();
	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	if (geteuid() == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return;
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_text("/proc/self/gid_map", map);
}

void fixture_require(void)
{
	const char *must = getenv("TESTS_MUST_RUN");
	struct netns *ns = NULL;
	struct error err = { 0 };

	become_root();
	if (netns_new(&ns, &err) < 0) {
		fprintf(stderr, "skipped: %s\n", err.text);
		exit(must && !strcmp(must, "1") ? 1 : 77);
	}
	netns_free(ns);
}

static void ok(int rc, const struct error *err)
{
	ck_assert_msg(rc >= 0, "%s", err->text);
}

static void set_address(struct side *side, const char *name, const char *text, struct ip *ret_ip)
{
	struct error err = { 0 };
	struct link_state link;

	ok(ip_parse(text, ret_ip, &err), &err);
	ok(link_get(side->route_nl, name, &link, &err), &err);
	route_put_address(side->route_nl, link.ifindex, ret_ip);
	link_put_up(side->route_nl, name, true);
	link_put_up(side->route_nl, "lo", true);
	ok(nl_commit(side->route_nl, &err), &err);
}

static void on_timer(void *userdata)
{
	struct fixture *fixture = userdata;

	loop_quit(fixture->loop);
}

void fixture_setup(struct fixture *fixture)
{
	struct side *client = &fixture->side[NODE_CLIENT], *server = &fixture->side[NODE_SERVER];
	struct error err = { 0 };

	*fixture = (struct fixture){ 0 };
	ok(loop_new(&fixture->loop, &err), &err);
	ok(loop_timer_new(fixture->loop, on_timer, fixture, &fixture->timer, &err), &err);
	for (enum node_id i = 0; i < FIXTURE_SIDES; i++) {
		struct side *side = &fixture->side[i];

		side->fixture = fixture;
		side->reports = calloc(FIXTURE_REPORTS_MAX, sizeof(*side->reports));
		for (enum option j = 0; j < _OPTION_MAX; j++)
			side->options.option[j] = OPTION_UNSET;
		ok(netns_new(&side->ns, &err), &err);
		ok(nl_new(side->ns, NETLINK_ROUTE, &side->route_nl, &err), &err);
		side->spec = (struct agent_spec){ .connects = i == NODE_CLIENT,
						  .family = FAMILY_IPV4,
						  .options = &side->options,
						  .port = FIXTURE_PORT,
						  .ns = side->ns };
	}
	link_put_veth(client->route_nl, &(struct link_end){ .name = "eth0", .ns = client->ns },
		      &(struct link_end){ .name = "eth0", .ns = server->ns }, 0);
	ok(nl_commit(client->route_nl, &err), &err);
	set_address(client, "eth0", "10.77.0.1/24", &client->spec.local);
	set_address(server, "eth0", "10.77.0.2/24", &server->spec.local);
	client->spec.peer = server->spec.local;
	server->spec.peer = client->spec.local;
	for (enum node_id i = 0; i < FIXTURE_SIDES; i++) {
		struct side *side = &fixture->side[i];

		snprintf(side->spec.name, sizeof(side->spec.name), "%s", node_name(i));
		fixture->hosts[i] = (struct agent_host){ node_name(i), side->spec.local };
		side->spec.hosts = fixture->hosts;
		side->spec.n_hosts = FIXTURE_SIDES;
	}
}

void fixture_teardown(struct fixture *fixture)
{
	for (enum node_id i = 0; i < FIXTURE_SIDES; i++) {
		agent_free(fixture->side[i].agent);
		nl_free(fixture->side[i].route_nl);
		netns_free(fixture->side[i].ns);
		free(fixture->side[i].reports);
	}
	loop_timer_free(fixture->timer);
	loop_free(fixture->loop);
}

static void on_report(struct agent *agent, const struct agent_report *report, void *userdata)
{
	struct side *side = userdata;
	struct fixture *fixture = side->fixture;

	ck_assert_ptr_eq(agent, side->agent);
	ck_assert_uint_lt(side->n_reports, FIXTURE_REPORTS_MAX);
	ck_assert_int_ge(report->time_nsec, report->start_nsec);
	side->reports[side->n_reports++] = *report;
	if (fixture->waiting == side && fixture->call == report->call)
		loop_quit(fixture->loop);
}

void fixture_start(struct fixture *fixture, enum node_id node)
{
	struct side *side = &fixture->side[node];
	struct agent *standby = NULL;
	struct error err = { 0 };

	side->agent = agent_free(side->agent);
	if (fixture->stand_by)
		ok(agent_stand_by(side->ns, &standby, &err), &err);
	ok(agent_start(fixture->loop, &side->spec, standby, on_report, side, &side->agent, &err),
	   &err);
}

static const struct agent_report *next_report(struct side *side, enum agent_call call)
{
	for (size_t i = side->n_seen; i < side->n_reports; i++) {
		if (side->reports[i].call != call)
			continue;
		side->n_seen = i + 1;
		return &side->reports[i];
	}
	return NULL;
}

const struct agent_report *fixture_await(struct fixture *fixture, enum node_id node,
					 enum agent_call call)
{
	struct side *side = &fixture->side[node];
	const struct agent_report *report = next_report(side, call);

	if (!report) {
		fixture->waiting = side;
		fixture->call = call;
		fixture_run_for(fixture, 10 * NSEC_PER_SEC);
		fixture->waiting = NULL;
		report = next_report(side, call);
	}
	ck_assert_msg(report, "%s: no %s; %zu reports, the last: %s", node_name(node),
		      call_name(call), side->n_reports,
		      side->n_reports ? call_name(side->reports[side->n_reports - 1].call) : "-");
	return report;
}

size_t fixture_count(const struct fixture *fixture, enum node_id node, enum agent_call call)
{
	const struct side *side = &fixture->side[node];
	size_t count = 0;

	for (size_t i = 0; i < side->n_reports; i++)
		count += side->reports[i].call == call;
	return count;
}

void fixture_run_for(struct fixture *fixture, nsec_t span_nsec)
{
	struct error err = { 0 };

	loop_timer_set(fixture->timer, nsec_now() + span_nsec);
	ok(loop_run(fixture->loop, &err), &err);
	loop_timer_set(fixture->timer, NSEC_NEVER);
}

void fixture_start_pair(struct fixture *fixture, enum workload client, enum workload server)
{
	fixture->side[NODE_CLIENT].options.option[OPTION_WORKLOAD] = client;
	fixture->side[NODE_SERVER].options.option[OPTION_WORKLOAD] = server;
	fixture_start(fixture, NODE_SERVER);
	ck_assert_int_eq(fixture_await(fixture, NODE_SERVER, AGENT_CALL_LISTEN)->error, 0);
	fixture_start(fixture, NODE_CLIENT);
	ck_assert_int_eq(fixture_await(fixture, NODE_CLIENT, AGENT_CALL_CONNECT)->error, 0);
	if (server != WORKLOAD_NO_ACCEPT)
		ck_assert_int_eq(fixture_await(fixture, NODE_SERVER, AGENT_CALL_ACCEPT)->error, 0);
}

void fixture_act(struct fixture *fixture, enum node_id node, enum action action, uint64_t size)
{
	struct error err = { 0 };

	ok(agent_act(fixture->side[node].agent, action, size, &err), &err);
}

void fixture_set(struct fixture *fixture, enum node_id node, enum option option, int64_t value)
{
	fixture->side[node].options.option[option] = value;
}

static int add_queue(const struct sockdiag_socket *socket, void *userdata)
{
	struct fixture_queues *queues = userdata;

	queues->count++;
	queues->received += socket->receive_queue;
	if (socket->has_info)
		queues->ever += socket->info.tcpi_bytes_received;
	return 0;
}

struct fixture_queues fixture_look(const struct fixture *fixture, enum node_id node, int state)
{
	_cleanup_(nl_freep) struct nl *nl = NULL;
	struct fixture_queues queues = { 0 };
	struct error err = { 0 };

	ok(nl_new(fixture->side[node].ns, NETLINK_SOCK_DIAG, &nl, &err), &err);
	ok(sockdiag_dump(nl, AF_INET, 1u << state, add_queue, &queues, &err), &err);
	return queues;
}

bool process_alive(pid_t pid)
{
	char path[64], state = 'X';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	fclose(file);
	return state != 'X' && state != 'Z';
}

size_t process_descendants(pid_t pid, pid_t *ret_pids, size_t max)
{
	char path[64];
	size_t count = 0;
	FILE *file;
	pid_t child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "re");
	while (file && count < max && fscanf(file, "%d", &child) == 1) {
		ret_pids[count++] = child;
		count += process_descendants(child, ret_pids + count, max - count);
	}
	if (file)
		fclose(file);
	return count;
}
