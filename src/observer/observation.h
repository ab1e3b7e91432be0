/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* An observation: one event of one watched namespace, as plain data, that the observer tells. */

#include <linux/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#include "src/tcp/facts.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"
#include "src/util/nsec.h"

enum observation_kind {
	OBSERVATION_STATE,
	OBSERVATION_RETRANSMIT,
	OBSERVATION_RESET_SENT,
	OBSERVATION_RESET_RECEIVED,
	OBSERVATION_PACKET,
	OBSERVATION_DESTROY, /* sock_diag told that the kernel freed the socket */
	OBSERVATION_LOST,    /* some events or packets could not be recorded */
	_OBSERVATION_KIND_MAX,
};

struct observation {
	enum observation_kind kind;
	bool derived;	  /* the source is packets and sock_diag, not a tracepoint. Where there are
			   * tracepoints, both sources tell of the same event */
	nsec_t time_nsec; /* CLOCK_MONOTONIC */
	uint64_t socket;  /* identifies the socket within its namespace while the socket lives: its
			   * kernel address (tracepoint), else a hash of the four-tuple. The kernel
			   * may give the address of a closed socket to the next one. 0 for PACKET
			   * and LOST, for a reset sent without a socket, and for a DESTROY that is
			   * not derived: there the ports identify the socket */
	uint16_t local_port, peer_port; /* host order; 0: not known, or a listener. A socket that
					 * goes to SYN_SENT without having been bound has no local
					 * port yet, and some that go to SYN_RECV no peer port */
	union {
		struct {
			int from, to; /* enum tcp_state, of a full socket: the beginning of
				       * TIME_WAIT or of an orphan's FIN_WAIT2 is told as CLOSE,
				       * and SYN_RECV is told together with ESTABLISHED. Only
				       * tracepoints show listeners */
			struct socket_facts facts;
		} state;
		struct {
			enum retransmit_reason reason;
			nsec_t rto_nsec; /* the retransmission timeout that expired; NSEC_NONE: it
					  * is not known, or was not the cause */
		} retransmit;
		struct tcp_packet packet;
		struct tcp_info destroyed; /* DESTROY: the socket's last tcp_info */
		uint64_t lost;		   /* LOST: how many */
	};
};
