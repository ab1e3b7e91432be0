/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A router with connection tracking stands between two hosts. The tests show which segments pass it
 * before and after it has forgotten its flows. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns/firewall.h"
#include "netns/sysctl.h"
#include "tests/netns/fixture.h"

#define PORT 5000
#define WAIT 300 /* ms, far more than a segment takes that passes */

/* The addresses are 10.1.0.2 - 10.1.0.1 router 10.2.0.1 - 10.2.0.2, in IPv6 fd00:1::2 and so on. */
struct world {
	struct netns *host[2], *router;
	struct nl *nl[2], *router_nl;
	int family;
	int listener, client,
		server; /* sockets of a connection from the first host to the second */
};

static const int families[] = { AF_INET, AF_INET6 };

static struct ip address(const struct world *w, int subnet, int host, bool with_prefix)
{
	char text[64];
	bool v4 = w->family == AF_INET;

	snprintf(text, sizeof(text), v4 ? "10.%d.0.%d%s" : "fd00:%d::%d%s", subnet, host,
		 !with_prefix ? ""
		 : v4	      ? "/24"
			      : "/64");
	return fixture_ip(text);
}

static void join(struct world *w, int i)
{
	const char *names[] = { "left", "right" };
	struct link_end near = { .name = names[i], .ns = w->router };
	struct link_end far = { .name = "eth0", .ns = w->host[i] };
	struct ip gateway = address(w, i + 1, 1, true), host = address(w, i + 1, 2, true);
	struct link_state state;
	struct route route = { .type = ROUTE_UNICAST, .destination = { .family = w->family } };
	struct error err = { 0 };

	link_put_veth(w->router_nl, &near, &far, 0);
	link_put_up(w->router_nl, names[i], true);
	must(nl_commit(w->router_nl, &err));
	must(link_get(w->router_nl, names[i], &state, &err));
	route_put_address(w->router_nl, state.ifindex, &gateway);
	must(nl_commit(w->router_nl, &err));
	link_put_up(w->nl[i], "eth0", true);
	must(link_get(w->nl[i], "eth0", &state, &err));
	route_put_address(w->nl[i], state.ifindex, &host);
	gateway.prefix = w->family == AF_INET ? 32 : 128;
	route.via = &gateway;
	route.ifindex = state.ifindex;
	route_put(w->nl[i], &route);
	must(nl_commit(w->nl[i], &err));
	must(link_wait(w->nl[i], "eth0", 5 * NSEC_PER_SEC, &err));
	must(link_wait(w->router_nl, names[i], 5 * NSEC_PER_SEC, &err));
	must(route_wait_address(w->nl[i], &host, 5 * NSEC_PER_SEC, &err));
	must(route_wait_address(w->router_nl, &gateway, 5 * NSEC_PER_SEC, &err));
}

static socklen_t fill(const struct ip *ip, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	to->ss_family = (sa_family_t)ip->family;
	if (ip->family == AF_INET) {
		v4->sin_port = htons(PORT);
		v4->sin_addr = ip->v4;
		return sizeof(*v4);
	}
	v6->sin6_port = htons(PORT);
	v6->sin6_addr = ip->v6;
	return sizeof(*v6);
}

static void connect_through(struct world *w)
{
	struct ip server = address(w, 2, 2, false);
	struct sockaddr_storage to;
	socklen_t size = fill(&server, &to);
	struct error err = { 0 };

	must(netns_socket(w->host[1], w->family, SOCK_STREAM, 0, &w->listener, &err));
	must(netns_socket(w->host[0], w->family, SOCK_STREAM, 0, &w->client, &err));
	ck_assert_int_eq(bind(w->listener, (struct sockaddr *)&to, size), 0);
	ck_assert_int_eq(listen(w->listener, 1), 0);
	ck_assert_msg(connect(w->client, (struct sockaddr *)&to, size) == 0, "connect: %s",
		      strerror(errno));
	w->server = accept(w->listener, NULL, NULL);
	ck_assert_int_ge(w->server, 0);
}

static void world_init(struct world *w, int family, const struct firewall *firewall)
{
	struct error err = { 0 };

	*w = (struct world){ .family = family };
	must(netns_new(&w->router, &err));
	must(nl_new(w->router, NETLINK_ROUTE, &w->router_nl, &err));
	must(sysctl_set(w->router, "net.ipv4.ip_forward", "1", &err));
	must(sysctl_set(w->router, "net.ipv6.conf.all.forwarding", "1", &err));
	must(sysctl_set(w->router, "net.ipv6.conf.default.accept_dad", "0", &err));
	for (int i = 0; i < 2; i++) {
		must(netns_new(&w->host[i], &err));
		must(sysctl_set(w->host[i], "net.ipv6.conf.default.accept_dad", "0", &err));
		must(nl_new(w->host[i], NETLINK_ROUTE, &w->nl[i], &err));
		join(w, i);
	}
	must(firewall_set(w->router, firewall, &err));
	connect_through(w);
}

static void world_deinit(struct world *w)
{
	close(w->client);
	close(w->server);
	close(w->listener);
	nl_free(w->router_nl);
	netns_free(w->router);
	for (int i = 0; i < 2; i++) {
		nl_free(w->nl[i]);
		netns_free(w->host[i]);
	}
}

/* Sends a byte on `from`. Returns 1 if it comes out of `to`, 0 if nothing happens, or the negative
 * errno of `from`. */
static int pass(int from, int to)
{
	struct pollfd fds[] = { { .fd = to, .events = POLLIN }, { .fd = from, .events = POLLIN } };
	char byte;

	ck_assert_int_eq(send(from, "x", 1, MSG_NOSIGNAL), 1);
	if (poll(fds, 2, WAIT) == 0)
		return 0;
	if (fds[0].revents & POLLIN)
		return (int)recv(to, &byte, 1, 0);
	return recv(from, &byte, 1, 0) < 0 ? -errno : 0;
}

static int flows(const struct world *w)
{
	_cleanup_(freep) char *text = NULL;
	struct error err = { 0 };

	must(sysctl_get(w->router, "net.netfilter.nf_conntrack_count", &text, &err));
	return atoi(text);
}

static const struct {
	struct firewall firewall;
	bool server_sends;
	int expected;
} cases[] = {
	{ { FIREWALL_PASS, NULL }, false, 1 },
	{ { FIREWALL_DROP, NULL }, false, 0 },
	{ { FIREWALL_DROP, NULL }, true, 0 },
	{ { FIREWALL_RESET, NULL }, false, -ECONNRESET },
	{ { FIREWALL_RESET, NULL }, true, -ECONNRESET },
	{ { FIREWALL_PASS, "right" }, false, 1 },
	/* The server's segment is addressed to the router itself, which has no such connection. */
	{ { FIREWALL_PASS, "right" }, true, -ECONNRESET },
	{ { FIREWALL_DROP, "right" }, true, 0 },
	{ { FIREWALL_RESET, "right" }, false, -ECONNRESET },
};

START_TEST(a_forgotten_flow)
{
	struct error err = { 0 };
	struct world w;
	int i = _i % (int)ARRAY_SIZE(cases);

	world_init(&w, families[_i / (int)ARRAY_SIZE(cases)], &cases[i].firewall);
	ck_assert_int_eq(pass(w.client, w.server), 1);
	ck_assert_int_eq(pass(w.server, w.client), 1);
	ck_assert_int_eq(flows(&w), 1);
	must(firewall_forget(w.router, &err));
	ck_assert_int_eq(flows(&w), 0);
	ck_assert_int_eq(cases[i].server_sends ? pass(w.server, w.client)
					       : pass(w.client, w.server),
			 cases[i].expected);
	world_deinit(&w);
}
END_TEST

START_TEST(masquerade_hides_the_client)
{
	const struct firewall nat = { FIREWALL_DROP, "right" };
	struct sockaddr_storage peer;
	struct sockaddr_storage want;
	socklen_t size = sizeof(peer);
	struct world w;
	struct ip ip;

	world_init(&w, families[_i], &nat);
	ip = address(&w, 2, 1, false);
	fill(&ip, &want);
	ck_assert_int_eq(getpeername(w.server, (struct sockaddr *)&peer, &size), 0);
	if (w.family == AF_INET)
		ck_assert_mem_eq(&((struct sockaddr_in *)&peer)->sin_addr,
				 &((struct sockaddr_in *)&want)->sin_addr, 4);
	else
		ck_assert_mem_eq(&((struct sockaddr_in6 *)&peer)->sin6_addr,
				 &((struct sockaddr_in6 *)&want)->sin6_addr, 16);
	world_deinit(&w);
}
END_TEST

/* The kernel forgets a flow that has been quiet for longer than its timeout. */
START_TEST(a_timeout_forgets)
{
	const struct firewall firewall = { FIREWALL_DROP, NULL };
	struct error err = { 0 };
	struct world w;

	world_init(&w, families[_i], &firewall);
	must(sysctl_set(w.router, "net.netfilter.nf_conntrack_tcp_timeout_established", "1", &err));
	ck_assert_int_eq(pass(w.client, w.server), 1);
	usleep(1500000);
	ck_assert_int_eq(pass(w.client, w.server), 0);
	world_deinit(&w);
}
END_TEST

START_TEST(without_it_a_capability_is_missing)
{
	static const struct firewall firewall = { FIREWALL_DROP, NULL };
	struct netns *ns;
	struct error err = { 0 };

	must(netns_new(&ns, &err));
	ck_assert_int_lt(firewall_set(ns, &firewall, &err), 0);
	ck_assert_int_eq(err.kind, ERROR_CAPABILITY);
	netns_free(ns);
}
END_TEST

static void add_tests(TCase *tc)
{
	if (firewall_probe(NULL) != 1) {
		tcase_add_test(tc, without_it_a_capability_is_missing);
		return;
	}
	tcase_add_loop_test(tc, a_forgotten_flow, 0,
			    (int)(ARRAY_SIZE(cases) * ARRAY_SIZE(families)));
	tcase_add_loop_test(tc, masquerade_hides_the_client, 0, ARRAY_SIZE(families));
	tcase_add_loop_test(tc, a_timeout_forgets, 0, ARRAY_SIZE(families));
}

int main(void)
{
	return fixture_main("firewall", add_tests);
}
