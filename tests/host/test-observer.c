/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tests show what the observer tells of connections, with tracepoints and without, and how it
 * reports events and packets that it has lost. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "src/observer/packets.h"
#include "src/observer/tracepoints.h"
#include "src/tcp/packet.h"
#include "tests/host/flakes.h"
#include "tests/host/observer-world.h"

static struct lab lab;

static bool has_bpf(void)
{
	return !observer_derived_reason(lab.observer[BEST]);
}

static void setup(void)
{
	lab_init(&lab);
}

static void teardown(void)
{
	lab_deinit(&lab);
}

START_TEST(reason_why_all_is_derived)
{
	ck_assert_ptr_nonnull(observer_derived_reason(lab.observer[DERIVED]));
	if (!has_bpf())
		ck_assert_str_ne(observer_derived_reason(lab.observer[BEST]), "");
	if (fixture_is_rootless())
		ck_assert_ptr_nonnull(
			strstr(observer_derived_reason(lab.observer[BEST]), "not permitted"));
}
END_TEST

#define UP "CLOSE>SYN_SENT SYN_SENT>ESTABLISHED ESTABLISHED>"
#define IN "LISTEN>SYN_RECV SYN_RECV>ESTABLISHED ESTABLISHED>"

static const struct {
	int first, second; /* the node that shuts down first, and the other */
	const char *walk[NODES];
} closes[] = {
	{ CLIENT,
	  SERVER,
	  { UP "FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE",
	    IN "CLOSE_WAIT CLOSE_WAIT>LAST_ACK LAST_ACK>CLOSE" } },
	{ SERVER,
	  CLIENT,
	  { UP "CLOSE_WAIT CLOSE_WAIT>LAST_ACK LAST_ACK>CLOSE",
	    IN "FIN_WAIT1 FIN_WAIT1>FIN_WAIT2 FIN_WAIT2>CLOSE" } },
};

static void check_walks(const struct world *w, const char *const expected[NODES])
{
	for (int o = 0; o < OBSERVERS; o++) {
		for (int n = 0; n < NODES; n++)
			ck_assert_str_eq(log_walk(&w->log[o][n]), expected[n]);
	}
}

/* Both ends use shutdown(), because after close() the socket is an orphan, which leaves FIN_WAIT2
 * at once. */
START_TEST(orderly_close)
{
	struct world w;
	int order[2] = { closes[_i / 2].first, closes[_i / 2].second };

	world_init(&w, &lab, _i % 2 ? AF_INET6 : AF_INET);
	world_establish(&w);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(shutdown(order[i] == CLIENT ? w.client : w.server, SHUT_WR), 0);
		lab_run(&lab, 30 * NSEC_PER_MSEC);
	}
	check_walks(&w, closes[_i / 2].walk);
	world_deinit(&w);
}
END_TEST

static bool is_syn(const struct observation *o)
{
	return o->kind == OBSERVATION_PACKET && o->packet.flags == PACKET_SYN;
}

static nsec_t time_of(const struct log *log, bool (*is_it)(const struct observation *o))
{
	for (size_t i = 0; i < log->count; i++) {
		if (is_it(&log->items[i]))
			return log->items[i].time_nsec;
	}
	ck_abort_msg("not observed");
}

static bool is_syn_sent(const struct observation *o)
{
	return o->kind == OBSERVATION_STATE && o->state.to == TCP_STATE_SYN_SENT;
}

static void check_order(const struct log *log, enum observation_kind kind)
{
	nsec_t last_nsec = 0;

	for (size_t i = 0; i < log->count; i++) {
		if (log->items[i].kind != kind)
			continue;
		ck_assert_int_ge(log->items[i].time_nsec, last_nsec);
		last_nsec = log->items[i].time_nsec;
	}
}

/* The times of packets come from another clock than those of states, and yet the packets and states
 * of a handshake must be in the order in which they happen. */
START_TEST(one_clock)
{
	nsec_t before_nsec = nsec_now(), state_nsec, out_nsec, in_nsec;
	struct world w;

	world_init(&w, &lab, AF_INET);
	world_establish(&w);
	for (int o = 0; o < OBSERVERS; o++) {
		check_order(&w.log[o][CLIENT], OBSERVATION_STATE);
		check_order(&w.log[o][CLIENT], OBSERVATION_PACKET);
		state_nsec = time_of(&w.log[o][CLIENT], is_syn_sent);
		out_nsec = time_of(&w.log[o][CLIENT], is_syn);
		in_nsec = time_of(&w.log[o][SERVER], is_syn);
		ck_assert_int_gt(state_nsec, before_nsec);
		ck_assert_int_lt(out_nsec - state_nsec, 20 * NSEC_PER_MSEC);
		ck_assert_int_gt(out_nsec - state_nsec, -NSEC_PER_MSEC);
		ck_assert_int_lt(in_nsec - out_nsec, 20 * NSEC_PER_MSEC);
		ck_assert_int_gt(in_nsec - out_nsec, -NSEC_PER_MSEC);
	}
	world_deinit(&w);
}
END_TEST

START_TEST(unwatched_namespaces_are_not_seen)
{
	struct world seen, unseen;

	world_init(&seen, &lab, AF_INET);
	world_init(&unseen, &lab, AF_INET);
	for (int o = 0; o < OBSERVERS; o++) {
		for (int n = 0; n < NODES; n++)
			unseen.watch[o][n] = observer_watch_free(unseen.watch[o][n]);
	}
	world_establish(&seen);
	world_establish(&unseen);
	world_close(&unseen.client);
	world_close(&unseen.server);
	lab_run(&lab, 30 * NSEC_PER_MSEC);
	for (int o = 0; o < OBSERVERS; o++) {
		for (int n = 0; n < NODES; n++)
			ck_assert_uint_eq(unseen.log[o][n].count, 0);
		ck_assert_str_eq(log_walk(&seen.log[o][CLIENT]),
				 "CLOSE>SYN_SENT SYN_SENT>ESTABLISHED");
	}
	world_deinit(&unseen);
	world_deinit(&seen);
}
END_TEST

struct suicide {
	struct observer_watch *watch;
	unsigned int told;
};

static void on_suicide(const struct observation *observation, void *userdata)
{
	struct suicide *suicide = userdata;

	suicide->told++;
	suicide->watch = observer_watch_free(suicide->watch);
}

/* Each of several watches of one namespace may free itself in its first callback. */
START_TEST(watch_freed_by_whom_it_tells)
{
	struct suicide suicide[OBSERVERS][3] = { 0 };
	struct error err = { 0 };
	struct world w;

	world_init(&w, &lab, AF_INET);
	for (int o = 0; o < OBSERVERS; o++) {
		for (int i = 0; i < 3; i++) {
			struct observer_watch_spec spec = { .ns = w.pair.ns[CLIENT],
							    .family = AF_INET,
							    .ifindex = w.pair.ifindex[CLIENT],
							    .interface = "eth0" };

			must(observer_watch(lab.observer[o], &spec, on_suicide, &suicide[o][i],
					    &suicide[o][i].watch, &err));
		}
	}
	world_establish(&w);
	for (int o = 0; o < OBSERVERS; o++) {
		for (int i = 0; i < 3; i++)
			ck_assert_uint_eq(suicide[o][i].told, 1);
		ck_assert_str_eq(log_walk(&w.log[o][CLIENT]),
				 "CLOSE>SYN_SENT SYN_SENT>ESTABLISHED");
	}
	world_deinit(&w);
}
END_TEST

static const struct observation *find_destroyed(const struct log *log, uint16_t peer_port)
{
	for (size_t i = 0; i < log->count; i++) {
		if (log->items[i].kind == OBSERVATION_DESTROY &&
		    log->items[i].peer_port == peer_port)
			return &log->items[i];
	}
	return NULL;
}

START_TEST(destroyed_socket_leaves_its_info)
{
	struct world w;

	world_init(&w, &lab, AF_INET);
	world_establish(&w);
	ck_assert_int_eq(send(w.client, "12345", 5, 0), 5);
	lab_run(&lab, 60 * NSEC_PER_MSEC);
	world_close(&w.client);
	lab_run(&lab, 60 * NSEC_PER_MSEC);
	for (int o = 0; o < OBSERVERS; o++) {
		const struct observation *gone = find_destroyed(&w.log[o][CLIENT], 8000);

		ck_assert_ptr_nonnull(gone);
		ck_assert_uint_eq(gone->destroyed.tcpi_bytes_acked, 6 + 1);
	}
	world_deinit(&w);
}
END_TEST

/* The end of an IPv6 socket that talks IPv4 is told among IPv6 sockets, and is noticed. */
START_TEST(dual_stack_socket)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(8000) };
	struct error err = { 0 };
	int timeout = 300;
	struct world w;

	world_init(&w, &lab, AF_INET);
	must(netns_socket(w.pair.ns[CLIENT], AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0, &w.client,
			  &err));
	ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:10.0.0.2", &to.sin6_addr), 1);
	ck_assert_int_lt(connect(w.client, (struct sockaddr *)&to, sizeof(to)), 0);
	lab_run(&lab, 20 * NSEC_PER_MSEC);
	world_cut(&w);
	ck_assert_int_eq(setsockopt(w.client, IPPROTO_TCP, 18 /* TCP_USER_TIMEOUT */, &timeout,
				    sizeof(timeout)),
			 0);
	ck_assert_int_eq(send(w.client, "1", 1, 0), 1);
	lab_run(&lab, 1500 * NSEC_PER_MSEC);
	world_close(&w.client);
	lab_run(&lab, 20 * NSEC_PER_MSEC);
	for (int o = 0; o < OBSERVERS; o++)
		ck_assert_str_eq(log_walk(&w.log[o][CLIENT]), UP "CLOSE");
	world_deinit(&w);
}
END_TEST

/* A connection attempt is observed although no SYN is sent, because the peer's address does not
 * resolve. */
START_TEST(neighbour_not_found)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(8000) };
	struct world w;

	world_init(&w, &lab, AF_INET);
	world_socket(&w);
	ck_assert_int_eq(inet_pton(AF_INET, "10.0.0.99", &to.sin_addr), 1);
	ck_assert_int_lt(connect(w.client, (struct sockaddr *)&to, sizeof(to)), 0);
	lab_run(&lab, 4500 * NSEC_PER_MSEC);
	world_close(&w.client);
	/* A SYN that is retransmitted just before the end waits for the address once more, and
	 * keeps the socket for 3 s (mcast_solicit times retrans_time). */
	for (int i = 0; i < 40 && !*log_walk(&w.log[DERIVED][CLIENT]); i++)
		lab_run(&lab, 100 * NSEC_PER_MSEC);
	ck_assert_uint_eq(log_count(&w.log[BEST][CLIENT], OBSERVATION_PACKET), 0);
	if (has_bpf())
		ck_assert_str_eq(log_walk(&w.log[BEST][CLIENT]), "CLOSE>SYN_SENT SYN_SENT>CLOSE");
	ck_assert_str_eq(log_walk(&w.log[DERIVED][CLIENT]), "SYN_SENT>CLOSE");
	world_deinit(&w);
}
END_TEST

/* The server sends its SYN-ACK again when its timer expires, and when the client's SYN comes again.
 */
START_TEST(syn_ack_again)
{
	struct world w;

	world_init(&w, &lab, AF_INET);
	world_cut_node(&w, CLIENT);
	world_socket(&w);
	ck_assert_int_eq(world_connect(&w), -EINPROGRESS);
	lab_run(&lab, 1500 * NSEC_PER_MSEC);
	for (int o = 0; o < OBSERVERS; o++)
		ck_assert_str_eq(log_walk(&w.log[o][SERVER]), "");
	ck_assert_uint_gt(log_count(&w.log[BEST][SERVER], OBSERVATION_RETRANSMIT), 0);
	ck_assert_uint_eq(log_count(&w.log[BEST][SERVER], OBSERVATION_RETRANSMIT),
			  log_count(&w.log[DERIVED][SERVER], OBSERVATION_RETRANSMIT));
	world_deinit(&w);
}
END_TEST

static void on_logged(const struct observation *observation, void *userdata)
{
	log_append(userdata, observation);
}

static struct observer_watch *capture_at(struct world *w, const char *path, struct log *log)
{
	struct observer_watch_spec spec = { .ns = w->pair.ns[CLIENT],
					    .family = w->family,
					    .ifindex = w->pair.ifindex[CLIENT],
					    .interface = "eth0",
					    .pcap_path = path };
	struct observer_watch *watch;
	struct error err = { 0 };

	must(observer_watch(lab.observer[DERIVED], &spec, on_logged, log, &watch, &err));
	return watch;
}

static unsigned long count_by_libpcap(const char *path)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *pcap =
		pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
	struct pcap_pkthdr *header;
	struct tcp_packet packet;
	unsigned long n = 0;
	const u_char *frame;

	ck_assert_msg(pcap != NULL, "%s", text);
	while (pcap_next_ex(pcap, &header, &frame) == 1)
		n += packet_decode(frame, header->caplen, header->len, &packet);
	pcap_close(pcap);
	return n;
}

/* Counts the packets in a capture by tcpdump, or by libpcap in a user namespace, because tcpdump
 * cannot become the user that it wants to be there. */
static unsigned long count_by_tcpdump(const char *path)
{
	_cleanup_(freep) char *count = NULL;
	char command[256];

	if (fixture_is_rootless())
		return count_by_libpcap(path);
	snprintf(command, sizeof(command), "tcpdump -nr %s ip6 and tcp 2>/dev/null | wc -l", path);
	count = fixture_run(NULL, command);
	return strtoul(count, NULL, 10);
}

START_TEST(capture_is_read_by_tcpdump)
{
	char path[] = "/tmp/test-observer-XXXXXX";
	struct log log = { 0 };
	struct observer_watch *watch;
	struct error err = { 0 };
	unsigned long packets;
	struct world w;

	fd_close(mkstemp(path));
	world_init(&w, &lab, AF_INET6);
	watch = capture_at(&w, path, &log);
	world_establish(&w);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(send(w.client, "1234567890", 10, 0), 10);
	world_close(&w.client);
	lab_run(&lab, 100 * NSEC_PER_MSEC);
	must(observer_watch_check(watch, &err));
	observer_watch_free(watch);
	packets = log_count(&log, OBSERVATION_PACKET);
	ck_assert_uint_gt(packets, 10);
	ck_assert_uint_eq(count_by_libpcap(path), packets);
	ck_assert_uint_eq(count_by_tcpdump(path), packets);
	unlink(path);
	free(log.items);
	world_deinit(&w);
}
END_TEST

START_TEST(capture_tells_of_a_full_disk)
{
	struct log log = { 0 };
	struct observer_watch *watch;
	struct error err = { 0 };
	struct world w;
	struct stat st;

	world_init(&w, &lab, AF_INET);
	watch = capture_at(&w, "/dev/full", &log);
	world_establish(&w);
	ck_assert_int_eq(observer_watch_check(watch, &err), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(err.text, "/dev/full"));
	observer_watch_free(watch);
	/* An empty capture goes, but a device is no capture. */
	ck_assert_int_eq(stat("/dev/full", &st), 0);
	ck_assert(S_ISCHR(st.st_mode));
	free(log.items);
	world_deinit(&w);
}
END_TEST

/* With a limit of 0 bytes nothing can be written, as on a full disk, and no empty file stays. */
START_TEST(capture_of_nothing_is_removed)
{
	const struct rlimit none = { 0, RLIM_INFINITY }, any = { RLIM_INFINITY, RLIM_INFINITY };
	char folder[] = "/tmp/deadpeer-capture.XXXXXX", path[64];
	struct log log = { 0 };
	struct observer_watch *watch;
	struct error err = { 0 };
	struct world w;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.pcap", folder);
	signal(SIGXFSZ, SIG_IGN);
	world_init(&w, &lab, AF_INET);
	watch = capture_at(&w, path, &log);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	world_establish(&w);
	ck_assert_int_eq(observer_watch_check(watch, &err), -EFBIG);
	observer_watch_free(watch);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &any), 0);
	ck_assert_int_eq(rmdir(folder), 0);
	free(log.items);
	world_deinit(&w);
}
END_TEST

struct tally {
	uint64_t events, lost;
};

static void on_tally(uint64_t netns, const struct observation *o, void *userdata)
{
	struct tally *tally = userdata;

	if (o->kind == OBSERVATION_LOST)
		tally->lost += o->lost;
	else
		tally->events++;
}

static bool on_packet_tally(const struct observation *o, void *userdata)
{
	on_tally(0, o, userdata);
	return true;
}

static void be_refused(struct world *w)
{
	world_socket(w);
	ck_assert_int_lt(world_connect(w), 0);
	world_close(&w->client);
}

/* A refused connection makes three events at the client: SYN_SENT, the reset and CLOSE. */
START_TEST(full_ring_is_noticed)
{
	struct tracepoints *bpf;
	struct tally tally = { 0 };
	struct error err = { 0 };
	struct world w;

	if (!has_bpf())
		return;
	world_init(&w, &lab, AF_INET);
	world_close(&w.listener);
	must(tracepoints_new(4096, on_tally, &tally, &bpf, &err));
	must(tracepoints_watch(bpf, w.pair.ns[CLIENT]->cookie, &err));
	for (int i = 0; i < 200; i++)
		be_refused(&w);
	tracepoints_drain(bpf, 10);
	ck_assert_uint_eq(tally.events, 10);
	ck_assert_uint_gt(tally.lost, 100);
	tracepoints_drain(bpf, UINT32_MAX);
	ck_assert_uint_eq(tally.events + tally.lost, 600);
	be_refused(&w);
	tracepoints_drain(bpf, UINT32_MAX);
	ck_assert_uint_eq(tally.events + tally.lost, 603);
	tracepoints_free(bpf);
	world_deinit(&w);
}
END_TEST

/* A refused connection makes two packets: a SYN and a RST. */
START_TEST(dropped_packets_are_noticed)
{
	_cleanup_(packets_buffer_freep) struct packets_buffer *buffer = packets_buffer_new();
	struct packets *source;
	struct tally tally = { 0 };
	struct error err = { 0 };
	struct world w;
	int size = 1;

	world_init(&w, &lab, AF_INET);
	world_close(&w.listener);
	must(packets_new(&(struct observer_watch_spec){ .ns = w.pair.ns[CLIENT],
							.ifindex = w.pair.ifindex[CLIENT],
							.interface = "eth0" },
			 buffer, on_packet_tally, &tally, &source, &err));
	ck_assert_int_eq(setsockopt(packets_fd(source), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)),
			 0);
	for (int i = 0; i < 200; i++)
		be_refused(&w);
	packets_drain(source, UINT32_MAX);
	ck_assert_uint_gt(tally.lost, 0);
	ck_assert_uint_eq(tally.events + tally.lost, 400);
	packets_free(source);
	world_deinit(&w);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, destroyed_socket_leaves_its_info);
	tcase_add_test(tc, capture_is_read_by_tcpdump);
	tcase_add_test(tc, capture_tells_of_a_full_disk);
	tcase_add_test(tc, capture_of_nothing_is_removed);
	tcase_add_test(tc, dropped_packets_are_noticed);
}

/* The tests that wait for events of the tracepoints may meet the cause missed-event (flakes.h). */
static void add_tracepoint_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, reason_why_all_is_derived);
	tcase_add_loop_test(tc, orderly_close, 0, 2 * ARRAY_SIZE(closes));
	tcase_add_test(tc, one_clock);
	tcase_add_test(tc, unwatched_namespaces_are_not_seen);
	tcase_add_test(tc, watch_freed_by_whom_it_tells);
	tcase_add_test(tc, dual_stack_socket);
	tcase_add_test(tc, neighbour_not_found);
	tcase_add_test(tc, syn_ack_again);
	tcase_add_test(tc, full_ring_is_noticed);
}

int main(void)
{
	int status = fixture_main("observer", add_tests);

	return status ? status : flakes_missed_event("tracepoints", add_tracepoint_tests);
}
