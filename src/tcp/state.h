/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The states of a TCP connection, numbered as the kernel does
 * (include/net/tcp_states.h). The C library's names for them stand in a header
 * that cannot be included beside <linux/tcp.h>, hence our own.
 */

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
	TCP_STATE_NEW_SYN_RECV,
	_TCP_STATE_MAX,
};
