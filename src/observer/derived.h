/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * State changes, retransmissions and resets of one watched namespace where the
 * tracepoints are not to be had: a passive tracker for each connection tells them from
 * the packets, and sock_diag's destroy notifications tell of ends that no packet shows.
 * Packets are taken before netfilter: what the node drops at its own ingress counts as received.
 */

#include <stdbool.h>

#include "netns/sockdiag.h"
#include "src/observer/observer.h"

struct observer_fallback;

/* False: there is nobody to tell any more. */
typedef bool (*observer_fallback_func)(const struct observation *observation, void *userdata);

int observer_fallback_new(observer_fallback_func func, void *userdata,
			  struct observer_fallback **ret_fallback, struct error *err);
struct observer_fallback *observer_fallback_free(struct observer_fallback *fallback);
DEFINE_CLEANUP(struct observer_fallback *, observer_fallback_free)

/* An OBSERVATION_PACKET; what follows from it is told. */
void observer_fallback_packet(struct observer_fallback *fallback, const struct observation *packet);
/* The kernel freed a socket at about `time_nsec`: told as a STATE to CLOSE if it was not seen
 * before. */
void observer_fallback_destroyed(struct observer_fallback *fallback,
				 const struct sockdiag_socket *socket, nsec_t time_nsec);
