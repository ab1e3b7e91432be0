/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * State changes, retransmissions and resets of one watched namespace, derived
 * without tracepoints. A passive tracker for each connection tells them from the
 * packets, and sock_diag's destroy notifications tell of ends that no packet shows.
 * Packets are seen before netfilter, so a packet that the host itself drops on its
 * way in counts as received.
 */

#include <stdbool.h>

#include "netns/sockdiag.h"
#include "src/observer/observation.h"
#include "src/util/error.h"

struct derived;

/* Returns false if the watch was freed: then nothing more is told. */
typedef bool (*derived_func)(const struct observation *observation, void *userdata);

int derived_new(derived_func func, void *userdata, struct derived **ret_derived, struct error *err);
struct derived *derived_free(struct derived *derived);

/* Takes an OBSERVATION_PACKET, and tells what follows from it. */
void derived_packet(struct derived *derived, const struct observation *packet);
/* The kernel freed a socket at about `time_nsec`. If no packet has shown the end of its connection,
 * a STATE to CLOSE is told. */
void derived_destroyed(struct derived *derived, const struct sockdiag_socket *socket,
		       nsec_t time_nsec);
