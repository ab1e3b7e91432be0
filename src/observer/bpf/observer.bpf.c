// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The BPF programs of the observer. Theory of operation: five kernel tracepoints show
 * what becomes of a TCP socket. Each program takes only the first arguments of its
 * tracepoint, since later kernels append others, looks up the socket's namespace among
 * the watched ones, and reserves one event in the ring buffer. If the ring is full, the
 * program counts the event in the namespace's entry of `watched`, and user space reports
 * that count, so that no loss goes unnoticed.
 */
#include "src/observer/bpf/kernel-types.h"

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "src/observer/bpf/observer-event.h"

#define IPPROTO_TCP 6
#define AF_INET	    2
/* include/net/tcp_states.h: sockets in these states are not full ones (sk_fullsock()). */
#define TCP_TIME_WAIT	 6
#define TCP_NEW_SYN_RECV 12
/* include/net/inet_connection_sock.h */
#define ICSK_TIME_LOSS_PROBE 5
/* include/uapi/linux/tcp.h: enum tcp_ca_state */
#define TCP_CA_Recovery 3
#define TCP_CA_Loss	4
/* include/net/tcp.h */
#define TCP_NAGLE_OFF 1

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* bytes; user space may set another size */
} events SEC(".maps");

/* Name of each watched namespace -> how many of its events found the ring full. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 16);
	__type(key, __u64);
	__type(value, __u64);
} watched SEC(".maps");

/* The number of events of all namespaces that found the ring full. User space reads `watched` only
 * when this number has changed. */
__u64 lost = 0;

/* Set by user space where it knows no cookies of namespaces (before 5.14). */
const volatile bool by_inode = false;

/* Whether a namespace goes by the number of its inode. Before 5.12 its cookie is made only when
 * somebody asks for it, and is no number that could be read here. */
#define BY_INODE(net) (by_inode || !bpf_core_field_exists((net)->net_cookie))

/* Returns the name of a namespace to which the verifier lets a program look. */
static __always_inline __u64 name_of(const struct net *net)
{
	return BY_INODE(net) ? net->ns.inum : net->net_cookie;
}

/* Returns the name of any namespace, or 0 of none. */
static __always_inline __u64 probe_name(const struct net *net)
{
	return BY_INODE(net) ? BPF_CORE_READ(net, ns.inum) : BPF_CORE_READ(net, net_cookie);
}

/* Reserves an event in the ring. Returns NULL if the ring is full or the namespace not watched. */
static __always_inline struct observer_event *reserve(__u64 netns, __u32 kind)
{
	__u64 now_nsec = bpf_ktime_get_ns();
	__u64 *own_lost = bpf_map_lookup_elem(&watched, &netns);
	struct observer_event *e;

	if (!own_lost)
		return NULL;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(own_lost, 1);
		__sync_fetch_and_add(&lost, 1);
		return NULL;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->time_nsec = now_nsec;
	e->netns = netns;
	e->kind = kind;
	return e;
}

/* Takes the addresses from the sock_common of a socket, which every kind of socket has. A kernel
 * without IPv6 has no field for its addresses. */
static __always_inline void set_addresses(struct observer_event *e, const struct sock_common *c)
{
	e->family = BPF_CORE_READ(c, skc_family);
	if (e->family == AF_INET) {
		bpf_probe_read_kernel(e->local, sizeof(__be32), &c->skc_rcv_saddr);
		bpf_probe_read_kernel(e->peer, sizeof(__be32), &c->skc_daddr);
	} else if (bpf_core_field_exists(c->skc_v6_daddr)) {
		bpf_probe_read_kernel(e->local, sizeof(e->local), &c->skc_v6_rcv_saddr);
		bpf_probe_read_kernel(e->peer, sizeof(e->peer), &c->skc_v6_daddr);
	}
}

/* Reserves an event of a full socket. For any other socket `tp` is NULL, and so is the result. */
static __always_inline struct observer_event *reserve_full(const struct tcp_sock *tp, __u32 kind)
{
	struct observer_event *e = NULL;

	if (tp)
		e = reserve(name_of(tp->inet_conn.icsk_inet.sk.__sk_common.skc_net.net), kind);
	if (!e)
		return NULL;
	e->socket = (__u64)tp;
	e->local_port = bpf_ntohs(tp->inet_conn.icsk_inet.inet_sport);
	e->peer_port = bpf_ntohs(tp->inet_conn.icsk_inet.sk.__sk_common.skc_dport);
	set_addresses(e, &tp->inet_conn.icsk_inet.sk.__sk_common);
	return e;
}

static __always_inline bool has_flag(const struct sock *sk, int flag)
{
	return sk->__sk_common.skc_flags >> flag & 1;
}

static __always_inline void set_facts(struct observer_event *e, const struct tcp_sock *tp)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	const struct sock *sk = &icsk->icsk_inet.sk;

	e->dead = has_flag(sk, bpf_core_enum_value(enum sock_flags, SOCK_DEAD));
	e->keepalive = has_flag(sk, bpf_core_enum_value(enum sock_flags, SOCK_KEEPOPEN));
	e->retransmits = BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_retransmits);
	e->probes = BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_probes_out);
	e->user_timeout_msec = icsk->icsk_user_timeout;
	e->unacknowledged = tp->snd_nxt - tp->snd_una;
	e->unsent = tp->write_seq - tp->snd_nxt;
	e->error = sk->sk_err;
	e->soft_error = sk->sk_err_soft;
	e->nodelay = BPF_CORE_READ_BITFIELD_PROBED(tp, nonagle) & TCP_NAGLE_OFF;
	e->keepalive_idle_jiffies = tp->keepalive_time;
	e->keepalive_interval_jiffies = tp->keepalive_intvl;
	e->keepalive_probes = BPF_CORE_READ_BITFIELD_PROBED(tp, keepalive_probes);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_set_state, struct sock *sk, int from, int to)
{
	struct observer_event *e;
	struct tcp_sock *tp;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	e = reserve_full(tp, OBSERVER_EVENT_STATE);
	if (!e)
		return 0;
	set_facts(e, tp);
	e->from = from;
	e->to = to;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/*
 * Tells from a socket why it sends a segment again. net/ipv4/tcp_timer.c: tcp_write_timer_handler()
 * clears icsk_pending before a retransmission timeout, and leaves ICSK_TIME_LOSS_PROBE in it for
 * tcp_send_loss_probe(). During a retransmission that ACKs cause, the timer is still armed. An ICMP
 * error that reverts the back-off (tcp_ipv4.c: tcp_ld_RTO_revert) calls the timeout's function with
 * the timer armed; that function sends the oldest segment again, in TCP_CA_Loss, without any ACK
 * since the last timeout.
 */
static __always_inline __u8 reason(const struct tcp_sock *tp, const struct sk_buff *skb)
{
	const struct inet_connection_sock *icsk = &tp->inet_conn;
	__u8 pending = BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_pending);
	__u8 ca_state = BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_ca_state);
	const struct tcp_skb_cb *cb = (const void *)skb->cb;

	if (pending == 0)
		return OBSERVER_REASON_RTO;
	if (pending == ICSK_TIME_LOSS_PROBE && ca_state < TCP_CA_Recovery)
		return OBSERVER_REASON_LOSS_PROBE;
	if (ca_state == TCP_CA_Loss && BPF_CORE_READ_BITFIELD_PROBED(icsk, icsk_retransmits) &&
	    BPF_CORE_READ(cb, seq) == tp->snd_una)
		return OBSERVER_REASON_RTO;
	return OBSERVER_REASON_FAST;
}

/* Kernels before 6.17 or so reach this tracepoint only if the segment was sent. Later ones always
 * reach it, with the result as a third argument; older kernels' verifier refuses to read it. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(on_retransmit, struct sock *sk, struct sk_buff *skb)
{
	struct observer_event *e;
	struct tcp_sock *tp;

	if (bpf_core_field_exists(struct trace_event_raw_tcp_retransmit_skb, err) && (int)ctx[2])
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	e = reserve_full(tp, OBSERVER_EVENT_RETRANSMIT);
	if (!e)
		return 0;
	e->reason = reason(tp, skb);
	e->rto_jiffies = tp->inet_conn.icsk_rto;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/* Takes the address and the ports from the sock_common of a socket, the only part that a request
 * socket or a TIME_WAIT socket has in common with a full one. */
static __always_inline void set_small_socket(struct observer_event *e, const struct sock_common *c)
{
	e->socket = (__u64)c;
	e->local_port = BPF_CORE_READ(c, skc_num);
	e->peer_port = bpf_ntohs(BPF_CORE_READ(c, skc_dport));
	set_addresses(e, c);
}

/* A SYN-ACK is sent again by the timer of a request socket, or because the SYN came again. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(on_retransmit_synack, struct sock *sk, struct request_sock *request)
{
	const struct sock_common *c = &request->__req_common;
	struct observer_event *e;

	e = reserve(name_of(c->skc_net.net), OBSERVER_EVENT_RETRANSMIT);
	if (!e)
		return 0;
	set_small_socket(e, c);
	e->reason = OBSERVER_REASON_UNKNOWN;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/* Takes the ports from a packet for which no socket was found, and which a reset answers. */
static __always_inline void set_ports_of(struct observer_event *e, const struct sk_buff *skb)
{
	const unsigned char *header = BPF_CORE_READ(skb, head);
	__be16 port[2] = { 0, 0 };

	header += BPF_CORE_READ(skb, transport_header);
	bpf_probe_read_kernel(port, sizeof(port), header);
	e->peer_port = bpf_ntohs(port[0]);
	e->local_port = bpf_ntohs(port[1]);
}

/* Returns the name of the namespace in which a packet came in; 0 if the packet has no device. */
static __always_inline __u64 netns_of(const struct sk_buff *skb)
{
	const struct net_device *dev = BPF_CORE_READ(skb, dev);

	return dev ? probe_name(BPF_CORE_READ(dev, nd_net.net)) : 0;
}

/* Kernels before 6.10 trace only resets of sockets; in later ones `sk` may be NULL, or not a full
 * socket. All fields are read by probe reads, because the verifiers of different kernels let a
 * program assume different things of the two pointers. */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(on_send_reset, struct sock *sk, struct sk_buff *skb)
{
	struct observer_event *e;
	__u64 netns;

	netns = sk ? probe_name(BPF_CORE_READ(sk, __sk_common.skc_net.net)) : 0;
	if (!sk && skb)
		netns = netns_of(skb);
	e = reserve(netns, OBSERVER_EVENT_RESET_SENT);
	if (!e)
		return 0;
	if (sk) {
		unsigned char state = BPF_CORE_READ(sk, __sk_common.skc_state);
		struct inet_sock *inet = (void *)sk;

		set_small_socket(e, &sk->__sk_common);
		if (state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV)
			e->local_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	} else if (skb) {
		set_ports_of(e, skb);
	}
	bpf_ringbuf_submit(e, 0);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(on_receive_reset, struct sock *sk)
{
	struct observer_event *e =
		reserve_full(bpf_skc_to_tcp_sock(sk), OBSERVER_EVENT_RESET_RECEIVED);

	if (e)
		bpf_ringbuf_submit(e, 0);
	return 0;
}
