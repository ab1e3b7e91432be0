/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, routes and neighbours of both families are put, replaced, shown and deleted. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/netns/fixture.h"

static const struct {
	const char *text;
	int family; /* 0: the text is refused */
	unsigned int prefix;
	const char *address;
} texts[] = {
	{ "10.0.1.2/24", AF_INET, 24, "10.0.1.2" },
	{ "10.0.1.2", AF_INET, 32, "10.0.1.2" },
	{ "0.0.0.0/0", AF_INET, 0, "0.0.0.0" },
	{ "fd00:1::2", AF_INET6, 128, "fd00:1::2" },
	{ "FD00:0:0::2/64", AF_INET6, 64, "fd00::2" },
	{ "::/0", AF_INET6, 0, "::" },
	{ "10.0.1.2/33", 0 },
	{ "fd00::/129", 0 },
	{ "10.0.1.2/", 0 },
	{ "10.0.1.2/-1", 0 },
	{ "10.0.1.2/+1", 0 },
	{ "10.0.1.2/8x", 0 },
	{ "10.0.1", 0 },
	{ "", 0 },
	{ "/24", 0 },
	{ "host", 0 },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", 0 },
};

START_TEST(ip_texts)
{
	struct ip ip = { .family = -1 };
	struct error err = { 0 };
	char buffer[INET6_ADDRSTRLEN];
	int rc = ip_parse(texts[_i].text, &ip, &err);

	if (texts[_i].family == 0) {
		ck_assert_int_eq(rc, -EINVAL);
		ck_assert_int_eq(err.kind, ERROR_INPUT);
		ck_assert_int_eq(ip.family, -1);
		return;
	}
	must(rc);
	ck_assert_int_eq(ip.family, texts[_i].family);
	ck_assert_uint_eq(ip.prefix, texts[_i].prefix);
	ck_assert_str_eq(ip_format(buffer, sizeof(buffer), &ip), texts[_i].address);
}
END_TEST

/* Returns the errno of connect() on a UDP socket, which asks only the routes: it tells the type of
 * the route. */
static int route_errno(const struct netns *ns, const char *to)
{
	struct ip ip = fixture_ip(to);
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = 9, .sin_addr = ip.v4 };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = 9, .sin6_addr = ip.v6 };
	_cleanup_(fd_closep) int fd = -1;
	struct error err = { 0 };
	int rc;

	must(netns_socket(ns, ip.family, SOCK_DGRAM, 0, &fd, &err));
	rc = ip.family == AF_INET ? connect(fd, (struct sockaddr *)&v4, sizeof(v4))
				  : connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	return rc < 0 ? errno : 0;
}

/* The errno for each type stands in net/ipv4/fib_semantics.c (fib_props) and net/ipv6/route.c
 * (ip6_rt_type_to_error). */
static const struct {
	enum route_type type;
	const char *name;
	int v4, v6;
} types[] = {
	{ ROUTE_BLACKHOLE, "blackhole", EINVAL, EINVAL },
	{ ROUTE_UNREACHABLE, "unreachable", EHOSTUNREACH, EHOSTUNREACH },
	{ ROUTE_PROHIBIT, "prohibit", EACCES, EACCES },
};

static void check_type(struct pair *pair, int family, enum route_type type, const char *name,
		       int error)
{
	const char *host = family == AF_INET ? "10.0.0.2" : "fd00::2";
	struct route route = { .type = type, .destination = fixture_ip(host) };
	_cleanup_(freep) char *shown = NULL;
	struct error err = { 0 };

	ck_assert_int_eq(route_errno(pair->ns[0], host), 0);
	route_put(pair->nl[0], &route);
	route_put(pair->nl[0], &route);
	must(nl_commit(pair->nl[0], &err));
	ck_assert_int_eq(route_errno(pair->ns[0], host), error);
	shown = fixture_run(pair->ns[0], family == AF_INET ? "ip route" : "ip -6 route");
	ck_assert_msg(strstr(shown, name) && strstr(shown, host), "%s", shown);
	route_put_delete(pair->nl[0], &route);
	must(nl_commit(pair->nl[0], &err));
	ck_assert_int_eq(route_errno(pair->ns[0], host), 0);
	route_put_delete(pair->nl[0], &route);
	ck_assert_int_eq(nl_commit(pair->nl[0], &err), -ESRCH);
}

START_TEST(types_give_their_errors)
{
	struct pair pair;

	pair_init(&pair);
	check_type(&pair, AF_INET, types[_i].type, types[_i].name, types[_i].v4);
	check_type(&pair, AF_INET6, types[_i].type, types[_i].name, types[_i].v6);
	pair_deinit(&pair);
}
END_TEST

/* A route turns into a black hole and back, as at a fault and its end. */
static void check_replace(struct pair *pair, const char *all, const char *via, const char *to)
{
	struct ip hop = fixture_ip(via);
	struct route good = { .type = ROUTE_UNICAST, .destination = fixture_ip(all), .via = &hop };
	struct route bad = { .type = ROUTE_BLACKHOLE, .destination = good.destination };
	struct error err = { 0 };

	for (int i = 0; i < 2; i++) {
		route_put(pair->nl[0], &good);
		must(nl_commit(pair->nl[0], &err));
		ck_assert_int_eq(route_errno(pair->ns[0], to), 0);
		route_put(pair->nl[0], &bad);
		must(nl_commit(pair->nl[0], &err));
		ck_assert_int_eq(route_errno(pair->ns[0], to), EINVAL);
	}
	route_put_delete(pair->nl[0], &bad);
	must(nl_commit(pair->nl[0], &err));
	ck_assert_int_eq(route_errno(pair->ns[0], to), ENETUNREACH);
}

START_TEST(put_replaces)
{
	struct pair pair;

	pair_init(&pair);
	check_replace(&pair, "0.0.0.0/0", "10.0.0.2", "192.0.2.1");
	check_replace(&pair, "::/0", "fd00::2", "2001:db8::1");
	check_replace(&pair, "192.0.2.0/24", "10.0.0.2", "192.0.2.1");
	check_replace(&pair, "2001:db8::/32", "fd00::2", "2001:db8::1");
	pair_deinit(&pair);
}
END_TEST

START_TEST(routes_as_shown)
{
	struct route route = { .type = ROUTE_UNICAST };
	struct ip hop = fixture_ip("10.0.0.2");
	struct json_object *json;
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	route.destination = fixture_ip("192.0.2.0/24");
	route.ifindex = pair.ifindex[0];
	route_put(pair.nl[0], &route);
	route.destination = fixture_ip("198.51.100.0/24");
	route.via = &hop;
	route_put(pair.nl[0], &route);
	must(nl_commit(pair.nl[0], &err));
	json = fixture_json(pair.ns[0], "ip -j route show 192.0.2.0/24");
	ck_assert_str_eq(fixture_at(json, "/0/scope"), "link");
	ck_assert_str_eq(fixture_at(json, "/0/dev"), "eth0");
	json_object_put(json);
	json = fixture_json(pair.ns[0], "ip -j route show 198.51.100.0/24");
	ck_assert_str_eq(fixture_at(json, "/0/gateway"), "10.0.0.2");
	ck_assert_str_eq(fixture_at(json, "/0/protocol"), "static");
	json_object_put(json);
	route_put_delete(pair.nl[0], &route);
	must(nl_commit(pair.nl[0], &err));
	hop = fixture_ip("172.16.0.1");
	route_put(pair.nl[0], &route);
	ck_assert_int_eq(nl_commit(pair.nl[0], &err), -ENETUNREACH);
	ck_assert_ptr_nonnull(strstr(err.text, "route to 198.51.100.0/24: add: "));
	ck_assert_ptr_nonnull(strstr(err.text, "(kernel: "));
	pair_deinit(&pair);
}
END_TEST

/* A route is deleted even if libnl would not guess its scope, protocol and table. */
START_TEST(delete_takes_any_scope)
{
	struct route route = { .type = ROUTE_UNICAST, .table = 1000 };
	struct ip hop = fixture_ip("10.0.0.2");
	_cleanup_(freep) char *shown = NULL;
	struct json_object *json;
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	free(fixture_run(pair.ns[0],
			 "ip route add 192.0.2.0/24 dev eth0 scope host proto 77 table 1000"));
	route.destination = fixture_ip("192.0.2.0/24");
	route.ifindex = pair.ifindex[0];
	route_put_delete(pair.nl[0], &route);
	must(nl_commit(pair.nl[0], &err));
	route.via = &hop;
	route_put(pair.nl[0], &route);
	must(nl_commit(pair.nl[0], &err));
	json = fixture_json(pair.ns[0], "ip -j -N -d route show table 1000");
	ck_assert_str_eq(fixture_at(json, "/0/gateway"), "10.0.0.2");
	ck_assert_str_eq(fixture_at(json, "/0/scope"), "0");
	ck_assert_str_eq(fixture_at(json, "/1/gateway"), "");
	json_object_put(json);
	route_put_delete(pair.nl[0], &route);
	must(nl_commit(pair.nl[0], &err));
	shown = fixture_run(pair.ns[0], "ip route show table 1000 2>/dev/null || true");
	ck_assert_str_eq(shown, "");
	pair_deinit(&pair);
}
END_TEST

START_TEST(addresses_as_shown)
{
	struct ip v6 = fixture_ip("fd00:9::1/64");
	struct json_object *json;
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	route_put_address(pair.nl[0], pair.ifindex[0], &v6);
	route_put_address(pair.nl[0], pair.ifindex[0], &v6);
	must(nl_commit(pair.nl[0], &err));
	json = fixture_json(pair.ns[0], "ip -j addr show dev eth0 to fd00:9::/64");
	ck_assert_str_eq(fixture_at(json, "/0/addr_info/0/local"), "fd00:9::1");
	ck_assert_str_eq(fixture_at(json, "/0/addr_info/0/nodad"), "true");
	ck_assert_str_eq(fixture_at(json, "/0/addr_info/0/tentative"), "");
	json_object_put(json);
	route_put_address_delete(pair.nl[0], pair.ifindex[0], &v6);
	must(nl_commit(pair.nl[0], &err));
	route_put_address_delete(pair.nl[0], pair.ifindex[0], &v6);
	ck_assert_int_eq(nl_commit(pair.nl[0], &err), -EADDRNOTAVAIL);
	ck_assert_int_eq(route_wait_address(pair.nl[0], &v6, NSEC_PER_SEC / 100, &err), -ETIMEDOUT);
	ck_assert_str_eq(err.text,
			 "address fd00:9::1: wait until it is usable: Connection timed out");
	v6 = fixture_ip("10.0.0.1");
	must(route_wait_address(pair.nl[0], &v6, 0, &err));
	pair_deinit(&pair);
}
END_TEST

START_TEST(neighbours_are_forgotten)
{
	_cleanup_(freep) char *shown = NULL;
	struct error err = { 0 };
	struct pair pair;

	pair_init(&pair);
	free(fixture_run(pair.ns[0],
			 "ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev eth0 nud permanent;"
			 "ip neigh add fd00::7 lladdr 02:00:00:00:00:07 dev eth0 nud reachable"));
	must(route_flush_neighbours(pair.nl[0], pair.ifindex[0], &err));
	shown = fixture_run(pair.ns[0], "ip neigh show dev eth0");
	ck_assert_str_eq(shown, "");
	must(route_flush_neighbours(pair.nl[0], pair.ifindex[0], &err));
	pair_deinit(&pair);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, ip_texts, 0, ARRAY_SIZE(texts));
	tcase_add_loop_test(tc, types_give_their_errors, 0, ARRAY_SIZE(types));
	tcase_add_test(tc, put_replaces);
	tcase_add_test(tc, routes_as_shown);
	tcase_add_test(tc, delete_takes_any_scope);
	tcase_add_test(tc, addresses_as_shown);
	tcase_add_test(tc, neighbours_are_forgotten);
}

int main(void)
{
	return fixture_main("route", add_tests);
}
