/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One TCP endpoint's state, told from its packets alone (RFC 9293 section 3.3.2),
 * without asking the kernel. Packets go in and events come out. The tracker is passive:
 * packets do not show the decision of a timer, an orphan or a closed queue, and a state
 * change is seen when its packet passes, not when the call was made.
 */

#include <stdbool.h>
#include <stdint.h>

#include "src/tcp/facts.h"
#include "src/tcp/packet.h"
#include "src/tcp/state.h"

struct tcp_tracker {
	int state;		    /* enum tcp_state; TCP_STATE_NONE before the first packet */
	uint32_t snd_una, snd_nxt;  /* as in RFC 9293, of the watched node */
	uint32_t rcv_nxt;	    /* as in RFC 9293, of the watched node */
	uint32_t peer_isn;	    /* of the SYN that is being answered */
	uint32_t fin_end, peer_fin; /* sequence number behind the own and the peer's FIN */
	bool fin_sent;		    /* fin_end holds */
	bool fin_seen;		    /* peer_fin holds, and waits for the data before it */
	bool answered;		    /* a SYN-ACK was sent */
	bool peer_window_zero;	    /* as last advertised */
	bool keepalive_probed;	    /* a probe was sent with the peer's window open */
	uint32_t retransmits;	    /* since snd_una last moved */
	uint32_t probes;	    /* since the peer was last heard */
};

enum tracker_event_kind {
	TRACKER_STATE,
	TRACKER_RETRANSMIT,
	TRACKER_RESET_SENT,
	TRACKER_RESET_RECEIVED,
};

struct tracker_event {
	enum tracker_event_kind kind;
	int from, to; /* STATE: enum tcp_state */
};

#define TRACKER_EVENTS_MAX 4 /* that one packet can cause */

struct tracker_events {
	struct tracker_event event[TRACKER_EVENTS_MAX];
	unsigned int count;
};

/* Whether a packet may open a connection: others of an unknown four-tuple are not tracked. */
bool tcp_tracker_opens(const struct tcp_packet *packet);
/* Takes a packet that the watched node sent (packet->outgoing) or got, in the order of time. */
void tcp_tracker_packet(struct tcp_tracker *tracker, const struct tcp_packet *packet,
			struct tracker_events *ret_events);
/* What can be told of the socket: no error, no user timeout, nothing unsent. */
void tcp_tracker_facts(const struct tcp_tracker *tracker, struct socket_facts *ret_facts);
/* Whether the kernel has no socket for the connection, or has none any more. */
bool tcp_tracker_closed(const struct tcp_tracker *tracker);
