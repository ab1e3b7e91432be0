/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Looks at a node as it is now: at its sockets by sock_diag, at its program by its counters. */

#include "src/trial/state.h"

/* Finds the socket of the endpoint; returns false when there is none. */
bool look_up(struct trial_node *node, struct sockdiag_socket *ret_socket);
/* Returns how many bytes have got through in both directions, and brings the endpoint's tcp_info up
 * to date. */
uint64_t look_progress(struct trial_node *node);
/* Whether anything listens on the server. A command does not tell, so its kernel is asked. */
bool look_for_listener(struct trial *trial);
/* Notes how many bytes the node's first agent has moved. This is called before that agent is freed,
 * which alone knows. */
void look_at_bytes(struct trial_node *node);
