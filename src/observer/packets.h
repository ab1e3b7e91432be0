/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The packet source of the observer: an AF_PACKET socket on an interface of a watched
 * namespace. The source hands out TCP headers with the kernel's timestamps, converted
 * from CLOCK_REALTIME to CLOCK_MONOTONIC, and writes whole packets to a capture file if
 * the watch names one.
 */

#include <stdbool.h>

#include "src/observer/observation.h"
#include "src/observer/watch-spec.h"
#include "src/util/cleanup.h"
#include "src/util/closer.h"
#include "src/util/error.h"

struct packets;
struct packets_buffer; /* what sources share: the memory that packets are received into, a filter */

/* Gets an OBSERVATION_PACKET or OBSERVATION_LOST. If the function returns false, the drain ends at
 * once, because the watch of the source was freed. */
typedef bool (*packets_func)(const struct observation *observation, void *userdata);

/* Returns NULL when out of memory. */
struct packets_buffer *packets_buffer_new(void);
struct packets_buffer *packets_buffer_free(struct packets_buffer *buffer);
DEFINE_CLEANUP(struct packets_buffer *, packets_buffer_free)

/* Opens a source for the interface or the capture file that `spec` names. `buffer` must outlive the
 * source. */
int packets_new(const struct observer_watch_spec *spec, struct packets_buffer *buffer,
		packets_func func, void *userdata, struct packets **ret_source, struct error *err);
/* Frees a source. Returns the source that packets_mute() linked behind it, or NULL. */
struct packets *packets_free(struct packets *source);
/* The same, and leaves it to the closer to close the socket, unless that is NULL. */
struct packets *packets_free_by(struct packets *source, struct closer *closer);
DEFINE_CLEANUP(struct packets *, packets_free)

/* Makes the source take no more packets, and links it in front of `next`. Returns `source`. */
struct packets *packets_mute(struct packets *source, struct packets *next);

/* Returns a descriptor that is readable when packets wait; it stays the source's. */
int packets_fd(const struct packets *source);
/* Receives the waiting packets in at most `max_batches` batches, and then tells by OBSERVATION_LOST
 * how many packets the kernel dropped. */
void packets_drain(struct packets *source, unsigned int max_batches);
/* Writes the buffered frames of the capture to its file. Returns 0, or the first failure. */
int packets_check(struct packets *source, struct error *err);
