/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of scenarios with more than client and server: hosts with names, their programs, and the
 * connections between them that are followed. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "src/scenario/option.h"
#include "src/scenario/scenario.h"
#include "tests/unit/scenario-text.h"
#include "tests/unit/suite.h"

static const char *error_of(const char *text)
{
	struct scenario_request request = { 0 };
	static struct error err;
	struct scenario_list list = { 0 };

	err = (struct error){ 0 };
	ck_assert_int_lt(scenario_parse("test.yaml", text, strlen(text), &request, &list, &err), 0);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	return err.text;
}

static const char network[] =
	"name: t\nsummary: s\n"
	"hosts:\n"
	"  proxy:\n"
	"    port: 8080\n"
	"    net.ipv4.tcp_retries2: 7\n"
	"    programs:\n"
	"      - {run: [sh, -c, 'true'], ready: finished}\n"
	"      - {run: [sh], name: main, files: {a/b.cf: \"x\\n\"}, ready: {output: ready}}\n"
	"      - {run: [sh], ready: {command: ['true', x]}}\n"
	"  other: {workload: request, to: proxy, interval: 2s}\n"
	"  empty: {}\n"
	"client.to: proxy\n"
	"timeline:\n"
	"  - {at: 1s, fault: crash, node: proxy, program: main}\n"
	"  - {at: 2s, fault: blackhole, from: server, to: proxy}\n"
	"  - {at: 3s, fault: drop, between: [proxy, client], count: 3}\n"
	"  - {at: 4s, heal: blackhole}\n"
	"  - {at: 4s, action: start, node: proxy, program: sh-2}\n"
	"horizon: 9s\n";

START_TEST(hosts_are_named)
{
	_cleanup_(scenario_freep) struct scenario *s = load(network);
	const struct scenario_agent *proxy;
	enum node_id id;

	ck_assert_uint_eq(s->n_hosts, 5);
	ck_assert_str_eq(scenario_node_name(s, NODE_SERVER + 2), "other");
	id = (enum node_id)scenario_find_node(s, "proxy", strlen("proxy"));
	proxy = &s->agent[id];
	ck_assert_uint_eq(proxy->n_programs, 3);
	ck_assert_str_eq(proxy->programs[0].name, "sh");
	ck_assert_int_eq(proxy->programs[0].ready.kind, READY_FINISHED);
	ck_assert_str_eq(proxy->programs[1].name, "main");
	ck_assert_str_eq(proxy->programs[1].files[0].name, "a/b.cf");
	ck_assert_str_eq(proxy->programs[1].files[0].text, "x\n");
	ck_assert_str_eq(proxy->programs[1].ready.output, "ready");
	ck_assert_str_eq(proxy->programs[2].name, "sh-2");
	ck_assert_str_eq(proxy->programs[2].ready.command[1], "x");
	ck_assert_str_eq(scenario_sysctl(s, id, "net.ipv4.tcp_retries2"), "7");
	ck_assert_uint_eq(s->agent[NODE_CLIENT].to, id);
	ck_assert(scenario_connects(s, NODE_SERVER + 2));
	ck_assert(!scenario_connects(s, id));
	ck_assert_uint_eq(scenario_n_programs(s, NODE_SERVER + 3), 0);
	ck_assert_uint_eq(s->events[0].program_index, 1);
	ck_assert_int_eq(s->events[1].direction, DIRECTION_FORWARD);
	ck_assert_uint_eq(s->events[1].pair[0], NODE_SERVER);
	ck_assert_uint_eq(s->events[1].pair[1], id);
	ck_assert_int_eq(s->events[2].direction, DIRECTION_BOTH);
	ck_assert_uint_eq(s->events[2].pair[0], NODE_CLIENT);
	ck_assert_uint_eq(s->events[3].ends, 1);
	ck_assert_uint_eq(s->events[4].program_index, 2);
}
END_TEST

static const char chain[] =
	HEAD "hosts:\n"
	     "  proxy: {port: 8080, command: {run: [sh], pass: [HOME, A]}}\n"
	     "  standby: {workload: echo, port: 7000}\n"
	     "follow:\n"
	     "  - {name: front, from: client, to: proxy}\n"
	     "  - {name: back, from: proxy, to: server, port: 5432, number: last}\n"
	     "  - {name: other, from: proxy, to: standby, number: 2, late: true}\n"
	     "timeline: [{at: 1s, fault: power-loss, node: server}]\n"
	     "until: 30s\n"
	     "expect:\n"
	     "  back.proxy: {outcome: timed-out}\n"
	     "  front.client: {recovered: {after: 1s, before: 2s}}\n"
	     "  other.standby: {recovered: never}\n";

START_TEST(connections_are_followed)
{
	_cleanup_(scenario_freep) struct scenario *s = load(chain);
	char name[SCENARIO_END_NAME_SIZE];
	enum node_id proxy = NODE_SERVER + 1;

	ck_assert_uint_eq(s->n_ends, 6);
	ck_assert_str_eq(scenario_end_name(s, 2, name, sizeof(name)), "back.proxy");
	ck_assert_str_eq(scenario_end_name(s, 5, name, sizeof(name)), "other.standby");
	ck_assert_uint_eq(scenario_end_node(s, 1), proxy);
	ck_assert_uint_eq(scenario_end_node(s, 3), NODE_SERVER);
	ck_assert_uint_eq(s->connections[0].number, 1);
	ck_assert_uint_eq(s->connections[1].port, 5432);
	ck_assert_uint_eq(s->connections[1].number, SCENARIO_FOLLOW_LAST);
	ck_assert_uint_eq(s->connections[2].number, 2);
	ck_assert(s->connections[2].late && !s->connections[1].late);
	ck_assert_int_eq(s->until_nsec, 30 * NSEC_PER_SEC);
	ck_assert(s->expect[FAMILY_IPV4][2].present && !s->expect[FAMILY_IPV4][3].present);
	ck_assert_int_eq(s->expect[FAMILY_IPV6][0].recovered_before.time_nsec, 2 * NSEC_PER_SEC);
	ck_assert(s->expect[FAMILY_IPV4][5].recovered_never);
	ck_assert_str_eq(s->agent[proxy].programs[0].pass[1], "A");
	ck_assert_int_eq(scenario_find_end(s, "front.proxy"), 1);
	ck_assert_int_eq(scenario_find_end(s, "client"), -1);
	ck_assert_int_eq(scenario_asked_end(s, "front.proxy"), 1);
	ck_assert_int_eq(scenario_asked_end(s, "front-1.proxy"), -1);
	s->connections[0].number = SCENARIO_FOLLOW_ALL;
	ck_assert_int_eq(scenario_asked_end(s, "front-16.proxy"), 1);
	ck_assert_int_eq(scenario_asked_end(s, "front-17.proxy"), -1);
	ck_assert_int_eq(scenario_asked_end(s, "front.proxy"), -1);
}
END_TEST

static const struct {
	const char *rest, *error;
} bad_hosts[] = {
	{ "hosts: [a]", "'hosts' must be a map" },
	{ "hosts: {Proxy: {}}", "'Proxy' is not the name of a host" },
	{ "hosts: {a-very-long-name: {}}", "is not the name of a host" },
	{ "hosts: {router: {}}", "the router is not among the hosts" },
	{ "hosts: {keepalive: {}}", "a host cannot be called 'keepalive'" },
	{ "hosts: {expect: {}}", "a host cannot be called 'expect'" },
	{ "hosts: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}, h: {}, i: {}}",
	  "more than 10 hosts" },
	{ "hosts: {a: {}}\npath: direct", "a direct path is one cable" },
	{ "hosts: {a: {interval: 1s}}", "nothing runs on the a; give it a workload" },
	{ "hosts: {a: {workload: echo, local_port: 9}}", "a.local_port is an option of a client" },
	{ "hosts: {a: {workload: idle, to: b}}", "there is no host 'b'" },
	{ "hosts: {a: {workload: idle, to: a}}", "the a cannot connect to itself" },
	{ "hosts: {a: {workload: idle, to: router}}", "the a cannot connect to the router" },
	{ "server.to: client", "the server does not connect" },
	{ "hosts: {a: {command: [sh], to: server}}", "a.to is for built-in agents" },
	{ "hosts: {a: {command: [sh], workload: echo}}", "the a has both" },
	{ "hosts: {a: {programs: []}}", "a host has 1 to 8 programs" },
	{ "hosts: {a: {programs: [{run: [sh], name: x}, {run: [sh], name: x}]}}",
	  "two programs of one host are called 'x'" },
	{ "hosts: {a: {programs: [{run: [sh], files: {../x: y}}]}}", "is no file in the working" },
	{ "hosts: {a: {programs: [{run: [sh], files: {/x: y}}]}}", "is no file in the working" },
	{ "hosts: {a: {programs: [{run: [sh], ready: soon}]}}",
	  "ready: 'soon' is none of started, finished, {port: N}" },
	{ "hosts: {a: {programs: [{run: [sh], ready: {port: 0}}]}}", "port: 0 is out of range" },
	{ "timeline: [{at: 1s, fault: blackhole, from: client}]", "'from' and 'to' go together" },
	{ "timeline: [{at: 1s, fault: blackhole, between: [client, client]}]",
	  "a path leads from one host to another" },
	{ "timeline: [{at: 1s, fault: blackhole, between: [client, router]}]",
	  "the router is between the hosts" },
	{ "timeline: [{at: 1s, fault: blackhole, between: [client]}]", "write two hosts" },
	{ "hosts: {a: {}}\ntimeline: [{at: 1s, fault: crash, node: a}]", "nothing runs on the a" },
	{ "hosts: {a: {command: [sh]}}\ntimeline: [{at: 1s, fault: crash, node: a, program: x}]",
	  "no program of the a is called 'x'" },
	{ "timeline: [{at: 1s, fault: crash, node: b}]",
	  "there is no node 'b'; the nodes are client, server and router" },
	{ "follow: []", "'follow' has no entries" },
	{ "follow: [{name: a, from: client}]", "a connection to follow needs 'to'" },
	{ "follow: [{from: client, to: server}]", "a connection to follow needs 'name'" },
	{ "follow: [{name: a, from: client, to: router}]", "there is no host 'router'" },
	{ "follow: [{name: a, from: client, to: x}]", "there is no host 'x'" },
	{ "follow: [{name: a, from: client, to: client}]", "'a' would stay on its host" },
	{ "follow: [{name: a, from: client, to: server}, {name: a, from: server, to: client}]",
	  "'a' is the connection of line" },
	{ "follow: [{name: a, from: client, to: server, port: 0}]", "port: '0' is no number" },
	{ "follow: [{name: a, from: client, to: server, port: 65536}]", "is no number from 1" },
	{ "follow: [{name: a, from: client, to: server, number: none}]", "is none of first, last" },
	{ "follow: [{name: a, from: client, to: server, late: maybe}]", "neither true nor false" },
	{ "follow: [{name: a, from: client, to: server, late: true}]", "the first connection is" },
	{ "follow: [{name: a, from: client, to: server, number: all, late: true}]",
	  "none of them can be late" },
	{ "follow: [{name: a, from: client, to: server, number: all}, {name: a-2, from: client, "
	  "to: "
	  "server}]",
	  "'a-2' is what one of all 'a' is called" },
	{ "follow: all\nclient: {connections: 2, workload: idle}",
	  "those of 'client.connections' are told of as a whole" },
	{ "follow: [{name: a, from: client, to: server, ports: 1}]", "follow has no key 'ports'" },
	{ "follow: [{name: a, from: client, to: server}]\nexpect: {client: {outcome: reset}}",
	  "expect: there is no end 'client'" },
	{ "until: 11s\ntimeline: [{at: 1s, fault: blackhole}]", "is later than the horizon" },
	{ "expect: {client: {recovered: soon}}", "'recovered' is 'never', or" },
	{ "hosts: {a: {command: {run: [sh], pass: [A=1]}}}", "'A=1' is no name of a variable" },
};

START_TEST(bad_hosts_are_refused)
{
	char text[1024];
	const char *error;

	snprintf(text, sizeof(text), "name: t\nsummary: s\nhorizon: 10s\n%s\n", bad_hosts[_i].rest);
	error = error_of(text);
	ck_assert_msg(strstr(error, bad_hosts[_i].error), "%s", error);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, hosts_are_named);
	tcase_add_test(tc, connections_are_followed);
	tcase_add_loop_test(tc, bad_hosts_are_refused, 0, ARRAY_SIZE(bad_hosts));
}

int main(void)
{
	return suite_main("hosts", add_tests);
}
