/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Makes a trace of what was seen at both ends. Pure: no clock, no kernel. Theory
 * of operation: each end's packets are kept as it saw them; a packet sent by one
 * end and seen by the other with the same content becomes one. Then everything is
 * told in the order of time, and what is told again is recognised.
 *
 * A trial with a trace keeps every packet that either end saw, and what looks at timers by
 * sock_diag found. To make a trace of that takes longer than a trial may be kept waiting, so
 * tracer_finish() is called by whoever takes the record; a guest does so when its last trial is
 * over, and hands out captures then. trace-join.c joins the two ends' packets by their content,
 * trace-build.c recognises retransmissions and probes. The test `trace` holds each packet against
 * what tcpdump reads in the captures.
 */

#include "src/record/record.h"
#include "src/tcp/packet.h"

/* A packet as one end saw it. */
struct tracer_packet {
	nsec_t time_nsec;
	bool sent; /* else received */
	uint8_t flags;
	uint16_t window, id;
	uint16_t local_port, peer_port;
	uint32_t seq, ack, payload, stamp;
	/* Found out by tracer_join(). */
	struct tracer_packet *other; /* the same as the other end saw it, or NULL */
	bool in_pieces;		     /* sent: its bytes arrived otherwise cut; received: likewise */
	size_t flow;
};

struct tracer_timer {
	nsec_t time_nsec;
	enum node_id node;
	struct trace_timer timer;
};

/* Everything owned; times are absolute. */
struct tracer {
	struct tracer_packet *packets[_ENDPOINT_MAX];
	size_t n_packets[_ENDPOINT_MAX];
	struct tracer_timer *timers;
	size_t n_timers;
	nsec_t origin_nsec; /* the first event */
};

/* calloc() makes one. */
struct tracer *tracer_free(struct tracer *tracer);
/* -ENOMEM is the only failure of these. */
int tracer_add_packet(struct tracer *tracer, enum node_id node, nsec_t time_nsec,
		      const struct tcp_packet *packet);
/* Keeps it if it says something that the node's last one does not: another timer or count, or
 * another moment of expiry. `name` NULL: none is running. */
int tracer_add_timer(struct tracer *tracer, enum node_id node, nsec_t time_nsec,
		     const struct trace_timer *timer);

/* Finds for each packet what the other end saw of it. */
int tracer_join(struct tracer *tracer);
/* Makes record->trace of record->tracer, which is freed, and of what else the record says. It may
 * take a while: for whoever has no trial to keep waiting. */
int tracer_finish(struct record *record);
