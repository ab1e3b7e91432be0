/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The states of a TCP connection, the timers of its socket, the reasons of its
 * retransmissions, and their names. States and timers have the kernel's numbers
 * (include/net/tcp_states.h). The C library has constants for the states, too, but in a
 * header that cannot be included beside <linux/tcp.h>.
 */

#include "src/util/names.h"

enum tcp_state {
	TCP_STATE_NONE,
	TCP_STATE_ESTABLISHED,
	TCP_STATE_SYN_SENT,
	TCP_STATE_SYN_RECV,
	TCP_STATE_FIN_WAIT1,
	TCP_STATE_FIN_WAIT2,
	TCP_STATE_TIME_WAIT,
	TCP_STATE_CLOSE,
	TCP_STATE_CLOSE_WAIT,
	TCP_STATE_LAST_ACK,
	TCP_STATE_LISTEN,
	TCP_STATE_CLOSING,
	TCP_STATE_NEW_SYN_RECV, /* a SYN was answered, and there is no full socket yet */
	_TCP_STATE_MAX,
};

/* idiag_timer, as `ss -o` names them (net/ipv4/inet_diag.c: inet_sk_diag_fill). */
enum tcp_timer {
	TCP_TIMER_OFF,
	TCP_TIMER_ON, /* retransmission, loss probe or reordering */
	TCP_TIMER_KEEPALIVE,
	TCP_TIMER_TIMEWAIT,
	TCP_TIMER_PERSIST,
	_TCP_TIMER_MAX,
};

/* Why a segment was sent again (icsk_pending at tcp_retransmit_skb). */
enum retransmit_reason {
	RETRANSMIT_UNKNOWN, /* the retransmission was derived from packets, or is a SYN-ACK's */
	RETRANSMIT_RTO,
	RETRANSMIT_LOSS_PROBE, /* tail loss probe */
	RETRANSMIT_FAST,       /* ACKs showed that the segment was lost */
	_RETRANSMIT_REASON_MAX,
};

/* RFC 9293's names with underscores, CLOSE for CLOSED as in linux/tcp_states.h: "ESTABLISHED",
 * "TIME_WAIT" (`ss` would print ESTAB and TIME-WAIT). TCP_STATE_NONE has none. */
DECLARE_NAMES(tcp_state, int)
/* "off", "on", "keepalive", "timewait", "persist", as `ss -o` prints them. */
DECLARE_NAMES(tcp_timer, enum tcp_timer)
/* "rto", "loss-probe", "fast"; RETRANSMIT_UNKNOWN has none. */
DECLARE_NAMES(retransmit_reason, enum retransmit_reason)
