/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What was seen of connections at both ends while a trial ran, as plain data: each
 * packet as each end saw it, and the timers of the sockets. trace-build.h makes a
 * trace of these sightings.
 */

#include "src/record/trace.h"
#include "src/tcp/packet.h"
#include "src/util/cleanup.h"

/* A packet as one end saw it. */
struct sighting_packet {
	nsec_t time_nsec;		   /* CLOCK_MONOTONIC */
	bool sent;			   /* by this end; else it received the packet */
	uint8_t flags;			   /* mask of enum packet_flag */
	uint16_t window, id;		   /* as in struct tcp_packet */
	uint16_t local_port, peer_port;	   /* host order */
	uint32_t seq, ack, payload, stamp; /* as in struct tcp_packet */
};

/* The timer of a socket as sock_diag told it. */
struct sighting_timer {
	nsec_t time_nsec; /* CLOCK_MONOTONIC */
	enum end_id end;  /* whose socket it is */
	struct trace_timer timer;
};

/* All sightings of one trial. */
struct sighting_log {
	struct sighting_packet *packets[_END_MAX]; /* in the order of time; owned */
	size_t n_packets[_END_MAX];
	struct sighting_timer *timers; /* in the order of time; owned */
	size_t n_timers;
	nsec_t origin_nsec; /* of the first event, CLOCK_MONOTONIC */
};

/* Frees a log, which calloc() has made, and all that it owns. Returns NULL. */
struct sighting_log *sighting_log_free(struct sighting_log *sightings);
/* Repeats the packets of the connection whose first end this is for `n` more behind it. The ends
 * behind it, `n_ends` in all until now, move. -ENOMEM is the only failure. */
int sighting_multiply(struct sighting_log *sightings, enum end_id first, size_t n_ends, size_t n);
/* Adds a packet as `end` saw it. -ENOMEM is the only failure. */
int sighting_add_packet(struct sighting_log *sightings, enum end_id end, nsec_t time_nsec,
			const struct tcp_packet *packet);
/* Adds a timer of a socket of `end` if it differs from the end's last one in its kind, its count
 * or its moment of expiry. -ENOMEM is the only failure. */
int sighting_add_timer(struct sighting_log *sightings, enum end_id end, nsec_t time_nsec,
		       const struct trace_timer *timer);
