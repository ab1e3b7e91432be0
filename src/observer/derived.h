/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Derives the state changes, retransmissions and resets of one watched namespace
 * without tracepoints: a passive tracker of each connection follows the packets, and
 * sock_diag's destroy notifications show ends without a packet. Packets are seen before
 * netfilter, so one that the host itself drops on its way in counts as received.
 */

#include <stdbool.h>

#include "netns/sockdiag.h"
#include "src/observer/observation.h"
#include "src/util/error.h"

/* The connections of one namespace. */
struct derived;

/* Gets an observation. If the function returns false, the watch was freed, and no more is told. */
typedef bool (*derived_func)(const struct observation *observation, void *userdata);

int derived_new(derived_func func, void *userdata, struct derived **ret_derived, struct error *err);
struct derived *derived_free(struct derived *derived);

/* Takes an OBSERVATION_PACKET, and tells the observations that follow from it. */
void derived_packet(struct derived *derived, const struct observation *packet);
/* Takes the notification that the kernel freed a socket at about `time_nsec`, and tells an
 * OBSERVATION_DESTROY. If no packet has shown the end of the socket's connection, an
 * OBSERVATION_STATE to CLOSE is told before. */
void derived_destroyed(struct derived *derived, const struct sockdiag_socket *socket,
		       nsec_t time_nsec);
