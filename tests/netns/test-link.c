/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces: `ip -j` shows that the kernel has what a request asked for. */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "tests/netns/fixture.h"

START_TEST(veth_pair_as_asked_for)
{
	_cleanup_(netns_freep) struct netns *a = NULL;
	_cleanup_(netns_freep) struct netns *b = NULL;
	_cleanup_(nl_freep) struct nl *nl = NULL;
	struct link_end left = { .name = "left", .mac.byte = { 2, 0, 0, 0, 0, 1 } };
	struct link_end right = { .name = "right", .mac.byte = { 2, 0, 0, 0, 0, 2 } };
	struct json_object *json;
	struct error err = { 0 };

	must(netns_new(&a, &err));
	must(netns_new(&b, &err));
	must(nl_new(a, NETLINK_ROUTE, &nl, &err));
	left.ns = a;
	right.ns = b;
	link_put_veth(nl, &left, &right, 1400);
	must(nl_commit(nl, &err));
	json = fixture_json(a, "ip -j -d link show left");
	ck_assert_str_eq(fixture_at(json, "/0/linkinfo/info_kind"), "veth");
	ck_assert_str_eq(fixture_at(json, "/0/address"), "02:00:00:00:00:01");
	ck_assert_str_eq(fixture_at(json, "/0/mtu"), "1400");
	json_object_put(json);
	json = fixture_json(b, "ip -j link show right");
	ck_assert_str_eq(fixture_at(json, "/0/address"), "02:00:00:00:00:02");
	ck_assert_str_eq(fixture_at(json, "/0/mtu"), "1400");
	json_object_put(json);
}
END_TEST

/* The operational state follows the carrier up to a second later, because the kernel handles
 * carriers that are not urgent once a second (net/core/link_watch.c: linkwatch_schedule_work). */
static void wait_until_not_ready(struct nl *nl)
{
	nsec_t end_nsec = nsec_now() + 5 * NSEC_PER_SEC;
	struct link_state state = { .ready = true };
	struct error err = { 0 };

	while (state.ready && nsec_now() < end_nsec) {
		usleep(10000);
		must(link_get(nl, "eth0", &state, &err));
	}
	ck_assert(!state.ready);
}

START_TEST(state_follows_requests)
{
	const struct link_mac mac = { { 2, 0, 0, 0, 0, 9 } };
	struct link_state state = { 0 };
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	must(link_get(pair.nl[0], "eth0", &state, &err));
	ck_assert(state.carrier && state.flags & IFF_UP && state.flags & IFF_RUNNING);
	ck_assert_uint_eq(state.mtu, 1500);
	free(fixture_run(pair.ns[0], "ip link set eth0 mtu 1300"));
	link_put_mac(pair.nl[0], "eth0", &mac);
	link_put_up(pair.nl[1], "eth0", false);
	must(nl_commit(pair.nl[0], &err));
	must(nl_commit(pair.nl[1], &err));
	must(link_get(pair.nl[0], "eth0", &state, &err));
	ck_assert(!state.carrier && state.flags & IFF_UP);
	ck_assert_uint_eq(state.mtu, 1300);
	ck_assert_mem_eq(&state.mac, &mac, sizeof(mac));
	wait_until_not_ready(pair.nl[0]);
	ck_assert_int_eq(link_wait(pair.nl[0], "eth0", NSEC_PER_SEC / 10, &err), -ETIMEDOUT);
	free(fixture_run(pair.ns[0], "ip link delete eth0"));
	ck_assert_int_eq(link_get(pair.nl[1], "eth0", &state, &err), -ENODEV);
	ck_assert_str_eq(err.text, "link 'eth0': look up: No such device");
	ck_assert_int_eq(link_get(pair.nl[1], "a-name-far-too-long", &state, &err), -ENODEV);
	pair_deinit(&pair);
}
END_TEST

/* One batch makes the bridge and puts a port into it. */
START_TEST(bridge_forwards_at_once)
{
	struct json_object *json;
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	link_put_bridge(pair.nl[0], "br0", 300);
	link_put_master(pair.nl[0], "eth0", 300);
	link_put_up(pair.nl[0], "br0", true);
	must(nl_commit(pair.nl[0], &err));
	json = fixture_json(pair.ns[0], "ip -j -d link show");
	ck_assert_str_eq(fixture_at(json, "/1/ifname"), "eth0");
	ck_assert_str_eq(fixture_at(json, "/1/master"), "br0");
	ck_assert_str_eq(fixture_at(json, "/1/linkinfo/info_slave_data/state"), "forwarding");
	ck_assert_str_eq(fixture_at(json, "/2/ifindex"), "300");
	ck_assert_str_eq(fixture_at(json, "/2/linkinfo/info_data/stp_state"), "0");
	ck_assert_str_eq(fixture_at(json, "/2/linkinfo/info_data/forward_delay"), "0");
	ck_assert_str_eq(fixture_at(json, "/2/linkinfo/info_data/mcast_snooping"), "0");
	json_object_put(json);
	link_put_master(pair.nl[0], "eth0", 999);
	ck_assert_int_eq(nl_commit(pair.nl[0], &err), -EINVAL);
	ck_assert_str_eq(err.text, "link 'eth0': put into bridge: Invalid argument");
	pair_deinit(&pair);
}
END_TEST

/* libnl would cut the name to the name of an interface that exists. A request that is refused keeps
 * back those after it, but not those before it. */
START_TEST(long_names_are_refused)
{
	struct link_state state = { 0 };
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	free(fixture_run(pair.ns[0], "ip link add fifteen-letters type dummy 2>/dev/null ||"
				     "ip link add fifteen-letters type bridge"));
	link_put_up(pair.nl[0], "eth0", false);
	link_put_up(pair.nl[0], "fifteen-lettersX", true);
	link_put_up(pair.nl[0], "fifteen-letters", true);
	ck_assert_int_eq(nl_commit(pair.nl[0], &err), -ERANGE);
	ck_assert_str_eq(err.text,
			 "link 'fifteen-lettersX': set up: Numerical result out of range");
	must(link_get(pair.nl[0], "eth0", &state, &err));
	ck_assert(!(state.flags & IFF_UP));
	must(link_get(pair.nl[0], "fifteen-letters", &state, &err));
	ck_assert(!(state.flags & IFF_UP));
	link_put_up(pair.nl[0], "fifteen-letters", true);
	must(nl_commit(pair.nl[0], &err));
	must(link_get(pair.nl[0], "fifteen-letters", &state, &err));
	ck_assert(state.flags & IFF_UP);
	pair_deinit(&pair);
}
END_TEST

START_TEST(move_keeps_name_index_and_address)
{
	struct link_state before = { 0 }, after = { 0 };
	_cleanup_(netns_freep) struct netns *to = NULL;
	_cleanup_(nl_freep) struct nl *nl = NULL;
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	must(netns_new(&to, &err));
	must(nl_new(to, NETLINK_ROUTE, &nl, &err));
	must(link_get(pair.nl[0], "eth0", &before, &err));
	link_put_netns(pair.nl[0], "eth0", to);
	must(nl_commit(pair.nl[0], &err));
	must(link_get(nl, "eth0", &after, &err));
	ck_assert_mem_eq(&before.mac, &after.mac, sizeof(after.mac));
	ck_assert_int_eq(before.ifindex, after.ifindex);
	ck_assert(!(after.flags & IFF_UP));
	ck_assert_int_eq(link_get(pair.nl[0], "eth0", &after, &err), -ENODEV);
	pair_deinit(&pair);
}
END_TEST

START_TEST(nothing_is_left_at_home)
{
	_cleanup_(freep) char *before = fixture_run(NULL, "ip -j link");
	_cleanup_(freep) char *after = NULL;

	for (int i = 0; i < 20; i++) {
		struct pair pair;

		pair_init(&pair);
		pair_deinit(&pair);
	}
	after = fixture_run(NULL, "ip -j link");
	ck_assert_str_eq(before, after);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, veth_pair_as_asked_for);
	tcase_add_test(tc, state_follows_requests);
	tcase_add_test(tc, bridge_forwards_at_once);
	tcase_add_test(tc, long_names_are_refused);
	tcase_add_test(tc, move_keeps_name_index_and_address);
	tcase_add_test(tc, nothing_is_left_at_home);
}

int main(void)
{
	return fixture_main("link", add_tests);
}
