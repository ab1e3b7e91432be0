/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TCP sockets that the kernel lists are those that `ss -tnaoi` shows. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "netns/packetfilter.h"
#include "netns/sockdiag.h"
#include "src/tcp/state.h"
#include "tests/netns/fixture.h"

#define PORT 4242

enum { ESTABLISHED = 1, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, LISTEN = 10 };

static const int families[] = { AF_INET, AF_INET6 };

struct fixture {
	struct pair pair;
	struct nl *diag[2];
	int family;
	int listener, client, server;
};

static socklen_t server_address(int family, struct sockaddr_storage *ret)
{
	struct ip ip = fixture_ip(family == AF_INET ? "10.0.0.2" : "fd00::2");
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };

	v4.sin_addr = ip.v4;
	v6.sin6_addr = ip.v6;
	memset(ret, 0, sizeof(*ret));
	if (family == AF_INET)
		memcpy(ret, &v4, sizeof(v4));
	else
		memcpy(ret, &v6, sizeof(v6));
	return family == AF_INET ? sizeof(v4) : sizeof(v6);
}

static void fixture_init(struct fixture *f, int family)
{
	struct sockaddr_storage address;
	socklen_t size = server_address(family, &address);
	struct error err = { 0 };

	memset(f, 0, sizeof(*f));
	pair_init(&f->pair);
	f->family = family;
	f->server = -1;
	for (int i = 0; i < 2; i++)
		must(nl_new(f->pair.ns[i], NETLINK_SOCK_DIAG, &f->diag[i], &err));
	must(netns_socket(f->pair.ns[1], family, SOCK_STREAM, 0, &f->listener, &err));
	ck_assert_int_eq(bind(f->listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(f->listener, 5), 0);
	must(netns_socket(f->pair.ns[0], family, SOCK_STREAM, 0, &f->client, &err));
}

static void fixture_connect(struct fixture *f)
{
	struct sockaddr_storage address;
	socklen_t size = server_address(f->family, &address);

	ck_assert_int_eq(connect(f->client, (struct sockaddr *)&address, size), 0);
	f->server = accept(f->listener, NULL, NULL);
	ck_assert_int_ge(f->server, 0);
}

static void fixture_deinit(struct fixture *f)
{
	f->client = fd_close(f->client);
	f->server = fd_close(f->server);
	f->listener = fd_close(f->listener);
	for (int i = 0; i < 2; i++)
		f->diag[i] = nl_free(f->diag[i]);
	pair_deinit(&f->pair);
}

struct found {
	unsigned int n;
	struct sockdiag_socket last;
};

static int keep_last(const struct sockdiag_socket *s, void *userdata)
{
	struct found *found = userdata;

	found->n++;
	found->last = *s;
	return 0;
}

static struct found find(struct fixture *f, int node, uint32_t states)
{
	struct found found = { 0 };
	struct error err = { 0 };

	must(sockdiag_dump(f->diag[node], f->family, states, keep_last, &found, &err));
	return found;
}

START_TEST(established_and_listening)
{
	char peer[INET6_ADDRSTRLEN];
	struct sockdiag_socket one;
	struct error err = { 0 };
	struct found found;
	struct fixture f;
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	fixture_init(&f, families[_i]);
	fixture_connect(&f);
	found = find(&f, 0, ~0u);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_int_eq(found.last.state, ESTABLISHED);
	ck_assert_uint_eq(found.last.peer_port, PORT);
	ck_assert_str_eq(ip_format(peer, sizeof(peer), &found.last.peer),
			 f.family == AF_INET ? "10.0.0.2" : "fd00::2");
	ck_assert_uint_ne(found.last.inode, 0);
	ck_assert(found.last.has_info);
	ck_assert_uint_gt(found.last.info.tcpi_rto, 0);
	ck_assert_int_eq(getsockopt(f.client, SOL_SOCKET, SO_COOKIE, &cookie, &size), 0);
	ck_assert_uint_eq(found.last.cookie, cookie);
	found = find(&f, 1, 1 << LISTEN);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_int_eq(found.last.state, LISTEN);
	ck_assert_uint_eq(found.last.receive_queue, 0);
	ck_assert_uint_eq(found.last.send_queue, 5);
	ck_assert_uint_eq(find(&f, 1, 1 << SYN_SENT).n, 0);
	found = find(&f, 1, 1 << ESTABLISHED);
	ck_assert_int_eq(sockdiag_get(f.diag[1], &found.last, &one, &err), 1);
	ck_assert_uint_eq(one.cookie, found.last.cookie);
	found.last.peer_port ^= 1;
	ck_assert_int_eq(sockdiag_get(f.diag[1], &found.last, &one, &err),
			 0); /* The kernel finds the listener. */
	ck_assert_int_eq(sockdiag_get(f.diag[0], &found.last, &one, &err), 0);
	fixture_deinit(&f);
}
END_TEST

static void cut(struct fixture *f)
{
	struct packetfilter_rule rule = { .interface = "eth0", .everything = true };
	_cleanup_(packetfilter_freep) struct packetfilter *pf = NULL;
	struct error err = { 0 };
	unsigned int handle;

	must(packetfilter_new(f->pair.ns[1], &pf, &err));
	must(packetfilter_drop(pf, &rule, &handle, &err));
}

/* A socket whose data nobody acknowledges shows its retransmissions. */
START_TEST(retransmission_timer)
{
	_cleanup_(freep) char *ss = NULL;
	struct found found;
	struct fixture f;
	int on = 1;

	fixture_init(&f, families[_i]);
	fixture_connect(&f);
	ck_assert_int_eq(setsockopt(f.client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)), 0);
	found = find(&f, 0, 1 << ESTABLISHED);
	ck_assert_int_eq(found.last.timer, TCP_TIMER_KEEPALIVE);
	ck_assert(found.last.expires_nsec > 7000 * NSEC_PER_SEC &&
		  found.last.expires_nsec <= 7200 * NSEC_PER_SEC);
	cut(&f);
	ck_assert_int_eq(send(f.client, "x", 1, 0), 1);
	usleep(900000);
	found = find(&f, 0, 1 << ESTABLISHED);
	ck_assert_int_eq(found.last.timer, TCP_TIMER_ON);
	ck_assert_uint_ge(found.last.retransmits, 1);
	ck_assert_uint_eq(found.last.send_queue, 1);
	ck_assert_uint_ge(found.last.info.tcpi_total_retrans, 1);
	ss = fixture_run(f.pair.ns[0], "ss -tnaoi");
	ck_assert_msg(strstr(ss, "timer:(on,") && strstr(ss, "ESTAB"), "%s", ss);
	fixture_deinit(&f);
}
END_TEST

START_TEST(time_wait_and_orphan)
{
	_cleanup_(freep) char *ss = NULL;
	struct sockdiag_socket one;
	struct error err = { 0 };
	struct found found;
	struct fixture f;

	fixture_init(&f, families[_i]);
	fixture_connect(&f);
	f.client = fd_close(f.client);
	usleep(20000);
	found = find(&f, 0, 1 << FIN_WAIT2);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_uint_eq(found.last.inode, 0);
	f.server = fd_close(f.server);
	usleep(20000);
	found = find(&f, 0, 1 << TIME_WAIT);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_int_eq(found.last.state, TIME_WAIT);
	ck_assert_int_eq(found.last.timer, TCP_TIMER_TIMEWAIT);
	ck_assert(!found.last.has_info);
	ck_assert(found.last.expires_nsec > 30 * NSEC_PER_SEC &&
		  found.last.expires_nsec <= 70 * NSEC_PER_SEC);
	ck_assert_int_eq(sockdiag_get(f.diag[0], &found.last, &one, &err), 1);
	ck_assert_int_eq(one.state, TIME_WAIT);
	ck_assert_int_eq(one.timer, TCP_TIMER_TIMEWAIT);
	ss = fixture_run(f.pair.ns[0], "ss -tnaoi");
	ck_assert_msg(strstr(ss, "TIME-WAIT") && strstr(ss, "timer:(timewait,"), "%s", ss);
	fixture_deinit(&f);
}
END_TEST

/* The server's SYN-ACK does not get through. */
START_TEST(half_open)
{
	struct packetfilter_rule rule = { .interface = "eth0", .family = families[_i] };
	_cleanup_(packetfilter_freep) struct packetfilter *pf = NULL;
	struct sockaddr_storage address;
	socklen_t size = server_address(families[_i], &address);
	struct sockdiag_socket one;
	struct error err = { 0 };
	unsigned int handle;
	struct found found;
	struct fixture f;

	fixture_init(&f, families[_i]);
	must(packetfilter_new(f.pair.ns[0], &pf, &err));
	must(packetfilter_drop(pf, &rule, &handle, &err));
	close(f.client);
	must(netns_socket(f.pair.ns[0], f.family, SOCK_STREAM | SOCK_NONBLOCK, 0, &f.client, &err));
	ck_assert_int_eq(connect(f.client, (struct sockaddr *)&address, size), -1);
	ck_assert_int_eq(errno, EINPROGRESS);
	usleep(100000);
	found = find(&f, 0, ~0u);
	ck_assert_int_eq(found.last.state, SYN_SENT);
	ck_assert_int_eq(found.last.timer, TCP_TIMER_ON);
	found = find(&f, 1, 1 << SYN_RECV);
	ck_assert_uint_eq(found.n, 1);
	ck_assert_int_eq(found.last.state, SYN_RECV);
	ck_assert_uint_eq(found.last.inode, 0);
	ck_assert_int_eq(sockdiag_get(f.diag[1], &found.last, &one, &err), 1);
	ck_assert_int_eq(one.state, SYN_RECV);
	ck_assert_int_eq(one.timer, TCP_TIMER_ON);
	fixture_deinit(&f);
}
END_TEST

START_TEST(end_is_told)
{
	struct sockdiag_socket s = { 0 };
	struct error err = { 0 };
	struct pollfd p = { .events = POLLIN };
	struct found found;
	struct fixture f;

	fixture_init(&f, families[_i]);
	must(sockdiag_listen_destroy(f.pair.ns[0], f.family, &p.fd, &err));
	ck_assert_int_eq(sockdiag_receive_destroy(p.fd, &s, &err), 0);
	fixture_connect(&f);
	found = find(&f, 0, 1 << ESTABLISHED);
	ck_assert_int_eq(sockdiag_receive_destroy(p.fd, &s, &err), 0);
	f.server = fd_close(f.server);
	usleep(20000);
	f.client = fd_close(f.client);
	ck_assert_int_eq(poll(&p, 1, 5000), 1);
	ck_assert_int_eq(sockdiag_receive_destroy(p.fd, &s, &err), 1);
	ck_assert_uint_eq(s.cookie, found.last.cookie);
	ck_assert_int_eq(s.state, CLOSE);
	ck_assert(s.has_info);
	ck_assert_int_eq(s.local.family, f.family);
	close(p.fd);
	fixture_deinit(&f);
}
END_TEST

static int stop(const struct sockdiag_socket *s, void *userdata)
{
	unsigned int *n = userdata;

	(*n)++;
	return -ENOENT;
}

/* After a function has stopped one dump, the next dump works. */
START_TEST(dump_may_be_stopped)
{
	struct error err = { 0 };
	unsigned int n = 0;
	struct fixture f;

	fixture_init(&f, AF_INET);
	fixture_connect(&f);
	ck_assert_int_eq(sockdiag_dump(f.diag[1], AF_INET, ~0u, stop, &n, &err), -ENOENT);
	ck_assert_int_eq(err.kind, ERROR_NONE);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(find(&f, 1, ~0u).n, 2);
	fixture_deinit(&f);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(tcp_state_name(ESTABLISHED), "ESTABLISHED");
	ck_assert_str_eq(tcp_state_name(TIME_WAIT), "TIME_WAIT");
	ck_assert_ptr_null(tcp_state_name(0));
	ck_assert_ptr_null(tcp_state_name(-1));
	ck_assert_ptr_null(tcp_state_name(13));
	ck_assert_str_eq(tcp_timer_name(TCP_TIMER_PERSIST), "persist");
	ck_assert_ptr_null(tcp_timer_name(_TCP_TIMER_MAX));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, established_and_listening, 0, ARRAY_SIZE(families));
	tcase_add_loop_test(tc, retransmission_timer, 0, ARRAY_SIZE(families));
	tcase_add_loop_test(tc, time_wait_and_orphan, 0, ARRAY_SIZE(families));
	tcase_add_loop_test(tc, half_open, 0, ARRAY_SIZE(families));
	tcase_add_loop_test(tc, end_is_told, 0, ARRAY_SIZE(families));
	tcase_add_test(tc, dump_may_be_stopped);
	tcase_add_test(tc, names);
}

int main(void)
{
	return fixture_main("sockdiag", add_tests);
}
