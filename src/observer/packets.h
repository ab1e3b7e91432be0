/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The packet source: an AF_PACKET socket on one interface of a watched namespace.
 * It hands out TCP headers with the kernel's timestamp, moved from CLOCK_REALTIME to
 * CLOCK_MONOTONIC, and writes whole packets to a capture file where one is wanted.
 */

#include <stdbool.h>

#include "src/observer/observer.h"

struct observer_packet;
struct packet_buffer; /* where packets are received to; one serves all sources */

/* Gets an OBSERVATION_PACKET or OBSERVATION_LOST; false ends the drain at once, and then the
 * source may already be doomed. */
typedef bool (*observer_packet_func)(const struct observation *observation, void *userdata);

struct packet_buffer *packet_buffer_new(void);
struct packet_buffer *packet_buffer_free(struct packet_buffer *buffer);
DEFINE_CLEANUP(struct packet_buffer *, packet_buffer_free)

/* `buffer` must outlive the source. */
int observer_packet_new(const struct observer_watch_spec *spec, struct packet_buffer *buffer,
			observer_packet_func func, void *userdata,
			struct observer_packet **ret_source, struct error *err);
/* Frees it and returns what it was linked to by observer_packet_mute(), or NULL. */
struct observer_packet *observer_packet_free(struct observer_packet *source);
DEFINE_CLEANUP(struct observer_packet *, observer_packet_free)

/* Takes nothing in any more, and is linked in front of `next`. Returns `source`. */
struct observer_packet *observer_packet_mute(struct observer_packet *source,
					     struct observer_packet *next);

int observer_packet_fd(const struct observer_packet *source);
/* Receives what there is, at most `max_batches` times a handful; then tells what was dropped. */
void observer_packet_drain(struct observer_packet *source, unsigned int max_batches);
/* Brings the capture to the disk; 0, or why it is not whole. */
int observer_packet_check(struct observer_packet *source, struct error *err);
