/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the BPF programs put into the ring buffer and user space takes out: one
 * struct for every kind, so that a reader checks one size. Both sides are built
 * from this file alone; it uses kernel types and no other header of ours.
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
	__u64 socket;		     /* kernel address; 0: there was none (a reset by no socket) */
	__u32 kind;		     /* enum observer_event_kind */
	__u16 local_port, peer_port; /* host order; 0 when not known */

	__u8 from, to;	      /* STATE: TCP_* */
	__u8 reason;	      /* RETRANSMIT: enum observer_event_reason */
	__u8 dead, keepalive; /* STATE: sock flags, 0 or 1 */
	__u8 pad[3];
	__u32 rto_jiffies; /* RETRANSMIT: icsk_rto */
	__u32 retransmits, probes, user_timeout_msec;
	__u32 unacknowledged, unsent;
	__s32 error, soft_error;
	__u32 pad2;
};
