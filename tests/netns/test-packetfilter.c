/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exactly the packets that a rule describes are dropped: hand-made TCP segments go from the first
 * node to the second, where a raw socket behind the filter counts those that come through. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netns/packetfilter.h"
#include "tests/netns/fixture.h"

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

struct wire {
	struct pair pair;
	struct packetfilter *pf; /* of the second node */
	int family;
	int out, in; /* raw TCP sockets of the first and second node */
};

static void wire_init(struct wire *w, int family)
{
	struct error err = { 0 };

	pair_init(&w->pair);
	w->family = family;
	must(packetfilter_new(w->pair.ns[1], &w->pf, &err));
	must(netns_socket(w->pair.ns[0], family, SOCK_RAW, IPPROTO_TCP, &w->out, &err));
	must(netns_socket(w->pair.ns[1], family, SOCK_RAW, IPPROTO_TCP, &w->in, &err));
}

static void wire_deinit(struct wire *w)
{
	packetfilter_free(w->pf);
	close(w->out);
	close(w->in);
	pair_deinit(&w->pair);
}

/* Sends a segment with `n_options` bytes of no-operation and then `n_data` of data. Neither the
 * peer's answer (RST) matters nor the checksum, as no TCP socket reads it. */
static void send_segment(struct wire *w, uint8_t flags, size_t n_options, size_t n_data)
{
	struct {
		struct tcphdr tcp;
		char rest[128];
	} segment = { .tcp = { .source = htons(1), .dest = htons(2) } };
	struct ip to = fixture_ip(w->family == AF_INET ? "10.0.0.2" : "fd00::2");
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = to.v4 };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = to.v6 };
	bool ipv4 = w->family == AF_INET;
	size_t size = sizeof(segment.tcp) + n_options + n_data;

	segment.tcp.doff = (sizeof(segment.tcp) + n_options) / 4;
	((uint8_t *)&segment)[13] = flags;
	memset(segment.rest, 1, sizeof(segment.rest));
	ck_assert_int_eq(sendto(w->out, &segment, size, 0,
				ipv4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
				ipv4 ? sizeof(v4) : sizeof(v6)),
			 (ssize_t)size);
}

/* Returns how many segments have come since the last call. Mostly a veth delivers a segment within
 * sendto(), but first the neighbour has to be found. */
static unsigned int count_received(struct wire *w)
{
	unsigned int n = 0;
	char buffer[256];

	usleep(50000);
	while (recv(w->in, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

/* Returns how many packets a rule has dropped, as nft shows it. */
static uint64_t dropped(struct wire *w, unsigned int handle)
{
	static const char key[] = "counter packets ";
	_cleanup_(freep) char *shown = NULL;
	const char *found;
	char command[64];
	uint64_t n = 0;

	snprintf(command, sizeof(command), "nft list chain netdev deadpeer r%u", handle);
	shown = fixture_run(w->pair.ns[1], command);
	found = strstr(shown, key);
	ck_assert_msg(found && sscanf(found + strlen(key), "%" SCNu64, &n) == 1, "%s", shown);
	return n;
}

static const int families[] = { AF_INET, AF_INET6 };

START_TEST(exactly_n_then_no_more)
{
	struct packetfilter_rule rule = { .interface = "eth0", .family = families[_i], .count = 3 };
	struct error err = { 0 };
	unsigned int handle, n = 0;
	struct wire w;

	wire_init(&w, families[_i]);
	must(packetfilter_drop(w.pf, &rule, &handle, &err));
	for (int i = 0; i < 500; i++) {
		send_segment(&w, ACK, 0, 0);
		if (i % 100 == 99) /* The socket's buffer holds as many. */
			n += count_received(&w);
	}
	ck_assert_uint_eq(n, 497);
	ck_assert_uint_eq(dropped(&w, handle), 3);
	must(packetfilter_remove(w.pf, handle, &err));
	wire_deinit(&w);
}
END_TEST

static const struct {
	uint8_t mask, flags;
	bool payload_only;
	unsigned int n_dropped; /* of the segments below */
} matches[] = {
	{ 0, 0, false, 8 },
	{ SYN, SYN, false, 2 },
	{ SYN | ACK, SYN, false, 1 },
	{ SYN | ACK, ACK, false, 4 },
	{ RST, RST, false, 1 },
	{ FIN, FIN, false, 1 },
	{ SYN | FIN | RST, 0, false, 4 },
	{ 0, 0, true, 3 },
	{ PSH, PSH, true, 2 },
	{ SYN, SYN, true, 0 },
};

START_TEST(flags_and_payload)
{
	struct packetfilter_rule rule = { .interface = "eth0",
					  .tcp_flags_mask = matches[_i].mask,
					  .tcp_flags = matches[_i].flags,
					  .payload_only = matches[_i].payload_only };
	struct error err = { 0 };

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		unsigned int handle;
		struct wire w;

		rule.family = families[f];
		wire_init(&w, families[f]);
		must(packetfilter_drop(w.pf, &rule, &handle, &err));
		send_segment(&w, SYN, 20, 0);
		send_segment(&w, SYN | ACK, 20, 0);
		send_segment(&w, ACK, 0, 0);
		send_segment(&w, ACK | PSH, 12, 1);
		send_segment(&w, ACK | PSH, 0, 50);
		send_segment(&w, PSH, 40, 0);
		send_segment(&w, FIN | ACK, 40, 4);
		send_segment(&w, RST, 0, 0);
		ck_assert_uint_eq(count_received(&w), 8 - matches[_i].n_dropped);
		ck_assert_uint_eq(dropped(&w, handle), matches[_i].n_dropped);
		wire_deinit(&w);
	}
}
END_TEST

START_TEST(other_family_passes)
{
	struct packetfilter_rule rule = { .interface = "eth0", .family = AF_INET6 };
	struct error err = { 0 };
	unsigned int handle;
	struct wire w;

	wire_init(&w, AF_INET);
	must(packetfilter_drop(w.pf, &rule, &handle, &err));
	send_segment(&w, SYN, 0, 0);
	ck_assert_uint_eq(count_received(&w), 1);
	wire_deinit(&w);
}
END_TEST

/* There are two rules on one interface. The second drops what the first lets through. */
START_TEST(rules_come_and_go)
{
	struct packetfilter_rule two = { .interface = "eth0", .family = AF_INET, .count = 2 };
	struct packetfilter_rule all = { .interface = "eth0", .family = AF_INET };
	struct error err = { 0 };
	unsigned int a, b;
	struct wire w;

	wire_init(&w, AF_INET);
	must(packetfilter_drop(w.pf, &two, &a, &err));
	must(packetfilter_drop(w.pf, &all, &b, &err));
	for (int i = 0; i < 5; i++)
		send_segment(&w, ACK, 0, 0);
	ck_assert_uint_eq(count_received(&w), 0);
	ck_assert_uint_eq(dropped(&w, a), 2);
	ck_assert_uint_eq(dropped(&w, b), 3);
	must(packetfilter_remove(w.pf, b, &err));
	send_segment(&w, ACK, 0, 0);
	ck_assert_uint_eq(count_received(&w), 1);
	ck_assert_uint_eq(dropped(&w, a), 2);
	must(packetfilter_remove(w.pf, a, &err));
	must(packetfilter_remove(w.pf, a, &err));
	send_segment(&w, ACK, 0, 0);
	ck_assert_uint_eq(count_received(&w), 1);
	ck_assert_int_eq(packetfilter_remove(w.pf, 77, &err), -EINVAL);
	wire_deinit(&w);
}
END_TEST

/* ARP is dropped too, so that no neighbour is found. Nothing comes through after the filter was
 * freed. */
START_TEST(everything_is_everything)
{
	struct packetfilter_rule rule = { .interface = "eth0", .everything = true };
	_cleanup_(freep) char *shown = NULL;
	struct error err = { 0 };
	unsigned int handle;
	struct wire w;

	wire_init(&w, AF_INET);
	must(packetfilter_drop(w.pf, &rule, &handle, &err));
	w.pf = packetfilter_free(w.pf);
	send_segment(&w, ACK, 0, 0);
	ck_assert_uint_eq(count_received(&w), 0);
	shown = fixture_run(w.pair.ns[0], "ip neigh show 10.0.0.2");
	ck_assert_msg(!strstr(shown, "lladdr"), "%s", shown);
	wire_deinit(&w);
}
END_TEST

START_TEST(nft_shows_the_rule)
{
	struct packetfilter_rule rule = { .interface = "eth0", .family = AF_INET };
	_cleanup_(freep) char *text = NULL;
	struct json_object *json;
	struct error err = { 0 };
	unsigned int handle;
	struct wire w;

	wire_init(&w, AF_INET);
	must(packetfilter_drop(w.pf, &rule, &handle, &err));
	json = fixture_json(w.pair.ns[1], "nft -j list ruleset");
	ck_assert_str_eq(fixture_at(json, "/nftables/1/table/name"), "deadpeer");
	ck_assert_str_eq(fixture_at(json, "/nftables/2/chain/hook"), "ingress");
	json_object_put(json);
	text = fixture_run(w.pair.ns[1],
			   "nft list ruleset"); /* The JSON of nft 1.0 has no device. */
	ck_assert_msg(strstr(text, "device \"eth0\"") && strstr(text, "drop"), "%s", text);
	must(packetfilter_remove(w.pf, handle, &err));
	json = fixture_json(w.pair.ns[1], "nft -j list ruleset");
	ck_assert_str_eq(fixture_at(json, "/nftables/2/chain/hook"), "");
	json_object_put(json);
	wire_deinit(&w);
}
END_TEST

START_TEST(interface_may_go_first)
{
	struct packetfilter_rule rule = { .interface = "eth0", .family = AF_INET };
	struct error err = { 0 };
	unsigned int handle;
	struct wire w;

	wire_init(&w, AF_INET);
	must(packetfilter_drop(w.pf, &rule, &handle, &err));
	free(fixture_run(w.pair.ns[1], "ip link delete eth0"));
	must(packetfilter_remove(w.pf, handle, &err));
	wire_deinit(&w);
}
END_TEST

static const struct packetfilter_rule refused[] = {
	{ .interface = "", .everything = true },
	{ .interface = "eth0\"; flush ruleset; #", .everything = true },
	{ .interface = "a-name-far-too-long", .everything = true },
	{ .interface = "eth0", .family = AF_UNIX },
	{ .interface = "eth0", .family = AF_INET, .tcp_flags = SYN, .tcp_flags_mask = ACK },
	{ .interface = "eth0", .family = AF_INET, .count = 1ull << 32 },
};

START_TEST(input_is_checked)
{
	struct error err = { 0 };
	unsigned int handle;
	struct wire w;

	wire_init(&w, AF_INET);
	ck_assert_int_eq(packetfilter_drop(w.pf, &refused[_i], &handle, &err), -EINVAL);
	ck_assert_int_eq(err.kind, ERROR_INPUT);
	wire_deinit(&w);
}
END_TEST

START_TEST(kernel_refusal_is_told)
{
	struct packetfilter_rule rule = { .interface = "missing", .everything = true };
	struct error err = { 0 };
	unsigned int handle;
	struct wire w;

	wire_init(&w, AF_INET);
	ck_assert_int_eq(packetfilter_drop(w.pf, &rule, &handle, &err), -ENODEV);
	ck_assert_str_eq(err.text, "packet filter: link 'missing': No such device");
	ck_assert_int_eq(packetfilter_remove(w.pf, 1, &err), -EINVAL);
	wire_deinit(&w);
}
END_TEST

/* libnftables waits with select(), which takes only descriptors below FD_SETSIZE. */
START_TEST(works_above_fd_setsize)
{
	struct rlimit limit = { FD_SETSIZE + 64, FD_SETSIZE + 64 }, old;
	struct packetfilter_rule rule = { .interface = "eth0", .family = AF_INET };
	struct error err = { 0 };
	unsigned int handle;
	struct wire w;
	int fd;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	if (old.rlim_max < limit.rlim_max)
		return;
	limit.rlim_max = old.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	wire_init(&w, AF_INET);
	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	} while (fd >= 0 && fd < FD_SETSIZE + 8);
	ck_assert_int_ge(fd, FD_SETSIZE);
	ck_assert_msg(packetfilter_drop(w.pf, &rule, &handle, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(dropped(&w, handle), 0);
	ck_assert_int_ge(fcntl(STDIN_FILENO, F_GETFD), 0);
	wire_deinit(&w);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, exactly_n_then_no_more, 0, ARRAY_SIZE(families));
	tcase_add_loop_test(tc, flags_and_payload, 0, ARRAY_SIZE(matches));
	tcase_add_test(tc, other_family_passes);
	tcase_add_test(tc, rules_come_and_go);
	tcase_add_test(tc, everything_is_everything);
	tcase_add_test(tc, nft_shows_the_rule);
	tcase_add_test(tc, interface_may_go_first);
	tcase_add_loop_test(tc, input_is_checked, 0, ARRAY_SIZE(refused));
	tcase_add_test(tc, kernel_refusal_is_told);
	tcase_add_test(tc, works_above_fd_setsize);
}

/* If the kernel has no nf_tables, the probe must say so, and there is nothing else to test. */
START_TEST(probe_says_no)
{
	struct error err = { 0 };

	ck_assert_int_eq(packetfilter_probe(&err), 0);
}
END_TEST

static void add_probe_test(TCase *tc)
{
	if (packetfilter_probe(NULL) == 1)
		add_tests(tc);
	else
		tcase_add_test(tc, probe_says_no);
}

int main(void)
{
	return fixture_main("packetfilter", add_probe_test);
}
