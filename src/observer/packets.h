/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The packet source: an AF_PACKET socket on one interface of a watched namespace.
 * It hands out TCP headers with the kernel's timestamp, moved from CLOCK_REALTIME to
 * CLOCK_MONOTONIC, and writes whole packets to a capture file if one is asked for.
 */

#include <stdbool.h>

#include "src/observer/observation.h"
#include "src/observer/watch-spec.h"
#include "src/util/cleanup.h"
#include "src/util/error.h"

struct packets;
struct packets_buffer; /* the memory that packets are received into; one serves all sources */

/* Gets an OBSERVATION_PACKET or OBSERVATION_LOST. If it returns false, the drain ends at once, and
 * the source is to be freed soon. */
typedef bool (*packets_func)(const struct observation *observation, void *userdata);

/* NULL when out of memory; free() frees it. */
struct packets_buffer *packets_buffer_new(void);

/* `buffer` must outlive the source. */
int packets_new(const struct observer_watch_spec *spec, struct packets_buffer *buffer,
		packets_func func, void *userdata, struct packets **ret_source, struct error *err);
/* Frees it and returns what it was linked to by packets_mute(), or NULL. */
struct packets *packets_free(struct packets *source);
DEFINE_CLEANUP(struct packets *, packets_free)

/* Makes the source take no more packets, and links it in front of `next`. Returns `source`. */
struct packets *packets_mute(struct packets *source, struct packets *next);

int packets_fd(const struct packets *source);
/* Receives what there is, in at most `max_batches` batches, and then tells how many were dropped.
 */
void packets_drain(struct packets *source, unsigned int max_batches);
/* Brings the capture to the disk; 0, or why it is not whole. */
int packets_check(struct packets *source, struct error *err);
