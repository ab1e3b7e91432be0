/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The few kernel structs and fields that the BPF programs read. The offsets and sizes
 * here mean nothing: libbpf finds each field by its name in the running kernel (CO-RE).
 * The programs have run on each series of Debian's from 5.10 to 7.3.
 */

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	__u64 net_cookie; /* before 5.12 an atomic64_t, which does not match */
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	__u8 bytes[16]; /* the kernel has a union here, which is read as a whole */
};

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	unsigned short skc_family;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned char skc_state;
	possible_net_t skc_net;
	unsigned long skc_flags;
};

struct sock {
	struct sock_common __sk_common;
	int sk_err;
	int sk_err_soft;
	__u16 sk_protocol;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport; /* unlike skc_num not cleared by inet_put_port() */
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	__u32 icsk_rto;
	__u8 icsk_ca_state : 5;
	__u8 icsk_retransmits;
	__u8 icsk_pending;
	__u8 icsk_probes_out;
	__u32 icsk_user_timeout;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 snd_una;
	__u32 snd_nxt;
	__u32 write_seq;
	__u8 nonagle : 4;
	unsigned int keepalive_time;
	unsigned int keepalive_intvl;
	__u8 keepalive_probes;
};

/* include/net/request_sock.h: the first member is the sock_common of a future socket. */
struct request_sock {
	struct sock_common __req_common;
};

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	char cb[48];
	__u16 transport_header;
	unsigned char *head;
};

struct tcp_skb_cb {
	__u32 seq;
};

/* The record of the tracepoint tcp_retransmit_skb, to which newer kernels added the result of
 * sending. */
struct trace_event_raw_tcp_retransmit_skb {
	int err;
};

enum sock_flags {
	SOCK_DEAD = 0,
	SOCK_KEEPOPEN = 3,
};

#pragma clang attribute pop
