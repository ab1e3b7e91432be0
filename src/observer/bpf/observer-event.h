/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * An event that the BPF programs put into the ring buffer, and that user space takes out
 * of it. All kinds of events have the same struct, so that the reader checks one size.
 * This header includes kernel types only, because the BPF programs use it too.
 */

#include <linux/types.h>

enum observer_event_kind {
	OBSERVER_EVENT_STATE,
	OBSERVER_EVENT_RETRANSMIT,
	OBSERVER_EVENT_RESET_SENT,
	OBSERVER_EVENT_RESET_RECEIVED,
	_OBSERVER_EVENT_MAX,
};

enum observer_event_reason {
	OBSERVER_REASON_RTO,
	OBSERVER_REASON_LOSS_PROBE,
	OBSERVER_REASON_FAST,
	OBSERVER_REASON_UNKNOWN, /* a SYN-ACK */
	_OBSERVER_REASON_MAX,
};

struct observer_event {
	__u64 time_nsec;	     /* bpf_ktime_get_ns(): CLOCK_MONOTONIC */
	__u64 netns;		     /* net_cookie of the socket's namespace */
	__u64 socket;		     /* kernel address; 0: a reset was sent without a socket */
	__u32 kind;		     /* enum observer_event_kind */
	__u16 local_port, peer_port; /* host order; 0: not known */

	__u8 from, to;		  /* STATE: the kernel's TCP_ESTABLISHED and so on */
	__u8 reason;		  /* RETRANSMIT: enum observer_event_reason */
	__u8 dead, keepalive;	  /* STATE: SOCK_DEAD and SOCK_KEEPOPEN, 0 or 1 */
	__u8 nodelay;		  /* STATE: TCP_NAGLE_OFF of nonagle, 0 or 1 */
	__u16 family;		  /* of the socket; 0: the addresses are not known */
	__u8 local[16], peer[16]; /* AF_INET: the first four bytes */
	__u32 rto_jiffies;	  /* RETRANSMIT: icsk_rto */
	/* STATE: these are as in struct socket_facts (src/tcp/facts.h). */
	__u32 retransmits, probes, user_timeout_msec;
	__u32 unacknowledged, unsent;
	__s32 error, soft_error;
	/* STATE: what the socket has of its own; 0: the sysctl holds. */
	__u32 keepalive_idle_jiffies, keepalive_interval_jiffies, keepalive_probes;
	__u32 pad;
};
