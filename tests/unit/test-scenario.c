/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of scenario texts: what is read, which layer overrides which, and the message for each
 * wrong text. */
#include <check.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#include "src/scenario/option.h"
#include "src/scenario/scenario.h"
#include "src/tcp/state.h"
#include "tests/unit/suite.h"

#define SECOND NSEC_PER_SEC

/* Makes a scenario of a text and of changes; the test fails where that fails. */
static struct scenario *parse(struct scenario_list *list, const char *text, bool quick,
			      const char *const *set, size_t n_set)
{
	struct scenario_request request = { .quick = quick, .set = set, .n_set = n_set };
	struct error err = { 0 };

	ck_assert_msg(scenario_parse("test.yaml", text, strlen(text), &request, list, &err) == 0,
		      "%s", err.text);
	return list->items[0];
}

/* The text of the error that `text` gives with one --set. */
static const char *parse_error(const char *text, const char *set)
{
	struct scenario_request request = { .set = &set, .n_set = set ? 1 : 0 };
	static struct error err;
	struct scenario_list list = { 0 };

	err = (struct error){ 0 };
	ck_assert_int_lt(scenario_parse("test.yaml", text, strlen(text), &request, &list, &err), 0);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	ck_assert_uint_eq(list.count, 0);
	return err.text;
}

static const char base[] =
	"# SPDX-License-Identifier: GPL-2.0-or-later\n"
	"# What happens.\n"
	"#\n"
	"#  Indented.\n"
	"id: E99\n"
	"name: test\n"
	"summary: A test\n"
	"path: {kind: switched, delay: 10ms, loss: 0.5%, rate: 10mbit}\n"
	"client:\n"
	"  workload: stream\n"
	"  interval: 10ms\n"
	"  keepalive: {enabled: true, idle: 7200s, count: 9}\n"
	"  sysctl: {net.ipv4.tcp_retries2: 15, net.ipv4.a: 4096 16384 4194304}\n"
	"server.workload: echo\n"
	"router: {sysctl: {net.ipv4.ip_forward: 1}}\n"
	"timeline:\n"
	"  - {at: 1s, fault: drop, direction: client-to-server, flags: \"SYN,!ACK\",\n"
	"     payload: true, count: 3}\n"
	"  - {at: 2s, fault: reboot, node: server, downtime: 2s, mac: new, "
	"service: none}\n"
	"  - {at: 5s, action: send, node: client, size: 4KiB}\n"
	"  - {at: 6s, fault: interface-down, node: router, side: server}\n"
	"  - {at: 7s, heal: interface-down}\n"
	"horizon: 20min\n"
	"quick:\n"
	"  client.net.ipv4.tcp_retries2: 3\n"
	"  horizon: 15s\n"
	"expect:\n"
	"  client:\n"
	"    outcome: [timed-out, reset]\n"
	"    error: {ipv4: ETIMEDOUT, ipv6: [none, EACCES]}\n"
	"    mechanism: retransmission\n"
	"    after: predicted\n"
	"    before: 30s\n"
	"    states: [CLOSE_WAIT, CLOSE]\n"
	"    packets: [\"[S.]\", \"!<[F.]\"]\n"
	"    calls: [connect, write 4, \"!close\", {call: read ECONNRESET, connection: 1,\n"
	"     after: 1s, before: 2s, took: {after: 3ms, before: 4ms}}]\n"
	"    read: 1KiB\n"
	"    written: {ipv4: {at_least: 5}, ipv6: {at_least: 6, at_most: 7}}\n";

START_TEST(a_byte_order_mark_is_skipped)
{
	struct scenario_list list = { 0 };

	parse(&list,
	      "\xef\xbb\xbf"
	      "name: x\nsummary: s\nhorizon: 1s\n",
	      false, NULL, 0);
	ck_assert_str_eq(list.items[0]->name, "x");
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(every_part_is_read)
{
	struct scenario_list list = { 0 };
	struct scenario *s = parse(&list, base, false, NULL, 0);
	const struct scenario_agent *client = &s->agent[NODE_CLIENT];

	ck_assert_str_eq(s->file, "test.yaml");
	ck_assert_str_eq(s->id, "E99");
	ck_assert_str_eq(s->name, "test");
	ck_assert_str_eq(s->summary, "A test");
	ck_assert_str_eq(s->explanation, "What happens.\n\n Indented.");
	ck_assert_ptr_null(s->variant);
	ck_assert(s->has_quick && !s->quick);
	ck_assert_int_eq(s->path.kind, PATH_SWITCHED);
	ck_assert(s->path.has_netem);
	ck_assert_int_eq(s->path.netem.delay_nsec, 10 * NSEC_PER_MSEC);
	ck_assert_double_eq_tol(s->path.netem.loss, 0.005, 1e-9);
	ck_assert_uint_eq(s->path.netem.rate_bps, 10000000);
	ck_assert_int_eq(client->option[OPTION_WORKLOAD], WORKLOAD_STREAM);
	ck_assert_int_eq(client->option[OPTION_INTERVAL], 10 * NSEC_PER_MSEC);
	ck_assert_int_eq(client->option[OPTION_KEEPALIVE], 1);
	ck_assert_int_eq(client->option[OPTION_KEEPALIVE_IDLE], 7200 * SECOND);
	ck_assert_int_eq(scenario_option(client, OPTION_KEEPALIVE_INTERVAL, -7), -7);
	ck_assert_int_eq(s->agent[NODE_SERVER].option[OPTION_WORKLOAD], WORKLOAD_ECHO);
	ck_assert_str_eq(scenario_sysctl(s, NODE_CLIENT, "net.ipv4.tcp_retries2"), "15");
	ck_assert_str_eq(scenario_sysctl(s, NODE_ROUTER, "net.ipv4.ip_forward"), "1");
	ck_assert_ptr_null(scenario_sysctl(s, NODE_SERVER, "net.ipv4.tcp_retries2"));
	ck_assert_int_eq(s->horizon_nsec, 1200 * SECOND);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(events_are_read)
{
	struct scenario_list list = { 0 };
	struct scenario *s = parse(&list, base, false, NULL, 0);
	const struct event *e = s->events;

	ck_assert_uint_eq(s->n_events, 5);
	ck_assert_int_eq(e[0].kind, EVENT_FAULT);
	ck_assert_int_eq(e[0].fault, FAULT_DROP);
	ck_assert_int_eq(e[0].direction, DIRECTION_FORWARD);
	ck_assert_uint_eq(e[0].drop.flags_mask, 0x12);
	ck_assert_uint_eq(e[0].drop.flags, 0x02);
	ck_assert(e[0].drop.payload_only);
	ck_assert_uint_eq(e[0].drop.count, 3);
	ck_assert_int_eq(e[0].line, 17);
	ck_assert_int_eq(e[1].fault, FAULT_REBOOT);
	ck_assert_int_eq(e[1].downtime_nsec, 2 * SECOND);
	ck_assert(e[1].has_node && e[1].node == NODE_SERVER && e[1].new_mac && e[1].no_service);
	ck_assert_int_eq(e[2].kind, EVENT_ACTION);
	ck_assert_int_eq(e[2].action, ACTION_SEND);
	ck_assert_uint_eq(e[2].size, 4096);
	ck_assert(e[3].node == NODE_ROUTER && e[3].side == NODE_SERVER);
	ck_assert_int_eq(e[4].kind, EVENT_HEAL);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(networks_are_read)
{
	static const char text[] = "name: test\nsummary: A test\nhorizon: 10s\n"
				   "path: {conntrack: true, nat: masquerade, untracked: reset}\n"
				   "timeline:\n"
				   "  - {at: 1s, fault: conntrack-flush}\n"
				   "  - {at: 2s, fault: reboot, node: server, address: new}\n";
	static const char *const sets[] = { "path.kind=switched", "path.conntrack=false",
					    "path.nat=none", "path.untracked=pass" };
	static const char taken[] =
		"name: test\nsummary: A test\nhorizon: 10s\npath: switched\n"
		"timeline:\n"
		"  - {at: 1s, fault: take-over, node: server, announce: true}\n";
	struct scenario_list list = { 0 };
	struct scenario *s = parse(&list, text, false, NULL, 0);

	ck_assert(s->path.conntrack && s->path.masquerade);
	ck_assert_int_eq(s->path.untracked, FIREWALL_RESET);
	ck_assert(s->events[0].has_node && s->events[0].node == NODE_ROUTER);
	ck_assert(s->events[1].new_address && !s->events[1].new_mac);
	scenario_list_deinit(&list);
	s = parse(&list, taken, false, sets, ARRAY_SIZE(sets));
	ck_assert(!scenario_tracks(s));
	ck_assert_int_eq(s->events[0].fault, FAULT_TAKE_OVER);
	ck_assert(s->events[0].announce);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(expectations_are_read)
{
	struct scenario_list list = { 0 };
	struct scenario *s = parse(&list, base, false, NULL, 0);
	const struct expectation *v4 = &s->expect[FAMILY_IPV4][NODE_CLIENT];
	const struct expectation *v6 = &s->expect[FAMILY_IPV6][NODE_CLIENT];

	ck_assert(v4->present && v6->present && !s->expect[FAMILY_IPV4][NODE_SERVER].present);
	ck_assert_uint_eq(v4->outcomes, 1 << OUTCOME_TIMED_OUT | 1 << OUTCOME_RESET);
	ck_assert_uint_eq(v6->mechanisms, 1 << MECHANISM_RETRANSMISSION);
	ck_assert_int_eq(v4->errors[0], ETIMEDOUT);
	ck_assert_uint_eq(v4->n_errors, 1);
	ck_assert_int_eq(v6->errors[1], EACCES);
	ck_assert(v4->after.present && v4->after.predicted);
	ck_assert(v4->before.present && !v4->before.predicted);
	ck_assert_int_eq(v4->before.time_nsec, 30 * SECOND);
	ck_assert_int_eq(v6->states[1], TCP_STATE_CLOSE);
	ck_assert_str_eq(v6->packet_texts[1], "!<[F.]");
	ck_assert(v6->packets[1].absent && !v6->packets[1].sent);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(calls_are_expected)
{
	struct scenario_list list = { 0 };
	struct scenario *s = parse(&list, base, false, NULL, 0);
	const struct expectation *v4 = &s->expect[FAMILY_IPV4][NODE_CLIENT];
	const struct expectation *v6 = &s->expect[FAMILY_IPV6][NODE_CLIENT];
	const struct expect_call *calls = v6->calls;

	ck_assert_int_eq(calls[0].call, AGENT_CALL_CONNECT);
	ck_assert(!calls[0].absent && !calls[0].has_result && !calls[0].error);
	ck_assert_int_eq(calls[0].connection, -1);
	ck_assert_int_eq(calls[0].took_before_nsec, NSEC_NONE);
	ck_assert(calls[1].has_result && calls[1].result == 4);
	ck_assert(calls[2].absent && calls[2].call == AGENT_CALL_CLOSE);
	ck_assert_int_eq(calls[3].error, ECONNRESET);
	ck_assert_int_eq(calls[3].connection, 1);
	ck_assert_int_eq(calls[3].after_nsec, SECOND);
	ck_assert_int_eq(calls[3].before_nsec, 2 * SECOND);
	ck_assert_int_eq(calls[3].took_after_nsec, 3 * NSEC_PER_MSEC);
	ck_assert_int_eq(calls[3].took_before_nsec, 4 * NSEC_PER_MSEC);
	ck_assert_str_eq(v4->call_texts[1], "write 4");
	ck_assert_str_eq(
		v4->call_texts[3],
		"read ECONNRESET of connection 1 after 1.000 s before 2.000 s in at least 3 ms "
		"in at most 4 ms");
	ck_assert_ptr_null(v4->call_texts[4]);
	ck_assert(v4->read.present && v4->read.least == 1024 && v4->read.most == 1024);
	ck_assert(v4->written.least == 5 && v4->written.most == UINT64_MAX);
	ck_assert(v6->written.least == 6 && v6->written.most == 7);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(quick_then_set)
{
	static const char *const set[] = { "net.ipv4.tcp_retries2=5", "client.keepalive.idle=5s",
					   "path.delay=1ms", "nodelay=true", "horizon=30s" };
	struct scenario_list list = { 0 };
	struct scenario *s = parse(&list, base, true, NULL, 0);

	ck_assert(s->quick);
	ck_assert_str_eq(scenario_sysctl(s, NODE_CLIENT, "net.ipv4.tcp_retries2"), "3");
	ck_assert_int_eq(s->horizon_nsec, 15 * SECOND);
	scenario_list_deinit(&list);

	s = parse(&list, base, true, set, ARRAY_SIZE(set));
	ck_assert_str_eq(scenario_sysctl(s, NODE_CLIENT, "net.ipv4.tcp_retries2"), "5");
	ck_assert_str_eq(scenario_sysctl(s, NODE_SERVER, "net.ipv4.tcp_retries2"), "5");
	ck_assert_ptr_null(scenario_sysctl(s, NODE_ROUTER, "net.ipv4.tcp_retries2"));
	ck_assert_int_eq(s->agent[NODE_CLIENT].option[OPTION_KEEPALIVE_IDLE], 5 * SECOND);
	ck_assert_int_eq(s->agent[NODE_SERVER].option[OPTION_NODELAY], 1);
	ck_assert_int_eq(s->path.netem.delay_nsec, NSEC_PER_MSEC);
	ck_assert_int_eq(s->horizon_nsec, 30 * SECOND);
	scenario_list_deinit(&list);
}
END_TEST

static const struct {
	const char *set, *message;
} wrong_sets[] = {
	{ "client.keepalive.idle=5",
	  "--set client.keepalive.idle=5: '5' has no unit; write one of ns, us, ms, s, min, h, d" },
	{ "client.net.ipv4.tcp_retries2", "--set client.net.ipv4.tcp_retries2: write KEY=VALUE" },
	{ "=5", "--set =5: write KEY=VALUE" },
	{ "horizon=", "--set horizon=: has no value" },
	{ "client.sysctl.kernel.x=1", "--set client.sysctl.kernel.x=1: sysctl 'kernel.x' does not "
				      "begin with 'net.'; a node has a network stack of its own "
				      "and nothing else" },
	{ "cleint.size=4",
	  "--set cleint.size=4: there is no such setting; did you mean 'client.size'?" },
	{ "client.command=sh", "--set client.command=sh: a command is a list, and stands in the "
			       "file: [PROGRAM, ARGUMENT, ...]" },
	{ "horizon=1s", "test.yaml: the horizon of 1.000 s ends before the last event, which is in "
			"line 22, 6.000 s after the first" },
	{ "server.keepalive.idle=5s",
	  "test.yaml: server.keepalive.idle does nothing while keepalive is off; add "
	  "server.keepalive.enabled, true or false" },
	{ "path=direct", "test.yaml:21: there is no router on a direct path" },
};

START_TEST(set_errors)
{
	ck_assert_str_eq(parse_error(base, wrong_sets[_i].set), wrong_sets[_i].message);
}
END_TEST

START_TEST(horizon_of_request_wins)
{
	struct scenario_request request = { .horizon_nsec = 60 * SECOND };
	struct scenario_list list = { 0 };

	ck_assert_int_eq(scenario_parse("t", base, strlen(base), &request, &list, NULL), 0);
	ck_assert_int_eq(list.items[0]->horizon_nsec, 60 * SECOND);
	scenario_list_deinit(&list);
}
END_TEST

static const char variants[] = "name: v\n"
			       "summary: Variants\n"
			       "horizon: 1min\n"
			       "client: {size: 1}\n"
			       "timeline:\n"
			       "  - {at: 1s, fault: blackhole}\n"
			       "quick: {client.size: 2}\n"
			       "expect: {client: {outcome: timed-out, error: ETIMEDOUT}}\n"
			       "variants:\n"
			       "  - {name: a, client: {size: 3}}\n"
			       "  - {name: b, quick: skip}\n"
			       "  - name: c\n"
			       "    client.size: 4\n"
			       "    timeline:\n"
			       "      - {at: 2s, fault: unreachable}\n"
			       "    expect: {client: {error: EHOSTUNREACH}}\n"
			       "    quick: {client.size: 5, horizon: 10s}\n";

static int64_t client_size(const struct scenario *s)
{
	return s->agent[NODE_CLIENT].option[OPTION_SIZE];
}

START_TEST(variants_overlay_the_base)
{
	struct scenario_list list = { 0 };
	struct scenario *c;

	parse(&list, variants, false, NULL, 0);
	ck_assert_uint_eq(list.count, 3);
	c = list.items[2];
	ck_assert_str_eq(c->variant, "c");
	ck_assert_int_eq(client_size(list.items[0]), 3);
	ck_assert_int_eq(client_size(list.items[1]), 1);
	ck_assert_int_eq(client_size(c), 4);
	ck_assert_int_eq(list.items[1]->events[0].fault, FAULT_BLACKHOLE);
	ck_assert_int_eq(c->events[0].fault, FAULT_UNREACHABLE);
	ck_assert_uint_eq(c->n_events, 1);
	ck_assert_int_eq(c->expect[FAMILY_IPV6][NODE_CLIENT].errors[0], EHOSTUNREACH);
	ck_assert_uint_eq(c->expect[FAMILY_IPV6][NODE_CLIENT].outcomes, 1 << OUTCOME_TIMED_OUT);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(variants_quick)
{
	struct scenario_list list = { 0 };

	parse(&list, variants, true, NULL, 0);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_str_eq(list.items[0]->variant, "a");
	ck_assert_int_eq(client_size(list.items[0]), 2);
	ck_assert_str_eq(list.items[1]->variant, "c");
	ck_assert_int_eq(client_size(list.items[1]), 5);
	ck_assert_int_eq(list.items[1]->horizon_nsec, 10 * SECOND);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(a_failed_load_leaves_the_list)
{
	struct scenario_request request = { 0 };
	struct scenario_list list = { 0 };

	parse(&list, variants, false, NULL, 0);
	ck_assert_int_lt(scenario_parse("t", "a", 1, &request, &list, NULL), 0);
	ck_assert_uint_eq(list.count, 3);
	parse(&list, base, false, NULL, 0);
	ck_assert_uint_eq(list.count, 4);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(the_client_is_watched_by_default)
{
	static const char text[] = "name: t\nsummary: s\nhorizon: 1s\n";
	struct scenario_list list = { 0 };
	struct scenario *s = parse(&list, text, false, NULL, 0);

	ck_assert(s->expect[FAMILY_IPV4][NODE_CLIENT].present);
	ck_assert(!s->expect[FAMILY_IPV4][NODE_SERVER].present);
	ck_assert_ptr_null(s->id);
	ck_assert_str_eq(s->explanation, "");
	scenario_list_deinit(&list);
}
END_TEST

static int collect(const struct setting_value *value, void *userdata)
{
	FILE *f = userdata;

	fprintf(f, "%s=%s", value->key, value->text);
	if (value->is_number)
		fprintf(f, " (%g)", value->number);
	fprintf(f, "\n");
	return 0;
}

START_TEST(settings_in_fixed_order)
{
	struct scenario_list list = { 0 };
	struct scenario *s = parse(&list, base, false, NULL, 0);
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_int_eq(scenario_for_each_setting(s, collect, f), 0);
	fclose(f);
	ck_assert_str_eq(text, "path.kind=switched\n"
			       "path.delay=10ms (0.01)\n"
			       "path.loss=0.5% (0.005)\n"
			       "path.rate=10000000bit (1e+07)\n"
			       "client.workload=stream\n"
			       "client.interval=10ms (0.01)\n"
			       "client.keepalive.enabled=true (1)\n"
			       "client.keepalive.idle=7200s (7200)\n"
			       "client.keepalive.count=9 (9)\n"
			       "client.net.ipv4.a=4096 16384 4194304\n"
			       "client.net.ipv4.tcp_retries2=15 (15)\n"
			       "server.workload=echo\n"
			       "router.net.ipv4.ip_forward=1 (1)\n");
	scenario_list_deinit(&list);
}
END_TEST

/* Every setting that scenario_for_each_setting() tells can be given with --set, and has the same
 * effect. */
static int say_again(const struct setting_value *value, void *userdata)
{
	struct scenario_request request = { .n_set = 1 };
	struct scenario_list list = { 0 };
	struct error err = { 0 };
	char set[256];
	const char *sets = set;

	snprintf(set, sizeof(set), "%s=%s", value->key, value->text);
	request.set = &sets;
	ck_assert_msg(scenario_parse("t", base, strlen(base), &request, &list, &err) == 0, "%s",
		      err.text);
	scenario_list_deinit(&list);
	return 0;
}

START_TEST(settings_can_be_said_again)
{
	struct scenario_list list = { 0 };

	scenario_for_each_setting(parse(&list, base, false, NULL, 0), say_again, NULL);
	scenario_list_deinit(&list);
}
END_TEST

START_TEST(options_are_read_back)
{
	char text[64], again[64];

	for (int i = 0; i < _OPTION_MAX; i++) {
		const struct option_definition *definition = &option_definitions[i];
		int64_t values[] = { definition->minimum, definition->maximum }, value;

		ck_assert_int_eq(option_from_key(definition->key), i);
		if (i == OPTION_WORKLOAD)
			values[1] = WORKLOAD_NO_ACCEPT;
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			option_format(i, values[v], text, sizeof(text));
			ck_assert_int_eq(option_parse(i, text, &value, NULL), 0);
			ck_assert_int_eq(value, values[v]);
			ck_assert_str_eq(option_format(i, value, again, sizeof(again)), text);
		}
	}
	ck_assert_int_eq(option_from_key("keepalive"), OPTION_KEEPALIVE);
	ck_assert_int_eq(option_from_key("keepalives"), -1);
	ck_assert_int_eq(option_definitions[OPTION_USER_TIMEOUT].name, TCP_USER_TIMEOUT);
}
END_TEST

START_TEST(names_are_read_back)
{
	for (int i = 0; i < _WORKLOAD_MAX; i++)
		ck_assert_int_eq(workload_from_name(workload_name(i)), i);
	for (int i = 0; i < _FAULT_KIND_MAX; i++)
		ck_assert_int_eq(fault_from_name(fault_name(i)), i);
	for (int i = 0; i < _ACTION_MAX; i++)
		ck_assert_int_eq(action_from_name(action_name(i)), i);
	for (int i = OUTCOME_NONE + 1; i < _OUTCOME_MAX; i++)
		ck_assert_int_eq(outcome_from_name(outcome_name(i)), i);
	for (int i = MECHANISM_NONE + 1; i < _MECHANISM_MAX; i++)
		ck_assert_int_eq(mechanism_from_name(mechanism_name(i)), i);
	ck_assert_ptr_null(outcome_name(OUTCOME_NONE));
	for (int i = 0; i < _AGENT_CALL_MAX; i++)
		ck_assert_int_eq(call_from_name(call_name(i)), i);
	ck_assert_int_eq(node_from_name("spare"), -1);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_part_is_read);
	tcase_add_test(tc, a_byte_order_mark_is_skipped);
	tcase_add_test(tc, events_are_read);
	tcase_add_test(tc, networks_are_read);
	tcase_add_test(tc, expectations_are_read);
	tcase_add_test(tc, calls_are_expected);
	tcase_add_test(tc, quick_then_set);
	tcase_add_loop_test(tc, set_errors, 0, ARRAY_SIZE(wrong_sets));
	tcase_add_test(tc, horizon_of_request_wins);
	tcase_add_test(tc, variants_overlay_the_base);
	tcase_add_test(tc, variants_quick);
	tcase_add_test(tc, a_failed_load_leaves_the_list);
	tcase_add_test(tc, the_client_is_watched_by_default);
	tcase_add_test(tc, settings_in_fixed_order);
	tcase_add_test(tc, settings_can_be_said_again);
	tcase_add_test(tc, options_are_read_back);
	tcase_add_test(tc, names_are_read_back);
}

int main(void)
{
	return suite_main("scenario", add_tests);
}
