/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What was seen of a connection at its two ends while a trial ran, as plain data:
 * each packet as either end had it, and the timers of its sockets. A trace is made
 * of it (trace-build.h).
 */

#include "src/record/trace.h"
#include "src/tcp/packet.h"
#include "src/util/cleanup.h"

/* A packet as one end saw it. */
struct sighting_packet {
	nsec_t time_nsec; /* CLOCK_MONOTONIC */
	bool sent;	  /* else received */
	uint8_t flags;	  /* enum packet_flag */
	uint16_t window, id;
	uint16_t local_port, peer_port;
	uint32_t seq, ack, payload, stamp; /* as in struct tcp_packet */
};

struct sighting_timer {
	nsec_t time_nsec; /* CLOCK_MONOTONIC */
	enum node_id node;
	struct trace_timer timer;
};

struct sighting_log {
	struct sighting_packet *packets[_ENDPOINT_MAX]; /* in the order of time; owned */
	size_t n_packets[_ENDPOINT_MAX];
	struct sighting_timer *timers; /* likewise */
	size_t n_timers;
	nsec_t origin_nsec; /* of the first event, CLOCK_MONOTONIC */
};

/* calloc() makes one. */
struct sighting_log *sighting_log_free(struct sighting_log *sightings);
/* -ENOMEM is the only failure of these. */
int sighting_add_packet(struct sighting_log *sightings, enum node_id node, nsec_t time_nsec,
			const struct tcp_packet *packet);
/* Keeps it if it says something that the node's last one does not: another timer or count, or
 * another moment of expiry. */
int sighting_add_timer(struct sighting_log *sightings, enum node_id node, nsec_t time_nsec,
		       const struct trace_timer *timer);
