/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What an observer tells: one event of one watched namespace, as plain data. */

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
	OBSERVATION_DESTROY, /* sock_diag: the socket is freed; `destroyed` is its last tcp_info */
	OBSERVATION_LOST,    /* `lost` events or packets could not be recorded */
	_OBSERVATION_KIND_MAX,
};

struct observation {
	enum observation_kind kind;
	bool derived; /* told from packets and sock_diag, not by a tracepoint; both tell, each by
		       * itself, where there are tracepoints */
	nsec_t time_nsec; /* CLOCK_MONOTONIC */
	uint64_t socket;  /* identifies the socket within its namespace while it lives: its kernel
			   * address (tracepoint), else a hash of the four-tuple. The kernel may give
			   * the address of a closed socket to the next one. 0 for PACKET and LOST,
			   * for a reset sent where there is no socket, and, with the tracepoint, for
			   * DESTROY: go by the ports */
	uint16_t local_port, peer_port; /* host order; 0: not known, or a listener. Going to
					 * SYN_SENT a socket that was not bound has no local port
					 * yet, going to SYN_RECV some have no peer port yet */
	union {
		struct {
			int from, to; /* TCP_* (src/tcp/tracker.h). A full socket's:
				       * TIME_WAIT and an orphan's FIN_WAIT2 begin with CLOSE,
				       * SYN_RECV comes with ESTABLISHED. Listeners are seen by
				       * the tracepoint only */
			struct socket_facts facts;
		} state;
		struct {
			enum retransmit_reason reason;
			nsec_t rto_nsec; /* that expired; NSEC_NONE when not known, or when it was
					  * not the retransmission timeout */
		} retransmit;
		struct tcp_packet packet;
		struct tcp_info destroyed;
		uint64_t lost;
	};
};
